"""What an audit sees, whether it still says yes, and how often it is wrong.

    python benchmarks/verdict.py sees     # k examples of S never forgotten, in real populations
    python benchmarks/verdict.py yes      # share of perfect matches called, by models a side
    python benchmarks/verdict.py valid    # share of matches called at the tolerance: at most .025
    python benchmarks/verdict.py shared   # false claims about both references: at most .05
    python benchmarks/verdict.py looks    # false claims at any of the declared looks: at most .05

All seeds are literal. ``--models`` and ``--repeats`` make it smaller or larger.
"""

import argparse
import math
from itertools import product

import numpy as np
from rich.console import Console
from rich.table import Table

from audits.verdict._looks import shares
from audits.verdict._sharing import SHARE, least_separation
from estimators.exact._exact_test import rejected_counts
from estimators.exact._frontier import half_line_counts, undominated
from indist import audits, estimators, oracles
from oracles.mechanisms import gaussian_mu

ALPHA = 0.025
TOLERANCE = 0.2


def matches(
    p: np.ndarray,
    q: np.ndarray,
    *,
    epsilon: float,
    tolerance: float = TOLERANCE,
    alpha: float = ALPHA,
) -> np.ndarray:
    """Whether the exact test calls a match: ``[models, repeats, observables]`` to ``[repeats]``."""
    repeats = p.shape[1]
    called = np.ones(repeats, dtype=bool)
    for first, second in ((p, q), (q, p)):
        n, m = len(first), len(second)
        region = rejected_counts(n, m, math.exp(epsilon), tolerance, alpha)
        counts = half_line_counts(first.reshape(n, -1), second.reshape(m, -1))
        frontier = undominated(counts, m)
        within = (frontier.x <= region[frontier.y]).all(axis=0)
        called &= within.reshape(repeats, -1).all(axis=1)
    return called


def differs(
    p: np.ndarray, q: np.ndarray, *, epsilon: float, alpha: float, tolerance: float = TOLERANCE
) -> np.ndarray:
    """Whether the lower bound of an audit is above the tolerance: ``[repeats]``."""
    each = 1.0 - alpha / p.shape[2]
    found = estimators.delta_lower_bound(
        p, q, epsilon=epsilon, confidence=each, method=estimators.RankGrid(seed=0)
    )
    return np.asarray(found.bound > tolerance).any(axis=1)


def wrong(
    p: np.ndarray,
    references: tuple[np.ndarray, np.ndarray],
    *,
    epsilon: float,
    near: tuple[bool, bool],
) -> tuple[np.ndarray, np.ndarray]:
    """Whether the rule of an audit claims anything false, and whether the references share.

    Args:
        p: the submission, ``[models, repeats, observables]``.
        references: both references, the same way.
        epsilon: of the divergence.
        near: which of them the submission truly lies within the tolerance of.

    Returns:
        Two truths a repeat.
    """
    alpha = 2.0 * ALPHA
    needed = least_separation(len(p), *map(len, references), epsilon, TOLERANCE, alpha)
    assert needed is not None
    t, u = references
    apart = estimators.delta_lower_bound(
        t,
        u,
        epsilon=0.0,
        confidence=1.0 - SHARE * alpha / t.shape[2],
        method=estimators.RankGrid(seed=0),
    )
    far = apart.bound.max(axis=1) >= needed
    whole = (1.0 - SHARE) * alpha
    found = np.zeros(p.shape[1], dtype=bool)
    for reference, within in zip(references, near, strict=True):
        # What would be a false claim about this reference.
        claim = differs if within else matches
        claimed = claim(p, reference, epsilon=epsilon, alpha=whole)
        # Where the level is not shared, half of it must say so, too.
        asked = np.flatnonzero(claimed & ~far)
        if asked.size:
            half = claim(p[:, asked], reference[:, asked], epsilon=epsilon, alpha=whole / 2.0)
            claimed[asked] = half
        found |= claimed
    return found, far


def yes(repeats: int) -> Table:
    """Share of perfect matches called, observables independent."""
    columns = ("level", "observables", "epsilon", "models", "against", "called", "standard error")
    table = Table(*columns)
    alone = [
        *((6, 1.0, n, n) for n in (86, 91, 95)),
        *((6, 0.0, n, n) for n in (284, 303, 308)),
        *((36, 1.0, n, n) for n in (105, 110, 115)),
        *((36, 0.0, n, n) for n in (350, 374, 380)),
        *((69, 1.0, n, n) for n in (112, 117, 128)),
        *((6, 1.0, n, 512) for n in (48, 50)),
        *((36, 1.0, n, 512) for n in (60, 64)),
    ]
    # References far apart, so that nearly all of the level serves each.
    far = [
        *((6, 1.0, n, n) for n in (86, 91)),
        *((6, 0.0, n, n) for n in (284, 290)),
        *((36, 1.0, n, n) for n in (105, 110)),
        *((36, 0.0, n, n) for n in (350, 356)),
        *((69, 1.0, n, n) for n in (112, 117, 128)),
        *((6, 1.0, n, 512) for n in (45, 48)),
        *((36, 1.0, n, 512) for n in (55, 60)),
    ]
    levels = [(ALPHA, "half", cell) for cell in alone]
    levels += [((1.0 - SHARE) * 2.0 * ALPHA, "shared", cell) for cell in far]
    for alpha, level, (observables, epsilon, n, m) in levels:
        rng = np.random.default_rng(1)
        p = rng.normal(size=(n, repeats, observables))
        q = rng.normal(size=(m, repeats, observables))
        share = float(matches(p, q, epsilon=epsilon, alpha=alpha).mean())
        error = math.sqrt(share * (1.0 - share) / repeats)
        table.add_row(
            level, *map(str, (observables, epsilon, n, m)), f"{share:.3f}", f"{error:.3f}"
        )
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
        hits = 0
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
            hits += int(matches(p, q, epsilon=epsilon).sum())
        table.add_row(
            *map(str, (observables, epsilon, n, m, kind)),
            f"{hits / repeats:.4f}",
            f"{limit:.4f}{' EXCEEDED' if hits / repeats > limit else ''}",
        )
    return table


def drawn(
    rng: np.random.Generator, shape: tuple[int, int, int], place: float, kind: str
) -> np.ndarray:
    """Models of which one observable lies at a place; the others are alike in all populations."""
    values = rng.normal(size=shape)
    if kind == "binary":
        values = np.sign(values)
        values[:, :, 0] = rng.random(shape[:2]) < place
    else:
        values[:, :, 0] += place
        if kind == "ties":
            values = np.round(values)
    return values


def shared(repeats: int) -> Table:
    """Share of audits that claim anything false, the submission at or between the references."""
    columns = ("place", "epsilon", "models", "against", "observables", "shared", "false", "limit")
    table = Table(*columns)
    alpha = 2.0 * ALPHA
    limit = alpha + 3.0 * math.sqrt(alpha * (1.0 - alpha) / repeats)
    sizes = [
        (96, (96, 96), 1),
        (96, (96, 96), 6),
        (256, (256, 256), 1),
        (64, (512, 512), 1),
        (400, (400, 100), 1),
    ]
    for epsilon, (n, others, observables), (place, kind) in product(
        (0.0, 1.0),
        sizes,
        (
            ("midway", "ties"),
            ("midway", "binary"),
            ("beyond one", "binary"),
            ("within one", "normal"),
        ),
    ):
        rng = np.random.default_rng(4)
        beyond = gaussian_mu(epsilon, TOLERANCE * 1.001)
        within = gaussian_mu(epsilon, TOLERANCE * 0.999)
        if kind == "binary" and place == "midway":
            # On a line of three rates, each just beyond the tolerance from the next.
            factor = math.exp(epsilon)
            low = 0.3 if epsilon == 0.0 else 0.05
            middle = factor * low + TOLERANCE * 1.001
            high = min(factor * middle + TOLERANCE * 1.001, 1.0)
            places = (middle, low, high)
        elif kind == "binary":
            # Just beyond the tolerance from one reference, the other as far as can be.
            low = 0.3 if epsilon == 0.0 else 0.1
            places = (math.exp(epsilon) * low + TOLERANCE * 1.001, low, 1.0)
        elif place == "midway":
            places = (0.0, -beyond, beyond)
        else:
            places = (within, 0.0, within + 8.0)
        hits = far = 0
        for start in range(0, repeats, 250):
            count = min(250, repeats - start)
            made = [
                drawn(rng, (models, count, observables), where, kind)
                for models, where in zip((n, *others), places, strict=True)
            ]
            near = (place == "within one", False)
            false, apart = wrong(made[0], (made[1], made[2]), epsilon=epsilon, near=near)
            hits += int(false.sum())
            far += int(apart.sum())
        table.add_row(
            f"{place} ({kind})",
            *map(str, (epsilon, n, others, observables)),
            f"{far / repeats:.2f}",
            f"{hits / repeats:.4f}",
            f"{limit:.4f}{' EXCEEDED' if hits / repeats > limit else ''}",
        )
    return table


def looks(repeats: int) -> Table:
    """Share of audits that call a false match at any look, declared or not."""
    table = Table("looks", "epsilon", "observables", "called", "limit")
    limit = ALPHA + 3.0 * math.sqrt(ALPHA * (1.0 - ALPHA) / repeats)
    schedules = {
        "declared 64, 128, 256, 512": (64, 128, 256, 512),
        "undeclared, every 32": tuple(range(32, 513, 32)),
    }
    for epsilon, observables in product((0.0, 1.0), (1, 6)):
        for name, schedule in schedules.items():
            declared = name.startswith("declared")
            rng = np.random.default_rng(5)
            hits = 0
            for start in range(0, repeats, 250):
                count = min(250, repeats - start)
                p = rng.normal(size=(512, count, observables))
                q = rng.normal(size=(512, count, observables))
                p[:, :, 0] += gaussian_mu(epsilon, TOLERANCE * 1.001)
                at_any = np.zeros(count, dtype=bool)
                for models, share in zip(schedule, shares(len(schedule)), strict=True):
                    level = ALPHA * (share if declared else 1.0)
                    at_any |= matches(p[:models], q, epsilon=epsilon, alpha=level)
                hits += int(at_any.sum())
            exceeded = hits / repeats > limit and declared
            table.add_row(
                name,
                *map(str, (epsilon, observables)),
                f"{hits / repeats:.4f}",
                f"{limit:.4f}{' EXCEEDED' if exceeded else ''}" if declared else "",
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


SIMULATIONS = {"yes": yes, "valid": valid, "shared": shared, "looks": looks}


def main() -> None:
    """Prints one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("part", choices=("sees", *SIMULATIONS))
    parser.add_argument("--models", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=1000)
    given = parser.parse_args()
    simulate = SIMULATIONS.get(given.part)
    Console(width=140).print(simulate(given.repeats) if simulate else sees(given.models))


if __name__ == "__main__":
    main()
