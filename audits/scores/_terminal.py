"""A scoreboard as plain text for a terminal, and for a notebook."""

import textwrap
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

from audits.verdict._terminal import filled

if TYPE_CHECKING:
    from audits.scores._scoreboard import Scoreboard, ScoreRow

_AGAINST = {"untraining": "D∖S", "unlearning": "D∖B"}
_NAME = 26


def terminal(board: "Scoreboard") -> str:
    """One table under the questions that its scores can answer, then how to read it."""
    head = [_title(board), _explained(board)]
    lines: list[tuple[str, ...] | str] = [_headings(board)]
    for question, rows in groupby(board.rows, key=lambda row: row.question):
        lines += ["", question]
        for _, pair in groupby(rows, key=lambda row: row.score):
            lines += _cells(list(pair))
    tail = ["\n".join(filled(text, "- ") for text in _remarks(board))]
    if board.missing:
        tail.append("\n".join(["Not computed:", *(filled(text, "- ") for text in _missing(board))]))
    return "\n\n".join([*map(filled, head), _aligned(lines), *tail])


def html(board: "Scoreboard") -> str:
    """The same for a notebook."""
    shown = board.to_dataframe().to_html(index=False, na_rep="", float_format=lambda x: f"{x:.4g}")
    left = "".join(f"<li>{escape(text)}</li>" for text in _missing(board))
    remarks = "".join(f"<li>{escape(text)}</li>" for text in _remarks(board))
    return (
        f"<div><p><strong>{escape(_title(board))}</strong></p><p>{escape(_explained(board))}</p>"
        f"{shown}<ul>{remarks}</ul><p>Not computed:</p><ul>{left}</ul></div>"
    )


def _title(board: "Scoreboard") -> str:
    counted = ", ".join(f"{count:,} {name}" for name, count in board.sizes.items())
    return f"Scores of {board.submission} against both references; models: {counted}"


def _explained(board: "Scoreboard") -> str:
    return (
        "Against D∖S, models trained without the forget set, a score can say whether the "
        "submission was untrained; against D∖B, models trained without the behaviour, whether it "
        "was unlearned."
    )


def _headings(board: "Scoreboard") -> tuple[str, ...]:
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


def _cells(rows: "list[ScoreRow]") -> list[tuple[str, ...] | str]:
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


def _needs(row: "ScoreRow") -> str:
    if row.models_needed is not None:
        return str(row.models_needed)
    return "-" if row.original is None else f"> {row.models}"


def _aligned(lines: list[tuple[str, ...] | str]) -> str:
    """Cells below one another, the first and the last to the left; headings as they are."""
    cells = [line for line in lines if not isinstance(line, str)]
    widths = [max(len(line[k]) for line in cells) for k in range(len(cells[0]))]

    def drawn(line: tuple[str, ...]) -> str:
        middle = [cell.rjust(width) for cell, width in zip(line[1:-1], widths[1:-1], strict=True)]
        return "  ".join([line[0].ljust(widths[0]), *middle, line[-1]])

    return "\n".join(line if isinstance(line, str) else drawn(line) for line in lines)


def _missing(board: "Scoreboard") -> list[str]:
    """Scores of one reason together."""
    reasons = dict.fromkeys(one.reason for one in board.missing)
    names = {why: [one.score for one in board.missing if one.reason == why] for why in reasons}
    return [f"{'; '.join(those)}: {why}" for why, those in names.items()]


def _remarks(board: "Scoreboard") -> list[str]:
    found = [
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
    found += [f"{name}: compared at {models} models only" for name, models in fewer.items()]
    if board.sizes["submission"] == 1:
        found.append("one submitted model gives no interval, and no comparison with a null")
    if "original" not in board.sizes:
        found.append("without original models there are no ceilings: like the null may say nothing")
    return found
