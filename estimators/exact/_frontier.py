"""Frontiers of a class of events: the counts that no other event of the class improves on.

An event of the class holds ``x`` of the n points of P and ``y`` of the m points of Q. Both the
plug-in divergence ``x/n - c y/m`` and the pointwise upper bound grow with ``x`` and fall with
``y``, so their greatest value over the class is reached on the frontier

    F(y) = the most points of P that an event of the class holds with at most y points of Q.

Every function here works on one direction and returns counts ``x`` and ``y`` that contain the
frontier, a column an observable. Equal values are never split.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from estimators.exact._binomial_pair import joint_upper
from estimators.exact._cross_ranks import cross_ranks

# Up to so many different pairs of counts, pruning costs more than it saves.
FEW_PAIRS = 4_000
# Blocks a side in the first stage of pruning, and how much smaller they get from stage to stage.
BLOCKS = 128
SHRINK = 8
# Values are told apart by a table of all that are possible, up to so many entries a value.
_TABLE = 8

# It takes (x, n, y, m, factor, confidence) to bounds [factors, *shape], as `joint_upper` does.
Pointwise = Callable[..., Float[np.ndarray, "..."]]


class Counts(NamedTuple):
    """Counts of P and of Q in candidate events, a column an observable."""

    x: Int[np.ndarray, "events observables"]
    y: Int[np.ndarray, "events observables"]


class TieGroups(NamedTuple):
    """Distinct pooled values of one observable, rising, and how often each sample takes them."""

    p: Int[np.ndarray, " groups"]
    q: Int[np.ndarray, " groups"]


def half_line_counts(p: Float[np.ndarray, "n J"], q: Float[np.ndarray, "m J"]) -> Counts:
    """Counts of P and Q in every half-line, both orientations, empty and full event included.

    Args:
        p: samples of P.
        q: samples of Q.

    Returns:
        Counts of shape [2 (n + m + 1), J]; a position inside a tie group stands for the empty
        event and its complement, which keeps the shape the same for all observables.
    """
    n, total = p.shape[0], p.shape[0] + q.shape[0]
    # A row an observable: rows lie together in memory, so that sorting them is fast.
    pooled = np.concatenate([p.T, q.T], axis=1)
    order = np.argsort(pooled, axis=1)
    values = np.take_along_axis(pooled, order, axis=1)
    x, y = np.zeros((2, total + 1, p.shape[1]), dtype=np.int32)
    x[1:] = np.cumsum(order < n, axis=1, dtype=np.int32).T
    y[1:] = np.arange(1, total + 1)[:, None] - x[1:]
    apart = (values[:, 1:] != values[:, :-1]).T
    x[1:-1] *= apart
    y[1:-1] *= apart
    return Counts(np.concatenate([x, n - x]), np.concatenate([y, total - n - y]))


def half_line_frontier(p: Float[np.ndarray, "n J"], q: Float[np.ndarray, "m J"]) -> Counts:
    """F(y) for half-lines of both orientations, y = 0, ..., m.

    Args:
        p: samples of P.
        q: samples of Q.

    Returns:
        Counts of shape [m + 1, J].
    """
    return on_every_count(cross_ranks(p, q).frontier())


def on_every_count(x: Int[np.ndarray, "counts J"]) -> Counts:
    """Frontiers with the counts y = 0, ..., m that they belong to.

    Args:
        x: F(0), ..., F(m), a column an observable.

    Returns:
        Counts of the shape of ``x``.
    """
    return Counts(x, np.broadcast_to(np.arange(len(x))[:, None], x.shape))


def tie_groups(p: Float[np.ndarray, " n"], q: Float[np.ndarray, " m"]) -> TieGroups:
    """Distinct pooled values of one observable with the number of points of P and Q at each.

    Args:
        p: samples of P.
        q: samples of Q.

    Returns:
        The groups in rising order of their value.
    """
    values, where = np.unique(np.concatenate([p, q]), return_inverse=True)
    in_p = np.bincount(where[: p.size], minlength=values.size)
    return TieGroups(in_p, np.bincount(where[p.size :], minlength=values.size))


def merge_runs(groups: TieGroups) -> TieGroups:
    """Neighbouring groups without Q become one, and neighbouring groups without P.

    No frontier is lost: an interval that ends within a run without Q may take all of it, and one
    that ends within a run without P may leave all of it.

    Args:
        groups: tie groups in rising order.

    Returns:
        Runs in rising order; only mixed groups can follow one another.
    """
    kind = np.where(groups.q == 0, 0, np.where(groups.p == 0, 1, 2))
    starts = np.flatnonzero(np.r_[True, (kind[1:] != kind[:-1]) | (kind[1:] == 2)])
    return TieGroups(np.add.reduceat(groups.p, starts), np.add.reduceat(groups.q, starts))


def interval_frontier(groups: TieGroups, k: int) -> Int[np.ndarray, " counts"]:
    """F(y) for unions of at most k intervals, by dynamic programming over runs of tie groups.

    The state after a run is the number of intervals opened so far, whether the last is still open,
    and the points of Q held; its value is the most points of P held. O(runs * k * m).

    Args:
        groups: tie groups in rising order.
        k: number of intervals, at least 1; each may be a half-line or the whole line.

    Returns:
        The frontier for y = 0, ..., m.
    """
    runs = merge_runs(groups)
    m = int(groups.q.sum())
    impossible = np.int32(-(2**30))
    closed = np.zeros((k + 1, m + 1), dtype=np.int32)
    inside = np.full((k, m + 1), impossible, dtype=np.int32)
    for a, b in zip(runs.p.tolist(), runs.q.tolist(), strict=True):
        entered = np.maximum(inside[:, : m + 1 - b], closed[:-1, : m + 1 - b])
        inside[:, b:] = entered
        inside[:, :b] = impossible
        if a:
            inside += np.int32(a)
            np.maximum(closed[1:], inside, out=closed[1:])
    return closed[-1].astype(np.int64)


def discrete_frontier(groups: TieGroups) -> Int[np.ndarray, " counts"]:
    """F(y) for all sets of values: a knapsack of values, with Q as weight and P as worth.

    Args:
        groups: the values seen, in any order.

    Returns:
        The frontier for y = 0, ..., m.
    """
    m = int(groups.q.sum())
    best = np.full(m + 1, groups.p[groups.q == 0].sum(), dtype=np.int64)
    mixed = (groups.p > 0) & (groups.q > 0)
    for a, b in zip(groups.p[mixed].tolist(), groups.q[mixed].tolist(), strict=True):
        best[b:] = np.maximum(best[b:], best[: m + 1 - b] + a)
    return best


def greatest_difference(
    counts: Counts, n: int, m: int, factor: Float[np.ndarray, " E"]
) -> Float[np.ndarray, "E J"]:
    """Plug-in divergence: the greatest ``x/n - c y/m`` over the events, at least 0.

    Args:
        counts: candidate events of each observable.
        n: points of P.
        m: points of Q.
        factor: the factors c.

    Returns:
        The greatest difference for each factor and observable; 0 is the empty event's.
    """
    p, q = counts.x / n, counts.y / m
    best = [np.maximum((p - c * q).max(axis=0), 0.0) for c in factor]
    return np.stack(best)


def greatest_upper(
    counts: Counts,
    n: int,
    m: int,
    factor: Float[np.ndarray, " E"],
    confidence: float,
    pointwise: Pointwise = joint_upper,
) -> Float[np.ndarray, "E J"]:
    """Greatest pointwise upper bound on ``p - c q`` over the events, each at ``confidence``.

    When there are many different pairs of counts, events that cannot reach the maximum are left
    out first: the bound at a pair is at most the bound at the best corner of its block of counts
    (most of P, least of Q), and the maximum is at least the bound at the event of greatest plug-in.
    Blocks shrink from stage to stage. The result is the same number.

    Args:
        counts: candidate events of each observable.
        n: points of P.
        m: points of Q.
        factor: the factors c.
        confidence: one minus the level of each pointwise bound.
        pointwise: the bound at one event; grows with ``x`` and falls with ``y``.

    Returns:
        The greatest bound for each factor and observable.
    """
    frontier = undominated(counts, m)
    pairs, where = _distinct(frontier.x * (m + 1) + frontier.y, (n + 1) * (m + 1))
    x, y = np.divmod(pairs, m + 1)

    def bound(
        x: Int[np.ndarray, " pairs"], y: Int[np.ndarray, " pairs"], c: Float[np.ndarray, " factors"]
    ) -> Float[np.ndarray, "factors pairs"]:
        return pointwise(x, n, y, m, c, confidence)

    if pairs.size <= FEW_PAIRS:
        return np.stack([row[where].max(axis=0) for row in bound(x, y, factor)])
    best = np.empty((factor.size, where.shape[1]))
    for row, c in zip(best, factor[:, None], strict=True):
        top = (x / n - c * (y / m))[where].argmax(axis=0)
        chosen = where[top, np.arange(row.size)]
        row[:] = bound(x[chosen], y[chosen], c)[0]
        alive, column = where.ravel(), np.tile(np.arange(row.size), m + 1)
        size = max(n, m) // BLOCKS
        while size > 1:
            blocks, at = np.unique(
                x[alive] // size * (m + 1) + y[alive] // size, return_inverse=True
            )
            most, least = np.divmod(blocks, m + 1)
            corner = bound(np.minimum(most * size + size - 1, n), least * size, c)[0, at]
            alive, column = alive[corner > row[column]], column[corner > row[column]]
            size //= SHRINK
        left, at = np.unique(alive, return_inverse=True)
        np.maximum.at(row, column, bound(x[left], y[left], c)[0, at])
    return best


def undominated(counts: Counts, m: int) -> Counts:
    """The frontier at y = 0, ..., m, each point moved to the least y that has as many points of P.

    Args:
        counts: candidate events, the empty one (or one like it) among them.
        m: points of Q.

    Returns:
        Counts of shape [m + 1, J], many of them repeated.
    """
    observables = counts.x.shape[1]
    x = np.zeros((m + 1, observables), dtype=np.int64)
    # On flat arrays of one type `at` is many times faster.
    place = counts.y.astype(np.int64) * observables + np.arange(observables)
    np.maximum.at(x.reshape(-1), place.ravel(), counts.x.astype(np.int64).ravel())
    np.maximum.accumulate(x, axis=0, out=x)
    y = np.arange(m + 1)[:, None] * (np.diff(x, axis=0, prepend=-1) > 0)
    return Counts(x, np.maximum.accumulate(y, axis=0))


def _distinct(
    values: Int[np.ndarray, "..."], size: int
) -> tuple[Int[np.ndarray, " distinct"], Int[np.ndarray, "..."]]:
    """The different values, rising, and the place of each entry among them; all below ``size``."""
    if size > _TABLE * values.size:
        found, where = np.unique(values, return_inverse=True)
        return found, where.reshape(values.shape)
    # A table of what occurs is far faster than sorting.
    occurs = np.zeros(size, dtype=bool)
    occurs[values] = True
    return np.flatnonzero(occurs), (np.cumsum(occurs) - 1)[values]
