"""Writing a figure for print, for the web and for a slide, with its numbers beside it."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from audits.report.palette import drawing
from indist._tables import csv_bytes
from oracles.storage.files import write_bytes_atomic

if TYPE_CHECKING:
    import pandas as pd

# No date, so that the same figure is the same file.
_KINDS: dict[str, dict[str, Any]] = {
    "pdf": {"metadata": {"CreationDate": None}},
    "svg": {"metadata": {"Date": None}},
    "png": {"dpi": 200},
}


def save(figure: Figure, stem: Path, data: "pd.DataFrame") -> list[Path]:
    """Writes ``stem.pdf``, ``.svg``, ``.png`` (200 dots an inch) and ``.csv``, each whole or not.

    Args:
        figure: what to write.
        stem: path without a suffix.
        data: the numbers that the figure shows.

    Returns:
        The paths written.
    """
    return [*_pictures(figure, stem), _numbers(stem, data)]


def save_widths(figures: Mapping[str, Figure], stem: Path, data: "pd.DataFrame") -> list[Path]:
    """Writes a figure drawn at several widths, as `save` does, with one file of numbers.

    Args:
        figures: ``stem-KEY.pdf`` and the others are written of each.
        stem: path without a suffix.
        data: the numbers that all of them show, in ``stem.csv``.

    Returns:
        The paths written.
    """
    written = [
        path
        for width, figure in figures.items()
        for path in _pictures(figure, stem.with_name(f"{stem.name}-{width}"))
    ]
    return [*written, _numbers(stem, data)]


def _pictures(figure: Figure, stem: Path) -> list[Path]:
    written: list[Path] = []
    for kind, options in _KINDS.items():
        buffer = io.BytesIO()
        # Many venues refuse the default, type 3 fonts, in PDF.
        with drawing(), rc_context({"pdf.fonttype": 42}):
            figure.savefig(buffer, format=kind, facecolor="white", **options)
        written.append(stem.with_name(f"{stem.name}.{kind}"))
        write_bytes_atomic(written[-1], buffer.getvalue())
    return written


def _numbers(stem: Path, data: "pd.DataFrame") -> Path:
    path = stem.with_name(f"{stem.name}.csv")
    write_bytes_atomic(path, csv_bytes(data))
    return path
