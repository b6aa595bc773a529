"""Running one vectorised program over many models, block by block, on every local device."""

from collections import deque
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import flax.linen as nn
import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Int

# Models in one program, where a module does not say what is best for it on a CPU.
_CPU_WIDTH = 4
_ACCELERATOR_WIDTH = 256
# Blocks that devices compute while the host fetches the one before and prepares the next.
_BLOCKS_IN_FLIGHT = 2

Program = Callable[[Any, Any], Any]
"""``program(own, shared)`` of one model: its own arguments and those common to all models."""


def block_width(module: nn.Module) -> int:
    """How many models one compiled program holds: few on a CPU (its cache), many elsewhere.

    The width belongs to a population's recipe: programs of another width round differently.

    Args:
        module: may say what is best for it on a CPU, as a class attribute ``cpu_block_width``.

    Returns:
        Models a device.
    """
    if jax.default_backend() != "cpu":
        return _ACCELERATOR_WIDTH
    return getattr(module, "cpu_block_width", _CPU_WIDTH)


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
    mesh = Mesh(np.array(jax.local_devices()), ("models",))
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


@lru_cache(maxsize=128)
def _compiled(program: Program, mesh: Mesh) -> Callable[[Any, Any], Any]:
    # Inputs are not donated: they are plans, or parameters that take little memory beside a block.
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
