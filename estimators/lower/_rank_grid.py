"""The default lower bound: exact rank tests at a grid of order statistics."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float

from estimators.checks import check_seed, check_within
from estimators.lower._fixed_event import bound_event, choose_event
from estimators.lower._method import DirectedBounds, LowerBoundMethod, separate_samples
from estimators.lower._pilot import (
    drawn_by,
    fold_centre,
    fold_levels,
    folded,
    levels,
    orientation,
    pilot_size,
    shuffled,
    tied,
)
from estimators.lower._rank_scan import count_beyond, scan
from estimators.lower._rank_test import Direction
from estimators.lower._target import DeltaAt, Target

# The share of the level that goes to events in which P lies above Q, by the pilot's evidence.
UP_SHARES = {-2: 0.04, -1: 0.12, 0: 0.5, 1: 0.88, 2: 0.96}
# The share of the level that goes to distances from a centre, by the pilot's evidence of a change
# of scale. Chosen by the mean bounds over shifts, changes of scale, and both together.
FOLD_SHARES = (0.0, 0.3, 0.7)
# Columns are in work in blocks of about this many values a side.
_BLOCK = 4_000_000

Asked = tuple[Direction, float]
"""A direction, and the level of its bound."""
Sides = tuple[np.ndarray, np.ndarray]
"""Models of P and of Q, a column an observable."""


@dataclass(frozen=True)
class RankGrid(LowerBoundMethod):
    """Rank tests on half-lines of each observable, exact at every sample size.

    Thresholds are order statistics of both samples at ranks fixed by (epsilon, delta) alone; the
    law of the count beyond each under the least favourable pair is known exactly, and the level is
    split over them and over both orientations. A small pilot (``pilot * sqrt(models)`` a side,
    not used again) says which orientation gets most of the level, and finds observables of few
    distinct values: for those it names one event, bounded by its two binomial counts.

    Where the pilot shows a change of scale beyond any change of place, it also declares a centre c
    and a share s of the level, and half-lines of ``|x - c|`` are looked at besides those of x: both
    tails together, or what lies between them. The greater bound counts.

    *Validity.* Given the pilot, c and s are numbers and ``|x - c|`` is a fixed function of a model;
    the models outside the pilot are independent of it. By data processing, no divergence between
    the two laws of ``|x - c|`` exceeds that of the models. The bound by half-lines of x fails with
    probability at most ``(1 - s) alpha``, the one by half-lines of ``|x - c|`` with at most
    ``s alpha``, hence the greater of the two with at most ``alpha`` (a union bound): given every
    pilot, and so on the whole. Nothing is paid where s is 0.

    The bound is then one on the divergence over all events, and may exceed that over half-lines.

    Attributes:
        pilot: size of the pilot in units of ``sqrt(models)``; 0 sets no models aside. Sides of
            fewer than 30 models never have one.
        seed: joins the digest of the samples in drawing the pilot; None leaves the digest alone,
            so that nobody can choose the draw.
        two_sided: whether the pilot may add ``|x - c|``. Without it, every event that the bound
            rests on is a half-line of an observable, as beside an upper bound over half-lines.

    Example:
        >>> from estimators.lower._rank_grid import RankGrid
        >>> RankGrid(pilot=0.0).words()
        'rank grid without a pilot'

    References:
        `estimators.lower._rank_test` for the exact law, `estimators.lower._rank_scan` for the
        inversion.
    """

    pilot: float = 0.8
    seed: int | None = None
    two_sided: bool = True

    def __post_init__(self) -> None:
        check_within("[0, 100]", pilot=self.pilot)
        if self.seed is not None:
            check_seed(self.seed)

    def words(self) -> str:
        """The method in words."""
        if not self.pilot:
            return "rank grid without a pilot"
        drawn = drawn_by(self.seed)
        words = f"rank grid with a pilot of {self.pilot:g} sqrt(models) a side drawn by {drawn}"
        return f"{words}, which may add a two-sided score" if self.two_sided else words

    def solve(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        target: Target,
        alpha: float,
    ) -> DirectedBounds:
        """See `LowerBoundMethod.solve`.

        The tests of ``bound`` see both directions at once, with the whole level; ``forward`` and
        ``backward`` have half of it each.
        """
        both: Asked = ("either", alpha)
        same = target.symmetric[:, None]
        if same.all():
            (bound,) = self._bounds(p, q, target, (both,))
            return DirectedBounds(bound, bound, bound)
        half = alpha / 2.0
        bound, *halves = self._bounds(p, q, target, (both, ("forward", half), ("backward", half)))
        forward, backward = (np.where(same, bound, found) for found in halves)
        return DirectedBounds(forward, backward, bound)

    def either(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        target: Target,
        alpha: float,
    ) -> Float[np.ndarray, "e j"]:
        """See `LowerBoundMethod.either`."""
        return self._bounds(p, q, target, (("either", alpha),))[0]

    def forward(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        target: Target,
        alpha: float,
    ) -> Float[np.ndarray, "e j"]:
        """Lower bounds for P against Q alone, with the whole level.

        Args:
            p: samples of P, a column an observable.
            q: samples of Q.
            target: `DeltaAt` some epsilons, or `EpsilonAt` some deltas.
            alpha: probability with which a bound may fail.

        Returns:
            Bounds of at least 0.
        """
        return self._bounds(p, q, target, (("forward", alpha),))[0]

    def reach(
        self, n: int, m: int, epsilon: Float[np.ndarray, " e"], confidence: float
    ) -> Float[np.ndarray, " e"]:
        """The bound of samples that do not overlap at all.

        In their pilot no distance from a centre differs by more than the values do, so that the
        half-lines have the whole level. Distances that do not overlap would have a part of it only.
        """
        method, alpha = replace(self, seed=None), 1.0 - confidence
        return np.array([_grid_reach(method, n, m, float(e), alpha) for e in epsilon])

    def undetermined(
        self, n: int, m: int, target: Target, confidence: float
    ) -> Bool[np.ndarray, " e"]:
        """See `LowerBoundMethod.undetermined`."""
        if not isinstance(target, DeltaAt):
            return super().undetermined(n, m, target, confidence)
        method, alpha = replace(self, seed=None), 1.0 - confidence
        return np.array([not _grid_tells(method, n, m, float(e), alpha) for e in target.numbers])

    def _bounds(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        target: Target,
        asked: tuple[Asked, ...],
    ) -> list[Float[np.ndarray, "e j"]]:
        """One bound for each direction and its level; a block of observables at a time."""
        pilot_sizes = pilot_size(p.shape[0], self.pilot), pilot_size(q.shape[0], self.pilot)
        if min(pilot_sizes) > 0:
            p, q = shuffled(p, q, self.seed)
        else:
            pilot_sizes = (0, 0)
        step = max(_BLOCK // max(p.shape[0], q.shape[0]), 1)
        blocks = [slice(first, first + step) for first in range(0, p.shape[1], step)]
        found = [
            grid_bounds(
                p[:, block], q[:, block], pilot_sizes, target, asked, two_sided=self.two_sided
            )
            for block in blocks
        ]
        return [np.concatenate(parts, axis=1) for parts in zip(*found, strict=True)]


def grid_bounds(
    p: Float[np.ndarray, "n j"],
    q: Float[np.ndarray, "m j"],
    pilot_sizes: tuple[int, int],
    target: Target,
    asked: tuple[Asked, ...],
    *,
    two_sided: bool = True,
) -> list[Float[np.ndarray, "e j"]]:
    """Bounds by rank tests, and by one event where the pilot shows few distinct values.

    Args:
        p: samples of P, the pilot first.
        q: samples of Q, the pilot first.
        pilot_sizes: models of P and of Q in the pilot, or 0 and 0.
        target: what to bound.
        asked: the directions to bound, each with the level of its bound.
        two_sided: whether the pilot may add distances from a centre to what is looked at.

    Returns:
        Bounds of at least 0, one array for each direction asked.
    """
    size_p, size_q = pilot_sizes
    pilots, counted = (p[:size_p], q[:size_q]), (p[size_p:], q[size_q:])
    if not size_p or not two_sided:
        return _bounds_of(pilots, counted, np.ones(p.shape[1]), target, asked)
    centre = fold_centre(*pilots)
    place, scale = orientation(*pilots), orientation(*_folded(pilots, centre))
    share = np.array(FOLD_SHARES)[fold_levels(place, scale)]
    found = _bounds_of(pilots, counted, 1.0 - share, target, asked)
    at = np.flatnonzero(share)
    if at.size:
        aside, others = (
            _folded((ours[:, at], theirs[:, at]), centre[at]) for ours, theirs in (pilots, counted)
        )
        more = _bounds_of(aside, others, share[at], target, asked)
        for bounds, of_distances in zip(found, more, strict=True):
            bounds[:, at] = np.maximum(bounds[:, at], of_distances)
    return found


def _folded(sides: Sides, centre: Float[np.ndarray, " j"]) -> Sides:
    return folded(sides[0], centre), folded(sides[1], centre)


def _bounds_of(
    pilots: Sides,
    counted: Sides,
    share: Float[np.ndarray, " j"],
    target: Target,
    asked: tuple[Asked, ...],
) -> list[Float[np.ndarray, "e j"]]:
    """Bounds from one score of each observable, which gets its share of every level."""
    (pilot_p, pilot_q), (p, q) = pilots, counted
    found = [np.zeros((target.numbers.size, p.shape[1])) for _ in asked]
    evidence = np.zeros(p.shape[1], dtype=np.int64)
    discrete = np.zeros(p.shape[1], dtype=bool)
    if pilot_p.size:
        evidence = levels(orientation(pilot_p, pilot_q))
        discrete = tied(pilot_p, pilot_q)
    kinds = np.stack([evidence, share])[:, ~discrete]
    for kind, part in np.unique(kinds, axis=1).T:
        columns = np.flatnonzero((evidence == kind) & (share == part) & ~discrete)
        counts = count_beyond(p[:, columns], q[:, columns])
        up = UP_SHARES[int(kind)]
        for (direction, alpha), bounds in zip(asked, found, strict=True):
            for e, question in enumerate(target.each()):
                if direction == "backward":
                    # It is forward once the samples, and with them the orientations, are exchanged.
                    row = scan(counts.swapped(), question, "forward", 1.0 - up, part * alpha)
                else:
                    row = scan(counts, question, direction, up, part * alpha)
                bounds[e, columns] = row
    for j in np.flatnonzero(discrete):
        samples = (p[:, j], q[:, j], pilot_p[:, j], pilot_q[:, j])
        for (direction, alpha), bounds in zip(asked, found, strict=True):
            for e, question in enumerate(target.each()):
                bounds[e, j] = _event_bound(*samples, question, direction, share[j] * alpha)
    return found


# Samples that do not overlap look alike in every order, so that no seed matters below.
@lru_cache(maxsize=1024)
def _grid_reach(method: RankGrid, n: int, m: int, epsilon: float, alpha: float) -> float:
    return max(_apart(method, n, m, epsilon, alpha))


@lru_cache(maxsize=1024)
def _grid_tells(method: RankGrid, n: int, m: int, epsilon: float, alpha: float) -> bool:
    return any(bound > 0.0 for bound in _apart(method, n, m, epsilon, alpha))


def _apart(method: RankGrid, n: int, m: int, epsilon: float, alpha: float) -> Iterator[float]:
    """Bounds of samples that do not overlap; first of those without ties, which take less time."""
    for p, q in reversed(separate_samples(n, m)):
        yield float(method.either(p, q, DeltaAt(epsilon), alpha)[0, 0])


def _event_bound(
    p: Float[np.ndarray, " n"],
    q: Float[np.ndarray, " m"],
    pilot_p: Float[np.ndarray, " r"],
    pilot_q: Float[np.ndarray, " s"],
    target: Target,
    direction: Direction,
    alpha: float,
) -> float:
    """The bound of one event that the pilot chooses, for one direction or for both together."""
    if direction == "backward":
        return _event_bound(q, p, pilot_q, pilot_p, target, "forward", alpha)
    event = choose_event(pilot_p, pilot_q, p.size, q.size, target, direction)
    x, y = int(event.holds(p).sum()), int(event.holds(q).sum())
    return bound_event(x, p.size, y, q.size, event, target, alpha)
