"""Population: K models that differ in their keys alone.

Reading a population takes no JAX, which is imported where models are run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Int

from oracles._probes import Observations, Probes
from oracles.storage._folder import Folder, open_folder
from oracles.storage.shards import (
    MANIFEST,
    Shard,
    Span,
    StoreError,
    digest_shards,
    missing_spans,
    parameters_in,
    read_manifest,
    read_shards,
    split_damaged,
)

if TYPE_CHECKING:
    import oracles._learner


@dataclass(frozen=True, eq=False)
class Population:
    """K models that differ in their keys alone, with the recipe that made them.

    Attributes:
        recipe: how each model was made (JSON values); enough to make it again.
        learner: the learner, to run the models at other probes.
        probes: the probes at which the models were observed while they were made.
        shards: the models, in memory or on disk.
        directory: the folder that holds them, or None.
    """

    recipe: Mapping[str, Any]
    learner: "oracles._learner.Learner"
    probes: Probes
    shards: tuple[Shard, ...]
    directory: Folder | None = None

    @property
    def models(self) -> int:
        """How many models there are."""
        return sum(map(len, self.shards))

    @property
    def ids(self) -> Int[np.ndarray, " models"]:
        """The index of each model: 0 to K − 1, unless damaged shards were left out."""
        return np.concatenate([np.arange(0), *(np.arange(*shard.span) for shard in self.shards)])

    @property
    def manifest(self) -> dict[str, Any]:
        """How each model was made, how many there are, and their digest."""
        return {"recipe": dict(self.recipe), "models": self.models, "digest": self.digest}

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the models' own digests: the same however the population was sharded."""
        return digest_shards(self.shards)

    def parameters(self) -> Any:
        """The parameters of all models as one tree of arrays, models first."""
        parts = [_parameters(shard) for shard in self.shards]
        return parameters_in(
            {path: np.concatenate([part[path] for part in parts]) for path in parts[0]}
        )

    def parameters_of(self, models: Int[np.ndarray, " some"]) -> Any:
        """The parameters of some models by index, read shard by shard.

        Raises:
            ValueError: when one of them is not there.
        """
        rows: list[dict[str, np.ndarray]] = [{}] * len(models)
        for shard in self.shards:
            start, stop = shard.span
            for place in np.flatnonzero((models >= start) & (models < stop)):
                arrays = _cached_parameters(shard)
                rows[place] = {path: array[models[place] - start] for path, array in arrays.items()}
        for model, row in zip(models, rows, strict=True):
            if not row:
                raise ValueError(
                    f"models: expected indices among the {self.models} models of this population, "
                    f"found {model}"
                )
        return parameters_in({path: np.stack([row[path] for row in rows]) for path in rows[0]})

    def observe(self, probes: Probes) -> Observations:
        """Logits of every model at the probes.

        Args:
            probes: the probes; those of the scenario were observed already and are only read.

        Returns:
            Observations with logits ``[models, probes, classes]``.
        """
        if probes.digest == self.probes.digest:
            logits = [shard.arrays()["logits"] for shard in self.shards]
        else:
            import jax

            observe = jax.jit(jax.vmap(self.learner.logits, in_axes=(0, None)))
            logits = [
                np.asarray(observe(parameters_in(shard.arrays()), probes.inputs))
                for shard in self.shards
            ]
        return Observations(
            np.concatenate(logits), probes.labels, probes.groups, probes.ids, probes.persons
        )


def _parameters(shard: Shard) -> dict[str, np.ndarray]:
    """The arrays of a shard that are parameters, sorted as JAX sorts a tree."""
    arrays = shard.arrays()
    paths = sorted(
        (path for path in arrays if path.startswith("params/")), key=lambda p: p.split("/")
    )
    return {path: arrays[path] for path in paths}


_cached_parameters = lru_cache(maxsize=2)(_parameters)


def load_population(
    directory: Folder | Path | str,
    learner: "oracles._learner.Learner",
    probes: Probes,
    *,
    leave_out_damaged: bool = False,
) -> Population:
    """Reads a stored population.

    Args:
        directory: the folder, or a URL such as ``s3://bucket/run``.
        learner: of the population.
        probes: at which the population was observed.
        leave_out_damaged: check every shard at once and go on without the damaged or missing ones;
            otherwise they are refused, when they are read.

    Returns:
        The population.

    Raises:
        StoreError: when the folder is not a population, holds no model, or lacks models before its
            last one.
    """
    folder = open_folder(directory)
    manifest = read_manifest(folder)
    shards = read_shards(folder, manifest)
    if leave_out_damaged:
        shards = tuple(split_damaged(shards)[0])
    elif shards:
        spans = [shard.span for shard in shards]
        gaps: list[Span] = missing_spans(spans, spans[-1].stop, spans[-1].stop)
        if gaps:
            raise StoreError(f"{folder}/{MANIFEST}: {gaps[0]} are missing; add --resume to go on")
    if not shards:
        raise StoreError(f"{folder}: holds no finished models yet; add --resume to continue")
    return Population(manifest.recipe, learner, probes, shards, folder)
