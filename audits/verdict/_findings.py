"""What an audit found, as data and in words: everything but the files it can be written to."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

from audits._provenance import Provenance
from audits.claims._claimed import ClaimCheck
from audits.report._contents import Given
from audits.report._terminal import filled
from audits.verdict._columns import MEDIAN_MARGIN
from audits.verdict._grades import FIELDS, MEAN_DISTANCE, grade_columns
from audits.verdict._next import next_step
from audits.verdict._results import (
    Comparison,
    Declaration,
    GroupSummary,
    MeanDistanceRow,
    Nearest,
    OverUnlearned,
    ProgressRow,
    Separation,
    Sharing,
    ShiftRow,
    VerdictName,
    WorstExampleFound,
)
from audits.verdict._rule import models_needed
from audits.verdict._terminal import accuracies, distances, further, grades
from audits.verdict._words import (
    between_references,
    level_and_company,
    scope,
    sentence,
    stands_down_to,
    waiting_models,
)
from oracles import Observations

if TYPE_CHECKING:
    import pandas as pd


_TIE = 0.99
"""Distance from which on one submission is not told from another by it."""


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class AuditFindings:
    """What an audit found; its fields are documented at `Audit`, the class that users hold."""

    verdict: VerdictName
    separation: Separation
    declaration: Declaration
    untraining: Comparison
    unlearning: Comparison
    references: Comparison
    original: tuple[Comparison, Comparison] | None
    nearest: Nearest
    over_unlearned: OverUnlearned | None
    groups: tuple[GroupSummary, ...]
    least_tolerance: float
    provenance: Provenance
    warnings: tuple[str, ...]
    observations: Mapping[str, Observations]
    claimed: ClaimCheck | None = None
    progress: tuple[ProgressRow, ...] = ()
    shifts: tuple[ShiftRow, ...] = ()
    mean_distances: tuple[MeanDistanceRow, ...] = ()
    least_alpha: float | None = None
    sharing: Sharing | None = None
    stands: bool | None = None
    waiting: int = 0
    contents: Mapping[str, Given] = field(default_factory=dict[str, Given])

    @property
    def sentence(self) -> str:
        """The verdict in one plain sentence."""
        return sentence(
            self.verdict, self.separation, self.untraining, self.unlearning, self.declaration
        )

    @property
    def scope(self) -> str:
        """What "like" and "unlike" mean in `sentence`, and how sure the verdict is."""
        return scope(self.declaration, self.separation)

    @property
    def next_step(self) -> str:
        """The one thing that would help most; "" after a verdict that settles the question."""
        return next_step(
            self.verdict,
            self.separation,
            (self.untraining, self.unlearning),
            self.worst_examples,
            self.declaration,
            self.waiting,
        )

    @property
    def models_needed(self) -> int | None:
        """About how many models a side would decide what is open.

        None when nothing is open, or when no feasible number would do.
        """
        return models_needed(self.untraining, self.unlearning)

    @property
    def worst_examples(self) -> tuple[WorstExampleFound, ...]:
        """For each reference, the example whose margin is most surely beyond the tolerance."""
        found = (
            comparison.worst_example(self.declaration.tolerance)
            for comparison in (self.untraining, self.unlearning)
        )
        return tuple(example for example in found if example is not None)

    def way(self, reference: str, group: str) -> ProgressRow | None:
        """Progress of a group's median margin from the original to a reference, where known."""
        rows = (row for row in self.progress if row.start == "original")
        return next((row for row in rows if (row.reference, row.group) == (reference, group)), None)

    @property
    def gone(self) -> float | None:
        """Progress to the untraining reference on S, where distances no longer tell.

        None where a distance is below its greatest, or there is nothing to make progress on.
        """
        tie = min(self.untraining.estimate, self.unlearning.estimate) >= _TIE
        row = self.way("untraining", "forget") if tie else None
        return None if row is None else row.estimate

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """All comparisons, the two that the verdict rests on first."""
        return (self.untraining, self.unlearning, self.references, *(self.original or ()))

    def to_dataframe(self) -> "pd.DataFrame":
        """A row for each comparison and observable, and one for their greatest.

        Returns:
            Columns ``first``, ``second``, ``observable``, ``estimate``, ``lower``, ``upper``,
            ``confidence``, ``decision`` (in the rows of all observables), ``median_first``,
            ``median_second``, ``models_first``, ``models_second``; and, in the submission's rows of
            median margins, ``shift``, ``auc``, ``auc_low``, ``auc_high``, and ``progress``,
            ``progress_low``, ``progress_high`` from the original to that reference; and, in the
            submission's rows of all observables, ``mean_distance``.
        """
        import pandas as pd

        rows = [row for comparison in self.comparisons for row in _rows(comparison)]
        apart = {row.reference: row.estimate for row in self.mean_distances}
        for row in rows:
            _, medians, group = row["observable"].partition(MEDIAN_MARGIN)
            mine = row["first"] == "submission" and medians
            grades = grade_columns(self.shifts, self.progress, row["second"], group) if mine else {}
            row |= {name: grades.get(name, math.nan) for name in FIELDS}
            whole = row["first"] == "submission" and row["observable"] == "all"
            row[MEAN_DISTANCE] = apart.get(row["second"]) if whole else None
        return pd.DataFrame(rows).astype(dict.fromkeys((*FIELDS, MEAN_DISTANCE), float))

    def __str__(self) -> str:
        found = further(
            self.comparisons,
            self.nearest,
            self.over_unlearned,
            self.claimed,
            self.least_tolerance,
            self.worst_examples,
            (
                *waiting_models(self.waiting),
                *between_references(self.progress),
                *stands_down_to(self.least_alpha, self.declaration),
                *level_and_company(self.sharing, self.stands, self.declaration),
            ),
        )
        parts = [
            f"Verdict: {self.verdict.upper()}",
            filled(self.sentence),
            filled(self.scope),
            filled(f"Next: {self.next_step}") if self.next_step else "",
            distances(self.comparisons),
            accuracies(self.groups, tuple(self.observations)),
            grades(self.shifts, self.progress, self.mean_distances),
            "\n".join(filled(clause, "- ") for clause in found),
            *(filled(f"Warning: {text}") for text in self.warnings),
        ]
        return "\n\n".join(part for part in parts if part)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.verdict!r}, {self.provenance.submission!r})"

    def _repr_html_(self) -> str:
        rows = self.to_dataframe()
        rows = rows[rows["observable"] == "all"].dropna(axis="columns")
        warnings = "".join(f"<p>Warning: {escape(text)}</p>" for text in self.warnings)
        return (
            f"<div><p><strong>Verdict: {escape(self.verdict)}</strong></p>"
            f"<p>{escape(self.sentence)}</p><p>{escape(self.scope)}</p>"
            f"<p>{escape(self.next_step)}</p>"
            f"{rows.to_html(index=False)}{warnings}</div>"
        )


def _rows(comparison: Comparison) -> list[dict[str, Any]]:
    """The comparison over all observables, then each observable by itself."""
    rows = [(comparison, "all", comparison.decision, math.nan, math.nan)]
    rows += [
        (distance, distance.observable, None, distance.median_first, distance.median_second)
        for distance in comparison.by_observable
    ]
    return [
        {
            "first": comparison.first,
            "second": comparison.second,
            "observable": name,
            "estimate": bounded.estimate,
            "lower": bounded.lower,
            "upper": bounded.upper,
            "confidence": comparison.confidence,
            "decision": decision,
            "median_first": median_first,
            "median_second": median_second,
            "models_first": comparison.models_first,
            "models_second": comparison.models_second,
        }
        for bounded, name, decision, median_first, median_second in rows
    ]
