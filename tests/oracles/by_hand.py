"""Unlearners' arithmetic by hand: numpy, float64, plain loops, no autodiff.

The model is logistic regression on a few points, unless a test has its own. Batches hold a whole
set, so that their order cannot matter, unless a test says otherwise.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from scipy.special import softmax

from indist import oracles
from oracles.randomness import stream_key, stream_number

CLASSES, FEATURES = 3, 4
LOGISTIC = oracles.Learner(
    oracles.MLP((CLASSES,)), partial(optax.sgd, 0.1, momentum=0.9), steps=20, batch=8
)
DEEP = replace(LOGISTIC, module=oracles.MLP((6, 5, CLASSES)))
KEY = jax.random.key(5)


def points(
    seed: int, count: int, classes: int = CLASSES, shift: float = 0.5
) -> tuple[jax.Array, jax.Array]:
    """Inputs, shifted by their labels, and labels."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, count).astype(np.int32)
    inputs = rng.normal(size=(count, FEATURES)) + shift * labels[:, None]
    return jnp.asarray(inputs, dtype=jnp.float32), jnp.asarray(labels)


S, R = points(1, 5), points(2, 12)


def joined(forget: Any = S, retain: Any = R) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and labels of D, S first."""
    (s_inputs, s_labels), (r_inputs, r_labels) = forget, retain
    return np.concatenate([s_inputs, r_inputs]), np.concatenate([s_labels, r_labels])


def plan_and_key(learner: Any, stream: str, model: int, included: Any) -> tuple[Any, Any]:
    """Batches and training key of one model of a population of seed 0, drawn outside a program."""
    key = jax.random.fold_in(stream_key(stream_number(0, stream)), model)
    plan_key, key = jax.random.split(key)
    return np.asarray(learner.draw_plan(plan_key, included)), key


def unoptimised(function: Any) -> Any:
    """Compiled without optimisation, which would take most of the time of what runs once."""
    return jax.jit(function, compiler_options={"xla_backend_optimization_level": 0})


@lru_cache
def compiled(rule: Any, learner: oracles.Learner) -> Any:
    """A rule for a learner, `unoptimised`."""
    return unoptimised(partial(rule, learner))


WORDS = replace(LOGISTIC, module=oracles.Transformer(5, width=4, blocks=1))


def sentences(seed: int, count: int) -> tuple[jax.Array, jax.Array]:
    """Tokens for `WORDS`, and labels."""
    rng = np.random.default_rng(seed)
    tokens = rng.integers(0, 5, (count, 6)).astype(np.int32)
    return jnp.asarray(tokens), jnp.asarray(rng.integers(0, 5, count).astype(np.int32))


def _one_input(learner: oracles.Learner) -> Any:
    if isinstance(learner.module, oracles.Transformer):
        return jnp.zeros((1, 6), dtype=jnp.int32)
    return jnp.zeros((1, 4, 5) if isinstance(learner.module, oracles.ConvNet) else (1, FEATURES))


@lru_cache
def fresh_params(
    learner: oracles.Learner = LOGISTIC, *, seed: int = 3, scale: float = 1.0
) -> dict[str, Any]:
    """θ0: fresh parameters with noise, biases included."""
    fresh = learner.init(jax.random.key(7), _one_input(learner))
    rng = np.random.default_rng(seed)
    return {
        name: fresh[name] + scale * rng.normal(size=fresh[name].shape).astype(np.float32)
        for name in sorted(fresh)
    }


def to_host(params: Any) -> dict[str, Any]:
    """Parameters as numpy arrays of float64."""
    return {name: np.asarray(leaf, dtype=np.float64) for name, leaf in params.items()}


def run_rule(
    rule: Any, learner: oracles.Learner = LOGISTIC, key: Any = KEY, start: Any = None
) -> Any:
    """What a rule makes of S and R, from `fresh_params` unless it is given where to start."""
    params = fresh_params(learner) if start is None else start
    return compiled(rule, learner)(params, S, R, key)


def assert_close(made: Any, twin: Any, atol: float = 2e-5) -> None:
    """Trees of one level with the same names and close leaves."""
    assert set(made) == set(twin)
    for name in twin:
        np.testing.assert_allclose(made[name], twin[name], rtol=0, atol=atol)


def logits_of(params: Any, inputs: Any) -> Any:
    """Logits of logistic regression."""
    return np.asarray(inputs, dtype=np.float64) @ params["kernel_0"].T + params["bias_0"]


def backward(inputs: Any, residuals: Any) -> dict[str, Any]:
    """Gradient of a mean over examples from each example's gradient in its logits."""
    mean = residuals / len(residuals)
    return {"kernel_0": mean.T @ np.asarray(inputs, dtype=np.float64), "bias_0": mean.sum(axis=0)}


def residuals(params: Any, inputs: Any, labels: Any) -> Any:
    """Gradient of each example's loss in its logits."""
    return softmax(logits_of(params, inputs), axis=1) - np.eye(CLASSES)[np.asarray(labels)]


def loss_gradient(params: Any, data: Any) -> dict[str, Any]:
    """Gradient of the mean loss of logistic regression."""
    return backward(data[0], residuals(params, *data))


def divergence_gradient(params: Any, teacher: Any, inputs: Any, t: float) -> dict[str, Any]:
    """T² KL(teacher ‖ student) has the gradient T (student − teacher) in the logits."""
    student = softmax(logits_of(params, inputs) / t, axis=1)
    return backward(inputs, t * (student - softmax(teacher / t, axis=1)))


def mixture(*terms: tuple[float, dict[str, Any]]) -> dict[str, Any]:
    """A weighted sum of trees of one level."""
    return {name: sum(weight * term[name] for weight, term in terms) for name in terms[0][1]}


Gradient = Callable[[Any], dict[str, Any]]


def momentum_descent(params: Any, gradients: Sequence[Gradient], rate: float) -> Any:
    """``v = 0.9 v + g; θ = θ - η v`` along a list of gradient functions."""
    velocity = {name: np.zeros_like(leaf) for name, leaf in params.items()}
    for gradient in gradients:
        now = gradient(params)
        velocity = {name: 0.9 * velocity[name] + now[name] for name in now}
        params = {name: params[name] - rate * velocity[name] for name in params}
    return params


def adam_descent(params: Any, gradients: Sequence[Gradient], rate: float) -> Any:
    """``m/(√v + ε)`` with both means corrected for their start at zero."""
    first = {name: np.zeros_like(leaf) for name, leaf in params.items()}
    second = {name: np.zeros_like(leaf) for name, leaf in params.items()}
    for step, gradient in enumerate(gradients, start=1):
        now = gradient(params)
        first = {n: 0.9 * first[n] + 0.1 * now[n] for n in now}
        second = {n: 0.999 * second[n] + 0.001 * now[n] ** 2 for n in now}
        scale = {n: np.sqrt(second[n] / (1 - 0.999**step)) + 1e-8 for n in now}
        params = {n: params[n] - rate * first[n] / (1 - 0.9**step) / scale[n] for n in now}
    return params
