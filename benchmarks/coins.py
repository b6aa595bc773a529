"""How often a bound by coins is wrong, and how near the truth it comes.

    python benchmarks/coins.py valid     # laws that no coin enters: how often an ε above 0 is found
    python benchmarks/coins.py truth     # mechanisms of known (ε, δ): bound above truth, tightness
    python benchmarks/coins.py refused   # weights that may not be used, and what they would do
    python benchmarks/coins.py sharp     # median bounds, beside what could have been shown
    python benchmarks/coins.py digits    # digits with wrong labels: single models of unlearners

All seeds are literal; ``--repeats`` is of each cell (10,000; of ``digits`` models a row, at most
20). Limits are the level and three standard errors: a false alarm in .00135 of cells.
"""

import argparse
import math
import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.optimize import brentq
from scipy.special import ndtr
from scipy.stats import binom

from indist import audits, estimators, oracles

BETA = 0.05
DELTAS = (0.0, 1e-5, 0.01)
Draw = Callable[[np.random.Generator, np.ndarray], np.ndarray]


def _dependent(rng: np.random.Generator, other: np.ndarray) -> np.ndarray:
    """Examples that move together: one factor of all, and one of each block of five."""
    m = other.size
    blocks = np.repeat(rng.normal(size=-(-m // 5)), 5)[:m]
    return rng.normal() + 2.0 * blocks + 0.1 * rng.normal(size=m)


def _adversarial(rng: np.random.Generator, other: np.ndarray) -> np.ndarray:
    """Scores that follow coins which are not tested, and the places of examples."""
    return np.where(np.roll(other, 1), 5.0, -5.0) * rng.random() + np.arange(other.size)


LAWS: dict[str, Draw] = {
    "normal": lambda rng, other: rng.normal(size=other.size),
    "constant": lambda rng, other: np.full(other.size, 7.0),
    "binary": lambda rng, other: (rng.random(other.size) < 0.1).astype(float),
    "ties of three": lambda rng, other: np.round(rng.normal(size=other.size)),
    "Cauchy": lambda rng, other: rng.standard_cauchy(other.size),
    "one far value": lambda rng, other: rng.normal(size=other.size) + 1e9 * (other.cumsum() == 1),
    "dependent": _dependent,
    "adversarial": _adversarial,
}
"""Scores that may depend on everything but the tested coins; ``other`` are coins untested."""


def _found(
    rng: np.random.Generator, law: Draw, m: int, models: int, shared: bool, kind: str, columns: int
) -> list[float]:
    """The bounds at `DELTAS` of one design that exact retraining, or any such law, was run on."""
    designs = 1 if shared else models
    if kind == "fixed size":
        coins = np.stack([rng.permutation(m) < m // 3 for _ in range(designs)])
    else:
        coins = rng.random((designs, m)) < 0.5
    scores = np.stack(
        [
            np.stack([law(rng, rng.random(m) < 0.5) for _ in range(columns)], axis=1)
            for _ in range(models)
        ]
    )
    result = estimators.coin_epsilon(
        scores, coins[0] if shared else coins, confidence=1.0 - BETA, law=kind
    )
    return [result.at(delta) for delta in DELTAS]


def valid(repeats: int) -> Table:
    """Laws that no tested coin enters."""
    table = Table("scores", "coins", "models", "law", *(f"δ = {delta:g}" for delta in DELTAS))
    cells = [(name, m, 1, True, "fair coins", 1) for name in LAWS for m in (12, 40)]
    cells += [
        ("normal", 40, 5, False, "fair coins", 1),
        ("normal", 40, 5, True, "fair coins", 1),
        ("binary", 40, 5, True, "fair coins", 1),
        ("dependent", 40, 3, False, "fair coins", 1),
        ("normal", 24, 1, True, "fair coins", 4),
        ("normal", 24, 1, True, "fixed size", 1),
        ("binary", 24, 1, True, "fixed size", 1),
        ("dependent", 24, 1, True, "fixed size", 1),
    ]
    for seed, (name, m, models, shared, kind, columns) in enumerate(cells):
        rng = np.random.default_rng([18, seed])
        errors = np.zeros(len(DELTAS))
        for _ in range(repeats):
            bounds = _found(rng, LAWS[name], m, models, shared, kind, columns)
            errors += np.array(bounds) > 0.0
        said = f"{models}{' alike' if shared and models > 1 else ''}"
        looked = f"{name}, {columns} observables" if columns > 1 else name
        shares = [_shown(*pair, repeats) for pair in _pairs(errors)]
        table.add_row(looked, str(m), said, kind, *shares)
        # An hour for all of them: what is done is told at once.
        print(looked, m, said, kind, *shares, file=sys.stderr, flush=True)
    return table


def _pairs(errors: np.ndarray) -> list[tuple[int, float]]:
    return [(int(count), BETA - delta) for count, delta in zip(errors, DELTAS, strict=True)]


def _shown(errors: int, level: float, repeats: int) -> str:
    limit = level + 3.0 * math.sqrt(level * (1.0 - level) / repeats)
    share = errors / repeats
    return f"{share:.4f}{' EXCEEDED' if share > limit else ''}"


def response_epsilon(m: int, chance: float, delta: float) -> float:
    """One-sided ε at δ of saying each of m coins rightly by ``chance``, against saying any."""
    count = np.arange(m + 1)
    ours, theirs = binom.logpmf(count, m, chance), binom.logpmf(count, m, 0.5)

    def gap(epsilon: float) -> float:
        return float(np.maximum(np.exp(ours) - np.exp(epsilon + theirs), 0.0).sum()) - delta

    return float(brentq(gap, 0.0, m * math.log(2.0) + 1e-9))


def gaussian_epsilon(mu: float, delta: float) -> float:
    """ε at δ of a shift of so many standard deviations."""

    def gap(epsilon: float) -> float:
        return float(ndtr(mu / 2 - epsilon / mu) - math.exp(epsilon) * ndtr(-mu / 2 - epsilon / mu))

    return float(brentq(lambda epsilon: gap(epsilon) - delta, 0.0, mu**2 / 2 + 12.0 * mu))


def truth(repeats: int) -> Table:
    """Randomised response of every coin, and Gaussian noise on a sum of orthogonal examples."""
    table = Table("mechanism", "coins", "true ε", "above the truth", "median bound of the truth")
    delta = 0.01
    cells: list[tuple[str, int, float]] = [
        (kind, m, strength)
        for kind in ("randomised response", "Gaussian sum")
        for m in (30, 100)
        for strength in (0.6, 0.75, 0.9)
    ]
    for seed, (kind, m, strength) in enumerate(cells):
        rng = np.random.default_rng([19, seed])
        # Of the Gaussian: c_i + noise, against the law at coins of one half, a shift of √m / 2σ.
        sigma = 0.5 / (2.0 * strength - 1.0)
        known = (
            response_epsilon(m, strength, delta)
            if kind == "randomised response"
            else gaussian_epsilon(math.sqrt(m) / 2.0 / sigma, delta)
        )
        bounds: list[float] = []
        for _ in range(repeats):
            coins = rng.random(m) < 0.5
            if kind == "randomised response":
                scores = np.where(rng.random(m) < strength, coins, ~coins).astype(float)
            else:
                scores = coins + sigma * rng.normal(size=m)
            bounds.append(float(estimators.coin_epsilon(scores, coins, delta=delta).bound))
        above = int((np.array(bounds) > known).sum())
        table.add_row(
            f"{kind}, {strength}",
            str(m),
            f"{known:.2f}",
            _shown(above, BETA - delta, repeats),
            f"{np.median(bounds) / known:.2f}",
        )
    return table


def refused(repeats: int) -> Table:
    """Exact retraining, with weights that follow the coins in other ways than through the model."""
    table = Table("weights", "coins", "an ε above 0 of exact retraining")
    m = 40
    for seed, name in enumerate(
        ("the original's margins", "cross-fitted on the coins", "declared")
    ):
        rng = np.random.default_rng([20, seed])
        errors = 0
        for _ in range(repeats):
            coins = rng.random(m) < 0.5
            retrained = rng.normal(size=m)
            if name == "the original's margins":
                scores = retrained * 0.0 + 3.0 * coins + rng.normal(size=m)
            elif name == "cross-fitted on the coins":
                scores = _cross_fitted(retrained, coins)
            else:
                scores = retrained
            errors += float(estimators.coin_epsilon(scores, coins).bound) > 0.0
        table.add_row(name, str(m), _shown(errors, BETA - 0.01, repeats))
    return table


def _cross_fitted(scores: np.ndarray, coins: np.ndarray) -> np.ndarray:
    """Each half weighed by the direction that the coins of the other half suggest."""
    half = np.arange(scores.size) % 2 == 0
    weighed = np.empty(scores.size)
    for mask in (half, ~half):
        gap = scores[~mask][coins[~mask]].mean() - scores[~mask][~coins[~mask]].mean()
        weighed[mask] = np.sign(gap) * scores[mask]
    return weighed


def sharp(repeats: int) -> Table:
    """Scores shifted where the coin is up, one model, δ = .01."""
    table = Table("shift", "coins", "median ε", "10 % to 90 %", "at most", "one_run_epsilon")
    for seed, (shift, m) in enumerate(
        (shift, m) for m in (50, 100, 195) for shift in (1.0, 2.0, 3.0, 5.0)
    ):
        rng = np.random.default_rng([21, seed])
        found: list[float] = []
        each: list[float] = []
        for k in range(repeats):
            coins = rng.random(m) < 0.5
            scores = shift * coins + rng.normal(size=m)
            found.append(float(estimators.coin_epsilon(scores, coins).bound))
            if k < 200:
                one = estimators.one_run_epsilon(scores, coins, delta=0.01)
                each.append(float(one.bound))
        low, middle, high = np.quantile(found, [0.1, 0.5, 0.9])
        most = estimators.coin_ceiling(m)
        table.add_row(
            f"{shift:g}", str(m), f"{middle:.1f}", f"{low:.1f} to {high:.1f}", f"{most:.1f}",
            f"{np.median(each):.2f}",
        )  # fmt: skip
    return table


UNLEARNERS = (
    "identity", "retrain", "retrain-behaviour", "finetune", "npo", "scrub", "ssd", "salun",
)  # fmt: skip
"""Of the table ``digits``: doing nothing, exact retraining on D∖S and on D∖B, and unlearners."""


def digits(repeats: int) -> Table:
    """195 digits with wrong labels, half of them found: each model with coins of its own, alone."""
    models = min(repeats, 20)
    scenario = oracles.scenarios.load("digits-random-labels", seed=0, wrong=0.15)
    worlds = oracles.coins(scenario, seed=22, models=models)
    originals = worlds.train(seed=23)
    questions = ("untraining", "unlearning")
    table = Table(
        f"{models} models of", *(f"{word}: median ε (range), convicted" for word in questions),
        "retain, %", "test, %",
    )  # fmt: skip
    for method in UNLEARNERS:
        seen = worlds.unlearn(originals, method=method, seed=24).observe(worlds.probes)
        margins = seen.margins[:, : len(worlds.design.candidates)]
        bounds: dict[str, list[float]] = {word: [] for word in questions}
        for scores, coins in zip(margins, worlds.design.coins, strict=True):
            own = replace(worlds.design, coins=coins[None], models=1)
            for question in audits.audit_coins(scores, own).questions:
                bounds[question.question].append(question.bound)
        shares = (100.0 * seen.correct[:, seen.groups == group].mean() for group in GROUPS)
        table.add_row(
            method, *(_spread(bounds[word]) for word in questions),
            *(f"{share:.1f}" for share in shares),
        )  # fmt: skip
    return table


GROUPS = ("retain", "test")


def _spread(bounds: list[float]) -> str:
    convicted = sum(bound > 0.0 for bound in bounds)
    low, middle, high = min(bounds), np.median(bounds), max(bounds)
    return f"{middle:.1f} ({low:.1f} to {high:.1f}), {convicted} of {len(bounds)}"


def main() -> None:
    """Reads the command line and prints one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    tables = {"valid": valid, "truth": truth, "refused": refused, "sharp": sharp, "digits": digits}
    parser.add_argument("table", choices=tables)
    parser.add_argument("--repeats", type=int, default=10_000)
    asked = parser.parse_args()
    Console(width=140).print(tables[asked.table](asked.repeats))


if __name__ == "__main__":
    main()
