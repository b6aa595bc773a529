"""Langevin unlearning: more steps of the same noisy descent, on R alone."""

from dataclasses import dataclass
from typing import Any, ClassVar

from jaxtyping import Array, Key

from estimators.checks import check_counts, check_within
from oracles._learner import Learner, Parameters
from oracles.learners._langevin import LangevinDescent
from oracles.learners._whole_set import everyone, own_learner
from oracles.mechanisms._langevin import Langevin
from oracles.mechanisms._mechanism import Claim
from oracles.unlearners._contract import Batch


@dataclass(frozen=True)
class LangevinUnlearning:
    """K more steps of the learner's noisy descent, without S.

    Where the source replaces forgotten rows by random ones, so that data sets have one size, they
    are replaced here by rows without loss: see `LangevinDescent`. Source: Chien, Wang, Chen and Li
    2024, "Langevin unlearning", arXiv 2401.10371.

    Attributes:
        steps: K, at least 1.
        delta: at which epsilon is claimed, in (0, 1).
    """

    steps: int = 30
    delta: float = 0.01
    learner: ClassVar[str] = "langevin"

    def __post_init__(self) -> None:
        check_counts(steps=self.steps)
        check_within("(0, 1)", delta=self.delta)

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """The weights after K more steps."""
        descent = own_learner("langevin", learner, LangevinDescent)
        return descent.publish(
            descent.wander(params["weights"], *everyone(retain), key, self.steps)
        )

    def claim(self, learner: Learner, examples: int, forget: int) -> Claim:
        """What is claimed against the stationary law on R."""
        descent = own_learner("langevin", learner, LangevinDescent)
        return Langevin(
            sigma=descent.sigma,
            lipschitz=1.0,
            convexity=descent.convexity,
            smoothness=descent.smoothness,
            examples=examples,
            learning_rate=1 / descent.smoothness,
            steps=self.steps,
            forgotten=forget,
        ).claim(self.delta)
