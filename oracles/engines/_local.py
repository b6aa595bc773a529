"""All devices of this process."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from oracles._blocks import run_blocks
from oracles._store import PopulationFolder, Shard, Span, shard_of
from oracles._task import Task


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
        held: list[Any] = []
        have = 0
        for ids, outputs in blocks:
            held.append(outputs)
            have += len(ids)
            advance(len(ids))
            while left and have >= (size := left[0].stop - left[0].start):
                params, logits = jax.tree.map(lambda *leaves: np.concatenate(leaves), *held)
                head = jax.tree.map(lambda leaf, size=size: leaf[:size], params)
                shard = shard_of(left.pop(0), logits[:size], head)
                yield folder.write(shard) if folder else shard
                held = [jax.tree.map(lambda leaf, size=size: leaf[size:], (params, logits))]
                have -= size
