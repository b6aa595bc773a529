"""Two independent binomials, one linear contrast: exact joint bounds on ``p - factor * q``.

The capped Stouffer region. Let ``a(p) = P(Bin(n, p) >= x)`` and ``b(q) = P(Bin(m, q) <= y)`` be
the exact one-sided p-values, ``z_p`` and ``z_q`` their upper normal scores. The null point
``(p, q)`` is rejected when

    z_p >= cap   or   z_q >= cap   or   w z_p + sqrt(1 - w**2) z_q >= level,

with ``cap`` the normal quantile at ``1 - kappa * alpha / 2`` and ``level`` such that two
independent standard normals are rejected with probability ``alpha``.

*Validity.* At the true ``(p, q)`` both p-values are independent and stochastically no smaller than
uniform, so both scores are stochastically no larger than standard normal; the region is increasing
in both, so the truth is rejected with probability at most ``alpha``, at every ``n``, ``m``, ``p``
and ``q``. The infimum of ``p - factor * q`` over the points not rejected is thus a lower bound at
level ``alpha``. The same holds with ``q`` the mass beyond an order statistic: given ``y`` points
beyond it, that mass is at most ``Beta(y + 1, m - y)`` in law, which is the law behind ``b``.

*Computation.* Scores fall as ``p`` grows and ``q`` shrinks, so the infimum is on the region's
border. The border is cut into cells; in each cell ``p`` is taken at the end where it is least and
``q`` at the end where it is greatest. This is a bound for every number of cells, and tends to the
infimum.

References:
    Clopper and Pearson (1934), for the two one-sided intervals; Stouffer et al. (1949), The
    American Soldier, volume 1, for the sum of scores.
"""

from functools import lru_cache
from typing import Any, NamedTuple, cast

import numpy as np
from jaxtyping import Float
from scipy.optimize import brentq
from scipy.special import betainccinv, betaincinv, ndtr, ndtri

from estimators.checks import check_within

KAPPA = 0.25
CELLS = 128
# betaincinv agrees with its forward function to about 1e-11 up to n = 1e5, 2e-9 up to n = 1e6.
SLACK = 1e-9
# The normal integral below is right to about 1e-13; the score is moved outward by far more.
LEVEL_SLACK = 1e-9
# At levels from here on the region's size was compared with one of 60 digits: it is never above.
LEAST_LEVEL = 1e-30
# Up to so many trials rates are kept: 2 MB a table.
_MOST_KEPT = 2048
# Cells of the border are in work together up to so many gaps at once.
_AT_ONCE = 2**14
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(256)


class Border(NamedTuple):
    """The border of the region in cells: the worst corner of cell k is ``(z_p[k], z_q[k])``."""

    z_p: Float[np.ndarray, " cells"]
    z_q: Float[np.ndarray, " cells"]


def lower_quantile(x: Any, n: int, z: Any) -> Float[np.ndarray, "..."]:
    """The least p whose score is below ``z``: Clopper-Pearson at level ``Phi(-z)``, rounded down.

    Args:
        x: successes, 0 to n; broadcasts against ``z``.
        n: trials.
        z: normal scores.

    Returns:
        Probabilities, 0 where x is 0.
    """
    x = np.asarray(x, dtype=np.float64)
    value = betaincinv(np.maximum(x, 1.0), n - np.maximum(x, 1.0) + 1.0, ndtr(-np.asarray(z)))
    return np.where(x > 0, np.nextafter(value * (1.0 - SLACK), 0.0), 0.0)


def upper_quantile(y: Any, m: int, z: Any) -> Float[np.ndarray, "..."]:
    """The greatest q whose score is below ``z``: Clopper-Pearson at level ``Phi(-z)``, rounded up.

    Args:
        y: successes, 0 to m; broadcasts against ``z``.
        m: trials.
        z: normal scores.

    Returns:
        Probabilities, 1 where y is m.
    """
    y = np.asarray(y, dtype=np.float64)
    inner = np.minimum(y, m - 1.0)
    value = betainccinv(inner + 1.0, m - inner, ndtr(-np.asarray(z)))
    return np.where(y < m, np.minimum(np.nextafter(value * (1.0 + SLACK), 2.0), 1.0), 1.0)


def rejection(cap: float, level: float, weight: float) -> float:
    """Probability that two independent standard normals fall in the region.

    Args:
        cap: least single score that rejects.
        level: least weighted sum that rejects.
        weight: weight of the first score.

    Returns:
        A probability, to a relative 1e-12 however small.
    """
    other = np.sqrt(1.0 - weight**2)
    low = min((level - weight * cap) / other, cap)
    start = max(low, -9.0)
    b = start + (cap - start) * (_NODES + 1.0) / 2.0
    density = np.exp(-0.5 * b**2) / np.sqrt(2.0 * np.pi)
    corner = (cap - start) / 2.0 * (_WEIGHTS @ (density * ndtr((other * b - level) / weight)))
    return float(ndtr(-cap) * (1.0 + ndtr(low)) + corner)


@lru_cache(maxsize=4096)
def critical_scores(alpha: float, weight: float, kappa: float = KAPPA) -> tuple[float, float]:
    """The cap and the level of the region of size ``alpha``.

    Args:
        alpha: probability of rejection, in [1e-30, 1), where the integral was checked.
        weight: weight of the first score, in [0.05, 0.9987] (the second has the rest).
        kappa: share of ``alpha`` given to the two caps, in [1e-3, 1]; 1 is Clopper-Pearson pairs.

    Returns:
        ``(cap, level)``.

    Raises:
        ValueError: when a number lies outside its range.
    """
    if not LEAST_LEVEL <= alpha < 1.0:
        raise ValueError(f"confidence: expected a level alpha in [1e-30, 1), found {alpha}")
    if not 0.05 <= weight <= 0.9988:
        raise ValueError(f"weight_p: expected numbers in [0.05, 0.9987], found {weight}")
    check_within("[0.001, 1]", kappa=kappa)
    cap = float(-ndtri(kappa * alpha / 2.0))
    reach = weight + float(np.sqrt(1.0 - weight**2))

    def excess(level: float) -> float:
        return rejection(cap, level, weight) - alpha

    level = brentq(excess, -9.0 * reach, reach * cap, xtol=1e-12)
    return cap, min(cast(float, level) + LEVEL_SLACK, reach * cap)


@lru_cache(maxsize=4096)
def region_border(alpha: float, weight: float, kappa: float = KAPPA, cells: int = CELLS) -> Border:
    """The border of the region of size ``alpha``, in cells with their worst corners.

    Args:
        alpha: probability of rejection, in (0, 1).
        weight: weight of the first score.
        kappa: share of ``alpha`` given to the caps, in [1e-3, 1].
        cells: number of cells.

    Returns:
        Scores ``z_p`` falling and ``z_q`` rising along the border; each point of the border lies in
        a cell k with its first score at most ``z_p[k]`` and its second at most ``z_q[k]``.
    """
    cap, level = critical_scores(alpha, weight, kappa)
    other = float(np.sqrt(1.0 - weight**2))
    first_low = (level - other * cap) / weight
    second_low = (level - weight * cap) / other
    share = np.linspace(0.0, 1.0, cells + 1)
    z_p = cap + share * (first_low - cap)
    z_q = second_low + share * (cap - second_low)
    return Border(z_p[:-1], z_q[1:])


def _checked_counts(count: Any, trials: int, name: str) -> np.ndarray:
    values = np.asarray(count)
    if values.dtype.kind not in "biu":
        raise TypeError(f"{name}: expected integer counts, found dtype {values.dtype}")
    values = values.astype(np.int64, copy=False)
    if trials < 1:
        raise ValueError(f"trials of {name}: expected at least 1, found {trials}")
    if values.size and (values.min() < 0 or values.max() > trials):
        raise ValueError(
            f"{name}: expected counts in [0, {trials}], found {values.min()} to {values.max()}"
        )
    return values


def _border_rates(
    counts: np.ndarray, trials: int, region: tuple[float, float, float, int], side: int
) -> Float[np.ndarray, "cells counts"]:
    """The rates p (side 0) or q (side 1) along the border of a region, at each count."""
    z, quantile = region_border(*region)[side][:, None], (lower_quantile, upper_quantile)[side]
    if trials > _MOST_KEPT:
        return quantile(counts, trials, z)
    # Searches ask for the same counts many times, and inverses take long: they are kept.
    known = _kept_rates(trials, region, side)
    missing = counts[np.isnan(known[0, counts])]
    known[:, missing] = quantile(missing, trials, z)
    return known[:, counts]


@lru_cache(maxsize=32)
def _kept_rates(
    trials: int, region: tuple[float, float, float, int], side: int
) -> Float[np.ndarray, "cells counts"]:
    """Rates that were computed, NaN where none was yet; filled by `_border_rates`."""
    del side
    return np.full((region[3], trials + 1), np.nan)


def joint_lower(
    x: Any,
    n: int,
    y: Any,
    m: int,
    factor: Any,
    confidence: float,
    weight_p: Any = None,
    *,
    kappa: float = KAPPA,
    cells: int = CELLS,
) -> Float[np.ndarray, "E ..."]:
    """Exact joint lower bound on ``p - factor * q`` from two independent binomial counts.

    ``inf { p - factor q : (p, q) not rejected by the capped Stouffer region of size alpha }``.

    Each entry is a bound on its own at the confidence given; the bounds of several entries do not
    hold together. The weights must not depend on the counts.

    Args:
        x: successes of the first binomial, integers in [0, n], any shape.
        n: its trials.
        y: successes of the second, integers in [0, m], broadcast with ``x``.
        m: its trials.
        factor: non-negative factors, shape [E] (a scalar counts as one).
        confidence: one minus the level alpha.
        weight_p: weight of the first score in [0.05, 0.9987], a scalar or one for each factor; the
            best is near ``s_p / hypot(s_p, factor * s_q)`` for the standard errors anticipated.
            None weighs by ``1/sqrt(n) : 1/sqrt(m)``.
        kappa: share of alpha for the single-score caps, in [1e-3, 1]; 1 is Clopper-Pearson pairs.
        cells: cells of the border; more are tighter and slower.

    Returns:
        Bounds of shape [E, *shape], in [-factor, 1].

    Raises:
        TypeError: when counts are not integers.
        ValueError: when a number lies outside its range.

    Example:
        >>> import numpy as np
        >>> from estimators.exact._binomial_pair import joint_lower
        >>> print(np.round(joint_lower([40, 90], 100, 20, 100, [1.0], 0.95), 3))
        [[0.077 0.579]]
    """
    x, y = _checked_counts(x, n, "x"), _checked_counts(y, m, "y")
    x, y = np.broadcast_arrays(x, y)
    factors = np.atleast_1d(np.asarray(factor, dtype=np.float64))
    if factors.ndim != 1 or not (np.isfinite(factors) & (factors >= 0)).all():
        raise ValueError(f"factor: expected non-negative numbers, a scalar or 1-D, found {factor}")
    if weight_p is None:
        weight_p = np.clip(np.sqrt(m / (n + m)), 0.05, 0.9987)
    weights = np.broadcast_to(np.asarray(weight_p, dtype=np.float64), factors.shape)

    pairs, where = np.unique(x.ravel() * (m + 1) + y.ravel(), return_inverse=True)
    xs, at_x = np.unique(pairs // (m + 1), return_inverse=True)
    ys, at_y = np.unique(pairs % (m + 1), return_inverse=True)
    bounds = np.empty((factors.size, pairs.size))
    for weight in np.unique(weights):
        region = (1.0 - confidence, float(weight), kappa, cells)
        low, high = _border_rates(xs, n, region, 0), _border_rates(ys, m, region, 1)
        chosen = np.flatnonzero(weights == weight)
        c = factors[chosen, None, None]
        best = np.full((chosen.size, pairs.size), np.inf)
        step = max(1, _AT_ONCE // max(best.size, 1))
        for k in range(0, cells, step):
            p, q = low[k : k + step], high[k : k + step]
            gaps = np.take(np.nextafter(c * q, np.inf), at_y, axis=2)
            np.subtract(np.take(p, at_x, axis=1), gaps, out=gaps)
            np.minimum(best, gaps.min(axis=1), out=best)
        bounds[chosen] = best
    outward = np.nextafter(bounds, -np.inf)
    return np.maximum(outward[:, where], -factors[:, None]).reshape(factors.size, *x.shape)


def joint_upper(
    x: Any,
    n: int,
    y: Any,
    m: int,
    factor: Any,
    confidence: float,
    weight_p: Any = None,
    *,
    kappa: float = KAPPA,
    cells: int = CELLS,
) -> Float[np.ndarray, "E ..."]:
    """Exact joint upper bound on ``p - factor * q``, by complement.

    ``p - factor q = (1 - factor) - [(1 - p) - factor (1 - q)]``, with `joint_lower` for the
    bracket.

    Args:
        x: successes of the first binomial, integers in [0, n], any shape.
        n: its trials.
        y: successes of the second, integers in [0, m], broadcast with ``x``.
        m: its trials.
        factor: non-negative factors, shape [E] (a scalar counts as one).
        confidence: one minus the level alpha.
        weight_p: as in `joint_lower`.
        kappa: as in `joint_lower`.
        cells: as in `joint_lower`.

    Returns:
        Bounds of shape [E, *shape], in [-factor, 1].

    Raises:
        TypeError: when counts are not integers.
        ValueError: when a number lies outside its range.

    Example:
        >>> import numpy as np
        >>> from estimators.exact._binomial_pair import joint_upper
        >>> print(np.round(joint_upper([40, 20], 100, 20, 100, [1.0], 0.95), 3))
        [[0.33  0.118]]
    """
    x, y = _checked_counts(x, n, "x"), _checked_counts(y, m, "y")
    lower = joint_lower(n - x, n, m - y, m, factor, confidence, weight_p, kappa=kappa, cells=cells)
    c = np.atleast_1d(np.asarray(factor, dtype=np.float64))
    c = c.reshape(c.size, *([1] * (lower.ndim - 1)))
    outward = np.nextafter(np.nextafter(1.0 - c, np.inf) - lower, np.inf)
    return np.minimum(outward, 1.0)
