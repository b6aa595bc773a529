"""The engine that makes models on a Ray cluster: a unit of work a chunk, on workers that may die.

Ray runs a unit again when its worker dies; a unit that was already whole in the folder is found
there, so nothing is trained twice.
"""

import logging
import os
import socket
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from oracles.engines._local import Local
from oracles.engines._task import Task
from oracles.storage.shards import PopulationFolder, Shard, Span, StoreError

_RETRIES = 20
# Seconds for the head of a cluster to take a connection.
_PATIENCE = 10.0
# One single-threaded device a worker; Ray gives it one core.
_ENVIRONMENT = {
    "XLA_FLAGS": "--xla_force_host_platform_device_count=1 --xla_cpu_multi_thread_eigen=false",
    "OMP_NUM_THREADS": "1",
}


@dataclass(frozen=True)
class Ray:
    """Makes models on a Ray cluster (extra ``ray``).

    A cluster that this process is connected to already is used as it is; one that was started stays
    until the process ends. On several machines the
    folder must be one that all of them see: a shared file system, or a URL.

    Attributes:
        address: ``ray://HOST:PORT`` of a running cluster; None starts one on this machine.
    """

    address: str | None = None
    alone = True

    def make(
        self,
        task: Task,
        spans: Sequence[Span],
        folder: PopulationFolder | None,
        advance: Callable[[int], None],
    ) -> Iterator[Shard]:
        """Makes all spans at once, as workers become free; see `Engine.make`."""
        try:
            import ray
            from ray import exceptions
        except ImportError:
            raise ValueError("engine ray: Ray is not installed; install indist[ray]") from None
        if not ray.is_initialized():
            self.connect(ray)
        waiting: dict[Any, Span] = {}
        try:
            unit = ray.remote(_unit).options(
                num_cpus=1, max_retries=_RETRIES, runtime_env={"env_vars": _ENVIRONMENT}
            )
            sent = ray.put((task, folder))
            waiting = {unit.remote(sent, span): span for span in spans}
            while waiting:
                span = next(iter(waiting.values()))
                try:
                    (done,), _ = ray.wait(list(waiting), num_returns=1)
                    span = waiting.pop(done)
                    shard: Shard = ray.get(done)
                except exceptions.WorkerCrashedError:
                    raise StoreError(
                        f"{span}: {_RETRIES + 1} workers died making them; finished models are "
                        "kept, and --resume continues"
                    ) from None
                except exceptions.RayTaskError as error:
                    raise error.cause from None
                except (exceptions.RayError, ConnectionError, TimeoutError) as error:
                    raise StoreError(
                        f"engine ray: the cluster is gone ({_reason(error)}); finished models are "
                        "kept, and --resume continues"
                    ) from None
                advance(span.stop - span.start)
                yield shard
        finally:
            # A cluster that is gone has nothing to cancel, and says so.
            with suppress(exceptions.RayError, ConnectionError, TimeoutError, RuntimeError):
                for lost in waiting:
                    ray.cancel(lost, force=True)

    def connect(self, ray: Any) -> None:
        """Connects this process to the cluster, starting one if there is no address.

        Raises:
            ValueError: when there is none, or it does not answer.
        """
        where = self.address or os.environ.get("RAY_ADDRESS") or "this machine"
        try:
            _knock(where)
            with warnings.catch_warnings():
                # Python warns of forks beside JAX's threads; Ray's only start other programs.
                warnings.filterwarnings("ignore", message=r"os\.fork\(\)")
                quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
                if self.address is None:
                    ray.init(include_dashboard=False, **quiet)
                else:
                    ray.init(address=self.address, **quiet)
        except Exception as error:  # Ray raises almost anything where a cluster does not answer.
            raise ValueError(f"engine ray: no cluster at {where} ({_reason(error)})") from None


def _knock(address: str) -> None:
    """Raises OSError where nobody listens: Ray itself tries for a minute, then ends the process.

    Args:
        address: ``ray://HOST:PORT`` or ``HOST:PORT``; anything else is not tried.
    """
    host, _, port = address.removeprefix("ray://").partition("/")[0].rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE).close()


def _reason(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


def _unit(sent: tuple[Task, PopulationFolder | None], span: Span) -> Shard:
    """One unit of work, in a worker; safe to run again at any time."""
    task, folder = sent
    found = folder.find(span) if folder else None
    return found or next(Local().make(task, [span], folder, lambda count: None))
