"""Identity: the original model as it is."""

from dataclasses import dataclass
from typing import Any

from jaxtyping import Array, Key

from oracles._learner import Learner, Parameters
from oracles.unlearners._contract import Batch


@dataclass(frozen=True)
class Identity:
    """Returns the original model, θ = θ0: the control that any audit must be able to tell apart.

    For a forget set that is not memorized it is a correct untrainer (section 6 of "Is your
    algorithm unlearning or untraining?", 2026).
    """

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """θ0 as it is."""
        return params
