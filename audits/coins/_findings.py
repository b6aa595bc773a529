"""What an audit by coins holds, and its words: data alone, which writes no page."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from audits.coins import _words
from audits.coins._results import CoinQuestion, Utility
from audits.coins._scores import CoinScores
from audits.coins._settings import CoinSettings
from oracles import CoinDesign

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, kw_only=True)
class CoinFindings:
    """What coins allow to be said. `str` of it is the whole answer in plain text.

    Attributes:
        questions: what was asked, with the bound that answers it.
        utility: how often the models are right elsewhere.
        settings: what was declared.
        law: of the coins, ``fair coins`` or ``fixed size``.
        design: whose coins they are; None of two published sets.
        candidates: names of the examples, in the order of the scores.
        member: of two published sets, whether each example is of the forget set; None of coins.
        cluster: of two published sets, how many consecutive examples count as one.
        scores: what the models say of each candidate.
        baseline: the same of models that are independent of the coins, or None.
        check: of two published sets, scores of models that never saw the forget set, or None.
        warnings: what a reader should know.
        versions: of indist and of what it computes with.
    """

    questions: tuple[CoinQuestion, ...]
    utility: tuple[Utility, ...]
    settings: CoinSettings
    law: str
    design: CoinDesign | None
    candidates: tuple[str, ...]
    scores: CoinScores
    member: tuple[bool, ...] | None = None
    cluster: int = 1
    baseline: CoinScores | None = None
    check: CoinScores | None = None
    warnings: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def untraining(self) -> CoinQuestion | None:
        """Against procedures run without the forget set; None where no candidate was found."""
        return self._question("untraining")

    @property
    def unlearning(self) -> CoinQuestion | None:
        """Against procedures run without any candidate; None of two published sets."""
        return self._question("unlearning")

    def _question(self, name: str) -> CoinQuestion | None:
        return next((one for one in self.questions if one.question == name), None)

    @property
    def models(self) -> int:
        """How many models were looked at."""
        return len(self.scores.values)

    @property
    def headline(self) -> str:
        """What was found, in brief."""
        return _words.headline(self.questions, self.utility, self.design is None)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What the findings mean."""
        return _words.sentences(self.questions, self.utility, self.law)

    def to_dataframe(self) -> "pd.DataFrame":
        """A row for each question and delta: the bound there, and what was behind it."""
        import pandas as pd

        rows: list[dict[str, Any]] = []
        for one in self.questions:
            shared = {
                "question": one.question,
                "finding": one.finding,
                "coins": one.result.examples,
                "models": one.result.models,
                "log10_p": one.log10_pvalue,
                "confidence": one.result.confidence_level,
            }
            at = dict(one.at) | {one.result.delta: one.bound}
            rows += [
                {"question": one.question, "delta": delta, "epsilon": at[delta]} | shared
                for delta in sorted(at)
            ]
        return pd.DataFrame(rows)

    def __str__(self) -> str:
        return _words.text(self.headline, self.questions, self.utility, self.law, self.warnings)

    def __repr__(self) -> str:
        found = ", ".join(f"{one.question}: {one.finding}" for one in self.questions)
        return f"{type(self).__name__}({self.scores.name!r}, {found})"
