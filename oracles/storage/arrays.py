"""Arrays in .npy and .npz files: type, shape and size are checked before any number is read.

Every reader of strangers' arrays goes through this file, so that none unpickles and none takes more
memory than its limits allow.
"""

import math
import struct
import warnings
import zipfile
import zlib
from collections.abc import Collection, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tokenize import TokenError
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.lib import format as npy

from oracles.storage.files import (
    ByteLimit,
    FileError,
    file_size,
    first_repeated,
    most_unpacked,
    refuse,
)

__all__ = [
    "MOST_DIMS",
    "Form",
    "Header",
    "check_bytes",
    "check_finite",
    "check_form",
    "check_range",
    "map_npy",
    "npz_header",
    "npz_names",
    "read_npz",
    "refuse_array",
]

# What NumPy's own parser raises on headers that are not literals, or nested deeply.
_NO_HEADER = (
    ValueError,
    TypeError,
    LookupError,
    SyntaxError,
    TokenError,
    MemoryError,
    RecursionError,
)
MOST_DIMS = 64
"""The most axes that an array of NumPy has."""
_LONGEST = 2**63 - 1
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    ValueError,
)
_KIND_NAMES = {
    "b": "booleans",
    "biu": "booleans or 0 and 1",
    "iu": "whole numbers",
    "f": "real numbers",
    "biuf": "real numbers",
}


class Form(NamedTuple):
    """What an array must be.

    Attributes:
        kinds: NumPy's letters of the number types that are read.
        shape: its axes in words.
        dims: how many axes it may have.
    """

    kinds: str
    shape: str
    dims: Collection[int]


class Header(NamedTuple):
    """What an array's header says; neither type nor shape need be as wanted.

    Attributes:
        dtype: its type, never objects.
        shape: its axes.
        order: NumPy's letter of their order, C or F.
    """

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    order: Any

    @property
    def nbytes(self) -> int:
        """Bytes of its numbers."""
        return math.prod(self.shape) * self.dtype.itemsize


def map_npy(path: Path, form: Form) -> Any:
    """An array of a ``.npy`` file, mapped: numbers are read when they are asked for.

    Args:
        path: the file.
        form: what it must hold.

    Returns:
        A read-only memory map.

    Raises:
        FileError: on another type or shape, anything pickled, or a truncated file.
    """
    size = file_size(path)
    try:
        with path.open("rb") as file:
            header = _read_header(path, "", file)
            start = file.tell()
    except OSError as error:
        refuse(path, f"cannot be read ({error.strerror})")
    check_form(path, "", header, form)
    if start + header.nbytes != size:
        refuse(path, f"expected {start + header.nbytes} bytes by its header, found {size}")
    return np.memmap(path, header.dtype, "r", start, header.shape, header.order)


def npz_names(path: Path) -> tuple[str, ...]:
    """Names of the arrays in a ``.npz`` file.

    Raises:
        FileError: when it is not such a file, or a name comes twice.
    """
    with _opened(path) as archive:
        names = [member.filename.removesuffix(".npy") for member in archive.infolist()]
    twice = first_repeated(names)
    if twice is not None:
        refuse(path, f"array {twice[:40]!r}: expected once, found more often")
    return tuple(names)


def npz_header(path: Path, name: str) -> Header:
    """Type and shape of an array in a ``.npz`` file; its numbers are not read.

    Args:
        path: the file.
        name: one of its `npz_names`.

    Raises:
        FileError: on anything pickled, or a damaged file.
    """
    with _opened(path) as archive, _open_member(path, name, archive) as stream:
        return _read_header(path, name, stream)


def read_npz(
    path: Path, forms: Mapping[str, Form], limits: ByteLimit, *, optional: Collection[str] = ()
) -> dict[str, np.ndarray]:
    """Some arrays of a ``.npz`` file; the others are not looked at.

    Args:
        path: the file.
        forms: what each array must be, by its name.
        limits: the most that they may hold together.
        optional: names of arrays that may be missing.

    Returns:
        Name to array, read-only, without those that are missing.

    Raises:
        FileError: on a missing array, another type or shape, anything pickled, or a truncated
            or damaged file.
    """
    names = npz_names(path)
    for name in forms:
        if name not in names and name not in optional:
            listed = ", ".join(repr(given[:40]) for given in names[:4]) or "none"
            more = f" and {len(names) - 4} more" if len(names) > 4 else ""
            refuse(path, f"array {name!r}: expected, found only {listed}{more}")
    bytes_left, arrays = min(limits.array_bytes, most_unpacked(path)), dict[str, np.ndarray]()
    with _opened(path) as archive:
        for name in (name for name in forms if name in names):
            arrays[name] = _read_member(path, name, archive, forms[name], bytes_left)
            bytes_left -= arrays[name].nbytes
    return arrays


def check_form(path: Path, name: str, header: Header, form: Form) -> None:
    """Refuses an array whose type or shape is not as wanted.

    Raises:
        FileError: when it is not.
    """
    if header.dtype.kind not in form.kinds:
        found = str(header.dtype)[:40]
        refuse_array(path, name, f"expected {_KIND_NAMES[form.kinds]}, found {found}")
    if len(header.shape) not in form.dims or min(header.shape, default=0) < 1:
        refuse_array(path, name, f"expected shape {form.shape}, found {list(header.shape)[:8]}")


def check_bytes(path: Path, size: int, limits: ByteLimit) -> None:
    """Refuses more bytes of numbers than a file may hold.

    Raises:
        FileError: when there are more.
    """
    if size > limits.array_bytes:
        refuse(path, f"expected at most {limits.array_bytes} bytes of numbers, found {size}")


def check_range(path: Path, name: str, values: np.ndarray, low: float, high: float) -> None:
    """Refuses numbers outside a closed range, NaN among them, and names the first one's index.

    Raises:
        FileError: when there is one.
    """
    wrong = ~((values >= low) & (values <= high))
    _refuse_where(path, name, values, wrong, f"numbers from {low:g} to {high:g}")


def check_finite(path: Path, name: str, values: np.ndarray) -> None:
    """Refuses NaN and infinity, and names the first one's index.

    Raises:
        FileError: when there is one.
    """
    _refuse_where(path, name, values, ~np.isfinite(values), "finite numbers")


def refuse_array(path: Path, name: str, what: str) -> NoReturn:
    """Raises `FileError` about an array of a file; a ``.npy`` file's has no name."""
    refuse(path, f"array {name[:40]!r}: {what}" if name else what)


def _refuse_where(
    path: Path, name: str, values: np.ndarray, wrong: np.ndarray, wanted: str
) -> None:
    if wrong.any():
        index = tuple(int(k) for k in np.argwhere(wrong)[0])
        place = ", ".join(map(str, index))
        refuse_array(path, name, f"expected {wanted}, found {values[index]} at index [{place}]")


@contextmanager
def _opened(path: Path) -> Generator[zipfile.ZipFile]:
    """A ``.npz`` file; what goes wrong while it is open is refused in one sentence."""
    file_size(path)
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except FileError:
        raise
    except _DAMAGED as error:
        # Some of zipfile's reasons quote names, which may be long.
        why = str(error)[:200]
        refuse(path, f"expected a whole .npz file, found one that cannot be read ({why})")


def _open_member(path: Path, name: str, archive: zipfile.ZipFile) -> Any:
    members = {entry.filename.removesuffix(".npy"): entry for entry in archive.infolist()}
    member = members[name]
    if member.flag_bits & 1:
        refuse_array(path, name, "expected plain content, found it encrypted")
    # NumPy writes no other types, and zipfile unpacks other types without a bound on memory.
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        refuse_array(
            path, name, f"expected it stored or deflated, found type {member.compress_type}"
        )
    return archive.open(member)


def _read_member(
    path: Path, name: str, archive: zipfile.ZipFile, form: Form, most: int
) -> np.ndarray:
    with _open_member(path, name, archive) as stream:
        header = _read_header(path, name, stream)
        check_form(path, name, header, form)
        expected = header.nbytes
        if expected > most:
            refuse_array(
                path, name, f"expected at most {most} more bytes of numbers, found {expected}"
            )
        # One byte more than the header says, to find out a member that unpacks to more.
        data = stream.read(expected + 1)
    if len(data) != expected:
        found = "more" if len(data) > expected else str(len(data))
        refuse_array(path, name, f"expected {expected} bytes by its header, found {found}")
    return np.frombuffer(data, header.dtype).reshape(header.shape, order=header.order)


def _read_header(path: Path, name: str, stream: Any) -> Header:
    try:
        version = npy.read_magic(stream)
        # Arrays of numbers have version 1.0, whose headers are short. Headers of later versions may
        # claim gigabytes.
        if version != (1, 0):
            raise ValueError
        with warnings.catch_warnings():
            # NumPy warns of files that Python 2 wrote, which are as good as others.
            warnings.simplefilter("ignore")
            shape, column_major, dtype = npy.read_array_header_1_0(stream)
        # Beyond these limits Python would refuse to print the shape in a message.
        if len(shape) > MOST_DIMS or max(map(abs, shape), default=0) > _LONGEST:
            raise ValueError
    except _NO_HEADER:
        refuse_array(path, name, "expected a whole .npy header, found something else")
    if dtype.hasobject:
        refuse_array(path, name, "expected numbers, found pickled objects, never read here")
    return Header(dtype, shape, "F" if column_major else "C")
