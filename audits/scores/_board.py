"""The table of scores: its rows, and the same as plain text and for a notebook."""

import textwrap
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Literal

from audits.report._terminal import aligned, filled
from audits.report._words import ReferenceName
from audits.report.numbers import counted
from audits.scores._inputs import ScoreInputs

if TYPE_CHECKING:
    import pandas as pd

_AGAINST = {"untraining": "D∖S", "unlearning": "D∖B"}
# Width of the column of names.
_NAME = 26
_EXPLAINED = (
    "Against D∖S, models trained without the forget set, a score can say whether the submission "
    "was untrained; against D∖B, models trained without the behaviour, whether it was unlearned."
)

Says = Literal[
    "like the null",
    "outside the null",
    "undetermined: too few models",
    "saturated: cannot tell the original from the null",
]


@dataclass(frozen=True, kw_only=True)
class ScoreRow:
    """One score against one reference. None where there are too few models, or no originals.

    Attributes:
        score: its published name, with its variant.
        question: what it can answer.
        reference: ``untraining`` is A(D minus S), ``unlearning`` A(D minus B).
        value: as published, of all submitted models against all of the reference's; of an attack
            or accuracy, the submission's own mean.
        low: lower end of its interval.
        high: upper end.
        models: models on each side wherever the following are found, as most scores depend on it.
        at_models: the submission's, its median over random splits.
        null: the reference's other half in the submission's place: a perfect unlearner's.
        null_low: lower end of the null's central range.
        null_high: upper end.
        original: the original's, unlearned by nothing: the ceiling.
        models_needed: about the least number of models a side that tells original and null apart;
            None too where ``models`` do not.
        says: what follows.
    """

    score: str
    question: str
    reference: ReferenceName
    value: float
    low: float | None
    high: float | None
    models: int
    at_models: float | None
    null: float | None
    null_low: float | None
    null_high: float | None
    original: float | None
    models_needed: int | None
    says: Says


@dataclass(frozen=True)
class MissingScore:
    """A score that these observations do not allow.

    Attributes:
        score: its name.
        reason: why, in a short sentence.
    """

    score: str
    reason: str


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class ScoreTable:
    """All scores of a submission; its fields are documented at `Scoreboard`."""

    submission: str
    rows: tuple[ScoreRow, ...]
    missing: tuple[MissingScore, ...]
    sizes: Mapping[str, int]
    confidence: float
    splits: int
    seed: int
    digests: Mapping[str, str]
    inputs: ScoreInputs

    def to_dataframe(self) -> "pd.DataFrame":
        """A row for each score and reference, with the fields of `ScoreRow` as columns."""
        import pandas as pd

        names = [field.name for field in fields(ScoreRow)]
        table = pd.DataFrame([asdict(row) for row in self.rows], columns=names)
        numbers = [name for name in names if name not in ("score", "question", "reference", "says")]
        return table.astype({name: float for name in numbers} | {"models": int})

    def __str__(self) -> str:
        lines: list[tuple[str, ...] | str] = [_headings(self)]
        for question, rows in groupby(self.rows, key=lambda row: row.question):
            lines += ["", question]
            for _, pair in groupby(rows, key=lambda row: row.score):
                lines += _cells(list(pair))
        last = len(lines[0]) - 1
        tail = ["\n".join(filled(text, "- ") for text in _notes(self))]
        if self.missing:
            missing = (filled(text, "- ") for text in _missing(self))
            tail.append("\n".join(["Not computed:", *missing]))
        head = (filled(_title(self)), filled(_EXPLAINED))
        return "\n\n".join([*head, aligned(lines, left=(0, last)), *tail])

    def __repr__(self) -> str:
        return f"Scoreboard({self.submission!r}, {counted(len(self.rows), 'row')})"

    def _repr_html_(self) -> str:
        shown = self.to_dataframe().to_html(
            index=False, na_rep="", float_format=lambda x: f"{x:.4g}"
        )
        missing = "".join(f"<li>{escape(text)}</li>" for text in _missing(self))
        notes = "".join(f"<li>{escape(text)}</li>" for text in _notes(self))
        return (
            f"<div><p><strong>{escape(_title(self))}</strong></p><p>{escape(_EXPLAINED)}</p>"
            f"{shown}<ul>{notes}</ul><p>Not computed:</p><ul>{missing}</ul></div>"
        )


def _title(board: ScoreTable) -> str:
    counted = ", ".join(f"{count:,} {name}" for name, count in board.sizes.items())
    return f"Scores of {board.submission} against both references; models: {counted}"


def _headings(board: ScoreTable) -> tuple[str, ...]:
    share = f"{100 * board.confidence:g} %"
    models = max((row.models for row in board.rows), default=0)
    return (
        "score",
        "vs",
        f"value [{share}]",
        f"at {models}",
        f"null at {models} [{share}]",
        "original",
        "needs",
        "so it is",
    )


def _cells(rows: list[ScoreRow]) -> list[tuple[str, ...] | str]:
    """A line for each reference, the score's name beside them in as many lines as it takes."""
    name = textwrap.wrap(rows[0].score, _NAME)
    name += [""] * (len(rows) - len(name))
    lines: list[tuple[str, ...] | str] = [
        (
            name[k],
            _AGAINST[row.reference],
            _number(row.value) + _range(row.low, row.high),
            _number(row.at_models),
            _number(row.null) + _range(row.null_low, row.null_high),
            _number(row.original),
            _needs(row),
            row.says.split(":")[0],
        )
        for k, row in enumerate(rows)
    ]
    return [*lines, *name[len(rows) :]]


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{round(value, 3) + 0.0:.3f}" if abs(value) < 10.0 else f"{value:.1f}"


def _range(low: float | None, high: float | None) -> str:
    return "" if low is None else f" [{_number(low)},{_number(high)}]"


def _needs(row: ScoreRow) -> str:
    if row.models_needed is not None:
        return str(row.models_needed)
    return "-" if row.original is None else f"> {row.models}"


def _missing(board: ScoreTable) -> list[str]:
    """A clause for each reason, with all scores that are missing for it."""
    scores: dict[str, list[str]] = {}
    for missing in board.missing:
        scores.setdefault(missing.reason, []).append(missing.score)
    return [f"{'; '.join(names)}: {reason}" for reason, names in scores.items()]


def _notes(board: ScoreTable) -> list[str]:
    notes = [
        "null: one half of the reference's models against the other, as a perfect unlearner would "
        f"score; median and range of {board.splits} random splits. original: the models before "
        "unlearning, against the same. at: the submission at the same number of models, on which "
        "most scores depend. needs: about the least number of models a side (powers of two are "
        "tried) at which the ranges of null and original are apart",
        "outside the null: the submission at that number of models is beyond the null's range, and "
        "its interval leaves the null's median out. like the null: it is not. saturated: nor can "
        "the score tell the original from the null, so that being like it says nothing",
        f"a perfect unlearner is outside the null in about {100 * (1 - board.confidence):.3g} % of "
        "such rows or fewer, each by itself; rows are not corrected for their number",
        "no value is compared with a constant such as 0.5; of attacks and accuracies the null is "
        "the reference's own value",
        "the half of the originals that LiRA and RMIA take as models that saw the forget set is "
        "not scored",
    ]
    greatest = max((row.models for row in board.rows), default=0)
    fewer = {row.score: row.models for row in board.rows if row.models < greatest}
    notes += [
        f"{name}: compared at {counted(models, 'model')} only" for name, models in fewer.items()
    ]
    if board.sizes["submission"] == 1:
        notes.append("one submitted model gives no interval, and no comparison with a null")
    if "original" not in board.sizes:
        notes.append("without original models there are no ceilings: like the null may say nothing")
    return notes
