"""Learners with a training of their own: against numpy, and their unlearners' law against T's."""

import math
from contextlib import suppress
from dataclasses import fields, replace
from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy import stats
from scipy.special import expit

from indist import audits, oracles
from oracles.learners import NaiveBayes, NoisyFineTuned, ObjectiveNoise, SecretDescent, Sisa
from oracles.randomness import stream_key, stream_number

SEED = 5


def _points(count: int, seed: int) -> oracles.Examples:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count).astype(np.int32)
    inputs = rng.normal(size=(count, 3)) + 0.8 * labels[:, None] - 0.4
    return oracles.Examples(inputs.astype(np.float32), labels)


def _world(learner: str, count: int = 40, **settings: Any) -> oracles.Scenario:
    train = _points(count, 1)
    forget, behaviour = np.arange(4), np.arange(10)
    probes = oracles.Probes.join(
        [
            ("forget", train.take(forget)),
            ("behaviour", train.take(np.arange(4, 10))),
            ("retain", train.take(np.arange(10, 30))),
            ("test", _points(20, 2)),
        ]
    )
    world = oracles.Scenario(
        name="points",
        title="the first ten points",
        settings={"seed": 0},
        train=train,
        forget=forget,
        behaviour=behaviour,
        probes=probes,
        classes=2,
        learner=oracles.learners.make("logistic", train, 2, steps=5),
    )
    return world.with_learner(learner, **settings)


def _sets(world: oracles.Scenario) -> tuple[Any, Any]:
    """S, the first four points, and R."""
    train = world.train
    return (train.inputs[:4], train.labels[:4]), (train.inputs[4:], train.labels[4:])


def _rows(inputs: Any) -> Any:
    rows = np.asarray(inputs, dtype=np.float64)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1.0)


def _slope(weights: Any, rows: Any, signs: Any) -> Any:
    """Gradient of the summed logistic loss, one example after the other."""
    total = np.zeros_like(weights)
    for row, sign in zip(rows, signs, strict=True):
        total -= sign * row * expit(-sign * (row @ weights))
    return total


def _first_model(world: oracles.Scenario, excluded: Any) -> Any:
    made = oracles.train(world, excluded, stream="one", models=1, seed=SEED)
    return jax.tree.map(lambda leaf: leaf[0], made.parameters())


def _left(world: oracles.Scenario, gone: int) -> tuple[Any, Any]:
    train = world.train
    return _rows(train.inputs[gone:]), 2.0 * train.labels[gone:] - 1.0


def test_secret_descent_and_its_deletion_against_numpy() -> None:
    world = _world("descent-to-delete", convexity=0.1, steps=40)
    rate = 2 / (0.25 + 2 * 0.1)

    def descend(weights: Any, gone: int, steps: int) -> Any:
        rows, signs = _left(world, gone)
        for _ in range(steps):
            mean = _slope(weights, rows, signs) / len(rows)
            weights = weights - rate * (mean + 0.1 * weights)
        return weights

    secret = descend(np.zeros(3), 0, 40)
    params = _first_model(world, "nothing")
    np.testing.assert_allclose(params["secret"], secret, atol=1e-5)
    rule = oracles.unlearners.DescentDeletion(iterations=3)
    forget, retain = _sets(world)
    after = rule(world.learner, params, forget, retain, jax.random.key(1))
    for gone in range(1, 5):
        secret = descend(secret, gone, 3)
    np.testing.assert_allclose(after["secret"], secret, atol=1e-5)


def test_the_published_noise_has_the_stated_deviation() -> None:
    """χ² of 600 × 3 draws within its central 1 − 1e-6."""
    world = _world("descent-to-delete", sigma=0.3, steps=5)
    made = oracles.train(world, "forget", stream="x", models=600, seed=SEED).parameters()
    draws = (made["weights"] - made["secret"]) / 0.3
    low, high = stats.chi2(draws.size).ppf([5e-7, 1 - 5e-7])
    assert low < (draws**2).sum() < high


def test_objective_noise_is_minimised_and_newton_steps_stay_within_their_bound() -> None:
    world = _world("objective-noise", sigma=2.0, convexity=0.2)
    params = _first_model(world, "nothing")
    noise = np.asarray(params["secret"], dtype=np.float64)
    rows, signs = _left(world, 0)

    def gradient(weights: Any, gone: int) -> Any:
        rows, signs = _left(world, gone)
        return _slope(weights, rows, signs) + 0.2 * len(rows) * weights + noise

    assert np.linalg.norm(gradient(np.asarray(params["weights"], np.float64), 0)) < 1e-4
    rule = oracles.unlearners.NewtonRemoval(budget=1e9)
    forget, retain = _sets(world)
    assert isinstance(world.learner, ObjectiveNoise)
    weights, bound = rule.remove(world.learner, params["weights"], forget, retain)
    twin, twin_bound = np.asarray(params["weights"], np.float64), 0.0
    for gone in range(4):
        rows, signs = _left(world, gone + 1)
        leaving = _slope(twin, *(part[:1] for part in _left(world, gone)))
        chance = expit(rows @ twin)
        hessian = (rows.T * (chance * (1 - chance))) @ rows + 0.2 * len(rows) * np.eye(3)
        move = np.linalg.solve(hessian, 0.2 * twin + leaving)
        singular = (np.linalg.svd(rows, compute_uv=False) ** 16).sum() ** (1 / 16)
        lengths = singular, np.linalg.norm(move), np.linalg.norm(rows @ move)
        twin, twin_bound = twin + move, twin_bound + 0.25 * np.prod(lengths)
    np.testing.assert_allclose(weights, twin, atol=1e-4)
    np.testing.assert_allclose(bound, twin_bound, rtol=1e-3)
    residual = np.linalg.norm(gradient(np.asarray(weights, np.float64), 4))
    assert 1e-4 < residual < twin_bound


def test_a_residual_over_budget_is_trained_anew() -> None:
    world = _world("objective-noise", sigma=2.0, convexity=0.2)
    params = _first_model(world, "nothing")
    forget, retain = _sets(world)
    rule = oracles.unlearners.NewtonRemoval(budget=1e-6)
    after = rule(world.learner, params, forget, retain, jax.random.key(1))
    plan = world.learner.draw_plan(jax.random.key(0), np.ones(36, dtype=bool))
    fresh = world.learner.train(jax.random.key(1), *retain, plan)
    np.testing.assert_array_equal(after["weights"], fresh["weights"])


def test_rewinding_against_numpy() -> None:
    world = _world("rewind-to-delete", steps=9, rewound=5, learning_rate=0.7, sigma=1e-9)

    def descend(weights: Any, gone: int, steps: int) -> Any:
        rows, signs = _left(world, gone)
        for _ in range(steps):
            weights = weights - 0.7 * _slope(weights, rows, signs) / len(rows)
        return weights

    params = _first_model(world, "nothing")
    early = descend(np.zeros(3), 0, 4)
    np.testing.assert_allclose(params["secret"], early, atol=1e-6)
    np.testing.assert_allclose(params["weights"], descend(early, 0, 5), atol=1e-6)
    rule = oracles.unlearners.Rewind()
    _, retain = _sets(world)
    after = rule(world.learner, params, retain, retain, jax.random.key(1))
    np.testing.assert_allclose(after["weights"], descend(early, 4, 5), atol=1e-6)


def test_langevin_without_noise_descends_and_with_noise_has_its_stationary_spread() -> None:
    """On a loss of the ridge alone (no example is in) w is Gaussian: w' = (1 − ηm) w + √(2ησ²) N.

    Its variance is 2ησ² / (1 − (1 − ηm)²); χ² of 600 × 3 draws within its central 1 − 1e-6.
    """
    world = _world("langevin", sigma=1e-9, convexity=0.3, steps=30)
    rows, signs = _left(world, 4)
    weights, rate = np.zeros(3), 1 / 0.55
    for _ in range(30):
        weights = weights - rate * (_slope(weights, rows, signs) / 40 + 0.3 * weights)
    np.testing.assert_allclose(_first_model(world, "forget")["weights"], weights, atol=1e-5)
    noisy = _world("langevin", sigma=0.2, convexity=0.3, steps=60).learner
    inputs, labels = jnp.asarray(world.train.inputs), jnp.asarray(world.train.labels)
    nobody = jnp.full((1, 40), -1)
    keys = jax.random.split(jax.random.key(SEED), 600)
    made = jax.vmap(lambda key: noisy.train(key, inputs, labels, nobody)["weights"])(keys)
    variance = 2 * rate * 0.04 / (1 - (1 - rate * 0.3) ** 2)
    low, high = stats.chi2(made.size).ppf([5e-7, 1 - 5e-7])
    assert low < float((made**2).sum()) / variance < high


def test_private_descent_against_numpy() -> None:
    world = _world("private", steps=3, learning_rate=2.0, gradient_norm=0.3, sigma=1e-9)
    made = oracles.train(world, "forget", stream="one", models=1, seed=SEED)
    params = {name: leaf[0] for name, leaf in made.parameters().items()}
    key = jax.random.fold_in(stream_key(stream_number(SEED, "one")), 0)
    _, key = jax.random.split(key)
    fresh = world.learner.init(jax.random.split(key)[0], world.train.inputs)
    kernel, bias = (np.asarray(fresh[name], np.float64) for name in ("kernel_0", "bias_0"))
    for _ in range(3):
        total = np.zeros((2, 4))
        for x, y in zip(world.train.inputs[4:], world.train.labels[4:], strict=True):
            scores = kernel @ x + bias
            pull = (
                np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum() - np.eye(2)[y]
            )
            slope = np.outer(pull, np.append(x, 1.0))
            total += slope * min(1.0, 0.3 / np.linalg.norm(slope))
        kernel, bias = kernel - 2 * total[:, :3] / 40, bias - 2 * total[:, 3] / 40
    np.testing.assert_allclose(params["kernel_0"], kernel, atol=1e-5)
    np.testing.assert_allclose(params["bias_0"], bias, atol=1e-5)


def test_noisy_fine_tuning_clips_both_and_tunes_along_its_plan() -> None:
    settings = {"model_norm": 0.5, "gradient_norm": 0.1, "learning_rate": 0.4, "sigma": 1e-9}
    world = _world("noisy-fine-tuning", noisy_steps=3, free_steps=2, steps=6, batch=8, **settings)
    learner = world.learner
    assert isinstance(learner, NoisyFineTuned)
    params = _first_model(world, "nothing")
    data = jnp.asarray(world.train.inputs), jnp.asarray(world.train.labels)
    plan = learner.draw_plan(jax.random.key(3), np.ones(40, dtype=bool))[:5]
    made = learner.tune(params["secret"], *data, plan, jax.random.key(4))

    def slope(weights: Any, index: Any, back: Any = None) -> Any:
        x = np.append(np.asarray(data[0])[index], np.ones((len(index), 1)), axis=1)
        scores = x @ weights.T
        chance = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        return (chance - np.eye(2)[np.asarray(data[1])[index]]).T @ x / len(index)

    secret = params["secret"]
    weights = np.append(secret["kernel_0"], np.asarray(secret["bias_0"])[:, None], axis=1)
    weights = weights.astype(np.float64)
    assert np.linalg.norm(weights) > 0.5
    weights *= 0.5 / np.linalg.norm(weights)
    for index in np.asarray(plan[:3]):
        step = slope(weights, index)
        assert np.linalg.norm(step) > 0.1
        weights = weights - 0.4 * step * 0.1 / np.linalg.norm(step)
    velocity = np.zeros_like(weights)
    for index in np.asarray(plan[3:]):
        velocity = 0.9 * velocity + slope(weights, index)
        weights = weights - 0.1 * velocity
    np.testing.assert_allclose(made["weights"]["kernel_0"], weights[:, :3], atol=1e-5)
    np.testing.assert_allclose(made["weights"]["bias_0"], weights[:, 3], atol=1e-5)


def test_naive_bayes_counts_and_forgets_exactly() -> None:
    world = _world("naive-bayes", bins=4)
    learner = world.learner
    assert isinstance(learner, NaiveBayes)
    params = _first_model(world, "forget")
    low, high = world.train.inputs.min(), world.train.inputs.max()
    bins = np.clip(np.floor((world.train.inputs - low) / (high - low) * 4), 0, 3).astype(int)
    counts, sizes = np.zeros((2, 3, 4), int), np.zeros(2, int)
    for row, label in zip(bins[4:], world.train.labels[4:], strict=True):
        sizes[label] += 1
        for feature, place in enumerate(row):
            counts[label, feature, place] += 1
    np.testing.assert_array_equal(params["counts"], counts)
    np.testing.assert_array_equal(params["sizes"], sizes)
    probabilities = [
        np.log((sizes[c] + 1) / (36 + 2))
        + sum(np.log((counts[c, f, bins[0, f]] + 1) / (sizes[c] + 4)) for f in range(3))
        for c in range(2)
    ]
    said = learner.logits(params, world.train.inputs[:1])[0]
    np.testing.assert_allclose(said, probabilities, rtol=1e-5)
    references = oracles.references(world, models=3, seed=SEED)
    made = oracles.unlearn(world, references.original, method="summation-form", seed=1)
    assert made.digest == references.untraining.digest
    assert made.digest != references.original.digest


def test_sisa_keeps_what_never_saw_the_forget_set() -> None:
    world = _world("sisa", steps=6, shards=4, slices=3, hidden=4, batch=5)
    learner = world.learner
    assert isinstance(learner, Sisa)
    references = oracles.references(world, models=8, seed=SEED)
    made = oracles.unlearn(world, references.original, method="sisa", seed=1)
    before, after = references.original.parameters(), made.parameters()
    forget = world.train.take(world.forget)
    kept = changed = 0
    for k in range(8):
        shard_of, slice_of = learner.cells(before["cells"][k], forget.inputs, forget.labels)
        first = np.full(4, 3)
        for shard, place in zip(np.asarray(shard_of), np.asarray(slice_of), strict=True):
            first[shard] = min(first[shard], place)
        for shard in range(4):
            for stage in range(3):
                pair = [
                    np.concatenate(
                        [np.ravel(leaf[k, shard, stage]) for leaf in jax.tree.leaves(p["stages"])]
                    )
                    for p in (before, after)
                ]
                same = np.array_equal(*pair)
                assert same == (stage < first[shard])
                kept, changed = kept + same, changed + (not same)
    assert min(kept, changed) > 10


def test_sisa_cells_are_spread_evenly_and_do_not_depend_on_others() -> None:
    """χ² of 3,000 examples over 6 cells: a false alarm has probability 1e-6."""
    learner = _world("sisa", shards=2, slices=3).learner
    assert isinstance(learner, Sisa)
    many = _points(3000, 9)
    key = jax.random.key_data(jax.random.key(2))
    shard, place = learner.cells(key, many.inputs, many.labels)
    counts = np.bincount(np.asarray(shard) * 3 + np.asarray(place), minlength=6)
    assert stats.chisquare(counts).pvalue > 1e-6
    fewer = learner.cells(key, many.inputs[7:], many.labels[7:])
    np.testing.assert_array_equal(fewer[0], shard[7:])
    np.testing.assert_array_equal(fewer[1], place[7:])


def test_a_shard_without_examples_keeps_its_start() -> None:
    learner = _world("sisa", steps=4, shards=2, slices=1, hidden=4).learner
    data = _points(3, 4)
    made = learner.train(jax.random.key(0), data.inputs, data.labels, jnp.full((1, 3), -1))
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(made["stages"]))
    assert not np.asarray(made["stages"]["bias_0"]).any()


@pytest.mark.parametrize(
    ("method", "learner", "settings"),
    [
        ("sisa", "sisa", {"steps": 30, "hidden": 4, "shards": 2, "slices": 2, "batch": 8}),
        ("retrain", "langevin", {"steps": 40}),
        ("retrain", "private", {"steps": 5, "sigma": 10.0}),
        ("retrain", "noisy-fine-tuning", {"steps": 10, "noisy_steps": 5, "free_steps": 5}),
        ("retrain", "objective-noise", {"convexity": 0.1}),
    ],
)
def test_exact_methods_have_the_law_of_the_untraining_reference(
    method: str, learner: str, settings: dict[str, Any]
) -> None:
    """KS on the median margin of 4 probe groups, 400 models a side.

    A false alarm below p = 1e-5 in one of 4 has probability at most 4e-5.
    """
    world = _world(learner, **settings)
    references = oracles.references(world, models=400, seed=SEED)
    made = oracles.unlearn(world, references.original, method=method, seed=6)
    first, second = (p.observe(world.probes) for p in (made, references.untraining))
    for group in set(world.probes.groups):
        of = world.probes.groups == group
        p, q = (np.median(o.margins[:, of], axis=1) for o in (first, second))
        assert stats.ks_2samp(p, q).pvalue > 1e-5  # pyright: ignore


CERTIFIED = sorted(
    name
    for name, kind in oracles.unlearners.UNLEARNERS.items()
    if issubclass(kind, oracles.unlearners.Certified)
)


@pytest.mark.parametrize("method", CERTIFIED)
def test_certified_claims_are_carried_to_the_audit_and_hold(method: str) -> None:
    """A true claim is called contradicted with probability at most 1 − 0.999 a method."""
    kind = oracles.unlearners.UNLEARNERS[method]
    world = _world(kind.learner, count=120)
    references = oracles.references(world, models=48, seed=SEED)
    made = oracles.unlearn(world, references.original, method=method, seed=6)
    claim = kind().claim(world.learner, 120, 4)
    assert made.recipe["claim"]["epsilon"] == claim.epsilon
    audit = audits.audit(made, references, confidence=0.999, seed=0)
    assert audit.claimed is not None
    assert audit.claimed.epsilon == claim.epsilon
    assert audit.claimed.finding != "contradicted"
    assert claim.epsilon < 50
    assert claim.delta == 0.01


def test_a_claim_with_the_noise_left_out_is_caught() -> None:
    """The same claim of a learner that publishes without noise: both populations are points."""
    honest = _world("descent-to-delete", count=120, convexity=0.1)
    claim = oracles.unlearners.DescentDeletion().claim(honest.learner, 120, 4)
    world = _world("descent-to-delete", count=120, convexity=0.1, sigma=1e-9)
    references = oracles.references(world, models=64, seed=SEED)
    made = oracles.unlearn(world, references.original, method="identity", seed=6)
    audit = audits.audit(made, references, claim=claim, seed=0)
    assert audit.claimed is not None
    assert audit.claimed.finding == "contradicted"
    assert any("is contradicted" in text for text in audit.warnings)
    assert "is contradicted" in str(audit)


@pytest.mark.parametrize(
    ("learner", "settings", "message"),
    [
        ("mlpp", {}, "learner: expected one of mlp, cnn.*found 'mlpp'"),
        ("mlp", {"width": 3}, "mlp: expected settings hidden.*found 'width'"),
        ("mlp", {"steps": 0}, "learner mlp: steps: expected at least 1, found 0"),
        ("cnn", {}, "learner cnn: expected training inputs .*height"),
        ("resnet", {}, "learner resnet: expected training inputs .*height"),
        ("wide-resnet", {}, "learner wide-resnet: expected training inputs .*height"),
        ("transformer", {}, "learner transformer: expected tokens"),
        ("private", {"sigma": 0.0}, "sigma: expected a number over 0"),
        ("langevin", {"convexity": 0.0}, "convexity: expected a number over 0"),
        ("rewind-to-delete", {"rewound": 99}, "rewound: expected 0 to 20"),
        ("sisa", {"slices": 0}, "slices: expected at least 1"),
        ("sisa", {"label_smoothing": 1.0}, "label_smoothing: expected a number in"),
        ("mlp", {"steps": 10**9}, "learner mlp: steps: expected at most 8388608 of 128"),
        ("no.such.module:make", {}, "expected an importable package.module:factory"),
        ("csv:make", {}, "Python's own module 'csv' was found: give a file of yours another name"),
        ("math:pi", {}, "expected 'math:pi' to be callable"),
        ("builtins:dict", {}, "learner builtins:dict"),
    ],
)
def test_bad_learners(learner: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _world(learner, **settings)


TRAINING_SETS = [
    (oracles.Examples(np.eye(4, 6, dtype=np.float32), np.arange(4) % 2), 2),
    (oracles.Examples(np.ones((4, 8, 8), dtype=np.float32), np.arange(4) % 2), 2),
    (oracles.Examples(np.ones((4, 5), dtype=np.int32), np.arange(4) % 2), 2),
]


def suited(name: str) -> tuple[oracles.Examples, int]:
    """The first of the training sets that a learner can train on."""
    for train, classes in TRAINING_SETS:
        with suppress(ValueError):
            oracles.learners.make(name, train, classes)
            return train, classes
    raise AssertionError(name)


@pytest.mark.parametrize("name", oracles.learners.LEARNERS)
def test_every_setting_of_every_learner_is_checked(name: str) -> None:
    train, classes = suited(name)
    wrong = [None, math.nan, math.inf, -1, "nonsense", "", b"8", {}, [[]], [0], object()]
    for setting in fields(oracles.learners.LEARNERS[name]):
        for value in wrong if setting.type is not bool else [*wrong, 1]:
            with pytest.raises(ValueError, match=rf"^learner {name}: {setting.name}: expected"):
                oracles.learners.make(name, train, classes, **{setting.name: value})


def test_one_layer_may_be_said_as_its_width() -> None:
    train, classes = TRAINING_SETS[0]
    made = [oracles.learners.make("mlp", train, classes, hidden=h) for h in (8, (8,), [8])]
    assert made[0] == made[1] == made[2]
    assert "features = (8, 2)" in made[0].description["module"]


def test_a_learner_that_does_not_fit_is_refused_before_it_trains() -> None:
    train, _ = TRAINING_SETS[0]
    with pytest.raises(ValueError, match=r"expected logits of shape \[4, 2\], found \[4, 7\]"):
        oracles.learners.make(f"{__name__}:wide_learner", train, 2)
    with pytest.raises(ValueError, match=r"cannot train on inputs of shape \[4, 6\] \(TypeError"):
        oracles.learners.make(f"{__name__}:broken_learner", train, 2)


def wide_learner(train: oracles.Examples, classes: int) -> oracles.Learner:
    """Logits of other classes than the scenario has."""
    del train, classes
    return oracles.Learner(nn.Dense(7), partial(optax.sgd, 0.1), steps=4, batch=8)


def broken_learner(train: oracles.Examples, classes: int) -> oracles.Learner:
    """A module that cannot be built."""
    del train, classes
    return oracles.Learner(nn.Dense("a"), partial(optax.sgd, 0.1), steps=4, batch=8)


@pytest.mark.parametrize("name", oracles.learners.LEARNERS)
def test_learners_refuse_what_their_training_does_not_follow(name: str) -> None:
    """Else a description would say what no model was trained with."""
    made = oracles.learners.make(name, *suited(name))
    for setting, value in {"label_smoothing": 0.1, "augmentation": oracles.CropAndFlip(1)}.items():
        if setting in made.FOLLOWED:
            replace(made, **{setting: value})
            continue
        with pytest.raises(ValueError, match=f"{setting}: expected none, as {type(made).__name__}"):
            replace(made, **{setting: value})
    own = type(made).train is not oracles.Learner.train
    assert ("augmentation" in made.FOLLOWED) != own


def own_learner(train: oracles.Examples, classes: int, *, width: int = 3) -> oracles.Learner:
    """What a user may write: any flax module, any optax chain."""
    del train
    module = nn.Sequential([nn.Dense(width), nn.tanh, nn.Dense(classes)])
    chain = partial(optax.chain, partial(optax.clip, 1.0), partial(optax.adamw, 0.01))
    return oracles.Learner(module, chain, steps=4, batch=8)


def test_a_learner_of_the_users_own() -> None:
    world = _world(f"{__name__}:own_learner", width=5)
    assert world.settings["learner_settings"] == {"width": 5}
    made = oracles.train(world, "forget", stream="x", models=2, seed=SEED)
    assert made.observe(world.probes).logits.shape == (2, 50, 2)


def test_certified_methods_refuse_other_learners() -> None:
    world = _world("logistic", steps=4)
    references = oracles.references(world, models=2, seed=SEED)
    with pytest.raises(ValueError, match="langevin: unlearns from models of the learner langevin"):
        oracles.unlearn(world, references.original, method="langevin", seed=0)
    assert isinstance(_world("descent-to-delete").learner, SecretDescent)
    with pytest.raises(ValueError, match="masked"):
        oracles.train(
            _world("langevin"), "forget", stream="x", models=1, seed=0, exclusion="masked"
        )
