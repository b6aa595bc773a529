"""Relearning: how fast training on some examples brings back what a model was made to forget."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int, Shaped

from estimators.checks import check_counts
from oracles._deferred import build
from oracles._doors import check_population
from oracles._learner import Learner, descent_step
from oracles._population import Population
from oracles._probes import Examples

Look = Callable[[Learner, Any, Any, Any], Any]
"""(learner, parameters of one model, inputs, labels) → an array."""


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
    check_population(population, "population")
    parameters = population.parameters()
    return relearn(
        population.learner, parameters, examples, examples, steps=steps, look=_asked_loss
    )


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
    reached = relearn_losses(population, examples, steps=steps) <= target
    return np.where(reached.any(axis=1), reached.argmax(axis=1), steps + 1)


def relearn(
    learner: Learner,
    parameters: Any,
    taught: Examples,
    asked: Examples,
    *,
    steps: int,
    look: Look,
) -> Shaped[np.ndarray, "models looks ..."]:
    """Trains each model on from where it is, and looks at it before the first step and after each.

    Args:
        learner: of the models; each step is one of its optimiser, freshly started.
        parameters: of all models, models first, as `Population.parameters`.
        taught: examples to train on, all of them at each step.
        asked: examples to look at.
        steps: at least 1.
        look: what is kept, from learner, parameters of one model, inputs and labels asked; the
            same object in every call, or it is compiled anew.

    Returns:
        What was kept, ``steps + 1`` times a model.

    Raises:
        ValueError: when ``steps`` is below 1.
    """
    check_counts(steps=steps)
    run = _relearning_program(learner, steps, look)
    sets = (taught.inputs, taught.labels), (asked.inputs, asked.labels)
    return np.asarray(run(parameters, *sets))


def _asked_loss(learner: Learner, params: Any, inputs: Any, labels: Any) -> Any:
    return learner.loss(params, inputs, labels)


@lru_cache(maxsize=16)
def _relearning_program(learner: Learner, steps: int, look: Look) -> Any:
    optimiser = build(learner.optimiser)

    def looks(params: Any, taught: Any, asked: Any) -> Any:
        def loss(params: Any, _: None) -> Any:
            return learner.loss(params, *taught)

        def step(state: Any, entry: None) -> tuple[Any, Any]:
            return descent_step(optimiser, loss, state, entry), look(learner, state[0], *asked)

        start = (params, optimiser.init(params))
        (params, _), before = jax.lax.scan(step, start, None, length=steps)
        return jnp.concatenate([before, look(learner, params, *asked)[None]])

    return jax.jit(jax.vmap(looks, in_axes=(0, None, None)))
