"""Reading what strangers wrote: sizes first, then content; nothing is ever unpickled."""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from glob import iglob
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np
from pydantic import ValidationError

from estimators.checks import check_counts, check_within
from estimators.kinds import check_kind
from oracles.storage.files import MOST_ID as MOST_ID
from oracles.storage.files import FileError as SubmissionError
from oracles.storage.files import expected, file_size, first_repeated, printable, refuse

PICKLES = (".pkl", ".pickle", ".pt", ".pth", ".joblib")

# Item sizes of the number types that are read; others are refused by name.
FLOATS: Mapping[str, int] = {"F16": 2, "BF16": 2, "F32": 4, "F64": 8}
# Of indist's own shards, whose digests are of the numbers as they are stored.
NUMBERS: Mapping[str, int] = {"F16": 2, "F32": 4, "F64": 8, "I32": 4, "U32": 4}
ANY_NUMBERS: Mapping[str, int] = {
    **{"BOOL": 1, "I8": 1, "U8": 1, "I16": 2, "U16": 2, "I64": 8, "U64": 8},
    **NUMBERS,
}

# Of all ids of a file as NumPy holds them, each as long as the longest, four bytes a character.
_MOST_ID_BYTES = 2**29

MOST_ARRAYS = 50_000
"""The most arrays in one file; each costs time before its numbers do."""


@dataclass(frozen=True)
class Limits:
    """The most that a submission may be, checked in its headers before anything is read.

    Attributes:
        array_bytes: bytes of one file's numbers, unpacked; what is packed may hold no more than 50
            times its own size, and 64 MiB, in any case.
        header_bytes: bytes of a safetensors header or a JSON manifest.
        models: models.
        probes: probes.
        classes: classes.
        seconds: what one model that is a program, as in ONNX or PyTorch's files, may take by the
            clock to be read and run at all probes, twice, beside a second for each 100 MB of its
            file. So short that a whole command on a model that never ends is over within 10
            seconds, on a busy machine too.
        memory_bytes: what it may hold meanwhile, beside eight times the bytes of its file.

    Raises:
        ValueError: when a count is below 1, or the seconds are not over 0.
    """

    array_bytes: int = 4 * 2**30
    header_bytes: int = 64 * 2**20
    models: int = 1_000_000
    probes: int = 1_000_000
    classes: int = 200_000
    seconds: float = 4.0
    memory_bytes: int = 3 * 2**29

    def __post_init__(self) -> None:
        counts = {name: value for name, value in vars(self).items() if name != "seconds"}
        check_counts(**counts)
        check_within("(0, inf)", seconds=self.seconds)


def read_json(path: Path, limits: Limits, *, finite: bool = True) -> Any:
    """A JSON file, strictly: no repeated keys, no excess of size or depth.

    Args:
        path: the file.
        limits: the most it may hold.
        finite: refuse NaN and infinity; otherwise they are read as such numbers.

    Raises:
        SubmissionError: otherwise, with the reason.
    """
    return parse_json(path, json_text(path, limits), finite=finite)


def json_text(path: Path, limits: Limits) -> bytes:
    """The bytes of a JSON file.

    Raises:
        SubmissionError: when there are more than the limit, or no file.
    """
    size = file_size(path)
    if size > limits.header_bytes:
        refuse(path, f"expected at most {limits.header_bytes} bytes of JSON, found {size}")
    return path.read_bytes()


def parse_json(path: Path, text: bytes, *, finite: bool = True) -> Any:
    """What JSON text holds; see `read_json`."""

    def constant(token: str) -> float:
        if finite:
            refuse(path, f"expected finite numbers, found {token}")
        return float(token)

    try:
        return json.loads(text, object_pairs_hook=_once(path, "field"), parse_constant=constant)
    except SubmissionError:
        raise
    except ValueError as error:
        refuse(path, f"expected JSON, found something else or a truncated file ({error})")
    except RecursionError:
        refuse(path, "expected JSON of little depth, found it nested too deeply")


def _once(path: Path, what: str) -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    """For `json.loads`: of an object whose keys repeat, all but the last would be lost unseen."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice = first_repeated(key for key, _ in pairs)
            refuse(path, f"{what} {str(twice)[:60]!r}: expected once, found more often")
        return found

    return unique


def refuse_fields(path: Path, error: ValidationError) -> NoReturn:
    """Turns the first of pydantic's complaints into one sentence."""
    problem = error.errors(include_url=False)[0]
    where = ".".join(map(str, problem["loc"])) or "(the whole file)"
    if problem["type"] == "extra_forbidden":
        refuse(path, f"field {where}: expected only known fields, found this one")
    if problem["type"] == "missing":
        refuse(path, f"field {where}: expected, found none")
    said = expected(problem["msg"])
    refuse(path, f"field {where}: {said}, found {repr(problem['input'])[:60]}")


def check_format(path: Path, content: Any, name: str, version: int) -> None:
    """Checks ``format`` and ``version`` before anything else, so that the message is the right one.

    Raises:
        SubmissionError: when the file is of another format or of a version not known here.
    """
    if not isinstance(content, dict):
        refuse(path, f"expected a JSON object, found {type(content).__name__}")
    if content.get("format") != name:
        refuse(path, f"field format: expected {name!r}, found {str(content.get('format'))[:60]!r}")
    found = content.get("version")
    if found != version or isinstance(found, bool):
        newer = isinstance(found, int) and found > version
        hint = "; a newer indist may read it" if newer else ""
        refuse(path, f"field version: expected {version}, found {str(found)[:60]}{hint}")


def check_ids(path: Path, ids: Sequence[str]) -> None:
    """Refuses ids of probes that are empty or long, before they become an array.

    Raises:
        SubmissionError: when one is, or all together, each as long as the longest, are too many.
    """
    if "" in ids:
        refuse(path, "expected an id for each probe, found an empty one")
    _check_names(path, ids, "probe", "an id")
    longest = max(ids, key=len, default="")
    if 4 * len(ids) * len(longest) > _MOST_ID_BYTES:
        refuse(
            path,
            f"expected ids of at most {_MOST_ID_BYTES} bytes, each as long as the longest, found "
            f"{len(ids)} of up to {len(longest)} characters, such as {longest[:60]!r}",
        )


def check_persons(path: Path, persons: Sequence[str]) -> None:
    """Refuses names of persons that are long or not printable; an empty one stands for nobody.

    Raises:
        SubmissionError: when one is.
    """
    _check_names(path, list(dict.fromkeys(persons)), "person", "a name")


def _check_names(path: Path, names: Sequence[str], what: str, expected: str) -> None:
    # A line break is printable in a message, and no part of a name.
    wrong = next((name for name in names if printable(name) != name or "\n" in name), None)
    if wrong is not None:
        refuse(path, f"{what} {wrong[:60]!r}: expected {expected} of printable characters")
    longest = max(names, key=len, default="")
    if len(longest) > MOST_ID:
        refuse(
            path,
            f"{what} {longest[:60]!r}: expected {expected} of at most {MOST_ID} characters, found "
            f"{len(longest)}",
        )


class TensorHeader(NamedTuple):
    """What a safetensors header says of one array, and where in the file it starts."""

    dtype: str
    shape: tuple[int, ...]
    start: int


def _are_sizes(found: Any) -> bool:
    return isinstance(found, list) and all(type(k) is int and k >= 0 for k in found)


def safetensors_header(
    path: Path, limits: Limits, types: Mapping[str, int] = FLOATS
) -> dict[str, TensorHeader]:
    """Names, types and shapes in a safetensors file, checked against the file's own size.

    Args:
        path: the file.
        limits: the most it may hold.
        types: bytes of each number type that may occur; parameters may be counts as well.

    Raises:
        SubmissionError: when the file is no safetensors file, is truncated or holds too much.
    """
    size = file_size(path)
    with path.open("rb") as file:
        start = file.read(8)
        length = int.from_bytes(start, "little")
        if len(start) < 8 or length > size - 8:
            refuse(path, f"expected a whole safetensors file, found {size} bytes (truncated?)")
        if length > limits.header_bytes:
            refuse(
                path, f"expected a header of at most {limits.header_bytes} bytes, found {length}"
            )
        text = file.read(length)
    arrays = text.count(b"data_offsets")
    if arrays > MOST_ARRAYS:
        refuse(path, f"expected a header of at most {MOST_ARRAYS} arrays, found {arrays}")
    try:
        header = json.loads(text, object_pairs_hook=_once(path, "array"))
        header.pop("__metadata__", None)
        found = {
            str(name): (str(of["dtype"]), of["shape"], of["data_offsets"])
            for name, of in header.items()
        }
    except SubmissionError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        refuse(path, "expected a safetensors header, found something else")
    stop = 0
    for name, (dtype, shape, offsets) in found.items():
        shown = f"array {name[:60]!r}"
        if dtype not in types:
            known = ", ".join(types)
            refuse(path, f"{shown}: expected numbers of type {known}, found {dtype[:20]}")
        if not _are_sizes(shape):
            refuse(path, f"{shown}: expected a shape, found {str(shape)[:60]}")
        expected = math.prod(shape) * types[dtype]
        if not _are_sizes(offsets) or len(offsets) != 2 or offsets[1] - offsets[0] != expected:
            refuse(path, f"{shown}: expected {expected} bytes, found {str(offsets)[:60]}")
        stop = max(stop, offsets[1])
    if stop > limits.array_bytes:
        refuse(path, f"expected at most {limits.array_bytes} bytes of numbers, found {stop}")
    if 8 + length + stop != size:
        refuse(path, f"expected {8 + length + stop} bytes by its header, found {size} (truncated?)")
    return {
        name: TensorHeader(dtype, tuple(shape), 8 + length + offsets[0])
        for name, (dtype, shape, offsets) in found.items()
    }


def safetensors_array(
    path: Path, opened: Any, name: str, header: TensorHeader, row: int | None = None
) -> np.ndarray:
    """One array of a safetensors file, or one row of it; bfloat16 as the same numbers in float32.

    Args:
        path: the file.
        opened: the file as `safetensors.safe_open` opens it for NumPy, which lacks bfloat16.
        name: of the array.
        header: what its header says, checked.
        row: index along the first axis, or None for the whole.
    """
    if header.dtype != "BF16":
        return opened.get_tensor(name) if row is None else opened.get_slice(name)[row]
    shape = header.shape if row is None else header.shape[1:]
    count = math.prod(shape)
    halves = np.fromfile(path, "<u2", count, offset=header.start + 2 * count * (row or 0))
    # A bfloat16 is the upper half of the float32 that means the same.
    return (halves.astype(np.uint32) << 16).view(np.float32).reshape(shape)


def as_path(path: Any, name: str = "path") -> Path:
    """A path as users hand it in.

    Raises:
        TypeError: for anything else.
        SubmissionError: for an empty text, which would stand for the folder one is in.
    """
    check_kind(path, name, (str, Path), "a path")
    if path == "":
        raise SubmissionError(f"{name}: expected a path, found an empty text")
    return Path(path)


def matching(patterns: Iterable[str | Path] | Path, what: str, limits: Limits) -> tuple[Path, ...]:
    """The paths that patterns name, in their order, those of one pattern sorted by name.

    Args:
        patterns: paths, or patterns where there is no such path.
        what: one of what they name, in words.
        limits: how many of them a pattern may fit.

    Returns:
        The paths, each pattern's at least one.

    Raises:
        SubmissionError: when there is no such path, or a pattern fits nothing or too much.
    """
    paths: list[Path] = []
    # One path alone is no list of its letters.
    for pattern in [patterns] if isinstance(patterns, str | Path) else patterns:
        where = as_path(pattern)
        found = [where]
        if not where.exists():
            if not any(sign in str(pattern) for sign in "*?["):
                refuse(where, f"not found; expected {what}, or a pattern of several in quotes")
            found = sorted(
                map(Path, islice(iglob(str(pattern), recursive=True), limits.models + 1))
            )
            if not 1 <= len(found) <= limits.models:
                none = f"expected {what} or a pattern that fits 1 to {limits.models} of them"
                refuse(where, f"{none}, found {len(found)}")
        paths += found
    return tuple(paths)
