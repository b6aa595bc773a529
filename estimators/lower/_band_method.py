"""Lower bounds from limits on the masses of all half-lines at once."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from estimators.exact._bands import Band, dkw_band, equal_local_level_band
from estimators.exact._frontier import half_line_counts
from estimators.lower._directed_bounds import BothWays

# Half-lines worked on at once; bounds the memory, not the result.
_BLOCK = 500_000


class BandMethod(ABC):
    """A band of each distribution function, each population at the square root of the confidence.

    The samples are independent, so both bands hold together at the confidence asked for, and with
    them the bounds of all half-lines, of both directions and at every epsilon: there is nothing to
    split, and ``forward``, ``backward`` and ``bound`` are from the same band.
    """

    pools: ClassVar[bool] = False

    @abstractmethod
    def words(self) -> str:
        """The method in words."""

    @abstractmethod
    def band(self, n: int, alpha: float) -> Band:
        """Limits on the mass of a half-line by the number of points it holds.

        Args:
            n: sample size.
            alpha: probability that any limit fails.

        Returns:
            The band.
        """

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Independence within and between the samples; nothing else."""
        return ("models are independent, within and between the two populations",)

    def warn(self, p: Float[np.ndarray, "n j"], q: Float[np.ndarray, "m j"]) -> tuple[str, ...]:
        """No remarks."""
        del p, q
        return ()

    def lower(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        epsilon: Float[np.ndarray, " e"],
        confidence: float,
    ) -> Float[np.ndarray, "e j"]:
        """Bound on ``sup_R P(R) - e^epsilon Q(R)`` for each observable."""
        return self.delta_bounds(p, q, epsilon, confidence).forward

    def delta_bounds(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        epsilon: Float[np.ndarray, " e"],
        confidence: float,
    ) -> BothWays:
        """Lower bounds on delta: ``max_R low_P(R) - e^epsilon high_Q(R)``."""
        factor = np.nextafter(np.exp(epsilon), np.inf)

        def greatest(gained: np.ndarray, lost: np.ndarray) -> np.ndarray:
            found = np.stack([(gained - c * lost).max(axis=0) for c in factor])
            return np.maximum(np.nextafter(found, -np.inf), 0.0)

        return self._both(p, q, confidence, greatest)

    def epsilon_bounds(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        delta: Float[np.ndarray, " d"],
        confidence: float,
    ) -> BothWays:
        """Lower bounds on epsilon: ``max_R ln((low_P(R) - delta) / high_Q(R))``."""

        def greatest(gained: np.ndarray, lost: np.ndarray) -> np.ndarray:
            ratio = [((gained - d) / lost).max(axis=0) for d in delta]
            return np.log(np.maximum(np.stack(ratio) * (1.0 - 1e-12), 1.0))

        return self._both(p, q, confidence, greatest)

    def reach(
        self, n: int, m: int, epsilon: Float[np.ndarray, " e"], confidence: float
    ) -> Float[np.ndarray, " e"]:
        """The bound of samples that do not overlap at all."""
        alpha = float(1.0 - np.sqrt(confidence))
        ours, theirs = self.band(n, alpha), self.band(m, alpha)
        factor = np.exp(epsilon)
        ahead = ours.low[-1] - factor * theirs.high[0]
        return np.maximum(np.maximum(ahead, theirs.low[-1] - factor * ours.high[0]), 0.0)

    def _both(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        confidence: float,
        greatest: Callable[[np.ndarray, np.ndarray], np.ndarray],
    ) -> BothWays:
        """Both directions from the limits of every half-line, a block of observables at a time."""
        alpha = float(1.0 - np.sqrt(confidence))
        ours, theirs = self.band(p.shape[0], alpha), self.band(q.shape[0], alpha)
        step = max(1, _BLOCK // (p.shape[0] + q.shape[0]))
        parts: list[tuple[np.ndarray, np.ndarray]] = []
        for start in range(0, p.shape[1], step):
            x, y = half_line_counts(p[:, start : start + step], q[:, start : start + step])
            ahead = greatest(ours.low[x], theirs.high[y])
            parts.append((ahead, greatest(theirs.low[y], ours.high[x])))
        forward, backward = (np.concatenate(part, axis=1) for part in zip(*parts, strict=True))
        return BothWays(forward, backward, np.maximum(forward, backward))


@dataclass(frozen=True)
class DKW(BandMethod):
    """Bands by the inequality of Dvoretzky, Kiefer and Wolfowitz: simplest, and loosest.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> p, q = np.linspace(1, 2, 500), np.linspace(0, 1, 500)
        >>> result = estimators.delta_lower_bound(p, q, epsilon=0.0, method=estimators.DKW())
        >>> print(result.bound.round(2))
        0.87

    References:
        Massart (1990), The tight constant in the Dvoretzky-Kiefer-Wolfowitz inequality.
    """

    def words(self) -> str:
        """The method in words."""
        return "Dvoretzky-Kiefer-Wolfowitz bands"

    def band(self, n: int, alpha: float) -> Band:
        """See `BandMethod.band`."""
        return dkw_band(n, alpha)


@dataclass(frozen=True)
class EqualLocalLevel(BandMethod):
    """Bands whose limits all have the same local level (Berk-Jones type), exact in level.

    Nearly as tight in the tails as the bound of one event fixed in advance. Among the methods that
    give the whole curve at once, the one to use.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> p, q = np.linspace(1, 2, 500), np.linspace(0, 1, 500)
        >>> method = estimators.EqualLocalLevel()
        >>> print(estimators.delta_lower_bound(p, q, epsilon=0.0, method=method).bound.round(2))
        0.96

    References:
        Berk and Jones (1979), Goodness-of-fit test statistics that dominate the Kolmogorov
        statistics.
    """

    def words(self) -> str:
        """The method in words."""
        return "equal-local-level bands (Berk-Jones type), exact non-crossing probabilities"

    def band(self, n: int, alpha: float) -> Band:
        """See `BandMethod.band`."""
        return equal_local_level_band(n, alpha)
