"""A submitted folder of parameters: headers checked, then run at the probes shard by shard."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
from flax.traverse_util import flatten_dict

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
from oracles import Learner, Observations, Probes, StoreError
from oracles.storage.shards import Shard, digest_shards, parameters_in, read_manifest, read_shards
from oracles.unlearners import UNLEARNERS, Released, released

MANIFEST = "manifest.json"
PREFIX = "params/"

# Programs of other widths round differently: logits are the same to a few units in 1e-6.
_SAME = 1e-3


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
    shards = _shards(folder)
    models = sum(map(len, shards))
    if models > limits.models:
        refuse(path, f"field shards: expected at most {limits.models} models, found {models}")
    shapes: dict[str, tuple[int, ...]] | None = None
    for shard in shards:
        assert isinstance(shard.source, tuple)
        file = folder / shard.source[1]
        found = _shapes(file, len(shard), limits)
        if shapes is not None and found != shapes:
            refuse(file, f"expected the parameters of the other shards, {_first(found, shapes)}")
        shapes = found
    return PopulationFiles(folder, content["recipe"], models, shapes or {})


def observe_population(
    files: PopulationFiles, probes: Probes, learner: Learner, scenario: str | None
) -> Observations:
    """Logits of submitted parameters at the probes, after the parameters were checked.

    Logits that lie beside the parameters are used when they are those of the parameters, so that
    a population gives the same digests in memory and from disk.

    Args:
        files: the folder.
        probes: the probes of the references.
        learner: the learner of the references.
        scenario: digest of the references' scenario, or None when unknown.

    Returns:
        The observations.

    Raises:
        SubmissionError: when the folder belongs to another scenario, a parameter is missing,
            unknown, of another shape, damaged or not finite, or logits are not the parameters' own.
    """
    manifest = files.folder / MANIFEST
    declared: Any = files.recipe.get("scenario") or {}
    made_in = declared.get("digest") if isinstance(declared, dict) else None
    if scenario is not None and made_in is not None and made_in != scenario:
        refuse(
            manifest,
            "field recipe.scenario: expected the scenario of the references, found another "
            f"({str(declared.get('name'))[:60]!r} with digest {str(made_in)[:12]})",
        )
    expected, found = _expected(learner, probes), dict(files.shapes)
    unlearner = UNLEARNERS.get(str(files.recipe.get("method")))
    if unlearner is not None and issubclass(unlearner, Released):
        # What lies beside the model, a filter's arrays, is checked by running it.
        inside = f"{PREFIX}model/"
        found = {k.replace(inside, PREFIX): v for k, v in found.items() if k.startswith(inside)}
        learner = released(unlearner(), learner)
    if found != expected:
        refuse(manifest, f"expected the parameters of the learner, {_first(found, expected)}")
    observe = jax.jit(jax.vmap(learner.logits, in_axes=(0, None)))
    parts: list[np.ndarray] = []
    for shard in _shards(files.folder):
        try:
            arrays = shard.arrays()
        except StoreError as error:
            raise SubmissionError(str(error)) from None
        _check_finite(shard, arrays)
        try:
            logits = np.asarray(observe(parameters_in(arrays), probes.inputs))
        except (KeyError, TypeError, ValueError) as error:
            text = str(error).splitlines()[0][:200]
            raise SubmissionError(f"{shard}: cannot be run as the method says ({text})") from None
        parts.append(_stored(shard, arrays, logits) if made_in == scenario else logits)
    return Observations(np.concatenate(parts), probes.labels, probes.groups, probes.ids)


def parameters_digest(files: PopulationFiles) -> str:
    """SHA-256 over the models of a folder, as ``Population.digest``.

    Raises:
        SubmissionError: when a shard is damaged.
    """
    try:
        return digest_shards(_shards(files.folder))
    except StoreError as error:
        raise SubmissionError(str(error)) from None


def _shards(folder: Path) -> tuple[Shard, ...]:
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


def _expected(learner: Learner, probes: Probes) -> dict[str, tuple[int, ...]]:
    tree = jax.eval_shape(learner.init, jax.random.key(0), probes.inputs)
    flat = flatten_dict(dict(tree), sep="/")
    return {f"{PREFIX}{name}": tuple(leaf.shape) for name, leaf in sorted(flat.items())}


def _first(found: Mapping[str, tuple[int, ...]], expected: Mapping[str, tuple[int, ...]]) -> str:
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


def _check_finite(shard: Shard, arrays: Mapping[str, np.ndarray]) -> None:
    for name, array in arrays.items():
        finite = np.isfinite(array).reshape(len(array), -1).all(axis=1)
        if not finite.all():
            model = shard.span.start + int(np.flatnonzero(~finite)[0])
            raise SubmissionError(
                f"{shard}: array {name!r}: expected finite numbers, found NaN or infinity "
                f"in model {model} ({int((~finite).sum())} of {len(array)} models in this file)"
            )


def _stored(shard: Shard, arrays: Mapping[str, np.ndarray], logits: np.ndarray) -> np.ndarray:
    """The logits beside the parameters when there are any and they are the parameters' own."""
    stored = arrays.get(NAME)
    if stored is None:
        return logits
    if stored.shape != logits.shape:
        found, wanted = list(stored.shape), list(logits.shape)
        raise SubmissionError(f"{shard}: array {NAME!r}: expected {wanted}, found {found}")
    scale = 1.0 + np.abs(logits).max(axis=(1, 2))
    wrong = np.flatnonzero(np.abs(stored - logits).max(axis=(1, 2)) > _SAME * scale)
    if wrong.size:
        raise SubmissionError(
            f"{shard}: array {NAME!r}: expected what the parameters give, found other "
            f"numbers in model {shard.span.start + int(wrong[0])} ({wrong.size} models here)"
        )
    return stored
