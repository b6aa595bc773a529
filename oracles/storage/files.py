"""Files, written whole or not at all, and refused in one sentence where they cannot be read.

A reader sees the old content of a file or the new, never half of it; and whoever handed in a file
that does not fit is told which file, what was found, and what was expected.
"""

import json
import os
import re
import secrets
from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Any, NoReturn, Protocol, TypeVar, runtime_checkable

from estimators.kinds import check_kind

__all__ = [
    "MOST_ID",
    "MOST_TEXT",
    "ByteLimit",
    "FileError",
    "check_printable",
    "expected",
    "file_size",
    "first_repeated",
    "json_bytes",
    "most_unpacked",
    "printable",
    "refuse",
    "write_bytes_atomic",
    "write_json_atomic",
    "write_text_atomic",
]

T = TypeVar("T", bound=Hashable)

MOST_ID = 1000
"""The most characters of a probe's id, and of the name of a person."""

MOST_TEXT = 1000
"""The most characters of the text that a probe may be shown by."""

# Controls, marks and embeddings of text direction, and halves of characters.
_UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def expected(complaint: str) -> str:
    """What pydantic complains of, as what was expected.

    Example:
        >>> expected("Input should be a valid string")
        'expected a valid string'
    """
    return re.sub(r"^\w+ should (be|have) ", "expected ", complaint)


def printable(text: str) -> str:
    r"""Text from anywhere as a terminal, a page or a message may show it.

    Control characters can rewrite what a terminal shows, and characters that turn the direction of
    text can make a page read otherwise than it is. Names read from files pass through here where
    they enter, and every message and page as it leaves.

    Args:
        text: any text; its newlines stay.

    Returns:
        The same with a space in the place of other white space, and U+FFFD, the replacement
        character, in the place of the rest.

    Example:
        >>> printable("red \x1b[31m, right to left \u202e, tab\t.")
        'red \ufffd[31m, right to left \ufffd, tab .'
    """
    return _UNPRINTABLE.sub(_replacement, text)


def _replacement(match: re.Match[str]) -> str:
    found = match[0]
    return found if found == "\n" else " " if found.isspace() else "\N{REPLACEMENT CHARACTER}"


def check_printable(text: Any, name: str, most: int = MOST_ID) -> None:
    r"""A name that a terminal, a page or a message may show as it is.

    Args:
        text: what was handed over.
        name: of the argument.
        most: characters that it may have.

    Raises:
        TypeError: when it is no text.
        ValueError: when it is empty or too long, or holds characters that `printable` replaces.

    Example:
        >>> check_printable("red \x1b[31m", "stream")
        Traceback (most recent call last):
        ValueError: stream: expected printable characters, found 'red \x1b[31m'
    """
    check_kind(text, name, str, "a name")
    if not 1 <= len(text) <= most:
        expected = f"expected a name of 1 to {most} characters"
        raise ValueError(f"{name}: {expected}, found {len(text)}: {text[:60]!r}")
    if _UNPRINTABLE.search(text):
        raise ValueError(f"{name}: expected printable characters, found {text[:60]!r}")


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
    except OSError as error:
        # Nobody knows the temporary name.
        error.filename = str(path)
        raise
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

    It names the file, the field, what was found and what was expected, in `printable` characters.
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


@runtime_checkable
class ByteLimit(Protocol):
    """Limits that say how many bytes of numbers one file may hold, unpacked."""

    @property
    def array_bytes(self) -> int:
        """Bytes of one file's numbers, unpacked."""
        ...


def first_repeated(found: Iterable[T]) -> T | None:
    """The first that was there before, or None: in one pass, however many there are.

    Example:
        >>> first_repeated(["a", "b", "a", "b"])
        'a'
    """
    seen = set[T]()
    for item in found:
        if item in seen:
            return item
        seen.add(item)
    return None


def most_unpacked(path: Path) -> int:
    """How many bytes a file may hold unpacked: 50 times its own size, and 64 MiB more.

    Numbers of models become a tenth when they are packed, at best. What unpacks a few megabytes to
    gigabytes was made to cost memory.

    Raises:
        FileError: when there is no such file.
    """
    return 2**26 + 50 * file_size(path)


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
