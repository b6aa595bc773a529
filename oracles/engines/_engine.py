"""The protocol of engines: making spans of models and writing them to a folder."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, runtime_checkable

from oracles.engines._task import Task
from oracles.storage.shards import PopulationFolder, Shard, Span


@runtime_checkable
class Engine(Protocol):
    """Makes spans of models."""

    @property
    def alone(self) -> bool:
        """Whether this process alone opens the folder; its workers, if any, come after it."""
        ...

    def make(
        self,
        task: Task,
        spans: Sequence[Span],
        folder: PopulationFolder | None,
        advance: Callable[[int], None],
    ) -> Iterator[Shard]:
        """Makes each span and writes it to the folder, if there is one.

        Args:
            task: how the models are made.
            spans: which models, in shards.
            folder: where shards are written, or None to keep them in memory.
            advance: to be called with the number of models just finished.

        Yields:
            One shard a span, in any order, those of a folder written but not yet listed.
        """
        ...
