"""What PyTorch saves: read by PyTorch with ``weights_only=True`` alone, after a look of our own.

A ``.pth`` file is a zip file of one pickle and the bytes of each tensor. Before PyTorch sees it,
its pickle is listed, not run: only the operations and names that a state dict needs may occur, and
each tensor's storage must have as many bytes as the pickle says. PyTorch is then given a copy of
just the members that were looked at.
"""

import io
import pickletools
import zipfile
from collections.abc import Mapping as AnyMapping
from pathlib import Path
from typing import Any, cast

import numpy as np

from audits._reading import MOST_ARRAYS, Limits, SubmissionError, refuse
from audits.formats._archives import opened, read_member
from audits.formats._sandbox import Sandbox
from oracles.storage.files import most_unpacked

SUFFIXES = (".pth", ".pt")

_STORAGES = {
    "torch DoubleStorage": 8,
    "torch FloatStorage": 4,
    "torch HalfStorage": 2,
    "torch BFloat16Storage": 2,
    "torch LongStorage": 8,
    "torch IntStorage": 4,
    "torch ShortStorage": 2,
    "torch CharStorage": 1,
    "torch ByteStorage": 1,
    "torch BoolStorage": 1,
}
_STATE_NAMES = {
    *_STORAGES,
    "collections OrderedDict",
    "torch._utils _rebuild_tensor_v2",
    "torch._utils _rebuild_parameter",
}
# Of single NumPy numbers, of which RULI's lists are made.
_NUMBER_NAMES = {
    "_codecs encode",
    "numpy dtype",
    "numpy.core.multiarray scalar",
    "numpy._core.multiarray scalar",
}
# What PyTorch's pickler writes (protocol 2) for containers, text and numbers.
_OPERATIONS = (
    "PROTO STOP MARK NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 BINFLOAT BINUNICODE "
    "EMPTY_DICT EMPTY_LIST EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 APPEND APPENDS SETITEM SETITEMS "
    "BINPUT LONG_BINPUT BINGET LONG_BINGET GLOBAL REDUCE BUILD BINPERSID"
)
# A tensor takes about 40, a single number of NumPy's about 10; each is looked at here.
_MOST_OPERATIONS = 4_000_000
_SHAPE = ("(", "storage", "class", "key", "location", "elements", "t")


def read_state(
    guest: Sandbox,
    path: Path,
    source: Path | io.BytesIO,
    limits: Limits,
    key: str | None,
    inside: str = "",
) -> dict[str, np.ndarray]:
    """The arrays of a state dict by name, in its order.

    Args:
        guest: the process that reads it.
        path: the file in messages.
        source: the file, or a stream of a member of it.
        limits: the most that it and its arrays, views unfolded, may hold.
        key: where in the file the state dict is, if it is not the whole.
        inside: name of the member of ``path`` that holds it.

    Returns:
        Name to array; real numbers as float32, whole numbers as they are.

    Raises:
        SubmissionError: when the file is damaged, holds something else than dense tensors under
            names, or PyTorch is not installed or refuses it.
    """
    copy, called = _checked_copy(path, source, limits, inside, numbers=False), _called(inside)
    names = guest.ask(
        "read-state",
        path,
        called,
        len(copy),
        file=str(guest.file("state.pth", copy)),
        key=key,
        array_bytes=limits.array_bytes,
        most_arrays=MOST_ARRAYS,
        result=str(guest.place("state.safetensors")),
    )
    arrays = guest.arrays("state.safetensors", path, called)
    return {name: arrays[name] for name in names}


def read_numbers(
    guest: Sandbox, path: Path, limits: Limits, population: str, example: int
) -> list[float]:
    """What RULI's results hold of one example in one population.

    Args:
        guest: the process that reads it.
        path: the file.
        limits: the most it may hold.
        population: a key of the file.
        example: a key of what stands there.

    Raises:
        SubmissionError: when the file is damaged, holds something else, or PyTorch is not
            installed or refuses it.
    """
    copy = _checked_copy(path, path, limits, "", numbers=True)
    file = str(guest.file("numbers.pth", copy))
    about = {"population": population, "example": example}
    return [
        float(entry) for entry in guest.ask("read-numbers", path, "", len(copy), file=file, **about)
    ]


def _called(inside: str) -> str:
    return f"member {inside[:60]!r}: " if inside else ""


def _checked_copy(
    path: Path, source: Path | io.BytesIO, limits: Limits, inside: str, numbers: bool
) -> bytes:
    called = _called(inside)
    copy = io.BytesIO()
    with opened(path, source, inside) as archive, zipfile.ZipFile(copy, "w") as checked:
        members = {entry.filename: entry for entry in archive.infolist() if not entry.is_dir()}
        pickles = [name for name in members if name.endswith("/data.pkl")]
        if len(pickles) != 1:
            refuse(
                path,
                f"{called}expected one data.pkl in a folder as torch.save writes since 1.6, found "
                f"{len(pickles)}",
            )
        root = pickles[0].removesuffix("data.pkl")
        size = sum(entry.file_size for entry in members.values())
        most = min(limits.array_bytes, most_unpacked(path))
        if size > most:
            refuse(path, f"{called}expected at most {most} bytes, found {size}")
        code = read_member(path, archive, members[pickles[0]], limits.header_bytes, inside)
        storages = f"{root}data/"
        sizes = {
            name.removeprefix(storages): entry.file_size
            for name, entry in members.items()
            if name.startswith(storages)
        }
        names = _STATE_NAMES | _NUMBER_NAMES if numbers else _STATE_NAMES
        _check_pickle(path, called, code, sizes, names)
        for name in ("version", "byteorder", "data.pkl", *(f"data/{key}" for key in sizes)):
            if (member := members.get(root + name)) is not None:
                checked.writestr(
                    f"archive/{name}",
                    read_member(path, archive, member, limits.array_bytes, inside),
                )
    return copy.getvalue()


def _check_pickle(
    path: Path, called: str, code: bytes, sizes: AnyMapping[str, int], names: set[str]
) -> None:
    """Lists a pickle's operations: none outside the lists above, and no storage out of bounds."""
    recent: list[Any] = []
    memo: dict[int, Any] = {}
    try:
        known = frozenset(_OPERATIONS.split())
        for count, (operation, argument, _) in enumerate(pickletools.genops(code)):
            if count > _MOST_OPERATIONS:
                refuse(path, f"{called}expected at most {_MOST_OPERATIONS} operations, found more")
            name, value = operation.name, cast(Any, argument)
            if name not in known:
                refuse(path, f"{called}expected only tensors, found the operation {name}")
            if name == "GLOBAL" and value not in names:
                refuse(path, f"{called}expected only tensors, found {str(value)[:60]!r}")
            if name in ("BINPUT", "LONG_BINPUT"):
                memo[value] = recent[-1] if recent else None
                continue
            if name == "BINPERSID":
                _check_storage(path, called, recent, sizes)
            plain = {"BINGET": memo.get(value), "LONG_BINGET": memo.get(value)}
            constant = {"MARK": "(", "TUPLE": "t"}.get(name, value)
            recent = [*recent[-6:], plain.get(name, constant)]
    except SubmissionError:
        raise
    except Exception as error:
        why = " ".join(str(error).split())[:100]
        refuse(path, f"{called}expected what torch.save writes, found something else ({why})")


def _check_storage(path: Path, called: str, recent: list[Any], sizes: AnyMapping[str, int]) -> None:
    said = dict(zip(_SHAPE, recent, strict=False))
    whole = len(recent) == len(_SHAPE) and said["("] == "(" and said["storage"] == "storage"
    count, item = said.get("elements"), _STORAGES.get(str(said.get("class")))
    if not whole or said["t"] != "t" or item is None or type(count) is not int:
        refuse(path, f"{called}expected a tensor's storage as torch.save writes it, found another")
    key = str(said["key"])
    if key not in sizes:
        refuse(path, f"{called}storage {key[:60]!r}: expected, found none")
    if count * item != sizes[key]:
        refuse(
            path,
            f"{called}storage {key[:60]!r}: expected {count * item} bytes as its tensor says, "
            f"found {sizes[key]}",
        )
