"""Rows of the studies of precision and of exchange rates."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from audits.memorization import Estimate
from indist.studies._rows import StudyRow, written_as
from indist.studies.efficiency._detectors import Detection
from indist.studies.efficiency._exchange import Exchange, Worth
from indist.studies.efficiency._fronts import Standing

Reached = Literal["reached", "not reached", "undetermined"]
Preferred = Literal["generalise", "find more", "undetermined"]


@dataclass(frozen=True, kw_only=True)
class StrengthPoint(StudyRow):
    """A method at one strength, in its box.

    Attributes:
        scenario: its name.
        discovery: γ.
        part: ``point``.
        method: of unlearning, with the share of R that is at hand.
        strength: its setting.
        models: in each population.
        finding: whether it lies on the front of all.
        gone: how much of the behaviour goes.
        precision: how little goes with it.
        own_front: whether the estimate lies on its method's front; None for the original.
        rate: of the behaviour, on fresh instances.
        behaviour_distance: divergence on the behaviour, its 95 % interval by itself.
        kept_distance: divergence elsewhere, its 95 % interval by itself.
    """

    scenario: str
    discovery: float
    part: Literal["point"] = "point"
    method: str
    strength: str
    models: int
    finding: Standing
    gone: Estimate
    precision: Estimate
    own_front: bool | None = None
    rate: float
    behaviour_distance: Estimate
    kept_distance: Estimate


@dataclass(frozen=True, kw_only=True)
class NoPoint(StudyRow):
    """A method at a strength that leaves no models to look at, and why."""

    scenario: str
    discovery: float
    part: Literal["point"] = "point"
    method: str
    strength: str
    models: int
    not_applicable: str


@dataclass(frozen=True, kw_only=True)
class FrontArea(StudyRow):
    """The area under a method's front, and whether the front reaches what is wanted."""

    scenario: str
    discovery: float
    part: Literal["area"] = "area"
    method: str
    strength: Literal["all"] = "all"
    models: int
    finding: Reached
    area: Estimate


@dataclass(frozen=True, kw_only=True)
class AreaDifference(StudyRow):
    """The area of one method's front less another's."""

    scenario: str
    discovery: float
    part: Literal["difference"] = "difference"
    method: str
    strength: str
    other: str
    models: int
    finding: Literal["larger", "smaller", "undetermined"]
    difference: Estimate
    models_needed: int | None = None


PrecisionRow = StrengthPoint | NoPoint | FrontArea | AreaDifference


class Gaps(NamedTuple):
    """Differences of rates to those of A(D∖B), a probe group each."""

    behaviour_test: Estimate
    near: Estimate
    retain: Estimate
    test: Estimate


@dataclass(frozen=True, kw_only=True)
class ArmRow(StudyRow):
    """What was handed over, what was done with it, and how far that is from A(D∖B).

    Attributes:
        scenario: its name.
        discovery: γ.
        part: ``arm``.
        set: what was handed over.
        method: what was done with it.
        models: in each population.
        found: γ after rounding.
        detection: how right that is which was added to S; None where nothing could be.
        finding: what the exchange rate says; None where there is none.
        exchange: the exchange rate.
        rate: of the behaviour, on fresh instances.
        gap: to A(D∖B).
        behaviour_distance: divergence on the behaviour, its 95 % interval by itself.
        kept_distance: divergence elsewhere, its 95 % interval by itself.
    """

    scenario: str
    discovery: float
    part: Literal["arm"] = "arm"
    set: str
    method: str
    models: int
    found: float
    detection: Detection | None = written_as("{}", default=None)
    finding: Worth | None = None
    exchange: Exchange = Exchange()
    rate: Estimate
    gap: Gaps
    behaviour_distance: Estimate
    kept_distance: Estimate


@dataclass(frozen=True, kw_only=True)
class ComparisonRow(StudyRow):
    """Retraining without what a detector names, against a method on S: the greatest gaps."""

    scenario: str
    discovery: float
    part: Literal["comparison"] = "comparison"
    set: str
    method: str
    models: int
    finding: Preferred
    difference: Estimate
    models_needed: int | None = None
