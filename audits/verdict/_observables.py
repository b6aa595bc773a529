"""Observables: what an audit looks at of each model, declared before any data is seen.

A *fixed* observable is a function of one model's observation alone. A *learned* one is a function
that models set aside for this have chosen. Given those it is fixed, so that bounds on all other
models hold; the models set aside are used in no bound of that observable.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, NamedTuple

import numpy as np
from jaxtyping import Float

from audits.verdict._columns import (
    Observables,
    example_column,
    median_margins,
    person_column,
)
from estimators.checks import check_array, check_counts, check_within
from estimators.kinds import check_kind, check_name
from oracles import Observations

HELD = ("forget", "behaviour")
"""The groups whose examples are to be forgotten, or show the behaviour."""


class Row(NamedTuple):
    """What `EachExample` looks at together: one example, or all of a person in a group.

    Attributes:
        person: whom the examples belong to, or "" for one example that belongs to nobody.
        group: the probe group that they are in.
        probes: which probes they are, in increasing order.
    """

    person: str
    group: str
    probes: tuple[int, ...]


def rows_of(group: str, groups: np.ndarray, persons: np.ndarray | None) -> list[Row]:
    """The rows of a group, in the order of their first probes.

    Args:
        group: the group.
        groups: of each probe.
        persons: whom each probe belongs to, or None where none belongs to anybody.
    """
    rows: dict[str | int, list[int]] = {}
    for probe in np.flatnonzero(groups == group).tolist():
        person = "" if persons is None else str(persons[probe])
        rows.setdefault(person or probe, []).append(probe)
    return [
        Row(key if isinstance(key, str) else "", group, tuple(probes))
        for key, probes in rows.items()
    ]


def names_of(row: Row, ids: np.ndarray) -> tuple[str, str]:
    """What the column of a row is called, and the person or the id of the example that it is of."""
    if row.person:
        return person_column(row.person, len(row.probes), row.group), row.person
    example = str(ids[row.probes[0]])
    return example_column(example), example


class Observable(ABC):
    """What is looked at of one model; subclasses are frozen dataclasses of settings."""

    name: ClassVar[str]

    @abstractmethod
    def words(self) -> str:
        """The observable in words, for the declaration."""


class FixedObservable(Observable):
    """A function of one model's observation."""

    @abstractmethod
    def columns(self, seen: Observations, seed: int) -> Observables:
        """The columns of each model.

        Args:
            seen: what was seen of a population.
            seed: of what is drawn, the same for all populations.
        """


# Margins of models at all probes, to the columns of each model.
Learned = Callable[[Float[np.ndarray, "models probes"]], Observables]


class LearnedObservable(Observable):
    """A function that is learned from models set aside.

    Attributes:
        share: of each population that it learns from, how much is set aside.
    """

    share: float
    from_both: ClassVar[bool]

    def __post_init__(self) -> None:
        check_within("(0, 1)", share=self.share)

    @abstractmethod
    def learn(
        self,
        first: Float[np.ndarray, "n probes"],
        second: Float[np.ndarray, "m probes"],
        groups: np.ndarray,
    ) -> Learned | None:
        """The function, or None where these probes give nothing to learn from.

        Args:
            first: margins of the models set aside of P; none where it learns from Q alone.
            second: of Q, the reference.
            groups: of the probes.
        """


@dataclass(frozen=True)
class GroupMedians(FixedObservable):
    """The median margin of each probe group.

    Example:
        >>> GroupMedians().words()
        'median margin of each probe group'
    """

    name: ClassVar[str] = "group-medians"

    def words(self) -> str:
        """See `Observable.words`."""
        return "median margin of each probe group"

    def columns(self, seen: Observations, seed: int) -> Observables:
        """See `FixedObservable.columns`."""
        del seed
        return median_margins(seen)


@dataclass(frozen=True)
class EachExample(FixedObservable):
    """The margin of every example of S and of B∖S that was observed.

    A median over a group does not move for a few examples of it. A request to be forgotten concerns
    a single one, or those of one person: where examples belong to persons, the mean margin of a
    person's examples in the group takes the place of the margin of each.

    Attributes:
        most: examples, or persons, of a group that are looked at; of more, so many are drawn by
            the audit's seed.

    Example:
        >>> EachExample(most=200).words()
        'margin of each example of the probe groups forget and behaviour, at most 200 a group'
    """

    most: int = 500
    name: ClassVar[str] = "each-example"

    def __post_init__(self) -> None:
        check_counts(most=self.most)

    def words(self) -> str:
        """See `Observable.words`."""
        groups = " and ".join(HELD)
        return f"margin of each example of the probe groups {groups}, at most {self.most} a group"

    def columns(self, seen: Observations, seed: int) -> Observables:
        """See `FixedObservable.columns`."""
        rng = np.random.default_rng([seed, 1])
        rows: list[Row] = []
        for group in HELD:
            found = {row.probes[0]: row for row in rows_of(group, seen.groups, seen.persons)}
            drawn = rng.permutation(list(found))[: self.most]
            rows += [found[first] for first in sorted(int(first) for first in drawn)]
        named = [names_of(row, seen.ids) for row in rows]
        names, examples = (tuple(part[k] for part in named) for k in (0, 1))
        values = np.empty((seen.models, len(rows)))
        for place, row in enumerate(rows):
            values[:, place] = seen.margins[:, list(row.probes)].mean(axis=1)
        return Observables(names, tuple(row.group for row in rows), values, examples)


@dataclass(frozen=True)
class OwnObservable(FixedObservable):
    """A function of your own, of one model's logits.

    Attributes:
        label: its name.
        function: takes float32 ``[probes, classes]``, the probes' labels and their groups, and
            gives one number. It must not have been chosen by looking at the models it is used on.

    Example:
        >>> highest = OwnObservable("highest logit", lambda logits, labels, groups: logits.max())
        >>> highest.words()
        'highest logit'
    """

    label: str
    function: Callable[[np.ndarray, np.ndarray, np.ndarray], float]
    name: ClassVar[str] = "own"

    def words(self) -> str:
        """See `Observable.words`."""
        return self.label

    def columns(self, seen: Observations, seed: int) -> Observables:
        """See `FixedObservable.columns`."""
        del seed
        found = [float(self.function(model, seen.labels, seen.groups)) for model in seen.logits]
        values = np.asarray(check_array(np.array(found), f"observable {self.label!r}"))
        if not np.isfinite(values).all():
            raise ValueError(f"observable {self.label!r}: expected finite numbers, found {found}")
        return Observables((self.label,), ("all",), values[:, None], ("",))


@dataclass(frozen=True)
class WorstExample(LearnedObservable):
    """The greatest deviation of an example of a group, in standard deviations of the reference.

    Mean and standard deviation of each example's margin are those of reference models set aside.
    It sees a few examples that are off although no one of them is far off in every model.

    Attributes:
        share: of the reference that is set aside.

    Example:
        >>> WorstExample().words()[:58]
        'greatest standardised deviation of an example of the probe'
    """

    share: float = 0.125
    name: ClassVar[str] = "worst-example"
    from_both: ClassVar[bool] = False

    def words(self) -> str:
        """See `Observable.words`."""
        return (
            f"greatest standardised deviation of an example of the probe groups "
            f"{' and '.join(HELD)}, standardised on {self.share:.3g} of the reference"
        )

    def learn(
        self,
        first: Float[np.ndarray, "n probes"],
        second: Float[np.ndarray, "m probes"],
        groups: np.ndarray,
    ) -> Learned | None:
        """See `LearnedObservable.learn`."""
        del first
        present = tuple(group for group in HELD if (groups == group).any())
        if not present:
            return None
        mean, deviation = second.mean(axis=0), _positive(second.std(axis=0, ddof=1))

        def columns(margins: Float[np.ndarray, "models probes"]) -> Observables:
            off = np.abs(margins - mean) / deviation
            values = np.stack([off[:, groups == group].max(axis=1) for group in present], axis=1)
            names = tuple(f"greatest deviation of an example of {group}" for group in present)
            return Observables(names, present, values, ("",) * len(present))

        return columns


@dataclass(frozen=True)
class LearnedWitness(LearnedObservable):
    """A linear score of all margins that tells the submission from the reference.

    Ridge regression on margins standardised within the two populations, with as much penalty as
    there are probes. It sees what no single column shows.

    Attributes:
        share: of the submission and of the reference that is set aside to learn it.

    Example:
        >>> LearnedWitness(share=0.2).words()
        'linear score of all margins, learned on 0.2 of both populations'
    """

    share: float = 0.125
    name: ClassVar[str] = "learned-witness"
    from_both: ClassVar[bool] = True

    def words(self) -> str:
        """See `Observable.words`."""
        return f"linear score of all margins, learned on {self.share:.3g} of both populations"

    def learn(
        self,
        first: Float[np.ndarray, "n probes"],
        second: Float[np.ndarray, "m probes"],
        groups: np.ndarray,
    ) -> Learned | None:
        """See `LearnedObservable.learn`."""
        del groups
        inside = np.concatenate([first - first.mean(axis=0), second - second.mean(axis=0)])
        deviation = _positive(inside.std(axis=0))
        centre = (first.mean(axis=0) + second.mean(axis=0)) / 2.0
        rows = (np.concatenate([first, second]) - centre) / deviation
        sides = np.repeat([1.0 / len(first), -1.0 / len(second)], [len(first), len(second)])
        # Of the models, not of the probes: there are fewer of them.
        solved = np.linalg.solve(rows @ rows.T + rows.shape[1] * np.eye(len(rows)), sides)
        weights = rows.T @ solved

        def columns(margins: Float[np.ndarray, "models probes"]) -> Observables:
            score = ((margins - centre) / deviation) @ weights
            return Observables(("learned witness",), ("all",), score[:, None], ("",))

        return columns


DEFAULT_OBSERVABLES: tuple[Observable, ...] = (
    GroupMedians(),
    EachExample(),
    WorstExample(),
    LearnedWitness(),
)
"""What an audit looks at, unless something else is declared."""

OBSERVABLES: dict[str, type[Observable]] = {kind.name: type(kind) for kind in DEFAULT_OBSERVABLES}
"""The observables that have a name."""


def observable_of(text: str) -> Observable:
    """An observable from its name and settings.

    Args:
        text: such as ``each-example`` or ``worst-example:share=0.2``.

    Returns:
        The observable.

    Raises:
        ValueError: for an unknown name or setting, or a value out of range.

    Example:
        >>> observable_of("each-example:most=50")
        EachExample(most=50)
    """
    name, _, given = text.partition(":")
    if name == OwnObservable.name:
        raise ValueError(
            f"observable {given!r}: a function of the auditor's own, which no file holds"
        )
    check_name(name, "observable", OBSERVABLES)
    kind = OBSERVABLES[name]
    known = _settings(kind())
    settings: dict[str, Any] = {}
    for part in filter(None, given.split(",")):
        key, _, value = part.partition("=")
        if key not in known:
            listed = ", ".join(known) or "none"
            raise ValueError(f"observable {name}: expected settings {listed}, found {key!r}")
        try:
            settings[key] = type(known[key])(value)
        except ValueError:
            raise ValueError(
                f"observable {name}: {key}: expected a number, found {value[:60]!r}"
            ) from None
    return kind(**settings)


def words_of(settings: str) -> str:
    """What `settings_of` gave, in words."""
    name, _, label = settings.partition(":")
    return label if name == OwnObservable.name else observable_of(settings).words()


def settings_of(observable: Observable) -> str:
    """The name and settings of an observable, as `observable_of` reads them."""
    if isinstance(observable, OwnObservable):
        return f"{observable.name}:{observable.label}"
    settings = [f"{name}={value}" for name, value in _settings(observable).items()]
    return ":".join(filter(None, (observable.name, ",".join(settings))))


def check_observables(observables: Sequence[Any]) -> tuple[Observable, ...]:
    """Observables as a user gives them.

    Raises:
        TypeError: when one is none.
        ValueError: when one is there twice, or none is fixed.
    """
    check_kind(observables, "observables", Sequence, "a tuple of observables")
    found = tuple(observables)
    for kind in found:
        check_kind(kind, "observables", Observable, "observables such as EachExample()")
    if not any(isinstance(kind, FixedObservable) for kind in found):
        raise ValueError("observables: expected one that needs no learning, such as GroupMedians()")
    names = [settings_of(kind) for kind in found]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"observables: expected each once, found {name!r} twice")
    return found


def _settings(observable: Any) -> dict[str, Any]:
    return {field.name: getattr(observable, field.name) for field in fields(observable)}


def _positive(deviation: Float[np.ndarray, " probes"]) -> Float[np.ndarray, " probes"]:
    """Standard deviations, those near 0 raised: all models may agree on an example."""
    return np.maximum(deviation, 1e-3 * max(float(deviation.max()), 1e-3))
