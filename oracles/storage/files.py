"""Files, written whole or not at all, and refused in one sentence where they cannot be read.

A reader sees the old content of a file or the new, never half of it; and whoever handed in a file
that does not fit is told which file, what was found, and what was expected.
"""

import json
import os
import secrets
from pathlib import Path
from typing import Any, NoReturn, Protocol, runtime_checkable

__all__ = [
    "ByteLimit",
    "FileError",
    "file_size",
    "json_bytes",
    "refuse",
    "write_bytes_atomic",
    "write_json_atomic",
    "write_text_atomic",
]


def write_bytes_atomic(path: Path, data: bytes) -> None:
    """Writes to a temporary name in the same folder, flushes to disk, and renames.

    Raises:
        OSError: as the file system does; the temporary file is removed and the old one kept.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_text_atomic(path: Path, text: str) -> None:
    """The same for text in UTF-8."""
    write_bytes_atomic(path, text.encode())


def write_json_atomic(path: Path, value: Any) -> None:
    """The same for a JSON value."""
    write_bytes_atomic(path, json_bytes(value))


def json_bytes(value: Any) -> bytes:
    """A JSON value as UTF-8 text with a line a field; NaN and infinity are refused."""
    return (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


class FileError(ValueError):
    """A file cannot be read or does not fit; the message is one sentence for people.

    It names the file, the field, what was found and what was expected.
    """


@runtime_checkable
class ByteLimit(Protocol):
    """Limits that say how many bytes of numbers one file may hold, unpacked."""

    @property
    def array_bytes(self) -> int:
        """Bytes of one file's numbers, unpacked."""
        ...


def refuse(where: Path, what: str) -> NoReturn:
    """Raises `FileError` with one sentence that begins with the file."""
    raise FileError(f"{where}: {what}") from None


def file_size(path: Path) -> int:
    """Bytes of a regular file.

    Raises:
        FileError: when there is none.
    """
    try:
        size = path.stat().st_size
    except (OSError, ValueError) as error:
        refuse(path, f"cannot be read ({getattr(error, 'strerror', None) or error})")
    if not path.is_file():
        refuse(path, "expected a file, found something else")
    return size
