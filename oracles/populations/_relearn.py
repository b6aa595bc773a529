"""Relearning: how fast training on some examples brings back what a model was made to forget."""

from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from oracles._checks import check_counts
from oracles._learner import Learner
from oracles._population import Population
from oracles._probes import Examples
from oracles._recipe import build


def relearn_losses(
    population: Population, examples: Examples, *, steps: int
) -> Float[np.ndarray, "models losses"]:
    """Mean loss on examples while each model trains on them, from where it is.

    Each step is one of the learner's own optimiser, freshly started, on all examples at once.

    Args:
        population: the models.
        examples: to train on, and to measure on.
        steps: at least 1.

    Returns:
        Mean cross-entropy in nats before the first step and after each: ``steps + 1`` a model.

    Raises:
        ValueError: when ``steps`` is below 1.

    Example:
        >>> from indist import oracles
        >>> scenario = oracles.scenarios.load("circles", seed=0)
        >>> models = oracles.train(scenario, "behaviour", stream="unlearning", models=2, seed=0)
        >>> losses = oracles.relearn_losses(
        ...     models, scenario.train.take(scenario.forget), steps=5)
        >>> losses.shape, bool((losses[:, -1] < losses[:, 0]).all())
        ((2, 6), True)
    """
    check_counts(steps=steps)
    run = _program(population.learner, steps)
    return np.asarray(run(population.parameters(), examples.inputs, examples.labels))


def relearn_time(
    population: Population, examples: Examples, *, target: float, steps: int
) -> Int[np.ndarray, " models"]:
    """Steps of training on examples until a model's loss on them is down to a target.

    After the relearn time of Tarun et al. 2023, "Fast yet effective machine unlearning" (arXiv
    2111.08947), in optimiser steps; the target is usually the original models' loss on S.

    Args:
        population: the models.
        examples: to train on, and to measure on.
        target: loss in nats.
        steps: how many to try, at least 1.

    Returns:
        0 for a model that is there already; ``steps + 1`` for one that never came.

    Raises:
        ValueError: when ``steps`` is below 1.
    """
    there = relearn_losses(population, examples, steps=steps) <= target
    return np.where(there.any(axis=1), there.argmax(axis=1), steps + 1)


@lru_cache(maxsize=16)
def _program(learner: Learner, steps: int) -> Any:
    optimiser = build(learner.optimiser)

    def one(params: Any, inputs: Any, labels: Any) -> Any:
        def step(carry: Any, _: None) -> tuple[Any, Any]:
            params, state = carry
            loss, slope = jax.value_and_grad(learner.loss)(params, inputs, labels)
            updates, state = optimiser.update(slope, state, params)
            return (jax.tree.map(jnp.add, params, updates), state), loss

        (params, _), losses = jax.lax.scan(
            step, (params, optimiser.init(params)), None, length=steps
        )
        return jnp.append(losses, learner.loss(params, inputs, labels))

    return jax.jit(jax.vmap(one, in_axes=(0, None, None)))
