"""Tables of candidates: a line for each model and candidate, as CSV or as JSON, an object a line.

======================  ======================================================================
``candidate``           the candidate's name, as in the design; or the name of another example
``model``               optional where there is one model: as in ``training.csv`` of the design
``margin``, ``score``,  what the model makes of it, higher where it was trained on; one of them, or
``probability``,        ``loss``, which is lower; or the columns that the design declares
``loss``
``group``               optional: ``retain`` or ``test`` at other examples, whose margins (above 0)
                        or probabilities (above 1/2) say whether the model has them right; or
``right``               optional: 1 or 0 instead
======================  ======================================================================

Other columns are left alone, so that a log may be handed in as it is.
"""

import csv
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from audits._reading import Limits, file_size, refuse
from oracles.storage.files import printable

KINDS = ("margin", "score", "probability", "loss")
_SUFFIXES = (".csv", ".jsonl", ".ndjson")
_LONGEST_LINE = 2**20
_MOST_LINES = 20_000_000


class CoinTable(NamedTuple):
    """A table as read: see `CoinScores`."""

    values: Float[np.ndarray, "models candidates observables"]
    right: dict[str, Int[np.ndarray, " models"]]
    examples: dict[str, int]
    read: tuple[str, ...]
    models: tuple[str, ...]


def is_coin_table(path: Path) -> bool:
    """Whether a file is a table with a column of candidates, by its first line."""
    if path.suffix.lower() not in _SUFFIXES or not path.is_file():
        return False
    with path.open("rb") as file:
        first = file.readline(_LONGEST_LINE)
    return b"candidate" in first


def read_coin_table(
    path: Path, candidates: Sequence[str], observables: tuple[str, ...], limits: Limits
) -> CoinTable:
    """Reads a table, and puts it in the order of the candidates.

    Args:
        path: the file.
        candidates: names of the candidates.
        observables: what the design declares of them.
        limits: the most it may hold.

    Raises:
        SubmissionError: naming file, line, column, and what was expected.
    """
    if file_size(path) > limits.array_bytes:
        refuse(path, f"expected at most {limits.array_bytes:,} bytes, found {file_size(path):,}")
    known = {name: place for place, name in enumerate(candidates)}
    values: dict[str, dict[int, list[float]]] = {}
    right: dict[str, dict[str, dict[str, bool]]] = {}
    columns: tuple[str, ...] = ()
    for number, row in _lines(path):
        columns = columns or _columns(path, row, observables)
        name = _text(path, number, row, "candidate")
        model = _text(path, number, row, "model") if "model" in row else ""
        group = str(row.get("group") or "")
        if name in known:
            held = values.setdefault(model, {})
            if known[name] in held:
                what = f"line {number}: expected each model and candidate once, found"
                refuse(path, f"{what} {printable(name)[:60]!r} twice")
            held[known[name]] = [_signed(path, number, row, column) for column in columns]
        elif group in ("retain", "test"):
            of_group = right.setdefault(group, {}).setdefault(model, {})
            if name in of_group:
                refuse(path, f"line {number}: expected each example once, found {name!r:.60} twice")
            of_group[name] = _is_right(path, number, row, columns)
        else:
            refuse(
                path,
                f"line {number}: expected a candidate of the design, or group retain or test, "
                f"found {printable(name)[:60]!r}",
            )
    if not values:
        refuse(path, "expected a line for each model and candidate, found none")
    order = _order(list(values))
    for model in order:
        missing = len(candidates) - len(values[model])
        if missing:
            lacking = next(name for name, place in known.items() if place not in values[model])
            which = f" of model {printable(model)[:40]}" if model else ""
            refuse(path, f"expected a line for candidate {lacking!r}{which}, found none")
    stacked = [[values[model][place] for place in range(len(candidates))] for model in order]
    counts, examples = _counted(path, right, order)
    return CoinTable(np.array(stacked, dtype=np.float64), counts, examples, columns, tuple(order))


def _counted(
    path: Path, right: dict[str, dict[str, dict[str, bool]]], order: Sequence[str]
) -> tuple[dict[str, Int[np.ndarray, " models"]], dict[str, int]]:
    counts: dict[str, Int[np.ndarray, " models"]] = {}
    examples: dict[str, int] = {}
    for group, by_model in right.items():
        asked = {frozenset(by_model.get(model, ())) for model in order}
        if len(asked) > 1 or set(by_model) - set(order):
            refuse(path, f"expected the same {group} examples of every model, found others")
        counts[group] = np.array([sum(by_model[model].values()) for model in order])
        examples[group] = len(next(iter(asked)))
    return counts, examples


def _order(models: list[str]) -> list[str]:
    """Models by number where they are numbered, as designs number them; else as they come."""
    numbered = all(model.isdecimal() for model in models)
    return sorted(models, key=lambda model: (len(model), model)) if numbered else models


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = (
                _csv_rows(path, file) if path.suffix.lower() == ".csv" else _json_rows(path, file)
            )
            for number, row in rows:
                if number > _MOST_LINES:
                    refuse(path, f"expected at most {_MOST_LINES:,} lines, found more")
                yield number, row
    except UnicodeDecodeError:
        refuse(path, "expected text in UTF-8, found other bytes")
    except csv.Error as error:
        refuse(path, f"expected a CSV table, found none ({error})")


def _csv_rows(path: Path, file: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    table = csv.reader(file, strict=True)
    header = [name.strip() for name in next(table, [])]
    if "candidate" not in header or len(set(header)) != len(header):
        found = printable(", ".join(header))[:60]
        refuse(path, f"line 1: expected columns, each once, candidate among them, found {found!r}")
    for row in table:
        if not row:
            continue
        if len(row) != len(header):
            what = f"line {table.line_num}: expected {len(header)} cells, as the header has"
            refuse(path, f"{what}, found {len(row)}")
        yield table.line_num, dict(zip(header, row, strict=True))


def _json_rows(path: Path, file: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    number = 0
    while line := file.readline(_LONGEST_LINE):
        number += 1
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            refuse(path, f"line {number}: expected a JSON object, found {printable(line)[:60]!r}")
        if not isinstance(row, dict):
            refuse(path, f"line {number}: expected a JSON object, found {type(row).__name__}")
        yield number, row


def _columns(path: Path, row: dict[str, Any], observables: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of the declared observables."""
    if observables != ("score",):
        for name in observables:
            if name not in row:
                refuse(path, f"expected a column {name!r}, as the design declares, found none")
        return observables
    held = [name for name in KINDS if name in row]
    if len(held) != 1:
        refuse(
            path,
            f"expected one of the columns {', '.join(KINDS)}, as the design declares one "
            f"observable, found {', '.join(held) or 'none of them'}; a design may declare which "
            "(indist coins draw --observable)",
        )
    return tuple(held)


def _text(path: Path, number: int, row: dict[str, Any], column: str) -> str:
    found = row.get(column)
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    if not isinstance(found, str) or not found:
        refuse(path, f"line {number}: expected a name in column {column}, found {found!r:.60}")
    return found


def _number(path: Path, number: int, row: dict[str, Any], column: str) -> float:
    found = row.get(column)
    try:
        strange = found is None or isinstance(found, bool) or "_" in str(found)
        value = float("nan") if strange else float(str(found))
    except (TypeError, ValueError, OverflowError):
        value = float("nan")
    if not math.isfinite(value):
        what = f"line {number}: expected a finite number in column {printable(column)[:60]}"
        refuse(path, f"{what}, found {printable(str(found))[:60]!r}")
    return value


def _signed(path: Path, number: int, row: dict[str, Any], column: str) -> float:
    """A number turned so that it is higher where an example was trained on, as a rule."""
    value = _number(path, number, row, column)
    if column.startswith("loss"):
        return -value
    if column == "probability":
        if not 0.0 <= value <= 1.0:
            refuse(path, f"line {number}: expected a probability within [0, 1], found {value:g}")
        inside = min(max(value, 1e-300), 1.0 - 2.0**-53)
        return math.log(inside) - math.log1p(-inside)
    return value


def _is_right(path: Path, number: int, row: dict[str, Any], columns: Sequence[str]) -> bool:
    if isinstance(row.get("right"), bool):
        return row["right"]
    if "right" in row and row["right"] not in ("", None):
        value = _number(path, number, row, "right")
        if value not in (0.0, 1.0):
            refuse(path, f"line {number}: expected 0 or 1 in column right, found {value:g}")
        return value == 1.0
    column = next((name for name in ("margin", "probability") if name in columns), None)
    if column is None:
        refuse(
            path,
            f"line {number}: expected a column right, 1 or 0, at examples of retain and test, as "
            f"{columns[0]} does not say whether the model has them right",
        )
    return _signed(path, number, row, column) > 0.0
