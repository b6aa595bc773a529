"""Methods that have a bound on delta alone: epsilon is found by scanning."""

from abc import abstractmethod

import numpy as np
from jaxtyping import Float

from estimators.lower._method import OneSidedMethod
from estimators.lower._target import DeltaAt, Target

# Epsilon is scanned upward on this fixed grid, so a bound is rounded down by at most one step.
EPSILON_GRID = np.concatenate(
    [np.arange(0.0, 3.0, 0.005), np.arange(3.0, 8.0, 0.02), np.arange(8.0, 50.01, 0.25)]
)
_BLOCK = 50


class ScannedMethod(OneSidedMethod):
    """A method with a bound on delta in one direction, from which bounds on epsilon follow.

    Epsilon is scanned upward on a fixed grid while the bound on delta exceeds delta.

    *Validity.* To pass the true epsilon, the scan must find a bound above delta at the first grid
    point not below it, where the divergence is at most delta: the bound fails there, which has
    probability at most alpha. Only the bound at that one point is used, so no simultaneity over
    epsilon is needed.

    Example:
        >>> from dataclasses import dataclass
        >>> import numpy as np
        >>> from indist import estimators
        >>> @dataclass(frozen=True)
        ... class Hoeffding(estimators.ScannedMethod):
        ...     def lower(self, p, q, epsilon, confidence):
        ...         # Of the one event that a value lies above 0, fixed in advance.
        ...         shares = (p > 0).mean(axis=0), (q > 0).mean(axis=0)
        ...         error = np.sqrt(np.log(2 / (1 - confidence)) / 2)
        ...         low, high = shares[0] - error / len(p) ** 0.5, shares[1] + error / len(q) ** 0.5
        ...         return np.maximum(low - np.exp(epsilon)[:, None] * high, 0)
        >>> p, q = np.ones(1000), -np.ones(1000)
        >>> print(estimators.epsilon_lower_bound(p, q, delta=0.01, method=Hoeffding()).bound)
        3.0
    """

    @abstractmethod
    def lower(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        epsilon: Float[np.ndarray, " e"],
        confidence: float,
    ) -> Float[np.ndarray, "e ..."]:
        """Lower bounds on ``sup_R P(R) - e^epsilon Q(R)`` at each epsilon.

        Args:
            p: samples of P, a column an observable.
            q: samples of Q.
            epsilon: the epsilons.
            confidence: probability with which each bound holds.

        Returns:
            Bounds of at least 0, ``[E, J]``, or ``[E]`` if the method pools.
        """

    def forward(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        target: Target,
        alpha: float,
    ) -> Float[np.ndarray, "e ..."]:
        """See `OneSidedMethod.forward`."""
        if isinstance(target, DeltaAt):
            return self.lower(p, q, target.numbers, 1.0 - alpha)
        shape = (target.numbers.size,) if self.pools else (target.numbers.size, p.shape[1])
        passed = np.zeros(shape)
        running = np.ones(shape, dtype=bool)
        for start in range(0, EPSILON_GRID.size, _BLOCK):
            grid = EPSILON_GRID[start : start + _BLOCK]
            found = self.lower(p, q, grid, 1.0 - alpha)
            for d, delta in enumerate(target.numbers):
                above = np.logical_and.accumulate(found > delta, axis=0) & running[d]
                reached = grid.reshape(-1, *([1] * (above.ndim - 1))) * above
                passed[d] = np.maximum(passed[d], reached.max(axis=0))
                running[d] &= above[-1]
            if not running.any():
                break
        return passed
