"""Rows of the study of γ*."""

from dataclasses import dataclass
from typing import NamedTuple

from indist.studies._rows import StudyRow
from indist.studies.discovery._least import LeastDiscovery


class Bounded(NamedTuple):
    """A distance to A(D∖B), and bounds of it."""

    value: float
    lower: float
    upper: float


class Rates(NamedTuple):
    """Share of a probe group's probes given their label, by the method's models and by A(D∖B)."""

    submission: float
    unlearning: float


@dataclass(frozen=True, kw_only=True)
class CurvePoint(StudyRow):
    """A method at one γ, and γ* of the curve that it lies on.

    Attributes:
        scenario: its name.
        found: how S lies in B.
        method: of unlearning.
        discovery: γ after rounding.
        forget: examples in S.
        models: in each population.
        decision: of the comparison with A(D∖B).
        distance: the audit's.
        rate: absolute difference of behaviour rates.
        models_needed: about how many models would decide; None where it is decided.
        behaviour_test: rates on fresh instances of the behaviour.
        near: rates on look-alikes.
        retain: on retained examples.
        test: on test examples.
        distance_star: γ* of the distance.
        rate_star: γ* of the behaviour rate.
    """

    scenario: str
    found: str
    method: str
    discovery: float
    forget: int
    models: int
    decision: str
    distance: Bounded
    rate: Bounded
    models_needed: int | None
    behaviour_test: Rates
    near: Rates
    retain: Rates
    test: Rates
    distance_star: LeastDiscovery
    rate_star: LeastDiscovery

    def star(self, scale: str) -> LeastDiscovery:
        """γ* on a scale, ``distance`` or ``rate``."""
        return self.distance_star if scale == "distance" else self.rate_star
