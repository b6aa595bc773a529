"""What a lower bound is asked for: delta at given epsilons, or epsilon at given deltas."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

# No number of models shows an epsilon beyond this one, and no bound on it is greater.
LARGEST_EPSILON = 50.0


@dataclass(frozen=True)
class DeltaAt:
    """Asks for a lower bound on delta at each of some epsilons.

    Attributes:
        epsilon: one epsilon, or an array [E] of them.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> estimators.DeltaAt(np.array([0.0, 1.0])).symmetric
        array([ True, False])
    """

    epsilon: float | Float[np.ndarray, " e"]

    @property
    def numbers(self) -> Float[np.ndarray, " e"]:
        """The epsilons as an array [E]."""
        return np.atleast_1d(np.asarray(self.epsilon, dtype=np.float64))

    @property
    def symmetric(self) -> Bool[np.ndarray, " e"]:
        """Where both directions have the same delta: at epsilon 0, by taking complements."""
        return self.numbers == 0.0

    def each(self) -> Iterator["DeltaAt"]:
        """The same question for one epsilon at a time."""
        return map(DeltaAt, self.numbers.tolist())


@dataclass(frozen=True)
class EpsilonAt:
    """Asks for a lower bound on epsilon at each of some deltas.

    Attributes:
        delta: one delta, or an array [D] of them.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> [question.delta for question in estimators.EpsilonAt(np.array([0.0, 0.1])).each()]
        [0.0, 0.1]
    """

    delta: float | Float[np.ndarray, " d"]

    @property
    def numbers(self) -> Float[np.ndarray, " d"]:
        """The deltas as an array [D]."""
        return np.atleast_1d(np.asarray(self.delta, dtype=np.float64))

    @property
    def symmetric(self) -> Bool[np.ndarray, " d"]:
        """Where both directions have the same epsilon: at no delta for certain."""
        return np.zeros(self.numbers.shape, dtype=bool)

    def each(self) -> Iterator["EpsilonAt"]:
        """The same question for one delta at a time."""
        return map(EpsilonAt, self.numbers.tolist())


Target = DeltaAt | EpsilonAt
"""The question that a lower bound answers."""
