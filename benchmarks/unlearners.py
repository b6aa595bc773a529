"""CPU time a model of every unlearner, beside fine-tuning, in one run.

    python benchmarks/unlearners.py [--models 32] [--rounds 3] [--methods NAME ...]

All of them unlearn the same originals of `digits-trigger` in the blocks that training uses, after
they were compiled. Rounds are interleaved: each passes over all methods, and ratios to fine-tuning
are taken within a round. A method at less than a third of fine-tuning's rate is marked *.
"""

import argparse
import time
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from indist import oracles
from oracles.unlearners import UNLEARNERS

SLOW = 3.0


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--methods", nargs="+", choices=list(UNLEARNERS), default=list(UNLEARNERS))
    asked = parser.parse_args()
    worlds: dict[Any, tuple[oracles.Scenario, oracles.Population]] = {}
    methods = list(dict.fromkeys(["finetune", *asked.methods]))

    def unlearned(method: str) -> None:
        learner = getattr(UNLEARNERS[method], "learner", None)
        if learner not in worlds:
            # A certified method has a learner of its own, and two classes.
            name = "digits-trigger" if learner is None else "logistic-3v8"
            scenario = oracles.scenarios.load(name, seed=0, learner=learner)
            original = oracles.train(
                scenario, "nothing", stream="original", models=asked.models, seed=0
            )
            worlds[learner] = scenario, original
        oracles.unlearn(*worlds[learner], method=method, seed=1)

    seconds: dict[str, list[float]] = {method: [] for method in methods}
    for number in range(asked.rounds + 1):
        for method in methods:
            start = time.process_time()
            unlearned(method)
            if number:
                seconds[method].append((time.process_time() - start) / asked.models)
    table = Table("method", "CPU ms a model", "models/s of a core", "finetune's time")
    for method, times in sorted(seconds.items(), key=lambda item: np.median(item[1])):
        median = float(np.median(times))
        ratio = float(np.median(np.array(times) / np.array(seconds["finetune"])))
        mark = "*" if ratio > SLOW else ""
        table.add_row(method, f"{1e3 * median:.2f}", f"{1 / median:.0f}", f"{ratio:.2f}{mark}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
