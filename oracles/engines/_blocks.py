"""Running one vectorised program over many models, block by block, on every local device."""

from collections import deque
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Int

from oracles.engines._task import Program, Task

# Blocks that devices compute while the host fetches the one before and prepares the next.
_BLOCKS_IN_FLIGHT = 2


def run_blocks(
    program: Program,
    models: Int[np.ndarray, " models"],
    arguments: Callable[[Int[np.ndarray, " width"]], Any],
    shared: Any,
    width: int,
) -> Iterator[tuple[Int[np.ndarray, " block"], Any]]:
    """Runs ``program`` for all models, ``width`` on each local device at a time.

    Each device runs the same program on ``width`` models, whatever the number of devices, and the
    last block is filled up by repeating a model: a model has the same bits wherever it stands.
    While devices compute, the host prepares the next block and fetches the last.

    Args:
        program: of one model; the same object in every call, or it is compiled anew.
        models: indices of the models to make.
        arguments: the own arguments of given models, host arrays with the models first.
        shared: arguments common to all models; put on each device once.
        width: models a device.

    Yields:
        ``(ids, outputs)`` in the order of ``models``, outputs as host arrays.
    """
    mesh = _mesh()
    compiled = _compiled(program, mesh)
    by_model = NamedSharding(mesh, PartitionSpec("models"))
    common = jax.device_put(shared, NamedSharding(mesh, PartitionSpec()))
    in_flight: deque[tuple[np.ndarray, Any]] = deque()
    size = width * mesh.size
    for start in range(0, len(models), size):
        ids = models[start : start + size]
        filled = np.concatenate([ids, np.full(size - len(ids), ids[-1])])
        in_flight.append((ids, compiled(jax.device_put(arguments(filled), by_model), common)))
        if len(in_flight) > _BLOCKS_IN_FLIGHT:
            yield _fetch(*in_flight.popleft())
    while in_flight:
        yield _fetch(*in_flight.popleft())


def bytes_of_block(task: Task, width: int) -> int:
    """Device memory of a block: arguments, results and all that its program holds meanwhile."""
    mesh = _mesh()
    own = task.arguments(np.zeros(width * mesh.size, dtype=np.int64))
    sizes = _compiled(task.program(), mesh).lower(own, task.shared()).compile().memory_analysis()
    parts = "argument_size_in_bytes", "output_size_in_bytes", "temp_size_in_bytes"
    return sum(int(getattr(sizes, part)) for part in parts) // mesh.size


def _mesh() -> Mesh:
    return Mesh(np.array(jax.local_devices()), ("models",))


@lru_cache(maxsize=128)
def _compiled(program: Program, mesh: Mesh) -> Any:
    # Inputs are not donated: they are indices, or parameters, which take little beside a block.
    return jax.jit(
        jax.shard_map(
            jax.vmap(program, in_axes=(0, None)),
            mesh=mesh,
            in_specs=(PartitionSpec("models"), PartitionSpec()),
            out_specs=PartitionSpec("models"),
            check_vma=False,
        )
    )


def _fetch(ids: np.ndarray, outputs: Any) -> tuple[np.ndarray, Any]:
    return ids, jax.tree.map(lambda leaf: np.asarray(leaf)[: len(ids)], outputs)
