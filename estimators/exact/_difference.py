"""The difference of two binomial rates: the exact unconditional bound.

``p - q > D`` is claimed when ``sup { P(X/n - Y/m >= t) : p - q = D } <= alpha`` at the difference
``t`` observed. The probability grows with p and falls with q, so the supremum over ``p - q <= D``
is on the line ``p - q = D`` and grows with D: the bound is the greatest D that is rejected.

*The supremum is rigorous.* On a cell ``a <= q <= b`` of the line the probability is at most its
value at ``(p, q) = (b + D, a)``. Cells that this does not bring down to alpha are halved until
either it does or the middle of one exceeds alpha.

References:
    Santner and Snell, "Small-sample confidence intervals for p1 - p2 and p1/p2 in 2 x 2
    contingency tables", JASA 75 (1980).
"""

from functools import lru_cache

import numpy as np
from jaxtyping import Float
from scipy.special import ndtri

from estimators.exact._binomial_window import binomial_window

# Beyond this many models in all the joint region is nearly as tight, and far faster.
GREATEST_TOTAL = 2048
_CELLS = 32
_HALVINGS = 20
# The bound is found to this share of the difference's standard error.
_RESOLUTION = 0.01


def _difference_tail(
    excess: int,
    n: int,
    m: int,
    p: Float[np.ndarray, " k"],
    q: Float[np.ndarray, " k"],
    alpha: float,
) -> Float[np.ndarray, " k"]:
    """``P(m X - n Y >= excess)`` at given rates, rounded up: far tails count in full.

    They are a small share of ``alpha``, the level with which the probability will be compared.
    """
    x, y = binomial_window(n, p, alpha), binomial_window(m, q, alpha)
    least = -((-excess - n * (y.first + np.arange(y.mass.shape[1]))) // m) - x.first
    beyond = np.cumsum(x.mass[:, ::-1], axis=1)[:, ::-1] + x.above[:, None]
    beyond = np.concatenate([beyond, x.above[:, None]], axis=1)
    held = np.take_along_axis(beyond, np.clip(least, 0, beyond.shape[1] - 1), axis=1)
    held = np.where(least < 0, 1.0, held)
    tail = (y.mass * held).sum(axis=1) + y.below + y.above
    # A sum of positive terms is right to a relative error, however small it is.
    return np.minimum(tail * (1.0 + 1e-9) + np.finfo(np.float64).tiny, 1.0)


def _rejected(excess: int, n: int, m: int, difference: float, alpha: float) -> bool:
    """Whether the supremum at ``p - q = difference`` is at most alpha."""
    edges = np.linspace(0.0, 1.0 - difference, _CELLS + 1)
    low, high = edges[:-1], edges[1:]
    for _ in range(_HALVINGS):
        worst = _difference_tail(excess, n, m, np.minimum(high + difference, 1.0), low, alpha)
        low, high = low[worst > alpha], high[worst > alpha]
        if not low.size:
            return True
        middle = (low + high) / 2.0
        reached = _difference_tail(
            excess, n, m, np.minimum(middle + difference, 1.0), middle, alpha
        )
        if (reached > alpha).any():
            return False
        low, high = np.concatenate([low, middle]), np.concatenate([middle, high])
    return False


def difference_lower(x: int, n: int, y: int, m: int, alpha: float) -> float:
    """Exact lower bound on ``p - q`` from one pair of counts.

    Args:
        x: successes of the first binomial.
        n: its trials.
        y: successes of the second.
        m: its trials; ``n + m`` at most `GREATEST_TOTAL` keeps it fast.
        alpha: level.

    Returns:
        A bound in [0, 1), 0 when no positive difference is shown.

    Example:
        >>> round(difference_lower(9, 10, 1, 10, 0.05), 2)
        0.43
    """
    return _bound(x * m - y * n, n, m, alpha)


@lru_cache(maxsize=65536)
def _bound(excess: int, n: int, m: int, alpha: float) -> float:
    seen = excess / (n * m)
    if excess <= 0 or not _rejected(excess, n, m, 0.0, alpha):
        return 0.0
    error = max(np.sqrt((1.0 - seen**2) / 4.0 * (1.0 / n + 1.0 / m)), 0.1 / np.sqrt(n + m))
    resolution = _RESOLUTION * error
    low, high = 0.0, seen
    probe = seen + ndtri(alpha) * error
    while high - low > resolution:
        if not low < probe < high:
            probe = (low + high) / 2.0
        if _rejected(excess, n, m, float(probe), alpha):
            low, probe = float(probe), float(probe) + 4.0 * resolution
        else:
            high, probe = float(probe), float(probe) - 4.0 * resolution
    return low
