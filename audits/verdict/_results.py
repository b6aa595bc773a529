"""What an audit found: plain numbers, frozen, from which certificate and report are written."""

from dataclasses import dataclass
from typing import Literal, NamedTuple, cast

import numpy as np
from jaxtyping import Float

from audits.report._words import ReferenceName
from audits.verdict._columns import MEAN_MARGIN

VerdictName = Literal["untraining", "unlearning", "both", "neither", "inconclusive"]
Decision = Literal["match", "differ", "open"]
Separation = Literal["separated", "coincide", "unresolved"]
Towards = Literal["match", "differ"]
Start = Literal["original", "untraining"]
"""Where a way begins."""


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """Everything fixed before looking at the data.

    Attributes:
        epsilon: the ε of the divergence, at least 0.
        tolerance: the δ up to which two populations count as matching, in (0, 1).
        confidence: 1 − α, the familywise confidence of the verdict.
        observables: one name a column of observables.
        events: the declared class of events, in words.
        bounds: how the bounds are found, settings and seeds included, in words.
        calibrated: whether the tolerance was found on the references instead of being given.
        looked_at: the observables as settings that `observable_of` reads; empty for the median
            margins alone, with joint upper bounds.
        seed: of the models set aside and the examples drawn; None where nothing is drawn.
        looks: numbers of submitted models at which one looks; None is one look at what was
            handed in.
        look: which of them this is, from 1; 0 is an exploratory look, which was not declared.
        look_confidence: 1 − the part of α that this look has.
        among: how many submissions were audited at once.
        references_seen: whether the submitter could see the references before handing in; None
            where nobody has said.
    """

    epsilon: float
    tolerance: float
    confidence: float
    observables: tuple[str, ...]
    events: str
    bounds: str = ""
    calibrated: bool = False
    looked_at: tuple[str, ...] = ()
    seed: int | None = None
    looks: tuple[int, ...] | None = None
    look: int = 1
    look_confidence: float | None = None
    among: int = 1
    references_seen: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Sharing:
    """Whether both references share the level, as they lie far apart.

    Attributes:
        needed: the least distance of the references at ε = 0 that allows it, fixed by the sizes.
        shown: a lower bound on that distance.
        shared: whether it is shown: every bound then has nearly all of the level, else half of it.
    """

    needed: float
    shown: float
    shared: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class Curve:
    """Hockey-stick divergence against ε, the greatest over the observables, with bands.

    The forward divergence is the supremum of P(R) − e^ε Q(R) over events R, with P the first
    population named; the backward one has P and Q exchanged. The lower bands hold at all ε at once
    at the comparison's confidence (equal-local-level bands), the upper ones at each ε alone. The
    comparison's own bounds at the declared ε are for that ε only, and the lower one is usually
    tighter than the band.
    """

    epsilon: Float[np.ndarray, " grid"]
    forward: Float[np.ndarray, " grid"]
    forward_low: Float[np.ndarray, " grid"]
    forward_high: Float[np.ndarray, " grid"]
    backward: Float[np.ndarray, " grid"]
    backward_low: Float[np.ndarray, " grid"]
    backward_high: Float[np.ndarray, " grid"]


@dataclass(frozen=True)
class ObservableDistance:
    """One observable's divergence between two populations at the declared ε.

    Attributes:
        observable: its name, such as ``median margin on forget``.
        estimate: plug-in divergence over half-lines, the larger direction.
        lower: lower bound, with multiplicity over the observables paid for.
        upper: pointwise upper bound.
        median_first: median of the observable over the first population.
        median_second: the same over the second.
        example: id of the probe whose margin it is, or the person whose examples' mean margin it
            is, or "" where it is something else.
    """

    observable: str
    estimate: float
    lower: float
    upper: float
    median_first: float
    median_second: float
    example: str = ""

    @property
    def of_person(self) -> bool:
        """Whether it is of the examples of a person, rather than of a single one."""
        return bool(self.example) and self.observable.startswith(MEAN_MARGIN)


FEWEST_TO_FORECAST = 10
"""Models a side below which no number of models is forecast."""


class Beside(NamedTuple):
    """Submitted models that would decide a comparison beside so many of the reference.

    Attributes:
        references: models of the reference.
        submitted: submitted models; None when no feasible number would do.
    """

    references: int
    submitted: int | None


@dataclass(frozen=True)
class Forecast:
    """About how many models a side would decide an open comparison, were the estimate the truth.

    Attributes:
        models: models a side; None when no feasible number would do (the estimate sits at the
            tolerance, or over 1,000,000 would be needed), or fewer than `FEWEST_TO_FORECAST` models
            are at hand, of which an estimate says too little.
        power: the probability of a decision that the number aims at.
        towards: the decision that would then be reached.
        beside: submitted models that would do beside the reference's models that there are, and
            beside more of them; empty where that was not asked.
    """

    models: int | None
    power: float
    towards: Towards
    beside: tuple[Beside, ...] = ()

    @property
    def submitted(self) -> int | None:
        """Submitted models that would do beside the reference's models that there are."""
        return self.beside[0].submitted if self.beside else None


class WorstExampleFound(NamedTuple):
    """A single example, or a person, whose margin is shown to differ beyond the tolerance.

    Attributes:
        reference: the reference that the submission differs from there.
        example: id of its probe, or the name of the person.
        lower: lower bound on the divergence of its margin, the look at all others paid for.
        median_first: median margin of the submitted models, in nats.
        median_second: median margin of the reference's models.
        others: other examples and persons that are shown to differ beyond the tolerance, too.
        observable: name of the observable.
        other_persons: how many of the others are persons.
    """

    reference: ReferenceName
    example: str
    lower: float
    median_first: float
    median_second: float
    others: int
    observable: str = ""
    other_persons: int = 0

    @property
    def of_person(self) -> bool:
        """Whether it is a person, whose margin is the mean of that of their examples."""
        return self.observable.startswith(MEAN_MARGIN)

    @property
    def called(self) -> str:
        """What it is and its name, as ``example forget/0012`` or ``person Ada``."""
        return f"{'person' if self.of_person else 'example'} {self.example}"


@dataclass(frozen=True, eq=False, kw_only=True)
class Comparison:
    """One population against another, at one confidence.

    Attributes:
        first: the first population, in words (``submission``, ``untraining``, ...).
        second: the second.
        confidence: of the lower and of the upper bound, each one-sided.
        estimate: plug-in divergence, the greatest over observables and directions.
        lower: high-confidence lower bound on the divergence.
        upper: high-confidence upper bound over the declared class of events.
        decision: ``match`` if upper ≤ tolerance, ``differ`` if lower > tolerance, else ``open``.
        by_observable: the same, one row an observable.
        curve: divergence against ε with bands.
        models_first: sample size of the first population.
        models_second: sample size of the second.
        forecast: present when ``decision`` is ``open``.
    """

    first: str
    second: str
    confidence: float
    estimate: float
    lower: float
    upper: float
    decision: Decision
    by_observable: tuple[ObservableDistance, ...]
    curve: Curve
    models_first: int
    models_second: int
    forecast: Forecast | None

    def worst_example(self, tolerance: float) -> WorstExampleFound | None:
        """The example whose margin differs most surely, where one differs beyond a tolerance."""
        shown = [row for row in self.by_observable if row.example and row.lower > tolerance]
        if not shown:
            return None
        worst = max(shown, key=lambda row: (row.lower, abs(row.median_first - row.median_second)))
        return WorstExampleFound(
            cast(ReferenceName, self.second),
            worst.example,
            worst.lower,
            worst.median_first,
            worst.median_second,
            len({(row.of_person, row.example) for row in shown}) - 1,
            worst.observable,
            # A person may be off in both groups, and is one all the same.
            len({row.example for row in shown if row.of_person}) - worst.of_person,
        )


@dataclass(frozen=True)
class Nearest:
    """Which reference is nearer, over the observables that no model was set aside for.

    Attributes:
        reference: the one whose distance has an upper bound below the lower bound of the other's,
            wrong with probability at most alpha; None where the bounds do not say.
        difference: distance to untraining minus distance to unlearning, both estimated; it claims
            nothing.
    """

    reference: ReferenceName | None
    difference: float


@dataclass(frozen=True, kw_only=True)
class ShiftRow:
    """Where the median margin of one group lies beside a reference's.

    Attributes:
        reference: the reference.
        group: the probe group.
        shift: median of the submission less that of the reference, in standard deviations of the
            reference over models; None where its models do not differ.
        auc: probability that a submitted model has the greater margin, ties counted half.
        auc_low: lower end of its interval; the intervals of all rows hold together.
        auc_high: upper end.
    """

    reference: ReferenceName
    group: str
    shift: float | None
    auc: float
    auc_low: float
    auc_high: float


@dataclass(frozen=True, kw_only=True)
class ProgressRow:
    """How far the median margin of one group has come from where it started to a reference's.

    Attributes:
        start: the original; or the untraining reference, on the way to the unlearning reference.
        reference: where the way leads.
        group: the probe group.
        estimate: 0 at the start, 1 at the reference; None where the medians of the two could be
            equal, so that there is nothing to make progress on.
        low: lower end of its interval; the intervals of all rows hold together at the confidence of
            the audit. None where it is not known.
        high: upper end.
        nearer: whether the submission is shown to be nearer to the reference than to the start.
    """

    start: Start
    reference: ReferenceName
    group: str
    estimate: float | None
    low: float | None
    high: float | None
    nearer: bool


@dataclass(frozen=True, kw_only=True)
class MeanDistanceRow:
    """How far the mean margins of the submission lie from a reference's, over all probes at once.

    Attributes:
        reference: the reference.
        estimate: as `estimators.mean_distance`: about 0 for a perfect match, and below 0 by chance
            in about half of them; None where there are fewer than 4 models of either, or those of a
            half do not differ.
    """

    reference: ReferenceName
    estimate: float | None


@dataclass(frozen=True)
class OverUnlearned:
    """Does the submission hide the behaviour more than a model that never saw it?

    Attributes:
        flag: whether the upper end of the AUC is below 1/2: wrong with probability at most alpha.
        auc: probability that a submitted model has the greater margin than a model of the
            unlearning reference, ties counted half.
        high: upper end of its interval, at alpha/2 for each of the two groups tested.
        group: the probe group, forget or behaviour, where that is least.
    """

    flag: bool
    auc: float
    high: float
    group: str


@dataclass(frozen=True, kw_only=True)
class GroupSummary:
    """What one population does on one probe group.

    Attributes:
        population: ``submission``, ``original``, ``untraining`` or ``unlearning``.
        group: the probe group.
        probes: how many probes it holds.
        models: how many models were observed.
        accuracy: mean share of the probes given their label (the attacker's, on triggered probes).
        accuracy_low: lower end of the 95 % interval over models.
        accuracy_high: upper end.
        margin: median over models of the median margin.
        margin_low: 5 % quantile over models of the median margin.
        margin_high: 95 % quantile.
    """

    population: str
    group: str
    probes: int
    models: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    margin: float
    margin_low: float
    margin_high: float
