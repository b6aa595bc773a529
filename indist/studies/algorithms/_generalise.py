"""Do unlearners that are built to generalise beyond S reach A(D∖B)?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

import jax
import numpy as np

import oracles
from audits.memorization import Estimate
from audits.verdict import EVENTS, LOWER, median_margins
from estimators import delta_lower_bound, delta_upper_bound
from estimators.checks import check_counts, check_within
from indist.studies._cells import finished_cell
from indist.studies._estimates import models_to_narrow
from indist.studies._methods import method_settings
from indist.studies._observed import GONE, KEPT, label_rate, share_right
from indist.studies._rows import StudyRow
from indist.studies._shown import shown_ends, shown_interval
from indist.studies._study import Shown, Study, check_names
from indist.studies.algorithms._null_band import distance, null_distances, over_sign
from oracles import Observations

NEW = ("prototype-subtraction", "influence-expanded", "matched-stopping")
BASELINES = ("potion", "rem", "npo")
CONTROLS = ("identity", "retrain")
DEVELOPMENT = ("digits-trigger", "circles")
HELD_OUT = ("digits-swap", "digits-subclass")
FEW = 0.25
"""The greatest γ at which the predeclared success is asked for."""
_DRAWS = 20_000


CellFinding = Literal["success", "closer", "not", "undetermined"]


class Loss(NamedTuple):
    """Precision loss on each group of probes, and bounds of the worst of the three."""

    near: float
    retain: float
    test: float
    low: float
    high: float

    @property
    def worst(self) -> float:
        """The greatest of the three."""
        return max(self.near, self.retain, self.test)


@dataclass(frozen=True, kw_only=True)
class GeneralisationRow(StudyRow):
    """A method in a construction at one γ.

    Attributes:
        scenario: the construction.
        discovery: γ.
        models: in each population.
        method: of unlearning.
        distance: to A(D∖B).
        lower: bound of it.
        upper: bound of it.
        band: the null band's end.
        null_distance: distance of a second draw of A(D∖B).
        rate: mean probability of the behaviour's label on fresh probes.
        graded: the rate on the scale from A(D∖B) to O; None where the two do not differ.
        nearer_than: baselines that a new method is shown to be nearer than; None for others.
        farther_than: baselines that it is shown to be farther than.
        loss: of precision.
        on_S: whether S is ``over``-unlearned, ``under``, or ``level``.
        finding: by the predeclared rules.
    """

    scenario: str
    discovery: float
    models: int
    method: str
    distance: float
    lower: float
    upper: float
    band: float
    null_distance: float
    rate: float
    graded: Estimate | None = None
    nearer_than: str | None = None
    farther_than: str | None = None
    loss: Loss
    on_S: str
    finding: CellFinding

    @property
    def shown_distance(self) -> str:
        """The distance with its bounds, for people."""
        return shown_interval(self.distance, self.lower, self.upper)


class Graded(NamedTuple):
    """Rates on fresh probes and precision of a method, with bootstrap bounds.

    Attributes:
        rate: as in a row.
        graded: as in a row.
        nearer_than: as in a row.
        farther_than: as in a row.
        loss: as in a row.
    """

    rate: float
    graded: Estimate | None
    nearer_than: str | None
    farther_than: str | None
    loss: Loss


@dataclass(frozen=True)
class Generalise(Study[GeneralisationRow]):
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
    kinds: ClassVar = (GeneralisationRow,)
    names: ClassVar = ("scenario", "discovery", "method")

    models: int = 128
    discoveries: tuple[float, ...] = (0.1, 0.25, 0.5)
    epsilon: float = 1.0
    margin: float = 0.05
    confidence: float = 0.95
    seed: int = 0
    scenarios: tuple[str, ...] = (*DEVELOPMENT, *HELD_OUT)

    def __post_init__(self) -> None:
        super().__post_init__()
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

    def run(self, folder: Path) -> Iterator[GeneralisationRow]:
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
                    "methods": {method: method_settings(method) for method in methods},
                }
                cell = finished_cell(
                    folder / "cells" / name / f"{gamma}.json",
                    settings,
                    lambda base=base, gamma=gamma: {
                        "rows": [row.record() for row in self._rows(folder, base, gamma)]
                    },
                )
                yield from self.typed(cell["rows"])

    def _rows(self, folder: Path, base: oracles.Scenario, gamma: float) -> list[GeneralisationRow]:
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
        populations = {
            "original": original,
            "unlearning": trained("unlearning", "behaviour"),
            "again": trained("unlearning again", "behaviour"),
        }
        for method in (*CONTROLS, *BASELINES, *NEW):
            populations[method] = oracles.unlearn(
                world, original, method=method, seed=self.seed + 1
            )
        observed = {
            name: population.observe(world.probes) for name, population in populations.items()
        }
        return self._compared(base.name, gamma, observed)

    def _compared(
        self, scenario: str, gamma: float, observed: Mapping[str, Observations]
    ) -> list[GeneralisationRow]:
        """A row a method, from what was observed of it, of O and of two draws of A(D∖B)."""
        methods = [name for name in observed if name not in ("original", "unlearning", "again")]
        margins = {name: median_margins(seen).values for name, seen in observed.items()}
        reference = margins["unlearning"]
        null = null_distances(reference, margins["again"], self.epsilon, self.seed)
        graded = self._graded(observed, methods)
        each = 1.0 - self.level / reference.shape[1]
        rows: list[GeneralisationRow] = []
        for method in methods:
            pair, epsilon = (margins[method], reference), self.epsilon
            lower = delta_lower_bound(*pair, epsilon=epsilon, confidence=each, method=LOWER)
            upper = delta_upper_bound(
                *pair, epsilon=epsilon, confidence=1 - self.level, events=EVENTS
            )
            row = GeneralisationRow(
                scenario=scenario,
                discovery=gamma,
                models=self.models,
                method=method,
                distance=distance(*pair, epsilon),
                lower=float(np.max(lower.bound)),
                upper=float(np.max(upper.bound)),
                band=float(np.quantile(null, 0.95)),
                null_distance=distance(margins["again"], reference, epsilon),
                **graded[method]._asdict(),
                on_S=over_sign(margins[method][:, 0], reference[:, 0]),
                finding="undetermined",
            )
            rows.append(replace(row, finding=finding(row, self.margin)))
        return rows

    def _graded(
        self, observed: Mapping[str, Observations], methods: Sequence[str]
    ) -> dict[str, Graded]:
        """Rates on fresh probes and precision, each with bootstrap bounds, by method."""
        rng = np.random.default_rng(self.seed)
        models = self.models
        even = np.full(models, 1.0 / models)
        # O and what was made of it are drawn together, A(D∖B) apart.
        paired, apart = (rng.multinomial(models, even, size=_DRAWS) / models for _ in range(2))
        rates = {name: label_rate(seen, GONE) for name, seen in observed.items()}
        base = apart @ rates["unlearning"]
        spread = paired @ rates["original"] - base
        scale = rates["original"].mean() - rates["unlearning"].mean()
        gaps = {name: np.abs(paired @ rates[name] - base) for name in methods}
        tail = self.level / 2 / max(len(BASELINES), len(KEPT))
        side = (1.0 - self.confidence) / 2
        found: dict[str, Graded] = {}
        for name in methods:
            graded, nearer, farther = None, None, None
            # Without a difference between O and A(D∖B) there is no scale.
            if spread.min() > 0:
                scaled = (paired @ rates[name] - base) / spread
                graded = Estimate(
                    float((rates[name].mean() - rates["unlearning"].mean()) / scale),
                    *(float(np.quantile(scaled, quantile)) for quantile in (side, 1 - side)),
                )
            if name in NEW:
                ahead = {k: np.quantile(gaps[k] - gaps[name], [tail, 1 - tail]) for k in BASELINES}
                nearer = ", ".join(k for k in BASELINES if ahead[k][0] > 0)
                farther = ", ".join(k for k in BASELINES if ahead[k][1] < 0)
            losses: list[float] = []
            bounds: list[np.ndarray] = []
            for group in KEPT:
                own, wanted = (share_right(observed[n], group) for n in (name, "unlearning"))
                losses.append(float(wanted.mean() - own.mean()))
                bounds.append(np.quantile(apart @ wanted - paired @ own, [tail, 1 - tail]))
            ends = (float(end) for end in np.max(bounds, axis=0))
            found[name] = Graded(
                float(rates[name].mean()), graded, nearer, farther, Loss(*losses, *ends)
            )
        return found

    def _shown(self, rows: list[GeneralisationRow]) -> Shown:
        parts: dict[str, list[dict[str, str]]] = {}
        for row in rows:
            kind = "held out" if row.scenario in HELD_OUT else "development"
            title = (
                f"{row.scenario} ({kind}), γ = {row.discovery:g}: null band up to {row.band:.2f}"
            )
            parts.setdefault(title, []).append(
                {
                    "method": row.method,
                    "to A(D∖B)": row.shown_distance,
                    "graded": shown_interval(*row.graded) if row.graded else "undetermined",
                    "precision loss": shown_ends(row.loss.low, row.loss.high),
                    "on S": row.on_S,
                    "finding": row.finding,
                }
            )
        return parts

    def _answer(self, rows: list[GeneralisationRow]) -> tuple[str, ...]:
        sentences: list[str] = []
        for method in NEW:
            own = [row for row in rows if row.method == method]
            asked = [row for row in own if row.scenario in HELD_OUT and row.discovery <= FEW]
            sentences.append(f"{method} {self._generalises(asked)}.")
            if own:
                count = {
                    kind: sum(row.finding == kind for row in own)
                    for kind in ("success", "closer", "not", "undetermined")
                }
                total = ", ".join(f"{kind} in {times}" for kind, times in count.items() if times)
                over = sum(row.on_S == "over" for row in own)
                sentences.append(
                    f"{method}, all {len(own)} cells: {total}; over-unlearned on S in {over}."
                )
        for kind, names in (("Baselines", BASELINES), ("Controls", CONTROLS)):
            total = ", ".join(
                f"{name} {sum(row.finding == 'success' for row in own)} of {len(own)}"
                for name in names
                if (own := [row for row in rows if row.method == name])
            )
            sentences.append(f"{kind}, cells within the null band and the margin: {total}.")
        return tuple(sentences)

    def _generalises(self, asked: Sequence[GeneralisationRow]) -> str:
        """What the predeclared rule says of a method's held-out cells at small γ."""
        where = "held-out constructions at γ ≤ 0.25"
        if {row.scenario for row in asked} != set(HELD_OUT):
            return f"was not measured on all {where}"
        if all(row.finding == "success" for row in asked):
            return f"generalises: a success in all {len(asked)} cells of {where}"
        lost = [
            f"{row.scenario} at γ = {row.discovery:g} (distance {row.shown_distance}, "
            f"band {row.band:.2f}, precision loss {shown_ends(row.loss.low, row.loss.high)})"
            for row in asked
            if row.lower > row.band or row.loss.low > self.margin
        ]
        if lost:
            return f"does not generalise on {where}: it is beyond them in {'; '.join(lost)}"
        needed = [n for row in asked if (n := models_needed(row, self.margin)) is not None]
        forecast = f"; about {max(needed)} models would decide" if needed else ""
        return f"is undetermined on {where}{forecast}"


def finding(row: GeneralisationRow, margin: float) -> CellFinding:
    """What the predeclared rules of `Generalise` say of a row, whatever it holds as its finding."""
    precise = row.loss.high <= margin
    if row.distance <= row.band and precise:
        return "success"
    if row.method not in NEW:
        return "not"
    if precise and row.nearer_than == ", ".join(BASELINES):
        return "closer"
    return "not" if row.farther_than or row.loss.low > margin else "undetermined"


def models_needed(row: GeneralisationRow, margin: float) -> int | None:
    """About how many models would decide a cell that is open; None when no number can be said.

    Widths shrink like one over the root of the number of models.
    """
    needed: list[int | None] = []
    if row.distance > row.band >= row.lower:
        side, room = row.distance - row.lower, row.distance - row.band
        needed.append(models_to_narrow(side, room, row.models))
    loss = row.loss.worst
    if row.loss.low <= margin < row.loss.high:
        end = row.loss.high if loss < margin else row.loss.low
        needed.append(models_to_narrow(abs(end - loss), abs(margin - loss), row.models))
    return max((models for models in needed if models is not None), default=None)
