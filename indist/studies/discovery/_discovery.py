"""How much of the behaviour must be found: γ*, a method and a scenario at a time."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import jax
import numpy as np
from jaxtyping import Float, Int

import oracles
from audits.verdict import compare, median_margins
from estimators.checks import check_counts
from indist.studies._cells import Row, finished_cell
from indist.studies._study import Study, check_names
from indist.studies.algorithms._algorithms import every_method, method_settings
from indist.studies.claims._evidence import difference, magnitude
from indist.studies.claims._worlds import right
from indist.studies.discovery._least import (
    least_discovery,
    redrawn_distances,
    redrawn_shares,
)
from indist.studies.discovery._shown import (
    counted,
    curves_of,
    is_open,
    laid,
    names_of,
    shown_about,
    shown_star,
)
from oracles.populations import Excluded
from oracles.scenarios import FOUND, forget_size

SCALES = {"distance": "all observables", "rate": "behaviour rates"}
"""Scales on which γ* is looked for: their column's prefix, and what they look at."""


@dataclass(frozen=True)
class Discovery(Study):
    """Question (ii): the least γ = |S| / |B| from which on a method is like A(D∖B).

    On two scales. *Distance*: an audit's, the hockey-stick divergence from A(D∖B) over half-lines
    of the median margin on each probe group, within ``tolerance``. *Behaviour rate*: the share of
    fresh behaviour probes that get the behaviour's label, within ``margin`` of that of A(D∖B); a
    model can hide the behaviour as well as A(D∖B) does and be unlike it in all else.

    Decision rule, fixed before looking: γ* is above the γ up to which all lower bounds exceed the
    tolerance; at most the γ from which on all upper bounds are within it; "never" when even at
    S = B the lower bound exceeds it; else undetermined. The two ends and "never" hold together
    with ``confidence`` for each curve (scenario, way of finding, method, scale) alone, not over
    curves; see `least_discovery`. On the first scale at every number of models; on the second from
    Welch's intervals, about. Both are about the sets S that were drawn, one at each γ.

    Methods by default: exact retraining, and of the heuristics of ``docs/results/algorithms.csv``
    (γ = 0.5, seed 0) the four whose accuracies on ``behaviour``, ``near``, ``retain`` and ``test``
    probes lay nearest to those of A(D∖B), in the mean over the three scenarios; ntk-scrub, nearer
    still, was left out for its cost. The seed is another one, so that no model was used to choose.
    The tolerance is that of the study of algorithms: what 128 models of an exact method meet.

    Attributes:
        models: models in each population, at least 2.
        discoveries: values of γ asked for, increasing, from over 0 to exactly 1.
        epsilon: of the divergence, at least 0.
        tolerance: up to which a divergence counts as none, in (0, 1).
        margin: up to which a difference of behaviour rates counts as none, in (0, 1).
        confidence: that both ends of a curve's γ* hold, in (0, 1).
        draws: of the bootstrap, at least 1.
        seed: of data, populations and S; unlearners take the next one.
        scenarios: names.
        methods: names, of those for any learner.
        found: how S lies in B: some of "random", "central", "clustered", "k-centre".
    """

    question: ClassVar = "How large must S be relative to B?"
    quick: ClassVar = {
        "discoveries": (0.05, 0.2, 0.6, 1.0),
        "scenarios": ("circles", "digits-trigger"),
        "methods": ("retrain", "npo", "potion"),
    }
    names: ClassVar = ("scenario", "found", "method", "discovery")
    finding: ClassVar = "decision"

    models: int = 128
    discoveries: tuple[float, ...] = (0.05, 0.1, 0.2, 0.35, 0.6, 1.0)
    epsilon: float = 1.0
    tolerance: float = 0.25
    margin: float = 0.1
    confidence: float = 0.95
    draws: int = 400
    seed: int = 1
    scenarios: tuple[str, ...] = ("circles", "digits-trigger", "digits-swap")
    methods: tuple[str, ...] = ("retrain", "rem", "npo", "boundary-shrink", "potion")
    found: tuple[str, ...] = ("random", "clustered")

    def __post_init__(self) -> None:
        check_counts(models=self.models, draws=self.draws)
        grid = self.discoveries
        if not grid or grid[0] <= 0 or grid[-1] != 1 or list(grid) != sorted(set(grid)):
            raise ValueError(f"discoveries: expected to increase from over 0 to 1, found {grid}")
        if not 0.0 < self.margin < 1.0:
            raise ValueError(f"margin: expected a number in (0, 1), found {self.margin}")
        check_names("scenario", self.scenarios, oracles.scenarios.SCENARIOS)
        check_names("method", self.methods, methods_for_any_learner())
        check_names("found", self.found, FOUND)

    def run(self, folder: Path) -> Iterator[Row]:
        """A row a scenario, way of finding S, method and γ; see `Study.run`."""
        for name in self.scenarios:
            # Compiled programs are kept in memory maps, of which a process may have only so many.
            jax.clear_caches()
            plain = oracles.scenarios.load(name, seed=self.seed)
            base = plain.with_forget(plain.behaviour)
            # Ways of finding have sets of equal sizes: side by side they share compiled programs.
            for method in self.methods:
                for found in self.found:
                    cell = finished_cell(
                        folder / "cells" / name / found / f"{method}.json",
                        self._cell_settings(base, found, method),
                        lambda base=base, found=found, method=method: self._curve(
                            folder, base, found, method
                        ),
                    )
                    yield from cell["points"]

    def _cell_settings(self, base: oracles.Scenario, found: str, method: str) -> dict[str, Any]:
        lists = ("scenarios", "methods", "found")
        own = {k: v for k, v in asdict(self).items() if k not in lists}
        return own | {
            "scenario": base.digest,
            "found": found,
            "method": method,
            "method_settings": method_settings(method),
        }

    def _curve(self, folder: Path, base: oracles.Scenario, found: str, method: str) -> Row:
        """All γ of one method: γ* is about them together."""
        about = {"scenario": base.name, "found": found, "method": method}

        def population(stream: str, excluded: Excluded) -> oracles.Population:
            return oracles.train(
                base,
                excluded,
                stream=stream,
                models=self.models,
                seed=self.seed,
                directory=folder / "populations" / base.name / stream,
                resume=True,
            )

        original = population("original", "nothing")
        never = population("unlearning", "behaviour").observe(base.probes)
        seen = [
            self._point(base, self._found(base, found, discovery), method, original, never)
            for discovery in self.discoveries
        ]
        grid = [point.row["discovery"] for point in seen]
        rng = np.random.default_rng(self.seed)
        shares = [redrawn_shares(rng, self.models, self.draws) for _ in range(2)]
        distances = redrawn_distances(
            [point.candidate for point in seen],
            [point.reference for point in seen],
            shares,
            epsilon=self.epsilon,
        )
        rates = np.stack([point.rates for point in seen], axis=2)
        redrawn = np.abs(shares[0] @ rates[:, 0] - shares[1] @ rates[:, 1])
        least: Row = {}
        for scale, draws, tolerance in (
            ("distance", distances, self.tolerance),
            ("rate", redrawn, self.margin),
        ):
            columns = (
                np.array([point.row[key] for point in seen])
                for key in (scale, f"{scale}_lower", f"{scale}_upper")
            )
            curve, lower, upper = columns
            found_least = least_discovery(
                grid,
                curve,
                draws,
                (lower, upper),
                tolerance=tolerance,
                confidence=self.confidence,
            )
            least |= {f"{scale}_star_{key}": v for key, v in asdict(found_least).items()}
        return {"points": [about | point.row | least for point in seen]}

    def _found(
        self, base: oracles.Scenario, found: str, discovery: float
    ) -> Int[np.ndarray, " forget"]:
        """The part of B that was found; those of the same seed are nested but for random ones."""
        among, features = base.behaviour, base.train.inputs
        size = forget_size(among, discovery)
        makers = oracles.forget_sets
        if found == "random":
            return makers.random(size, among, self.seed)
        if found == "central":
            return makers.centroid(features, size, among)
        maker = makers.clustered if found == "clustered" else makers.k_centre
        return maker(features, size, among, self.seed)

    def _point(
        self,
        base: oracles.Scenario,
        forget: Int[np.ndarray, " forget"],
        method: str,
        original: oracles.Population,
        never: oracles.Observations,
    ) -> "_Point":
        scenario = base.with_forget(forget)
        if method == "retrain":
            # The same law as the unlearner of this name, and no new program at each size of S.
            made = oracles.train(
                scenario,
                "forget",
                stream="unlearn/retrain",
                models=self.models,
                seed=self.seed + 1,
            )
        else:
            made = oracles.unlearn(scenario, original, method=method, seed=self.seed + 1)
        first = made.observe(scenario.probes)
        second = _seen_in(scenario, base, never)
        columns = [median_margins(one) for one in (first, second)]
        # Three claims rest on each curve: see `least_discovery`.
        each = 1.0 - (1.0 - self.confidence) / 3.0
        found = compare(
            columns[0].values,
            columns[1].values,
            names=("submission", "unlearning"),
            observables=columns[0].names,
            epsilon=self.epsilon,
            tolerance=self.tolerance,
            confidence=each,
            seed=self.seed,
        )
        rates = np.stack([right(one, "behaviour_test") for one in (first, second)], axis=1)
        apart = magnitude(difference(rates[:, 0], rates[:, 1], each))
        row: Row = {
            "discovery": scenario.discovery,
            "forget": len(scenario.forget),
            "models": self.models,
            "decision": found.decision,
            "distance": found.estimate,
            "distance_lower": found.lower,
            "distance_upper": found.upper,
            "rate": apart.value,
            "rate_lower": apart.low,
            "rate_upper": apart.high,
            "models_needed": found.forecast.models if found.forecast else None,
        }
        for group in ("behaviour_test", "near", "retain", "test"):
            row[f"{group}_submission"] = float(right(first, group).mean())
            row[f"{group}_unlearning"] = float(right(second, group).mean())
        return _Point(row, columns[0].values, columns[1].values, rates)

    def shown(self, rows: list[Row]) -> Mapping[str, list[dict[str, str]]]:
        """γ* of each curve on both scales; behaviour rate and distance at each γ, by scenario."""
        parts: dict[str, list[dict[str, str]]] = {}
        for scale, what in SCALES.items():
            parts[f"γ* in {what}: what the bounds show, estimate with the bootstrap's interval"] = [
                names_of(points[0])
                | {"γ*": shown_star(points[-1], scale), "about": shown_about(points[-1], scale)}
                for points in curves_of(rows)
            ]
        for points in curves_of(rows):
            first = points[0]
            title = (
                f"{first['scenario']}: fresh behaviour probes that show it, in % (in A(D∖B) "
                f"{100 * first['behaviour_test_unlearning']:.0f}), and distance to A(D∖B)"
            )
            parts.setdefault(title, []).append(
                names_of(first)
                | {
                    f"γ = {row['discovery']:.2g}": f"{100 * row['behaviour_test_submission']:.0f}; "
                    f"{row['distance']:.2f}"
                    for row in points
                }
            )
        return parts

    def answer(self, rows: list[Row]) -> tuple[str, ...]:
        """γ* by method on both scales, what it does to γ* how S lies in B, and what is open."""
        curves = curves_of(rows)
        ends = [points[-1] for points in curves]
        sentences: list[str] = []
        for (scale, what), within in zip(
            SCALES.items(), (self.tolerance, self.margin), strict=True
        ):
            stars: dict[str, list[str]] = {}
            for row in ends:
                stars.setdefault(row["method"], []).append(shown_star(row, scale))
            each = "; ".join(f"{method}: {counted(texts)}" for method, texts in stars.items())
            sentences.append(
                f"γ*, from which on {what} lie within {within:g} of A(D∖B), in how many of the "
                f"curves (each at {100 * self.confidence:g} %, alone): {each or 'none'}."
            )
        sentences += [laid(ends, scale, what) for scale, what in SCALES.items()]
        opened = [points for points in curves if is_open(points[-1], "distance")]
        if opened:
            needed = [row.get("models_needed") for points in opened for row in points]
            known = [int(count) for count in needed if count]
            sentences.append(
                f"In all observables {len(opened)} of {len(curves)} curves are undetermined at "
                f"these numbers of models"
                + (f"; about {max(known):,} would decide what is open." if known else ".")
            )
        return tuple(sentences)


def methods_for_any_learner() -> tuple[str, ...]:
    """All methods but those that ask for a learner of their own."""
    kinds = oracles.unlearners.UNLEARNERS
    return tuple(
        name for name in every_method() if getattr(kinds.get(name), "learner", None) is None
    )


class _Point(NamedTuple):
    """One γ: its row; observables of both populations; behaviour rates, [models, 2]."""

    row: Row
    candidate: Float[np.ndarray, "models observables"]
    reference: Float[np.ndarray, "models observables"]
    rates: Float[np.ndarray, "models 2"]


def _seen_in(
    scenario: oracles.Scenario, base: oracles.Scenario, seen: oracles.Observations
) -> oracles.Observations:
    """What was seen of models at the probes of S = B, in the order and groups of another S."""
    whole, part = base.forget, scenario.forget
    inside = np.searchsorted(whole, part)
    order = np.concatenate(
        [
            inside,
            np.setdiff1d(np.arange(len(whole)), inside),
            np.arange(len(whole), len(base.probes)),
        ]
    )
    probes = scenario.probes
    return oracles.Observations(seen.logits[:, order], probes.labels, probes.groups, probes.ids)
