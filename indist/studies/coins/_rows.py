"""Rows of the study of coins: what K models of an unlearner show, and one model by epochs."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from audits import CoinQuestion, Utility
from indist.studies._rows import StudyRow

Convicted = Literal[
    "not untraining, not unlearning", "not untraining", "not unlearning", "nothing found"
]
"""What models are convicted of."""


class Answered(NamedTuple):
    """What coins say of one question.

    Attributes:
        value: epsilon is at least this, at the study's δ; 0 says nothing.
        ceiling: the greatest bound that so many coins and models could have given.
        finding: the audit's.
        alone: how many of the models are convicted when each is audited alone.
    """

    value: float
    ceiling: float
    finding: str
    alone: int

    @classmethod
    def of(cls, question: CoinQuestion, alone: int) -> "Answered":
        """As the audit found it."""
        return cls(question.bound, question.result.ceiling, question.finding, alone)


class Right(NamedTuple):
    """Share of other examples that models have right, and an interval for every one of them."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, utility: Utility) -> "Right":
        """As the audit found it."""
        return cls(utility.accuracy, utility.low, utility.high)


class Beside(NamedTuple):
    """What an audit by populations says of the method in the same scenario.

    Attributes:
        verdict: of the audit.
        models: in each population.
        trainings: models that were trained for it: the original and both references.
    """

    verdict: str
    models: int
    trainings: int


@dataclass(frozen=True, kw_only=True)
class CoinRow(StudyRow):
    """Audit by coins of the first K models of a method in a scenario.

    Attributes:
        part: ``models``.
        scenario: its name.
        method: of unlearning.
        models: K, which is also how many models were trained for this.
        candidates: coins a model.
        found: candidates that were found, in the forget set where their coin is up.
        untraining: what the coins of found candidates say.
        unlearning: what those of the others, and of all, say.
        finding: what the K models are convicted of.
        retain: accuracy on retained examples.
        test: accuracy on fresh examples.
        population: the verdict of populations, where there is one.
    """

    part: Literal["models"] = "models"
    scenario: str
    method: str
    models: int
    candidates: int
    found: int
    untraining: Answered
    unlearning: Answered
    finding: Convicted
    retain: Right
    test: Right
    population: Beside | None = None


class Spread(NamedTuple):
    """A number of each of several models: the first's, and over all of them."""

    first: float
    least: float
    median: float
    greatest: float


@dataclass(frozen=True, kw_only=True)
class EpochRow(StudyRow):
    """Each of several models audited alone, after so many epochs of unlearning.

    Attributes:
        part: ``epochs``.
        scenario: its name.
        method: of unlearning; at 0 epochs it is the original.
        models: how many.
        candidates: coins a model.
        found: candidates that were found.
        epochs: of unlearning.
        untraining: bounds on epsilon.
        unlearning: the same.
        retain: accuracy on retained examples.
        test: accuracy on fresh examples.
        finding: in words, how many models are convicted of not untraining.
    """

    part: Literal["epochs"] = "epochs"
    scenario: str
    method: str
    models: int
    candidates: int
    found: int
    epochs: int
    untraining: Spread
    unlearning: Spread
    retain: Spread
    test: Spread
    finding: str


@dataclass(frozen=True, kw_only=True)
class UnfitRow(StudyRow):
    """A method that does not apply to a scenario, and why."""

    part: Literal["not applicable"] = "not applicable"
    scenario: str
    method: str
    models: int
    not_applicable: str
