"""A submitted folder of parameters, run at the probes shard by shard."""

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from flax.traverse_util import flatten_dict

from audits._reading import SubmissionError, refuse
from audits.formats._logits import NAME
from audits.submissions._parameters import (
    MANIFEST,
    PREFIX,
    PopulationFiles,
    first_difference,
    shards_of,
)
from oracles import Learner, Observations, Probes, StoreError
from oracles.storage.shards import Shard, parameters_in
from oracles.unlearners import UNLEARNERS, Released, released

# Programs of other widths round differently: logits are the same to a few units in 1e-6.
_SAME = 1e-3


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
        refuse(
            manifest, f"expected the parameters of the learner, {first_difference(found, expected)}"
        )
    observe = jax.jit(jax.vmap(learner.logits, in_axes=(0, None)))
    parts: list[np.ndarray] = []
    for shard in shards_of(files.folder):
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
    logits = np.concatenate(parts)
    return Observations(logits, probes.labels, probes.groups, probes.ids, probes.persons)


def _expected(learner: Learner, probes: Probes) -> dict[str, tuple[int, ...]]:
    tree = jax.eval_shape(learner.init, jax.random.key(0), probes.inputs)
    flat = flatten_dict(dict(tree), sep="/")
    return {f"{PREFIX}{name}": tuple(leaf.shape) for name, leaf in sorted(flat.items())}


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
