"""NegGrad+: descend on R while ascending on S."""

from dataclasses import dataclass
from typing import Any

import jax
import optax
from jaxtyping import Array, Key

from oracles._learner import Learner, Parameters, descend
from oracles.randomness import epoch_batches
from oracles.unlearners._contract import Batch, check_descent


@dataclass(frozen=True)
class NegGrad:
    """Minimises α·(mean loss on R) − (1 − α)·(mean loss on S) from θ0 by SGD with momentum.

    Every step takes a batch of R and a batch of S, and S is cycled. The rule and α = 0.95 are those
    of Kurmanji et al. 2023 as run by DeepUnlearn; defaults were not tuned on any scenario.

    Attributes:
        learning_rate: over 0.
        epochs: passes over R, at least 1.
        batch: examples of R a step; of S, as many or all of S.
        momentum: of SGD, in [0, 1).
        alpha: weight of R, in (0, 1].
    """

    learning_rate: float = 0.01
    epochs: int = 5
    batch: int = 128
    momentum: float = 0.9
    alpha: float = 0.95

    def __post_init__(self) -> None:
        check_descent(self.learning_rate, self.epochs, self.batch, self.momentum)
        if not 0 < self.alpha <= 1:
            raise ValueError(f"alpha: expected a number in (0, 1], found {self.alpha}")

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """θ0 after ``epochs`` passes over R, each step pushed up on S."""
        (s_inputs, s_labels), (r_inputs, r_labels) = forget, retain
        steps = -(-self.epochs * len(r_labels) // self.batch)
        r_key, s_key = jax.random.split(key)
        s_batch = min(self.batch, len(s_labels))

        def loss(params: Any, index: Any) -> Any:
            r, s = index
            down = learner.loss(params, r_inputs[r], r_labels[r])
            up = learner.loss(params, s_inputs[s], s_labels[s])
            return self.alpha * down - (1 - self.alpha) * up

        return descend(
            optax.sgd(self.learning_rate, momentum=self.momentum),
            loss,
            params,
            (
                epoch_batches(r_key, len(r_labels), steps, self.batch),
                epoch_batches(s_key, len(s_labels), steps, s_batch),
            ),
        )
