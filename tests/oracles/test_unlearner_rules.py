"""Each unlearner's rule against arithmetic by hand: numpy, float64, plain loops, no autodiff.

The model is logistic regression on a few points. Batches hold a whole set, so that their order
cannot matter, and what is random (labels, batches) is checked by its law.
"""

from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy.special import expit, log_softmax, softmax

from indist import oracles
from oracles.unlearners import _random_label
from oracles.unlearners._layers import layers

CLASSES, FEATURES = 3, 4
LEARNER = oracles.Learner(
    oracles.MLP((CLASSES,)), partial(optax.sgd, 0.1, momentum=0.9), steps=20, batch=8
)
DEEP = replace(LEARNER, module=oracles.MLP((6, 5, CLASSES)))
KEY = jax.random.key(5)


def _points(seed: int, count: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES, count).astype(np.int32)
    inputs = rng.normal(size=(count, FEATURES)) + 0.5 * labels[:, None]
    return jnp.asarray(inputs, dtype=jnp.float32), jnp.asarray(labels)


S, R = _points(1, 5), _points(2, 12)


def _start(learner: oracles.Learner = LEARNER) -> Any:
    """θ0: fresh parameters, biases included."""
    fresh = learner.init(jax.random.key(7), S[0])
    rng = np.random.default_rng(3)
    return {k: v + rng.normal(size=v.shape).astype(np.float32) for k, v in fresh.items()}


def _host(params: Any) -> dict[str, Any]:
    return {name: np.asarray(leaf, dtype=np.float64) for name, leaf in params.items()}


def _logits(params: Any, inputs: Any) -> Any:
    return np.asarray(inputs, dtype=np.float64) @ params["kernel_0"].T + params["bias_0"]


def _back(inputs: Any, residual: Any) -> dict[str, Any]:
    """Gradient of a mean over examples from each example's gradient in its logits."""
    mean = residual / len(residual)
    return {"kernel_0": mean.T @ np.asarray(inputs, dtype=np.float64), "bias_0": mean.sum(axis=0)}


def _loss_gradient(params: Any, data: Any) -> dict[str, Any]:
    inputs, labels = data
    residual = softmax(_logits(params, inputs), axis=1) - np.eye(CLASSES)[np.asarray(labels)]
    return _back(inputs, residual)


def _mix(*terms: tuple[float, dict[str, Any]]) -> dict[str, Any]:
    return {name: sum(w * term[name] for w, term in terms) for name in terms[0][1]}


def _sgd(params: Any, gradients: Any, rate: float) -> Any:
    """``v = 0.9 v + g; θ = θ - η v`` along a list of gradient functions."""
    velocity = {name: np.zeros_like(leaf) for name, leaf in params.items()}
    for gradient in gradients:
        now = gradient(params)
        velocity = {name: 0.9 * velocity[name] + now[name] for name in now}
        params = {name: params[name] - rate * velocity[name] for name in params}
    return params


def _close(made: Any, twin: Any) -> None:
    assert set(made) == set(twin)
    for name in twin:
        np.testing.assert_allclose(made[name], twin[name], rtol=0, atol=2e-5)


def _run(rule: Any, learner: oracles.Learner = LEARNER, key: Any = KEY, start: Any = None) -> Any:
    params = _start(learner) if start is None else start
    return _compiled(rule, learner)(params, S, R, key)


@lru_cache
def _compiled(rule: Any, learner: oracles.Learner) -> Any:
    # Most of the time of these tests would be XLA optimising what runs once.
    return jax.jit(partial(rule, learner), compiler_options={"xla_backend_optimization_level": 0})


def _moved(made: Any) -> float:
    return max(float(np.abs(made[name] - leaf).max()) for name, leaf in _start().items())


def test_gradient_ascent() -> None:
    made = _run(oracles.unlearners.GradientAscent(learning_rate=0.1, epochs=3))
    _close(made, _sgd(_host(_start()), 3 * [lambda p: _mix((-1, _loss_gradient(p, S)))], 0.1))
    assert _moved(made) > 0.05


def test_ascent_descent_takes_turns_with_fresh_momentum() -> None:
    rule = oracles.unlearners.AscentDescent(
        learning_rate=0.1, ascent_epochs=2, descent_epochs=3, rounds=2
    )
    twin = _host(_start())
    for _ in range(2):
        twin = _sgd(twin, 2 * [lambda p: _mix((-1, _loss_gradient(p, S)))], 0.1)
        twin = _sgd(twin, 3 * [lambda p: _loss_gradient(p, R)], 0.1)
    _close(_run(rule), twin)


def _joined() -> tuple[Any, Any]:
    return tuple(np.concatenate(pair) for pair in zip(S, R, strict=True))  # pyright: ignore


def _relabelled(epochs: int, batch: int, key: Any = KEY) -> tuple[Any, Any]:
    plan = _random_label.relabelled_passes(key, LEARNER, _start(), (S, R), epochs, batch)
    return np.asarray(plan[0]), np.asarray(plan[1])


def _over_plan(plan: tuple[Any, Any]) -> list[Any]:
    inputs, _ = _joined()
    return [
        lambda p, i=i, y=y: _loss_gradient(p, (inputs[i], y)) for i, y in zip(*plan, strict=True)
    ]


def test_random_label_follows_its_plan() -> None:
    rule = oracles.unlearners.RandomLabel(learning_rate=0.1, epochs=3, batch=7)
    _close(_run(rule), _sgd(_host(_start()), _over_plan(_relabelled(3, 7)), 0.1))


def test_random_labels_are_uniform_on_s_fresh_each_pass_and_true_on_r() -> None:
    """20,000 draws of 3 classes: 5σ of a share, a false alarm in 3 shares below 2e-6.

    Two passes agree at one of 3 in the mean: the same limit for the share of agreements.
    """
    index, labels = _relabelled(epochs=4000, batch=17)
    _, true = _joined()
    of_s = index < len(S[1])
    assert np.array_equal(labels[~of_s], true[index[~of_s]])
    drawn = labels[of_s]
    assert len(drawn) == 20_000
    shares = np.bincount(drawn, minlength=CLASSES) / len(drawn)
    sigma = np.sqrt(2 / 9 / len(drawn))
    assert np.abs(shares - 1 / 3).max() < 5 * sigma
    one = labels.ravel()[np.flatnonzero(index.ravel() == 0)]
    sigma = np.sqrt(2 / 9 / (len(one) - 1))
    assert abs((one[1:] == one[:-1]).mean() - 1 / 3) < 5 * sigma


def test_salun_moves_the_salient_half_alone() -> None:
    start = _host(_start())
    weight = _loss_gradient(start, S)
    flat = np.concatenate([np.abs(weight[name]).ravel() for name in ("bias_0", "kernel_0")])
    limit = np.sort(flat)[-round(0.4 * len(flat))]
    mask = {name: np.abs(weight[name]) >= limit for name in weight}
    made = _run(oracles.unlearners.SalUn(learning_rate=0.1, epochs=3, batch=7, saliency=0.4))
    masked = [
        lambda p, g=g: {name: g(p)[name] * mask[name] for name in mask}
        for g in _over_plan(_relabelled(3, 7))
    ]
    _close(made, _sgd(start, masked, 0.1))
    for name, leaf in _start().items():
        assert np.array_equal(np.asarray(made[name] == leaf), ~mask[name])


def test_salun_with_every_weight_salient_is_random_labels() -> None:
    same: dict[str, Any] = {"learning_rate": 0.1, "epochs": 3, "batch": 7}
    whole = _run(oracles.unlearners.SalUn(saliency=1.0, **same))
    _close(whole, _host(_run(oracles.unlearners.RandomLabel(**same))))


def test_l1_sparse() -> None:
    """α falls from 0.3 by a third of it an epoch: 0.3, 0.2, 0.1, and a plain epoch."""
    rule = oracles.unlearners.L1Sparse(learning_rate=0.1, epochs=4, alpha=0.3, plain_epochs=1)
    signs = [
        lambda p, a=a: _mix((1, _loss_gradient(p, R)), (a, {n: np.sign(v) for n, v in p.items()}))
        for a in (0.3, 0.2, 0.1, 0.0)
    ]
    _close(_run(rule), _sgd(_host(_start()), signs, 0.1))


def _divergence_gradient(params: Any, teacher: Any, inputs: Any, t: float) -> dict[str, Any]:
    """T² KL(teacher ‖ student) has the gradient T (student − teacher) in the logits."""
    student = softmax(_logits(params, inputs) / t, axis=1)
    return _back(inputs, t * (student - softmax(teacher / t, axis=1)))


def test_scrub() -> None:
    rule = oracles.unlearners.Scrub(
        learning_rate=0.1, epochs=4, max_epochs=3, alpha=0.4, gamma=0.7, temperature=2.0
    )
    start = _host(_start())

    def up(p: Any) -> Any:
        return _mix((-1, _divergence_gradient(p, _logits(start, S[0]), S[0], 2.0)))

    def down(p: Any) -> Any:
        kept = _divergence_gradient(p, _logits(start, R[0]), R[0], 2.0)
        return _mix((0.7, _loss_gradient(p, R)), (0.4, kept))

    _close(_run(rule), _sgd(start, [up, down, up, down, up, down, down], 0.1))


def test_bad_teaching() -> None:
    """Adam by hand, ``m/(√v + ε)`` with both means corrected for their start at zero."""
    rule = oracles.unlearners.BadTeaching(learning_rate=0.05, epochs=3, retained=1.0)
    start = _host(_start())
    bad = _host(LEARNER.init(jax.random.split(KEY, 3)[0], S[0]))
    inputs, _ = _joined()
    teaching = np.concatenate([_logits(bad, S[0]), _logits(start, R[0])])
    params = start
    first = {name: np.zeros_like(leaf) for name, leaf in params.items()}
    second = {name: np.zeros_like(leaf) for name, leaf in params.items()}
    for step in (1, 2, 3):
        now = _divergence_gradient(params, teaching, inputs, 1.0)
        first = {n: 0.9 * first[n] + 0.1 * now[n] for n in now}
        second = {n: 0.999 * second[n] + 0.001 * now[n] ** 2 for n in now}
        params = {
            n: params[n]
            - 0.05 * first[n] / (1 - 0.9**step) / (np.sqrt(second[n] / (1 - 0.999**step)) + 1e-8)
            for n in now
        }
    _close(_run(rule), params)


@pytest.mark.parametrize("against", ["all", "retain"])
def test_ssd_dampens_by_the_fisher_information(against: str) -> None:
    start = _host(_start())

    def fisher(data: Any) -> dict[str, Any]:
        each = [_loss_gradient(start, (x[None], [y])) for x, y in zip(*data, strict=True)]
        return {n: np.mean([g[n] ** 2 for g in each], axis=0) for n in start}

    of_s = fisher([np.asarray(part) for part in S])
    of_d = fisher(_joined() if against == "all" else [np.asarray(part) for part in R])
    twin, chosen = {}, {n: of_s[n] > 1.2 * of_d[n] for n in start}
    for n, leaf in start.items():
        twin[n] = np.where(chosen[n], leaf * np.minimum(0.9 * of_d[n] / of_s[n], 1), leaf)
    rule = oracles.unlearners.SelectiveDampening(alpha=1.2, dampening=0.9, against=against)
    made = _run(rule)
    _close(made, twin)
    every = np.concatenate([chosen[n].ravel() for n in chosen])
    assert 0 < every.sum() < len(every)
    for n, leaf in _start().items():
        assert np.array_equal(np.asarray(made[n] == leaf), ~chosen[n])


def test_ssd_squares_the_mean_of_a_batch() -> None:
    """One batch of all S against one of all R: the squares of two mean gradients."""
    start = _host(_start())
    of_s, of_r = ({n: g**2 for n, g in _loss_gradient(start, d).items()} for d in (S, R))
    rule = oracles.unlearners.SelectiveDampening(alpha=0.5, batch=99, against="retain")
    twin = {
        n: np.where(of_s[n] > 0.5 * of_r[n], leaf * np.minimum(of_r[n] / of_s[n], 1), leaf)
        for n, leaf in start.items()
    }
    _close(_run(rule), twin)


def test_ssd_leaves_weights_that_matter_to_nothing() -> None:
    """An input that is always zero: no information on either side, and no 0 / 0."""
    blank = tuple((x.at[:, 0].set(0.0), y) for x, y in (S, R))
    start = _start()
    rule = oracles.unlearners.SelectiveDampening(alpha=1.2, dampening=0.9)
    made = _compiled(rule, LEARNER)(start, *blank, KEY)
    assert np.array_equal(made["kernel_0"][:, 0], start["kernel_0"][:, 0])
    assert all(np.isfinite(leaf).all() for leaf in made.values())


def _log_probabilities(params: Any, data: Any) -> Any:
    inputs, labels = data
    return log_softmax(_logits(params, inputs), axis=1)[np.arange(len(labels)), np.asarray(labels)]


def _weighted_gradient(params: Any, weights: Any) -> dict[str, Any]:
    """Gradient of mean_S of ``weights`` · ln p_y."""
    residual = np.eye(CLASSES)[np.asarray(S[1])] - softmax(_logits(params, S[0]), axis=1)
    return _back(S[0], weights[:, None] * residual)


def test_graddiff() -> None:
    rule = oracles.unlearners.GradDiff(learning_rate=0.1, epochs=3, retain_weight=1.5)
    step = [lambda p: _mix((1.5, _loss_gradient(p, R)), (-1, _loss_gradient(p, S)))]
    _close(_run(rule), _sgd(_host(_start()), 3 * step, 0.1))


def test_npo() -> None:
    """−(2/β) ln σ(−β z) has the derivative 2 σ(β z) in z = ln p_θ − ln p_θ0."""
    rule = oracles.unlearners.NPO(learning_rate=0.1, epochs=3, beta=0.8, retain_weight=0.5)
    start = _host(_start())

    def gradient(p: Any) -> Any:
        z = _log_probabilities(p, S) - _log_probabilities(start, S)
        return _mix((0.5, _loss_gradient(p, R)), (1, _weighted_gradient(p, 2 * expit(0.8 * z))))

    _close(_run(rule), _sgd(start, 3 * [gradient], 0.1))


def test_simnpo() -> None:
    rule = oracles.unlearners.SimNPO(
        learning_rate=0.1, epochs=3, beta=2.0, gamma=0.3, retain_weight=0.5
    )

    def gradient(p: Any) -> Any:
        weights = 2 * expit(2.0 * _log_probabilities(p, S) + 0.3)
        return _mix((0.5, _loss_gradient(p, R)), (1, _weighted_gradient(p, weights)))

    _close(_run(rule), _sgd(_host(_start()), 3 * [gradient], 0.1))


def test_cf_k_trains_the_last_layers_alone() -> None:
    """The first layer as it was, bit for bit; the last is logistic regression on its outputs."""
    start = _host(_start(DEEP))
    made = _run(oracles.unlearners.FineTuneLast(learning_rate=0.1, epochs=3, last=1), DEEP)
    hidden = np.asarray(R[0], dtype=np.float64)
    for n in "01":
        hidden = np.maximum(hidden @ start[f"kernel_{n}"].T + start[f"bias_{n}"], 0)
    last = {"kernel_0": start["kernel_2"], "bias_0": start["bias_2"]}
    twin = _sgd(last, 3 * [lambda p: _loss_gradient(p, (hidden, R[1]))], 0.1)
    _close({n: made[n.replace("0", "2")] for n in twin}, twin)
    for n in ("kernel_0", "bias_0", "kernel_1", "bias_1"):
        assert np.array_equal(made[n], _start(DEEP)[n])


def test_eu_k_forgets_the_last_layers() -> None:
    """Other last layers in θ0 change no bit of the result; another first layer does."""
    rule = oracles.unlearners.RetrainLast(last=2)
    start = _start(DEEP)
    made = _run(rule, DEEP)
    late = {n: v if n.endswith("_0") else v + 1 for n, v in start.items()}
    early = {n: v + 1 if n.endswith("_0") else v for n, v in start.items()}
    same, other = _run(rule, DEEP, start=late), _run(rule, DEEP, start=early)
    for n in start:
        assert np.array_equal(made[n], same[n])
        assert n.startswith("bias_1") or not np.array_equal(made[n], other[n])
    for n in ("kernel_0", "bias_0"):
        assert np.array_equal(made[n], start[n])


def test_eu_k_with_every_layer_is_exact_retraining() -> None:
    every = _run(oracles.unlearners.RetrainLast(last=3), DEEP)
    _close(every, _host(_run(oracles.unlearners.Retrain(), DEEP)))


class _Nested(nn.Module):
    """A user's module: submodules, one named to sort before its predecessor."""

    @nn.compact
    def __call__(self, inputs: Any) -> Any:
        hidden = nn.LayerNorm(name="z_norm")(nn.Dense(5)(inputs))
        scaled = hidden * self.param("log_scale", nn.initializers.ones, (5,))
        return nn.Dense(CLASSES, name="answer")(nn.relu(scaled))


def test_layers_stand_in_the_order_of_the_forward_pass() -> None:
    nested = replace(LEARNER, module=_Nested())
    assert list(layers(nested, S[0])) == ["Dense_0/", "z_norm/", "scale", "answer/"]
    wide = replace(LEARNER, module=oracles.MLP((2,) * 11 + (CLASSES,)))
    assert list(layers(wide, S[0])) == [str(n) for n in range(12)]
    words = replace(LEARNER, module=oracles.Transformer(7, width=4, blocks=1))
    names = list(layers(words, jnp.zeros((1, 3), dtype=jnp.int32)))
    assert names[0] == ""
    assert names[-2:] == ["last", "logits"]


def test_cf_k_on_a_nested_tree() -> None:
    nested = replace(LEARNER, module=_Nested())
    start = nested.init(jax.random.key(1), S[0])
    made = _run(oracles.unlearners.FineTuneLast(last=1), nested, start=start)
    same = jax.tree.map(lambda a, b: bool(np.array_equal(a, b)), made, start)
    assert not any(same["answer"].values())
    same.pop("answer")
    assert all(jax.tree.leaves(same))


def test_more_layers_than_there_are() -> None:
    with pytest.raises(ValueError, match="last: expected 1 to 3, the layers there are, found 4"):
        oracles.unlearners.RetrainLast(last=4)(DEEP, _start(DEEP), S, R, KEY)


@pytest.mark.slow
@pytest.mark.parametrize("method", sorted(oracles.unlearners.UNLEARNERS))
def test_default_settings_leave_a_working_model(method: str) -> None:
    scenario = oracles.scenarios.load("digits-trigger", seed=0)
    original = oracles.references(scenario, models=4, seed=0).original
    observed = oracles.unlearn(scenario, original, method=method, seed=1).observe(scenario.probes)
    assert observed.correct[:, observed.groups == "test"].mean() > 0.85


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        ("gradient-ascent", {"learning_rate": 0.0}, "learning_rate: expected a number over 0"),
        ("ascent-descent", {"rounds": 0}, "rounds: expected at least 1, found 0"),
        ("ascent-descent", {"descent_epochs": 0}, "descent_epochs: expected at least 1, found 0"),
        ("random-label", {"batch": 0}, "batch: expected at least 1, found 0"),
        ("salun", {"saliency": 0.0}, r"saliency: expected a number in \(0, 1\], found 0.0"),
        ("l1-sparse", {"alpha": -1.0}, "alpha: expected a number of at least 0, found -1.0"),
        ("l1-sparse", {"plain_epochs": 10}, "plain_epochs: expected 0 to 9, below epochs"),
        ("cf-k", {"last": 0}, "last: expected at least 1, found 0"),
        ("eu-k", {"last": 0}, "last: expected at least 1, found 0"),
        ("scrub", {"max_epochs": 11}, "max_epochs: expected 0 to 10, epochs, found 11"),
        ("scrub", {"temperature": 0.0}, "temperature: expected a number over 0, found 0.0"),
        ("scrub", {"forget_batch": 0}, "forget_batch: expected at least 1, found 0"),
        ("scrub", {"gamma": float("nan")}, "gamma: expected a number of at least 0, found nan"),
        ("bad-t", {"retained": 1.5}, r"retained: expected a number in \(0, 1\], found 1.5"),
        ("bad-t", {"epochs": 0}, "epochs: expected at least 1, found 0"),
        ("ssd", {"alpha": 0.0}, "alpha: expected a number over 0, found 0.0"),
        ("ssd", {"against": "test"}, "against: expected all or retain, found 'test'"),
        ("graddiff", {"retain_weight": -1.0}, "retain_weight: expected a number of at least 0"),
        ("npo", {"beta": 0.0}, "beta: expected a number over 0, found 0.0"),
        ("simnpo", {"gamma": -0.1}, "gamma: expected a number of at least 0, found -0.1"),
    ],
)
def test_bad_settings(kind: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        oracles.unlearners.UNLEARNERS[kind](**settings)
