"""Tables of models and examples, in CSV or Parquet.

A long table has a line for each model and probe, in columns of these names:

==================================  ==========================================================
``model``, ``probe``                names, each pair once, no pair missing
``group``                           the probe's group; or it stands in the mapping
``margin`` | ``probability`` |      what the model makes of the probe's label: ln p_y −
``loss``                            ln Σ_{j≠y} p_j, p_y, or −ln p_y
``label`` and ``logit_0``,          instead of it: the probe's label and a logit for each class;
``logit_1``, ...                    the label may stand in the mapping
``person``                          optional: whom the probe belongs to, or nothing for nobody,
                                    as the references name them too
``text``                            optional: what the probe is, for reports to show, at most 1000
                                    characters
==================================  ==========================================================

A wide table has a line for each model: its name in ``model``, if it likes, and a column for each
probe, named by its id. Groups are then in the mapping's ``probes``, and what the numbers are is in
its ``scalar``. A table is long when it has both ``model`` and ``probe``.
"""

import csv
import importlib
import warnings
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any, NoReturn, get_args

import numpy as np

from audits._reading import (
    Limits,
    SubmissionError,
    check_ids,
    check_persons,
    file_size,
    refuse,
)
from audits.formats._content import Content, check_counts, described, logit_content, scalar_content
from audits.formats._mapping import Mapping, Scalar
from audits.formats._probes import named_probes, no_labels
from estimators.checks import MOST_INTEGER, check_array
from oracles import PROBE_GROUPS
from oracles.storage.files import MOST_TEXT, first_repeated, most_unpacked

KIND = "table"
PARQUET = b"PAR1"

_SCALARS: tuple[Scalar, ...] = get_args(Scalar)
_OF_PROBES = ("person", "text")
_TEXT = ("model", "probe", "group", *_OF_PROBES)
_COLUMNS = (
    f"a line for each model and probe needs columns model, probe, group, and {', '.join(_SCALARS)} "
    "or logit_0, logit_1 and so on, and may have person and text; of other tables the mapping says "
    "more (indist ingest --mapping)"
)
# Other words for what is missing, and empty cells, are no numbers at all.
_NANS = ["nan", "NaN", "NAN"]
# Each costs time before its numbers do.
_MOST_COLUMNS = 100_000


def read(path: Path, mapping: Mapping, limits: Limits) -> Content:
    """Reads a table.

    Args:
        path: the CSV or Parquet file.
        mapping: ``probes`` and ``scalar`` where the table does not say them.
        limits: the most it may hold.

    Returns:
        Margins or logits; models and probes in the order in which they first come.

    Raises:
        SubmissionError: on unknown, repeated or missing columns, pairs or probes.
    """
    mapping.check_used(KIND, "clip", "probes", "scalar")
    size = file_size(path)
    if size > limits.array_bytes:
        refuse(path, f"expected at most {limits.array_bytes} bytes, found {size}")
    with path.open("rb") as file:
        parquet = file.read(4) == PARQUET
    names = _parquet_names(path, limits) if parquet else _csv_names(path, limits)
    if len(names) > _MOST_COLUMNS:
        refuse(
            path,
            f"expected at most {_MOST_COLUMNS} columns, found {len(names)}; a table with a line "
            "for each model and probe has few",
        )
    twice = first_repeated(names)
    if twice is not None:
        refuse(path, f"column {twice[:60]!r}: expected once, found more often")
    long = {"model", "probe"} <= set(names)
    text = [name for name in names if name in (_TEXT if long else ("model",))]
    if long:
        _check_columns(path, names)
    frame = (_parquet if parquet else _csv)(path, names, text)
    if not len(frame):
        refuse(path, "expected a line for each model, found none")
    return (_long if long else _wide)(path, frame, mapping, limits)


def _check_columns(path: Path, names: list[str]) -> None:
    values = [name for name in names if name in _SCALARS]
    logits = [name for name in names if name.startswith("logit_")]
    if len(values) + bool(logits) != 1:
        found = ", ".join([*values, *logits[:1]]) or "none"
        refuse(path, f"columns: expected one of {', '.join(_SCALARS)} or logit_*, found {found}")
    wanted = [f"logit_{k}" for k in range(len(logits))]
    if sorted(logits) != sorted(wanted) or len(logits) == 1:
        refuse(path, f"columns: expected logit_0, logit_1 and so on, found {', '.join(logits[:4])}")
    known = {*_TEXT, *values, *logits, *(["label"] if logits else [])}
    for name in names:
        if name not in known:
            refuse(path, f"column {name[:60]!r}: expected only known columns, found this one")


def _long(path: Path, frame: Any, mapping: Mapping, limits: Limits) -> Content:
    model, models = _codes(path, frame, "model")
    probe, probes = _codes(path, frame, "probe")
    check_ids(path, probes)
    logits = sum(name.startswith("logit_") for name in frame.columns)
    check_counts(path, len(models), len(probes), max(2, logits), limits)
    _check_pairs(path, model, models, probe, probes)
    names = [f"logit_{k}" for k in range(logits)] or [
        name for name in _SCALARS if name in frame.columns
    ]
    values = np.empty((len(models), len(probes), len(names)))
    for place, name in enumerate(names):
        values[model, probe, place] = _numbers(path, frame, name)
    if "group" in frame.columns:
        if mapping.probes is not None:
            refuse(mapping.file, "field probes: expected none, as the table has groups")
        ids, labels = np.array(probes), np.full(len(probes), -1)
        code, known = _codes(path, frame, "group")
        groups = np.array(known)[_of_probe(path, code, probe, probes, "group")]
        for name, group in zip(probes, groups, strict=True):
            if group not in PROBE_GROUPS:
                refuse(
                    path,
                    f"column 'group': expected one of {', '.join(PROBE_GROUPS)}, found "
                    f"{str(group)[:60]!r} at probe {name[:60]!r}",
                )
    else:
        labels, groups, ids = named_probes(path, mapping, probes)
    if not logits:
        if mapping.scalar not in (None, names[0]):
            refuse(mapping.file, f"field scalar: expected none or {names[0]!r} as the table has it")
        no_labels(mapping)
        kind: Any = names[0]
        content = scalar_content(path, values[:, :, 0], kind, (groups, ids), mapping, models)
        return described(content, *_persons_and_texts(path, frame, probe, probes))
    if "label" in frame.columns:
        column = _numbers(path, frame, "label")
        if ((column % 1) != 0).any() or (np.abs(column) > 2**31).any():
            refuse(path, "column 'label': expected whole numbers, found others")
        found = _of_probe(path, column.astype(np.int64), probe, probes, "label")
        if ((labels >= 0) & (labels != found)).any():
            refuse(mapping.file, "field probes: expected the labels of the table, found others")
        labels = found
    content = logit_content(path, values, (labels, groups, ids), mapping, models)
    return described(content, *_persons_and_texts(path, frame, probe, probes))


def _persons_and_texts(
    path: Path, frame: Any, probe: np.ndarray, probes: list[str]
) -> tuple[list[str] | None, list[str] | None]:
    """What the table says of its probes besides the group, or None where it has no such column."""
    persons, texts = (
        _texts(path, frame, name, probe, probes) if name in frame.columns else None
        for name in _OF_PROBES
    )
    check_persons(path, persons or [])
    longest = max(texts or [""], key=len)
    if len(longest) > MOST_TEXT:
        refuse(
            path,
            f"column 'text': expected at most {MOST_TEXT} characters, found {len(longest)}: "
            f"{longest[:60]!r}",
        )
    return persons, texts


def _texts(path: Path, frame: Any, name: str, probe: np.ndarray, probes: list[str]) -> list[str]:
    """The text that every line of a probe has alike; empty where its lines have none."""
    import pandas as pd

    codes, uniques = pd.factorize(frame[name])
    # Of a cell without a value the code is -1: the last.
    values = np.array([*(str(value) for value in uniques), ""], dtype=object)
    return values[_of_probe(path, np.asarray(codes), probe, probes, name)].tolist()


def _wide(path: Path, frame: Any, mapping: Mapping, limits: Limits) -> Content:
    ids = [name for name in frame.columns if name != "model"]
    check_ids(path, ids)
    check_counts(path, len(frame), len(ids), 2, limits)
    models = None
    if "model" in frame.columns:
        codes, models = _codes(path, frame, "model")
        if len(models) < len(codes):
            twice = models[int(np.flatnonzero(np.bincount(codes) > 1)[0])]
            refuse(path, f"column 'model': expected each once, found {twice[:60]!r} more often")
    if mapping.scalar is None:
        refuse(
            path,
            f"field scalar of its mapping ({mapping.file.name}): expected what its numbers are, "
            f"one of {', '.join(_SCALARS)}, found none",
        )
    no_labels(mapping)
    _, groups, named = named_probes(path, mapping, ids)
    values = np.stack([_numbers(path, frame, name) for name in ids], axis=1)
    return scalar_content(path, values, mapping.scalar, (groups, named), mapping, models)


def _codes(path: Path, frame: Any, name: str) -> tuple[np.ndarray, list[str]]:
    # Loaded on use: a list of formats takes no pandas.
    import pandas as pd

    codes, uniques = pd.factorize(frame[name])
    names = [str(value) for value in uniques]
    if (codes < 0).any() or "" in names:
        refuse(path, f"column {name!r}: expected a name in each line, found none in some")
    if len(set(names)) < len(names):
        refuse(path, f"column {name!r}: expected names that differ as text, found others")
    return np.asarray(codes), names


def _numbers(path: Path, frame: Any, name: str) -> np.ndarray:
    column = frame[name]
    if getattr(column.dtype, "kind", "O") not in "fiu":
        refuse(path, f"column {name[:60]!r}: expected numbers, found {str(column.dtype)[:60]}")
    return column.to_numpy(np.float64)


def _check_pairs(
    path: Path, model: np.ndarray, models: list[str], probe: np.ndarray, probes: list[str]
) -> None:
    pairs = model.astype(np.int64) * len(probes) + probe
    sorted_pairs = np.sort(pairs)
    again = np.flatnonzero(sorted_pairs[1:] == sorted_pairs[:-1])
    if again.size:
        first, second = divmod(int(sorted_pairs[again[0]]), len(probes))
        where = f"model {models[first][:60]!r} and probe {probes[second][:60]!r}"
        refuse(path, f"expected each model and probe once, found {where} more often")
    if len(pairs) < len(models) * len(probes):
        lacking = np.flatnonzero(np.bincount(model) < len(probes))
        refuse(
            path,
            f"expected all {len(probes)} probes for each model, found fewer for model "
            f"{models[int(lacking[0])][:60]!r}",
        )


def _of_probe(
    path: Path, column: np.ndarray, probe: np.ndarray, probes: list[str], name: str
) -> np.ndarray:
    """What every line of a probe says alike."""
    _, first = np.unique(probe, return_index=True)
    values = column[first]
    wrong = np.flatnonzero(values[probe] != column)
    if wrong.size:
        where = probes[int(probe[wrong[0]])]
        refuse(path, f"column {name!r}: expected one for probe {where[:60]!r}, found several")
    return values


def _csv_names(path: Path, limits: Limits) -> list[str]:
    with path.open("rb") as file:
        line = file.readline(min(limits.header_bytes, limits.array_bytes) + 1)
    if len(line) > limits.header_bytes:
        refuse(path, f"expected a first line of at most {limits.header_bytes} bytes, found more")
    try:
        rows = list(csv.reader([line.decode("utf-8-sig")], strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        refuse(path, f"expected comma-separated text in UTF-8, found something else ({error})")
    if not rows or not any(rows[0]):
        refuse(path, "expected a line of column names, found none")
    return rows[0]


def _csv(path: Path, names: Sequence[str], text: list[str]) -> Any:
    import pandas as pd

    numeric = [name for name in names if name not in text]
    # A cell beyond the last column lands in one more, as pandas would drop it with a warning.
    beyond = next(name for k in count() if (name := f"beyond {k}") not in names)
    kinds: Any = dict.fromkeys([*text, beyond], str) | dict.fromkeys(numeric, np.float64)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            frame = pd.read_csv(
                path,
                header=None,
                skiprows=1,
                names=[*names, beyond],
                index_col=False,
                dtype=kinds,
                keep_default_na=False,
                na_values=dict.fromkeys(numeric, _NANS),
                encoding="utf-8",
            )
    except (ValueError, OverflowError, MemoryError, Warning) as error:
        why = " ".join(str(error).split())[:200]
        hint = "" if {"model", "probe"} <= set(names) else f"; {_COLUMNS}"
        refuse(
            path,
            f"expected as many numbers and names a line as columns, found others ({why}){hint}",
        )
    large = [name for name in numeric if (np.abs(frame[name].to_numpy()) >= MOST_INTEGER).any()]
    if large:
        # Such numbers are rounded by now; their text is not.
        texts = pd.read_csv(
            path, header=None, skiprows=1, names=[*names, beyond], index_col=False, dtype=str
        )
        for name in large:
            cells = texts[name].dropna().str.strip()
            whole = cells[cells.str.fullmatch(r"[+-]?[0-9]{16,30}")]
            _check_integers(path, name, [int(cell) for cell in whole])
    more = np.flatnonzero(frame.pop(beyond) != "")
    if more.size:
        refuse(
            path,
            f"expected {len(names)} cells a line as the first line has, found more in line "
            f"{int(more[0]) + 2} ({more.size} such lines)",
        )
    _check_empty_cells(path, len(names))
    return frame


def _check_empty_cells(path: Path, columns: int) -> None:
    """Refuses lines with more cells than columns that are empty, which pandas cannot tell."""
    with path.open("rb") as file:
        if not any(line.rstrip().endswith((b",", b',""')) for line in file):
            return
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        try:
            for row in rows:
                if len(row) > columns:
                    refuse(
                        path,
                        f"expected {columns} cells a line as the first line has, found "
                        f"{len(row)} in line {rows.line_num}",
                    )
        except csv.Error as error:
            refuse(path, f"expected comma-separated text, found something else ({error})")


def _check_integers(path: Path, name: str, values: list[int]) -> None:
    """Refuses integers that float64 does not hold: two different ones would become equal."""
    try:
        check_array(values, f"column {name[:60]!r}")
    except ValueError as error:
        refuse(path, str(error))


def _parquet_module(path: Path) -> Any:
    try:
        return importlib.import_module("pyarrow.parquet")
    except ImportError:
        refuse(path, "is read by pyarrow, which is not there; install indist[parquet]")


def _parquet_names(path: Path, limits: Limits) -> list[str]:
    module = _parquet_module(path)
    try:
        about = module.ParquetFile(path).metadata
        names = [str(name) for name in about.schema.to_arrow_schema().names]
        groups = [about.row_group(k) for k in range(about.num_row_groups)]
        size = max(
            about.num_rows * max(1, about.num_columns) * 8,
            sum(group.total_byte_size for group in groups),
        )
    except Exception as error:
        _no_parquet(path, error)
    most = min(limits.array_bytes, most_unpacked(path))
    if size > most:
        refuse(path, f"expected at most {most} bytes unpacked, found {size}")
    return names


def _parquet(path: Path, names: Sequence[str], text: list[str]) -> Any:
    module = _parquet_module(path)
    try:
        # Names stay in dictionaries: one long name on many lines is kept once.
        file = module.ParquetFile(path, read_dictionary=text)
        # Columns are given up as they are converted, so that there are never two of each.
        table = file.read(columns=list(names))
        for name, column in zip(table.column_names, table.columns, strict=True):
            if str(column.type) in ("int64", "uint64"):
                ends = importlib.import_module("pyarrow.compute").min_max(column).as_py()
                _check_integers(path, name, [end for end in ends.values() if end is not None])
        return table.to_pandas(split_blocks=True, self_destruct=True)
    except SubmissionError:
        raise
    except Exception as error:
        _no_parquet(path, error)


def _no_parquet(path: Path, error: Exception) -> NoReturn:
    why = " ".join(str(error).split())[:200]
    refuse(path, f"expected a whole Parquet file, found one that cannot be read ({why})")
