"""Rows of the study of seeds, part by part, and what a cell of each part's table says."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from indist.studies._rows import StudyRow, written_as
from indist.studies._shown import shown_interval


class Counts(NamedTuple):
    """How many audits were right or wrong, and one-sided limits of the shares.

    Attributes:
        audits: how many there were.
        right: of them.
        wrong: of them.
        inconclusive: the rest.
        right_at_least: limit of the share of right ones.
        wrong_at_most: limit of the share of wrong ones.
        finding: the counts in words.
    """

    audits: int
    right: int
    wrong: int
    inconclusive: int
    right_at_least: float
    wrong_at_most: float
    finding: str


@dataclass(frozen=True, kw_only=True)
class VerdictsRow(StudyRow):
    """Audits of N models a side, of a submission whose verdict is known.

    Attributes:
        part: ``verdict``.
        scenario: its name.
        method: of the submission.
        models: N.
        truth: the right verdict.
        counts: of audits.
        width: median width of the wider of an audit's two intervals.
    """

    part: Literal["verdict"] = "verdict"
    scenario: str
    method: str
    models: int
    truth: str
    counts: Counts = written_as("{}")
    width: float

    @property
    def heading(self) -> str:
        """The column of the row's cell."""
        return f"{self.models}"

    @property
    def cell(self) -> str:
        """Counts, and half the median interval."""
        return f"{self.counts.finding}; ±{self.width / 2:.2f}"


@dataclass(frozen=True, kw_only=True)
class NearestRow(StudyRow):
    """The same submissions judged by the nearer reference in accuracies.

    Attributes:
        part: ``nearest``.
        scenario: its name.
        method: of the submission.
        truth: the reference that it matches by construction.
        models: N.
        counts: of comparisons.
    """

    part: Literal["nearest"] = "nearest"
    scenario: str
    method: str
    truth: str
    models: int
    counts: Counts = written_as("{}")

    @property
    def heading(self) -> str:
        """The column of the row's cell."""
        return f"{self.models}"

    @property
    def cell(self) -> str:
        """Counts."""
        return self.counts.finding


@dataclass(frozen=True, kw_only=True)
class RankingRow(StudyRow):
    """Pairs of heuristics ranked by accuracies of N models.

    Attributes:
        part: ``ranking``.
        scenario: its name.
        method: what is ranked.
        models: N.
        pairs: whose right order is known.
        audits: blocks of N models.
        share: of pairs in the wrong order.
        low: lower end of its interval.
        high: upper end.
        finding: the same in words.
    """

    part: Literal["ranking"] = "ranking"
    scenario: str
    method: str
    models: int
    pairs: int
    audits: int
    share: float
    low: float
    high: float
    finding: str

    @property
    def heading(self) -> str:
        """The column of the row's cell."""
        return f"{self.models}"

    @property
    def cell(self) -> str:
        """The share with its interval."""
        return shown_interval(self.share, self.low, self.high)


@dataclass(frozen=True, kw_only=True)
class ComponentsRow(StudyRow):
    """The unlearning seed's share of the variance of a margin.

    Attributes:
        part: ``components``.
        scenario: its name.
        method: of unlearning.
        models: original models.
        group: of probes, over which the margin is the median.
        share: of the variance; None where nothing varies.
        low: lower end of its interval.
        high: upper end.
        finding: the same in words.
    """

    part: Literal["components"] = "components"
    scenario: str
    method: str
    models: int
    group: str
    share: float | None
    low: float
    high: float
    finding: str

    @property
    def heading(self) -> str:
        """The column of the row's cell."""
        return self.group

    @property
    def cell(self) -> str:
        """The share with its interval."""
        if self.share is None:
            return "nothing varies"
        return shown_interval(self.share, self.low, self.high)


@dataclass(frozen=True, kw_only=True)
class OmittedRow(StudyRow):
    """What cannot be judged with these numbers of models, and why."""

    part: Literal["verdict", "ranking"]
    scenario: str
    method: str
    models: int
    not_applicable: str


SeedsRow = VerdictsRow | NearestRow | RankingRow | ComponentsRow | OmittedRow
