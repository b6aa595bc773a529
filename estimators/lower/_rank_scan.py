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
    p, q = np.sort(p, axis=0), np.sort(q, axis=0)
    half_p, half_q = n // 2 + 1, m // 2 + 1
    up_q, down_q = np.empty((2, half_q, p.shape[1]), dtype=np.int32)
    up_p, down_p = np.empty((2, half_p, p.shape[1]), dtype=np.int32)
    for j in range(p.shape[1]):
        a, b = np.ascontiguousarray(p[:, j]), np.ascontiguousarray(q[:, j])
        up_q[:, j] = n - np.searchsorted(a, b[::-1][:half_q], "right")
        down_q[:, j] = np.searchsorted(a, b[:half_q], "left")
        up_p[:, j] = np.searchsorted(b, a[:half_p], "left")
        down_p[:, j] = m - np.searchsorted(b, a[::-1][:half_p], "right")
    return RankCounts(up_q, up_p, down_q, down_p, n, m)


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
    for start, end, tests in zip(edges[:-1], edges[1:], _every_cell(question), strict=True):
        held = tests.held(counts, active)
        passes = (held >= tests.at_end[:, None]).any(axis=0)
        if not passes.all():
            held = held[:, ~passes]
            best = np.full(held.shape[1], start)
            test, column = np.nonzero(held >= tests.at_start[:, None])
            if test.size:
                found = _invert(question, tests, test, held[test, column], start, end)
                np.maximum.at(best, column, found)
            bound[active[~passes]] = best
        active = active[passes]
        if not active.size:
            break
        bound[active] = end
    return bound


def _invert(
    question: _Question,
    tests: _Tests,
    test: Int[np.ndarray, " k"],
    held: Int[np.ndarray, " k"],
    start: float,
    end: float,
) -> Float[np.ndarray, " k"]:
    """Where in [start, end] each test stops to reject, rounded down, from a table of its counts."""
    most = int(tests.n.max()) + 1
    pairs, where = np.unique(test * most + held, return_inverse=True)
    test, held = pairs // most, pairs % most
    n, rank, m, level = (column[test] for column in (tests.n, tests.rank, tests.m, tests.level))
    low, high = np.full(pairs.size, start), np.full(pairs.size, end)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        factor, delta = question.place(middle)
        p = tail(held, n, rank, m, factor, delta, question.direction, level * LEVEL_CUT)
        low, high = np.where(p <= level, middle, low), np.where(p <= level, high, middle)
    return low[where]
