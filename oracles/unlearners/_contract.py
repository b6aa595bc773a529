"""What every unlearner is: a pure function of (θ0, S, R, key) and its settings."""

from typing import Any, Protocol, runtime_checkable

from jaxtyping import Array, Int, Key, Shaped

from estimators.checks import check_counts, check_within
from oracles._learner import Data, Learner, Parameters
from oracles.mechanisms._mechanism import Claim
from oracles.randomness import epoch_batches

__all__ = [
    "Batch",
    "Certified",
    "Released",
    "Unlearner",
    "check_delta",
    "check_descent",
    "passes",
    "released",
]

Batch = tuple[Shaped[Data, "..."], Int[Data, "..."]]
"""Inputs and labels of a set of examples."""


@runtime_checkable
class Unlearner(Protocol):
    """The contract. Implementations are frozen dataclasses that hold their settings."""

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """Unlearns S from one trained model.

        Args:
            learner: the learner that trained it.
            params: θ0, the trained parameters.
            forget: S.
            retain: R = D∖S.
            key: the unlearner's only randomness.

        Returns:
            θ, a tree like ``params``.
        """
        ...


@runtime_checkable
class Certified(Protocol):
    """An unlearner that claims how far its models lie, at most, from those trained on R."""

    def claim(self, learner: Learner, examples: int, forget: int) -> Claim:
        """The (ε, δ) that it claims.

        Args:
            learner: the learner of the models, with its settings.
            examples: how many examples D has.
            forget: how many of them are in S.

        Returns:
            The claim: output and a model of the same learner trained on D∖S are
            (ε, δ)-indistinguishable, under the assumptions listed.

        Raises:
            ValueError: when the learner is not the one that the claim is about.
        """
        ...


@runtime_checkable
class Released(Protocol):
    """An unlearner whose output is more than parameters of the learner's own module."""

    def released(self, learner: Learner) -> Learner:
        """The learner whose ``logits`` are what users of the released model see."""
        ...


def released(unlearner: Any, learner: Learner) -> Learner:
    """How the output of an unlearner speaks: as the learner does, unless it says otherwise."""
    return unlearner.released(learner) if isinstance(unlearner, Released) else learner


def check_delta(value: float) -> None:
    """Raises ValueError unless 0 < delta < 1."""
    if not 0.0 < value < 1.0:
        raise ValueError(f"delta: expected a number in (0, 1), found {value}")


def check_descent(learning_rate: float, epochs: int, batch: int, momentum: float) -> None:
    """Raises ValueError unless the settings of a descent are in range."""
    check_within("(0, inf)", learning_rate=learning_rate)
    check_counts(epochs=epochs, batch=batch)
    if not 0 <= momentum < 1:
        raise ValueError(f"momentum: expected a number in [0, 1), found {momentum}")


def passes(
    key: Key[Array, ""], examples: int, epochs: int, batch: int
) -> Int[Array, "steps per_step"]:
    """Indices of the batches of ``epochs`` passes; a batch over n examples is all of them."""
    size = min(batch, examples)
    return epoch_batches(key, examples, -(-epochs * examples // size), size)
