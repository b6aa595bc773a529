"""Writing a figure for print, for the web and for a slide, with its numbers beside it."""

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from audits.report._svg import drawing
from indist._tables import csv_bytes
from oracles._files import write_bytes_atomic

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
    written: list[Path] = []
    for kind, options in _KINDS.items():
        buffer = io.BytesIO()
        # Many venues refuse the default, type 3 fonts, in PDF.
        with drawing(), rc_context({"pdf.fonttype": 42}):
            figure.savefig(buffer, format=kind, facecolor="white", **options)
        written.append(stem.with_name(f"{stem.name}.{kind}"))
        write_bytes_atomic(written[-1], buffer.getvalue())
    written.append(stem.with_name(f"{stem.name}.csv"))
    write_bytes_atomic(written[-1], csv_bytes(data))
    return written
