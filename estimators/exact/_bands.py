"""Limits on the mass of every half-line at once, from the number of points it holds."""

from functools import lru_cache
from typing import NamedTuple, cast

import numpy as np
from jaxtyping import Float
from scipy.optimize import brentq
from scipy.special import betaincinv

from estimators.exact._binomial_pair import SLACK
from estimators.exact._noncrossing import noncrossing

# Up to this size every order statistic is a boundary; beyond, boundaries are thinned.
DENSE = 2_000


class Band(NamedTuple):
    """Limits on the mass of a half-line that holds k of n points, for k = 0..n.

    Attributes:
        low: least mass, non-decreasing in k, 0 at k = 0.
        high: greatest mass, non-decreasing in k, 1 at k = n.
    """

    low: Float[np.ndarray, " counts"]
    high: Float[np.ndarray, " counts"]


def _boundaries(n: int) -> np.ndarray:
    """Ranks that carry a boundary: all of them, or spaced by a tenth of their own deviation."""
    if n <= DENSE:
        return np.arange(1, n + 1)
    ranks = [1]
    while ranks[-1] <= n // 2:
        share = ranks[-1] / n
        ranks.append(ranks[-1] + max(1, int(0.1 * np.sqrt(n * share * (1.0 - share)))))
    half = np.array(ranks[:-1])
    # The ranks are symmetric, so that a half-line and its mirror image get the same limits.
    return np.unique(np.concatenate([half, n + 1 - half]))


def _order_limits(n: int, local: float) -> Float[np.ndarray, " n"]:
    """Lower limit of each order statistic at the local level; between boundaries, the one below."""
    ranks = _boundaries(n)
    limits = betaincinv(ranks, n - ranks + 1.0, local)
    return limits[np.searchsorted(ranks, np.arange(1, n + 1), side="right") - 1]


def band_probability(n: int, local: float) -> float:
    """Probability that the band at a local level holds the whole distribution function.

    Args:
        n: sample size.
        local: level of each single limit, in (0, 0.5).

    Returns:
        A probability.
    """
    low = _order_limits(n, local)
    high = 1.0 - low[::-1]
    return noncrossing(low, np.maximum(high, low)) if (high >= low).all() else 0.0


@lru_cache(maxsize=256)
def local_level(n: int, alpha: float) -> float:
    """The local level at which the two-sided band of n points holds with probability 1 - alpha.

    Args:
        n: sample size.
        alpha: probability that the band fails anywhere, in (0, 1).

    Returns:
        The level of each single limit: at least ``alpha / (2 n)``, at most ``alpha / 2``.

    Example:
        >>> from estimators.exact._bands import local_level
        >>> print(f"{local_level(100, 0.05):.5f}")
        0.00110
    """
    if n == 1:
        return alpha / 2.0

    def excess(log_level: float) -> float:
        return band_probability(n, float(np.exp(log_level))) - (1.0 - alpha)

    # The band can only fail where a limit fails: 2 n limits at this level are always enough.
    least, most = np.log(alpha / (2.0 * n)), np.log(alpha / 2.0)
    level = cast(float, brentq(excess, least, most, xtol=1e-4))
    while excess(level) < 0.0:
        level -= 2e-4
    return float(np.exp(level))


@lru_cache(maxsize=64)
def equal_local_level_band(n: int, alpha: float) -> Band:
    """Limits on every half-line at once, each at the same local level (Berk-Jones type).

    The limits are Clopper-Pearson limits at the level of `local_level`. They hold for the mass of
    ``{x > t}``, ``{x >= t}``, ``{x < t}`` and ``{x <= t}`` at every t together, with probability at
    least ``1 - alpha``, whatever the law of the points: with ties the count below t is a binomial
    process read at fewer places.

    Args:
        n: sample size.
        alpha: probability that any limit fails.

    Returns:
        The band, rounded outward.

    References:
        Berk and Jones (1979), Goodness-of-fit test statistics that dominate the Kolmogorov
        statistics; Gontscharuk, Landwehr and Finner (2016), Goodness of fit tests in terms of local
        levels, for the equal local levels.
    """
    low = np.zeros(n + 1)
    low[1:] = np.nextafter(_order_limits(n, local_level(n, alpha)) * (1.0 - SLACK), 0.0)
    return Band(low, 1.0 - low[::-1])


@lru_cache(maxsize=64)
def dkw_band(n: int, alpha: float) -> Band:
    """Limits on every half-line at once by the Dvoretzky-Kiefer-Wolfowitz inequality.

    ``sup_t |F_n(t) - F(t)| <= sqrt(ln(2 / alpha) / (2 n))`` with probability at least
    ``1 - alpha``.

    Args:
        n: sample size.
        alpha: probability that any limit fails.

    Returns:
        The band.

    References:
        Massart (1990), The tight constant in the Dvoretzky-Kiefer-Wolfowitz inequality.
    """
    share = np.arange(n + 1) / n
    width = np.sqrt(np.log(2.0 / alpha) / (2.0 * n)) * (1.0 + SLACK)
    return Band(np.maximum(share - width, 0.0), np.minimum(share + width, 1.0))
