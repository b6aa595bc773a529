"""What was found of one submitted model, as data and in words: all but its files."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audits._provenance import Provenance
from audits.report._terminal import filled
from audits.single._results import LikelihoodRatio, RankTest
from audits.single._words import evidence, headline, sentence
from audits.verdict._columns import Observables
from oracles import Observations

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class SingleFindings:
    """What can be said of one submitted model; its fields are documented at `SingleAudit`."""

    untraining: RankTest
    unlearning: RankTest
    ratio: LikelihoodRatio | None
    confidence: float
    provenance: Provenance
    observables: Mapping[str, Observables]
    observations: Mapping[str, Observations]
    warnings: tuple[str, ...]

    @property
    def headline(self) -> str:
        """What the model is consistent with, in brief."""
        return headline(self.untraining, self.unlearning)

    @property
    def sentence(self) -> str:
        """What the model is consistent with, and what cannot be concluded."""
        return sentence(self.untraining, self.unlearning, self.ratio)

    def to_dataframe(self) -> "pd.DataFrame":
        """The evidence of each probe.

        Returns:
            Columns ``id``, ``group``, ``margin``, and for each reference its least and greatest
            margin, whether the submitted model's lies ``outside`` of them, and its two-sided exact
            ``pvalue`` among them, of this probe alone.
        """
        import pandas as pd

        seen = self.observations["submission"]
        columns = {"id": seen.ids, "group": seen.groups, "margin": seen.margins[0]}
        for test in (self.untraining, self.unlearning):
            margins = self.observations[test.reference].margins
            submitted = columns["margin"]
            beyond = np.minimum(
                (margins <= submitted).sum(axis=0), (margins >= submitted).sum(axis=0)
            )
            columns |= {
                f"{test.reference}_low": margins.min(axis=0),
                f"{test.reference}_high": margins.max(axis=0),
                f"outside_{test.reference}": test.outside,
                f"pvalue_{test.reference}": np.minimum(
                    1.0, 2.0 * (1 + beyond) / (1 + len(margins))
                ),
            }
        return pd.DataFrame(columns)

    def __str__(self) -> str:
        lines = [filled(self.sentence), "", *evidence(self.untraining), *evidence(self.unlearning)]
        lines += [f"\n{filled(f'Warning: {text}')}" for text in self.warnings]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.provenance.submission!r}, untraining "
            f"{self.untraining.finding}, unlearning {self.unlearning.finding})"
        )
