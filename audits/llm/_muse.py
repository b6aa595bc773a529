"""MUSE's logs: a folder of JSON for one model, or the table of all models.

Schema: https://github.com/swj0419/muse_bench, ``eval.py`` and ``metrics``; the older layout, which
scores a corpus a folder, is that of https://github.com/jaechan-repo/muse_bench.
"""

import csv
import re
from pathlib import Path
from typing import Any

from audits._reading import Limits, file_size, read_json, refuse
from audits.formats._others import part_of_muse
from audits.llm._log import LLMLog, finite, in_order, number, refuse_field, rows, with_fingerprint

_ROUGE = ("rougeL", "rougeL_recall", "rouge1", "rouge1_recall")
_GENERATED = {
    "verbmem_f": "verbmem_f/log.json",
    "knowmem_f": "knowmem_f/log.json",
    "knowmem_r": "knowmem_r/log.json",
}
_MEMBERSHIP = "privleak/log.json"
_OLD_GENERATED = {"f": "forget/history.json", "r": "retain/history.json"}
_OLD_MEMBERSHIP = {"forget": "forget.json", "retain": "retain2.json", "holdout": "holdout.json"}
_ATTACK = "Min-40%"
_LONGEST_LINE = 2**20
_AGGREGATE = re.compile(r"(mean|max|min|std)_rouge")
_AUC = re.compile(r"(forget|retain|holdout)_(forget|retain|holdout)_")
_PRIMARY = ("verbmem_f/rougeL", "knowmem_f/rougeL", f"{_ATTACK}/forget")
_FILES = (*_GENERATED.values(), _MEMBERSHIP)
_OLD_FILES = (*_OLD_GENERATED.values(), *_OLD_MEMBERSHIP.values())
LAYOUT = f"a folder with some of {', '.join(_FILES)}, or of the older {', '.join(_OLD_FILES)}"


def is_muse(path: Path) -> bool:
    """Whether a folder has a file of either layout, or a CSV file a column of MUSE's table."""
    if path.is_dir():
        return any((path / file).exists() for file in (*_FILES, *_OLD_FILES))
    with path.open("rb") as table:
        first = table.readline(_LONGEST_LINE).decode(errors="replace").strip().split(",")
    return any(name in first for name in (*_GENERATED, "privleak"))


def read_muse(path: str | Path, *, limits: Limits | None = None) -> LLMLog:
    """Reads one model's folder, ``temp/NAME`` as MUSE's ``eval.py`` writes it, or the older one.

    Metrics are ``verbmem_f/rougeL`` and the like, and of each membership attack its score on each
    split, such as ``Min-40%/forget``: like a loss, greater where the text is less likely.

    Args:
        path: the folder.
        limits: the most that each of its files may hold; `Limits` by default.

    Returns:
        The log.

    Raises:
        SubmissionError: a ValueError whose one sentence names the file, the field, what was found
            and what was expected.
    """
    folder, limits = Path(path), limits or Limits()
    scores: dict[str, dict[str, float]] = {}
    for metric, file in _GENERATED.items():
        if (folder / file).exists():
            scores |= _generated(folder / file, metric, limits)
    for split, file in _OLD_GENERATED.items():
        if (folder / file).exists():
            scores |= _old_generated(folder / file, split, limits)
    if (folder / _MEMBERSHIP).exists():
        where = folder / _MEMBERSHIP
        content = read_json(where, limits, finite=False)
        if not isinstance(content, dict):
            refuse(where, f"expected a JSON object, found {type(content).__name__}")
        for split in ("forget", "retain", "holdout"):
            if split in content:
                listed = rows(where, content[split], limits, split)
                scores |= _membership(where, listed, split)
    for split, file in _OLD_MEMBERSHIP.items():
        if (where := folder / file).exists():
            listed = rows(where, read_json(where, limits, finite=False), limits)
            scores |= _membership(where, [_old_membership(row) for row in listed], split)
    if not scores:
        refuse(folder, f"expected {LAYOUT}; found none of them")
    return LLMLog(
        name=folder.resolve().name,
        path=folder,
        benchmark="MUSE",
        scores=scores,
        summary={},
        primary=in_order(_PRIMARY, scores),
        attack=_ATTACK if f"{_ATTACK}/forget" in scores else None,
    )


def read_muse_table(path: str | Path, *, limits: Limits | None = None) -> tuple[LLMLog, ...]:
    """Reads the table that MUSE's ``eval.py`` writes: a line a model, ``name`` and its metrics.

    Args:
        path: the ``.csv`` file.
        limits: the most it may hold; `Limits` by default.

    Returns:
        A log for each line, with aggregated values only: no interval is possible.

    Raises:
        SubmissionError: a ValueError, as `read_muse`.
    """
    where, limits = Path(path), limits or Limits()
    if (size := file_size(where)) > limits.header_bytes:
        refuse(where, f"expected at most {limits.header_bytes} bytes of CSV, found {size}")
    try:
        with where.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            names, *lines = [row for row in reader if row] or [[]]
    except (UnicodeDecodeError, csv.Error) as error:
        refuse(where, f"expected comma-separated text in UTF-8, found something else ({error})")
    if "name" not in names or len(names) < 2 or len(set(names)) < len(names):
        refuse(where, "expected a line of distinct column names with name among them, found none")
    if not 1 <= len(lines) <= limits.models:
        refuse(where, f"expected 1 to {limits.models} lines of values, found {len(lines)}")
    found = tuple(_line(where, names, line, place) for place, line in enumerate(lines))
    if not any(log.summary for log in found):
        refuse(where, "expected a number in some column, found none")
    return found


def refuse_part(path: Path, content: Any) -> None:
    """Refuses what is one file of a model's folder, and says which folder to hand over.

    Raises:
        SubmissionError: when parsed JSON looks like such a file, or has the name of one.
    """
    what = _part(content) or part_of_muse(path)
    if what is None:
        return
    known = [*_GENERATED.values(), _MEMBERSHIP, *_OLD_GENERATED.values()]
    inside = any(path.match(file) for file in [*known, "agg.json", "auc.json"])
    folder = path.parent.parent if inside else path.parent
    refuse(
        path,
        f"is one file of MUSE's log of a model, {what}: expected the folder of that model, such as "
        f"{folder}, {LAYOUT.removeprefix('a folder ')}",
    )


def _part(content: Any) -> str | None:
    """What of MUSE's parsed JSON is, or None."""
    if isinstance(content, list):
        first = content[0] if content and isinstance(content[0], dict) else {}
        if any(name in first for name in _ROUGE):
            return "the generated answers of one metric"
        return "membership scores of one split" if {"text", "ppl"} <= first.keys() else None
    if not isinstance(content, dict) or not content:
        return None
    if any(isinstance(content.get(split), list) for split in ("forget", "retain", "holdout")):
        return "its membership scores"
    if all(_AGGREGATE.match(name) for name in content):
        return "means of one metric over its examples"
    return "the AUCs of its membership attacks" if all(map(_AUC.match, content)) else None


def _line(path: Path, names: list[str], line: list[str], place: int) -> LLMLog:
    if len(line) != len(names):
        refuse_field(path, (place,), f"expected {len(names)} columns, found {len(line)}")
    row = dict(zip(names, line, strict=True))
    name = row.pop("name")
    return LLMLog(
        name=name,
        path=path,
        benchmark="MUSE",
        scores={},
        # A metric that was not asked for is an empty cell; a cell of text is a note.
        summary={
            metric: value for metric, cell in row.items() if (value := _parsed(cell)) is not None
        },
    )


def _parsed(cell: str) -> float | None:
    try:
        return finite(float(cell))
    except ValueError:
        return None


def _generated(path: Path, metric: str, limits: Limits) -> dict[str, dict[str, float]]:
    listed = rows(path, read_json(path, limits, finite=False), limits)
    return _columns(path, listed, {name: f"{metric}/{name}" for name in _ROUGE}, "gt")


def _old_generated(path: Path, split: str, limits: Limits) -> dict[str, dict[str, float]]:
    listed = rows(path, read_json(path, limits, finite=False), limits)
    # Only the log of knowledge has questions; that of verbatim text has prompts alone.
    metric = f"{'knowmem' if 'question' in listed[0] else 'verbmem'}_{split}"
    return _columns(path, listed, {name: f"{metric}/{name}" for name in _ROUGE}, "gt")


def _membership(
    path: Path, listed: list[dict[str, Any]], split: str
) -> dict[str, dict[str, float]]:
    # What is a number in no row, such as the text or its tokens, is no score.
    attacks = {
        name: f"{name}/{split}"
        for row in listed
        for name, value in row.items()
        if isinstance(value, float | int) and not isinstance(value, bool)
    }
    if not attacks:
        refuse(path, f"expected scores of membership attacks on {split}, found none")
    return _columns(path, listed, attacks, "text")


def _old_membership(row: dict[str, Any]) -> dict[str, Any]:
    attacks = row.get("ppl")
    return {"text": row.get("text")} | (attacks if isinstance(attacks, dict) else {})


def _columns(
    path: Path, listed: list[dict[str, Any]], metrics: dict[str, str], text: str
) -> dict[str, dict[str, float]]:
    ids = [with_fingerprint(str(place), row.get(text)) for place, row in enumerate(listed)]
    return {
        metric: {
            name: number(path, row.get(key), place, key)
            for place, (name, row) in enumerate(zip(ids, listed, strict=True))
        }
        for key, metric in metrics.items()
    }
