"""How much of the behaviour must be found: γ*, a method and a scenario at a time."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import jax
import numpy as np
from jaxtyping import Float, Int

import oracles
from audits.resampling import drawn_shares
from audits.verdict import Block, compare, median_margins
from estimators.checks import check_counts, check_within
from indist.studies._cells import finished_cell
from indist.studies._estimates import magnitude, mean_difference
from indist.studies._methods import method_settings, methods_for_any_learner
from indist.studies._observed import share_right
from indist.studies._study import Shown, Study, check_names
from indist.studies.discovery._least import LeastDiscovery, least_discovery, redrawn_distances
from indist.studies.discovery._rows import Bounded, CurvePoint, Rates
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
class Discovery(Study[CurvePoint]):
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
    kinds: ClassVar = (CurvePoint,)
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
        super().__post_init__()
        check_counts(models=self.models, draws=self.draws)
        grid = self.discoveries
        if not grid or grid[0] <= 0 or grid[-1] != 1 or list(grid) != sorted(set(grid)):
            raise ValueError(f"discoveries: expected to increase from over 0 to 1, found {grid}")
        check_within("(0, 1)", margin=self.margin)
        check_names("scenario", self.scenarios, oracles.scenarios.SCENARIOS)
        check_names("method", self.methods, methods_for_any_learner())
        check_names("found", self.found, FOUND)

    def run(self, folder: Path) -> Iterator[CurvePoint]:
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
                        lambda base=base, found=found, method=method: {
                            "points": [
                                row.record() for row in self._curve(folder, base, found, method)
                            ]
                        },
                    )
                    yield from self.typed(cell["points"])

    def _cell_settings(self, base: oracles.Scenario, found: str, method: str) -> dict[str, Any]:
        lists = ("scenarios", "methods", "found")
        numbers = {name: value for name, value in asdict(self).items() if name not in lists}
        return numbers | {
            "scenario": base.digest,
            "found": found,
            "method": method,
            "method_settings": method_settings(method),
        }

    def _curve(
        self, folder: Path, base: oracles.Scenario, found: str, method: str
    ) -> list[CurvePoint]:
        """All γ of one method: γ* is about them together."""

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
        points = [
            self._point(base, self._found(base, found, discovery), method, original, never)
            for discovery in self.discoveries
        ]
        rng = np.random.default_rng(self.seed)
        shares = [drawn_shares(self.models, self.draws, rng) for _ in range(2)]
        distances = redrawn_distances(
            [point.candidate for point in points],
            [point.reference for point in points],
            shares,
            epsilon=self.epsilon,
        )
        rates = np.stack([point.rates for point in points], axis=2)
        redrawn = np.abs(shares[0] @ rates[:, 0] - shares[1] @ rates[:, 1])
        grid = [point.discovery for point in points]

        def star(scale: list[Bounded], draws: np.ndarray, tolerance: float) -> LeastDiscovery:
            curve, lower, upper = np.array(scale).T
            return least_discovery(
                grid,
                curve,
                draws,
                (lower, upper),
                tolerance=tolerance,
                confidence=self.confidence,
            )

        distance_star = star([point.distance for point in points], distances, self.tolerance)
        rate_star = star([point.rate for point in points], redrawn, self.margin)
        return [
            point.row(
                scenario=base.name,
                found=found,
                method=method,
                distance_star=distance_star,
                rate_star=rate_star,
            )
            for point in points
        ]

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
    ) -> "_OpenPoint":
        scenario = base.with_forget(forget)
        if method == "retrain":
            # The same law as the unlearner of this name, and no new program at each size of S.
            submission = oracles.train(
                scenario,
                "forget",
                stream="unlearn/retrain",
                models=self.models,
                seed=self.seed + 1,
            )
        else:
            submission = oracles.unlearn(scenario, original, method=method, seed=self.seed + 1)
        seen = submission.observe(scenario.probes), _seen_in(scenario, base, never)
        first, second = map(median_margins, seen)
        # Three claims rest on each curve: see `least_discovery`.
        each = 1.0 - (1.0 - self.confidence) / 3.0
        comparison = compare(
            [Block.of(first, second)],
            names=("submission", "unlearning"),
            epsilon=self.epsilon,
            tolerance=self.tolerance,
            confidence=each,
            seed=self.seed,
        )
        rates = np.stack([share_right(side, "behaviour_test") for side in seen], axis=1)
        distance = Bounded(comparison.estimate, comparison.lower, comparison.upper)
        rate = Bounded(*magnitude(mean_difference(rates[:, 0], rates[:, 1], each)))

        def shares(group: str) -> Rates:
            return Rates(*(float(share_right(side, group).mean()) for side in seen))

        row = partial(
            CurvePoint,
            discovery=scenario.discovery,
            forget=len(scenario.forget),
            models=self.models,
            decision=comparison.decision,
            distance=distance,
            rate=rate,
            models_needed=comparison.forecast.models if comparison.forecast else None,
            behaviour_test=shares("behaviour_test"),
            near=shares("near"),
            retain=shares("retain"),
            test=shares("test"),
        )
        return _OpenPoint(
            scenario.discovery, distance, rate, row, first.values, second.values, rates
        )

    def _shown(self, rows: list[CurvePoint]) -> Shown:
        parts: dict[str, list[dict[str, str]]] = {}
        for scale, observed in SCALES.items():
            title = (
                f"γ* in {observed}: what the bounds show, estimate with the bootstrap's interval"
            )
            parts[title] = [
                names_of(points[0])
                | {
                    "γ*": shown_star(points[-1].star(scale)),
                    "about": shown_about(points[-1].star(scale)),
                }
                for points in curves_of(rows)
            ]
        for points in curves_of(rows):
            first = points[0]
            title = (
                f"{first.scenario}: fresh behaviour probes that show it, in % (in A(D∖B) "
                f"{100 * first.behaviour_test.unlearning:.0f}), and distance to A(D∖B)"
            )
            parts.setdefault(title, []).append(
                names_of(first)
                | {
                    f"γ = {row.discovery:.2g}": f"{100 * row.behaviour_test.submission:.0f}; "
                    f"{row.distance.value:.2f}"
                    for row in points
                }
            )
        return parts

    def _answer(self, rows: list[CurvePoint]) -> tuple[str, ...]:
        curves = curves_of(rows)
        ends = [points[-1] for points in curves]
        sentences: list[str] = []
        for (scale, observed), within in zip(
            SCALES.items(), (self.tolerance, self.margin), strict=True
        ):
            stars: dict[str, list[str]] = {}
            for row in ends:
                stars.setdefault(row.method, []).append(shown_star(row.star(scale)))
            each = "; ".join(f"{method}: {counted(texts)}" for method, texts in stars.items())
            sentences.append(
                f"γ*, from which on {observed} lie within {within:g} of A(D∖B), in how many of "
                f"the curves (each at {100 * self.confidence:g} %, alone): {each or 'none'}."
            )
        sentences += [laid(ends, scale, observed) for scale, observed in SCALES.items()]
        undetermined = [points for points in curves if is_open(points[-1].distance_star)]
        if undetermined:
            needed = [
                row.models_needed for points in undetermined for row in points if row.models_needed
            ]
            sentences.append(
                f"In all observables {len(undetermined)} of {len(curves)} curves are undetermined "
                "at these numbers of models"
                + (f"; about {max(needed):,} would decide what is open." if needed else ".")
            )
        return tuple(sentences)


class _OpenPoint(NamedTuple):
    """One γ, before γ* is known.

    Attributes:
        discovery: γ.
        distance: to A(D∖B).
        rate: distance of behaviour rates.
        row: makes the row from what is still missing.
        candidate: observables of the method's models.
        reference: observables of A(D∖B).
        rates: behaviour rates of both.
    """

    discovery: float
    distance: Bounded
    rate: Bounded
    row: Callable[..., CurvePoint]
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
