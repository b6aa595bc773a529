"""Find more of a behaviour, or rely on generalisation: what an unlearner is worth in examples."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import jax
import numpy as np
from jaxtyping import Float
from scipy.optimize import isotonic_regression

import oracles
from estimators.checks import check_counts, check_within
from indist.studies._cells import Row, finished_cell
from indist.studies._shown import shown_range
from indist.studies._study import Study
from indist.studies.efficiency._detectors import (
    DETECTORS,
    Found,
    detection,
    ends,
    handed,
    nested,
    planted,
)
from indist.studies.efficiency._fronts import (
    GROUPS,
    KEPT,
    decided,
    label_rates,
    max_t,
    measured,
    resampling,
    with_ends,
)
from oracles import Observations, Population, Scenario

if TYPE_CHECKING:
    import pandas as pd

_NAMED = {"larger": "generalise", "smaller": "find more", "undetermined": "undetermined"}


class _Arm(NamedTuple):
    """What is handed over, and what is done with it."""

    discovery: float
    set: str
    found: Found
    method: str


@dataclass(frozen=True)
class ExchangeRate(Study):
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
    names: ClassVar = ("scenario", "discovery", "part", "set", "method")

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
        check_counts(draws=self.draws, discoveries=len(self.discoveries))
        if self.models < 2:
            raise ValueError(f"models: expected at least 2, found {self.models}")
        for name in ("discoveries", "curve"):
            for share in getattr(self, name):
                check_within("(0, 1]", **{name: share})
                if share == 1.0:
                    raise ValueError(f"{name}: expected fractions below 1, found 1")
        for share in self.contamination:
            check_within("[0, 1]", contamination=share)
            if share == 1.0:
                raise ValueError("contamination: expected shares below 1, found 1")
        known = {"detectors": DETECTORS, "methods": oracles.unlearners.UNLEARNERS}
        for setting, there in known.items():
            for name in getattr(self, setting):
                if name not in there:
                    raise ValueError(
                        f"{setting}: expected some of {', '.join(there)}, found {name!r}"
                    )

    def run(self, folder: Path) -> Iterator[Row]:
        """For each scenario rows of arms and of comparisons; see `Study.run`."""
        for name in self.scenarios:
            # Compiled programs are kept in memory maps, of which a process may have only so many.
            jax.clear_caches()
            about = {"scenario": name, "models": self.models}
            yield from (about | row for row in self._of(folder, name))

    def _of(self, folder: Path, name: str) -> list[Row]:
        """The rows of one scenario."""
        plain = oracles.scenarios.load(name, seed=self.seed)
        original, unlearning = ends(plain, models=self.models, seed=self.seed, folder=folder)
        reference = unlearning.observe(plain.probes)
        first: Row = {"part": "arm", "discovery": 0.0, "set": "none", "method": "original"}
        first |= {"found": 0.0}
        rows = [first | measured(original.observe(plain.probes), reference, epsilon=self.epsilon)]
        for arm in self._arms(plain):
            unlearner = oracles.unlearners.UNLEARNERS[arm.method]()
            row = finished_cell(
                folder / "cells" / f"{name} {arm.discovery:g}" / arm.set / f"{arm.method}.json",
                {field: getattr(self, field) for field in ("models", "seed", "epsilon")}
                | {
                    "scenario": plain.digest,
                    "found": arm.found.tolist(),
                    "method": arm.method,
                    "method_settings": asdict(unlearner),
                },
                lambda arm=arm: self._cell(arm, plain, original, reference),
            )
            named: Row = {"discovery": arm.discovery, "set": arm.set, "method": arm.method}
            found = nested(plain.behaviour, arm.discovery, self.seed)
            named["found"] = len(found) / len(plain.behaviour)
            rows.append({"part": "arm"} | named | detection(plain, found, arm.found) | row)
        return self._judged(rows, label_rates(reference))

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
        one = oracles.train(plain, "nothing", stream="auditor", models=1, seed=self.seed)
        params = jax.tree.map(lambda leaf: leaf[0], one.parameters())
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
    ) -> Row:
        if arm.method == "retrain":
            made = oracles.train(
                plain,
                arm.found.tolist(),
                stream=f"retrain/{arm.set}/{arm.discovery:g}",
                models=self.models,
                seed=self.seed + 1,
            )
        else:
            world = handed(plain, arm.found)
            made = oracles.unlearn(world, original, method=arm.method, seed=self.seed + 1)
        return measured(made.observe(plain.probes), reference, epsilon=self.epsilon)

    def _judged(self, rows: list[Row], reference: Float[np.ndarray, "models 4"]) -> list[Row]:
        """Arms with intervals and exchange rates, and comparisons, of one scenario."""
        third = (1.0 - self.confidence) / 3.0
        level = third / len(self.scenarios)
        rng = np.random.default_rng(self.seed)
        # Methods share the resampled originals; every other population has models of its own.
        shared = resampling(self.models, self.draws, rng)
        middle = reference.mean(axis=0)
        own = resampling(self.models, self.draws, rng) @ reference
        rates, drawn = [], []
        for row in rows:
            each = np.array(row.pop("rates"))
            alone = row["method"] == "retrain"
            weights = resampling(self.models, self.draws, rng) if alone else shared
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
        for k, row in enumerate(rows):
            for j, name in enumerate(("rate", *(f"gap_{group}" for group in GROUPS))):
                row |= with_ends(name, values[k, j], low[k, j], high[k, j])

        at = {(row["discovery"], row["set"], row["method"]): k for k, row in enumerate(rows)}
        line = [0, *(k for (_, which, how), k in at.items() if (which, how) == ("S", "retrain"))]
        gammas = np.array([rows[k]["found"] for k in line])
        far, far_draws = np.abs(gaps[:, 0]), np.abs(gap_draws[..., 0])
        fitted = monotone(far[None, line])
        fitted_draws = monotone(far_draws[:, line])
        count = len(self.scenarios) * len(self.discoveries)
        count *= len(self.methods) + len(self.detectors)
        for k, row in enumerate(rows):
            on_s = row["set"] == "S" and row["method"] in self.methods
            if not on_s and not (row["set"] in self.detectors and row["method"] == "retrain"):
                continue
            row |= exchanged(
                row["found"],
                equal_discovery(gammas, fitted, far[None, k])[0],
                equal_discovery(gammas, fitted_draws, far_draws[:, k]),
                third / count,
            )
        return rows + self._compared(at, gaps, gap_draws, 1.0 - level)

    def _compared(
        self,
        at: Mapping[tuple[float, str, str], int],
        gaps: Float[np.ndarray, "arms 4"],
        drawn: Float[np.ndarray, "draws arms 4"],
        confidence: float,
    ) -> list[Row]:
        """Retraining without each Ŝ against each method on S."""
        cases = list(product(self.discoveries, self.detectors, self.methods))
        worst, worst_draws = np.abs(gaps).max(axis=-1), np.abs(drawn).max(axis=-1)
        first = [at[share, detector, "retrain"] for share, detector, _ in cases]
        second = [at[share, "S", method] for share, _, method in cases]
        values = worst[first] - worst[second]
        bounds = max_t(values, worst_draws[:, first] - worst_draws[:, second], confidence)
        rows: list[Row] = []
        for k, (share, detector, method) in enumerate(cases):
            value, low, high = float(values[k]), float(bounds.low[k]), float(bounds.high[k])
            found = decided(value, low, high, self.models)
            rows.append(
                {
                    "part": "comparison",
                    "discovery": share,
                    "set": detector,
                    "method": f"retrain against {method} on S",
                }
                | with_ends("difference", value, low, high)
                | found
                | {"finding": _NAMED[found["finding"]]}
            )
        return rows

    def table(self, rows: list[Row]) -> "pd.DataFrame":
        """The rows as a data frame, columns in a fixed order.

        Args:
            rows: from `run`.

        Returns:
            ``scenario``, ``discovery``, ``part`` (``arm`` or ``comparison``), ``set``, ``method``,
            ``models``; ``found``, γ after rounding; ``added``, ``precision`` and ``recall`` of what
            a detector added; ``finding``; ``exchange`` with ``_low`` and ``_high``, missing where
            no γ < 1 matches;
            ``rate`` of the behaviour on fresh instances and ``gap_GROUP`` to A(D∖B), with ends;
            ``difference`` of the greatest gaps, with ends; ``behaviour_distance`` and
            ``kept_distance`` with 95 % intervals, each by itself; ``models_needed``.
        """
        import pandas as pd

        ranged = ["exchange", "rate", *(f"gap_{group}" for group in GROUPS), "difference"]
        ranged += ["behaviour_distance", "kept_distance"]
        head = [*self.names, "models", "found", "added", "precision", "recall", "finding"]
        columns = [f"{name}{end}" for name in ranged for end in ("", "_low", "_high")]
        return pd.DataFrame(rows, columns=[*head, *columns, "models_needed"])

    def shown(self, rows: list[Row]) -> Mapping[str, list[dict[str, str]]]:
        """A table of arms and one of comparisons for each scenario."""
        parts: dict[str, list[dict[str, str]]] = {}
        for row in rows:
            named = {"γ": f"{row['discovery']:g}", "handed over": row["set"]}
            named["method"] = row["method"]
            if row["part"] == "arm":
                right = {
                    name: f"{100 * row[name]:.0f}" if row.get(name) is not None else ""
                    for name in ("precision", "recall")
                }
                parts.setdefault(f"{row['scenario']}: arms", []).append(
                    named
                    | {f"{name} of what was added, %": text for name, text in right.items()}
                    | {"rate of the behaviour": shown_range(row, "rate")}
                    | {f"gap on {group}": shown_range(row, f"gap_{group}") for group in KEPT}
                    | {
                        "divergence on the behaviour": shown_range(row, "behaviour_distance"),
                        "worth in γ": shown_exchange(row) if "finding" in row else "",
                    }
                )
            else:
                parts.setdefault(
                    f"{row['scenario']}: greatest gap, retrain less method", []
                ).append(
                    named
                    | {"difference": shown_range(row, "difference"), "finding": row["finding"]}
                )
        return parts

    def answer(self, rows: list[Row]) -> tuple[str, ...]:
        """What methods and detectors are worth, which of them to rely on, and what errors cost."""
        sentences = [
            f"With {100 * self.confidence:g} % confidence, all of this at once, on this data and "
            "this draw of S:"
        ]
        worth: dict[tuple[str, str], list[str]] = {}
        for row in rows:
            if row["part"] == "arm" and "finding" in row:
                what = row["set"] if row["method"] == "retrain" else row["method"]
                subject = (
                    f"retraining without what the detector {what} names as well"
                    if row["method"] == "retrain"
                    else f"{what} on S"
                )
                worth.setdefault((row["scenario"], subject), []).append(
                    f"at γ = {row['discovery']:g} {shown_exchange(row)}{_detected(row)}"
                )
        for (scenario, subject), found in worth.items():
            sentences.append(
                f"In {scenario}, on the behaviour alone, {subject} is worth this much more of B: "
                + "; ".join(found)
                + "."
            )
        compared = [row for row in rows if row["part"] == "comparison"]
        for finding in _NAMED.values():
            chosen = [row for row in compared if row["finding"] == finding]
            if chosen:
                listed = "; ".join(
                    f"{row['scenario']} γ = {row['discovery']:g} {row['set']}, "
                    f"{row['method'].removeprefix('retrain ')}{_needed(row)}"
                    for row in chosen
                )
                sentences.append(
                    f'By the greatest gap of all groups, "{finding}" in {len(chosen)} of '
                    f"{len(compared)}: {listed}."
                )
        sentences += _harm(rows)
        return tuple(sentences)


def monotone(values: Float[np.ndarray, "draws grid"]) -> Float[np.ndarray, "draws grid"]:
    """Each row's nearest sequence that never rises, by least squares."""
    return np.stack([isotonic_regression(row, increasing=False).x for row in values])


def equal_discovery(
    gammas: Float[np.ndarray, " grid"],
    falling: Float[np.ndarray, "draws grid"],
    wanted: Float[np.ndarray, " draws"],
) -> Float[np.ndarray, " draws"]:
    """The least γ at which a falling broken line is at most ``wanted``.

    Args:
        gammas: increasing, from 0 on.
        falling: a line a draw, never rising.
        wanted: a number a draw.

    Returns:
        γ, or infinity where the line's end is still above.

    Example:
        >>> import numpy as np
        >>> line = np.array([[1.0, 0.8, 0.2]])
        >>> equal_discovery(np.array([0.0, 0.5, 0.9]), line, np.array([0.5])).item()
        0.7
    """
    under = falling <= wanted[:, None]
    after = np.maximum(under.argmax(axis=1), 1)
    row = np.arange(len(falling))
    top, bottom = falling[row, after - 1], falling[row, after]
    drop = np.where(top > bottom, top - bottom, 1.0)
    share = np.clip((top - wanted) / drop, 0.0, 1.0)
    found = gammas[after - 1] + share * (gammas[after] - gammas[after - 1])
    return np.where(under.any(axis=1), found, np.inf)


def exchanged(
    discovery: float, equal: float, draws: Float[np.ndarray, " draws"], level: float
) -> Row:
    """An exchange rate with its percentile interval, and what it says.

    Args:
        discovery: γ of the arm.
        equal: γ at which retraining does as well, infinite where none does.
        draws: the same of resampled models.
        level: both tails together.

    Returns:
        ``exchange`` with ends, each left out where infinite; ``finding``: ``beyond discovery`` when
        no γ < 1 matches, ``worth more`` or ``worth less`` than retraining without the same S, or
        ``undetermined``.
    """
    low = float(np.quantile(draws, level / 2, method="lower")) - discovery
    high = float(np.quantile(draws, 1 - level / 2, method="higher")) - discovery
    names = ("exchange", "exchange_low", "exchange_high")
    numbers = zip(names, (equal - discovery, low, high), strict=True)
    row: Row = {name: float(value) for name, value in numbers if np.isfinite(value)}
    if np.isinf(low):
        return row | {"finding": "beyond discovery"}
    if low > 0 or high < 0:
        return row | {"finding": "worth more" if low > 0 else "worth less"}
    return row | {"finding": "undetermined"}


def shown_exchange(row: Mapping[Any, Any]) -> str:
    """An exchange rate of a row for people.

    Example:
        >>> shown_exchange({"exchange": 0.5, "exchange_low": 0.42})
        '+0.50 [+0.42, no γ < 1]'
        >>> shown_exchange({"finding": "beyond discovery"})
        'none: no γ < 1 matches'
    """
    if "exchange_low" not in row:
        return "none: no γ < 1 matches"
    numbers = [
        f"{row[name]:+.2f}" if name in row else "no γ < 1"
        for name in ("exchange", "exchange_low", "exchange_high")
    ]
    return f"{numbers[0]} [{numbers[1]}, {numbers[2]}]"


def _detected(row: Row) -> str:
    """How right the detector of a row was."""
    if row["method"] != "retrain":
        return ""
    right = f"{100 * row['precision']:.0f} %" if row.get("precision") is not None else "none added"
    return f" (precision {right}, recall {100 * row['recall']:.0f} %)"


def _needed(row: Row) -> str:
    return f" (about {row['models_needed']:,.0f} models)" if "models_needed" in row else ""


def _harm(rows: list[Row]) -> list[str]:
    """What clean examples in an oracle's Ŝ cost: the greatest fall outside B, method by method."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row["set"].startswith("oracle"):
            group = min(KEPT, key=lambda name: row[f"gap_{name}"])
            clean = row["set"].removeprefix("oracle, ")
            found.setdefault((row["scenario"], row["method"]), []).append(
                f"{clean}: {shown_range(row, f'gap_{group}')} on {group}"
            )
    return [
        f"In {scenario}, {method} on an oracle's Ŝ changes rates outside B by at worst, "
        + "; ".join(parts)
        + "."
        for (scenario, method), parts in found.items()
    ]
