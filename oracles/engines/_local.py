"""All devices of this process."""

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
        left = list(spans)
        held: list[Mapping[str, np.ndarray]] = []
        have = 0
        for ids, made in blocks:
            held.append(task.arrays(ids, made))
            have += len(ids)
            advance(len(ids))
            while left and have >= (size := left[0].stop - left[0].start):
                whole = {name: np.concatenate([part[name] for part in held]) for name in held[0]}
                shard = shard_of(left.pop(0), {k: value[:size] for k, value in whole.items()})
                yield folder.write(shard) if folder else shard
                held = [{k: value[size:] for k, value in whole.items()}]
                have -= size
