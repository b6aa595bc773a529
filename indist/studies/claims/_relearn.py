"""Brief relearning: a few more steps of training on some examples, and a look at the models."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool

from oracles import Examples, Learner
from oracles._learner import descend
from oracles._recipe import build


def relearned(
    learner: Learner, parameters: Any, taught: Examples, asked: Examples, *, steps: int
) -> Bool[np.ndarray, "steps models asked"]:
    """Trains each model on from where it is, full batches, with the learner's own optimiser.

    Args:
        learner: of the models.
        parameters: of all models, models first, as `oracles.Population.parameters`.
        taught: examples to train on.
        asked: examples to look at.
        steps: at least 1.

    Returns:
        After each step, whether each model gives each example asked its label.
    """
    inputs, labels = jnp.asarray(taught.inputs), jnp.asarray(taught.labels)
    # The whole set at each step.
    plan = jnp.tile(jnp.arange(len(taught)), (steps, 1))

    def after(params: Any, count: int) -> Any:
        trained = descend(
            build(learner.optimiser),
            lambda params, index: learner.loss(params, inputs[index], labels[index]),
            params,
            plan[:count],
        )
        return learner.logits(trained, asked.inputs).argmax(axis=1) == asked.labels

    def all_steps(params: Any) -> Any:
        return jnp.stack([after(params, count) for count in range(1, steps + 1)])

    return np.moveaxis(np.asarray(jax.jit(jax.vmap(all_steps))(parameters)), 0, 1)
