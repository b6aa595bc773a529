"""How many models one compiled program holds: few on a CPU (its cache), many elsewhere."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import flax.linen as nn
import jax
import numpy as np

from oracles.engines._blocks import bytes_of_block
from oracles.engines._task import Task
from oracles.storage._folder import Folder, open_folder
from oracles.storage.shards import MANIFEST, StoreError, StoreFormat, read_manifest

# Models in one program, where a module does not say what is best for it on a CPU.
_CPU_WIDTH = 4
_ACCELERATOR_WIDTH = 1024
# Of an accelerator's memory: other blocks are in flight, and XLA keeps some for itself.
_SHARE = 0.4

AnyTask = TypeVar("AnyTask", bound=Task)


def block_width(module: nn.Module) -> int:
    """How many models a device makes at a time, as far as the module decides.

    Args:
        module: may say what is best for it on a CPU, as a class attribute ``cpu_block_width``.

    Returns:
        Models a device; on an accelerator the most of them, as memory may hold fewer.
    """
    if jax.default_backend() != "cpu":
        return _ACCELERATOR_WIDTH
    return getattr(module, "cpu_block_width", _CPU_WIDTH)


def with_width(
    task: AnyTask,
    width: int | None,
    *,
    models: int,
    directory: Folder | Path | str | None = None,
    kind: StoreFormat = "indist-population",
) -> AnyTask:
    """A task with its width: the one given, that of the folder it continues, or the best one.

    The width belongs to a population's recipe, as programs of another width round differently. On
    an accelerator it is a power of two that memory holds, and no more than the models that were
    first asked for fill.

    Args:
        task: the task, of any width.
        width: what the caller wants, if anything.
        models: how many are to be made.
        directory: where they are stored.
        kind: format of the folder.

    Returns:
        The task.
    """
    if width is None:
        width = _stored_width(directory, kind)
    if width is None:
        width = block_width(task.module)
        if jax.default_backend() != "cpu":
            devices = jax.local_devices()
            filled = 1 << max(0, -(-models // len(devices)) - 1).bit_length()
            memory = (devices[0].memory_stats() or {}).get("bytes_limit")
            width = min(width, filled)
            if memory is not None:
                width = _fitting(width, lambda w: bytes_of_block(task, w), _SHARE * memory)
    return replace(task, width=width)  # pyright: ignore[reportArgumentType]


def _fitting(width: int, size: Callable[[int], int], limit: float) -> int:
    """The greatest power of two up to ``width`` whose block is no larger than ``limit`` bytes.

    Sizes grow in proportion to the width, which spares most of the compilations.
    """
    while width > 1 and (found := size(width)) > limit:
        width = min(width // 2, 1 << int(np.log2(max(1.0, width * limit / found))))
    return width


def _stored_width(directory: Any, kind: StoreFormat) -> int | None:
    """Of the folder's recipe, where it holds one; what is wrong with it is said elsewhere."""
    try:
        folder = None if directory is None else open_folder(directory)
        if folder is None or not folder.exists(MANIFEST):
            return None
        width = read_manifest(folder, kind).recipe.get("width")
    except (StoreError, OSError):
        return None
    return width if isinstance(width, int) and width > 0 else None
