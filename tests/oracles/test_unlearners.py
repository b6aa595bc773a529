"""One contract for every unlearner, and each against a slow plain twin."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.traverse_util import flatten_dict
from jax.sharding import Mesh
from scipy import stats

from indist import oracles
from oracles.engines._blocks import _compiled
from oracles.populations._unlearn import _unlearning_program
from oracles.randomness import epoch_batches, stream_key, stream_number
from tests.oracles.conftest import Home

METHODS = sorted(oracles.unlearners.UNLEARNERS)


@pytest.mark.parametrize("method", METHODS)
def test_contract(method: str, home: Callable[[str], Home]) -> None:
    world, references = home(method)
    original = references.original
    made = oracles.unlearn(world, original, method=method, seed=1)
    assert made.models == original.models
    assert made.recipe["method"] == method
    assert made.digest == oracles.unlearn(world, original, method=method, seed=1).digest
    few = oracles.unlearn(world, original, method=method, seed=1, models=3)
    every = flatten_dict(made.parameters())
    for name, leaf in flatten_dict(few.parameters()).items():
        assert np.array_equal(leaf, every[name][:3])
        assert np.isfinite(leaf).all()
    again = oracles.Population(made.recipe, made.learner, world.probes, made.shards)
    seen = again.observe(replace(world.probes, ids=np.char.add("again/", world.probes.ids)))
    np.testing.assert_allclose(seen.logits, made.observe(world.probes).logits, rtol=0, atol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_no_unlearner_can_see_the_behaviour(method: str, home: Callable[[str], Home]) -> None:
    """Two worlds with the same D and S but other B: the same candidates, bit for bit."""
    scenario, references = home(method)
    wider = replace(scenario, behaviour=np.union1d(scenario.forget, np.arange(50)))
    made = [
        oracles.unlearn(world, references.original, method=method, seed=1)
        for world in (scenario, wider)
    ]
    assert made[0].digest == made[1].digest


def test_the_oracle_does_see_it(
    circles: oracles.Scenario, circles_references: oracles.References
) -> None:
    """The test above can fail: it would for a candidate that is told B."""
    wider = replace(circles, behaviour=np.union1d(circles.forget, np.arange(50)))
    made = [
        oracles.unlearn(world, circles_references.original, method="retrain-behaviour", seed=1)
        for world in (circles, wider)
    ]
    assert made[0].digest != made[1].digest


def test_identity_changes_nothing(
    circles: oracles.Scenario, circles_references: oracles.References
) -> None:
    original = circles_references.original
    same = oracles.unlearn(circles, original, method="identity", seed=1)
    assert same.digest == original.digest


def _twin(params: Any, gradient: Any, batches: Any, rate: float) -> Any:
    """Plain SGD, ``v = 0.9 v + g; θ = θ - η v``: one model, no scan, no vmap."""
    velocity = jax.tree.map(np.zeros_like, params)
    for batch in batches:
        velocity = jax.tree.map(lambda v, g: 0.9 * v + g, velocity, gradient(params, batch))
        params = jax.tree.map(lambda p, v: p - rate * v, params, velocity)
    return params


def _data(scenario: oracles.Scenario) -> tuple[oracles.Examples, oracles.Examples]:
    train = scenario.train
    return train.take(scenario.forget), train.take(scenario.excluding(scenario.forget))


def _arrays(scenario: oracles.Scenario) -> list[Any]:
    """S and R on the device, so that traced indices reach into them."""
    return [
        SimpleNamespace(inputs=jnp.asarray(part.inputs), labels=jnp.asarray(part.labels))
        for part in _data(scenario)
    ]


def _key(method: str, model: int) -> Any:
    return jax.random.fold_in(stream_key(stream_number(1, f"unlearn/{method}")), model)


def test_finetune_against_its_twin(
    circles: oracles.Scenario, circles_references: oracles.References
) -> None:
    original = circles_references.original
    made = oracles.unlearn(
        circles, original, method="finetune", seed=1, epochs=2, batch=64, learning_rate=0.05
    )
    _, retain = _arrays(circles)
    steps = int(np.ceil(2 * len(retain.labels) / 64))
    plan = epoch_batches(_key("finetune", 2), len(retain.labels), steps, 64)

    @jax.jit
    def gradient(params: Any, r: Any) -> Any:
        return jax.grad(circles.learner.loss)(params, retain.inputs[r], retain.labels[r])

    start = jax.tree.map(lambda leaf: leaf[2], original.parameters())
    twin = _twin(start, gradient, np.asarray(plan), 0.05)
    for name in twin:
        np.testing.assert_allclose(made.parameters()[name][2], twin[name], rtol=0, atol=2e-5)


def test_neggrad_against_its_twin(
    circles: oracles.Scenario, circles_references: oracles.References
) -> None:
    original = circles_references.original
    made = oracles.unlearn(
        circles, original, method="neggrad", seed=1, epochs=1, batch=64, alpha=0.8
    )
    forget, retain = _arrays(circles)
    steps = int(np.ceil(len(retain.labels) / 64))
    r_key, s_key = jax.random.split(_key("neggrad", 4))
    plan = zip(
        epoch_batches(r_key, len(retain.labels), steps, 64),
        epoch_batches(s_key, len(forget.labels), steps, min(64, len(forget.labels))),
        strict=True,
    )

    @jax.jit
    def gradient(params: Any, batch: Any) -> Any:
        r, s = batch
        grad = jax.grad(circles.learner.loss)
        down = grad(params, retain.inputs[r], retain.labels[r])
        up = grad(params, forget.inputs[s], forget.labels[s])
        return jax.tree.map(lambda d, u: 0.8 * d - 0.2 * u, down, up)

    start = jax.tree.map(lambda leaf: leaf[4], original.parameters())
    twin = _twin(start, gradient, plan, 0.01)
    for name in twin:
        np.testing.assert_allclose(made.parameters()[name][4], twin[name], rtol=0, atol=2e-5)


def test_neggrad_with_weight_one_is_finetuning(circles: oracles.Scenario) -> None:
    """Closed form: at α = 1 the ascent vanishes, so the two rules agree on the same batches."""
    forget, retain = _data(circles)
    params = circles.learner.init(jax.random.key(0), circles.train.inputs)
    sets = jax.tree.map(
        jnp.asarray, ((forget.inputs, forget.labels), (retain.inputs, retain.labels))
    )
    same = {"learning_rate": 0.05, "epochs": 2, "batch": 32}
    rule = oracles.unlearners.NegGrad(alpha=1.0, **same)
    key = jax.random.key(3)
    made = rule(circles.learner, params, *sets, key)
    r_key, _ = jax.random.split(key)
    plain = oracles.unlearners.FineTune(**same)(circles.learner, params, *sets, r_key)
    for name in made:
        np.testing.assert_allclose(made[name], plain[name], rtol=0, atol=1e-6)


def test_retraining_has_the_law_of_the_untraining_reference(circles: oracles.Scenario) -> None:
    """Retraining draws its batches in JAX, the reference on the host: the laws must agree.

    Two-sample KS on the median margin of each of 6 probe groups, 400 models a side; a false alarm
    below p = 1e-5 in one of 6 has probability at most 6e-5.
    """
    original = oracles.references(circles, models=400, seed=5)
    retrained = oracles.unlearn(circles, original.original, method="retrain", seed=6)
    first, second = (p.observe(circles.probes) for p in (retrained, original.untraining))
    for group in oracles.PROBE_GROUPS:
        of = circles.probes.groups == group
        p, q = (np.median(o.margins[:, of], axis=1) for o in (first, second))
        assert stats.ks_2samp(p, q).pvalue > 1e-5  # pyright: ignore


def test_stored_candidates_resume(
    circles: oracles.Scenario, circles_references: oracles.References, tmp_path: Path
) -> None:
    original = circles_references.original
    options: dict[str, Any] = {"method": "finetune", "seed": 1, "directory": tmp_path}
    oracles.unlearn(circles, original, models=3, **options)
    more = oracles.unlearn(circles, original, resume=True, **options)
    assert more.digest == oracles.unlearn(circles, original, method="finetune", seed=1).digest
    with pytest.raises(oracles.StoreError, match="method_settings.learning_rate is 0.02 there"):
        oracles.unlearn(circles, original, resume=True, learning_rate=0.03, **options)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "scrubb"}, "method: expected one of identity, retrain.*found 'scrubb'"),
        ({"method": "finetune", "rate": 1.0}, "finetune: expected settings learning_rate.*'rate'"),
        ({"method": "identity", "epochs": 1}, "identity: expected settings none, found 'epochs'"),
        ({"method": "retrain-behaviour", "x": 1}, "takes no settings, found 'x'"),
        ({"method": "finetune", "epochs": 0}, "epochs: expected at least 1, found 0"),
        ({"method": "finetune", "batch": 0}, "batch: expected at least 1, found 0"),
        ({"method": "finetune", "learning_rate": 0.0}, "learning_rate: expected a number over 0"),
        ({"method": "finetune", "momentum": 1.0}, "momentum: expected a number in"),
        ({"method": "neggrad", "alpha": 0.0}, "alpha: expected a number in"),
        ({"method": "identity", "models": 7}, "models: expected 1 to 6"),
    ],
)
def test_bad_settings(
    circles: oracles.Scenario,
    circles_references: oracles.References,
    settings: dict[str, Any],
    message: str,
) -> None:
    with pytest.raises(ValueError, match=message):
        oracles.unlearn(circles, circles_references.original, seed=1, **settings)


def test_scenarios_of_one_shape_share_their_compiled_program(circles: oracles.Scenario) -> None:
    other = replace(oracles.scenarios.load("circles", seed=1), learner=circles.learner)
    assert other.digest != circles.digest
    settings = {"epochs": 3, "batch": 50}
    for world in (circles, other):
        original = oracles.train(world, "nothing", stream="o", models=2, seed=0)
        oracles.unlearn(world, original, method="finetune", seed=1, **settings)
    rule = oracles.unlearners.FineTune(**settings)
    mesh = Mesh(np.array(jax.local_devices()), ("models",))
    compiled: Any = _compiled(_unlearning_program(circles.learner, rule), mesh)
    assert compiled._cache_size() == 1
