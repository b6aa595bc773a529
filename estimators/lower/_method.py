"""The shape of every lower-bound method, and of what it returns."""

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from estimators.lower._target import DeltaAt, Target

INDEPENDENT_SAMPLES = "models are independent, within and between the two populations"


class DirectedBounds(NamedTuple):
    """Lower bounds on each direction, and on the greater of the two: [E, J], or [E] if pooled.

    Attributes:
        forward: on P against Q.
        backward: on Q against P; ``forward`` and ``backward`` hold together at the level asked for.
        bound: on the greater of the two directions; it holds at that level by itself.
    """

    forward: Float[np.ndarray, "e ..."]
    backward: Float[np.ndarray, "e ..."]
    bound: Float[np.ndarray, "e ..."]


class LowerBoundMethod(ABC):
    """How a lower bound on delta or on epsilon is found: a frozen dataclass of settings.

    A method of your own implements `solve`. It derives from `OneSidedMethod` instead if it bounds
    one direction at a time, and from `ScannedMethod` if it has nothing but a bound on delta in one
    direction. All other methods and properties have a default.

    Attributes:
        pools: True when the trailing axes are one vector observation, or are chosen among, so that
            one bound comes out; False for one bound an observable.
        seed: joins the digest of the samples in what the method draws; None where the digest alone
            decides, and for methods that draw nothing.

    Example:
        >>> from dataclasses import dataclass
        >>> import numpy as np
        >>> from indist import estimators
        >>> @dataclass(frozen=True)
        ... class Nothing(estimators.LowerBoundMethod):
        ...     def solve(self, p, q, target, alpha):
        ...         nothing = np.zeros((target.numbers.size, p.shape[1]))
        ...         return estimators.DirectedBounds(nothing, nothing, nothing)
        >>> result = estimators.delta_lower_bound(
        ...     np.ones(9), np.zeros(9), epsilon=0.0, method=Nothing()
        ... )
        >>> print(result.bound, result.method, result.undetermined)
        0.0 Nothing() True
    """

    pools: ClassVar[bool] = False
    seed: int | None = None

    @abstractmethod
    def solve(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        target: Target,
        alpha: float,
    ) -> DirectedBounds:
        """Lower bounds that fail with probability at most alpha.

        Args:
            p: samples of P, a column an observable.
            q: samples of Q.
            target: `DeltaAt` some epsilons, or `EpsilonAt` some deltas.
            alpha: probability with which a bound may fail, separately at each number of the target
                and for each observable.

        Returns:
            Bounds of at least 0.
        """

    def either(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        target: Target,
        alpha: float,
    ) -> Float[np.ndarray, "e ..."]:
        """The bound on the greater direction alone.

        Args:
            p: as for `solve`.
            q: as for `solve`.
            target: as for `solve`.
            alpha: as for `solve`.

        Returns:
            ``bound`` of what `solve` returns, which a method may find without the rest.
        """
        return self.solve(p, q, target, alpha).bound

    def words(self) -> str:
        """The method in words, settings and seed included."""
        return repr(self)

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What the bounds rest on: independence within and between the samples; nothing else."""
        return (INDEPENDENT_SAMPLES,)

    def warn(self, p: Float[np.ndarray, "n j"], q: Float[np.ndarray, "m j"]) -> tuple[str, ...]:
        """What a reader should know about these samples: nothing."""
        del p, q
        return ()

    def reach(
        self, n: int, m: int, epsilon: Float[np.ndarray, " e"], confidence: float
    ) -> Float[np.ndarray, " e"]:
        """The greatest bound on delta that samples of these sizes can give at each epsilon.

        It is the bound of samples that do not overlap at all, once without and once with ties. A
        method that other samples tell more replaces it.

        Args:
            n: models of P.
            m: models of Q.
            epsilon: the epsilons.
            confidence: probability with which a bound holds.

        Returns:
            Bounds of at least 0; where one is 0, these sizes cannot say anything.
        """
        found = [
            self.solve(p, q, DeltaAt(epsilon), 1.0 - confidence).bound.reshape(epsilon.size)
            for p, q in separate_samples(n, m)
        ]
        return np.max(found, axis=0)

    def undetermined(
        self, n: int, m: int, target: Target, confidence: float
    ) -> Bool[np.ndarray, " e"]:
        """Where no samples of these sizes could move the bound off 0.

        Args:
            n: models of P.
            m: models of Q.
            target: what to bound.
            confidence: probability with which a bound holds.

        Returns:
            A flag for each number of the target, from `reach`.
        """
        if isinstance(target, DeltaAt):
            return self.reach(n, m, target.numbers, confidence) <= 0.0
        return self.reach(n, m, np.zeros(1), confidence) <= target.numbers


def separate_samples(
    n: int, m: int
) -> tuple[tuple[Float[np.ndarray, "n 1"], Float[np.ndarray, "m 1"]], ...]:
    """Two pairs of samples of one observable, all of P above all of Q: with ties, and without.

    Args:
        n: models of P.
        m: models of Q.

    Returns:
        The pairs.
    """
    above, below = np.linspace(0, 1, n)[:, None], np.linspace(0, 1, m)[:, None]
    return tuple((2.0 + spread * above, -spread * below) for spread in (0.0, 1.0))


class OneSidedMethod(LowerBoundMethod):
    """A method that bounds one direction at a time: half of the level goes to each."""

    @abstractmethod
    def forward(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        target: Target,
        alpha: float,
    ) -> Float[np.ndarray, "e ..."]:
        """Lower bounds for P against Q alone, with ``sup_R P(R) - e^epsilon Q(R)`` for delta.

        Args:
            p: samples of P, a column an observable.
            q: samples of Q.
            target: `DeltaAt` some epsilons, or `EpsilonAt` some deltas.
            alpha: probability with which a bound may fail.

        Returns:
            Bounds of at least 0, ``[E, J]``, or ``[E]`` if the method pools.
        """

    def solve(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        target: Target,
        alpha: float,
    ) -> DirectedBounds:
        """See `LowerBoundMethod.solve`."""
        forward = self.forward(p, q, target, alpha / 2.0)
        backward = self.forward(q, p, target, alpha / 2.0)
        same = target.symmetric
        if isinstance(target, DeltaAt) and same.any():
            # Where the directions have the same delta, one of them gets the whole level.
            alone = self.forward(p, q, DeltaAt(target.numbers[same]), alpha)
            forward[same] = backward[same] = alone
        return DirectedBounds(forward, backward, np.maximum(forward, backward))
