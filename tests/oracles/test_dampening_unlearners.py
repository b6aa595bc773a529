"""Unlearners that dampen weights without training, against arithmetic by hand."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from indist import oracles
from oracles.unlearners import LabelFreeDampening, Potion
from tests.oracles.by_hand import (
    KEY,
    LOGISTIC,
    R,
    S,
    assert_close,
    compiled,
    fresh_params,
    joined,
    logits_of,
    loss_gradient,
    run_rule,
    to_host,
    unoptimised,
)


@pytest.mark.parametrize("against", ["all", "retain"])
def test_ssd_dampens_by_the_fisher_information(against: str) -> None:
    start = to_host(fresh_params())

    def fisher(data: Any) -> dict[str, Any]:
        each = [loss_gradient(start, (x[None], [y])) for x, y in zip(*data, strict=True)]
        return {n: np.mean([g[n] ** 2 for g in each], axis=0) for n in start}

    of_s = fisher([np.asarray(part) for part in S])
    of_d = fisher(joined() if against == "all" else [np.asarray(part) for part in R])
    twin, chosen = {}, {n: of_s[n] > 1.2 * of_d[n] for n in start}
    for n, leaf in start.items():
        twin[n] = np.where(chosen[n], leaf * np.minimum(0.9 * of_d[n] / of_s[n], 1), leaf)
    rule = oracles.unlearners.SelectiveDampening(alpha=1.2, dampening=0.9, against=against)
    made = run_rule(rule)
    assert_close(made, twin)
    every = np.concatenate([chosen[n].ravel() for n in chosen])
    assert 0 < every.sum() < len(every)
    for n, leaf in fresh_params().items():
        assert np.array_equal(np.asarray(made[n] == leaf), ~chosen[n])


def test_ssd_squares_the_mean_of_a_batch() -> None:
    """One batch of all S against one of all R: the squares of two mean gradients."""
    start = to_host(fresh_params())
    of_s, of_r = ({n: g**2 for n, g in loss_gradient(start, d).items()} for d in (S, R))
    rule = oracles.unlearners.SelectiveDampening(alpha=0.5, batch=99, against="retain")
    twin = {
        n: np.where(of_s[n] > 0.5 * of_r[n], leaf * np.minimum(of_r[n] / of_s[n], 1), leaf)
        for n, leaf in start.items()
    }
    assert_close(run_rule(rule), twin)


def test_ssd_leaves_weights_that_matter_to_nothing() -> None:
    """An input that is always zero: no information on either side, and no 0 / 0."""
    blank = tuple((x.at[:, 0].set(0.0), y) for x, y in (S, R))
    start = fresh_params()
    rule = oracles.unlearners.SelectiveDampening(alpha=1.2, dampening=0.9)
    made = compiled(rule, LOGISTIC)(start, *blank, KEY)
    assert np.array_equal(made["kernel_0"][:, 0], start["kernel_0"][:, 0])
    assert all(np.isfinite(leaf).all() for leaf in made.values())


def _output_gradients(params: Any, inputs: Any, power: int) -> dict[str, Any]:
    """Gradient of each ‖f(x)‖^power: 2 f, or f / ‖f‖, in the logits."""
    inputs = np.asarray(inputs, dtype=np.float64)
    f = logits_of(params, inputs)
    f = 2 * f if power == 2 else f / np.linalg.norm(f, axis=1, keepdims=True)
    return {"kernel_0": f[:, :, None] * inputs[:, None, :], "bias_0": f}


def test_lf_ssd_dampens_by_the_size_of_the_outputs() -> None:
    begin = fresh_params(seed=4)
    start = to_host(begin)
    inputs, _ = joined()
    of_s, of_d = (
        {n: np.abs(g).mean(axis=0) for n, g in _output_gradients(start, x, 2).items()}
        for x in (S[0], inputs)
    )
    chosen = {n: of_s[n] > 1.1 * of_d[n] for n in start}
    twin = {n: np.where(chosen[n], v * 0.9 * of_d[n] / of_s[n], v) for n, v in start.items()}
    rule = LabelFreeDampening(alpha=1.1, dampening=0.9)
    assert_close(run_rule(rule, start=begin), twin)
    every = np.concatenate([chosen[n].ravel() for n in chosen])
    assert 0 < every.sum() < len(every)


def test_lf_ssd_sees_no_label_and_takes_the_size_of_a_batch_mean() -> None:
    rule = LabelFreeDampening(alpha=0.5, batch=99, against="retain")
    start = to_host(fresh_params())
    of_s, of_r = (
        {n: np.abs(g.mean(axis=0)) for n, g in _output_gradients(start, x, 2).items()}
        for x in (S[0], R[0])
    )
    twin = {
        n: np.where(of_s[n] > 0.5 * of_r[n], v * np.minimum(of_r[n] / of_s[n], 1), v)
        for n, v in start.items()
    }
    made = run_rule(rule)
    assert_close(made, twin)
    other = compiled(rule, LOGISTIC)(fresh_params(), (S[0], 0 * S[1]), (R[0], 0 * R[1]), KEY)
    assert all(np.array_equal(made[n], other[n]) for n in made)


def _learnt(seed: int = 3) -> Any:
    """θ0 that knows S and R."""
    inputs, labels = joined()
    plan = np.random.default_rng(seed).integers(0, len(labels), (200, 8))
    return unoptimised(LOGISTIC.fit)(fresh_params(), inputs, labels, plan)


def _ptn(params: Any, s: Any, r: Any, remaining: float, tries: int) -> tuple[Any, int]:
    """The search by hand, and after how many tries it stopped."""
    of_s, of_r = (
        {n: np.abs(g.mean(axis=0)) for n, g in _output_gradients(params, x, 1).items()}
        for x in (s[0], r[0])
    )
    labels = np.asarray(s[1])
    before = (logits_of(params, s[0]).argmax(axis=1) == labels).mean()
    share = len(labels) / (len(labels) + len(r[1])) / 25
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.concatenate([(of_s[n] / of_r[n]).ravel() for n in params])
    ratio = ratio[np.isfinite(ratio)]
    done, now = 0, params
    while done < tries:
        done += 1
        alpha = np.percentile(ratio, 100 - np.log(1 + 100 * share))
        now = {n: v.copy() for n, v in params.items()}
        for n, leaf in now.items():
            for place in np.ndindex(leaf.shape):
                if of_s[n][place] > alpha * of_r[n][place]:
                    leaf[place] *= min(of_r[n][place] / of_s[n][place], 1)
        if (logits_of(now, s[0]).argmax(axis=1) == labels).mean() <= remaining * before:
            break
        share *= 1.1
    return now, done


@pytest.mark.parametrize(("remaining", "tries"), [(0.6, 500), (0.0, 40)])
def test_potion_searches_until_s_is_forgotten_or_tries_run_out(
    remaining: float, tries: int
) -> None:
    start = _learnt()
    twin, done = _ptn(to_host(start), S, R, remaining, tries)
    assert (1 < done < tries) if remaining else done == tries
    assert_close(run_rule(Potion(remaining=remaining, tries=tries), start=start), twin)


def test_potion_removes_what_matters_to_s_alone() -> None:
    """An input that R never has: its ratios are infinite, left out of α, and its weights go."""
    r = R[0].at[:, 1].set(0.0), R[1]
    start = _learnt()
    twin, _ = _ptn(to_host(start), S, r, 0.6, 500)
    made = compiled(Potion(remaining=0.6), LOGISTIC)(start, S, r, KEY)
    assert not made["kernel_0"][:, 1].any()
    assert_close(made, twin)


def test_potion_stops_for_each_model_on_its_own() -> None:
    starts = [_learnt(seed) for seed in (3, 4)]
    done = [_ptn(to_host(start), S, R, 0.6, 500)[1] for start in starts]
    assert done[0] != done[1]
    rule = jax.vmap(partial(Potion(remaining=0.6), LOGISTIC), in_axes=(0, None, None, None))
    both = unoptimised(rule)(jax.tree.map(lambda *leaves: jnp.stack(leaves), *starts), S, R, KEY)
    for model, start in enumerate(starts):
        twin, _ = _ptn(to_host(start), S, R, 0.6, 500)
        assert_close({n: leaf[model] for n, leaf in both.items()}, twin)


def test_potion_of_a_model_that_says_nothing() -> None:
    """Logits of zero have a norm without gradient, and no weight has a ratio."""
    blank = jax.tree.map(jnp.zeros_like, fresh_params())
    made = run_rule(Potion(tries=3), start=blank)
    assert all(np.array_equal(made[n], blank[n]) for n in made)
