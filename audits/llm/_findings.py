"""What logs say of submitted models, as data and in words: all but the files of a report."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits.llm._log import LLMLog
from audits.llm._results import Fit, ReferenceComparison
from audits.llm._words import headline, leak_line, sentence
from audits.report._terminal import filled
from audits.report.numbers import counted

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class LLMFindings:
    """What logs say of submitted models; its fields are documented at `LLMAudit`."""

    fit: Fit
    comparisons: tuple[ReferenceComparison, ...]
    confidence: float
    cluster: int | None
    seed: int
    warnings: tuple[str, ...]
    logs: Mapping[str, tuple[LLMLog, ...]]
    versions: Mapping[str, str]

    @property
    def headline(self) -> str:
        """What can be said, in brief."""
        return headline(self.comparisons)

    @property
    def sentence(self) -> str:
        """What can be said, and what cannot."""
        return sentence(self.comparisons)

    def to_dataframe(self) -> "pd.DataFrame":
        """A row for each reference and metric.

        Returns:
            Columns ``reference`` and those of `MetricComparison`; ``ks`` is the least p-value.
        """
        import pandas as pd

        return pd.DataFrame(
            [
                {"reference": comparison.reference}
                | vars(compared)
                | {"ks": min(map(min, compared.ks))}
                for comparison in self.comparisons
                for compared in comparison.metrics
            ]
        )

    def __str__(self) -> str:
        leaks = [
            leak_line(comparison.reference, comparison.privleak)
            for comparison in self.comparisons
            if comparison.privleak
        ]
        warnings = [filled(f"Warning: {text}") for text in self.warnings]
        table = self.to_dataframe().drop(
            # KS is over single examples, whatever was declared to be a draw: the report says so.
            columns=["mean_submission", "mean_reference", "wilcoxon", "ks", "examples"]
        )
        # Of one reference model there is no spread.
        table["seed_half_width"] = [
            f"{half:.3g}" if math.isfinite(half) else "unknown" for half in table["seed_half_width"]
        ]
        for end in ("low", "high"):
            table[end] = [f"{x:.3g}" if math.isfinite(x) else "undetermined" for x in table[end]]
        rows = table.to_string(index=False, float_format=lambda x: f"{x:.3g}")
        return "\n\n".join([filled(self.sentence), rows, *map(filled, leaks), *warnings])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.fit!r}, {counted(len(self.comparisons), 'reference')})"
