"""How valid, how tight and how fast the lower bounds are, beside jax-privacy's on the same draws.

    python benchmarks/bounds.py [--quick] [--seed 0] [--tables valid assuming tight decides fast]

jax-privacy comes with the dependency group ``benchmarks``; without it its columns stay empty.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from indist import audits, estimators
from oracles import PROBE_GROUPS, Observations
from tests.audits.decisions import ALPHA, OBSERVABLES, decisions, normal, shift_of
from tests.estimators.pairs import (
    PAIRS,
    Pair,
    laplace,
    limit,
    randomised_response,
    scale,
    shift,
    simulated_bounds,
)

Method = estimators.LowerBoundMethod
# Groups whose single examples an audit looks at.
HELD = ("forget", "behaviour")
VALID: dict[str, Method] = {
    "RankGrid": estimators.RankGrid(),
    "RankGrid, no pilot": estimators.RankGrid(pilot=0.0),
    "Split": estimators.Split(),
    "Witness": estimators.Witness(),
    "ClopperPearson": estimators.ClopperPearson(),
    "DKW": estimators.DKW(),
    "EqualLocalLevel": estimators.EqualLocalLevel(),
    "Anytime": estimators.Anytime(),
}
ASSUMING: dict[str, Method] = {
    "GaussianDP (assumes)": estimators.GaussianDP(),
    "Bayesian (assumes)": estimators.Bayesian(),
}


def jax_privacy_bounds() -> dict[str, Callable[[np.ndarray, np.ndarray, float, int], float]]:
    """Its two-sided Clopper-Pearson bounds on epsilon, by strategy; nothing if not installed."""
    try:
        from jax_privacy import auditing
    except ImportError:
        print("note: jax-privacy is not installed (dependency group `benchmarks`): not compared\n")
        return {}

    def of(strategy: Callable[[int], object]) -> Callable[..., float]:
        def bound(p: np.ndarray, q: np.ndarray, delta: float, seed: int) -> float:
            auditor = auditing.CanaryScoreAuditor(p, q)
            return auditor.epsilon_clopper_pearson(
                0.05, delta, one_sided=False, threshold_strategy=strategy(seed)
            )

        return bound

    return {
        "Bonferroni": of(lambda seed: auditing.Bonferroni()),
        "Split": of(lambda seed: auditing.Split(seed=seed)),
    }


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as what they hold."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, ["-" * w for w in widths], *rows]:
        print("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip())
    print(flush=True)


def valid(quick: bool, seed: int) -> None:
    """Share of repeats in which a nominal 95 % bound on delta at epsilon 0.5 exceeds the truth."""
    repeats, pooled = (200, 60) if quick else (1000, 1000)
    sizes = [(20, 20), (100, 100), (40, 150)]
    if not quick:
        sizes = [(20, 20), (50, 50), (100, 100), (200, 200), (1000, 1000), (60, 900)]
    print(f"Valid: violations of nominal 95 % bounds on delta at epsilon 0.5; {repeats} repeats")
    print(f"({pooled} for methods that pool); at most {limit(repeats):.3f} ({limit(pooled):.3f});")
    print("! marks more. Methods that assume something: see the next table.\n")
    for name, method in (VALID | ASSUMING).items():
        rows: list[list[str]] = []
        count = pooled if method.pools else repeats
        for pair in PAIRS:
            row = [pair.name]
            for size in sizes:
                target = estimators.DeltaAt(0.5)
                found = simulated_bounds(method, pair, size, count, seed, target)
                rate = float((found > pair.delta(0.5) + 1e-12).mean())
                row.append(f"{rate:.3f}{'!' if rate > limit(count) else ''}")
            rows.append(row)
        table([name, *(f"{n}/{m}" for n, m in sizes)], rows)


def assuming(quick: bool, seed: int) -> None:
    """Methods that assume something, where it is false: how often their bounds are above the truth.

    GaussianDP: randomised response (epsilon 1) blurred by a standard normal, 60 models a side, too
    few for its check to see. Bayesian: a mass of 0.905 against 0, just under the posterior's
    quantile after 21 hits of 21. Both beside the default method on the same draws.
    """
    repeats, rng = 200 if quick else 1000, np.random.default_rng(seed)
    chance, shape = np.e / (1.0 + np.e), (60, repeats)
    p = np.where(rng.random(shape) < chance, 1.0, -1.0) + rng.normal(size=shape)
    q = np.where(rng.random(shape) < chance, -1.0, 1.0) + rng.normal(size=shape)
    hits = (rng.random((30, repeats)) < 0.905).astype(float)
    none = np.zeros((1500, repeats))
    rows: list[list[str]] = []
    for name, method in (
        ("GaussianDP", estimators.GaussianDP()),
        ("RankGrid", estimators.RankGrid()),
    ):
        found = estimators.epsilon_lower_bound(p, q, delta=1e-5, method=method).bound
        rows.append(["blurred randomised response", name, f"{float((found > 1.0).mean()):.3f}"])
    for name, method in (("Bayesian", estimators.Bayesian()), ("RankGrid", estimators.RankGrid())):
        found = estimators.delta_lower_bound(hits, none, epsilon=0.0, method=method).bound
        rows.append(["mass 0.905 against 0", name, f"{float((found > 0.905).mean()):.3f}"])
    print("Assuming: violations of nominal 95 % where an assumption is false")
    print(
        f"({repeats} repeats; the default method beside them stays within {limit(repeats):.3f})\n"
    )
    table(["pair", "method", "violated"], rows)


def decides(quick: bool, seed: int) -> None:
    """Decisions of an audit with 400 models a side and four observables."""
    repeats, rng = 200 if quick else 1000, np.random.default_rng(seed)
    rows: list[list[str]] = []
    for epsilon, tolerance in ((0.0, 0.2), (1.0, 0.1)):
        for name, shift_by in (("true match", 0.0), ("at it", shift_of(tolerance, epsilon))):
            p, q = normal(rng, 400, repeats, shift_by), normal(rng, 400, repeats, 0.0)
            found = decisions(p, q, epsilon, tolerance, ALPHA / 2)
            shares = (f"{found.count(of) / repeats:.3f}" for of in ("match", "differ", "open"))
            rows.append([f"{epsilon:g}", f"{tolerance:g}", name, *shares])
    print(f"Decides: 400 models a side, {OBSERVABLES} observables, each reference at 97.5 %")
    print(
        "(target: a true match is called in at least 0.9, one at the tolerance in at most 0.05)\n"
    )
    table(["epsilon", "tolerance", "distance", "match", "differ", "open"], rows)


def tight(quick: bool, seed: int) -> None:
    """Median bound over the truth, ours and theirs on the same draws."""
    theirs = jax_privacy_bounds()
    repeats = {100: 100, 1000: 60, 10_000: 10} if quick else {100: 500, 1000: 300, 10_000: 60}
    cells: list[tuple[Pair, float, Method, dict[int, float]]] = [
        (shift(1.0), 0.01, estimators.RankGrid(), {100: 0.23, 1000: 0.57, 10_000: 0.82}),
        (shift(0.5), 0.01, estimators.RankGrid(), {1000: 0.54, 10_000: 0.81}),
        (laplace(), 0.01, estimators.RankGrid(), {100: 0.56, 1000: 0.76, 10_000: 0.95}),
        (randomised_response(), 0.01, estimators.RankGrid(), {100: 0.72, 1000: 0.91, 10_000: 0.97}),
        (scale(2.0), 0.1, estimators.Witness(), {1000: 0.5, 10_000: 0.8}),
    ]
    print("Tight: median 95 % bound on epsilon over the truth; scale 2 is N(0, 4), variance 4.")
    print("ratio: ours over the best of theirs; * marks a target missed.\n")
    rows: list[list[str]] = []
    for pair, delta, method, targets in cells:
        truth = pair.epsilon(delta)
        for n, target in targets.items():
            rng = np.random.default_rng([seed, n])
            p, q = pair.p(rng, (n, repeats[n])), pair.q(rng, (n, repeats[n]))
            each = [slice(r, r + 1) for r in range(repeats[n])] if method.pools else [slice(None)]
            pick = [(p[:, columns], q[:, columns]) for columns in each]
            found = np.concatenate(
                [
                    np.atleast_1d(
                        estimators.epsilon_lower_bound(a, b, delta=delta, method=method).bound
                    )
                    for a, b in pick
                ]
            )
            ours = float(np.median(found)) / truth
            other = {
                name: float(np.median([f(p[:, r], q[:, r], delta, r) for r in range(repeats[n])]))
                / truth
                for name, f in theirs.items()
            }
            best = max(other.values(), default=float("nan"))
            cell = "" if not theirs else "inf" if best <= 0 else f"{ours / best:.2f}"
            rows.append(
                [
                    pair.name,
                    f"{delta:g}",
                    str(n),
                    f"{ours:.3f}{'*' if ours < target else ''}",
                    f"{target:.2f}",
                    f"{float((found > truth).mean()):.3f}",
                    *(f"{value:.3f}" for value in other.values()),
                    cell,
                ]
            )
    head = ["pair", "delta", "n", "ours", "target", "violated"]
    table([*head, *(f"theirs, {name}" for name in theirs), "ratio"], rows)

    method, target = estimators.RankGrid(), estimators.DeltaAt(0.0)
    found = simulated_bounds(method, shift(1.0), (1000, 1000), repeats[1000], seed, target)
    share = float(np.median(found)) / shift(1.0).delta(0.0)
    print(f"delta at epsilon 0, n = 1000, normal shift 1: {share:.3f} of the truth (target 0.86)\n")


def fast(quick: bool, seed: int) -> None:
    """Wall time for many observables at once, beside a loop over them and jax-privacy."""
    rng = np.random.default_rng(seed)
    observables = 200 if quick else 1000
    p = rng.normal(rng.uniform(0.0, 1.0, observables), 1.0, (1000, observables))
    q = rng.normal(0.0, 1.0, (1000, observables))
    theirs = jax_privacy_bounds()
    few = range(10 if quick else 40)

    def seconds(work: Callable[[], object]) -> float:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    rows: list[list[str]] = []
    for name, bound in (
        ("epsilon at delta 0.01", lambda a, b: estimators.epsilon_lower_bound(a, b, delta=0.01)),
        ("delta at epsilon 0", lambda a, b: estimators.delta_lower_bound(a, b, epsilon=0.0)),
        ("delta at epsilon 1", lambda a, b: estimators.delta_lower_bound(a, b, epsilon=1.0)),
    ):
        cold = seconds(lambda bound=bound: bound(p, q))
        warm = seconds(lambda bound=bound: bound(p, q))
        loop = seconds(lambda bound=bound: [bound(p[:, j], q[:, j]) for j in few]) / len(few)
        row = [name, f"{cold:.2f}", f"{warm:.2f}", f"{loop * observables / warm:.1f}"]
        if theirs and name.startswith("epsilon"):
            their = theirs["Bonferroni"]
            each = seconds(lambda f=their: [f(p[:, j], q[:, j], 0.01, j) for j in few]) / len(few)
            row.append(f"{each * observables / warm:.1f}")
        else:
            row.append("")
        rows.append(row)
    print(f"Fast: both directions for {observables} observables, 1000 models a side\n")
    table(["bound", "first, s", "again, s", "loop / again", "jax-privacy / again"], rows)
    both_bounds(observables, seed)
    default_audit(seed)


def both_bounds(observables: int, seed: int) -> None:
    """Processor time of both bounds of an audit on many observables at once, over 1 second."""
    rng = np.random.default_rng(seed)
    q = rng.normal(size=(1000, observables))
    rows: list[list[str]] = []
    for name, most in (("alike", 0.0), ("shifted by 0 to 3", 3.0)):
        p = rng.normal(np.linspace(0.0, most, observables), 1.0, (1000, observables))
        upper = partial(
            estimators.pooled_delta_upper_bound, p, q, epsilon=1.0, confidence=0.975, at=(0.2,)
        )
        lower = partial(
            estimators.delta_lower_bound,
            *(p, q),
            epsilon=1.0,
            confidence=1.0 - 0.025 / observables,
            method=estimators.RankGrid(seed=0),
        )
        first = processor_seconds(upper), processor_seconds(lower)
        again = processor_seconds(upper), processor_seconds(lower)
        rows.append([name, *(f"{t:.2f}" for t in (*first, *again, sum(again)))])
    print(f"Both bounds of {observables} observables, 1000 models a side, processor seconds")
    print("(target: at most 1.00 again, both together)\n")
    table(["samples", "upper, first", "lower, first", "upper", "lower", "both"], rows)


def default_audit(seed: int) -> None:
    """Processor time of an audit of 60 examples and 6 medians over one of the medians alone."""

    def seen(own: int, raised: float) -> Observations:
        groups = np.repeat(PROBE_GROUPS, [30 if g in HELD else 8 for g in PROBE_GROUPS])
        margins = np.random.default_rng([seed, own]).normal(size=(256, groups.size))
        margins[:, groups == "forget"] += raised
        logits = np.stack([margins, np.zeros_like(margins)], axis=2).astype(np.float32)
        ids = np.array([f"{group}_{k}" for k, group in enumerate(groups)])
        return Observations(logits, np.zeros(groups.size, np.int32), groups, ids)

    references = audits.ObservedReferences(seen(0, -1.0), seen(1, 5.0))
    submissions = [seen(own, -1.0) for own in (2, 3)]
    rows: list[list[str]] = []
    medians = np.array(
        [
            processor_seconds(lambda s=s: audits.audit(s, references, observables=None))
            for s in submissions
        ]
    )
    default = np.array(
        [processor_seconds(lambda s=s: audits.audit(s, references)) for s in submissions]
    )
    for name, one, all_of_them in zip(("first", "again"), medians, default, strict=True):
        cells = (one, all_of_them, all_of_them / one)
        rows.append([name, *(f"{value:.2f}" for value in cells)])
    print("Default audit of 256 models a side, 60 examples and 6 medians, processor seconds")
    print("(target: at most 3 times the time of the medians alone)\n")
    table(["submission", "medians alone", "default", "ratio"], rows)


def processor_seconds(work: Callable[[], object]) -> float:
    """Processor time of one call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    """Print the tables asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer repeats and sizes")
    parser.add_argument("--seed", type=int, default=0)
    shows = {show.__name__: show for show in (valid, assuming, tight, decides, fast)}
    parser.add_argument("--tables", nargs="+", choices=list(shows), default=list(shows))
    asked = parser.parse_args()
    for name, show in shows.items():
        if name in asked.tables:
            show(asked.quick, asked.seed)


if __name__ == "__main__":
    main()
