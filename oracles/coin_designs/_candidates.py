"""Candidates from a file: a line each, in CSV or JSONL."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool

from estimators.kinds import check_kind
from oracles.coin_designs._design import DETAILS, MOST_CANDIDATES
from oracles.storage.files import MOST_TEXT, file_size, printable, refuse

_LARGEST_FILE = 2**28
_COLUMNS = ("candidate", "found", *DETAILS)
_BITS = {"1": True, "true": True, "0": False, "false": False}

_Row = tuple[int, dict[str, Any]]
"""Number of a line, and its cells by column."""


@dataclass(frozen=True, eq=False)
class CoinCandidates:
    """What a file says of candidates.

    Attributes:
        names: a name for each.
        found: whether each is among those that are found; None where the file does not say it.
        details: columns of `CoinDesign.details` that the file has.
    """

    names: tuple[str, ...]
    found: Bool[np.ndarray, " candidates"] | None
    details: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])


def read_candidates(path: Path | str) -> CoinCandidates:
    r"""Reads candidates from a table.

    Args:
        path: a ``.csv`` file whose first line names the columns, or a ``.jsonl`` file of one object
            a line. The column ``candidate`` is needed, and holds their names; ``found``, with 1 or
            0 (true or false), ``text``, ``label``, ``group`` and ``person`` may be there.

    Returns:
        The candidates, in the order of the file.

    Raises:
        FileError: when the file cannot be read or does not fit; the message names the line, the
            column, what was expected and what was found.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "pages.csv"
        >>> _ = path.write_text("candidate,found\npage 1,1\npage 2,0\n")
        >>> read_candidates(path).found
        array([ True, False])
    """
    check_kind(path, "path", (str, Path), "a path")
    path = Path(path)
    if (size := file_size(path)) > _LARGEST_FILE:
        refuse(path, f"expected at most {_LARGEST_FILE:,} bytes, found {size:,}")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        refuse(path, f"expected text in UTF-8, found other bytes at {error.start}")
    rows = _lines(path, text) if path.suffix.lower() == ".jsonl" else _table(path, text)
    if not 1 <= len(rows) <= MOST_CANDIDATES:
        refuse(path, f"expected 1 to {MOST_CANDIDATES:,} candidates, found {len(rows):,}")
    columns = [name for name in _COLUMNS if name in rows[0][1]]
    for line, cells in rows:
        _check_columns(path, line, cells, columns)
    first: dict[str, int] = {}
    for line, cells in rows:
        name = cells["candidate"] = _text(path, line, "candidate", cells["candidate"])
        if name in first:
            other = f"found {name[:60]!r} on line {first[name]} too"
            refuse(path, f"line {line}: column candidate: expected unique names, {other}")
        first[name] = line
    found = None
    if "found" in columns:
        found = np.array([_bit(path, line, cells["found"]) for line, cells in rows])
    details = {
        name: tuple(_text(path, line, name, cells[name]) for line, cells in rows)
        for name in columns
        if name in DETAILS
    }
    return CoinCandidates(tuple(first), found, details)


def _table(path: Path, text: str) -> list[_Row]:
    """The lines of a CSV file; every one has as many cells as the first."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[_Row] = []
    try:
        head = next(reader, [])
        if len(set(head)) < len(head):
            refuse(path, f"line 1: expected each column once, found {', '.join(head)[:60]!r}")
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(head):
                refuse(
                    path,
                    f"line {reader.line_num}: expected {len(head)} cells, found {len(cells)}",
                )
            rows.append((reader.line_num, dict(zip(head, cells, strict=True))))
    except csv.Error as error:
        refuse(path, f"line {reader.line_num}: is not CSV ({error})")
    return rows


def _lines(path: Path, text: str) -> list[_Row]:
    """The objects of a JSONL file."""
    rows: list[_Row] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            cells = json.loads(line)
        except (ValueError, RecursionError) as error:
            refuse(path, f"line {number}: is not JSON ({error})")
        if not isinstance(cells, dict):
            refuse(path, f"line {number}: expected an object, found {line.strip()[:60]!r}")
        rows.append((number, cells))
    return rows


def _check_columns(path: Path, line: int, cells: dict[str, Any], columns: Sequence[str]) -> None:
    for name in cells:
        if name not in _COLUMNS:
            known = ", ".join(_COLUMNS)
            refuse(path, f"line {line}: expected columns among {known}, found {name[:60]!r}")
    for name in dict.fromkeys(("candidate", *columns)):
        if name not in cells:
            refuse(path, f"line {line}: expected the column {name}, found none")
    if len(cells) > len(columns):
        more = next(name for name in cells if name not in columns)
        refuse(path, f"line {line}: expected the columns of the first line, found {more} too")


def _text(path: Path, line: int, column: str, value: Any) -> str:
    """A cell as one line that a page may show; numbers are taken as they are written."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if value is None and column != "candidate":
        value = ""
    where = f"line {line}: column {column}:"
    if not isinstance(value, str):
        refuse(path, f"{where} expected a text, found {str(value)[:60]!r}")
    shown = " ".join(printable(value).split())
    if column == "candidate" and (shown != value or not value):
        refuse(path, f"{where} expected a name of printable characters, found {value[:60]!r}")
    if len(shown) > MOST_TEXT:
        refuse(path, f"{where} expected at most {MOST_TEXT} characters, found {len(shown)}")
    return shown


def _bit(path: Path, line: int, value: Any) -> bool:
    bit = _BITS.get(str(value).strip().lower())
    if bit is None:
        refuse(
            path, f"line {line}: column found: expected 1 or 0, true or false, found {value!r:.60}"
        )
    return bit
