"""How often what stands beside a verdict is wrong, where somebody wants it to be.

    python benchmarks/claims.py order        # rows ordered so that a pilot known beforehand errs
    python benchmarks/claims.py fitted       # a submission fitted to references that its maker saw
    python benchmarks/claims.py nearest      # one of two equally near references, called nearer
    python benchmarks/claims.py over         # "hides more" where it does not, with unequal spreads
    python benchmarks/claims.py calibrated   # bounds that fail, beside any calibrated tolerance
    python benchmarks/claims.py coincide     # references at the tolerance that are called alike
    python benchmarks/claims.py progress     # intervals of progress, and of AUC, that miss

All seeds are literal; ``--repeats`` is of each cell (10,000). Limits are the level and three
standard errors: a false alarm in .00135 of cells.
"""

import argparse
import hashlib
import math
from collections.abc import Iterator
from itertools import product

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.stats import mannwhitneyu

from audits.verdict import EVENTS
from estimators.lower._pilot import pilot_size
from indist import estimators
from oracles.mechanisms import gaussian_mu

ALPHA = 0.05
TOLERANCE = 0.2
BLOCK = 250


def blocks(repeats: int) -> Iterator[int]:
    """Sizes of the blocks in which a cell is simulated, to bound the memory."""
    for start in range(0, repeats, BLOCK):
        yield min(BLOCK, repeats - start)


def shown(errors: int, repeats: int, level: float = ALPHA) -> tuple[str, str]:
    """The share of errors, and the limit of what is nominal."""
    limit = level + 3.0 * math.sqrt(level * (1.0 - level) / repeats)
    share = errors / repeats
    return f"{share:.4f}", f"{limit:.4f}{' EXCEEDED' if share > limit else ''}"


def order(repeats: int) -> Table:
    """Equal laws; the submitter puts its least models where a known seed would take the pilot."""
    table = Table("models", "against", "the pilot's seed", "called different", "limit")
    for n, m in ((64, 64), (256, 256), (100, 400)):
        for seed_is in ("known", "drawn after hand-in"):
            rng = np.random.default_rng(11)
            errors = 0
            for _ in range(repeats):
                p, q = rng.normal(size=(n, 1)), rng.normal(size=(m, 1))
                p = np.sort(p, axis=0)
                known = 5
                # The permutation depends on the values and the seed alone, whatever their order.
                drawn = np.random.default_rng(digest_words(p, known)).permutation(n)
                taken = drawn[: pilot_size(n, 0.8)]
                rest = np.setdiff1d(np.arange(n), taken)
                hostile = np.empty_like(p)
                hostile[taken], hostile[rest] = p[: taken.size], p[taken.size :]
                seed = known if seed_is == "known" else int(rng.integers(2**32))
                method = estimators.RankGrid(seed=seed, two_sided=False)
                found = estimators.delta_lower_bound(hostile, q, epsilon=0.0, method=method)
                errors += bool(found.bound[0] > 0.0)
            table.add_row(str(n), str(m), seed_is, *shown(errors, repeats))
    return table


def digest_words(sample: np.ndarray, seed: int) -> list[int]:
    """What `estimators.lower._pilot.shuffled` seeds its permutation with."""
    digest = hashlib.sha256(np.ascontiguousarray(np.sort(sample, axis=0) + 0.0).tobytes())
    return [int.from_bytes(digest.digest()[:16], "big"), seed]


def fitted(repeats: int) -> Table:
    """A law chosen after looking: off by more than the tolerance where chance hides it best.

    All observables are as the reference's but one. It is moved just beyond the tolerance, on the
    side and in the observable in which the references that were seen happen to lie farthest off.
    """
    table = Table("observables", "references", "called a match", "limit")
    models, level = 512, ALPHA / 2.0
    for observables, kept in product((1, 6, 12), (False, True)):
        rng = np.random.default_rng(12)
        errors = 0
        for count in blocks(repeats):
            shape = (models, count, observables)
            seen, fresh = (rng.random((2, *shape)) < 0.5).astype(float)
            centres = seen.mean(axis=0) - 0.5
            far, row = np.abs(centres).argmax(axis=1), np.arange(count)
            rates = np.full(shape[1:], 0.5)
            rates[row, far] += TOLERANCE * 1.001 * np.where(centres[row, far] >= 0.0, 1.0, -1.0)
            made = (rng.random(shape) < rates).astype(float)
            called = estimators.within_tolerance(
                made,
                fresh if kept else seen,
                epsilon=0.0,
                tolerance=TOLERANCE,
                confidence=1.0 - level,
            )
            errors += int(called.sum())
        share, limit = shown(errors, repeats, level)
        words = "kept until hand-in" if kept else "seen"
        table.add_row(str(observables), words, share, limit if kept else "none is claimed")
    return table


def nearest(repeats: int) -> Table:
    """Both references equally far, in truth: called nearer by bounds at alpha / 4 each."""
    table = Table("models", "against", "truth", "epsilon", "called nearer", "limit")
    sizes = ((256, 32, 512), (60, 60, 60), (512, 512, 64))
    truths = {
        "all equal": (0.0, 0.0, 0.0),
        "on both sides": (0.0, -1.0, 1.0),
        "the same": (0, 2, 2),
    }
    observables, level = 3, ALPHA / 4.0
    for (n, *others), (name, shifts), epsilon in product(sizes, truths.items(), (0.0, 1.0)):
        rng = np.random.default_rng(13)
        errors = 0
        for count in blocks(repeats):
            parts = [rng.normal(size=(size, count, observables)) for size in (n, *others)]
            for part, shift in zip(parts, shifts, strict=True):
                part[:, :, 0] += shift
            low, high = zip(
                *(ends(parts[0], part, epsilon, level) for part in parts[1:]), strict=True
            )
            errors += int(((high[0] < low[1]) | (high[1] < low[0])).sum())
        row = (str(n), str(tuple(others)), name, str(epsilon), *shown(errors, repeats))
        table.add_row(*row)
    return table


def ends(
    p: np.ndarray, q: np.ndarray, epsilon: float, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper bounds as `audits.verdict._nearest` takes them, ``[repeats]`` each."""
    lower = estimators.delta_lower_bound(
        p,
        q,
        epsilon=epsilon,
        confidence=1.0 - level / p.shape[2],
        method=estimators.RankGrid(seed=0, two_sided=False),
    )
    upper = estimators.delta_upper_bound(
        p, q, epsilon=epsilon, confidence=1.0 - level, events=EVENTS
    )
    return np.asarray(lower.bound).max(axis=1), np.asarray(upper.bound).max(axis=1)


def over(repeats: int) -> Table:
    """Two groups on which the submission's margin lies above the reference's half of the time."""
    table = Table("models", "against", "spread", "rank test", "AUC's upper end", "limit")
    for (n, m), spread in product(((256, 32), (32, 256), (100, 100)), (0.2, 1.0, 5.0)):
        rng = np.random.default_rng(14)
        by_rank = by_auc = 0
        for count in blocks(repeats):
            p = spread * rng.normal(size=(n, count, 2))
            q = rng.normal(size=(m, count, 2))
            pvalues = np.asarray(mannwhitneyu(p, q, alternative="less").pvalue)
            by_rank += int((pvalues.min(axis=1) < ALPHA / 2.0).sum())
            high = estimators.auc(p, q, confidence=1.0 - ALPHA).confidence_interval.high
            by_auc += int((high.min(axis=1) < 0.5).sum())
        row = (str(n), str(m), str(spread), f"{by_rank / repeats:.4f}", *shown(by_auc, repeats))
        table.add_row(*row)
    return table


def calibrated(repeats: int) -> Table:
    """Whether any of four bounds fails, at alpha / 4 each: they hold for any tolerance chosen.

    The bounds are on the distances of a submission from both references. An upper bound below the
    truth is a match at a tolerance just below it; a lower bound above the truth is a difference.
    """
    table = Table("models", "references", "distance", "kind", "any bound fails", "limit")
    level = ALPHA / 4.0
    sizes, places = ((64, 64), (40, 160), (256, 256)), (0.15, 0.3, 0.5)
    for (n, m), place, kind in product(sizes, places, ("normal", "binary")):
        rng = np.random.default_rng(15)
        errors = 0
        for count in blocks(repeats):
            if kind == "normal":
                apart = gaussian_mu(0.0, place)
                p = rng.normal(size=(n, count, 1))
                others = [rng.normal(size=(m, count, 1)) + side * apart for side in (-1.0, 1.0)]
            else:
                p = (rng.random((n, count, 1)) < 0.5).astype(float)
                rates = (0.5 - place, 0.5 + place)
                others = [(rng.random((m, count, 1)) < rate).astype(float) for rate in rates]
            fails = np.zeros(count, dtype=bool)
            for q in others:
                fails |= estimators.within_tolerance(
                    p, q, epsilon=0.0, tolerance=place - 1e-9, confidence=1.0 - level
                )
                lower = estimators.delta_lower_bound(
                    p,
                    q,
                    epsilon=0.0,
                    confidence=1.0 - level,
                    method=estimators.RankGrid(seed=0, two_sided=False),
                )
                fails |= np.asarray(lower.bound)[:, 0] > place
            errors += int(fails.sum())
        table.add_row(str(n), str(m), str(place), kind, *shown(errors, repeats))
    return table


def coincide(repeats: int) -> Table:
    """References just beyond the tolerance from each other that are said to coincide."""
    table = Table("models", "epsilon", "observables", "said to coincide", "limit")
    for (n, m), epsilon, observables in product(((128, 128), (64, 512)), (0.0, 1.0), (1, 6)):
        rng = np.random.default_rng(16)
        rate = 0.3 if epsilon == 0.0 else 0.1
        high = math.exp(epsilon) * rate + TOLERANCE * 1.001
        errors = 0
        for count in blocks(repeats):
            p, q = (
                rng.normal(size=(n, count, observables)),
                rng.normal(size=(m, count, observables)),
            )
            p[:, :, 0] = rng.random((n, count)) < high
            q[:, :, 0] = rng.random((m, count)) < rate
            called = estimators.within_tolerance(
                p, q, epsilon=epsilon, tolerance=TOLERANCE, confidence=1.0 - ALPHA
            )
            errors += int(called.sum())
        table.add_row(f"{n}, {m}", str(epsilon), str(observables), *shown(errors, repeats))
    return table


def progress(repeats: int) -> Table:
    """Truths outside the interval of progress, and of the AUC, at 95 % each."""
    table = Table("models", "kind", "progress misses", "AUC misses", "limit")
    for models, kind in product((8, 16, 64, 512), ("normal", "ties", "shared keys")):
        rng = np.random.default_rng(17)
        missed = missed_auc = 0
        for count in blocks(repeats):
            p, o, r = rng.normal(size=(3, models, count))
            if kind == "shared keys":
                # What the populations have in common, as models of one key have.
                common = rng.normal(size=(models, count))
                p, o, r = p + common, o + common, r + common
            p, r = p + 2.0, r + 4.0
            if kind == "ties":
                p, o, r = np.round(p), np.round(o), np.round(r)
            found = estimators.progress(p, o, r)
            inside = (found.confidence_interval.low <= 0.5) & (
                found.confidence_interval.high >= 0.5
            )
            missed += int((~inside).sum())
            # Of equal laws, independent: keys that are shared are not what an AUC is about.
            area = estimators.auc(
                o, np.round(rng.normal(size=o.shape)) if kind == "ties" else r - 4.0
            )
            if kind != "shared keys":
                ends = area.confidence_interval
                missed_auc += int(((ends.low > 0.5) | (ends.high < 0.5)).sum())
        share, limit = shown(missed, repeats)
        other, other_limit = shown(missed_auc, repeats)
        worst = other_limit if "EXCEEDED" in other_limit else limit
        table.add_row(str(models), kind, share, other if kind != "shared keys" else "", worst)
    return table


PARTS = {
    "order": order,
    "fitted": fitted,
    "nearest": nearest,
    "over": over,
    "calibrated": calibrated,
    "coincide": coincide,
    "progress": progress,
}


def main() -> None:
    """Prints one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("part", choices=tuple(PARTS))
    parser.add_argument("--repeats", type=int, default=10_000)
    given = parser.parse_args()
    Console(width=120).print(PARTS[given.part](given.repeats))


if __name__ == "__main__":
    main()
