"""Fine-tuning on R: train on, and hope that S fades."""

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import optax
from jaxtyping import Array, Key

from oracles._learner import Learner, Parameters, descend
from oracles.randomness import epoch_batches
from oracles.unlearners._contract import Batch, check_descent


@dataclass(frozen=True)
class FineTune:
    """Minimises the mean loss on R from θ0 by SGD with momentum.

    Defaults after the SCRUB notebooks (Kurmanji et al. 2023): learning rate 0.02 within their 0.01
    to 0.04, 10 epochs. They were not tuned on any scenario.

    Attributes:
        learning_rate: over 0.
        epochs: passes over R, at least 1.
        batch: examples a step.
        momentum: of SGD, in [0, 1).
    """

    learning_rate: float = 0.02
    epochs: int = 10
    batch: int = 128
    momentum: float = 0.9

    def __post_init__(self) -> None:
        check_descent(self.learning_rate, self.epochs, self.batch, self.momentum)

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """θ0 after ``epochs`` passes over R."""
        inputs, labels = jnp.asarray(retain[0]), jnp.asarray(retain[1])
        steps = -(-self.epochs * len(labels) // self.batch)
        return descend(
            optax.sgd(self.learning_rate, momentum=self.momentum),
            lambda params, index: learner.loss(params, inputs[index], labels[index]),
            params,
            epoch_batches(key, len(labels), steps, self.batch),
        )
