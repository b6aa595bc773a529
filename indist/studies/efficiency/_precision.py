"""Data efficiency against precision: how much of a behaviour goes, and what goes with it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import jax
import numpy as np
from jaxtyping import Float

import oracles
from audits.memorization import Estimate
from audits.resampling import drawn_shares
from estimators.checks import check_counts, check_within
from indist.studies._cells import finished_cell
from indist.studies._observed import label_rates
from indist.studies._rows import record_of, row_of
from indist.studies._shown import shown_interval
from indist.studies._study import Shown, Study, check_names
from indist.studies.efficiency._detectors import ends, handed, nested
from indist.studies.efficiency._fronts import (
    Measured,
    area,
    folded,
    front,
    max_t,
    measured,
    points,
    sign_of,
    standing,
)
from indist.studies.efficiency._rows import (
    AreaDifference,
    FrontArea,
    NoPoint,
    PrecisionRow,
    Reached,
    StrengthPoint,
)
from oracles import Observations, Population, Scenario

SWEEPS: Mapping[str, tuple[str, tuple[float, ...]]] = {
    "gradient-ascent": ("epochs", (1, 3, 5, 10)),
    "neggrad": ("alpha", (0.99, 0.95, 0.9, 0.8)),
    "npo": ("epochs", (1, 2, 5, 10)),
    "ssd": ("alpha", (30.0, 10.0, 3.0, 1.0)),
    "potion": ("remaining", (0.8, 0.5, 0.2, 0.05)),
}
"""Methods, the setting that is their strength, and its values from weak to strong.

Set beforehand: each method's default and others around it. Ascent stops at 10 epochs, as 20 were
seen to leave no finite logits on ``circles``.
"""

_BLIND = ("gradient-ascent",)
"""Methods that do not look at R: what is left when none of it is at hand."""

_ORIGINAL = "original"
"""Strength 0 of every method."""


class _Strength(NamedTuple):
    """A method at one strength.

    Attributes:
        called: the method's name in the table, with the share of R that is at hand.
        strength: in words.
        method: a key of `SWEEPS`.
        share: of R.
        settings: of the unlearner.
    """

    called: str
    strength: str
    method: str
    share: float
    settings: dict[str, Any]


class Candidate(NamedTuple):
    """A method at one strength, and what was measured of it."""

    method: str
    strength: str
    measured: Measured


@dataclass(frozen=True)
class Precision(Study[PrecisionRow]):
    """Question (iii): fronts of how much is gone against precision, method by method.

    S is a random part of B, nested over γ. A point is a method at one strength: *gone* is 1 − the
    difference to A(D∖B) in the rate of the behaviour on fresh instances of it, *precision* 1 − the
    greatest difference to A(D∖B) on probes outside B (``near``, ``retain``, ``test``). Rates are
    mean probabilities of the labels, since the audit's divergence is at 1 almost everywhere here:
    it is in the table too. Every front begins with the original itself, which is strength 0; that
    of A(D∖B) has area 1. Methods that look at R run with all of it and with a random share of it,
    at the same number of steps; gradient ascent looks at none. A strength that leaves no finite
    logits has no point. Exact retraining without S is part of `ExchangeRate`.

    Everything is decided by intervals that hold at once with the given confidence, over all
    scenarios and γ (Bonferroni): half of the level is for the boxes around all points of a scenario
    and γ, half for the areas under their fronts and the differences between each two of them; each
    of these by max-t over a bootstrap of the models, in which methods share the resampled
    originals. They speak of this data and of this draw of S.

    Attributes:
        models: models in each population, at least 2.
        discoveries: γ, each in (0, 1].
        available: shares of R that are at hand, each in (0, 1].
        wanted: what gone and precision must both be for a front to count as reaching it.
        epsilon: of the divergence.
        confidence: of the whole study, in (0, 1).
        draws: of the bootstrap.
        seed: of data, S and populations; unlearners take the next one.
        scenarios: names.
        methods: keys of `SWEEPS`; empty for all.
    """

    question: ClassVar = "How much of the behaviour goes, and at what price in precision?"
    quick: ClassVar = {
        "models": 32,
        "scenarios": ("circles",),
        "discoveries": (0.25,),
        "available": (1.0,),
    }
    kinds: ClassVar = (StrengthPoint, NoPoint, FrontArea, AreaDifference)
    names: ClassVar = ("scenario", "discovery", "part", "method", "strength")
    columns: ClassVar = (
        *(*names, "other", "models", "finding"),
        *(
            f"{name}{end}"
            for name in ("gone", "precision", "area", "difference")
            for end in ("", "_low", "_high")
        ),
        *("own_front", "rate"),
        *("behaviour_distance", "behaviour_distance_low", "behaviour_distance_high"),
        *("kept_distance", "kept_distance_low", "kept_distance_high"),
        *("models_needed", "not_applicable"),
    )

    models: int = 128
    discoveries: tuple[float, ...] = (0.1, 0.5)
    available: tuple[float, ...] = (1.0, 0.1)
    wanted: float = 0.9
    epsilon: float = 1.0
    confidence: float = 0.95
    draws: int = 4000
    seed: int = 0
    scenarios: tuple[str, ...] = ("circles", "digits-trigger")
    methods: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(draws=self.draws)
        check_counts(least=2, models=self.models)
        for name in ("discoveries", "available"):
            for share in getattr(self, name):
                check_within("(0, 1]", **{name: share})
        check_names("methods", self.methods, SWEEPS, "some of")

    def run(self, folder: Path) -> Iterator[PrecisionRow]:
        """For each scenario and γ rows of points, of areas and of differences; see `Study.run`."""
        for name in self.scenarios:
            # Compiled programs are kept in memory maps, of which a process may have only so many.
            jax.clear_caches()
            plain = oracles.scenarios.load(name, seed=self.seed)
            original, unlearning = ends(plain, models=self.models, seed=self.seed, folder=folder)
            reference = unlearning.observe(plain.probes)
            for discovery in self.discoveries:
                world = handed(plain, nested(plain.behaviour, discovery, self.seed))
                place = folder / "cells" / f"{name} {discovery:g}"
                candidates: list[Candidate] = []
                for found in self._candidates(place, world, discovery, original, reference):
                    if isinstance(found, NoPoint):
                        yield found
                    else:
                        candidates.append(found)
                yield from self._judged(name, discovery, candidates, label_rates(reference))

    def _candidates(
        self,
        place: Path,
        world: Scenario,
        discovery: float,
        original: Population,
        reference: Observations,
    ) -> Iterator[Candidate | NoPoint]:
        """Each method, share of R and strength; first the original."""
        seen = original.observe(world.probes)
        yield Candidate(_ORIGINAL, "0", measured(seen, reference, epsilon=self.epsilon))
        for swept in self._sweep():

            def make(swept: _Strength = swept) -> dict[str, Any]:
                part = _with_part_of_rest(world, swept.share, self.seed)
                try:
                    submission = oracles.unlearn(
                        part, original, method=swept.method, seed=self.seed + 1, **swept.settings
                    )
                    seen = submission.observe(world.probes)
                except ValueError as error:
                    return {"not_applicable": str(error)}
                return record_of(measured(seen, reference, epsilon=self.epsilon))

            settings = {
                "models": self.models,
                "seed": self.seed,
                "epsilon": self.epsilon,
                "scenario": world.digest,
                "at_hand": swept.share,
                "method": swept.method,
                "method_settings": swept.settings,
            }
            path = place / swept.called / f"{swept.strength}.json"
            cell = finished_cell(path, settings, make)
            if "not_applicable" in cell:
                yield NoPoint(
                    scenario=world.name,
                    discovery=discovery,
                    models=self.models,
                    method=swept.called,
                    strength=swept.strength,
                    not_applicable=cell["not_applicable"],
                )
            else:
                yield Candidate(swept.called, swept.strength, row_of(Measured, cell))

    def _sweep(self) -> Iterator[_Strength]:
        """All methods at all strengths."""
        for method in self.methods or SWEEPS:
            setting, strengths = SWEEPS[method]
            for share in self.available if method not in _BLIND else (1.0,):
                called = method if share == 1.0 else f"{method}, {100 * share:g} % of R"
                for strength in strengths:
                    unlearner = oracles.unlearners.UNLEARNERS[method](**{setting: strength})
                    settings = asdict(unlearner)
                    if method not in _BLIND and "epochs" in settings:
                        settings["epochs"] = round(settings["epochs"] / share)
                    yield _Strength(called, f"{setting} {strength:g}", method, share, settings)

    def _judged(
        self,
        scenario: str,
        discovery: float,
        candidates: Sequence[Candidate],
        reference: Float[np.ndarray, "models 4"],
    ) -> list[PrecisionRow]:
        """Points in their boxes, areas, and differences of areas, of one scenario and γ."""
        confidence = 1.0 - (1.0 - self.confidence) / (
            2 * len(self.scenarios) * len(self.discoveries)
        )
        rng = np.random.default_rng(self.seed)
        rates = [np.array(candidate.measured.rates) for candidate in candidates]
        # Methods share the resampled originals; A(D∖B) is independent of them.
        shared, own = (drawn_shares(self.models, self.draws, rng) for _ in range(2))
        gaps = np.stack([each.mean(axis=0) for each in rates]) - reference.mean(axis=0)
        drawn = np.stack([shared @ each for each in rates], axis=1) - (own @ reference)[:, None]

        sizes = folded(max_t(gaps.ravel(), drawn.reshape(self.draws, -1), confidence))
        # A gap is worst where it is greatest.
        low = points(np.minimum(sizes.high, 1.0).reshape(gaps.shape))
        high = points(np.minimum(sizes.low, 1.0).reshape(gaps.shape))
        centre, everywhere = points(gaps), points(drawn)
        fronts: dict[str, list[int]] = {}
        for k, candidate in enumerate(candidates):
            if candidate.method != _ORIGINAL:
                fronts.setdefault(candidate.method, [0]).append(k)
        on_front = {
            k: bool(held)
            for places in fronts.values()
            for k, held in zip(places[1:], front(centre[places])[1:], strict=True)
        }
        where: dict[str, Any] = {
            "scenario": scenario,
            "discovery": discovery,
            "models": self.models,
        }
        rows: list[PrecisionRow] = [
            StrengthPoint(
                **where,
                method=candidate.method,
                strength=candidate.strength,
                finding=status,
                gone=_estimate(centre[k, 0], low[k, 0], high[k, 0]),
                precision=_estimate(centre[k, 1], low[k, 1], high[k, 1]),
                own_front=on_front.get(k),
                rate=float(rates[k][:, 0].mean()),
                behaviour_distance=candidate.measured.behaviour_distance,
                kept_distance=candidate.measured.kept_distance,
            )
            for k, (candidate, status) in enumerate(
                zip(candidates, standing(low, high), strict=True)
            )
        ]
        if not fronts:
            return rows
        names, pairs = list(fronts), list(combinations(range(len(fronts)), 2))
        areas = np.array([area(centre[places]) for places in fronts.values()])
        of_draws = np.stack([area(everywhere[:, places]) for places in fronts.values()], axis=1)
        first, second = np.array(pairs, dtype=int).reshape(-1, 2).T
        values = np.concatenate([areas, areas[first] - areas[second]])
        bounds = max_t(
            values,
            np.concatenate([of_draws, of_draws[:, first] - of_draws[:, second]], axis=1),
            confidence,
        )
        rows += [
            FrontArea(
                **where,
                method=name,
                area=_estimate(values[k], max(0.0, bounds.low[k]), min(1.0, bounds.high[k])),
                finding=_reached(low[fronts[name]], high[fronts[name]], self.wanted),
            )
            for k, name in enumerate(names)
        ]
        for k, (i, j) in enumerate(pairs, start=len(names)):
            difference = _estimate(values[k], bounds.low[k], bounds.high[k])
            sign = sign_of(difference, self.models)
            rows.append(
                AreaDifference(
                    **where,
                    method=names[i],
                    strength=f"against {names[j]}",
                    other=names[j],
                    difference=difference,
                    finding=sign.finding,
                    models_needed=sign.models_needed,
                )
            )
        return rows

    def _shown(self, rows: list[PrecisionRow]) -> Shown:
        parts: dict[str, list[dict[str, str]]] = {}
        for row in rows:
            where = f"{row.scenario}, γ = {row.discovery:g}"
            if isinstance(row, StrengthPoint):
                parts.setdefault(f"{where}: points, best 1", []).append(
                    {
                        "method": row.method,
                        "strength": row.strength,
                        "gone": shown_interval(*row.gone),
                        "precision": shown_interval(*row.precision),
                        "front of all": row.finding,
                        "divergence on the behaviour": shown_interval(*row.behaviour_distance),
                        "and elsewhere": shown_interval(*row.kept_distance),
                    }
                )
            if isinstance(row, FrontArea):
                parts.setdefault(f"{where}: area under the front", []).append(
                    {
                        "method": row.method,
                        "area": shown_interval(*row.area),
                        f"both at least {self.wanted:g}": row.finding,
                    }
                )
        return parts

    def _answer(self, rows: list[PrecisionRow]) -> tuple[str, ...]:
        sentences = [
            f"With {100 * self.confidence:g} % confidence, all of this at once, on this data and "
            "this draw of S:"
        ]
        areas = [row for row in rows if isinstance(row, FrontArea)]
        differences = [row for row in rows if isinstance(row, AreaDifference)]
        for scenario, discovery in dict.fromkeys((row.scenario, row.discovery) for row in areas):
            here = [row for row in areas if (row.scenario, row.discovery) == (scenario, discovery)]
            between = _signs(
                row for row in differences if (row.scenario, row.discovery) == (scenario, discovery)
            )
            beginning = f"In {scenario} at γ = {discovery:g}"
            sentences.append(f"{beginning}, {_highest(here, between)}.")
            groups = {
                finding: ", ".join(row.method for row in here if row.finding == finding)
                for finding in ("reached", "not reached", "undetermined")
            }
            sentences.append(
                f"{beginning}, gone and precision both at least {self.wanted:g}: "
                + "; ".join(f"{finding}: {names}" for finding, names in groups.items() if names)
                + "."
            )
        less = Counter(
            row.finding for row in differences if row.other.startswith(f"{row.method}, ")
        )
        if less:
            counted = ", ".join(f"{finding} in {times}" for finding, times in less.items())
            sentences.append(
                f"The area with all of R, beside that with a part of it, is {counted} of "
                f"{less.total()} comparisons."
            )
        return tuple(sentences)


def _estimate(value: float, low: float, high: float) -> Estimate:
    return Estimate(float(value), float(low), float(high))


def _signs(rows: Iterable[AreaDifference]) -> dict[tuple[str, str], AreaDifference]:
    """Differences of areas by pair of methods, both ways round."""
    turned = {"larger": "smaller", "smaller": "larger"}
    found: dict[tuple[str, str], AreaDifference] = {}
    for row in rows:
        found[row.method, row.other] = row
        back: Any = turned.get(row.finding, row.finding)
        found[row.other, row.method] = replace(row, finding=back)
    return found


def _highest(areas: Sequence[FrontArea], between: Mapping[tuple[str, str], AreaDifference]) -> str:
    """Which front is above all others, or among which that is undetermined."""
    order = sorted(areas, key=lambda row: -row.area.value)
    best = order[0].method
    undetermined = [
        row.method for row in order[1:] if between[best, row.method].finding == "undetermined"
    ]
    first = f"{best} ({shown_interval(*order[0].area)})"
    if not undetermined:
        return f"the front of {first} has a larger area than every other"
    needed = max(between[best, other].models_needed or 0 for other in undetermined)
    models = f"; about {needed:,} models would tell" if needed else ""
    return (
        f"which front has the largest area is undetermined among {first} and "
        f"{', '.join(undetermined)}{models}"
    )


def _reached(
    low: Float[np.ndarray, "points 2"], high: Float[np.ndarray, "points 2"], wanted: float
) -> Reached:
    """Whether some point has both at least at ``wanted``."""
    if (low >= wanted).all(axis=1).any():
        return "reached"
    return "undetermined" if (high >= wanted).all(axis=1).any() else "not reached"


def _with_part_of_rest(world: Scenario, share: float, seed: int) -> Scenario:
    """The world in which only a random share of R is at hand; larger shares hold smaller ones."""
    rest = world.excluding(world.forget)
    order = np.random.default_rng(seed).permutation(rest)
    kept = np.sort(np.concatenate([world.forget, order[: round(share * len(rest))]]))
    return replace(
        world,
        train=world.train.take(kept),
        forget=np.searchsorted(kept, world.forget),
        behaviour=np.flatnonzero(np.isin(kept, world.behaviour)),
    )
