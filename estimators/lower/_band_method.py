"""Lower bounds from limits on the masses of all half-lines at once."""

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from estimators.exact._bands import Band, dkw_band, equal_local_level_band
from estimators.exact._frontier import half_line_counts
from estimators.lower._limits import bound_from_limits
from estimators.lower._method import DirectedBounds, LowerBoundMethod
from estimators.lower._target import Target

# How many half-lines are in work at once: it limits the memory and leaves the result alone.
_BLOCK = 500_000


class BandMethod(LowerBoundMethod):
    """A band of each distribution function, each population at the square root of the confidence.

    The samples are independent, so both bands hold together at the confidence asked for, and with
    them the bounds of all half-lines, of both directions and at every epsilon: there is nothing to
    split, and ``forward``, ``backward`` and ``bound`` are from the same band.
    """

    @abstractmethod
    def band(self, n: int, alpha: float) -> Band:
        """Limits on the mass of a half-line by the number of points it holds.

        Args:
            n: sample size.
            alpha: probability that any limit fails.

        Returns:
            The band.
        """

    def solve(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        target: Target,
        alpha: float,
    ) -> DirectedBounds:
        """See `LowerBoundMethod.solve`; a block of observables at a time."""
        band_p, band_q = self._bands(p.shape[0], q.shape[0], alpha)
        step = max(1, _BLOCK // (p.shape[0] + q.shape[0]))
        parts: list[tuple[np.ndarray, np.ndarray]] = []
        for start in range(0, p.shape[1], step):
            x, y = half_line_counts(p[:, start : start + step], q[:, start : start + step])
            forward = bound_from_limits(band_p.low[x][None], band_q.high[y][None], target)
            backward = bound_from_limits(band_q.low[y][None], band_p.high[x][None], target)
            parts.append((forward, backward))
        forward, backward = (np.concatenate(part, axis=1) for part in zip(*parts, strict=True))
        return DirectedBounds(forward, backward, np.maximum(forward, backward))

    def reach(
        self, n: int, m: int, epsilon: Float[np.ndarray, " e"], confidence: float
    ) -> Float[np.ndarray, " e"]:
        """The bound of samples that do not overlap at all."""
        band_p, band_q = self._bands(n, m, 1.0 - confidence)
        factor = np.exp(epsilon)
        forward = band_p.low[-1] - factor * band_q.high[0]
        return np.maximum(np.maximum(forward, band_q.low[-1] - factor * band_p.high[0]), 0.0)

    def _bands(self, n: int, m: int, alpha: float) -> tuple[Band, Band]:
        """The bands of both samples, which hold together with probability one minus alpha."""
        each = float(1.0 - np.sqrt(1.0 - alpha))
        return self.band(n, each), self.band(m, each)


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
