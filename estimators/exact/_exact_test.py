"""Exact tests that ``p - factor * q`` is below a number, from two independent binomial counts.

The hypothesis is ``p - c q >= D``; few successes of the first binomial and many of the second
speak against it. A test is a *region* of outcomes, closed under fewer of the first and more of the
second, and is stored as the greatest count ``x`` that is rejected at each count ``y``.

*Level.* ``P(region)`` falls with p and grows with q, so that over the hypothesis it is greatest on
the line ``p = c q + D``: lowering p and then raising q moves every other point of the hypothesis
there. On that line it is a polynomial in q of degree ``n + m``. At the k * (n + m) Chebyshev nodes
of the line its greatest value is at least ``cos(pi / (2 k))`` times its supremum (Ehlich and
Zeller), so that the level holds at every p and q. Masses are rounded upward.

*Order.* Outcomes are rejected in the order of an estimated p-value: the probability, at the maximum
likelihood estimate on the line, of a score statistic as small. They are taken in for as long as the
level holds. Whatever the order, the level is right; this one is the most powerful of those that we
know, above all at unequal sizes.

*Nested.* Outcomes whose joint bound (`joint_upper`) is at most D come first. So a test at D rejects
whenever the joint bound does, and going down a grid of D from the joint bound, as far as every test
rejects, is a bound with the level of a single test: it lies below the truth only where the test at
the grid's last number below the truth has rejected it.

References:
    Ehlich and Zeller (1964), "Schwankung von Polynomen zwischen Gitterpunkten", Mathematische
    Zeitschrift 86. Lloyd (2008), "Exact p-values for discrete models obtained by estimation and
    maximization", Australian and New Zealand Journal of Statistics 50.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtri

from estimators.exact._binomial_pair import joint_upper
from estimators.exact._binomial_window import binomial_window

# Beyond this many models in all the joint bound is nearly as tight, and far faster.
GREATEST_TOTAL = 2048
# Chebyshev nodes a degree: the level that is not used is 2 % of it.
_NODES = 8
_FEW_NODES = 2
# Outcomes whose score is this far from the level's normal quantile need no p-value.
_BAND = 0.5
# Rows of masses in work at once.
_ROWS = 2048
_BISECTIONS = 30
_WIDEST = 16.0
_TINY = np.finfo(np.float64).tiny


@lru_cache(maxsize=512)
def rejected_counts(
    n: int, m: int, factor: float, difference: float, alpha: float
) -> Int[np.ndarray, " counts"]:
    """The test of ``p - factor q >= difference``: the greatest x rejected at each y.

    Args:
        n: trials of the first binomial.
        m: trials of the second; ``n + m`` at most `GREATEST_TOTAL` keeps it fast.
        factor: c, at least 1.
        difference: D, in (0, 1).
        alpha: level.

    Returns:
        For y = 0, ..., m a count in -1 (none is rejected) to n; it does not fall with y.

    Example:
        >>> rejected_counts(20, 20, 1.0, 0.3, 0.05)[[0, 5, 10, 20]].tolist()
        [2, 6, 10, 20]
    """
    null = _Null(n, m, factor, difference)
    first = _rejected_by_joint_bound(null, alpha)
    scored = _scores(null)
    band = _BAND
    while (region := _region(null, alpha, scored, first, band)) is None:
        band = 2.0 * band if band < _WIDEST else np.inf
    region.flags.writeable = False
    return region


def chance_of_rejection(
    n: int, m: int, factor: float, tested: float, alpha: float, difference: float
) -> float:
    """The greatest probability that a test rejects although ``p - factor q >= difference``.

    Args:
        n: trials of the first binomial.
        m: trials of the second.
        factor: c, at least 1.
        tested: D of the test of ``p - factor q >= D``; that of `rejected_counts`, or of the joint
            bound above `GREATEST_TOTAL` trials in all.
        alpha: level of the test.
        difference: the true difference, at least D and below 1.

    Returns:
        An upper bound on it: alpha at D, and falling with the difference.

    Example:
        >>> print(f"{chance_of_rejection(100, 100, 1.0, 0.2, 0.05, 0.3):.4f}")
        0.0012
    """
    region = _decided(n, m, factor, tested, alpha)
    # The region is closed in the same way, so that its probability is greatest on a line, too.
    null = _Null(n, m, factor, difference)
    seen = _greatest_probability(null, region, alpha, _FEW_NODES)
    return min(seen / math.cos(math.pi / (2 * _FEW_NODES)), alpha)


@lru_cache(maxsize=64)
def _decided(
    n: int, m: int, factor: float, tested: float, alpha: float
) -> Int[np.ndarray, " counts"]:
    if n + m <= GREATEST_TOTAL:
        return rejected_counts(n, m, factor, tested, alpha)
    return _rejected_by_joint_bound(_Null(n, m, factor, tested), alpha)


class _Null(NamedTuple):
    """The line ``p = factor * q + difference`` and the trials of both binomials."""

    n: int
    m: int
    factor: float
    difference: float

    def ends(self) -> tuple[float, float]:
        """The least and the greatest q on the line."""
        return 0.0, (1.0 - self.difference) / self.factor

    def p(self, q: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """The other rate on the line."""
        return np.minimum(self.factor * q + self.difference, 1.0)


class _Scored(NamedTuple):
    """Of each outcome: its score, rising in x and falling in y, and q of greatest likelihood."""

    z: Float[np.ndarray, "x y"]
    q: Float[np.ndarray, "x y"]


def _region(
    null: _Null, alpha: float, scored: _Scored, first: Int[np.ndarray, " y"], band: float
) -> Int[np.ndarray, " y"] | None:
    """The region that holds ``first``, or None where it does not end within a band of scores."""
    z, centre = scored.z, float(ndtri(alpha))
    start = np.maximum((z <= centre - band).sum(axis=0) - 1, first)
    outside = np.arange(null.n + 1)[:, None] > start
    x, y = np.nonzero(outside & (z < centre + band))
    order = np.where(outside, np.inf, -np.inf)
    order[x, y] = _estimated_pvalues(null, alpha, scored, x, y)
    # An outcome comes after all those that speak more strongly against the hypothesis.
    np.maximum.accumulate(order, axis=0, out=order)
    order = np.maximum.accumulate(order[:, ::-1], axis=1)[:, ::-1]
    steps = np.append(-np.inf, np.unique(order[np.isfinite(order)]))

    def region(step: int) -> Int[np.ndarray, " y"]:
        return (order <= steps[step]).sum(axis=0) - 1

    # A search on few nodes overlooks a little: the level that it is held to leaves room for that.
    aim = 0.999 * math.cos(math.pi / (2 * _NODES)) * alpha
    low, high = -1, steps.size
    while high - low > 1:
        middle = (low + high) // 2
        within = _greatest_probability(null, region(middle), alpha, 1) <= aim
        low, high = (middle, high) if within else (low, middle)
    if high == steps.size and not outside.all() and (z >= centre + band).any():
        return None
    while low >= 0 and _level(null, region(low), alpha) > alpha:
        low -= 1
    if low >= 0:
        return region(low)
    return first if (start == first).all() else None


def _level(null: _Null, region: Int[np.ndarray, " y"], alpha: float) -> float:
    """An upper bound on the probability of a region under the hypothesis."""
    seen = _greatest_probability(null, region, alpha, _NODES)
    return seen / math.cos(math.pi / (2 * _NODES)) * (1.0 + 1e-9)


def _greatest_probability(
    null: _Null, region: Int[np.ndarray, " y"], alpha: float, nodes: int
) -> float:
    """The greatest probability at so many Chebyshev nodes of the line a degree."""
    count = nodes * (null.n + null.m)
    low, high = null.ends()
    q = low + (high - low) * np.sin((np.arange(count) + 0.5) * (math.pi / (2 * count))) ** 2
    return max(
        float(_probabilities(null, region[None], q[rows : rows + _ROWS], alpha).max())
        for rows in range(0, count, _ROWS)
    )


def _probabilities(
    null: _Null, regions: Int[np.ndarray, "k y"], q: Float[np.ndarray, " rates"], alpha: float
) -> Float[np.ndarray, " rates"]:
    """Probability of each region, or of the only one, at each rate on the line; rounded up."""
    x = binomial_window(null.n, null.p(q), alpha)
    y = binomial_window(null.m, q, alpha)
    counts = np.clip(y.first + np.arange(y.mass.shape[1]), 0, null.m)
    regions = np.broadcast_to(regions, (q.size, null.m + 1))
    # Places 0, 1, ... stand for none of the window's counts, for its first, and so on.
    place = np.take_along_axis(regions, counts, axis=1) - x.first + 1
    below = np.zeros((q.size, x.mass.shape[1] + 1))
    np.cumsum(x.mass, axis=1, out=below[:, 1:])
    below += x.below[:, None]
    held = np.take_along_axis(below, np.clip(place, 0, below.shape[1] - 1), axis=1)
    held = np.where(place >= below.shape[1], 1.0, held)
    total = (y.mass * held).sum(axis=1) + y.below + y.above
    return np.minimum(total * (1.0 + 1e-9), 1.0)


def _scores(null: _Null) -> _Scored:
    """Standardised ``x/n - c y/m - D``, with the variance at the likeliest point of the line."""
    n, m, c, _ = null
    x, y = np.arange(n + 1.0)[:, None], np.arange(m + 1.0)
    low, high = (np.full((n + 1, m + 1), end) for end in null.ends())
    for _ in range(_BISECTIONS):
        q = (low + high) / 2.0
        p = null.p(q)
        # The likelihood is concave along the line.
        rising = c * (x / p - (n - x) / np.maximum(1.0 - p, _TINY)) + y / q > (m - y) / (1.0 - q)
        low, high = np.where(rising, q, low), np.where(rising, high, q)
    q = (low + high) / 2.0
    p = null.p(q)
    deviation = np.sqrt(p * (1.0 - p) / n + c * c * q * (1.0 - q) / m)
    z = (x / n - c * y / m - null.difference) / np.maximum(deviation, 1e-6)
    np.maximum.accumulate(z, axis=0, out=z)
    return _Scored(np.maximum.accumulate(z[:, ::-1], axis=1)[:, ::-1], q)


def _estimated_pvalues(
    null: _Null, alpha: float, scored: _Scored, x: Int[np.ndarray, " k"], y: Int[np.ndarray, " k"]
) -> Float[np.ndarray, " k"]:
    """At each outcome's likeliest point, the probability of a score as small as that outcome's."""
    scores, q = scored.z[x, y] + 1e-9, scored.q[x, y]
    found = np.empty(scores.size)
    for first in range(0, scores.size, _ROWS):
        rows = slice(first, first + _ROWS)
        columns = [np.searchsorted(z, scores[rows], "right") - 1 for z in scored.z.T]
        found[rows] = _probabilities(null, np.stack(columns, axis=1), q[rows], alpha)
    return found


def _rejected_by_joint_bound(null: _Null, alpha: float) -> Int[np.ndarray, " y"]:
    """The greatest x at each y whose joint bound is at most the difference, or -1."""
    n, m, c, difference = null
    low, high = np.full(m + 1, -1), np.full(m + 1, n + 1)
    y = np.arange(m + 1)
    while (high - low > 1).any():
        middle = np.clip((low + high) // 2, 0, n)
        bound = joint_upper(middle, n, y, m, [c], 1.0 - alpha)[0]
        within = bound <= difference
        low, high = np.where(within, middle, low), np.where(within, high, middle)
    return np.maximum.accumulate(low)
