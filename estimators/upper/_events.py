"""Classes of events for which an upper bound on the hockey-stick divergence is possible.

From samples alone no upper bound over *all* events exists: two populations can agree on everything
that was seen and differ on what was not. Over a class fixed in advance it does. For every event R
of the class let U(R) be an upper bound on ``P(R) - e^eps Q(R)`` at level alpha. Then ``max U(R)``
is an upper bound on the supremum at the same level, however large the class: the event that attains
the supremum (or nearly) is not random, and the maximum is at least its own U. This is the
intersection-union principle, and the reason why nothing here corrects for multiplicity.

References:
    Berger (1982), "Multiparameter hypothesis testing and acceptance sampling", Technometrics 24.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from estimators.exact._binomial_pair import joint_upper
from estimators.exact._frontier import (
    Counts,
    discrete_frontier,
    greatest_difference,
    greatest_upper,
    half_line_frontier,
    interval_frontier,
    on_every_count,
    tie_groups,
    undominated,
)

# How many candidate events are in work at once: it limits the memory and leaves the result alone.
AT_ONCE = 2**22


class Directed(NamedTuple):
    """One direction's plug-in divergence over the class, and the upper bound on the true one."""

    estimate: Float[np.ndarray, "E J"]
    upper: Float[np.ndarray, "E J"]


class EventClass(ABC):
    """A class of events of one observable, fixed before looking at the data.

    Subclasses are frozen dataclasses of settings. The class is applied to every observable by
    itself; events of several observables together are not in it.
    """

    @abstractmethod
    def words(self) -> str:
        """The class in words, for the result and the certificate."""

    @abstractmethod
    def method(self) -> str:
        """How the bound at one event is found, in words."""

    @abstractmethod
    def directed(
        self,
        p: Float[np.ndarray, "n J"],
        q: Float[np.ndarray, "m J"],
        factor: Float[np.ndarray, " E"],
        confidence: float,
    ) -> Directed:
        """Plug-in divergence and upper bound of ``sup P(R) - factor Q(R)``, each observable alone.

        Args:
            p: samples of P.
            q: samples of Q.
            factor: the factors e^eps, at least 1.
            confidence: one minus the level of each bound.

        Returns:
            Both in [0, 1].
        """

    def greatest(
        self,
        p: Float[np.ndarray, "n G J"],
        q: Float[np.ndarray, "m G J"],
        factor: Float[np.ndarray, " E"],
        confidence: float,
    ) -> Directed:
        """The greatest of what `directed` finds over all observables of each group.

        Args:
            p: samples of P: groups of at least one observable each.
            q: samples of Q.
            factor: the factors e^eps, at least 1.
            confidence: one minus the level of each bound.

        Returns:
            Both of shape [E, G].
        """
        shape = (factor.size, *p.shape[1:])
        found = self.directed(p.reshape(len(p), -1), q.reshape(len(q), -1), factor, confidence)
        return Directed(*(each.reshape(shape).max(axis=2) for each in found))

    @abstractmethod
    def least(
        self, n: int, m: int, factor: Float[np.ndarray, " E"], confidence: float
    ) -> Float[np.ndarray, " E"]:
        """The least upper bound that any data of these sizes could give.

        Args:
            n: models of P.
            m: models of Q.
            factor: the factors e^eps, at least 1.
            confidence: one minus the level of each bound.

        Returns:
            A number for each factor; 1 means that these sizes can never say anything.
        """

    def warn(self, p: Float[np.ndarray, "n J"], q: Float[np.ndarray, "m J"]) -> tuple[str, ...]:
        """What a reader should know about this class on these data.

        Args:
            p: samples of P.
            q: samples of Q.

        Returns:
            One sentence a warning.
        """
        del p, q
        return ()


class CountedEvents(EventClass):
    """A class that sees the data through counts: each event is bounded by two exact binomials."""

    def method(self) -> str:
        """How the bound at one event is found, in words."""
        return "exact joint bound of two binomials (capped Stouffer), greatest over the class"

    @abstractmethod
    def counts(self, p: Float[np.ndarray, "n J"], q: Float[np.ndarray, "m J"]) -> Counts:
        """Counts of P and Q in events of the class that contain the frontier of each observable.

        Args:
            p: samples of P.
            q: samples of Q.

        Returns:
            The counts, a column an observable.
        """

    def directed(
        self,
        p: Float[np.ndarray, "n J"],
        q: Float[np.ndarray, "m J"],
        factor: Float[np.ndarray, " E"],
        confidence: float,
    ) -> Directed:
        """See `EventClass.directed`; exact at every n and m, ties included."""
        sizes = p.shape[0], q.shape[0]
        parts = [
            (
                greatest_difference(counts, *sizes, factor),
                greatest_upper(counts, *sizes, factor, confidence),
            )
            for counts in self._chunks(p, q)
        ]
        if not parts:
            return Directed(np.empty((factor.size, 0)), np.empty((factor.size, 0)))
        estimate, upper = (np.concatenate(part, axis=1) for part in zip(*parts, strict=True))
        return Directed(estimate, np.maximum(upper, 0.0))

    def greatest(
        self,
        p: Float[np.ndarray, "n G J"],
        q: Float[np.ndarray, "m G J"],
        factor: Float[np.ndarray, " E"],
        confidence: float,
    ) -> Directed:
        """See `EventClass.greatest`; only the frontier of a group's observables is bounded."""
        counts, sizes = self.frontier(p, q), (p.shape[0], q.shape[0])
        upper = greatest_upper(counts, *sizes, factor, confidence)
        return Directed(greatest_difference(counts, *sizes, factor), np.maximum(upper, 0.0))

    def frontier(self, p: Float[np.ndarray, "n G J"], q: Float[np.ndarray, "m G J"]) -> Counts:
        """Counts of each group's events, of all its observables, that no other improves on.

        Args:
            p: samples of P: groups of at least one observable each.
            q: samples of Q.

        Returns:
            Counts of shape [m + 1, G].
        """
        (n, groups, observables), m = p.shape, len(q)
        most = np.zeros((m + 1, groups), dtype=np.int64)
        first = 0
        for counts in self._chunks(p.reshape(n, -1), q.reshape(m, -1)):
            x = undominated(counts, m).x
            group = np.arange(first, first + x.shape[1]) // observables
            starts = np.flatnonzero(np.diff(group, prepend=-1))
            some = most[:, group[starts]]
            most[:, group[starts]] = np.maximum(some, np.maximum.reduceat(x, starts, axis=1))
            first += x.shape[1]
        return undominated(on_every_count(most), m)

    def _chunks(self, p: Float[np.ndarray, "n J"], q: Float[np.ndarray, "m J"]) -> Iterator[Counts]:
        """The counts of some observables at a time."""
        step = max(1, AT_ONCE // (2 * (p.shape[0] + q.shape[0] + 1)))
        for start in range(0, p.shape[1], step):
            chunk = slice(start, start + step)
            yield self.counts(p[:, chunk], q[:, chunk])

    def least(
        self, n: int, m: int, factor: Float[np.ndarray, " E"], confidence: float
    ) -> Float[np.ndarray, " E"]:
        """See `EventClass.least`: reached when all models of both sides take one value."""
        return joint_upper([0, n], n, [0, m], m, factor, confidence).max(axis=1)


@dataclass(frozen=True)
class HalfLines(CountedEvents):
    """Half-lines of each observable: all thresholds, open and closed, both orientations.

    The events of every threshold attack on the observable. Invariant under monotone maps of it.

    Example:
        >>> from indist import estimators
        >>> estimators.HalfLines().words()
        'half-lines of each observable'
    """

    def words(self) -> str:
        """The class in words."""
        return "half-lines of each observable"

    def counts(self, p: Float[np.ndarray, "n J"], q: Float[np.ndarray, "m J"]) -> Counts:
        """See `CountedEvents.counts`."""
        return half_line_frontier(p, q)


@dataclass(frozen=True)
class IntervalUnions(CountedEvents):
    """Unions of at most k intervals of each observable, each interval open, closed or unbounded.

    Contains the half-lines. One interval (or two) also sees a change of scale, and pays for it with
    a greater bound on the same data: the frontier is found by dynamic programming over tie groups.

    Attributes:
        k: the most intervals an event may have, at least 1.

    Raises:
        ValueError: when k is not an integer of at least 1.

    Example:
        >>> from indist import estimators
        >>> estimators.IntervalUnions(2).words()
        'unions of at most 2 intervals of each observable'
    """

    k: int

    def __post_init__(self) -> None:
        if int(self.k) != self.k or self.k < 1:
            raise ValueError(f"k: expected an integer of at least 1, found {self.k}")

    def words(self) -> str:
        """The class in words."""
        if self.k == 1:
            return "intervals of each observable"
        return f"unions of at most {self.k} intervals of each observable"

    def counts(self, p: Float[np.ndarray, "n J"], q: Float[np.ndarray, "m J"]) -> Counts:
        """See `CountedEvents.counts`."""
        columns = zip(p.T, q.T, strict=True)
        x = [interval_frontier(tie_groups(a, b), int(self.k)) for a, b in columns]
        return on_every_count(np.stack(x, axis=1))


@dataclass(frozen=True)
class DiscreteEvents(CountedEvents):
    """All sets of values of each observable: every event of a discrete observable.

    For observables with few values, such as a predicted label or a count of right answers. The
    bound then speaks of every test that looks at the observable, whatever it computes from it. On
    an observable whose values hardly repeat it is valid and close to 1, hence useless.

    Example:
        >>> from indist import estimators
        >>> estimators.DiscreteEvents().words()
        'all events of each discrete observable'
    """

    def words(self) -> str:
        """The class in words."""
        return "all events of each discrete observable"

    def warn(self, p: Float[np.ndarray, "n J"], q: Float[np.ndarray, "m J"]) -> tuple[str, ...]:
        """Warns of observables whose values hardly repeat: for those the bound cannot be small."""
        models = p.shape[0] + q.shape[0]
        distinct = [np.unique(values).size for values in np.concatenate([p, q]).T]
        sparse = sum(2 * count > models for count in distinct)
        if not sparse or models < 4:
            return ()
        return (
            f"{sparse} of {len(distinct)} observables have fewer than two models a value: all "
            "their events are too many for a small bound; use HalfLines, IntervalUnions or Noised",
        )

    def counts(self, p: Float[np.ndarray, "n J"], q: Float[np.ndarray, "m J"]) -> Counts:
        """See `CountedEvents.counts`."""
        x = [discrete_frontier(tie_groups(a, b)) for a, b in zip(p.T, q.T, strict=True)]
        return on_every_count(np.stack(x, axis=1))


Letters = DiscreteEvents
"""The old name of `DiscreteEvents`."""
