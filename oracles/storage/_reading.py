"""Reading files that others wrote: sizes first, then content, and one sentence for a mistake."""

from pathlib import Path
from typing import NoReturn, Protocol, runtime_checkable


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
