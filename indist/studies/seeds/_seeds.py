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
from indist.studies._cells import finished_cell
from indist.studies._estimates import bounded_mean
from indist.studies._methods import method_settings, methods_for_any_learner
from indist.studies._shown import shown_interval
from indist.studies._study import Shown, Study, check_names
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
from indist.studies.seeds._rows import (
    ComponentsRow,
    Counts,
    NearestRow,
    OmittedRow,
    RankingRow,
    SeedsRow,
    VerdictsRow,
)
from indist.studies.seeds._shown import (
    TITLES,
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
_PAIRS = "pairs of heuristics"
_SUBMITTED = {
    "retrain": "retrain",
    "retrain-behaviour": "retrain-behaviour",
    "identity": "original",
}


@dataclass(frozen=True)
class Seeds(Study[SeedsRow]):
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
    kinds: ClassVar = (VerdictsRow, NearestRow, RankingRow, ComponentsRow, OmittedRow)
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
        super().__post_init__()
        check_counts(models=self.models, compared=self.compared)
        if not self.sizes or self.sizes[0] < 1 or list(self.sizes) != sorted(set(self.sizes)):
            raise ValueError(f"sizes: expected to increase from at least 1, found {self.sizes}")
        if not 2 <= self.originals <= self.compared:
            raise ValueError(f"originals: expected 2 to {self.compared}, found {self.originals}")
        check_counts(least=2, unlearning_seeds=self.unlearning_seeds)
        check_names("scenario", self.scenarios, oracles.scenarios.SCENARIOS)
        check_names("method", self.methods, methods_for_any_learner())

    def run(self, folder: Path) -> Iterator[SeedsRow]:
        """Rows of all parts, scenario by scenario; see `Study.run`."""
        for name in self.scenarios:
            # Compiled programs are kept in memory maps, of which a process may have only so many.
            jax.clear_caches()
            scenario = oracles.scenarios.load(name, seed=self.seed)
            lists = ("scenarios", "methods")
            settings = {key: value for key, value in asdict(self).items() if key not in lists}
            settings["scenario"] = scenario.digest
            methods = {method: method_settings(method) for method in self.methods}
            for cell, made, rows in (
                ("audits", settings, self._audited),
                ("heuristics", settings | {"methods": methods}, self._unlearned),
            ):
                stored = finished_cell(
                    folder / "cells" / name / f"{cell}.json",
                    made,
                    lambda rows=rows, scenario=scenario: {
                        "rows": [row.record() for row in rows(scenario)]
                    },
                )
                yield from self.typed(stored["rows"])

    def _audited(self, scenario: oracles.Scenario) -> list[SeedsRow]:
        models = self.models * _CHEAPER.get(scenario.name, 1)
        pools = {
            name: pool_of(
                oracles.train(scenario, excluded, stream=stream, models=models, seed=self.seed)
            )
            for name, (stream, excluded) in _STREAMS.items()
        }
        between = self._bounds(pools["untraining"], pools["unlearning"], models, 1)
        rows: list[SeedsRow] = []
        for method, submitted in _SUBMITTED.items():
            truth = self._truth(pools, method, between)
            if truth == "inconclusive":
                why = f"what is true is open even with {models:,} models"
                rows.append(
                    OmittedRow(
                        part="verdict",
                        scenario=scenario.name,
                        method=method,
                        models=models,
                        not_applicable=why,
                    )
                )
                continue
            for size in self.sizes:
                if 2 <= size <= models:
                    counts, width = self._verdicts(pools, submitted, size, truth)
                    rows.append(
                        VerdictsRow(
                            scenario=scenario.name,
                            method=method,
                            models=size,
                            truth=truth,
                            counts=counts,
                            width=width,
                        )
                    )
        return rows + self._nearest(scenario.name, pools)

    def _nearest(self, scenario: str, pools: Mapping[str, Pool]) -> list[NearestRow]:
        """How often accuracies of N models are nearer to those of the wrong reference."""
        rows: list[NearestRow] = []
        for method, own, other in (
            ("retrain", "untraining", "unlearning"),
            ("retrain-behaviour", "unlearning", "untraining"),
        ):
            whole = [pools[name].accuracies for name in (_SUBMITTED[method], own, other)]
            for size in self.sizes:
                if size <= len(whole[0]):
                    submitted, right, wrong = (blocks(pool, size, len(pool)) for pool in whole)
                    differences = gaps(submitted, right) - gaps(submitted, wrong)
                    nearer, farther = int((differences < 0).sum()), int((differences > 0).sum())
                    rows.append(
                        NearestRow(
                            scenario=scenario,
                            method=method,
                            truth=own,
                            models=size,
                            counts=self._counts(nearer, farther, len(differences)),
                        )
                    )
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

        def of(distance: Bounds) -> Decision:
            return decide(float(distance.lower[0]), float(distance.upper[0]), self.tolerance)

        references = of(between)
        if method == "retrain":
            return verdict_of("match", references, separate(references))
        if method == "retrain-behaviour":
            return verdict_of(references, "match", separate(references))
        own = pools[_SUBMITTED[method]]
        untraining, unlearning = (
            self._bounds(own, pools[name], len(own.margins), 1)
            for name in ("untraining", "unlearning")
        )
        return verdict_of(of(untraining), of(unlearning), separate(references))

    def _verdicts(
        self, pools: Mapping[str, Pool], submitted: str, size: int, truth: VerdictName
    ) -> tuple[Counts, float]:
        """How many audits decide rightly, and the median width of their wider interval."""
        own = pools[submitted]
        untraining, unlearning = (
            self._bounds(own, pools[name], size, 2) for name in ("untraining", "unlearning")
        )
        between = self._bounds(pools["untraining"], pools["unlearning"], size, 1)
        found = verdicts((untraining, unlearning), between, self.tolerance)
        right, inconclusive = found.count(truth), found.count("inconclusive")
        widths = np.maximum(
            untraining.upper - untraining.lower, unlearning.upper - unlearning.lower
        )
        counts = self._counts(right, len(found) - right - inconclusive, len(found))
        return counts, float(np.median(widths))

    def _counts(self, right: int, wrong: int, audits: int) -> Counts:
        """Counts, and one-sided limits: of the share of right ones below, of wrong ones above."""
        below = binomtest(right, audits, alternative="greater").proportion_ci(self.confidence)
        above = binomtest(wrong, audits, alternative="less").proportion_ci(self.confidence)
        return Counts(
            audits=audits,
            right=right,
            wrong=wrong,
            inconclusive=audits - right - wrong,
            right_at_least=float(below.low),
            wrong_at_most=float(above.high),
            finding=f"{right} right, {wrong} wrong of {audits}",
        )

    def _unlearned(self, scenario: oracles.Scenario) -> list[SeedsRow]:
        original, untraining = (
            oracles.train(scenario, excluded, stream=stream, models=self.compared, seed=self.seed)
            for stream, excluded in (_STREAMS["original"], _STREAMS["untraining"])
        )
        reference = pool_of(untraining).accuracies
        accuracies: dict[str, np.ndarray] = {}
        rows: list[SeedsRow] = []
        for method in self.methods:
            pools = [
                pool_of(
                    oracles.unlearn(
                        scenario, original, method=method, seed=self.seed + 1 + k, models=models
                    )
                )
                for k, models in enumerate(
                    [self.compared, *[self.originals] * (self.unlearning_seeds - 1)]
                )
            ]
            accuracies[method] = pools[0].accuracies
            values = np.stack([pool.margins[: self.originals] for pool in pools], axis=1)
            for group in ("forget", "test"):
                components = variance_components(
                    values[:, :, pools[0].groups.index(group)], confidence=self.confidence
                )
                share, low, high = components.share, components.low, components.high
                rows.append(
                    ComponentsRow(
                        scenario=scenario.name,
                        method=method,
                        models=self.originals,
                        group=group,
                        share=share,
                        low=low,
                        high=high,
                        finding="undetermined"
                        if share is None
                        else f"{group}: {shown_interval(share, low, high)}",
                    )
                )
        return self._ranked(scenario.name, accuracies, reference) + rows

    def _ranked(
        self, scenario: str, accuracies: Mapping[str, np.ndarray], reference: np.ndarray
    ) -> list[SeedsRow]:
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
        if not known:
            return [
                OmittedRow(
                    part="ranking",
                    scenario=scenario,
                    method=_PAIRS,
                    models=self.compared,
                    not_applicable=f"no pair has a right order that {self.compared} models show",
                )
            ]
        rows: list[SeedsRow] = []
        for size in self.sizes:
            if self.compared // size < _LEAST_BLOCKS:
                break
            distances = {
                method: gaps(
                    blocks(accuracies[method], size, self.compared),
                    blocks(reference, size, self.compared),
                )
                for method in self.methods
            }
            # A tie is no order: half of those who break it do so wrongly.
            wrong = [
                (1.0 - order * np.sign(distances[first] - distances[second])) / 2.0
                for (first, second), order in known.items()
            ]
            each = np.mean(wrong, axis=0)
            share = bounded_mean(each, self.confidence)
            rows.append(
                RankingRow(
                    scenario=scenario,
                    method=_PAIRS,
                    models=size,
                    pairs=len(known),
                    audits=len(each),
                    share=share.value,
                    low=share.low,
                    high=share.high,
                    finding=f"wrong order: {shown_interval(*share)}",
                )
            )
        return rows

    def _shown(self, rows: list[SeedsRow]) -> Shown:
        parts: dict[str, list[dict[str, str]]] = {}
        for kind, title in TITLES.items():
            lines: dict[tuple[str, str], dict[str, str]] = {}
            for row in rows:
                if isinstance(row, kind) and not isinstance(row, OmittedRow):
                    names = {"scenario": row.scenario, "method": row.method}
                    line = lines.setdefault((row.scenario, row.method), names)
                    line[row.heading] = row.cell
            if lines:
                parts[title] = list(lines.values())
        return parts

    def _answer(self, rows: list[SeedsRow]) -> tuple[str, ...]:
        rule = f"ε = {self.epsilon:g}, tolerance {self.tolerance:g}"
        audited = [row for row in rows if isinstance(row, VerdictsRow)]
        return (
            *audits_sentences(audited, rule, GOAL, self.confidence),
            *nearest_sentences([row for row in rows if isinstance(row, NearestRow)]),
            *ranking_sentences([row for row in rows if isinstance(row, RankingRow)]),
            *components_sentences([row for row in rows if isinstance(row, ComponentsRow)]),
        )
