"""What an audit sees, whether it still says yes, and how often it is wrong.

    python benchmarks/verdict.py sees     # k examples of S never forgotten, in real populations
    python benchmarks/verdict.py yes      # share of perfect matches called, by models a side
    python benchmarks/verdict.py valid    # share of matches called at the tolerance: at most .025

All seeds are literal. ``--models`` and ``--repeats`` make it smaller or larger.
"""

import argparse
import math
from itertools import product

import numpy as np
from rich.console import Console
from rich.table import Table

from estimators.exact._exact_test import rejected_counts
from estimators.exact._frontier import half_line_counts, undominated
from indist import audits, oracles
from oracles.mechanisms import gaussian_mu

ALPHA = 0.025
TOLERANCE = 0.2


def matches(
    p: np.ndarray, q: np.ndarray, *, epsilon: float, tolerance: float = TOLERANCE
) -> np.ndarray:
    """Whether the exact test calls a match: ``[models, repeats, observables]`` to ``[repeats]``."""
    repeats = p.shape[1]
    called = np.ones(repeats, dtype=bool)
    for first, second in ((p, q), (q, p)):
        n, m = len(first), len(second)
        region = rejected_counts(n, m, math.exp(epsilon), tolerance, ALPHA)
        counts = half_line_counts(first.reshape(n, -1), second.reshape(m, -1))
        frontier = undominated(counts, m)
        within = (frontier.x <= region[frontier.y]).all(axis=0)
        called &= within.reshape(repeats, -1).all(axis=1)
    return called


def yes(repeats: int) -> Table:
    """Share of perfect matches called, observables independent."""
    table = Table("observables", "epsilon", "models", "against", "called", "standard error")
    cells = [
        *((6, 1.0, n, n) for n in (86, 91, 95)),
        *((6, 0.0, n, n) for n in (284, 303, 308)),
        *((36, 1.0, n, n) for n in (105, 110, 115)),
        *((36, 0.0, n, n) for n in (350, 374, 380)),
        *((69, 1.0, n, n) for n in (112, 117, 128)),
        *((6, 1.0, n, 512) for n in (48, 50)),
        *((36, 1.0, n, 512) for n in (60, 64)),
    ]
    for observables, epsilon, n, m in cells:
        rng = np.random.default_rng(1)
        p = rng.normal(size=(n, repeats, observables))
        q = rng.normal(size=(m, repeats, observables))
        share = float(matches(p, q, epsilon=epsilon).mean())
        error = math.sqrt(share * (1.0 - share) / repeats)
        table.add_row(*map(str, (observables, epsilon, n, m)), f"{share:.3f}", f"{error:.3f}")
    return table


def valid(repeats: int) -> Table:
    """Share of matches called where one observable is at the tolerance, or just beyond it."""
    table = Table("observables", "epsilon", "models", "against", "kind", "called", "limit")
    limit = ALPHA + 3.0 * math.sqrt(ALPHA * (1.0 - ALPHA) / repeats)
    sizes = [(32, 32), (64, 64), (128, 128), (256, 256), (32, 128), (128, 32), (64, 512)]
    for observables, epsilon, (n, m), kind in product(
        (1, 6, 36), (0.0, 1.0), sizes, ("normal", "binary")
    ):
        rng = np.random.default_rng(2)
        called = 0
        # In blocks, to bound the memory.
        for start in range(0, repeats, 500):
            count = min(500, repeats - start)
            p = rng.normal(size=(n, count, observables))
            q = rng.normal(size=(m, count, observables))
            if kind == "normal":
                p[:, :, 0] += gaussian_mu(epsilon, TOLERANCE)
            else:
                rate = 0.3
                high = math.exp(epsilon) * rate + TOLERANCE
                if high > 1.0:
                    rate = (0.9 - TOLERANCE) / math.exp(epsilon)
                    high = 0.9
                p[:, :, 0] = rng.random((n, count)) < high
                q[:, :, 0] = rng.random((m, count)) < rate
            called += int(matches(p, q, epsilon=epsilon).sum())
        table.add_row(
            *map(str, (observables, epsilon, n, m, kind)),
            f"{called / repeats:.4f}",
            f"{limit:.4f}{' EXCEEDED' if called / repeats > limit else ''}",
        )
    return table


def sees(models: int) -> Table:
    """Verdict where k examples of S were never forgotten, by medians alone and by the default."""
    table = Table("scenario", "k", "medians alone", "verdict", "at least", "named", "others")
    for name, kept in (("digits-random-labels", (0, 1, 2, 4)), ("digits-trigger", (0, 4))):
        scenario = oracles.scenarios.load(name, seed=0)
        references = oracles.references(scenario, models=models, seed=0)
        for k in kept:
            # Trained without all of S but k: a perfect untraining of the others.
            removed = tuple(int(index) for index in scenario.forget[k:])
            made = oracles.train(scenario, removed, stream="kept", models=models, seed=5)
            medians = audits.audit(made, references, observables=None)
            found = audits.audit(made, references, seed=3)
            worst = found.untraining.worst_example(TOLERANCE)
            table.add_row(
                name,
                str(k),
                f"{medians.verdict} (at most {medians.untraining.upper:.3f})",
                found.verdict,
                f"{found.untraining.lower:.2f}",
                worst.example if worst else "",
                str(worst.others) if worst else "",
            )
    return table


def main() -> None:
    """Prints one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("part", choices=("sees", "yes", "valid"))
    parser.add_argument("--models", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=1000)
    given = parser.parse_args()
    table = sees(given.models) if given.part == "sees" else None
    table = table or (yes(given.repeats) if given.part == "yes" else valid(given.repeats))
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
