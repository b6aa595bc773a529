"""Rewind-to-delete: go back to an early iterate and descend on R from there."""

from dataclasses import dataclass
from typing import Any, ClassVar

from jaxtyping import Array, Key

from estimators.checks import check_within
from oracles._learner import Learner, Parameters
from oracles.learners._rewind_to_delete import RewindableDescent
from oracles.learners._whole_set import everyone, own_learner
from oracles.mechanisms._mechanism import Claim
from oracles.mechanisms._rewind_to_delete import RewindToDelete
from oracles.unlearners._contract import Batch


@dataclass(frozen=True)
class Rewind:
    """Takes the learner's last K steps again without S, and publishes with fresh noise.

    Source: Mu and Klabjan 2024, "Rewind-to-delete", arXiv 2409.09778.

    Attributes:
        delta: at which epsilon is claimed, in (0, 1).
    """

    delta: float = 0.01
    learner: ClassVar[str] = "rewind-to-delete"

    def __post_init__(self) -> None:
        check_within("(0, 1)", delta=self.delta)

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """The secret early iterate, run on."""
        descent = own_learner("rewind-to-delete", learner, RewindableDescent)
        return descent.publish(params["secret"], *everyone(retain), key)

    def claim(self, learner: Learner, examples: int, forget: int) -> Claim:
        """What is claimed against a run that never saw S."""
        descent = own_learner("rewind-to-delete", learner, RewindableDescent)
        return RewindToDelete(
            sigma=descent.sigma,
            lipschitz=1.0,
            smoothness=0.25,
            learning_rate=descent.learning_rate,
            examples=examples,
            forgotten=forget,
            steps=descent.steps,
            rewound=descent.rewound,
        ).claim(self.delta)
