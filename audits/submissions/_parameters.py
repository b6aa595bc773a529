"""A submitted folder of parameters: its manifest and the headers of its shards, checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audits._reading import (
    NUMBERS,
    Limits,
    SubmissionError,
    check_format,
    read_json,
    refuse,
    safetensors_header,
)
from audits.formats._logits import NAME, check_shape
from oracles import StoreError
from oracles.storage.shards import Shard, digest_shards, read_manifest, read_shards

MANIFEST = "manifest.json"
PREFIX = "params/"


@dataclass(frozen=True, eq=False)
class PopulationFiles:
    """A population folder whose manifest and headers were found in order.

    Attributes:
        folder: the folder.
        recipe: how the models were made, as the manifest states it.
        models: how many there are.
        shapes: shape of each parameter of one model, by its path.
    """

    folder: Path
    recipe: Mapping[str, Any]
    models: int
    shapes: Mapping[str, tuple[int, ...]]


def read_population(folder: Path, limits: Limits) -> PopulationFiles:
    """Checks the manifest of a folder and the header of each of its shards.

    Args:
        folder: the folder.
        limits: the most it may hold.

    Returns:
        What was found; no parameter is read yet.

    Raises:
        SubmissionError: in one sentence, at the first thing that is wrong.
    """
    path = folder / MANIFEST
    content = read_json(path, limits)
    check_format(path, content, "indist-population", 1)
    shards = shards_of(folder)
    models = sum(map(len, shards))
    if models > limits.models:
        refuse(path, f"field shards: expected at most {limits.models} models, found {models}")
    shapes: dict[str, tuple[int, ...]] | None = None
    for shard in shards:
        assert isinstance(shard.source, tuple)
        file = folder / shard.source[1]
        found = _shapes(file, len(shard), limits)
        if shapes is not None and found != shapes:
            refuse(
                file,
                f"expected the parameters of the other shards, {first_difference(found, shapes)}",
            )
        shapes = found
    return PopulationFiles(folder, content["recipe"], models, shapes or {})


def parameters_digest(files: PopulationFiles) -> str:
    """SHA-256 over the models of a folder, as ``Population.digest``.

    Raises:
        SubmissionError: when a shard is damaged.
    """
    try:
        return digest_shards(shards_of(files.folder))
    except StoreError as error:
        raise SubmissionError(str(error)) from None


def shards_of(folder: Path) -> tuple[Shard, ...]:
    """The shards that a folder's manifest lists, at least one.

    Raises:
        SubmissionError: when there is none, or the manifest cannot be read.
    """
    try:
        manifest = read_manifest(folder)
    except StoreError as error:
        raise SubmissionError(str(error)) from None
    if not manifest.shards:
        refuse(folder / MANIFEST, "field shards: expected at least one shard, found none")
    return read_shards(folder, manifest)


def _shapes(file: Path, models: int, limits: Limits) -> dict[str, tuple[int, ...]]:
    """Parameter shapes of one model by a shard's header; every array has the models first."""
    header = safetensors_header(file, limits, NUMBERS)
    for name, tensor in header.items():
        if not tensor.shape or tensor.shape[0] != models:
            refuse(
                file,
                f"array {name!r}: expected {models} models first, found shape {list(tensor.shape)}",
            )
        if name == NAME:
            check_shape(file, tensor.shape, limits)
        elif not name.startswith(PREFIX):
            refuse(file, f"array {name!r}: expected {NAME} or a name that begins with {PREFIX}")
    return {k: v.shape[1:] for k, v in sorted(header.items()) if k != NAME}


def first_difference(
    found: Mapping[str, tuple[int, ...]], expected: Mapping[str, tuple[int, ...]]
) -> str:
    """The first parameter by name that is missing, unknown or of another shape, in words."""
    for name in sorted({*found, *expected}):
        if name not in found:
            return f"found no {name!r}"
        if name not in expected:
            return f"found the unknown {name!r}"
        if found[name] != expected[name]:
            wanted, shape = list(expected[name]), list(found[name])
            return f"found {name!r} of shape {shape} a model where {wanted} was expected"
    return "found those"
