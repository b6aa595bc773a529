"""The engine that makes models on all devices of this process."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from oracles.engines._blocks import run_blocks
from oracles.engines._task import Task
from oracles.storage.shards import PopulationFolder, Shard, Span, shard_of


@dataclass(frozen=True)
class Local:
    """Makes models on all devices of this process, without a pause between spans."""

    alone = True

    def make(
        self,
        task: Task,
        spans: Sequence[Span],
        folder: PopulationFolder | None,
        advance: Callable[[int], None],
    ) -> Iterator[Shard]:
        """Makes each span in turn; see `Engine.make`."""
        models = np.concatenate([np.arange(0), *(np.arange(*span) for span in spans)])
        blocks = run_blocks(
            task.program(), models, task.arguments, task.shared(), task.recipe["width"]
        )
        remaining = list(spans)
        parts: list[Mapping[str, np.ndarray]] = []
        models_held = 0
        for ids, made in blocks:
            parts.append(task.arrays(ids, made))
            models_held += len(ids)
            advance(len(ids))
            while remaining and models_held >= (size := remaining[0].stop - remaining[0].start):
                arrays = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
                shard = shard_of(remaining.pop(0), {k: array[:size] for k, array in arrays.items()})
                yield folder.write(shard) if folder else shard
                parts = [{k: array[size:] for k, array in arrays.items()}]
                models_held -= size
