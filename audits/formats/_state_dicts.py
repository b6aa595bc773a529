"""State dicts of PyTorch: ``.pth`` or ``.pt`` files, a folder of them, or a competition's zip.

A submission to the NeurIPS 2023 unlearning competition is a zip file with 512 members
``unlearned_checkpoint_{i}.pth``, i from 0; here any number may be in it. Members are read in place,
one at a time, and nothing is extracted.
"""

import io
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np

from audits._reading import Limits, refuse
from audits.formats._archives import opened, read_member
from audits.formats._content import Content, run_content
from audits.formats._fit import ParameterFiles
from audits.formats._mapping import Mapping
from audits.formats._sandbox import Sandbox
from audits.formats._torch import SUFFIXES, read_state

KIND = "state-dicts"
ZIP_KIND = "checkpoint-zip"

_NUMBER = re.compile(r"(\d{1,9})\.pth?$")


def read(path: Path, mapping: Mapping, limits: Limits) -> Content:
    """Reads the names of models; each is read when it is run.

    Args:
        path: a file, or a folder of ``.pth`` and ``.pt`` files.
        mapping: ``parameters``, a map or ``order``; ``select.key`` where the state dict is under a
            key such as ``state_dict``.
        limits: the most that a model may hold.

    Returns:
        Models to be run, in the order of the last numbers in their names, then of names.

    Raises:
        SubmissionError: when there is no model, or more than the limit.
    """
    mapping.check_used(KIND, "parameters", select=("key",))
    files = [path]
    if path.is_dir():
        files = [file for file in path.iterdir() if file.suffix in SUFFIXES]
    by_name = {file.name: file for file in files}
    names = _ordered(path, list(by_name), limits)
    key = _key(path, mapping)

    def arrays() -> Iterator[dict[str, np.ndarray]]:
        with Sandbox(limits) as guest:
            for name in names:
                file = by_name[name]
                yield read_state(guest, file, file, limits, key)

    return run_content(path, ParameterFiles(path, names, arrays, mapping, limits), mapping)


def read_zip(path: Path, mapping: Mapping, limits: Limits) -> Content:
    """Reads the names of models in a competition's zip file; each is read when it is run.

    Args:
        path: the zip file.
        mapping: as for `read`.
        limits: the most that a model may hold.

    Returns:
        Models to be run, in the order of their numbers.

    Raises:
        SubmissionError: when members are something else, repeated, or named outside the archive.
    """
    mapping.check_used(ZIP_KIND, "parameters", select=("key",))
    with opened(path, path) as archive:
        members = {entry.filename: entry for entry in archive.infolist() if not entry.is_dir()}
    for name, member in members.items():
        if PurePosixPath(name).suffix not in SUFFIXES:
            refuse(path, f"member {name[-60:]!r}: expected only .pth files, found another")
        if member.file_size > limits.array_bytes:
            refuse(
                path,
                f"member {name[-60:]!r}: expected at most {limits.array_bytes} bytes, found "
                f"{member.file_size}",
            )
    names = _ordered(path, list(members), limits)
    key = _key(path, mapping)

    def arrays() -> Iterator[dict[str, np.ndarray]]:
        with Sandbox(limits) as guest:
            for name in names:
                with opened(path, path) as archive:
                    data = read_member(path, archive, archive.getinfo(name), limits.array_bytes)
                yield read_state(guest, path, io.BytesIO(data), limits, key, name)

    return run_content(path, ParameterFiles(path, names, arrays, mapping, limits), mapping)


def _ordered(path: Path, names: list[str], limits: Limits) -> tuple[str, ...]:
    if not 1 <= len(names) <= limits.models:
        refuse(path, f"expected 1 to {limits.models} models, found {len(names)}")

    def place(name: str) -> tuple[int, str]:
        match = _NUMBER.search(name)
        return (int(match[1]) if match else -1), name

    return tuple(sorted(names, key=place))


def _key(path: Path, mapping: Mapping) -> str | None:
    if "key" not in mapping.select:
        return None
    return mapping.selected(path, "key", str, "the key of a state dict")
