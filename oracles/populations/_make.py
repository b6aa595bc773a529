"""Making shards of models: an engine makes those that a folder lacks, and each is entered in it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from estimators.checks import check_counts
from estimators.kinds import check_kind
from oracles.engines._engine import Engine
from oracles.engines._task import Task
from oracles.populations._progress import progress_bar
from oracles.storage._folder import Folder, open_folder, writing
from oracles.storage.shards import (
    POPULATION_FORMAT,
    PopulationFolder,
    Shard,
    StoreError,
    StoreFormat,
    missing_spans,
)

CHUNK = 32
"""Models a shard by default: what an interrupted run can lose, and one unit of a worker's work."""


class Made(NamedTuple):
    """Shards, the folder that holds them, and the recipe by which they were made."""

    shards: tuple[Shard, ...]
    folder: Folder | None
    recipe: Mapping[str, Any]


def make_shards(
    task: Task,
    *,
    models: int,
    directory: Folder | Path | str | None,
    resume: bool,
    engine: Engine,
    chunk: int = CHUNK,
    kind: StoreFormat = POPULATION_FORMAT,
) -> Made:
    """Makes models 0 to K − 1, or those of them that a resumed folder lacks.

    Args:
        task: how they are made.
        models: K, at least 1.
        directory: where to store shards, a path or a URL; None keeps them in memory.
        resume: continue a folder made with the same recipe.
        engine: where they are made.
        chunk: models a shard.
        kind: the format of the folder.

    Returns:
        Shards of exactly ``models`` models, in order, the folder that holds them, and their recipe.

    Raises:
        TypeError: when ``resume`` is neither True nor False.
        ValueError: when ``models`` or ``chunk`` is below 1.
        StoreError: see `PopulationFolder`; also when the folder holds more models than asked for.
        FolderInUseError: when another process writes to the folder.
    """
    check_counts(models=models, chunk=chunk)
    check_kind(resume, "resume", bool, "True or False")
    if directory is None:
        return Made(_made(task, models, None, engine, chunk), None, task.recipe)
    where = open_folder(directory)
    with writing(where, shared=not engine.alone):
        # Where several processes open the folder, only the first finds it empty.
        resume = resume or not engine.alone
        folder = PopulationFolder(where, task.recipe, resume=resume, models=models, kind=kind)
        if engine.alone:
            folder.sweep()
        return Made(_made(task, models, folder, engine, chunk), where, folder.recipe)


def _made(
    task: Task, models: int, folder: PopulationFolder | None, engine: Engine, chunk: int
) -> tuple[Shard, ...]:
    shards = list(folder.shards()) if folder else []
    if folder and shards and shards[-1].span.stop > models:
        raise StoreError(
            f"{folder.folder}: holds {shards[-1].span.stop} models already, more than the "
            f"{models} asked"
        )
    spans = missing_spans([shard.span for shard in shards], models, chunk)
    for span in list(spans) if folder else ():
        assert folder is not None
        if found := folder.find(span):
            folder.enter(found)
            shards.append(found)
            spans.remove(span)
    with progress_bar(task.title, models, sum(map(len, shards))) as advance:
        for shard in engine.make(task, spans, folder, advance):
            if folder:
                folder.enter(shard)
            shards.append(shard)
    shards.sort(key=lambda shard: shard.span)
    return tuple(shards)
