"""Engines by name."""

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
        return Local()
    if name == "distributed":
        return Distributed.join()
    raise ValueError(f"engine: expected local, ray, ray://HOST:PORT or distributed, found {name!r}")
