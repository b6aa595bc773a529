"""Data efficiency against precision: how much of a behaviour goes, and what goes with it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import jax
import numpy as np
from jaxtyping import Float

import oracles
from estimators.checks import check_counts, check_within
from indist.studies._cells import Row, finished_cell
from indist.studies._shown import shown_range
from indist.studies._study import Study
from indist.studies.efficiency._detectors import ends, handed, nested
from indist.studies.efficiency._fronts import (
    area,
    decided,
    folded,
    front,
    label_rates,
    max_t,
    measured,
    points,
    resampling,
    standing,
    with_ends,
)
from oracles import Observations, Population, Scenario

if TYPE_CHECKING:
    import pandas as pd

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


@dataclass(frozen=True)
class Precision(Study):
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
    names: ClassVar = ("scenario", "discovery", "part", "method", "strength")

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
        check_counts(draws=self.draws)
        if self.models < 2:
            raise ValueError(f"models: expected at least 2, found {self.models}")
        for name in ("discoveries", "available"):
            for share in getattr(self, name):
                check_within("(0, 1]", **{name: share})
        for name in self.methods:
            if name not in SWEEPS:
                raise ValueError(f"methods: expected some of {', '.join(SWEEPS)}, found {name!r}")

    def run(self, folder: Path) -> Iterator[Row]:
        """For each scenario and γ rows of points, of areas and of differences; see `Study.run`."""
        for name in self.scenarios:
            # Compiled programs are kept in memory maps, of which a process may have only so many.
            jax.clear_caches()
            plain = oracles.scenarios.load(name, seed=self.seed)
            original, unlearning = ends(plain, models=self.models, seed=self.seed, folder=folder)
            reference = unlearning.observe(plain.probes)
            for discovery in self.discoveries:
                about = {"scenario": name, "discovery": discovery, "models": self.models}
                world = handed(plain, nested(plain.behaviour, discovery, self.seed))
                place = folder / "cells" / f"{name} {discovery:g}"
                rows = list(self._points(place, world, original, reference))
                yield from (about | row for row in rows if "rates" not in row)
                done = [row for row in rows if "rates" in row]
                yield from (about | row for row in self._judged(done, label_rates(reference)))

    def _points(
        self, place: Path, world: Scenario, original: Population, reference: Observations
    ) -> Iterator[Row]:
        """A row a method, share of R and strength, with the rates of each model."""
        seen = original.observe(world.probes)
        first: Row = {"part": "point", "method": _ORIGINAL, "strength": "0"}
        yield first | measured(seen, reference, epsilon=self.epsilon)
        for called, strength, method, share, settings in self._sweep():

            def make(method: str = method, share: float = share, settings: Row = settings) -> Row:
                part = _with_part_of_rest(world, share, self.seed)
                try:
                    made = oracles.unlearn(
                        part, original, method=method, seed=self.seed + 1, **settings
                    )
                    seen = made.observe(world.probes)
                except ValueError as error:
                    return {"not_applicable": str(error)}
                return measured(seen, reference, epsilon=self.epsilon)

            about = {field: getattr(self, field) for field in ("models", "seed", "epsilon")}
            about |= {"scenario": world.digest, "at_hand": share, "method": method}
            row = finished_cell(
                place / called / f"{strength}.json", about | {"method_settings": settings}, make
            )
            yield {"part": "point", "method": called, "strength": strength} | row

    def _sweep(self) -> Iterator[tuple[str, str, str, float, Row]]:
        """What a row is called, its strength in words; method, share of R, and settings."""
        for method in self.methods or SWEEPS:
            setting, strengths = SWEEPS[method]
            for share in self.available if method not in _BLIND else (1.0,):
                called = method if share == 1.0 else f"{method}, {100 * share:g} % of R"
                for strength in strengths:
                    unlearner = oracles.unlearners.UNLEARNERS[method](**{setting: strength})
                    settings = asdict(unlearner)
                    if method not in _BLIND and "epochs" in settings:
                        settings["epochs"] = round(settings["epochs"] / share)
                    yield called, f"{setting} {strength:g}", method, share, settings

    def _judged(self, rows: list[Row], reference: Float[np.ndarray, "models 4"]) -> list[Row]:
        """Points in their boxes, areas, and differences of areas, of one scenario and γ."""
        confidence = 1.0 - (1.0 - self.confidence) / (
            2 * len(self.scenarios) * len(self.discoveries)
        )
        rng = np.random.default_rng(self.seed)
        rates = [np.array(row.pop("rates")) for row in rows]
        # Methods share the resampled originals; A(D∖B) is independent of them.
        shared, own = (resampling(self.models, self.draws, rng) for _ in range(2))
        gaps = np.stack([each.mean(axis=0) for each in rates]) - reference.mean(axis=0)
        drawn = np.stack([shared @ each for each in rates], axis=1) - (own @ reference)[:, None]

        sizes = folded(max_t(gaps.ravel(), drawn.reshape(self.draws, -1), confidence))
        # A gap is worst where it is greatest.
        low = points(np.minimum(sizes.high, 1.0).reshape(gaps.shape))
        high = points(np.minimum(sizes.low, 1.0).reshape(gaps.shape))
        at, everywhere = points(gaps), points(drawn)
        for k, status in enumerate(standing(low, high)):
            rows[k] |= {"rate": float(rates[k][:, 0].mean()), "finding": status}
            for axis, name in enumerate(("gone", "precision")):
                rows[k] |= with_ends(name, at[k, axis], low[k, axis], high[k, axis])

        fronts: dict[str, list[int]] = {}
        for k, row in enumerate(rows):
            if row["method"] != _ORIGINAL:
                fronts.setdefault(row["method"], [0]).append(k)
        if not fronts:
            return rows
        for places in fronts.values():
            for k, held in zip(places[1:], front(at[places])[1:], strict=True):
                rows[k]["own_front"] = bool(held)
        names, pairs = list(fronts), list(combinations(range(len(fronts)), 2))
        areas = np.array([area(at[places]) for places in fronts.values()])
        of_draws = np.stack([area(everywhere[:, places]) for places in fronts.values()], axis=1)
        first, second = np.array(pairs, dtype=int).reshape(-1, 2).T
        values = np.concatenate([areas, areas[first] - areas[second]])
        bounds = max_t(
            values,
            np.concatenate([of_draws, of_draws[:, first] - of_draws[:, second]], axis=1),
            confidence,
        )
        judged = [
            {"part": "area", "method": name, "strength": "all"}
            | with_ends("area", values[k], max(0.0, bounds.low[k]), min(1.0, bounds.high[k]))
            | {"finding": _reached(low[fronts[name]], high[fronts[name]], self.wanted)}
            for k, name in enumerate(names)
        ]
        for k, (i, j) in enumerate(pairs, start=len(names)):
            value, below, above = (float(x[k]) for x in (values, bounds.low, bounds.high))
            judged.append(
                {"part": "difference", "method": names[i], "strength": f"against {names[j]}"}
                | {"other": names[j]}
                | with_ends("difference", value, below, above)
                | decided(value, below, above, self.models)
            )
        return rows + judged

    def table(self, rows: list[Row]) -> "pd.DataFrame":
        """The rows as a data frame, columns in a fixed order.

        Args:
            rows: from `run`.

        Returns:
            ``scenario``, ``discovery``, ``part`` (``point``, ``area`` or ``difference``),
            ``method``, ``strength``, ``other``, ``models``, ``finding``; ``gone``, ``precision``,
            ``area`` and ``difference`` with ``_low`` and ``_high``; ``own_front``, whether the
            estimate lies on its method's front; ``rate``, of the behaviour on fresh instances;
            ``behaviour_distance`` and ``kept_distance`` with 95 % intervals, each by itself;
            ``models_needed``; ``not_applicable``.
        """
        import pandas as pd

        head = [*self.names, "other", "models", "finding"]
        judged = ["gone", "precision", "area", "difference"]
        apart = ["behaviour_distance", "kept_distance"]
        ranges = {name: [name, f"{name}_low", f"{name}_high"] for name in (*judged, *apart)}
        columns = [*head, *(c for name in judged for c in ranges[name]), "own_front", "rate"]
        columns += [c for name in apart for c in ranges[name]]
        return pd.DataFrame(rows, columns=[*columns, "models_needed", "not_applicable"])

    def shown(self, rows: list[Row]) -> Mapping[str, list[dict[str, str]]]:
        """A table of points and one of areas for each scenario and γ."""
        parts: dict[str, list[dict[str, str]]] = {}
        for row in rows:
            where = f"{row['scenario']}, γ = {row['discovery']:g}"
            if row["part"] == "point" and "finding" in row:
                parts.setdefault(f"{where}: points, best 1", []).append(
                    {
                        "method": row["method"],
                        "strength": row["strength"],
                        "gone": shown_range(row, "gone"),
                        "precision": shown_range(row, "precision"),
                        "front of all": row["finding"],
                        "divergence on the behaviour": shown_range(row, "behaviour_distance"),
                        "and elsewhere": shown_range(row, "kept_distance"),
                    }
                )
            if row["part"] == "area":
                parts.setdefault(f"{where}: area under the front", []).append(
                    {
                        "method": row["method"],
                        "area": shown_range(row, "area"),
                        f"both at least {self.wanted:g}": row["finding"],
                    }
                )
        return parts

    def answer(self, rows: list[Row]) -> tuple[str, ...]:
        """Whose front is highest where, who gets both, and what a part of R costs."""
        sentences = [
            f"With {100 * self.confidence:g} % confidence, all of this at once, on this data and "
            "this draw of S:"
        ]
        areas = [row for row in rows if row["part"] == "area"]
        wheres = dict.fromkeys((row["scenario"], row["discovery"]) for row in areas)
        for where in wheres:
            here = [row for row in areas if (row["scenario"], row["discovery"]) == where]
            between = _differences(rows, where)
            said = f"In {where[0]} at γ = {where[1]:g}"
            sentences.append(f"{said}, {_highest(here, between)}.")
            groups = {
                finding: ", ".join(row["method"] for row in here if row["finding"] == finding)
                for finding in ("reached", "not reached", "undetermined")
            }
            sentences.append(
                f"{said}, gone and precision both at least {self.wanted:g}: "
                + "; ".join(f"{finding}: {who}" for finding, who in groups.items() if who)
                + "."
            )
        less = Counter(
            row["finding"]
            for row in rows
            if row["part"] == "difference" and row["other"].startswith(f"{row['method']}, ")
        )
        if less:
            counted = ", ".join(f"{finding} in {times}" for finding, times in less.items())
            sentences.append(
                f"The area with all of R, beside that with a part of it, is {counted} of "
                f"{less.total()} comparisons."
            )
        return tuple(sentences)


def _differences(rows: list[Row], where: tuple[str, float]) -> dict[tuple[str, str], Row]:
    """Differences of areas by pair of methods, both ways round."""
    turned = {"larger": "smaller", "smaller": "larger"}
    found: dict[tuple[str, str], Row] = {}
    for row in rows:
        if row["part"] == "difference" and (row["scenario"], row["discovery"]) == where:
            found[row["method"], row["other"]] = row
            back = turned.get(row["finding"], row["finding"])
            found[row["other"], row["method"]] = row | {"finding": back}
    return found


def _highest(areas: list[Row], between: Mapping[tuple[str, str], Row]) -> str:
    """Which front is above all others, or among which that is undetermined."""
    order = sorted(areas, key=lambda row: -row["area"])
    best = order[0]["method"]
    open_ = [
        row["method"]
        for row in order[1:]
        if between[best, row["method"]]["finding"] == "undetermined"
    ]
    first = f"{best} ({shown_range(order[0], 'area')})"
    if not open_:
        return f"the front of {first} has a larger area than every other"
    needed = max(between[best, other].get("models_needed", 0) for other in open_)
    models = f"; about {needed:,.0f} models would tell" if needed else ""
    return (
        f"which front has the largest area is undetermined among {first} and {', '.join(open_)}"
        f"{models}"
    )


def _reached(
    low: Float[np.ndarray, "points 2"], high: Float[np.ndarray, "points 2"], wanted: float
) -> str:
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
