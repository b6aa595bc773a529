"""Unlearners that descend on other labels, losses or inputs, against arithmetic by hand."""

from functools import partial
from typing import Any

import jax
import numpy as np
import pytest
from scipy.special import expit, log_softmax, softmax

from indist import oracles
from oracles.unlearners import Amnesiac, BoundaryShrink, Unsir, _amnesiac, _random_label
from oracles.unlearners._boundary_shrink import nearest_wrong
from tests.oracles.by_hand import (
    CLASSES,
    FEATURES,
    KEY,
    LOGISTIC,
    WORDS,
    R,
    S,
    adam_descent,
    assert_close,
    backward,
    compiled,
    fresh_params,
    joined,
    logits_of,
    loss_gradient,
    mixture,
    momentum_descent,
    residuals,
    run_rule,
    sentences,
    to_host,
    unoptimised,
)


def _moved(made: Any) -> float:
    return max(float(np.abs(made[name] - leaf).max()) for name, leaf in fresh_params().items())


def test_gradient_ascent() -> None:
    made = run_rule(oracles.unlearners.GradientAscent(learning_rate=0.1, epochs=3))
    assert_close(
        made,
        momentum_descent(
            to_host(fresh_params()), 3 * [lambda p: mixture((-1, loss_gradient(p, S)))], 0.1
        ),
    )
    assert _moved(made) > 0.05


def test_ascent_descent_takes_turns_with_fresh_momentum() -> None:
    rule = oracles.unlearners.AscentDescent(
        learning_rate=0.1, ascent_epochs=2, descent_epochs=3, rounds=2
    )
    twin = to_host(fresh_params())
    for _ in range(2):
        twin = momentum_descent(twin, 2 * [lambda p: mixture((-1, loss_gradient(p, S)))], 0.1)
        twin = momentum_descent(twin, 3 * [lambda p: loss_gradient(p, R)], 0.1)
    assert_close(run_rule(rule), twin)


def _relabelled(epochs: int, batch: int, key: Any = KEY) -> tuple[Any, Any]:
    plan = _random_label.relabelled_passes(key, LOGISTIC, fresh_params(), (S, R), epochs, batch)
    return np.asarray(plan[0]), np.asarray(plan[1])


def _over_plan(plan: tuple[Any, Any]) -> list[Any]:
    inputs, _ = joined()
    return [
        lambda p, i=i, y=y: loss_gradient(p, (inputs[i], y)) for i, y in zip(*plan, strict=True)
    ]


def test_random_label_follows_its_plan() -> None:
    rule = oracles.unlearners.RandomLabel(learning_rate=0.1, epochs=3, batch=7)
    assert_close(
        run_rule(rule),
        momentum_descent(to_host(fresh_params()), _over_plan(_relabelled(3, 7)), 0.1),
    )


def test_random_labels_are_uniform_on_s_fresh_each_pass_and_true_on_r() -> None:
    """20,000 draws of 3 classes: 5σ of a share, a false alarm in 3 shares below 2e-6.

    Two passes agree at one of 3 in the mean: the same limit for the share of agreements.
    """
    index, labels = _relabelled(epochs=4000, batch=17)
    _, true = joined()
    of_s = index < len(S[1])
    assert np.array_equal(labels[~of_s], true[index[~of_s]])
    drawn = labels[of_s]
    assert len(drawn) == 20_000
    shares = np.bincount(drawn, minlength=CLASSES) / len(drawn)
    sigma = np.sqrt(2 / 9 / len(drawn))
    assert np.abs(shares - 1 / 3).max() < 5 * sigma
    first = labels.ravel()[np.flatnonzero(index.ravel() == 0)]
    sigma = np.sqrt(2 / 9 / (len(first) - 1))
    assert abs((first[1:] == first[:-1]).mean() - 1 / 3) < 5 * sigma


def _amnesiac_plan(monkeypatch: pytest.MonkeyPatch, rule: Amnesiac, key: Any) -> Any:
    monkeypatch.setattr(_amnesiac, "descend_relabelled", lambda *arguments: arguments[-1])
    return rule(LOGISTIC, fresh_params(), S, R, key)


def test_amnesiac_follows_its_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = Amnesiac(learning_rate=0.1, epochs=3, batch=7)
    made = run_rule(rule)
    plan = unoptimised(partial(_amnesiac_plan, monkeypatch, rule))(KEY)
    inputs, _ = joined()
    steps = [
        lambda p, i=i, y=y: loss_gradient(p, (inputs[i], y))
        for i, y in zip(*map(np.asarray, plan), strict=True)
    ]
    assert_close(made, momentum_descent(to_host(fresh_params()), steps, 0.1))


def test_amnesiac_labels_are_wrong_uniform_and_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """20,000 draws of 2 wrong labels: 5σ of a share, a false alarm below 6e-7."""
    rule = Amnesiac(epochs=2, batch=17)
    draw = unoptimised(jax.vmap(lambda key: _amnesiac_plan(monkeypatch, rule, key)))
    index, labels = map(np.asarray, draw(jax.random.split(jax.random.key(4), 4000)))
    passes = np.take_along_axis(labels, index.argsort(axis=2), axis=2)
    assert np.array_equal(np.sort(index, axis=2), np.broadcast_to(np.arange(17), index.shape))
    assert np.array_equal(passes[:, 0], passes[:, 1])
    _, true = joined()
    assert np.array_equal(passes[:, 0, 5:], np.broadcast_to(true[5:], (4000, 12)))
    shift = (passes[:, 0, :5] - true[:5]) % CLASSES
    assert set(np.unique(shift)) == {1, 2}
    assert abs((shift == 1).mean() - 0.5) < 5 * 0.5 / np.sqrt(shift.size)


def test_salun_moves_the_salient_half_alone() -> None:
    start = to_host(fresh_params())
    weight = loss_gradient(start, S)
    flat = np.concatenate([np.abs(weight[name]).ravel() for name in ("bias_0", "kernel_0")])
    limit = np.sort(flat)[-round(0.4 * len(flat))]
    mask = {name: np.abs(weight[name]) >= limit for name in weight}
    made = run_rule(oracles.unlearners.SalUn(learning_rate=0.1, epochs=3, batch=7, saliency=0.4))
    masked = [
        lambda p, g=g: {name: g(p)[name] * mask[name] for name in mask}
        for g in _over_plan(_relabelled(3, 7))
    ]
    assert_close(made, momentum_descent(start, masked, 0.1))
    for name, leaf in fresh_params().items():
        assert np.array_equal(np.asarray(made[name] == leaf), ~mask[name])


def test_salun_with_every_weight_salient_is_random_labels() -> None:
    same: dict[str, Any] = {"learning_rate": 0.1, "epochs": 3, "batch": 7}
    whole = run_rule(oracles.unlearners.SalUn(saliency=1.0, **same))
    assert_close(whole, to_host(run_rule(oracles.unlearners.RandomLabel(**same))))


def test_l1_sparse() -> None:
    """α falls from 0.3 by a third of it an epoch: 0.3, 0.2, 0.1, and a plain epoch."""
    rule = oracles.unlearners.L1Sparse(learning_rate=0.1, epochs=4, alpha=0.3, plain_epochs=1)
    signs = [
        lambda p, a=a: mixture((1, loss_gradient(p, R)), (a, {n: np.sign(v) for n, v in p.items()}))
        for a in (0.3, 0.2, 0.1, 0.0)
    ]
    assert_close(run_rule(rule), momentum_descent(to_host(fresh_params()), signs, 0.1))


def _log_probabilities(params: Any, data: Any) -> Any:
    inputs, labels = data
    return log_softmax(logits_of(params, inputs), axis=1)[
        np.arange(len(labels)), np.asarray(labels)
    ]


def _weighted_gradient(params: Any, weights: Any) -> dict[str, Any]:
    """Gradient of mean_S of ``weights`` · ln p_y."""
    residual = np.eye(CLASSES)[np.asarray(S[1])] - softmax(logits_of(params, S[0]), axis=1)
    return backward(S[0], weights[:, None] * residual)


def test_graddiff() -> None:
    rule = oracles.unlearners.GradDiff(learning_rate=0.1, epochs=3, retain_weight=1.5)
    step = [lambda p: mixture((1.5, loss_gradient(p, R)), (-1, loss_gradient(p, S)))]
    assert_close(run_rule(rule), momentum_descent(to_host(fresh_params()), 3 * step, 0.1))


def test_npo() -> None:
    """−(2/β) ln σ(−β z) has the derivative 2 σ(β z) in z = ln p_θ − ln p_θ0."""
    rule = oracles.unlearners.NPO(learning_rate=0.1, epochs=3, beta=0.8, retain_weight=0.5)
    start = to_host(fresh_params())

    def gradient(p: Any) -> Any:
        z = _log_probabilities(p, S) - _log_probabilities(start, S)
        return mixture((0.5, loss_gradient(p, R)), (1, _weighted_gradient(p, 2 * expit(0.8 * z))))

    assert_close(run_rule(rule), momentum_descent(start, 3 * [gradient], 0.1))


def test_simnpo() -> None:
    rule = oracles.unlearners.SimNPO(
        learning_rate=0.1, epochs=3, beta=2.0, gamma=0.3, forget_weight=0.7, retain_weight=0.5
    )

    def gradient(p: Any) -> Any:
        weights = 2 * expit(2.0 * _log_probabilities(p, S) + 0.3)
        return mixture((0.5, loss_gradient(p, R)), (0.7, _weighted_gradient(p, weights)))

    assert_close(run_rule(rule), momentum_descent(to_host(fresh_params()), 3 * [gradient], 0.1))


def test_simnpo_weighs_its_two_terms_as_published() -> None:
    """0.125 stands before the term of S and 1 before the loss on R, not the other way round."""
    rule = oracles.unlearners.SimNPO()
    assert (rule.forget_weight, rule.retain_weight, rule.beta, rule.gamma) == (0.125, 1.0, 4.5, 0.0)


def _nearest_wrong(params: Any, step: float) -> list[int]:
    found = []
    for x, y in zip(np.asarray(S[0], dtype=np.float64), np.asarray(S[1]), strict=True):
        slope = residuals(params, x[None], [y])[0] @ params["kernel_0"]
        said = logits_of(params, (x + step * np.sign(slope))[None])[0]
        found.append(max((k for k in range(CLASSES) if k != y), key=lambda k: said[k]))
    return found


def test_boundary_shrink() -> None:
    start = to_host(fresh_params())
    wrong = _nearest_wrong(start, 1.5)
    assert wrong != _nearest_wrong(start, 0.0)
    rule = BoundaryShrink(learning_rate=0.1, epochs=4, step=1.5)
    made = compiled(rule, LOGISTIC)(fresh_params(), S, R, KEY)
    twin = momentum_descent(start, 4 * [lambda p: loss_gradient(p, (S[0], wrong))], 0.1)
    assert_close(made, twin, atol=3e-5)


def test_tokens_take_the_most_likely_wrong_class() -> None:
    inputs, labels = sentences(1, 6)
    logits = np.asarray(jax.jit(WORDS.logits)(fresh_params(WORDS), inputs))
    found = jax.jit(partial(nearest_wrong, WORDS, step=0.1))(fresh_params(WORDS), (inputs, labels))
    for row, label, wrong in zip(logits, labels, found, strict=True):
        assert int(wrong) == next(k for k in np.argsort(-row) if k != label)


def test_unsir() -> None:
    rule = Unsir(
        impair_rate=0.05,
        repair_rate=0.03,
        impair_epochs=3,
        repair_epochs=2,
        noise=11,
        repeats=2,
        noise_steps=6,
        noise_penalty=0.2,
    )
    made = compiled(rule, LOGISTIC)(fresh_params(), S, R, KEY)
    start = to_host(fresh_params())
    labels = np.array([S[1][k % len(S[1])] for k in range(11)])
    begin = np.asarray(jax.random.normal(jax.random.split(KEY, 3)[0], (11, FEATURES)), float)

    def uphill(now: Any) -> Any:
        z = now["z"]
        return {"z": (0.4 * z - residuals(start, z, labels) @ start["kernel_0"]) / 11}

    noise = adam_descent({"z": begin}, 6 * [uphill], 0.1)["z"]

    def loss(z: Any) -> float:
        own = log_softmax(logits_of(start, z), axis=1)[np.arange(11), labels]
        return 0.2 * float((z**2).sum() / 11) + float(own.mean())

    assert loss(noise) < loss(begin)
    inputs = np.concatenate([noise, noise, np.asarray(R[0])])
    impair = inputs, np.concatenate([labels, labels, np.asarray(R[1])])
    impaired = adam_descent(start, 3 * [lambda p: loss_gradient(p, impair)], 0.05)
    assert_close(made, adam_descent(impaired, 2 * [lambda p: loss_gradient(p, R)], 0.03), atol=3e-5)


def test_unsir_looks_at_labels_alone() -> None:
    """Other inputs of S change no bit; another label does."""
    run = compiled(Unsir(noise=9, noise_steps=3, impair_epochs=3), LOGISTIC)
    start = fresh_params()
    made = run(start, S, R, KEY)
    moved = run(start, (S[0] + 1, S[1]), R, KEY)
    other = run(start, (S[0], S[1].at[0].set((S[1][0] + 1) % CLASSES)), R, KEY)
    for name in made:
        assert np.array_equal(made[name], moved[name])
        assert not np.array_equal(made[name], other[name])


def test_unsir_refuses_tokens() -> None:
    with pytest.raises(ValueError, match=r"unsir: expected inputs that noise.*tokens \(int32\)"):
        Unsir()(WORDS, fresh_params(WORDS), sentences(1, 6), sentences(2, 9), KEY)
