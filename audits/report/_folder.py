"""The folder of a result: one result in it, whole, and never half of one beside half of another."""

import hashlib
import json
import math
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from oracles.storage.folders import check_folder
from oracles.storage.locks import locked

RECORDS = ("certificate.json", "single.json", "logs.json", "scores.json", "coin-audit.json")
"""The file with all numbers, by the kind of result: the last to be written, the first to go."""
STORED = "observations"
"""The folder inside, with what the numbers can be recomputed from."""
_PAGES = ("report.html", "report.md")
_TABLES = ("scores.csv", "scores.parquet")
OWNED = (*RECORDS, *_PAGES, *_TABLES, STORED)
"""All that results write beside each other."""
ADVICE = "give a new folder, or add --force to write beside them (in Python, replace=True)"
_SUFFIXES = (".json", ".safetensors")


def write_result(
    directory: Path, record: str, fill: Callable[[Path], None], *, replace: bool
) -> None:
    """Writes everything beside the folder first, then moves it in, the record last.

    Whatever belongs to an earlier result is removed before, its record first. A reader, and whoever
    comes after a run that was killed, therefore never finds files of two results, and never a
    record without all that it names.

    Args:
        directory: the folder; made when it is not there.
        record: name of the file with all numbers, one of `RECORDS`.
        fill: writes all files, the record among them, to the folder that it is given.
        replace: take a folder that holds another result, or other files; otherwise it is refused.
            The same result is written anew.

    Raises:
        ValueError: when ``directory`` is a file, holds what is not to be replaced, or files in the
            way that are of no result, or is being written to by another process.
        OSError: as the file system does; nothing half-written stays behind.
    """
    if directory.exists() and not directory.is_dir():
        raise ValueError(f"{directory}: expected a folder to write the report to, found a file")
    if not replace:
        check_free(directory, record)
    with locked(directory), _staging(directory) as part:
        staging = Path(part)
        fill(staging)
        _check_foreign(directory / STORED)
        if not replace:
            _check_same(directory, record, staging / record)
        for name in _owned(directory):
            _remove(directory / name)
        for name in sorted(path.name for path in staging.iterdir() if path.name != record):
            (staging / name).replace(directory / name)
        (staging / record).replace(directory / record)


def _staging(directory: Path) -> tempfile.TemporaryDirectory[str]:
    """A folder inside, to put a result together in."""
    try:
        return tempfile.TemporaryDirectory(prefix=".report-", dir=directory)
    except OSError as error:
        # Nobody knows the temporary name.
        error.filename = str(directory)
        raise


def check_free(directory: Path, record: str) -> str | None:
    """Refuses a folder that holds other files, or a result of another kind.

    Args:
        directory: where the result is to be written.
        record: name of the file with all numbers.

    Returns:
        The record of the result of this kind that the folder holds, or None.

    Raises:
        ValueError: otherwise.
    """
    check_folder(directory, marks=RECORDS, own=OWNED, advice=ADVICE)
    held = held_result(directory)
    if held not in (None, record):
        refuse_another(directory, held)
    return held


def held_result(directory: Path) -> str | None:
    """Name of the record of the result that a folder holds, or None."""
    return next((name for name in RECORDS if (directory / name).exists()), None)


def file_digests(directory: Path) -> dict[str, str]:
    """SHA-256 of the bytes of each file in a folder, by its path there."""
    return {
        path.relative_to(directory).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def record_bytes(record: Any) -> bytes:
    """A record of numbers as JSON; a number that is not finite becomes null."""
    text = json.dumps(_finite(record), indent=1, ensure_ascii=False, allow_nan=False)
    # Names of files need not be Unicode, and those in logs may hold half a character.
    return f"{text}\n".encode(errors="replace")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _owned(directory: Path) -> list[str]:
    """What an earlier result has left, its records first."""
    tables = _TABLES if (directory / "scores.json").exists() else ()
    names = (*RECORDS, *_PAGES, *tables, STORED)
    return [name for name in names if (directory / name).exists()]


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _check_foreign(stored: Path) -> None:
    """Refuses to remove a folder that no result has made."""
    for path in stored.iterdir() if stored.is_dir() else ():
        if path.is_dir() or path.suffix not in _SUFFIXES:
            raise ValueError(
                f"{stored}: expected only what a report has put there, found {path.name}; give "
                "another folder"
            )


def _check_same(directory: Path, record: str, new: Path) -> None:
    held = held_result(directory)
    if held is not None and (held != record or _numbers(directory / held) != _numbers(new)):
        refuse_another(directory, held)


def refuse_another(directory: Path, held: str) -> NoReturn:
    """Raises ValueError: the folder holds another result, of which ``held`` is the record."""
    raise ValueError(
        f"{directory}: already holds another result ({held}); add --force to replace it (in "
        "Python, replace=True), or give another folder"
    )


def _numbers(path: Path) -> Any:
    """A record without the digests of its files and the command that made it."""
    try:
        content = json.loads(path.read_bytes())
    except ValueError:
        return None
    for part in (content, content.get("predicate")) if isinstance(content, dict) else ():
        for name in ("files", "command"):
            if isinstance(part, dict):
                part.pop(name, None)
    return content
