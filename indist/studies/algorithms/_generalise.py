"""Do unlearners that are built to generalise beyond S reach A(D∖B)?"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import jax
import numpy as np
from jaxtyping import Float

import oracles
from audits.verdict import EVENTS, LOWER, divergence, masses_below, median_margins
from estimators import delta_lower_bound, delta_upper_bound
from estimators.checks import check_counts, check_within
from indist.studies._cells import Row, finished_cell
from indist.studies._shown import shown_ends, shown_interval, shown_range
from indist.studies._study import Study, check_names
from indist.studies.claims._worlds import right
from indist.studies.efficiency._fronts import GONE, KEPT, label_rate
from oracles import Observations

NEW = ("prototype-subtraction", "influence-expanded", "matched-stopping")
BASELINES = ("potion", "rem", "npo")
CONTROLS = ("identity", "retrain")
DEVELOPMENT = ("digits-trigger", "circles")
HELD_OUT = ("digits-swap", "digits-subclass")
FEW = 0.25
"""The greatest γ at which the predeclared success is asked for."""
_SPLITS = 500
_DRAWS = 20_000


@dataclass(frozen=True)
class Generalise(Study):
    """Question (v): new unlearners against Potion, REM and NPO, where little of B was found.

    The defaults of the new ones were set on the constructions `DEVELOPMENT` alone; none of them was
    run on those of `HELD_OUT` before the defaults, and the rules below, were fixed. O and A(D∖B) do
    not depend on S and are trained once a construction. Of the candidates in question, a
    meta-learned unlearner and REM with calibrated confidence are left out.

    *Distance*: the hockey-stick divergence from A(D∖B) over half-lines of the median margins, as in
    an audit. *Null band*: the 95 % quantile of that distance over random splits of two independent
    draws of A(D∖B) into halves. An exact method stays within it in about 19 of 20 cells. Within it
    a method is not told from A(D∖B) by so many models; that it is equal is not shown, and the upper
    bound says how far off it may be. *Graded*: mean probability of the behaviour's label on fresh
    probes of the behaviour, 0 for A(D∖B) and 1 for O. *Precision loss*: accuracy of A(D∖B) minus
    that of the method on near, retained and test probes; the worst of the three counts.

    Predeclared. A cell is a *success* when the distance is within the band and the upper bound of
    the loss within ``margin``. It is *closer* when the method's mean rate on fresh probes is nearer
    to that of A(D∖B) than each baseline's, by a bootstrap paired over originals, and the loss is
    within ``margin``. It is *not* when it is no success and either a baseline is nearer or the loss
    is over ``margin``; otherwise it is *undetermined*. Baselines and controls are a success or not.
    A method *generalises* when all cells of held-out constructions at γ ≤ 0.25 are a success, and
    does not when in one of them the lower bound of the distance is over the band or that of the
    loss over ``margin``.

    All these bounds hold together over all cells of new methods, with probability ``confidence``
    (Bonferroni; bootstrap bounds, for many models). Intervals of graded rates are for one cell.

    Attributes:
        models: models in each population, at least 2.
        discoveries: γ, each in (0, 1].
        epsilon: of the divergence, at least 0.
        margin: of the precision loss, over 0.
        confidence: in (0, 1).
        seed: of data, S and populations; unlearners take the next one.
        scenarios: of `DEVELOPMENT` and `HELD_OUT`.
    """

    question: ClassVar = "Do unlearners that are built to generalise beyond S reach A(D∖B)?"
    quick: ClassVar = {"models": 64, "discoveries": (0.25,)}
    names: ClassVar = ("scenario", "discovery", "method")

    models: int = 128
    discoveries: tuple[float, ...] = (0.1, 0.25, 0.5)
    epsilon: float = 1.0
    margin: float = 0.05
    confidence: float = 0.95
    seed: int = 0
    scenarios: tuple[str, ...] = (*DEVELOPMENT, *HELD_OUT)

    def __post_init__(self) -> None:
        check_counts(models=self.models)
        check_within("(0, inf)", margin=self.margin)
        check_names("scenario", self.scenarios, (*DEVELOPMENT, *HELD_OUT))
        for gamma in self.discoveries:
            if not 0 < gamma <= 1:
                raise ValueError(f"discoveries: expected numbers in (0, 1], found {gamma}")

    @property
    def level(self) -> float:
        """Error left to each cell of a new method."""
        cells = len(self.scenarios) * len(self.discoveries) * len(NEW)
        return (1.0 - self.confidence) / cells

    def run(self, folder: Path) -> Iterator[Row]:
        """A row a construction, γ and method; those of one γ are made together. See `Study.run`."""
        for name in self.scenarios:
            # Compiled programs are kept in memory maps, of which a process may have only so many.
            jax.clear_caches()
            base = oracles.scenarios.load(name, seed=self.seed)
            for gamma in self.discoveries:
                methods = (*CONTROLS, *BASELINES, *NEW)
                settings = asdict(self) | {
                    "scenario": base.digest,
                    "discovery": gamma,
                    "methods": {m: asdict(oracles.unlearners.UNLEARNERS[m]()) for m in methods},
                }
                cell = finished_cell(
                    folder / "cells" / name / f"{gamma}.json",
                    settings,
                    lambda base=base, gamma=gamma: {"rows": self._rows(folder, base, gamma)},
                )
                yield from cell["rows"]

    def _rows(self, folder: Path, base: oracles.Scenario, gamma: float) -> list[Row]:
        def trained(stream: str, excluded: Any) -> oracles.Population:
            return oracles.train(
                base,
                excluded,
                stream=stream,
                models=self.models,
                seed=self.seed,
                directory=folder / "references" / base.name / stream,
                resume=True,
            )

        size = max(1, round(gamma * len(base.behaviour)))
        world = base.with_forget(oracles.forget_sets.random(size, base.behaviour, self.seed))
        original = trained("original", "nothing")
        seen = {
            "original": original,
            "unlearning": trained("unlearning", "behaviour"),
            "again": trained("unlearning again", "behaviour"),
        }
        for method in (*CONTROLS, *BASELINES, *NEW):
            seen[method] = oracles.unlearn(world, original, method=method, seed=self.seed + 1)
        observed = {name: made.observe(world.probes) for name, made in seen.items()}
        about = {"scenario": base.name, "discovery": gamma, "models": self.models}
        return [about | row for row in self._compared(observed)]

    def _compared(self, observed: Mapping[str, Observations]) -> list[Row]:
        """A row a method, from what was observed of it, of O and of two draws of A(D∖B)."""
        methods = [name for name in observed if name not in ("original", "unlearning", "again")]
        margins = {name: median_margins(one).values for name, one in observed.items()}
        reference = margins["unlearning"]
        null = null_distances(reference, margins["again"], self.epsilon, self.seed)
        band = float(np.quantile(null, 0.95))
        graded = self._graded(observed, methods)
        each = 1.0 - self.level / reference.shape[1]
        rows: list[Row] = []
        for method in methods:
            pair, at = (margins[method], reference), {"epsilon": self.epsilon}
            lower = delta_lower_bound(*pair, confidence=each, method=LOWER, **at).bound
            upper = delta_upper_bound(*pair, confidence=1 - self.level, events=EVENTS, **at).bound
            row: Row = {
                "method": method,
                "distance": distance(*pair, self.epsilon),
                "lower": float(np.max(lower)),
                "upper": float(np.max(upper)),
                "band": band,
                "null_distance": distance(margins["again"], reference, self.epsilon),
                **graded[method],
                "on_S": over_sign(margins[method][:, 0], reference[:, 0]),
            }
            rows.append(row | {"finding": finding(row, self.margin)})
        return rows

    def _graded(
        self, observed: Mapping[str, Observations], methods: list[str]
    ) -> dict[str, dict[str, Any]]:
        """Rates on fresh probes and precision, each with bootstrap bounds, by method."""
        rng = np.random.default_rng(self.seed)
        models = self.models
        even = np.full(models, 1.0 / models)
        # O and what was made of it are drawn together, A(D∖B) apart.
        paired, apart = (rng.multinomial(models, even, size=_DRAWS) / models for _ in range(2))
        rates = {name: label_rate(one, GONE) for name, one in observed.items()}
        base = apart @ rates["unlearning"]
        spread = paired @ rates["original"] - base
        middle = rates["original"].mean() - rates["unlearning"].mean()
        gaps = {name: np.abs(paired @ rates[name] - base) for name in methods}
        tail = self.level / 2 / max(len(BASELINES), len(KEPT))
        side = (1.0 - self.confidence) / 2
        found: dict[str, dict[str, Any]] = {}
        for name in methods:
            row: dict[str, Any] = {"rate": float(rates[name].mean())}
            # Without a difference between O and A(D∖B) there is no scale.
            if spread.min() > 0:
                scaled = (paired @ rates[name] - base) / spread
                low, high = (float(np.quantile(scaled, at)) for at in (side, 1 - side))
                row["graded"] = float((rates[name].mean() - rates["unlearning"].mean()) / middle)
                row |= {"graded_low": low, "graded_high": high}
            if name in NEW:
                ahead = {k: np.quantile(gaps[k] - gaps[name], [tail, 1 - tail]) for k in BASELINES}
                row["nearer_than"] = ", ".join(k for k in BASELINES if ahead[k][0] > 0)
                row["farther_than"] = ", ".join(k for k in BASELINES if ahead[k][1] < 0)
            bounds: list[np.ndarray] = []
            for group in KEPT:
                of, to = (right(observed[n], group) for n in (name, "unlearning"))
                row[f"loss_{group}"] = float(to.mean() - of.mean())
                bounds.append(np.quantile(apart @ to - paired @ of, [tail, 1 - tail]))
            row["loss_low"], row["loss_high"] = (float(end) for end in np.max(bounds, axis=0))
            found[name] = row
        return found

    def shown(self, rows: list[Row]) -> Mapping[str, list[dict[str, str]]]:
        """A table a construction and γ."""
        parts: dict[str, list[dict[str, str]]] = {}
        for row in rows:
            kind = "held out" if row["scenario"] in HELD_OUT else "development"
            title = (
                f"{row['scenario']} ({kind}), γ = {row['discovery']:g}: "
                f"null band up to {row['band']:.2f}"
            )
            parts.setdefault(title, []).append(
                {
                    "method": row["method"],
                    "to A(D∖B)": _shown_distance(row),
                    "graded": shown_range(row, "graded") if "graded" in row else "undetermined",
                    "precision loss": shown_ends(row["loss_low"], row["loss_high"]),
                    "on S": row["on_S"],
                    "finding": row["finding"],
                }
            )
        return parts

    def answer(self, rows: list[Row]) -> tuple[str, ...]:
        """Which new method generalises, where else it was near, and how the controls fared."""
        sentences: list[str] = []
        for method in NEW:
            own = [row for row in rows if row["method"] == method]
            asked = [r for r in own if r["scenario"] in HELD_OUT and r["discovery"] <= FEW]
            sentences.append(f"{method} {self._generalises(asked)}.")
            if own:
                count = {
                    kind: sum(row["finding"] == kind for row in own)
                    for kind in ("success", "closer", "not", "undetermined")
                }
                told = ", ".join(f"{kind} in {times}" for kind, times in count.items() if times)
                over = sum(row["on_S"] == "over" for row in own)
                sentences.append(
                    f"{method}, all {len(own)} cells: {told}; over-unlearned on S in {over}."
                )
        for kind, names in (("Baselines", BASELINES), ("Controls", CONTROLS)):
            told = ", ".join(
                f"{name} {sum(r['finding'] == 'success' for r in own)} of {len(own)}"
                for name in names
                if (own := [row for row in rows if row["method"] == name])
            )
            sentences.append(f"{kind}, cells within the null band and the margin: {told}.")
        return tuple(sentences)

    def _generalises(self, asked: list[Row]) -> str:
        """What the predeclared rule says of a method's held-out cells at small γ."""
        where = "held-out constructions at γ ≤ 0.25"
        if {row["scenario"] for row in asked} != set(HELD_OUT):
            return f"was not measured on all {where}"
        if all(row["finding"] == "success" for row in asked):
            return f"generalises: a success in all {len(asked)} cells of {where}"
        lost = [
            f"{row['scenario']} at γ = {row['discovery']:g} (distance {_shown_distance(row)}, "
            f"band {row['band']:.2f}, precision loss "
            f"{shown_ends(row['loss_low'], row['loss_high'])})"
            for row in asked
            if row["lower"] > row["band"] or row["loss_low"] > self.margin
        ]
        if lost:
            return f"does not generalise on {where}: it is beyond them in {'; '.join(lost)}"
        needed = [n for row in asked if (n := models_needed(row, self.margin)) is not None]
        about = f"; about {max(needed)} models would decide" if needed else ""
        return f"is undetermined on {where}{about}"


def distance(
    first: Float[np.ndarray, "n observables"],
    second: Float[np.ndarray, "m observables"],
    epsilon: float,
) -> float:
    """Plug-in hockey-stick divergence over half-lines: greatest over observables and directions."""
    weights = [np.full((1, len(one)), 1.0 / len(one)) for one in (first, second)]
    return float(_distances((first, second), weights, epsilon)[0])


def null_distances(
    first: Float[np.ndarray, "n observables"],
    second: Float[np.ndarray, "n observables"],
    epsilon: float,
    seed: int,
) -> Float[np.ndarray, " splits"]:
    """`distance` between the halves of random splits of two draws of one law.

    Args:
        first: observables of the models of one draw.
        second: of the other, as many.
        epsilon: of the divergence.
        seed: of the splits.
    """
    pooled = np.concatenate([first, second])
    half = len(first)
    order = np.random.default_rng(seed).random((_SPLITS, 2 * half)).argsort(axis=1)
    mine = (order < half) / half
    return _distances((pooled, pooled), [mine, 1.0 / half - mine], epsilon)


def _distances(
    samples: tuple[np.ndarray, np.ndarray], weights: list[np.ndarray], epsilon: float
) -> np.ndarray:
    sides = [divergence(p, q, math.exp(epsilon)) for p, q in masses_below(samples, weights)]
    return np.max([one for pair in sides for one in pair], axis=0)


def over_sign(margins: Float[np.ndarray, " n"], reference: Float[np.ndarray, " m"]) -> str:
    """``over``: the median is below the reference's 1 % quantile; ``under``: above its 99 %.

    Args:
        margins: median margin of each model on S.
        reference: the same of A(D∖B).
    """
    low, high = np.quantile(reference, [0.01, 0.99])
    middle = np.median(margins)
    return "over" if middle < low else "under" if middle > high else "level"


def finding(row: Row, margin: float) -> str:
    """What the predeclared rules of `Generalise` say of a row."""
    precise = row["loss_high"] <= margin
    if row["distance"] <= row["band"] and precise:
        return "success"
    if row["method"] not in NEW:
        return "not"
    if precise and row["nearer_than"] == ", ".join(BASELINES):
        return "closer"
    if row["farther_than"] or row["loss_low"] > margin:
        return "not"
    return "undetermined"


def models_needed(row: Row, margin: float) -> int | None:
    """About how many models would decide a cell that is open; None when no number can be said.

    Widths shrink like one over the root of the number of models.
    """
    ratios: list[float] = []
    if row["distance"] > row["band"] >= row["lower"]:
        ratios.append((row["distance"] - row["lower"]) / (row["distance"] - row["band"]))
    loss = max(row[f"loss_{group}"] for group in KEPT)
    if row["loss_low"] <= margin < row["loss_high"] and loss != margin:
        end = row["loss_high"] if loss < margin else row["loss_low"]
        ratios.append(abs(end - loss) / abs(margin - loss))
    if not ratios:
        return None
    return math.ceil(row["models"] * max(ratios) ** 2)


def _shown_distance(row: Row) -> str:
    return shown_interval(row["distance"], row["lower"], row["upper"])
