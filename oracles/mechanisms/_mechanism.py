"""What all mechanisms share: a privacy curve, its inverse, and the claim that follows from it."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, overload

import numpy as np
from jaxtyping import Float

from estimators.checks import check_within
from oracles.mechanisms._values import check_whole

Floats = Float[np.ndarray, "..."]


@dataclass(frozen=True)
class Claim:
    r"""A pair $(\epsilon, \delta)$ that is said to hold, by whom and under what conditions.

    Two distributions are $(\epsilon, \delta)$-indistinguishable when
    $P(R) \le e^\epsilon Q(R) + \delta$ and $Q(R) \le e^\epsilon P(R) + \delta$ for every event R.

    Attributes:
        epsilon: at least 0; infinite when nothing is claimed.
        delta: in [0, 1].
        mechanism: what makes the claim, with its settings.
        source: the theorem that the claim rests on.
        assumptions: what that theorem takes for granted, each a clause.
    """

    epsilon: float
    delta: float
    mechanism: str = "declared by hand"
    source: str = ""
    assumptions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_within("[0, inf]", epsilon=self.epsilon)
        check_within("[0, 1]", delta=self.delta)

    def __str__(self) -> str:
        lines = [f"({self.epsilon:.6g}, {self.delta:.6g}) claimed by {self.mechanism}"]
        if self.source:
            lines.append(f"by {self.source}")
        return "\n".join([*lines, *(f"assumes: {text}" for text in self.assumptions)])


class Mechanism(ABC):
    r"""A pair of distributions, or a bound on one, with a known privacy curve.

    The curve is $\delta(\epsilon) = \max\{H_{e^\epsilon}(P\|Q), H_{e^\epsilon}(Q\|P)\}$ with
    $H_c(P\|Q) = \sup_R P(R) - c\,Q(R)$, or an upper bound on it where the docstring says so.
    """

    source: ClassVar[str]
    assumptions: ClassVar[tuple[str, ...]] = ()

    @overload
    def delta(self, epsilon: float) -> float: ...
    @overload
    def delta(self, epsilon: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]: ...
    def delta(self, epsilon: Any) -> Any:
        r"""The least delta at epsilon.

        Args:
            epsilon: a number, or an array of any shape, each at least 0 and finite.

        Returns:
            Delta in [0, 1], of epsilon's shape, falling in epsilon.

        Raises:
            ValueError: when an epsilon lies outside its range.
        """
        values = np.asarray(epsilon, dtype=np.float64)
        flat = values.reshape(-1)
        if not ((flat >= 0) & np.isfinite(flat)).all():
            raise ValueError(f"epsilon: expected finite numbers of at least 0, found {epsilon}")
        return _like(values, np.clip(self._delta(flat), 0.0, 1.0))

    @overload
    def epsilon(self, delta: float) -> float: ...
    @overload
    def epsilon(self, delta: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]: ...
    def epsilon(self, delta: Any) -> Any:
        r"""The least epsilon at delta: the inverse of `delta`, 0 where no epsilon is needed.

        Args:
            delta: a number, or an array of any shape, each in [0, 1].

        Returns:
            Epsilon of at least 0, of delta's shape, falling in delta; infinite where no finite
            epsilon will do.

        Raises:
            ValueError: when a delta lies outside its range.
        """
        values = np.asarray(delta, dtype=np.float64)
        flat = values.reshape(-1)
        if not ((flat >= 0) & (flat <= 1)).all():
            raise ValueError(f"delta: expected numbers in [0, 1], found {delta}")
        return _like(values, np.maximum(self._epsilon(flat), 0.0))

    def claim(self, delta: float) -> Claim:
        """The pair (epsilon, delta) that this mechanism certifies at one delta.

        Args:
            delta: in [0, 1].

        Returns:
            A `Claim` with the theorem it rests on and what that theorem assumes.

        Raises:
            TypeError: when delta is no number.
            ValueError: when delta lies outside its range.
        """
        check_within("[0, 1]", delta=delta)
        return self._claim(float(self.epsilon(float(delta))), float(delta))

    def claim_at(self, epsilon: float) -> Claim:
        """The pair (epsilon, delta) that this mechanism certifies at one epsilon.

        Args:
            epsilon: at least 0 and finite.

        Returns:
            A `Claim`, as from `claim`.

        Raises:
            TypeError: when epsilon is no number.
            ValueError: when epsilon lies outside its range.
        """
        check_within("[0, inf)", epsilon=epsilon)
        return self._claim(float(epsilon), float(self.delta(float(epsilon))))

    def _claim(self, epsilon: float, delta: float) -> Claim:
        return Claim(epsilon, delta, repr(self), self.source, self.assumptions)

    @abstractmethod
    def _delta(self, epsilon: Floats) -> Floats: ...

    def _epsilon(self, delta: Floats) -> Floats:
        return inverse(self._delta, delta)


class SampledMechanism(Mechanism):
    """A mechanism whose two distributions can be drawn from; its docstring says what they are."""

    def sample(
        self, rng: np.random.Generator, n: int
    ) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
        """Independent samples of P and of Q, whose half-lines reveal the whole privacy curve.

        Args:
            rng: the source of randomness.
            n: how many of each, at least 1.

        Returns:
            Samples of P and of Q, each of shape ``[n]``.

        Raises:
            TypeError: when ``rng`` is not a numpy Generator.
            ValueError: when n is not a whole number of at least 1.
        """
        if not isinstance(rng, np.random.Generator):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"rng: expected a numpy.random.Generator, found {type(rng).__name__}")
        check_whole("n", n)
        return self._sample(rng, int(n))

    @abstractmethod
    def _sample(self, rng: np.random.Generator, n: int) -> tuple[Floats, Floats]: ...


def inverse(curve: Callable[[Floats], Floats], delta: Floats) -> Floats:
    """The least epsilon of at least 0 at which a falling curve is at most delta, by bisection.

    Works down to neighbouring floating-point numbers and returns the upper one, so that
    ``curve(inverse(curve, delta)) <= delta`` always holds.

    Args:
        curve: from epsilons to deltas of the same shape, falling.
        delta: the deltas to meet.

    Returns:
        Epsilons of delta's shape; infinite at delta 0 (unless the curve is 0 throughout) and where
        the curve stays above delta up to 1e9.
    """
    low, high = np.zeros_like(delta), np.ones_like(delta)
    # A curve that is 0 at a finite epsilon has an inverse of its own; here 0 means underflow.
    unreachable = (delta == 0) | (curve(np.full_like(delta, 1e9)) > delta)
    while (too_low := (curve(high) > delta) & ~unreachable).any():
        low, high = np.where(too_low, high, low), np.where(too_low, 2 * high, high)
    at_zero = curve(np.zeros_like(delta)) <= delta
    while True:
        middle = low + (high - low) / 2
        unfinished = (middle > low) & (middle < high) & ~at_zero & ~unreachable
        if not unfinished.any():
            break
        is_met = curve(middle) <= delta
        high = np.where(unfinished & is_met, middle, high)
        low = np.where(unfinished & ~is_met, middle, low)
    return np.where(at_zero, 0.0, np.where(unreachable, np.inf, high))


def _like(given: Floats, values: Floats) -> Any:
    # Adding 0.0 turns -0.0 into 0.0.
    return float(values[0] + 0.0) if given.ndim == 0 else values.reshape(given.shape) + 0.0
