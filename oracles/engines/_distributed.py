"""The engine of a `jax.distributed` job, whose processes share nothing but the folder."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import jax

from oracles.engines._local import Local
from oracles.engines._task import Task
from oracles.storage.shards import PopulationFolder, Shard, Span, StoreError

# Seconds between two looks into the folder.
_PATIENCE = 0.05


@dataclass(frozen=True)
class Distributed:
    """Makes every n-th span in each of n processes, and waits for the spans of the others.

    When a process dies, JAX ends the others, and running the job again with ``resume`` continues
    from what the folder holds.
    """

    alone = False

    @classmethod
    def join(cls) -> "Distributed":
        """Joins the job, unless this process called `jax.distributed.initialize` already.

        JAX finds out by itself under Slurm, Open MPI and Kubernetes; elsewhere each process is told
        by ``JAX_COORDINATOR_ADDRESS``, ``JAX_NUM_PROCESSES`` and ``JAX_PROCESS_ID``. It must happen
        before anything is computed.

        Raises:
            ValueError: when there is no job to join.
        """
        if not jax.distributed.is_initialized():
            processes, rank = os.environ.get("JAX_NUM_PROCESSES"), os.environ.get("JAX_PROCESS_ID")
            try:
                jax.distributed.initialize(
                    num_processes=int(processes) if processes else None,
                    process_id=int(rank) if rank else None,
                )
            except (RuntimeError, ValueError) as error:
                raise ValueError(f"engine distributed: cannot join a job ({error})") from None
        return cls()

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
        # A process may open the folder after another has begun. Which process makes a span must
        # therefore depend on the span alone, not on what was missing when the folder was opened.
        all_spans = [*spans, *(entry.span for entry in folder.entries)]
        size = max(stop - start for start, stop in all_spans)
        owner = {span: span.start // size % processes for span in spans}
        own_spans = [span for span in spans if owner[span] == rank]
        yield from Local().make(task, own_spans, folder, advance)
        for span in spans:
            if owner[span] != rank:
                while (shard := folder.find(span)) is None:
                    time.sleep(_PATIENCE)
                advance(span.stop - span.start)
                yield shard
