"""The table of scores as numbers in a file, and what it was computed from beside it."""

import importlib.util
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from safetensors import SafetensorError
from safetensors.numpy import load, save

from audits._provenance import versions
from audits._reading import ANY_NUMBERS, Limits, refuse, safetensors_header
from audits.report._folder import STORED, file_digests, record_bytes, write_result
from audits.scores._board import ScoreTable
from audits.scores._inputs import ScoreInputs
from audits.submissions._stored import store

FILE = "scores.json"
FORMAT = "indist-scores"
VERSION = 1
# Beside the observations: what models showed that observations do not hold.
_MODELS = "models.safetensors"
_RELEARN = "relearn/"


def record(
    board: ScoreTable, command: str | None = None, files: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Every number of the table, as ``scores.json`` holds it.

    Args:
        board: the table.
        command: that made it, if any did.
        files: digests of the files beside it.
    """
    return {
        "format": FORMAT,
        "version": VERSION,
        "command": command,
        "submission": board.submission,
        "models": dict(board.sizes),
        "digests": dict(board.digests),
        "confidence": board.confidence,
        "splits": board.splits,
        "seed": board.seed,
        "scores": [asdict(row) for row in board.rows],
        "missing": [asdict(row) for row in board.missing],
        "versions": versions() | {"scikit-learn": sklearn.__version__},
        "files": dict(files or {}),
    }


def write_scores(board: ScoreTable, directory: Path, *, command: str | None, replace: bool) -> None:
    """Writes the folder of a table of scores; see `write_result`."""
    table = board.to_dataframe()

    def fill(staging: Path) -> None:
        store(board.inputs.seen, staging / STORED)
        shown = _shown_by_models(board.inputs)
        if shown:
            (staging / STORED / _MODELS).write_bytes(save(shown))
        table.to_csv(staging / "scores.csv", index=False, lineterminator="\n")
        if importlib.util.find_spec("pyarrow") is not None:
            table.to_parquet(staging / "scores.parquet", engine="pyarrow", index=False)
        content = record(board, command, file_digests(staging))
        (staging / FILE).write_bytes(record_bytes(content))

    write_result(directory, FILE, fill, replace=replace)


def _shown_by_models(inputs: ScoreInputs) -> dict[str, np.ndarray]:
    shown = {f"{_RELEARN}{name}": np.asarray(steps) for name, steps in inputs.relearn.items()}
    if inputs.teachers is not None:
        shown["teachers"] = np.ascontiguousarray(inputs.teachers)
    return shown


def read_shown_by_models(
    folder: Path, limits: Limits
) -> tuple[np.ndarray | None, dict[str, np.ndarray]]:
    """Logits of random teachers, and steps to relearn by population, as `write_scores` stored them.

    Raises:
        SubmissionError: when the file is there and damaged.
    """
    path = folder / _MODELS
    if not path.exists():
        return None, {}
    safetensors_header(path, limits, ANY_NUMBERS)
    try:
        found = load(path.read_bytes())
    except SafetensorError as error:
        refuse(path, f"cannot be read ({error})")
    relearn = {k.removeprefix(_RELEARN): v for k, v in found.items() if k.startswith(_RELEARN)}
    return found.get("teachers"), relearn
