"""Two files of samples, one model a row: .npy, .npz or .csv, never unpickled."""

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from audits._reading import Limits, file_size, refuse
from estimators.checks import check_array
from oracles.storage.arrays import (
    MOST_DIMS,
    Form,
    check_bytes,
    check_finite,
    map_npy,
    npz_header,
    npz_names,
    read_npz,
)
from oracles.storage.digests import digest_arrays

_LIMITS = Limits()
_SAMPLES = Form("biuf", "[models, ...]", range(1, MOST_DIMS + 1))


@dataclass(frozen=True, eq=False)
class SampleFile:
    """The samples that a file holds.

    Attributes:
        path: the file.
        values: one row a model, float64: ``[models]`` or ``[models, *observables]``.
        observables: names of the columns, when the file has a header.
        digest: SHA-256 of the numbers, the same for every file format.
    """

    path: Path
    values: Float[np.ndarray, "models ..."]
    observables: tuple[str, ...] | None
    digest: str


def read_samples(path: str | Path) -> SampleFile:
    """Reads one population's samples.

    ``.npy`` holds one array, ``.npz`` exactly one, ``.csv`` numbers between commas, with or without
    a line of column names. The first axis counts models.

    Args:
        path: a file whose name ends in ``.npy``, ``.npz`` or ``.csv``.

    Returns:
        The samples, finite.

    Raises:
        SubmissionError: a ValueError whose one sentence names the file, the place, what was found
            and what was expected.
    """
    where = Path(path)
    file_size(where)
    readers = {".npy": _read_npy, ".npz": _read_npz, ".csv": _read_csv}
    if where.suffix not in readers:
        refuse(where, f"expected a name ending in {', '.join(readers)}, found {where.suffix!r}")
    values, names = readers[where.suffix](where)
    try:
        check_array(values, "samples")
    except ValueError as error:
        refuse(where, str(error))
    with np.errstate(over="ignore", invalid="ignore"):
        values = np.array(values, dtype=np.float64)
    check_finite(where, "", values)
    return SampleFile(where, values, names, digest_arrays({"samples": values}))


def read_sample_pair(p: str | Path, q: str | Path) -> tuple[SampleFile, SampleFile]:
    """Reads two populations' samples and checks that they have the same observables.

    Args:
        p: the first population's file.
        q: the second's.

    Returns:
        Both, in that order.

    Raises:
        SubmissionError: a ValueError, when a file cannot be read or the two do not fit.
    """
    first, second = read_samples(p), read_samples(q)
    shapes = first.values.shape[1:], second.values.shape[1:]
    if shapes[0] != shapes[1]:
        refuse(
            second.path,
            f"expected observables of shape {list(shapes[0])} as in {first.path}, "
            f"found {list(shapes[1])}",
        )
    named = first.observables, second.observables
    if None not in named and named[0] != named[1]:
        refuse(
            second.path,
            f"expected the columns {', '.join(named[0] or ())} as in {first.path}, "
            f"found {', '.join(named[1] or ())}",
        )
    return first, second


def _read_npy(path: Path) -> tuple[np.ndarray, None]:
    mapped = map_npy(path, _SAMPLES)
    check_bytes(path, mapped.nbytes, _LIMITS)
    return mapped, None


def _read_npz(path: Path) -> tuple[np.ndarray, None]:
    names = npz_names(path)
    if len(names) != 1:
        listed = ", ".join(repr(name[:40]) for name in names[:4]) or "none"
        refuse(path, f"expected exactly one array, found {len(names)}: {listed}")
    (name,) = names
    check_bytes(path, npz_header(path, name).nbytes, _LIMITS)
    return read_npz(path, {name: _SAMPLES}, _LIMITS)[name], None


def _read_csv(path: Path) -> tuple[list[Any], tuple[str, ...] | None]:
    check_bytes(path, file_size(path), _LIMITS)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except (UnicodeDecodeError, csv.Error) as error:
        refuse(path, f"expected comma-separated text in UTF-8, found something else ({error})")
    names = None
    if rows and not any(_is_number(cell) for cell in rows[0][1]):
        names = tuple(cell.strip() for cell in rows.pop(0)[1])
    if not rows:
        refuse(path, "expected one line of numbers a model, found none")
    width = len(names) if names else len(rows[0][1])
    for line, row in rows:
        if len(row) != width:
            refuse(path, f"line {line}: expected {width} columns, found {len(row)}")
        for column, cell in enumerate(row):
            if not _is_number(cell) or not math.isfinite(float(cell)):
                label = repr(names[column]) if names else str(column + 1)
                refuse(
                    path,
                    f"line {line}, column {label}: expected a finite number, found {cell[:40]!r}",
                )
    values = [[_number(cell) for cell in row] for _, row in rows]
    return ([row[0] for row in values] if width == 1 else values), names


def _number(text: str) -> int | float:
    """Whole numbers as such, so that none is rounded before it is looked at."""
    return int(text) if text.strip().lstrip("+-").isdecimal() else float(text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
