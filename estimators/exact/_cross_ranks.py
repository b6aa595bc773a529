"""Where the points of each of two samples lie among the other's: all that half-lines can see."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int


class CrossRanks(NamedTuple):
    """Points of one sample below each point of the other, which rise along a row.

    Arrays have a row an observable. Where no value is in both samples, the counts strictly below
    and at or below are one array.

    Attributes:
        q_below: points of Q strictly below each point of P.
        q_upto: points of Q at or below each point of P.
        p_below: points of P strictly below each point of Q.
        p_upto: points of P at or below each point of Q.
    """

    q_below: Int[np.ndarray, "J n"]
    q_upto: Int[np.ndarray, "J n"]
    p_below: Int[np.ndarray, "J m"]
    p_upto: Int[np.ndarray, "J m"]

    def swapped(self) -> "CrossRanks":
        """The same with P and Q exchanged."""
        return CrossRanks(self.p_below, self.p_upto, self.q_below, self.q_upto)

    def frontier(self) -> Int[np.ndarray, "counts J"]:
        """The most points of P in a half-line that holds at most y of Q, for y = 0, ..., m."""
        n, m = self.q_below.shape[1], self.p_below.shape[1]
        most = np.full((m + 1, len(self.p_below)), n)
        # A half-line with at most y of Q ends before its point y + 1, from below or from above.
        np.maximum(self.p_below.T, n - self.p_upto.T[::-1], out=most[:m])
        return most


def cross_ranks(p: Float[np.ndarray, "n J"], q: Float[np.ndarray, "m J"]) -> CrossRanks:
    """Ranks of each sample's points among the other's, each observable alone.

    Args:
        p: samples of P.
        q: samples of Q.

    Returns:
        The ranks.

    Example:
        >>> ranks = cross_ranks(np.array([[1.0], [3.0], [5.0]]), np.array([[4.0], [3.0]]))
        >>> ranks.p_below.tolist(), ranks.p_upto.tolist(), ranks.q_upto.tolist()
        ([[1, 2]], [[2, 2]], [[0, 1, 2]])
    """
    # A row an observable: rows lie together in memory, so that sorting and searching are fast.
    a, b = (np.array(sample.T, order="C") for sample in (p, q))
    n = a.shape[1]
    a.sort(axis=1)
    b.sort(axis=1)
    p_below = np.empty(b.shape, dtype=np.int32)
    for row, own, other in zip(p_below, a, b, strict=True):
        row[:] = own.searchsorted(other)
    shared = np.take_along_axis(a, np.minimum(p_below, n - 1), axis=1) == b
    tied = np.flatnonzero(shared.any(axis=1))
    q_below = _at_most(p_below, n)
    if not tied.size:
        return CrossRanks(q_below, q_below, p_below, p_below)
    p_upto = p_below.copy()
    for j in tied:
        p_upto[j] = a[j].searchsorted(b[j], "right")
    # A point of Q is below P's point i where at most i of P are at or below it.
    return CrossRanks(_at_most(p_upto, n), q_below, p_below, p_upto)


def _at_most(counts: Int[np.ndarray, "J m"], n: int) -> Int[np.ndarray, "J n"]:
    """How many of a row's counts, from 0 to n, are at most 0, ..., n - 1."""
    rows = len(counts)
    places = counts + np.arange(0, rows * (n + 1), n + 1)[:, None]
    found = np.bincount(places.ravel(), minlength=rows * (n + 1)).reshape(rows, n + 1)
    return np.cumsum(found[:, :n], axis=1, dtype=np.int32)
