"""The notebooks run top to bottom as they are committed, with few models."""

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
MODELS = re.compile(r"^MODELS = \d+", re.MULTILINE)
LARGEST = 300_000
"""Bytes of a committed notebook, outputs included."""


def test_there_are_six() -> None:
    assert len(NOTEBOOKS) == 6


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_committed_outputs(path: Path) -> None:
    """Executed in order, without an error, small, and without a path of the machine."""
    book: Any = nbformat.read(path, as_version=4)
    cells = [cell for cell in book.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert path.stat().st_size < LARGEST
    assert str(Path.home()) not in path.read_text()
    assert str(path.parents[1]) not in path.read_text()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, tmp_path: Path) -> None:
    book: Any = nbformat.read(path, as_version=4)
    named = [cell for cell in book.cells if MODELS.search(cell.source)]
    assert len(named) == 1, "one cell says how many models"
    named[0].source = MODELS.sub("MODELS = 8", named[0].source)
    NotebookClient(book, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
