"""Population: K models that differ in their keys alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Int

from oracles._learner import Learner
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
    learner: Learner
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
        parts = [parameters_in(shard.arrays()) for shard in self.shards]
        return jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)

    def parameters_of(self, models: Int[np.ndarray, " some"]) -> Any:
        """The parameters of some models by index, read shard by shard.

        Raises:
            ValueError: when one of them is not there.
        """
        parts: list[Any] = [None] * len(models)
        for shard in self.shards:
            start, stop = shard.span
            inside = np.flatnonzero((models >= start) & (models < stop))
            if inside.size:
                held = _held_parameters(shard)
                for place in inside:
                    row = int(models[place]) - start
                    parts[place] = jax.tree.map(lambda leaf, row=row: leaf[row], held)
        for model, part in zip(models, parts, strict=True):
            if part is None:
                raise ValueError(
                    f"models: expected indices among the {self.models} models of this population, "
                    f"found {model}"
                )
        return jax.tree.map(lambda *leaves: np.stack(leaves), *parts)

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
            observe = jax.jit(jax.vmap(self.learner.logits, in_axes=(0, None)))
            logits = [
                np.asarray(observe(parameters_in(shard.arrays()), probes.inputs))
                for shard in self.shards
            ]
        return Observations(np.concatenate(logits), probes.labels, probes.groups, probes.ids)


@lru_cache(maxsize=2)
def _held_parameters(shard: Shard) -> Any:
    return parameters_in(shard.arrays())


def load_population(
    directory: Folder | Path | str,
    learner: Learner,
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
