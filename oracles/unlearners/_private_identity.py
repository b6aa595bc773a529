"""Private identity: a model trained with differential privacy is returned as it is."""

from dataclasses import dataclass
from typing import Any, ClassVar

from jaxtyping import Array, Key

from estimators.checks import check_within
from oracles._learner import Learner, Parameters
from oracles.learners._private import PrivateDescent
from oracles.learners._whole_set import own_learner
from oracles.mechanisms._gaussian import ComposedGaussian
from oracles.mechanisms._mechanism import Claim
from oracles.unlearners._contract import Batch


@dataclass(frozen=True)
class PrivateIdentity:
    """Keeps θ0: privacy of the whole set S already bounds how far it can lie from a model of R.

    The claim is that of the learner's privacy for a group of |S| examples. It is about untraining
    alone: what B∖S taught is still there. Source: Sekhari et al. 2021, "Remember what you want to
    forget", arXiv 2103.03279, where differential privacy is the baseline of unlearning.

    Attributes:
        delta: at which epsilon is claimed, in (0, 1).
    """

    delta: float = 0.01
    learner: ClassVar[str] = "private"

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
        """θ0."""
        own_learner("private-identity", learner, PrivateDescent)
        return params

    def claim(self, learner: Learner, examples: int, forget: int) -> Claim:
        """What is claimed against a model trained on R."""
        private = own_learner("private-identity", learner, PrivateDescent)
        step = forget / private.sigma
        return ComposedGaussian(mus=(step,) * private.steps).claim(self.delta)
