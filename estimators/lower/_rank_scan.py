"""Many rank tests at once: a bound on epsilon or delta by scanning it upward from 0.

The scanned parameter runs through fixed cells. In each cell the ranks and levels of the tests are
constant and the levels add up to at most alpha; their p-values grow along the cell.

*Validity.* Let the true parameter lie in a cell. The scan ends beyond it only if some test of that
very cell rejects at the truth, since p-values grow along the cell and the scan must pass to its
right end. That has probability at most alpha, by the union bound over one cell. Nothing is paid
for the other cells.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from estimators.exact._cross_ranks import cross_ranks
from estimators.lower._rank_test import LEVEL_CUT, Direction, critical_count, tail
from estimators.lower._target import DeltaAt, Target

# Each design holds from so many points on. It has the ranks of the thresholds, and the shares of
# the level that they get. Ranks are ratios to the one at which randomised response of the same
# epsilon and delta has its atom, (1 - delta) / (1 + e^epsilon). The numbers were tuned on normal
# and Laplace shifts; the tests are valid with any.
DESIGNS: tuple[tuple[int, tuple[float, ...], tuple[float, ...]], ...] = (
    (0, (1.0,), (1.0,)),
    (40, (1.0, 0.15, 0.03), (0.66, 0.25, 0.09)),
    (150, (1.0, 0.65, 0.15, 0.045), (0.18, 0.24, 0.33, 0.25)),
    (750, (1.0, 0.65, 0.15, 0.045, 0.008), (0.18, 0.24, 0.28, 0.22, 0.08)),
)

EPSILON_CELLS = np.concatenate(
    [np.arange(0.0, 3.0, 0.1), np.arange(3.0, 8.0, 0.25), np.arange(8.0, 50.1, 1.0)]
)
DELTA_CELLS = np.concatenate([[0.0, 0.02], np.arange(0.05, 1.01, 0.05)])
_HALVINGS = 14


class RankCounts(NamedTuple):
    """Points of one sample strictly beyond the order statistics of the other.

    Attributes:
        up_q: row i holds P's points above the order statistic of Q with i points of Q above.
        up_p: row i holds Q's points below the order statistic of P with i points of P below.
        down_q: row i holds P's points below the order statistic of Q with i points of Q below.
        down_p: row i holds Q's points above the order statistic of P with i points of P above.
        n: points of P.
        m: points of Q.
    """

    up_q: Int[np.ndarray, "k j"]
    up_p: Int[np.ndarray, "l j"]
    down_q: Int[np.ndarray, "k j"]
    down_p: Int[np.ndarray, "l j"]
    n: int
    m: int

    def swapped(self) -> "RankCounts":
        """The same with P and Q exchanged."""
        return RankCounts(self.down_p, self.down_q, self.up_p, self.up_q, self.m, self.n)


def count_beyond(p: Float[np.ndarray, "n j"], q: Float[np.ndarray, "m j"]) -> RankCounts:
    """Counts at the lower half of the ranks, which is all that a scan asks for.

    Args:
        p: samples of P.
        q: samples of Q.

    Returns:
        Counts for each observable.
    """
    n, m = p.shape[0], q.shape[0]
    half_p, half_q = n // 2 + 1, m // 2 + 1
    ranks = cross_ranks(p, q)
    # The points below a rank are counted from the least point on, those above from the greatest.
    up_q, up_p = n - ranks.p_upto.T[: -half_q - 1 : -1], ranks.q_below.T[:half_p]
    down_q, down_p = ranks.p_below.T[:half_q], m - ranks.q_upto.T[: -half_p - 1 : -1]
    a, b, c, d = (np.ascontiguousarray(rows) for rows in (up_q, up_p, down_q, down_p))
    return RankCounts(a, b, c, d, n, m)


class _Tests(NamedTuple):
    """The tests of one cell: which counts they look at, and from where on these reject.

    Attributes:
        source: index into (up_q, up_p, down_q, down_p) of `RankCounts`.
        rank: row of that array.
        n: greatest count.
        m: points among which the rank is counted.
        level: of the test.
        at_start: least count that rejects at the cell's left end.
        at_end: least count that rejects at its right end.
    """

    source: Int[np.ndarray, " t"]
    rank: Int[np.ndarray, " t"]
    n: Int[np.ndarray, " t"]
    m: Int[np.ndarray, " t"]
    level: Float[np.ndarray, " t"]
    at_start: Int[np.ndarray, " t"]
    at_end: Int[np.ndarray, " t"]

    def held(self, counts: RankCounts, columns: Int[np.ndarray, " j"]) -> Int[np.ndarray, "t j"]:
        """The count that each test looks at, for some observables."""
        rows = [counts[source][rank] for source, rank in zip(self.source, self.rank, strict=True)]
        return np.stack(rows)[:, columns]

    def rejections(
        self,
        test: Int[np.ndarray, " k"],
        held: Int[np.ndarray, " k"],
        column: Int[np.ndarray, " k"],
        start: float,
        end: float,
    ) -> "_Rejections":
        """What `_Rejections` says of some tests, each at the count that an observable holds."""
        each = (column[test] for column in (self.n, self.rank, self.m, self.level))
        ends = (np.full(test.shape, edge) for edge in (start, end))
        return _Rejections(column, held, *each, *ends)


class _Rejections(NamedTuple):
    """Tests that reject at the left end of their cell and not at its right end.

    Attributes:
        column: the observable.
        held: the count that it holds.
        n: greatest count.
        rank: of the threshold.
        m: points among which the rank is counted.
        level: of the test.
        start: left end of the cell.
        end: right end.
    """

    column: Int[np.ndarray, " k"]
    held: Int[np.ndarray, " k"]
    n: Int[np.ndarray, " k"]
    rank: Int[np.ndarray, " k"]
    m: Int[np.ndarray, " k"]
    level: Float[np.ndarray, " k"]
    start: Float[np.ndarray, " k"]
    end: Float[np.ndarray, " k"]


def _ranks(points: int, atom: float) -> tuple[Int[np.ndarray, " t"], Float[np.ndarray, " t"]]:
    """Distinct ranks and their shares of the level, at the atom's mass ``atom``."""
    _, ratios, shares = max(design for design in DESIGNS if design[0] <= points)
    ranks = np.rint(points * atom * np.array(ratios)).astype(np.int64)
    distinct, where = np.unique(np.clip(ranks, 0, points // 2), return_inverse=True)
    return distinct, np.bincount(where, weights=np.array(shares))


class _Question(NamedTuple):
    """What a scan asks, whatever the samples hold: all that critical counts depend on."""

    n: int
    m: int
    target: Target
    direction: Direction
    up_share: float
    alpha: float

    def place(self, value: Float[np.ndarray, " t"]) -> tuple[np.ndarray, np.ndarray]:
        """Factor and delta at values of the scanned parameter."""
        if isinstance(self.target, DeltaAt):
            return np.exp(np.full(value.shape, self.target.epsilon)), value
        return np.exp(value), np.full(value.shape, self.target.delta)

    def at(self, start: float) -> list[np.ndarray]:
        """Source, rank, n, m and level of the tests of the cell that begins at ``start``."""
        factor, delta = self.place(np.array([start]))
        atom = float((1.0 - delta[0]) / (1.0 + factor[0]))
        both = self.direction == "either"
        parts: list[list[np.ndarray]] = []
        for up, share in ((True, self.up_share), (False, 1.0 - self.up_share)):
            level = self.alpha * share / (2.0 if both else 1.0)
            for at_q in (True, False) if both else (True,):
                n, m = (self.n, self.m) if at_q else (self.m, self.n)
                rank, weight = _ranks(m, atom)
                source = 2 * (not up) + (not at_q)
                alike = [np.full(rank.shape, value, dtype=np.int64) for value in (source, n, m)]
                parts.append([alike[0], rank, alike[1], alike[2], level * weight])
        return [np.concatenate(column) for column in zip(*parts, strict=True)]


@lru_cache(maxsize=2048)
def _cells(question: _Question, first: int, last: int) -> list[_Tests]:
    """The tests of cells ``first`` to ``last - 1``, their critical counts found all at once."""
    edges = _edges(question)
    cells = [question.at(edges[cell]) for cell in range(first, last)]
    sizes = [len(cell[0]) for cell in cells]
    source, rank, n, m, level = (np.concatenate(column) for column in zip(*cells, strict=True))
    ends = [np.repeat(edges[first + side : last + side], sizes) for side in (0, 1)]
    factor, delta = question.place(np.concatenate(ends))
    n2, rank2, m2, level2 = (np.concatenate([column, column]) for column in (n, rank, m, level))
    critical = critical_count(n2, rank2, m2, factor, delta, question.direction, level2)
    columns = (source, rank, n, m, level, critical[: len(n)], critical[len(n) :])
    splits = np.cumsum(sizes)[:-1]
    return [
        _Tests._make(cell) for cell in zip(*(np.split(c, splits) for c in columns), strict=True)
    ]


def _edges(question: _Question) -> Float[np.ndarray, " edges"]:
    return DELTA_CELLS if isinstance(question.target, DeltaAt) else EPSILON_CELLS


def _every_cell(question: _Question) -> Iterator[_Tests]:
    """Tests cell by cell, prepared in blocks that double: most scans end early."""
    first, size, cells = 0, 1, len(_edges(question)) - 1
    while first < cells:
        yield from _cells(question, first, min(first + size, cells))
        first, size = first + size, 2 * size


def scan(
    counts: RankCounts,
    target: Target,
    direction: Direction,
    up_share: float,
    alpha: float,
) -> Float[np.ndarray, " j"]:
    """Lower bound for each observable.

    Args:
        counts: see `count_beyond`.
        target: what to bound, at one number.
        direction: what is bounded; "backward" is "forward" on ``counts.swapped()``.
        up_share: share of the level for events above a threshold.
        alpha: level of each observable's bound.

    Returns:
        Bounds of at least 0, rounded down.
    """
    question = _Question(counts.n, counts.m, target, direction, up_share, alpha)
    edges = _edges(question)
    bound = np.zeros(counts.up_q.shape[1])
    active = np.arange(bound.size)
    last: list[_Rejections] = []
    for start, end, tests in zip(edges[:-1], edges[1:], _every_cell(question), strict=True):
        held = tests.held(counts, active)
        passes = (held >= tests.at_end[:, None]).any(axis=0)
        if not passes.all():
            bound[active[~passes]] = start
            rejects = (held >= tests.at_start[:, None]) & ~passes
            test, column = np.nonzero(rejects)
            if test.size:
                last.append(tests.rejections(test, held[rejects], active[column], start, end))
        active = active[passes]
        if not active.size:
            break
        bound[active] = end
    if last:
        # All cells at once: few long calls take a fraction of the time of many short ones.
        rejections = _Rejections._make(map(np.concatenate, zip(*last, strict=True)))
        np.maximum.at(bound, rejections.column, _invert(question, rejections))
    return bound


def _invert(question: _Question, rejections: _Rejections) -> Float[np.ndarray, " k"]:
    """Where in its cell each test stops to reject, rounded down."""
    # Many observables hold the same count: each is inverted once.
    different, where = np.unique(np.stack(rejections[1:], axis=1), axis=0, return_inverse=True)
    held, n, rank, m = (column.astype(np.int64) for column in different.T[:4])
    level, low, high = different.T[4:].copy()
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        factor, delta = question.place(middle)
        p = tail(held, n, rank, m, factor, delta, question.direction, level * LEVEL_CUT)
        low, high = np.where(p <= level, middle, low), np.where(p <= level, high, middle)
    return low[where.ravel()]
