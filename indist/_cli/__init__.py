"""The ``indist`` command."""

import os

__all__ = ["main"]


def main() -> None:
    """Entry point of the ``indist`` command."""
    from indist._cli._endings import end_on_signals, plain_ends

    end_on_signals()
    _one_device_a_core()
    with plain_ends():
        from indist._cli._app import app

        app()


def _one_device_a_core() -> None:
    """Asks JAX for one single-threaded device a core, the fastest way to train many small models.

    It must be said before JAX starts, and a user's own ``XLA_FLAGS`` are left alone.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    flags = f"--xla_force_host_platform_device_count={cores or 1}"
    os.environ.setdefault("XLA_FLAGS", f"{flags} --xla_cpu_multi_thread_eigen=false")
