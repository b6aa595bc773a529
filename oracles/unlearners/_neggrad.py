"""NegGrad+: descend on R while ascending on S."""

from dataclasses import dataclass
from typing import Any

import jax
from jaxtyping import Array, Key

from estimators.checks import check_within
from oracles._learner import Learner, Parameters, descend
from oracles.randomness import epoch_batches
from oracles.unlearners._contract import Batch, on_device
from oracles.unlearners._descent import MomentumDescent


@dataclass(frozen=True)
class NegGrad(MomentumDescent):
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
    alpha: float = 0.95

    def __post_init__(self) -> None:
        super().__post_init__()
        check_within("(0, 1]", alpha=self.alpha)

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """θ0 after ``epochs`` passes over R, each step pushed up on S."""
        (s_inputs, s_labels), (r_inputs, r_labels) = on_device(forget), on_device(retain)
        steps = -(-self.epochs * len(r_labels) // self.batch)
        r_key, s_key = jax.random.split(key)
        r_plan = epoch_batches(r_key, len(r_labels), steps, self.batch)
        s_plan = epoch_batches(s_key, len(s_labels), steps, min(self.batch, len(s_labels)))

        def loss(params: Any, entry: Any) -> Any:
            r, s = entry
            loss_r = learner.loss(params, r_inputs[r], r_labels[r])
            loss_s = learner.loss(params, s_inputs[s], s_labels[s])
            return self.alpha * loss_r - (1 - self.alpha) * loss_s

        return descend(self._optimiser, loss, params, (r_plan, s_plan))
