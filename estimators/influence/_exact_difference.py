"""The difference of two rates, exactly: the score test without conditions, inverted.

For a difference D the tables (x of n, y of m) are ordered by the score statistic, and the p-value
of a table is the greatest probability, over all rates that differ by D, of a table at least as
extreme. The lower limit is the last D of a grid up to which all are rejected at half of the level:
if the truth lies between two of the grid, then for the limit to pass it the next D of the grid, at
which the hypothesis "at most D" is true, had to be rejected. So the grid costs width, not validity.

*The supremum is rigorous.* The order is made monotone (rising in x, falling in y), so over all
rates that differ by at most D the supremum is where they differ by D. There the probability is a
polynomial of degree ``n + m``; its maximum is at most that over K Chebyshev nodes, divided by
``cos(pi (n + m) / 2K)``.

References:
    Chan and Zhang (1999), Test-based exact confidence intervals for the difference of two binomial
    proportions; Miettinen and Nurminen (1985), Comparative analysis of two rates, for the score;
    Ehlich and Zeller (1964), Schwankung von Polynomen zwischen Gitterpunkten, for the nodes.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from jaxtyping import Float
from scipy.special import xlog1py, xlogy

from estimators._results import ConfidenceInterval
from estimators.checks import check_within
from estimators.exact._binomial_window import log_choose
from estimators.influence._inclusion import INDEPENDENT_ARMS, Arms, Kind

# All tables of two sizes take time that grows with the fourth power of their models.
GREATEST_MODELS = 256
_NODES_A_DEGREE = 4
_TABLES_A_BLOCK = 256


@dataclass(frozen=True)
class ExactDifference:
    """Exact interval for 0/1 outcomes by inverting the unconditional score test; small samples.

    Never below its level, whatever the rates. All tables of two sizes are solved at once and kept:
    with balanced masks all examples share them. Some seconds for 200 models.

    Attributes:
        step: limits are rounded outward to multiples of this, in [0.001, 0.1].

    Raises:
        ValueError: when the step lies outside its range.

    References:
        Chan and Zhang (1999), Test-based exact confidence intervals for the difference of two
        binomial proportions.
    """

    step: float = 0.01
    kinds: ClassVar[tuple[Kind, ...]] = ("0/1",)
    least: ClassVar[int] = 1

    def __post_init__(self) -> None:
        check_within("[0.001, 0.1]", step=self.step)

    def limits(self, arms: Arms, confidence: float) -> ConfidenceInterval:
        """Both ends, each at half of the level.

        Raises:
            ValueError: when there are more models than the search is made for.
        """
        n_in, n_out = np.broadcast_arrays(arms.n_in, arms.n_out, arms.mean_in)[:2]
        models = int((n_in + n_out).max(initial=0))
        if models > GREATEST_MODELS:
            raise ValueError(
                f"method: ExactDifference expected at most {GREATEST_MODELS} models, found {models}"
            )
        x, y = arms.counts()
        low, high = np.empty(x.shape), np.empty(x.shape)
        for n, m in np.unique(np.stack([n_in.ravel(), n_out.ravel()]), axis=1).T.tolist():
            here = (n_in == n) & (n_out == m)
            table = _lower_limits(n, m, (1.0 - confidence) / 2.0, self.step)
            low[here] = table[x[here], y[here]]
            # With failures for successes the difference changes its sign.
            high[here] = -table[n - x[here], m - y[here]]
        return ConfidenceInterval(low, high)

    def words(self) -> str:
        """The method in words, with its grid."""
        return f"exact unconditional score test inverted on a grid of {self.step:g}"

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Independence; nothing else."""
        return (INDEPENDENT_ARMS,)


def score_statistics(n: int, m: int, difference: float) -> Float[np.ndarray, "x y"]:
    """Score statistics of all tables for ``p - q = difference``.

    The rates' standard error is at their likeliest values that differ so, in closed form.

    Args:
        n: trials of the first binomial.
        m: trials of the second.
        difference: in (-1, 1).
    """
    x, y = np.arange(n + 1.0)[:, None], np.arange(m + 1.0)[None]
    total, successes = n + m, x + y
    square = ((n + 2 * m) * difference - total - successes) / (3.0 * total)
    linear = ((m * difference - total - 2.0 * y) * difference + successes) / (3.0 * total)
    constant = y * difference * (1.0 - difference) / (2.0 * total)
    bent = square**3 - 1.5 * linear * square + constant
    root = np.copysign(np.sqrt(np.maximum(square**2 - linear, 0.0)), bent)
    ratio = np.divide(bent, root**3, out=np.ones_like(bent), where=root != 0)
    angle = (np.pi + np.arccos(np.clip(ratio, -1.0, 1.0))) / 3.0
    q = np.clip(2.0 * root * np.cos(angle) - square, max(0.0, -difference), 1.0)
    q = np.minimum(q, 1.0 - max(difference, 0.0))
    p = np.clip(q + difference, 0.0, 1.0)
    error = np.sqrt(p * (1.0 - p) / n + q * (1.0 - q) / m)
    gap = x / n - y / m - difference
    # Where both rates are 0 or 1 there is no error, and no gap beyond what rounding leaves.
    return np.divide(gap, error, out=np.zeros_like(gap), where=error > 1e-7)


def _law(trials: int, rates: Float[np.ndarray, " k"]) -> Float[np.ndarray, "x k"]:
    count = np.arange(trials + 1.0)[:, None]
    log_law = xlogy(count, rates) + xlog1py(trials - count, -rates)
    return np.exp(log_choose(trials)[:, None] + log_law)


def _rejected_tables(n: int, m: int, difference: float, alpha: float) -> np.ndarray:
    """The tables whose p-value for ``p - q <= difference`` is at most alpha."""
    degree = n + m
    nodes = _NODES_A_DEGREE * degree
    cosines = np.cos((2.0 * np.arange(nodes) + 1.0) * np.pi / (2.0 * nodes))
    # The nodes lie between the least and the greatest q that leave both rates within [0, 1].
    q = max(0.0, -difference) + (1.0 - abs(difference)) * (cosines + 1.0) / 2.0
    law_in, law_out = _law(n, np.clip(q + difference, 0.0, 1.0)), _law(m, q)
    most = alpha * np.cos(np.pi * degree / (2.0 * nodes)) * (1.0 - 1e-9)

    score = score_statistics(n, m, difference)
    score = np.maximum.accumulate(score, axis=0)
    score = np.maximum.accumulate(score[:, ::-1], axis=1)[:, ::-1]
    order = np.argsort(-score, axis=None, kind="stable")
    ranked = score.ravel()[order]
    # A table is no less extreme than another within rounding of it.
    last = np.searchsorted(-ranked, -ranked + 1e-9, side="right")
    rows, columns = np.unravel_index(order, score.shape)
    reached = np.zeros(nodes)
    allowed = order.size
    for first in range(0, order.size, _TABLES_A_BLOCK):
        block = slice(first, first + _TABLES_A_BLOCK)
        masses = np.cumsum(law_in[rows[block]] * law_out[columns[block]], axis=0) + reached
        above = masses.max(axis=1) > most
        if above.any():
            allowed = first + int(above.argmax())
            break
        reached = masses[-1]
    rejected = np.zeros(order.size, dtype=bool)
    rejected[order] = last <= allowed
    return rejected.reshape(score.shape)


@lru_cache(maxsize=128)
def _lower_limits(n: int, m: int, alpha: float, step: float) -> Float[np.ndarray, "x y"]:
    """Lower limits of the difference for all tables: a multiple of the step, or -1."""
    limits = np.full((n + 1, m + 1), -1.0)
    alive = np.ones(limits.shape, dtype=bool)
    for k in range(1 - int(np.ceil(1.0 / step)), int(np.ceil(1.0 / step))):
        difference = k * step
        if not -1.0 < difference < 1.0:
            continue
        alive &= _rejected_tables(n, m, difference, alpha)
        if not alive.any():
            break
        limits[alive] = difference
    limits.flags.writeable = False
    return limits
