"""Find more of a behaviour, or rely on generalisation: what an unlearner is worth in examples."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import ClassVar, NamedTuple

import jax
import numpy as np
from jaxtyping import Float

import oracles
from audits.memorization import Estimate
from audits.resampling import drawn_shares
from estimators.checks import check_counts, check_within
from indist.studies._cells import finished_cell
from indist.studies._observed import KEPT, label_rates
from indist.studies._rows import record_of, row_of
from indist.studies._shown import shown_interval
from indist.studies._study import Shown, Study, check_names
from indist.studies.efficiency._detectors import (
    DETECTORS,
    Detection,
    Found,
    detection,
    ends,
    handed,
    nested,
    planted,
)
from indist.studies.efficiency._exchange import (
    Exchange,
    Worth,
    equal_discovery,
    exchanged,
    monotone,
    shown_exchange,
)
from indist.studies.efficiency._exchange_shown import (
    detected,
    detected_cells,
    harm,
    needed,
)
from indist.studies.efficiency._fronts import Measured, max_t, measured, sign_of
from indist.studies.efficiency._rows import ArmRow, ComparisonRow, Gaps, Preferred
from oracles import Observations, Population, Scenario

_NAMED: Mapping[str, Preferred] = {
    "larger": "generalise",
    "smaller": "find more",
    "undetermined": "undetermined",
}


class _Arm(NamedTuple):
    """What is handed over, and what is done with it."""

    discovery: float
    set: str
    found: Found
    method: str


class MeasuredArm(NamedTuple):
    """What was measured of an arm.

    Attributes:
        discovery: γ as it was asked for.
        set: what was handed over.
        method: what was done with it.
        found: γ after rounding.
        measured: of its population.
        detection: how right what was handed over is; None for the original.
    """

    discovery: float
    set: str
    method: str
    found: float
    measured: Measured
    detection: Detection | None = None


@dataclass(frozen=True)
class ExchangeRate(Study[ArmRow | ComparisonRow]):
    """Question (iv): retraining without what was found, against unlearning it, at several γ.

    S is a random part of B, nested over γ; Ŝ is S and what a detector adds, which looks at one
    original trained apart. Arms are exact retraining without S or Ŝ, and each method on S or Ŝ;
    an oracle's Ŝ holds all of B and a share of clean examples. An arm's *gap* on a probe group is
    the difference to A(D∖B) in the mean probability of its labels; the audit's divergence is in the
    table too, but at 1 almost everywhere.

    The exchange rate of an arm at γ is the Δ for which retraining without a random γ + Δ of B has
    the same |gap| on fresh instances of the behaviour: the gaps of retraining, from the original at
    γ = 0 on, are made monotone, taken as straight between the γ there are, and the least γ is
    taken. Where retraining without the greatest of them is still farther from A(D∖B), no γ < 1 is
    said to match. It counts the behaviour alone. So methods on S are also compared with
    retraining without each Ŝ by the greatest |gap| over all groups: "find more" where retraining
    is nearer to A(D∖B), "generalise" where the method is.

    All statements hold at once with the given confidence, a third of the level for each kind:
    exchange rates by bootstrap percentiles (Bonferroni over them all); gaps and rates of the arms,
    and comparisons, by max-t in each scenario (Bonferroni over scenarios). Models are resampled,
    and methods share the originals; S, Ŝ and the data are as they are.

    Attributes:
        models: models in each population, at least 2.
        discoveries: γ at which methods and detectors run, each in (0, 1).
        curve: further γ at which only retraining runs, each in (0, 1).
        methods: keys of `oracles.unlearners.UNLEARNERS`, at their defaults. NPO and Potion were
            chosen from the table of all algorithms, for leaving little of the behaviour in both
            scenarios at γ = 0.5: what they are worth is that of good methods, not of any.
        detectors: keys of `DETECTORS`.
        contamination: shares of clean examples in what the oracle adds, each in [0, 1).
        epsilon: of the divergence.
        confidence: of the whole study, in (0, 1).
        draws: of the bootstrap.
        seed: of data, S and populations; arms take the next one.
        scenarios: names.
    """

    question: ClassVar = "Find more of the behaviour, or rely on generalisation?"
    quick: ClassVar = {
        "models": 32,
        "discoveries": (0.25,),
        "curve": (0.75, 0.95),
        "contamination": (0.5,),
        "detectors": ("features",),
        "scenarios": ("digits-trigger",),
    }
    kinds: ClassVar = (ArmRow, ComparisonRow)
    names: ClassVar = ("scenario", "discovery", "part", "set", "method")
    columns: ClassVar = (
        *(*names, "models", "found", *Detection._fields, "finding"),
        *(
            f"{name}{end}"
            for name in (
                *("exchange", "rate", "gap_behaviour_test", "gap_near", "gap_retain", "gap_test"),
                *("difference", "behaviour_distance", "kept_distance"),
            )
            for end in ("", "_low", "_high")
        ),
        "models_needed",
    )

    models: int = 128
    discoveries: tuple[float, ...] = (0.1, 0.25, 0.5)
    curve: tuple[float, ...] = (0.75, 0.9, 0.95, 0.975)
    methods: tuple[str, ...] = ("npo", "potion")
    detectors: tuple[str, ...] = tuple(DETECTORS)
    contamination: tuple[float, ...] = (0.0, 0.1, 0.25, 0.5)
    epsilon: float = 1.0
    confidence: float = 0.95
    draws: int = 20_000
    seed: int = 0
    scenarios: tuple[str, ...] = ("circles", "digits-trigger")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(draws=self.draws, discoveries=len(self.discoveries))
        check_counts(least=2, models=self.models)
        for name in ("discoveries", "curve"):
            for share in getattr(self, name):
                check_within("(0, 1]", **{name: share})
                if share == 1.0:
                    raise ValueError(f"{name}: expected fractions below 1, found 1")
        for share in self.contamination:
            check_within("[0, 1]", contamination=share)
            if share == 1.0:
                raise ValueError("contamination: expected shares below 1, found 1")
        check_names("detectors", self.detectors, DETECTORS, "some of")
        check_names("methods", self.methods, oracles.unlearners.UNLEARNERS, "some of")

    def run(self, folder: Path) -> Iterator[ArmRow | ComparisonRow]:
        """For each scenario rows of arms and of comparisons; see `Study.run`."""
        for name in self.scenarios:
            # Compiled programs are kept in memory maps, of which a process may have only so many.
            jax.clear_caches()
            yield from self._of(folder, name)

    def _of(self, folder: Path, name: str) -> list[ArmRow | ComparisonRow]:
        """The rows of one scenario."""
        plain = oracles.scenarios.load(name, seed=self.seed)
        original, unlearning = ends(plain, models=self.models, seed=self.seed, folder=folder)
        reference = unlearning.observe(plain.probes)
        first = measured(original.observe(plain.probes), reference, epsilon=self.epsilon)
        arms = [MeasuredArm(0.0, "none", "original", 0.0, first)]
        for arm in self._arms(plain):
            unlearner = oracles.unlearners.UNLEARNERS[arm.method]()
            cell = finished_cell(
                folder / "cells" / f"{name} {arm.discovery:g}" / arm.set / f"{arm.method}.json",
                {
                    "models": self.models,
                    "seed": self.seed,
                    "epsilon": self.epsilon,
                    "scenario": plain.digest,
                    "found": arm.found.tolist(),
                    "method": arm.method,
                    "method_settings": asdict(unlearner),
                },
                lambda arm=arm: record_of(self._cell(arm, plain, original, reference)),
            )
            found = nested(plain.behaviour, arm.discovery, self.seed)
            arms.append(
                MeasuredArm(
                    arm.discovery,
                    arm.set,
                    arm.method,
                    len(found) / len(plain.behaviour),
                    row_of(Measured, cell),
                    detection(plain, found, arm.found),
                )
            )
        return self._judged(name, arms, label_rates(reference))

    def _arms(self, plain: Scenario) -> Iterator[_Arm]:
        """Everything that is done in one scenario."""
        every = ("retrain", *self.methods)
        parts = {
            share: nested(plain.behaviour, share, self.seed)
            for share in sorted({*self.discoveries, *self.curve})
        }
        for share, found in parts.items():
            for method in every if share in self.discoveries else ("retrain",):
                yield _Arm(share, "S", found, method)
        auditor = oracles.train(plain, "nothing", stream="auditor", models=1, seed=self.seed)
        params = jax.tree.map(lambda leaf: leaf[0], auditor.parameters())
        for share, name in product(self.discoveries, self.detectors):
            found = DETECTORS[name](plain.train, parts[share], plain.learner, params)
            for method in every:
                yield _Arm(share, name, found, method)
        share = self.discoveries[0]
        for clean in self.contamination:
            found = planted(plain, parts[share], precision=1 - clean, recall=1.0, seed=self.seed)
            for method in every:
                yield _Arm(share, f"oracle, {100 * clean:g} % clean", found, method)

    def _cell(
        self, arm: _Arm, plain: Scenario, original: Population, reference: Observations
    ) -> Measured:
        if arm.method == "retrain":
            submission = oracles.train(
                plain,
                arm.found.tolist(),
                stream=f"retrain/{arm.set}/{arm.discovery:g}",
                models=self.models,
                seed=self.seed + 1,
            )
        else:
            world = handed(plain, arm.found)
            submission = oracles.unlearn(world, original, method=arm.method, seed=self.seed + 1)
        return measured(submission.observe(plain.probes), reference, epsilon=self.epsilon)

    def _judged(
        self,
        scenario: str,
        arms: Sequence[MeasuredArm],
        reference: Float[np.ndarray, "models 4"],
    ) -> list[ArmRow | ComparisonRow]:
        """Arms with intervals and exchange rates, and comparisons, of one scenario."""
        third = (1.0 - self.confidence) / 3.0
        level = third / len(self.scenarios)
        rng = np.random.default_rng(self.seed)
        # Methods share the resampled originals; every other population has models of its own.
        shared = drawn_shares(self.models, self.draws, rng)
        middle = reference.mean(axis=0)
        own = drawn_shares(self.models, self.draws, rng) @ reference
        rates, drawn = [], []
        for arm in arms:
            each = np.array(arm.measured.rates)
            alone = arm.method == "retrain"
            weights = drawn_shares(self.models, self.draws, rng) if alone else shared
            rates.append(each.mean(axis=0))
            drawn.append(weights @ each)
        gaps, gap_draws = np.stack(rates) - middle, np.stack(drawn, axis=1) - own[:, None]

        with_rates = [np.stack(rates)[:, :1], gaps]
        with_rate_draws = [np.stack(drawn, axis=1)[..., :1], gap_draws]
        values = np.concatenate(with_rates, axis=-1)
        bounds = max_t(
            values.ravel(),
            np.concatenate(with_rate_draws, axis=-1).reshape(self.draws, -1),
            1.0 - level,
        )
        low, high = bounds.low.reshape(values.shape), bounds.high.reshape(values.shape)
        exchanges = self._exchanges(arms, gaps, gap_draws, third)
        rows: list[ArmRow | ComparisonRow] = []
        for k, arm in enumerate(arms):
            exchange, worth = exchanges.get(k, (Exchange(), None))
            rate, *group_gaps = (
                Estimate(*map(float, numbers))
                for numbers in zip(values[k], low[k], high[k], strict=True)
            )
            rows.append(
                ArmRow(
                    scenario=scenario,
                    discovery=arm.discovery,
                    set=arm.set,
                    method=arm.method,
                    models=self.models,
                    found=arm.found,
                    detection=arm.detection,
                    finding=worth,
                    exchange=exchange,
                    rate=rate,
                    gap=Gaps(*group_gaps),
                    behaviour_distance=arm.measured.behaviour_distance,
                    kept_distance=arm.measured.kept_distance,
                )
            )
        return rows + self._compared(scenario, arms, gaps, gap_draws, 1.0 - level)

    def _exchanges(
        self,
        arms: Sequence[MeasuredArm],
        gaps: Float[np.ndarray, "arms 4"],
        drawn: Float[np.ndarray, "draws arms 4"],
        level: float,
    ) -> dict[int, tuple[Exchange, Worth]]:
        """Exchange rates of methods on S and of retraining without each Ŝ, by place of the arm."""
        on_line = [(arm.set, arm.method) == ("S", "retrain") for arm in arms]
        line = [0, *np.flatnonzero(on_line).tolist()]
        gammas = np.array([arms[k].found for k in line])
        far, far_draws = np.abs(gaps[:, 0]), np.abs(drawn[..., 0])
        fitted = monotone(far[None, line])
        fitted_draws = monotone(far_draws[:, line])
        count = len(self.scenarios) * len(self.discoveries)
        count *= len(self.methods) + len(self.detectors)
        return {
            k: exchanged(
                arm.found,
                equal_discovery(gammas, fitted, far[None, k])[0],
                equal_discovery(gammas, fitted_draws, far_draws[:, k]),
                level / count,
            )
            for k, arm in enumerate(arms)
            if (arm.set == "S" and arm.method in self.methods)
            or (arm.set in self.detectors and arm.method == "retrain")
        }

    def _compared(
        self,
        scenario: str,
        arms: Sequence[MeasuredArm],
        gaps: Float[np.ndarray, "arms 4"],
        drawn: Float[np.ndarray, "draws arms 4"],
        confidence: float,
    ) -> list[ComparisonRow]:
        """Retraining without each Ŝ against each method on S."""
        place = {(arm.discovery, arm.set, arm.method): k for k, arm in enumerate(arms)}
        cases = list(product(self.discoveries, self.detectors, self.methods))
        worst, worst_draws = np.abs(gaps).max(axis=-1), np.abs(drawn).max(axis=-1)
        first = [place[share, detector, "retrain"] for share, detector, _ in cases]
        second = [place[share, "S", method] for share, _, method in cases]
        values = worst[first] - worst[second]
        bounds = max_t(values, worst_draws[:, first] - worst_draws[:, second], confidence)
        rows: list[ComparisonRow] = []
        for k, (share, detector, method) in enumerate(cases):
            difference = Estimate(float(values[k]), float(bounds.low[k]), float(bounds.high[k]))
            sign = sign_of(difference, self.models)
            rows.append(
                ComparisonRow(
                    scenario=scenario,
                    discovery=share,
                    set=detector,
                    method=f"retrain against {method} on S",
                    models=self.models,
                    finding=_NAMED[sign.finding],
                    difference=difference,
                    models_needed=sign.models_needed,
                )
            )
        return rows

    def _shown(self, rows: list[ArmRow | ComparisonRow]) -> Shown:
        parts: dict[str, list[dict[str, str]]] = {}
        for row in rows:
            line = {"γ": f"{row.discovery:g}", "handed over": row.set, "method": row.method}
            if isinstance(row, ArmRow):
                parts.setdefault(f"{row.scenario}: arms", []).append(
                    line
                    | detected_cells(row.detection)
                    | {"rate of the behaviour": shown_interval(*row.rate)}
                    | {f"gap on {g}": shown_interval(*getattr(row.gap, g)) for g in KEPT}
                    | {
                        "divergence on the behaviour": shown_interval(*row.behaviour_distance),
                        "worth in γ": shown_exchange(row.exchange) if row.finding else "",
                    }
                )
            else:
                parts.setdefault(f"{row.scenario}: greatest gap, retrain less method", []).append(
                    line | {"difference": shown_interval(*row.difference), "finding": row.finding}
                )
        return parts

    def _answer(self, rows: list[ArmRow | ComparisonRow]) -> tuple[str, ...]:
        sentences = [
            f"With {100 * self.confidence:g} % confidence, all of this at once, on this data and "
            "this draw of S:"
        ]
        arms = [row for row in rows if isinstance(row, ArmRow)]
        compared = [row for row in rows if isinstance(row, ComparisonRow)]
        worth: dict[tuple[str, str], list[str]] = {}
        for row in arms:
            if row.finding:
                subject = (
                    f"retraining without what the detector {row.set} names as well"
                    if row.method == "retrain"
                    else f"{row.method} on S"
                )
                worth.setdefault((row.scenario, subject), []).append(
                    f"at γ = {row.discovery:g} {shown_exchange(row.exchange)}{detected(row)}"
                )
        for (scenario, subject), texts in worth.items():
            sentences.append(
                f"In {scenario}, on the behaviour alone, {subject} is worth this much more of B: "
                + "; ".join(texts)
                + "."
            )
        for finding in _NAMED.values():
            chosen = [row for row in compared if row.finding == finding]
            if chosen:
                listed = "; ".join(
                    f"{row.scenario} γ = {row.discovery:g} {row.set}, "
                    f"{row.method.removeprefix('retrain ')}{needed(row)}"
                    for row in chosen
                )
                sentences.append(
                    f'By the greatest gap of all groups, "{finding}" in {len(chosen)} of '
                    f"{len(compared)}: {listed}."
                )
        sentences += harm(arms)
        return tuple(sentences)
