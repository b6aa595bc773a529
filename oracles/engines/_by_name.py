"""Engines by name."""

import os
from contextlib import suppress

import jax

from estimators.kinds import check_kind
from oracles.engines._distributed import Distributed
from oracles.engines._engine import Engine
from oracles.engines._local import Local
from oracles.engines._ray import Ray


def engine(name: "str | Engine") -> Engine:
    """An engine by name.

    Args:
        name: see the table above, or an engine, which is returned.

    Returns:
        The engine.

    Raises:
        ValueError: for an unknown name, or where there is no `jax.distributed` job to join.

    Example:
        >>> engine("local")
        Local()
        >>> engine("ray://head:10001").address
        'ray://head:10001'
    """
    if not isinstance(name, str):
        check_kind(name, "engine", Engine, "an engine or its name")
        return name
    if name in ("ray", "ray://"):
        return Ray()
    if name.startswith("ray://"):
        return Ray(name)
    if name == "local":
        _one_device_a_core()
        return Local()
    if name == "distributed":
        return Distributed.join()
    raise ValueError(f"engine: expected local, ray, ray://HOST:PORT or distributed, found {name!r}")


def _one_device_a_core() -> None:
    """Makes each core a device, where JAX has not started yet and nobody has said otherwise.

    On one device of several cores, small models train slower than on one core alone.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    if not os.environ.get("XLA_FLAGS") and jax.config.values["jax_num_cpu_devices"] == -1:
        # It is too late once JAX has started.
        with suppress(RuntimeError):
            jax.config.update("jax_num_cpu_devices", cores or 1)
