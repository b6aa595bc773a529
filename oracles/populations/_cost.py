"""What a population will cost on this machine, from training a few models of it."""

import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from oracles._scenario import Scenario
from oracles.engines._blocks import run_blocks
from oracles.engines._width import with_width
from oracles.populations._training import Training

_SECONDS = 2.0
_MODELS = 1_000_000
_LEAST_BLOCKS = 3


@dataclass(frozen=True)
class Cost:
    """The cost of training on all devices of this process.

    Attributes:
        startup: seconds until the first models are there, most of them compilation.
        seconds: seconds a model after that.
        parameters: bytes of one model's parameters.
        logits: bytes of one model's logits at the probes.
        memory: peak resident memory of this process in bytes, which more models do not raise while
            they are stored in a folder.
    """

    startup: float
    seconds: float
    parameters: int
    logits: int
    memory: int


def training_cost(scenario: Scenario, *, width: int | None = None) -> Cost:
    """Trains models of the scenario for about two seconds and measures.

    Args:
        scenario: the scenario.
        width: models a device in one compiled program; None takes the default of
            backend and module.

    Returns:
        The cost.

    Example:
        >>> from indist import oracles
        >>> cost = oracles.training_cost(oracles.scenarios.load("circles", seed=0))
        >>> cost.seconds < cost.startup
        True
    """
    task = Training(scenario, "nothing", "resampled", "calibration", 0, 1)
    task = with_width(task, width, models=_MODELS)
    start = time.perf_counter()
    blocks = run_blocks(
        task.program(), np.arange(_MODELS), task.arguments, task.shared(), task.width
    )
    _, (params, logits) = next(blocks)
    ready = time.perf_counter()
    made = count = 0
    while count < _LEAST_BLOCKS or time.perf_counter() - ready < _SECONDS:
        made += len(next(blocks)[0])
        count += 1
    seconds = (time.perf_counter() - ready) / made
    return Cost(
        ready - start, seconds, _bytes_a_model(params), _bytes_a_model(logits), peak_memory()
    )


def _bytes_a_model(tree: Any) -> int:
    return sum(leaf[0].nbytes for leaf in jax.tree.leaves(tree))


def peak_memory() -> int:
    """Peak resident memory of this process in bytes."""
    # On Linux ru_maxrss will not do: a process begins with the peak of the one that started it.
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (row for row in status.read_text().splitlines() if row.startswith("VmHWM:"))
        return 1024 * int(line.split()[1])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
