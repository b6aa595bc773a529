"""What an audit sees, whether it still says yes, and how often it is wrong.

    python benchmarks/verdict.py sees     # k examples of S never forgotten, in real populations
    python benchmarks/verdict.py named    # simulated: is each moved example named? (--repeats 200)
    python benchmarks/verdict.py yes      # share of perfect matches called, by models a side
    python benchmarks/verdict.py valid    # share of matches called at the tolerance: at most .025
    python benchmarks/verdict.py shared   # false claims about both references: at most .05
    python benchmarks/verdict.py looks    # false matches at any of the declared looks: at most .025

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
from indist import audits, estimators, oracles
from oracles.mechanisms import gaussian_mu

ALPHA = 0.025
TOLERANCE = 0.2


def matches(p: np.ndarray, q: np.ndarray, *, epsilon: float, alpha: float = ALPHA) -> np.ndarray:
    """Whether the exact test calls a match: ``[models, repeats, observables]`` to ``[repeats]``."""
    return estimators.within_tolerance(
        p, q, epsilon=epsilon, tolerance=TOLERANCE, confidence=1.0 - alpha
    )


def differs(
    p: np.ndarray, q: np.ndarray, *, epsilon: float, alpha: float, tolerance: float = TOLERANCE
) -> np.ndarray:
    """Whether the lower bound of an audit is above the tolerance: ``[repeats]``."""
    each = 1.0 - alpha / p.shape[2]
    found = estimators.delta_lower_bound(
        p, q, epsilon=epsilon, confidence=each, method=estimators.RankGrid(seed=0, two_sided=False)
    )
    return np.asarray((np.asarray(found.bound) > tolerance).any(axis=1))


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
        method=estimators.RankGrid(seed=0, two_sided=False),
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
                # So small at epsilon 1 that the complement does not differ by more.
                rate = 0.3 if epsilon == 0.0 else 0.1
                high = math.exp(epsilon) * rate + TOLERANCE
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
                rate = 0.3 if epsilon == 0.0 else 0.1
                beyond = math.exp(epsilon) * rate + TOLERANCE * 1.001
                shape = (512, count, observables)
                p, q = (drawn(rng, shape, place, "binary") for place in (beyond, rate))
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
    columns = ("scenario", "submission", "medians alone", "verdict", "at least", "named", "others")
    table = Table(*columns)
    for name, kept in (("digits-random-labels", (0, 1, 2, 4)), ("digits-trigger", (0, 4))):
        scenario = oracles.scenarios.load(name, seed=0)
        references = oracles.references(scenario, models=models, seed=0)
        submissions: dict[str, oracles.Population | oracles.Observations] = {}
        for k in kept:
            # Trained without all of S but k: a perfect untraining of the others.
            removed = tuple(int(index) for index in scenario.forget[k:])
            submissions[f"{k} never forgotten"] = oracles.train(
                scenario, removed, stream="kept", models=models, seed=5
            )
        if name == "digits-random-labels":
            untrained = oracles.train(scenario, "forget", stream="kept", models=models, seed=6)
            submissions["14 up, 14 down"] = pushed(untrained.observe(scenario.probes), 14)
        for words, made in submissions.items():
            medians = audits.audit(made, references, observables=None)
            found = audits.audit(made, references, seed=3)
            worst = found.untraining.worst_example(TOLERANCE)
            table.add_row(
                name,
                words,
                f"{medians.verdict} (at most {medians.untraining.upper:.3f})",
                found.verdict,
                f"{found.untraining.lower:.2f}",
                worst.example if worst else "",
                str(worst.others) if worst else "",
            )
    return table


def pushed(seen: oracles.Observations, count: int) -> oracles.Observations:
    """Margins of so many examples of S raised by 3 standard deviations, of as many lowered."""
    logits = seen.logits.copy()
    forget = np.flatnonzero(seen.groups == "forget")
    for place, probe in enumerate(forget[: 2 * count]):
        step = 3.0 * seen.margins[:, probe].std() * (1.0 if place < count else -1.0)
        logits[:, probe, seen.labels[probe]] += np.float32(step)
    return oracles.Observations(logits, seen.labels, seen.groups, seen.ids)


def named(repeats: int) -> Table:
    """Simulated: k of 32 examples of S moved by so many standard deviations, 256 models a side."""
    columns = ("k", "moved by", "untraining", "named", "others named", "repeats")
    table = Table(*columns)
    models, groups = 256, np.repeat(["forget", "behaviour", "test"], [32, 30, 40])
    ids = np.array([f"{group}/{place}" for place, group in enumerate(groups)])
    rng = np.random.default_rng(6)

    def drawn(raised: dict[int, float]) -> oracles.Observations:
        margins = rng.normal(size=(models, len(groups)))
        for place, by in raised.items():
            margins[:, place] += by
        logits = np.stack([margins, np.zeros_like(margins)], axis=2).astype(np.float32)
        return oracles.Observations(logits, np.zeros(len(groups), np.int32), groups, ids)

    for k, by in ((0, 0.0), (1, 3.0), (2, 3.0), (1, 2.0)):
        called = told = others = 0
        for repeat in range(repeats):
            references = audits.ObservedReferences(drawn({}), drawn(dict.fromkeys(range(62), 8.0)))
            found = audits.audit(drawn(dict.fromkeys(range(k), by)), references, seed=repeat)
            called += found.verdict == "untraining"
            named_now = {
                row.example
                for row in found.untraining.by_observable
                if row.example and row.lower > TOLERANCE
            }
            told += {f"forget/{place}" for place in range(k)} <= named_now and k > 0
            others += bool(named_now - {f"forget/{place}" for place in range(k)})
        row = (k, by, *(f"{hits / repeats:.3f}" for hits in (called, told, others)), repeats)
        table.add_row(*map(str, row))
    return table


SIMULATIONS = {"named": named, "yes": yes, "valid": valid, "shared": shared, "looks": looks}


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
