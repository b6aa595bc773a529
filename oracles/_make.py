"""Making a population: what is missing in the folder, made by an engine, entered as it comes."""

from pathlib import Path

from oracles._folder import Folder, open_folder
from oracles._population import Population
from oracles._progress import progress_bar
from oracles._store import PopulationFolder, Shard, StoreError, missing_spans
from oracles._task import Task
from oracles.engines import Engine

CHUNK = 32
"""Models a shard by default: what an interrupted run can lose, and one unit of a worker's work."""


def make_population(
    task: Task,
    *,
    models: int,
    directory: Folder | Path | str | None,
    resume: bool,
    engine: Engine,
    chunk: int = CHUNK,
) -> Population:
    """Makes models 0 to K − 1, or those of them that a resumed folder lacks.

    Args:
        task: how they are made.
        models: K, at least 1.
        directory: where to store shards, a path or a URL; None keeps them in memory.
        resume: continue a folder made with the same recipe.
        engine: where they are made.
        chunk: models a shard.

    Returns:
        The population, with exactly ``models`` models.

    Raises:
        ValueError: when ``models`` or ``chunk`` is below 1.
        StoreError: see `PopulationFolder`; also when the folder holds more models than asked for.
    """
    for name, value in (("models", models), ("chunk", chunk)):
        if value < 1:
            raise ValueError(f"{name}: expected at least 1, found {value}")
    folder: PopulationFolder | None = None
    shards: list[Shard] = []
    if directory is not None:
        folder = PopulationFolder(open_folder(directory), task.recipe, resume=resume)
        if engine.alone:
            folder.sweep()
        shards = list(folder.shards())
        if shards and shards[-1].span.stop > models:
            raise StoreError(
                f"{directory}: holds {shards[-1].span.stop} models already, more than the "
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
    return Population(
        dict(task.recipe),
        task.learner,
        task.probes,
        tuple(shards),
        folder.folder if folder else None,
    )
