"""Fine-tuning: train on, on R alone."""

from dataclasses import dataclass
from typing import Any

from jaxtyping import Array, Key

from oracles._learner import Learner, Parameters
from oracles.randomness import epoch_batches
from oracles.unlearners._contract import Batch
from oracles.unlearners._descent import MomentumDescent, sgd_steps


@dataclass(frozen=True)
class FineTune(MomentumDescent):
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

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """θ0 after ``epochs`` passes over R."""
        examples = len(retain[1])
        steps = -(-self.epochs * examples // self.batch)
        plan = epoch_batches(key, examples, steps, self.batch)
        return sgd_steps(self._optimiser, learner, params, retain, plan)
