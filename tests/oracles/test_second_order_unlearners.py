"""Fisher forgetting, NTK scrub and the influence step against dense float64 algebra by hand."""

from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import optimize, stats
from scipy.special import log_softmax, softmax

from indist import oracles
from oracles.modules import _convolution
from oracles.unlearners import FisherForgetting, InfluenceStep, TangentScrub
from oracles.unlearners._curvature import linearise
from tests.oracles.by_hand import (
    CLASSES,
    FEATURES,
    KEY,
    LOGISTIC,
    R,
    S,
    compiled,
    fresh_params,
    joined,
    points,
    unoptimised,
)
from tests.oracles.user_modules import CONVOLUTIONS, IMAGES, TOKEN_READER, TOKENS

HIDDEN = 5
LEARNER = replace(LOGISTIC, module=oracles.MLP((HIDDEN, CLASSES)))
D = tuple(map(jnp.asarray, joined()))


def _start(seed: int = 3) -> dict[str, Any]:
    """θ0, biases included; the last hidden unit is dead."""
    start = fresh_params(LEARNER, seed=seed)
    return start | {"bias_0": start["bias_0"].at[-1].set(-30.0)}


def _flat(params: Any) -> Any:
    """All weights in a row, by name."""
    leaves = [np.asarray(params[name], dtype=np.float64).ravel() for name in sorted(params)]
    return np.concatenate(leaves)


def _logits_and_jacobian(params: Any, inputs: Any) -> tuple[Any, Any]:
    """f [n, classes] and J [n, classes, weights] of the two layers, row by row."""
    host = {name: np.asarray(leaf, dtype=np.float64) for name, leaf in params.items()}
    logits, jacobian = [], []
    for x in np.asarray(inputs, dtype=np.float64):
        before = host["kernel_0"] @ x + host["bias_0"]
        hidden = np.maximum(before, 0)
        logits.append(host["kernel_1"] @ hidden + host["bias_1"])
        rows = []
        for label in range(CLASSES):
            one = np.eye(CLASSES)[label]
            back = host["kernel_1"][label] * (before > 0)
            parts = [back, one, np.outer(back, x).ravel(), np.outer(one, hidden).ravel()]
            rows.append(np.concatenate(parts))
        jacobian.append(rows)
    return np.array(logits), np.array(jacobian)


def _residual(logits: Any, labels: Any) -> Any:
    return softmax(logits, axis=1) - np.eye(CLASSES)[np.asarray(labels)]


def _mean_gradient(params: Any, data: Any) -> Any:
    logits, jacobian = _logits_and_jacobian(params, data[0])
    return np.einsum("nc,ncp->p", _residual(logits, data[1]), jacobian) / len(logits)


def test_the_twins_jacobian_is_that_of_the_module() -> None:
    start = _start()
    logits, jacobian = _logits_and_jacobian(start, R[0])
    rng = np.random.default_rng(0)
    direction = {k: rng.normal(size=v.shape).astype(np.float32) for k, v in start.items()}
    other = rng.normal(size=logits.shape).astype(np.float32)

    def products(start: Any, v: Any, u: Any) -> Any:
        logits, push, pull = linearise(LEARNER, start, R[0])
        return logits, push(v), pull(u)

    made, pushed, pulled = unoptimised(products)(start, direction, other)
    np.testing.assert_allclose(made, logits, atol=1e-5)
    np.testing.assert_allclose(pushed, jacobian @ _flat(direction), atol=1e-4)
    np.testing.assert_allclose(_flat(pulled), np.einsum("nc,ncp->p", other, jacobian), atol=1e-4)


@pytest.mark.parametrize(
    ("learner", "inputs"),
    [(CONVOLUTIONS, IMAGES[1][0]), (TOKEN_READER, TOKENS[1][0])],
    ids=["convnet", "token reader"],
)
def test_linearise_against_forward_mode(
    learner: oracles.Learner, inputs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ConvNet has forward mode only when its products are plain ones, and none goes by tiles."""
    params = unoptimised(learner.init)(KEY, inputs)
    direction = jax.tree.map(
        lambda leaf: jnp.cos(jnp.arange(leaf.size)).reshape(leaf.shape), params
    )
    made = unoptimised(lambda p, v: linearise(learner, p, inputs)[1](v))(params, direction)
    for name in ("product", "_products"):
        monkeypatch.setattr(_convolution, name, lambda kernel, columns: kernel @ columns)
    monkeypatch.setattr(_convolution, "_WIDE", 10**9)
    forward = unoptimised(lambda p, v: jax.jvp(lambda p: learner.logits(p, inputs), (p,), (v,)))
    _, wanted = forward(params, direction)
    assert np.abs(wanted).max() > 0.1
    np.testing.assert_allclose(made, wanted, rtol=1e-3, atol=1e-4)


def test_fisher_forgetting_draws_from_its_law() -> None:
    """4000 draws of 43 weights: each variance is known to √(2/4000), each mean to √(1/4000).

    5.5σ for 43 variances and 43 means, 6σ for 903 correlations: a false alarm has probability below
    2e-5 in all (the variances' χ² is close to normal). Some weights are at each clip, some not.
    """
    start, draws = _start(), 4000
    logits, jacobian = _logits_and_jacobian(start, R[0])
    fisher = np.zeros(jacobian.shape[2])
    for f, rows in zip(logits, jacobian, strict=True):
        p = softmax(f)
        for label in range(CLASSES):
            fisher += p[label] * (rows[label] - p @ rows) ** 2 / len(logits)
    ends = np.cumsum([HIDDEN, CLASSES, HIDDEN * FEATURES])
    bias_0, bias_1, kernel_0, kernel_1 = np.split(1 / (fisher + 1e-8), ends)
    for hidden, last in ((bias_0, bias_1), (kernel_0, kernel_1)):
        assert (hidden > 1e3).any()
        assert (hidden < 1e3).any()
        assert (last < 1e2).any()
    assert (kernel_1 > 1e2).any()
    rows_0 = np.minimum(kernel_0, 1e3).reshape(HIDDEN, -1).mean(axis=1)
    rows_1 = np.minimum(kernel_1, 1e2).reshape(CLASSES, -1).mean(axis=1)
    variance = 0.01 * np.concatenate(
        [
            10 * np.minimum(bias_0, 1e3),
            10 * np.minimum(bias_1, 1e2),
            np.repeat(rows_0, FEATURES),
            10 * np.repeat(rows_1, HIDDEN),
        ]
    )
    keys = jax.random.split(KEY, draws)
    rule = FisherForgetting(alpha=0.01)
    made = unoptimised(jax.vmap(partial(rule, LEARNER, start, S, R)))(keys)
    noise = np.concatenate([np.reshape(made[k] - start[k], (draws, -1)) for k in sorted(made)], 1)
    z = noise / np.sqrt(variance)
    assert np.abs(z.mean(axis=0)).max() < 5.5 / np.sqrt(draws)
    assert np.abs((z**2).mean(axis=0) - 1).max() < 5.5 * np.sqrt(2 / draws)
    cross = np.corrcoef(z.T) - np.eye(len(variance))
    assert np.abs(cross).max() < 6 / np.sqrt(draws)
    assert stats.kstest(z.ravel(), "norm").pvalue > 1e-6


def _scrubbed(params: Any, damping: float) -> tuple[Any, float]:
    """θ and c by the kernel of the paper: w(A) = Jᵀ (J Jᵀ + |A| λ I)⁻¹ (J θ0 − (p − y))."""
    theta = _flat(params)
    optima = []
    for data in (D, R):
        logits, jacobian = _logits_and_jacobian(params, data[0])
        rows = jacobian.reshape(-1, len(theta))
        kernel = rows @ rows.T + len(logits) * damping * np.eye(len(rows))
        missing = rows @ theta - _residual(logits, data[1]).ravel()
        optima.append(rows.T @ np.linalg.solve(kernel, missing))
    change, leg = optima[1] - optima[0], theta - optima[0]
    angle = np.arccos(change @ leg / np.linalg.norm(change) / np.linalg.norm(leg))
    size = np.sin(angle - np.pi / 2) if angle > np.pi / 2 else np.cos(angle)
    correction = 1 + 2 * size * np.linalg.norm(leg) / np.linalg.norm(change)
    return theta + correction * change, correction


@pytest.mark.parametrize("seed", [3, 4])
def test_ntk_scrub_against_its_kernel(seed: int) -> None:
    start = _start(seed)
    wanted, correction = _scrubbed(start, 0.3)
    assert correction > 1.05
    made = _flat(compiled(TangentScrub(damping=0.3), LEARNER)(start, S, R, KEY))
    far = np.linalg.norm(wanted - _flat(start))
    assert far > 0.1
    assert np.linalg.norm(made - wanted) < 1e-3 * far


def _newton(params: Any, damping: float, scale: float) -> Any:
    logits, jacobian = _logits_and_jacobian(params, R[0])
    hessian = damping * np.eye(jacobian.shape[2])
    for p, rows in zip(softmax(logits, axis=1), jacobian, strict=True):
        hessian += rows.T @ (np.diag(p) - np.outer(p, p)) @ rows / len(logits)
    gap = _mean_gradient(params, S) - _mean_gradient(params, R)
    step = np.linalg.solve(hessian, len(S[1]) / len(D[1]) * gap)
    return _flat(params) + scale * step


@pytest.mark.parametrize("damping", [0.01, 0.3])
def test_influence_step_against_a_dense_solve(damping: float) -> None:
    start = _start()
    made = _flat(compiled(InfluenceStep(damping=damping, scale=0.7), LEARNER)(start, S, R, KEY))
    wanted = _newton(start, damping, 0.7)
    far = np.linalg.norm(wanted - _flat(start))
    assert far > 0.1
    assert np.linalg.norm(made - wanted) < 1e-3 * far


def _ridge_optimum(data: Any, penalty: float) -> Any:
    """Weights ``bias, kernel`` of logistic regression at its penalised optimum, in float64."""
    inputs, labels = np.asarray(data[0], dtype=np.float64), np.asarray(data[1])
    wide = np.concatenate([np.ones((len(inputs), 1)), inputs], axis=1)

    def loss(flat: Any) -> tuple[float, Any]:
        logits = wide @ flat.reshape(CLASSES, -1).T
        said = log_softmax(logits, axis=1)[np.arange(len(labels)), labels]
        gradient = _residual(logits, labels).T @ wide / len(labels)
        return -said.mean() + penalty / 2 * flat @ flat, gradient.ravel() + penalty * flat

    start = np.zeros(CLASSES * (FEATURES + 1))
    found: Any = optimize.minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-9})
    assert np.abs(loss(found.x)[1]).max() < 1e-7
    return found.x.reshape(CLASSES, -1)


def _of_rows(rows: Any) -> dict[str, Any]:
    rows = jnp.asarray(rows, dtype=jnp.float32)
    return {"bias_0": rows[:, 0], "kernel_0": rows[:, 1:]}


def test_influence_step_reaches_the_retrained_optimum() -> None:
    """Ridge logistic regression with 4 of 204 removed: what is left is of second order."""
    removed, kept = points(11, 4), points(12, 200)
    removed = removed[0], (removed[1] + 1) % CLASSES
    every = tuple(jnp.concatenate(pair) for pair in zip(removed, kept, strict=True))
    before, after = _ridge_optimum(every, 0.05), _ridge_optimum(kept, 0.05)
    rule = InfluenceStep(damping=0.05)
    made = compiled(rule, LOGISTIC)(_of_rows(before), removed, kept, KEY)
    reached = np.concatenate([made["bias_0"][:, None], made["kernel_0"]], axis=1)
    far = np.linalg.norm(before - after)
    assert far > 0.02
    assert np.linalg.norm(reached - after) < 0.03 * far


def test_ntk_scrub_needs_no_correction_from_the_optimum() -> None:
    """There c = 1: the step is −(mean_R JᵀJ + λ I)⁻¹ of the penalised gradient on R."""
    before = _ridge_optimum(D, 0.2)
    inputs = np.asarray(R[0], dtype=np.float64)
    wide = np.concatenate([np.ones((len(inputs), 1)), inputs], axis=1)
    gradient = _residual(wide @ before.T, R[1]).T @ wide / len(wide) + 0.2 * before
    ridge = wide.T @ wide / len(wide) + 0.2 * np.eye(FEATURES + 1)
    wanted = before - np.linalg.solve(ridge, gradient.T).T
    made = compiled(TangentScrub(damping=0.2), LOGISTIC)(_of_rows(before), S, R, KEY)
    reached = np.concatenate([made["bias_0"][:, None], made["kernel_0"]], axis=1)
    far = np.linalg.norm(wanted - before)
    assert far > 0.05
    assert np.linalg.norm(reached - wanted) < 1e-3 * far


RULES = [FisherForgetting(), TangentScrub(), InfluenceStep()]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
def test_a_model_keeps_its_bits_beside_others(rule: Any) -> None:
    """Its neighbours need other numbers of iterations."""
    run = unoptimised(jax.vmap(partial(rule, LEARNER), in_axes=(0, None, None, 0)))
    keys = jax.random.split(KEY, 3)

    def beside(*scales: float) -> Any:
        of_models = [{k: v * s for k, v in _start().items()} for s in scales]
        return run(jax.tree.map(lambda *leaves: jnp.stack(leaves), *of_models), S, R, keys)

    first, other = beside(1.0, 2.0, 0.1), beside(1.0, 0.01, 5.0)
    for name in first:
        assert np.array_equal(first[name][0], other[name][0])
        assert not np.array_equal(first[name][0], _start()[name])
        assert np.isfinite(first[name]).all()
