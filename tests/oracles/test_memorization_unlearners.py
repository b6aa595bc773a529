"""Unlearners that treat examples by how they are memorized, against arithmetic by hand."""

from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit, log_softmax, softmax

from indist import oracles
from oracles.unlearners import FineTune, RedirectMemorization, RefinedUnlearning, SalUn
from oracles.unlearners._rem import grown, widened
from tests.oracles.by_hand import (
    CLASSES,
    DEEP,
    KEY,
    LOGISTIC,
    WORDS,
    R,
    assert_close,
    compiled,
    fresh_params,
    logits_of,
    loss_gradient,
    momentum_descent,
    points,
    sentences,
    to_host,
)

S = points(1, 8)
SHALLOW = replace(LOGISTIC, module=oracles.MLP((5, CLASSES)))
IMAGES = replace(LOGISTIC, module=oracles.ConvNet(CLASSES, (2, 3)))


def _images(count: int) -> Any:
    return jnp.asarray(np.random.default_rng(8).normal(size=(count, 4, 5)), dtype=jnp.float32)


SETS = {
    LOGISTIC: (S, R),
    DEEP: (S, R),
    IMAGES: ((_images(6), S[1][:6]), (_images(9)[3:], R[1][:6])),
    WORDS: (sentences(1, 6), sentences(2, 9)),
}


def _by_confidence(params: Any) -> list[int]:
    p = softmax(logits_of(params, S[0]), axis=1)[np.arange(8), np.asarray(S[1])]
    return sorted(range(8), key=lambda k: -p[k])


def test_rum_unlearns_the_surest_first() -> None:
    """Ascent on each third: parts of 2, 2 and 4, in the order of θ0's confidence."""
    start = to_host(fresh_params())
    order = _by_confidence(start)
    twin = start
    for part in (order[:2], order[2:4], order[4:]):
        data = np.asarray(S[0])[part], np.asarray(S[1])[part]

        def up(p: Any, data: Any = data) -> Any:
            return {n: -g for n, g in loss_gradient(p, data).items()}

        twin = momentum_descent(twin, 3 * [up], 0.05)
    rule = RefinedUnlearning(0.05, 3, 64, 0.9, *["gradient-ascent"] * 3)
    assert_close(compiled(rule, LOGISTIC)(fresh_params(), S, R, KEY), twin, atol=3e-5)


def test_rum_as_released_is_nothing_then_finetuning_then_salun() -> None:
    same: dict[str, Any] = {"learning_rate": 0.1, "epochs": 3, "batch": 7}
    keys = jax.random.split(KEY, 3)
    start = fresh_params()
    last = np.array(_by_confidence(to_host(start))[4:])
    tuned = compiled(FineTune(**same), LOGISTIC)(start, S, R, keys[1])
    high = S[0][last], S[1][last]
    twin = to_host(compiled(SalUn(**same), LOGISTIC)(tuned, high, R, keys[2]))
    assert_close(compiled(RefinedUnlearning(**same), LOGISTIC)(start, S, R, KEY), twin, atol=3e-5)


def test_rum_splits_s_for_each_model_alone() -> None:
    """Two models that order S otherwise, run as one program and one by one."""
    start = fresh_params()
    starts = [start, {n: -v for n, v in start.items()}]
    assert _by_confidence(to_host(starts[0])) != _by_confidence(to_host(starts[1]))
    rule = compiled(RefinedUnlearning(0.05, 3, 64, 0.9, *["gradient-ascent"] * 3), LOGISTIC)
    both = jax.tree.map(lambda *leaves: jnp.stack(leaves), *starts)
    made = jax.vmap(rule, in_axes=(0, None, None, None))(both, S, R, KEY)
    for k, own in enumerate(starts):
        assert_close({n: v[k] for n, v in made.items()}, to_host(rule(own, S, R, KEY)), atol=3e-5)


def test_rum_needs_three_examples() -> None:
    few = S[0][:2], S[1][:2]
    with pytest.raises(ValueError, match="rum: expected at least 3 examples in the forget set"):
        RefinedUnlearning()(LOGISTIC, fresh_params(), few, R, KEY)


def _wide_params(base: Any, extra: Any, copies: dict[str, tuple[int, int]]) -> dict[str, Any]:
    """Parameters of the wide network, its base neurons first in each layer.

    ``copies`` says how a layer reads each neuron before it: how many times over all neurons (the
    nine shifts of a convolution), and how many places of each stand together.
    """
    wide = {}
    for name, (over, places) in copies.items():
        rows = [base[f"kernel_{name}"]]
        bias = [base[f"bias_{name}"]]
        if f"out_{name}" in extra:
            sides = (base[f"kernel_{name}"], extra[f"out_{name}"])
            blocks = [np.reshape(k, (len(k), over, -1, places)) for k in sides]
            rows = [np.concatenate(blocks, axis=2).reshape(len(blocks[0]), -1)]
        if f"kernel_{name}" in extra:
            kernel = np.asarray(extra[f"kernel_{name}"])
            if f"out_{name}" in extra:
                split = base[f"kernel_{name}"].shape[1]
                blocks = [
                    part.reshape(len(kernel), over, -1, places)
                    for part in (kernel[:, :split], kernel[:, split:])
                ]
                kernel = np.concatenate(blocks, axis=2).reshape(len(kernel), -1)
            rows.append(kernel)
            bias.append(extra[f"bias_{name}"])
        wide[f"kernel_{name}"] = np.concatenate(rows)
        wide[f"bias_{name}"] = np.concatenate(bias)
    return wide


@pytest.mark.parametrize(
    ("learner", "wide", "copies"),
    [
        (DEEP, oracles.MLP((9, 8, CLASSES)), {n: (1, 1) for n in "012"}),
        (
            IMAGES,
            oracles.ConvNet(CLASSES, (3, 5)),
            {"0": (9, 1), "1": (9, 1), "dense": (1, 20)},
        ),
    ],
)
def test_added_neurons_make_the_wider_module(
    learner: oracles.Learner, wide: Any, copies: Any
) -> None:
    """All seen: the module of that width. None seen, or fresh: the base, whatever is seen."""
    base, inputs = fresh_params(learner), SETS[learner][0][0]
    run = jax.jit(partial(widened, learner.module))
    fresh = grown(jax.random.key(1), base, list(copies), 0.5)
    rng = np.random.default_rng(4)
    extra = {n: v + rng.normal(size=v.shape).astype(np.float32) for n, v in fresh.items()}
    counts = [len(extra[f"bias_{n}"]) for n in list(copies)[:-1]]
    shown = [jnp.ones((count, len(inputs))) for count in counts]
    narrow: Any = learner.module.apply({"params": base}, inputs)
    both = run({"base": base, "extra": extra}, inputs, shown)
    whole: Any = wide.apply({"params": _wide_params(base, extra, copies)}, inputs)
    np.testing.assert_allclose(both, whole, rtol=0, atol=3e-4)
    assert np.abs(both - narrow).max() > 0.1
    hidden = [jnp.zeros_like(mask) for mask in shown]
    for masks, added in ((hidden, extra), (shown, fresh)):
        same = run({"base": base, "extra": added}, inputs, masks)
        np.testing.assert_allclose(same, narrow, rtol=0, atol=1e-5)


def test_each_example_sees_its_own_neurons() -> None:
    """Rows of one batch under other masks are the rows of batches under one mask each."""
    base = fresh_params(DEEP)
    fresh = grown(jax.random.key(1), base, list("012"), 0.5)
    wide = {"base": base, "extra": {n: v + 0.3 for n, v in fresh.items()}}
    rng = np.random.default_rng(6)
    masks = [jnp.asarray(rng.random((count, 8)) < 0.5) for count in (3, 3)]
    run = jax.jit(partial(widened, DEEP.module))
    made = run(wide, S[0], masks)
    for k in range(8):
        own = [jnp.repeat(mask[:, k : k + 1], 8, axis=1) for mask in masks]
        np.testing.assert_allclose(made[k], run(wide, S[0], own)[k], atol=1e-5)


REM = RedirectMemorization(
    learning_rate=0.5, epochs=5, flushes=3, target=0.2, beta=0.7, seen=0.5, extra=0.5
)


def _rem_twin(rule: RedirectMemorization) -> tuple[Any, list[int], list[float]]:
    """One hidden layer by hand: the base, passes of each flush, and the scores."""
    start = fresh_params(SHALLOW)
    grow, mask_key, _ = jax.random.split(KEY, 3)
    params = to_host(start) | {
        f"added {n}": v for n, v in to_host(grown(grow, start, ["0", "1"], rule.extra)).items()
    }
    mask = np.asarray(
        jax.random.bernoulli(jax.random.split(mask_key, 1)[0], rule.seen, (3, 13)), dtype=float
    )
    mask = np.concatenate([np.repeat(mask[:, :1], 8, axis=1), mask[:, 1:]], axis=1).T
    d_inputs = np.concatenate([S[0], R[0]]).astype(np.float64)
    d_labels = np.concatenate([S[1], R[1]])

    def said(p: Any, x: Any) -> tuple[Any, Any]:
        pre = x @ p["kernel_0"].T + p["bias_0"]
        return pre, np.maximum(pre, 0) @ p["kernel_1"].T + p["bias_1"]

    def loss(p: Any, x: Any, y: Any) -> Any:
        return -log_softmax(said(p, x)[1], axis=1)[np.arange(len(y)), y]

    before = loss(params, d_inputs[:8], d_labels[:8])

    def base_gradient(p: Any, x: Any, residual: Any) -> dict[str, Any]:
        pre, _ = said(p, x)
        inner = (residual @ p["kernel_1"]) * (pre > 0)
        return {
            "kernel_0": inner.T @ x,
            "bias_0": inner.sum(axis=0),
            "kernel_1": residual.T @ np.maximum(pre, 0),
            "bias_1": residual.sum(axis=0),
        }

    def push(p: Any) -> dict[str, Any]:
        """Gradient of the sum of the NPO terms of S: each ℓ has the slope −2 σ(β (ℓ0 − ℓ))."""
        x, y = d_inputs[:8], d_labels[:8]
        weight = -2 * expit(rule.beta * (before - loss(p, x, y)))
        residual = softmax(said(p, x)[1], axis=1) - np.eye(CLASSES)[y]
        return base_gradient(p, x, weight[:, None] * residual)

    def task(p: Any) -> dict[str, Any]:
        side = d_inputs @ p["added kernel_0"].T + p["added bias_0"]
        shown = np.maximum(side, 0) * mask
        logits = said(p, d_inputs)[1] + shown @ p["added out_1"].T
        residual = softmax(logits, axis=1) - np.eye(CLASSES)[d_labels]
        inner = (residual @ p["added out_1"]) * (side > 0) * mask
        return base_gradient(p, d_inputs, residual) | {
            "added kernel_0": inner.T @ d_inputs,
            "added bias_0": inner.sum(axis=0),
            "added out_1": residual.T @ shown,
        }

    velocity = {n: np.zeros_like(v) for n, v in params.items()}

    def step(gradient: Any, count: int) -> None:
        for n in params:
            velocity[n] = 0.9 * velocity[n] + gradient.get(n, 0.0) / count
            params[n] = params[n] - rule.learning_rate * velocity[n]

    def accuracy(part: slice) -> float:
        right = said(params, d_inputs[part])[1].argmax(axis=1) == d_labels[part]
        return float(right.mean())

    def score() -> float:
        return accuracy(slice(8, None)) * (1 - max(accuracy(slice(8)), rule.target))

    best = {n: v for n, v in params.items() if "added" not in n}
    scores, flushed = [score()], []
    for _ in range(rule.epochs):
        passes = 0
        while accuracy(slice(8)) > rule.target and passes < rule.flushes:
            step(push(params), 8)
            passes += 1
        flushed.append(passes)
        pushed, kept = push(params), task(params)
        step({n: kept[n] + pushed.get(n, 0.0) for n in kept}, 20)
        if score() > max(scores):
            best = {n: v for n, v in params.items() if "added" not in n}
        scores.append(score())
    return best, flushed, scores


def test_rem() -> None:
    """A flush that runs out of passes, one that reaches its target, and a best round in between."""
    twin, flushed, scores = _rem_twin(REM)
    assert flushed == [3, 1, 0, 0, 0]
    assert np.argmax(scores) == 2
    assert scores[-1] < max(scores)
    assert_close(compiled(REM, SHALLOW)(fresh_params(SHALLOW), S, R, KEY), twin, atol=3e-5)


def test_rem_keeps_the_original_when_nothing_is_better() -> None:
    start = fresh_params(SHALLOW)
    made = compiled(replace(REM, learning_rate=1e-8), SHALLOW)(start, S, R, KEY)
    for name in start:
        assert np.array_equal(made[name], start[name])


def test_grown_neurons_are_of_the_law_of_fresh_layers() -> None:
    """2,000 draws of variance 1/fan-in, truncated normal: 6σ of a mean square, below 2e-9."""
    base = {n: jnp.zeros(s) for n, s in (("kernel_0", (100, 40)), ("kernel_1", (3, 100)))}
    kernel = np.asarray(grown(KEY, base, ["0", "1"], 0.5)["kernel_0"])
    assert kernel.shape == (50, 40)
    assert abs((kernel**2).mean() * 40 - 1) < 6 * np.sqrt(2 / 2000)


@pytest.mark.parametrize(("learner", "found"), [(LOGISTIC, "MLP"), (WORDS, "Transformer")])
def test_rem_refuses_what_it_cannot_widen(learner: oracles.Learner, found: str) -> None:
    with pytest.raises(ValueError, match=f"rem: expected an MLP with a hidden layer.*{found}"):
        RedirectMemorization()(learner, fresh_params(learner), *SETS[learner], KEY)
