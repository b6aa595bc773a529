"""All processes of a `jax.distributed` job, which meet in the folder alone."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import jax

from oracles._store import PopulationFolder, Shard, Span, StoreError
from oracles._task import Task
from oracles.engines._local import Local

_PATIENCE = 0.05


@dataclass(frozen=True)
class Distributed:
    """Makes every n-th span in each of n processes, and waits for the spans of the others.

    Call `jax.distributed.initialize` first, in every process; when one dies, JAX ends the others,
    and running the job again with ``resume`` continues from what the folder holds.
    """

    alone = False

    def make(
        self,
        task: Task,
        spans: Sequence[Span],
        folder: PopulationFolder | None,
        advance: Callable[[int], None],
    ) -> Iterator[Shard]:
        """Makes the spans of this process, then collects the others; see `Engine.make`."""
        if folder is None:
            raise StoreError("engine distributed: expected a folder that all processes see")
        rank, processes = jax.process_index(), jax.process_count()
        yield from Local().make(task, spans[rank::processes], folder, advance)
        for place, span in enumerate(spans):
            if place % processes != rank:
                while (shard := folder.find(span)) is None:
                    time.sleep(_PATIENCE)
                advance(span.stop - span.start)
                yield shard
