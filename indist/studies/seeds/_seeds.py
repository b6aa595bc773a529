"""How many training seeds an audit takes, and what is wrong with one."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import ClassVar

import jax
import numpy as np
from scipy.stats import binomtest

import oracles
from audits.verdict import Decision, VerdictName, decide, separate, verdict_of
from estimators.checks import check_counts
from indist.studies._cells import Row, finished_cell
from indist.studies._shown import shown_interval
from indist.studies._study import Study, check_names
from indist.studies.algorithms._algorithms import method_settings
from indist.studies.claims._evidence import level
from indist.studies.discovery._discovery import methods_for_any_learner
from indist.studies.seeds._audits import (
    Bounds,
    Pool,
    blocks,
    bounds,
    determined,
    gaps,
    pool_of,
    verdicts,
)
from indist.studies.seeds._components import variance_components
from indist.studies.seeds._shown import (
    PARTS,
    audits_sentences,
    components_sentences,
    nearest_sentences,
    ranking_sentences,
)
from oracles.populations import Excluded

GOAL = 0.95
"""Share of audits that are to decide rightly."""
_CHEAPER = {"logistic-3v8": 8, "circles": 4}
_MOST = 128
_LEAST_BLOCKS = 8
_DRAWS = 400
_STREAMS: Mapping[str, tuple[str, Excluded]] = {
    "original": ("original", "nothing"),
    "untraining": ("untraining", "forget"),
    "unlearning": ("unlearning", "behaviour"),
    "retrain": ("unlearn/retrain", "forget"),
    "retrain-behaviour": ("unlearn/retrain-behaviour", "behaviour"),
}
_SUBMITTED = {
    "retrain": "retrain",
    "retrain-behaviour": "retrain-behaviour",
    "identity": "original",
}


@dataclass(frozen=True)
class Seeds(Study):
    """Question (viii), after https://arxiv.org/abs/2510.26714: four parts, a row each.

    ``verdict``: audits of N models a side, on disjoint blocks of large pools, for submissions whose
    verdict is known: retraining on D∖S and on D∖B match a reference by construction, doing nothing
    matches none. Where a verdict also rests on a difference (of the references, of O from both),
    that is taken from the lower bound of the whole pools; open there, the rows are left out.
    A number of models is enough when the lower limit of the share of right audits is at least
    `GOAL`: with no wrong one, 59 audits show it.

    ``nearest``: the same submissions judged by accuracies on S, ``retain`` and ``test`` probes, as
    papers do: the reference at the smaller mean absolute difference is the nearer.

    ``ranking``: which of two heuristics has the smaller such gap to A(D∖S), on blocks of N models.
    The right order is that of all ``compared`` models; pairs that they leave open (bootstrap over
    models) are left out, and so are N with fewer than eight blocks.

    ``components``: variance of the median margin between original models, and between unlearning
    seeds of one original: one-way random effects.

    Every limit holds at ``confidence`` alone, not over rows: limits of ``verdict`` and ``nearest``
    are Clopper and Pearson's, each one-sided; intervals of ``ranking`` are about blocks and valid
    for every law; those of ``components`` rest on normal effects.

    Attributes:
        models: models in each pool, at least 2; the cheapest scenarios have 4 and 8 times as many.
        sizes: numbers of models N, increasing, each at least 1; ``verdict`` starts at 2.
        compared: models of each heuristic, at least 2.
        originals: original models of the components, 2 to ``compared``.
        unlearning_seeds: of each of them, at least 2.
        epsilon: of the divergence, at least 0.
        tolerance: up to which two populations match, in (0, 1): that of the study of algorithms.
        confidence: of verdicts and limits, in (0, 1).
        seed: of data and populations; unlearners take the next ones.
        scenarios: names.
        methods: names of heuristics; the default six are among the most cited.
    """

    question: ClassVar = "How many training seeds does an audit take?"
    quick: ClassVar = {
        "models": 256,
        "compared": 128,
        "scenarios": ("logistic-3v8", "circles"),
        "methods": ("finetune", "npo", "ssd"),
    }
    names: ClassVar = ("part", "scenario", "method", "models")

    models: int = 1024
    sizes: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64, 128, 256)
    compared: int = 256
    originals: int = 32
    unlearning_seeds: int = 4
    epsilon: float = 1.0
    tolerance: float = 0.25
    confidence: float = 0.95
    seed: int = 0
    scenarios: tuple[str, ...] = ("logistic-3v8", "circles", "digits-trigger")
    methods: tuple[str, ...] = ("finetune", "scrub", "neggrad", "npo", "ssd", "potion")

    def __post_init__(self) -> None:
        check_counts(models=self.models, compared=self.compared)
        if not self.sizes or self.sizes[0] < 1 or list(self.sizes) != sorted(set(self.sizes)):
            raise ValueError(f"sizes: expected to increase from at least 1, found {self.sizes}")
        if not 2 <= self.originals <= self.compared:
            raise ValueError(f"originals: expected 2 to {self.compared}, found {self.originals}")
        if self.unlearning_seeds < 2:
            raise ValueError(
                f"unlearning_seeds: expected at least 2, found {self.unlearning_seeds}"
            )
        check_names("scenario", self.scenarios, oracles.scenarios.SCENARIOS)
        check_names("method", self.methods, methods_for_any_learner())

    def run(self, folder: Path) -> Iterator[Row]:
        """Rows of all parts, scenario by scenario; see `Study.run`."""
        for name in self.scenarios:
            # Compiled programs are kept in memory maps, of which a process may have only so many.
            jax.clear_caches()
            scenario = oracles.scenarios.load(name, seed=self.seed)
            own = {k: v for k, v in asdict(self).items() if k not in ("scenarios", "methods")}
            own["scenario"] = scenario.digest
            audited = finished_cell(
                folder / "cells" / name / "audits.json",
                own,
                lambda scenario=scenario: {"rows": self._audited(scenario)},
            )
            yield from audited["rows"]
            settings = {method: method_settings(method) for method in self.methods}
            unlearned = finished_cell(
                folder / "cells" / name / "heuristics.json",
                own | {"methods": settings},
                lambda scenario=scenario: {"rows": self._unlearned(scenario)},
            )
            yield from unlearned["rows"]

    def _audited(self, scenario: oracles.Scenario) -> list[Row]:
        models = self.models * _CHEAPER.get(scenario.name, 1)
        pools = {
            name: pool_of(
                oracles.train(scenario, excluded, stream=stream, models=models, seed=self.seed)
            )
            for name, (stream, excluded) in _STREAMS.items()
        }
        between = self._bounds(pools["untraining"], pools["unlearning"], models, 1)
        rows: list[Row] = []
        for method, submitted in _SUBMITTED.items():
            about = {"scenario": scenario.name, "method": method}
            truth = self._truth(pools, method, between)
            if truth == "inconclusive":
                why = f"what is true is open even with {models:,} models"
                rows.append({"part": "verdict", **about, "models": models, "not_applicable": why})
                continue
            rows += [
                {"part": "verdict", **about, "models": size, "truth": truth}
                | self._verdicts(pools, submitted, size, truth)
                for size in self.sizes
                if 2 <= size <= models
            ]
        return rows + self._nearest(scenario.name, pools)

    def _nearest(self, scenario: str, pools: Mapping[str, Pool]) -> list[Row]:
        """How often accuracies of N models are nearer to those of the wrong reference."""
        rows: list[Row] = []
        for method, own, other in (
            ("retrain", "untraining", "unlearning"),
            ("retrain-behaviour", "unlearning", "untraining"),
        ):
            whole = [pools[name].accuracies for name in (_SUBMITTED[method], own, other)]
            for size in self.sizes:
                if size <= len(whole[0]):
                    submitted, right, wrong = (blocks(one, size, len(one)) for one in whole)
                    apart = gaps(submitted, right) - gaps(submitted, wrong)
                    about = {"scenario": scenario, "method": method, "truth": own, "models": size}
                    nearer, farther = int((apart < 0).sum()), int((apart > 0).sum())
                    counts = self._counts(nearer, farther, len(apart))
                    rows.append({"part": "nearest", **about, **counts})
        return rows

    def _bounds(self, first: Pool, second: Pool, size: int, share: int) -> Bounds:
        """Bounds of disjoint blocks of N models at a share of the level."""
        return bounds(
            *(blocks(pool.margins, size, _MOST) for pool in (first, second)),
            epsilon=self.epsilon,
            level=(1.0 - self.confidence) / share,
        )

    def _truth(self, pools: Mapping[str, Pool], method: str, between: Bounds) -> VerdictName:
        """The right verdict: matches by construction, differences as the whole pools show them."""

        def of(found: Bounds) -> Decision:
            return decide(float(found.lower[0]), float(found.upper[0]), self.tolerance)

        apart = of(between)
        if method == "retrain":
            return verdict_of("match", apart, separate(apart))
        if method == "retrain-behaviour":
            return verdict_of(apart, "match", separate(apart))
        own = pools[_SUBMITTED[method]]
        untraining, unlearning = (
            self._bounds(own, pools[name], len(own.margins), 1)
            for name in ("untraining", "unlearning")
        )
        return verdict_of(of(untraining), of(unlearning), separate(apart))

    def _verdicts(
        self, pools: Mapping[str, Pool], submitted: str, size: int, truth: VerdictName
    ) -> Row:
        own = pools[submitted]
        untraining, unlearning = (
            self._bounds(own, pools[name], size, 2) for name in ("untraining", "unlearning")
        )
        between = self._bounds(pools["untraining"], pools["unlearning"], size, 1)
        found = verdicts((untraining, unlearning), between, self.tolerance)
        right, opened = found.count(truth), found.count("inconclusive")
        wide = np.maximum(untraining.upper - untraining.lower, unlearning.upper - unlearning.lower)
        counts = self._counts(right, len(found) - right - opened, len(found))
        return counts | {"width": float(np.median(wide))}

    def _counts(self, right: int, wrong: int, audits: int) -> Row:
        """Counts, and one-sided limits: of the share of right ones below, of wrong ones above."""
        below = binomtest(right, audits, alternative="greater").proportion_ci(self.confidence)
        above = binomtest(wrong, audits, alternative="less").proportion_ci(self.confidence)
        return {
            "audits": audits,
            "right": right,
            "wrong": wrong,
            "inconclusive": audits - right - wrong,
            "right_at_least": float(below.low),
            "wrong_at_most": float(above.high),
            "finding": f"{right} right, {wrong} wrong of {audits}",
        }

    def _unlearned(self, scenario: oracles.Scenario) -> list[Row]:
        original, untraining = (
            oracles.train(scenario, excluded, stream=stream, models=self.compared, seed=self.seed)
            for stream, excluded in (_STREAMS["original"], _STREAMS["untraining"])
        )
        reference = pool_of(untraining).accuracies
        accuracies: dict[str, np.ndarray] = {}
        rows: list[Row] = []
        for method in self.methods:
            made = [
                pool_of(
                    oracles.unlearn(
                        scenario, original, method=method, seed=self.seed + 1 + k, models=models
                    )
                )
                for k, models in enumerate(
                    [self.compared, *[self.originals] * (self.unlearning_seeds - 1)]
                )
            ]
            accuracies[method] = made[0].accuracies
            values = np.stack([one.margins[: self.originals] for one in made], axis=1)
            for group in ("forget", "test"):
                found = variance_components(
                    values[:, :, made[0].groups.index(group)], confidence=self.confidence
                )
                rows.append(
                    {
                        "part": "components",
                        "scenario": scenario.name,
                        "method": method,
                        "models": self.originals,
                        "group": group,
                        "share": found.share,
                        "low": found.low,
                        "high": found.high,
                        "finding": "undetermined"
                        if found.share is None
                        else f"{group}: {shown_interval(found.share, found.low, found.high)}",
                    }
                )
        return self._ranked(scenario.name, accuracies, reference) + rows

    def _ranked(
        self, scenario: str, accuracies: Mapping[str, np.ndarray], reference: np.ndarray
    ) -> list[Row]:
        """How often blocks of N models put a pair of heuristics in the wrong order."""
        orders = {
            pair: determined(
                [accuracies[method] for method in pair],
                reference,
                draws=_DRAWS,
                confidence=self.confidence,
                seed=self.seed,
            )
            for pair in combinations(self.methods, 2)
        }
        known = {pair: order for pair, order in orders.items() if order}
        about = {"part": "ranking", "scenario": scenario, "method": "pairs of heuristics"}
        if not known:
            why = f"no pair has a right order that {self.compared} models show"
            return [about | {"models": self.compared, "not_applicable": why}]
        rows: list[Row] = []
        for size in self.sizes:
            if self.compared // size < _LEAST_BLOCKS:
                break
            seen = {
                method: gaps(
                    blocks(accuracies[method], size, self.compared),
                    blocks(reference, size, self.compared),
                )
                for method in self.methods
            }
            # A tie is no order: half of those who break it do so wrongly.
            wrong = [
                (1.0 - order * np.sign(seen[first] - seen[second])) / 2.0
                for (first, second), order in known.items()
            ]
            each = np.mean(wrong, axis=0)
            share = level(each, self.confidence)
            rows.append(
                about
                | {
                    "models": size,
                    "pairs": len(known),
                    "audits": len(each),
                    "share": share.value,
                    "low": share.low,
                    "high": share.high,
                    "finding": f"wrong order: {shown_interval(*share)}",
                }
            )
        return rows

    def shown(self, rows: list[Row]) -> Mapping[str, list[dict[str, str]]]:
        """A table a part, a column a number of models."""
        parts: dict[str, list[dict[str, str]]] = {}
        for part, (title, cell) in PARTS.items():
            lines: dict[tuple[str, str], dict[str, str]] = {}
            for row in rows:
                if row["part"] == part and "not_applicable" not in row:
                    names = {"scenario": row["scenario"], "method": row["method"]}
                    line = lines.setdefault((row["scenario"], row["method"]), names)
                    heading = row["group"] if part == "components" else f"{row['models']}"
                    line[heading] = cell(row)
            if lines:
                parts[title] = list(lines.values())
        return parts

    def answer(self, rows: list[Row]) -> tuple[str, ...]:
        """How many models are enough, how often one is wrong, and whose seed matters more."""
        told = [row for row in rows if "not_applicable" not in row]
        by = {part: [row for row in told if row["part"] == part] for part in PARTS}
        rule = f"ε = {self.epsilon:g}, tolerance {self.tolerance:g}"
        return (
            *audits_sentences(by["verdict"], rule, GOAL, self.confidence),
            *nearest_sentences(by["nearest"]),
            *ranking_sentences(by["ranking"]),
            *components_sentences(by["components"]),
        )
