"""The figures of the paper, by name: numbers from populations or studies, drawn at two widths."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from matplotlib.figure import Figure

from estimators.kinds import check_name
from indist.figures import (
    _claimed,
    _coins,
    _curves,
    _decision_fields,
    _gamma_sweep,
    _influence_cases,
    _memorized_digits,
    _plane,
    _private_training,
    _score_nulls,
)
from indist.figures._page import COLUMN, PAGE
from indist.figures._save import save_widths
from indist.studies._rows import Record
from indist.studies._study import read_rows as read_rows
from indist.studies.illustrations._sources import Work as Work


class PaperFigure(NamedTuple):
    """A figure of the paper.

    Attributes:
        title: what it shows, in words.
        numbers: makes the rows it is drawn from.
        draw: draws them at a width in inches.
    """

    title: str
    numbers: Callable[[Work], list[Record]]
    draw: Callable[[list[Record], float], Figure]


FIGURES: dict[str, PaperFigure] = {
    name: PaperFigure((module.__doc__ or "").split("\n")[0], module.numbers, module.draw)
    for name, module in {
        "decision-fields": _decision_fields,
        "influence-cases": _influence_cases,
        "memorized-digits": _memorized_digits,
        "plane": _plane,
        "gamma-sweep": _gamma_sweep,
        "curves": _curves,
        "claimed": _claimed,
        "score-nulls": _score_nulls,
        "private-training": _private_training,
        "coins": _coins,
    }.items()
}
"""All figures of the paper by name."""


WIDTHS = {"column": COLUMN, "page": PAGE}
"""Widths in inches by name."""


def make(names: Iterable[str], folder: Path, work: Work) -> Iterator[tuple[str, list[Path]]]:
    """Makes figures of the paper.

    Each is written at column and page width as PDF, SVG and PNG, with the numbers as CSV beside.

    Args:
        names: of `FIGURES`; none for all.
        folder: where they are written.
        work: where numbers come from.

    Yields:
        The name of each figure, and the paths written.

    Raises:
        ValueError: for an unknown name, before anything is made.
    """
    import pandas as pd

    chosen = tuple(names) or tuple(FIGURES)
    for name in chosen:
        check_name(name, "figure", FIGURES)
    for name in chosen:
        figure = FIGURES[name]
        rows = figure.numbers(work)
        drawn = {width: figure.draw(rows, inches) for width, inches in WIDTHS.items()}
        yield name, save_widths(drawn, folder / name, pd.DataFrame(rows))
