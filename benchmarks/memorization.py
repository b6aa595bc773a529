"""Memorization on digits with 5 % wrong labels: coverage, width, detection, speed, claims.

    python benchmarks/memorization.py [--quick] [--runs DIR] [--tables coverage detection twins ...]

All 1,797 digits, 90 labels wrong, MLP 64-64-10, 1,000 steps of 128, inclusion 0.7. ``--runs`` keeps
the trained models, so that a second run only adds what is missing. Baselines by other libraries
come with the dependency group ``benchmarks``.
"""

import argparse
import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

# Before JAX starts: one single-threaded device a core.
os.environ.setdefault(
    "XLA_FLAGS",
    f"--xla_force_host_platform_device_count={os.cpu_count() or 1} "
    "--xla_cpu_multi_thread_eigen=false",
)
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import optax
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score

from benchmarks.bounds import table
from indist import audits, estimators, oracles

WRONG = 90
HALF_WIDTHS = {
    ("0/1", 200): 0.050,
    ("0/1", 1000): 0.017,
    ("0/1", 4000): 0.0072,
    ("soft", 200): 0.034,
    ("soft", 1000): 0.0125,
}


def world(seed: int) -> oracles.Scenario:
    """Every digit in the training set, some with wrong labels; probes are training examples."""
    pixels, labels = load_digits(return_X_y=True)
    rng = np.random.default_rng(seed)
    behaviour = np.sort(rng.choice(len(labels), WRONG, replace=False))
    labels = np.asarray(labels, dtype=np.int32)
    labels[behaviour] = (labels[behaviour] + rng.integers(1, 10, WRONG)) % 10
    train = oracles.Examples(np.asarray(pixels, dtype=np.float32) / 16, labels)
    forget = behaviour[: WRONG // 2]
    retain = np.setdiff1d(np.arange(len(labels)), behaviour)[:100]
    probes = oracles.Probes.join(
        [
            ("forget", train.take(forget)),
            ("behaviour", train.take(behaviour[WRONG // 2 :])),
            ("retain", train.take(retain)),
        ]
    )
    return oracles.Scenario(
        name="digits-wrong-labels",
        title=f"{WRONG} of {len(labels)} digits with wrong labels",
        settings={"seed": seed},
        train=train,
        forget=forget,
        behaviour=behaviour,
        probes=probes,
        classes=10,
        learner=oracles.Learner(
            oracles.MLP((64, 10)), partial(optax.sgd, 0.2, momentum=0.9), steps=1000, batch=128
        ),
    )


class Runs:
    """The models of a benchmark, trained as far as they are asked for."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.scenario = world(seed)
        self.wrong = np.isin(np.arange(len(self.scenario.train)), self.scenario.behaviour)
        self.folder, self.held = folder, 0

    def first(self, models: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Inclusion and outcomes of models 0 to ``models - 1``."""
        if (self.folder / "manifest.json").exists():
            self.held = max(self.held, oracles.load_runs(self.folder, self.scenario).models)
        self.held = max(self.held, models)
        runs = oracles.subset_runs(
            self.scenario, models=self.held, seed=0, directory=self.folder, resume=True
        )
        n = runs.examples
        outcomes = {"0/1": runs.correct[:, :n], "soft": runs.probability[:, :n]}
        return runs.included[:models], {name: v[:models] for name, v in outcomes.items()}


def coverage(runs: Runs, quick: bool) -> None:
    """Coverage of 95 % intervals against an estimate from other models, and their half-widths."""
    reference, fresh = (1000, 400) if quick else (4000, 1000)
    included, outcomes = runs.first(reference + fresh)
    print(f"Coverage of 95 % intervals against the estimate of {reference} other models (which has")
    print(
        "an error of its own), at least 0.93, and their mean half-width; * marks a target missed.\n"
    )
    rows: list[list[str]] = []
    for name, outcome in outcomes.items():
        truth = estimators.memorization(included[:reference], outcome[:reference])
        for models in (200, fresh):
            shares: list[float] = []
            widths: list[float] = []
            for start in range(reference, reference + fresh, models):
                part = slice(start, start + models)
                found = estimators.memorization(included[part], outcome[part])
                ends = found.confidence_interval
                known = ~found.undetermined
                inside = (ends.low <= truth.estimate) & (truth.estimate <= ends.high)
                shares.append(float(inside[known].mean()))
                widths.append(float((ends.high - ends.low)[known].mean() / 2))
            rows.append(_row(name, models, float(np.mean(widths)), float(np.mean(shares))))
        ends = truth.confidence_interval
        rows.append(_row(name, reference, float((ends.high - ends.low).mean() / 2), None))
    table(["outcome", "models", "covered", "half-width", "target"], rows)


def _row(name: str, models: int, width: float, share: float | None) -> list[str]:
    target = HALF_WIDTHS.get((name, models))
    covered = "" if share is None else f"{share:.3f}{'*' if share < 0.93 else ''}"
    missed = "*" if target is not None and width > target else ""
    return [name, str(models), covered, f"{width:.4f}{missed}", f"{target or ''}"]


def detection(runs: Runs, quick: bool) -> None:
    """AUROC for the wrong labels, beside scores that need no memorization."""
    from benchmarks.attribution import baselines

    rows: list[list[str]] = []

    def add(name: str, scores: np.ndarray, seconds: float) -> None:
        rows.append([name, f"{roc_auc_score(runs.wrong, scores):.4f}", f"{seconds:.1f}"])

    models = 100 if quick else 200
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        included, outcomes = Runs(0, Path(folder) / "runs").first(models)
    trained = time.perf_counter() - start
    for name, outcome in outcomes.items():
        start = time.perf_counter()
        found = estimators.memorization(included, outcome)
        seconds = trained + time.perf_counter() - start
        add(f"memorization, {name}, {models} models", found.estimate, seconds)
        add(f"1 - mean outcome out of sample, {name}", 1.0 - found.arms.mean_out, seconds)
    data = runs.scenario.train
    for name, score in baselines().items():
        start = time.perf_counter()
        found = score(data.inputs, data.labels, 0)
        add(name, found, time.perf_counter() - start)
    print("Detection of the 90 wrong labels: AUROC (memorization at 200 models: at least 0.99) and")
    print(
        "seconds, all training included. To find wrong labels one need not measure memorization.\n"
    )
    table(["score", "AUROC", "seconds"], rows)


def twins(runs: Runs, quick: bool) -> None:
    """The same examples by the exact twin: populations that lack just one example."""
    models, count = (60, 3) if quick else (200, 5)
    included, outcomes = runs.first(400 if quick else 2000)
    subset = estimators.memorization(included, outcomes["0/1"])
    scenario = runs.scenario
    order = np.argsort(-subset.estimate[~runs.wrong])
    clean = np.flatnonzero(~runs.wrong)
    chosen = [*scenario.behaviour[:count], *clean[order[:count]], *clean[order[-count:]]]
    seen = oracles.Probes.join([("test", scenario.train.take(np.array(chosen)))])

    def right(excluded: list[int] | str, stream: str) -> np.ndarray:
        made = oracles.train(scenario, excluded, stream=stream, models=models, seed=0).observe(seen)
        return made.logits.argmax(axis=2) == made.labels

    whole = right("nothing", "whole")
    rows: list[list[str]] = []
    for place, example in enumerate(chosen):
        without = right([int(example)], f"without/{example}")
        arm = np.arange(2 * models) < models
        outcome = np.concatenate([whole[:, place], without[:, place]])
        loo = estimators.memorization(arm[:, None], outcome[:, None], estimand="loo")
        kind = "wrong label" if runs.wrong[example] else "clean"
        rows.append([str(example), kind, _interval(subset, example), _interval(loo, 0)])
    print(
        f"Twins: subset(0.7) from {len(included)} models beside leave-one-out from {models} models"
    )
    print("with all examples and as many without; the two are different estimands.\n")
    table(["example", "", "subset(0.7)", "loo"], rows)


def _interval(found: estimators.Memorization, place: int) -> str:
    ends = found.confidence_interval
    return f"{found.estimate[place]:.3f} [{ends.low[place]:.3f}, {ends.high[place]:.3f}]"


def speed(runs: Runs, quick: bool) -> None:
    """All pairs with intervals, beside the bare float32 products that they need."""
    models = 1000 if quick else 4000
    rng = np.random.default_rng(0)
    n = len(runs.scenario.train)
    included = rng.random((models, n)) < 0.7
    outcomes = {
        "0/1": rng.random((models, n)) < 0.9,
        "soft": rng.random((models, n), dtype=np.float32),
    }
    rows: list[list[str]] = []
    for name, outcome in outcomes.items():
        mask, values = included.astype(np.float32), outcome.astype(np.float32)
        ratios: list[float] = []
        for _ in range(5):
            start = time.perf_counter()
            _ = mask.T @ values
            if name == "soft":
                _ = mask.T @ values
            middle = time.perf_counter()
            estimators.cross_influence(included, outcome)
            ratios.append((time.perf_counter() - middle) / (middle - start))
        rows.append([name, f"{middle - start:.2f}", f"{float(np.median(ratios)):.2f}"])
    print(f"Speed: all pairs, {models} models x {n} x {n}, seconds of the bare float32 products")
    print("and the ratio of cross_influence with intervals to them (target 1.3), median of 5\n")
    table(["outcome", "products, s", "ratio"], rows)


def claims(runs: Runs, quick: bool) -> None:
    """The note's claims 1 to 4 on digits, with intervals."""
    models = 60 if quick else 256
    included, outcomes = runs.first(200 if quick else 1000)
    rows: list[list[str]] = []
    for name, members in (("wrong labels", runs.wrong), ("right labels", ~runs.wrong)):
        found = estimators.set_memorization(included, outcomes["0/1"], members)
        ends = found.confidence_interval
        rows.append(
            [
                "1 mislabelled are memorized",
                name,
                f"{float(found.estimate):.3f} [{float(ends.low):.3f}, {float(ends.high):.3f}]",
                "",
            ]
        )
    for claim, name, settings in (
        ("2 low self, low cross", "digits-class", {"discovery": 0.1}),
        ("3 high self, low cross", "digits-random-labels", {}),
        ("4 high self, high cross", "digits-trigger", {"discovery": 0.9}),
    ):
        scenario = oracles.scenarios.load(name, seed=0, **settings)
        refs = oracles.references(scenario, models=models, seed=0)
        case = audits.influence_case(refs)
        cells: list[str] = []
        for group in ("forget", "behaviour_test"):
            at = case.groups.index(group)
            ends = case.confidence_interval
            cells.append(f"{case.estimate[at]:.2f} [{ends.low[at]:.2f}, {ends.high[at]:.2f}]")
        rows.append([claim, name, f"S {cells[0]}, fresh B {cells[1]}", case.case])
        if name == "digits-class":
            same = audits.audit(refs.original, refs, epsilon=1.0, tolerance=0.2)
            rows.append(["", "O against T", f"distance at most {same.untraining.upper:.2f}", ""])
    print(f"Claims 1 to 4 of the note; populations of {models} models\n")
    table(["claim", "on", "estimate", "case found"], rows)


def main() -> None:
    """Print the tables asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer models")
    parser.add_argument("--runs", type=Path, help="folder that keeps the trained models")
    shows = {show.__name__: show for show in (coverage, detection, twins, speed, claims)}
    parser.add_argument("--tables", nargs="+", choices=list(shows), default=list(shows))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        runs = Runs(0, asked.runs or Path(folder) / "runs")
        for name, show in shows.items():
            if name in asked.tables:
                show(runs, asked.quick)


if __name__ == "__main__":
    main()
