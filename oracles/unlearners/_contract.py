"""What every unlearner is: a pure function of (θ0, S, R, key) and its settings."""

from typing import Any, Protocol, runtime_checkable

from jaxtyping import Array, Float, Int, Key

from oracles._learner import Data, Learner, Parameters
from oracles._randomness import epoch_batches

Batch = tuple[Float[Data, "..."], Int[Data, "..."]]
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


def check_descent(learning_rate: float, epochs: int, batch: int, momentum: float) -> None:
    """Raises ValueError unless the settings of a descent are in range."""
    check_positive(learning_rate=learning_rate)
    check_counts(epochs=epochs, batch=batch)
    if not 0 <= momentum < 1:
        raise ValueError(f"momentum: expected a number in [0, 1), found {momentum}")


def check_positive(**values: float) -> None:
    """Raises ValueError unless every value is over 0."""
    for name, value in values.items():
        if not value > 0:
            raise ValueError(f"{name}: expected a number over 0, found {value}")


def check_not_negative(**values: float) -> None:
    """Raises ValueError unless every value is at least 0."""
    for name, value in values.items():
        if not value >= 0:
            raise ValueError(f"{name}: expected a number of at least 0, found {value}")


def check_counts(**values: int) -> None:
    """Raises ValueError unless every value is at least 1."""
    for name, value in values.items():
        if value < 1:
            raise ValueError(f"{name}: expected at least 1, found {value}")


def passes(
    key: Key[Array, ""], examples: int, epochs: int, batch: int
) -> Int[Array, "steps per_step"]:
    """Indices of the batches of ``epochs`` passes; a batch over n examples is all of them."""
    size = min(batch, examples)
    return epoch_batches(key, examples, -(-epochs * examples // size), size)
