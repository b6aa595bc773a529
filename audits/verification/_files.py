"""The files beside a record, against the digests that it names."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from audits._reading import refuse
from audits.report._folder import STORED

_PATH = re.compile(r"([A-Za-z0-9_-]+/)?[A-Za-z0-9_-]+\.[a-z0-9]+")
_DIGEST = re.compile(r"[0-9a-f]{64}")
# What reports write beside their record: where one of them lies there unnamed, it is another's.
_WRITTEN = ("report.html", "report.md", "scores.csv", "scores.parquet")


class Compared(NamedTuple):
    """Files as they were written, those that are not there, and a sentence for each other one."""

    unchanged: tuple[str, ...]
    absent: tuple[str, ...]
    differences: list[str]


def check_files(path: Path, found: Any) -> dict[str, str]:
    """The field ``files`` of a record, its paths within the folder.

    Raises:
        SubmissionError: when it is anything else.
    """
    if not isinstance(found, dict):
        refuse(path, f"field files: expected a JSON object, found {type(found).__name__}")
    for name, digest in found.items():
        if not _PATH.fullmatch(name):
            refuse(path, f"field files: expected paths of files beside it, found {name[:60]!r}")
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            refuse(path, f"field files.{name}: expected a SHA-256, found {repr(digest)[:60]}")
    return found


def compare_files(path: Path, files: Mapping[str, str], stored: Path) -> Compared:
    """Compares the files beside a record with the digests that it names.

    Args:
        path: the record.
        files: the digests, by path beside it.
        stored: the folder that takes the place of `STORED` beside it.
    """
    unchanged: list[str] = []
    absent: list[str] = []
    differences: list[str] = []
    for name, digest in files.items():
        folder, _, file = name.rpartition("/")
        where = stored / file if folder == STORED else path.parent / name
        if not where.is_file():
            absent.append(name)
        elif _digest(where) == digest:
            unchanged.append(name)
        else:
            differences.append(f"{name}: changed since {path.name} was written: its digest differs")
    lying = [name for name in _WRITTEN if (path.parent / name).exists()]
    if files and stored.is_dir():
        lying += [f"{STORED}/{other.name}" for other in sorted(stored.iterdir())]
    unnamed = [name for name in lying if name not in files]
    differences += [f"{name}: lies beside {path.name}, which does not name it" for name in unnamed]
    return Compared(tuple(unchanged), tuple(absent), differences)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
