"""Relearning against plain gradient descent in numpy, and its time where it is known."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import optax
import pytest

from oracles import MLP, Learner, relearn_losses, relearn_time, scenarios, train

STEPS = 6


@pytest.fixture(scope="module")
def linear() -> Any:
    scenario = scenarios.load("circles", seed=0)
    learner = Learner(MLP((2,)), partial(optax.sgd, 0.05, momentum=0.9), steps=20, batch=50)
    world = replace(scenario, learner=learner)
    models = train(world, "behaviour", stream="unlearning", models=3, seed=0)
    return models, world.train.take(world.forget)


def _twin(weights: np.ndarray, bias: np.ndarray, x: np.ndarray, y: np.ndarray) -> list[float]:
    """Losses of one model: softmax regression, momentum 0.9, step 0.05, float64."""
    losses, speed_w, speed_b = [], np.zeros_like(weights), np.zeros_like(bias)
    for _ in range(STEPS + 1):
        scores = x @ weights + bias
        p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        losses.append(float(-np.log(p[np.arange(len(y)), y]).mean()))
        wrong = (p - np.eye(2)[y]) / len(y)
        speed_w = 0.9 * speed_w + x.T @ wrong
        speed_b = 0.9 * speed_b + wrong.sum(axis=0)
        weights, bias = weights - 0.05 * speed_w, bias - 0.05 * speed_b
    return losses


def test_losses_are_those_of_plain_descent(linear: Any) -> None:
    models, forget = linear
    found = relearn_losses(models, forget, steps=STEPS)
    held = models.parameters()
    for k, losses in enumerate(found):
        weights, bias = (held[name][k].astype(np.float64) for name in ("kernel_0", "bias_0"))
        wanted = _twin(weights.T, bias, forget.inputs.astype(np.float64), forget.labels)
        np.testing.assert_allclose(losses, wanted, rtol=2e-5, atol=1e-6)


def test_time_is_the_first_step_at_the_target(linear: Any) -> None:
    models, forget = linear
    losses = relearn_losses(models, forget, steps=STEPS)
    target = float(losses[1, 3])
    found = relearn_time(models, forget, target=target, steps=STEPS)
    assert found[1] == 3
    for k, steps in enumerate(found):
        before = losses[k, :steps]
        assert (before > target).all()
    assert (relearn_time(models, forget, target=1e9, steps=STEPS) == 0).all()
    assert (relearn_time(models, forget, target=-1.0, steps=STEPS) == STEPS + 1).all()


def test_at_least_one_step(linear: Any) -> None:
    with pytest.raises(ValueError, match="steps: expected at least 1, found 0"):
        relearn_losses(*linear, steps=0)
