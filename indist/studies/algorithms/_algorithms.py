"""Which algorithms untrain, which unlearn: every unlearner in every scenario, audited."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import jax

import audits
import oracles
from estimators.checks import check_counts
from indist.studies._cells import Row, finished_cell
from indist.studies._shown import shown_interval
from indist.studies._study import Study, check_names
from oracles.engines import block_width

if TYPE_CHECKING:
    import pandas as pd

GROUPS = {
    "forget": "S",
    "behaviour": "B∖S",
    "near": "near",
    "retain": "retain",
    "test": "test",
}
"""Probe groups of the table, and what their columns are called."""


@dataclass(frozen=True)
class Algorithms(Study):
    """Question (i): all unlearners in all scenarios.

    Attributes:
        models: models in each population, at least 2.
        discovery: γ, in (0, 1].
        epsilon: of the divergence, at least 0.
        tolerance: up to which two populations match, in (0, 1); 0.25 is what 128 models of an
            exact method meet in nearly every cell.
        confidence: of each verdict, in (0, 1).
        seed: of data and populations; unlearners take the next one.
        scenarios: names; empty for all.
        methods: names; empty for all.
    """

    question: ClassVar = "Which algorithms untrain, and which unlearn?"
    quick: ClassVar = {"scenarios": ("circles", "digits-trigger", "digits-swap")}
    names: ClassVar = ("scenario", "method")
    finding: ClassVar = "verdict"

    models: int = 128
    discovery: float = 0.5
    epsilon: float = 1.0
    tolerance: float = 0.25
    confidence: float = 0.95
    seed: int = 0
    scenarios: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_counts(models=self.models)
        check_names("scenario", self.scenarios, oracles.scenarios.SCENARIOS)
        check_names("method", self.methods, every_method())

    def run(self, folder: Path) -> Iterator[Row]:
        """A row a scenario and method; see `Study.run`."""
        for name in self.scenarios or oracles.scenarios.SCENARIOS:
            # Compiled programs are kept in memory maps, of which a process may have only so many.
            jax.clear_caches()
            plain = oracles.scenarios.load(name, seed=self.seed, discovery=self.discovery)
            for method in self.methods or every_method():
                yield finished_cell(
                    folder / "cells" / name / f"{method}.json",
                    self._cell_settings(plain, method),
                    lambda plain=plain, method=method: self._cell(folder, plain, method),
                )

    def _cell_settings(self, plain: oracles.Scenario, method: str) -> dict[str, Any]:
        own = {k: v for k, v in asdict(self).items() if k not in ("scenarios", "methods")}
        settings = method_settings(method)
        return own | {"scenario": plain.digest, "method": method, "method_settings": settings}

    def _cell(self, folder: Path, plain: oracles.Scenario, method: str) -> Row:
        learner = getattr(oracles.unlearners.UNLEARNERS.get(method), "learner", None)
        row: Row = {"scenario": plain.name, "method": method, "learner": learner or "its own"}
        try:
            world = plain if learner is None else plain.with_learner(learner)
            references = oracles.references(
                world,
                models=self.models,
                seed=self.seed,
                directory=folder / "references" / f"{plain.name} {learner or 'its own'}",
                resume=True,
            )
            few = min(self.models, block_width(world.learner.module) * jax.local_device_count())
            # Compiles, so that the clock below sees the work alone.
            oracles.unlearn(world, references.original, method=method, seed=1, models=few)
            start = time.perf_counter()
            made = oracles.unlearn(world, references.original, method=method, seed=self.seed + 1)
            seconds = (time.perf_counter() - start) / self.models
        except ValueError as error:
            return row | {"not_applicable": str(error)}
        audit = audits.audit(
            made,
            references,
            epsilon=self.epsilon,
            tolerance=self.tolerance,
            confidence=self.confidence,
        )
        return row | _numbers(audit) | {"seconds_a_model": seconds, "models": self.models}

    def table(self, rows: list[Row]) -> "pd.DataFrame":
        """The rows as a data frame, columns in a fixed order.

        Args:
            rows: from `run`.

        Returns:
            ``scenario``, ``method``, ``learner``, ``models``, ``verdict``; ``distance_to_T`` with
            ``lower_`` and ``upper_``, the same ``_to_B``; ``GROUP_POPULATION``, shares of probes
            given their label; ``seconds_a_model``; ``claimed_epsilon``, ``claimed_delta``,
            ``measured_epsilon``, ``finding``; ``not_applicable``.
        """
        import pandas as pd

        bounds = [f"{n}_to_{r}" for r in "TB" for n in ("distance", "lower", "upper")]
        shares = [
            f"{group}_{population}"
            for population in ("submission", "original", "untraining", "unlearning")
            for group in GROUPS
        ]
        claims = ["claimed_epsilon", "claimed_delta", "measured_epsilon", "finding"]
        columns = ["scenario", "method", "learner", "models", "verdict", *bounds, *shares]
        return pd.DataFrame(rows, columns=[*columns, "seconds_a_model", *claims, "not_applicable"])

    def shown(self, rows: list[Row]) -> Mapping[str, list[dict[str, str]]]:
        """A table a scenario: distances with bounds, accuracies in %, milliseconds a model."""
        parts: dict[str, list[dict[str, str]]] = {}
        for row in rows:
            if "verdict" not in row:
                continue
            shares = {words: row.get(f"{group}_submission") for group, words in GROUPS.items()}
            title = f"{row['scenario']}: distances; probes given their label, in %"
            parts.setdefault(title, []).append(
                {
                    "method": row["method"],
                    "to T = A(D∖S)": shown_distance(row, "T"),
                    "to A(D∖B)": shown_distance(row, "B"),
                    "verdict": row["verdict"],
                }
                | {k: "" if v is None else f"{100 * v:.0f}" for k, v in shares.items()}
                | {"ms": f"{1000 * row['seconds_a_model']:.0f}"}
            )
        return parts

    def answer(self, rows: list[Row]) -> tuple[str, ...]:
        """Who passed as what in how many scenarios, and where the audit stayed open."""
        done = [row for row in rows if "verdict" in row]
        scenarios = len({row["scenario"] for row in done})
        sentences: list[str] = []
        for verdict, words in (("untraining", "like A(D∖S)"), ("unlearning", "like A(D∖B)")):
            found = Counter(row["method"] for row in done if row["verdict"] == verdict)
            named = ", ".join(f"{method} ({times})" for method, times in found.most_common())
            sentences.append(
                f"Distributed {words} and not like the other, in how many scenarios of "
                f"{scenarios}: {named or 'none'}."
            )
        opened = sum(row["verdict"] == "inconclusive" for row in done)
        if opened:
            sentences.append(
                f"{opened} of {len(done)} cells are undetermined at these numbers of models: "
                "the audit of each says about how many it would take."
            )
        return tuple(sentences)


def every_method() -> tuple[str, ...]:
    """All unlearners, and the oracles beside them."""
    return (*oracles.unlearners.UNLEARNERS, *oracles.ORACLES)


def method_settings(method: str) -> dict[str, Any]:
    """The default settings of an unlearner; none for an oracle."""
    kind = oracles.unlearners.UNLEARNERS.get(method)
    return asdict(kind()) if kind else {}


def _numbers(audit: audits.Audit) -> Row:
    found: Row = {"verdict": audit.verdict}
    for reference, of in (("T", audit.untraining), ("B", audit.unlearning)):
        numbers = {"distance": of.estimate, "lower": of.lower, "upper": of.upper}
        found |= {f"{key}_to_{reference}": value for key, value in numbers.items()}
    accuracy = {(row.population, row.group): row.accuracy for row in audit.groups}
    for population in ("submission", "original", "untraining", "unlearning"):
        for group in GROUPS:
            found[f"{group}_{population}"] = accuracy.get((population, group))
    claim = audit.claimed
    if claim is not None:
        found |= {
            "claimed_epsilon": claim.epsilon,
            "claimed_delta": claim.delta,
            "measured_epsilon": claim.epsilon_lower,
            "finding": claim.finding,
        }
    return found


def shown_distance(row: Mapping[Any, Any], reference: str) -> str:
    """A distance of a row for people: the estimate, and bounds rounded outward.

    Args:
        row: of `table`.
        reference: ``T`` or ``B``.

    Example:
        >>> shown_distance({"distance_to_T": 0.5, "lower_to_T": 0.129, "upper_to_T": 0.701}, "T")
        '0.50 [0.12, 0.71]'
    """
    return shown_interval(
        *(row[f"{name}_to_{reference}"] for name in ("distance", "lower", "upper"))
    )
