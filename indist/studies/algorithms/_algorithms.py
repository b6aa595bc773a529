"""Which algorithms untrain, which unlearn: every unlearner in every scenario, audited."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import jax

import audits
import oracles
from estimators.checks import check_counts
from indist.studies._cells import finished_cell
from indist.studies._methods import every_method, method_settings
from indist.studies._rows import Record, StudyRow, written_as
from indist.studies._shown import shown_interval
from indist.studies._study import Shown, Study, check_names
from indist.studies.algorithms._graded import UNKNOWN, Graded, ordered_pairs, shown_grade
from oracles.engines import block_width

if TYPE_CHECKING:
    import pandas as pd

GROUP_HEADINGS = {
    "forget": "S",
    "behaviour": "B∖S",
    "near": "near",
    "retain": "retain",
    "test": "test",
}
"""Probe groups of the table, and what their columns are called."""


class Distance(NamedTuple):
    """An audit's distance to a reference, and its bounds."""

    distance: float
    lower: float
    upper: float

    @classmethod
    def of(cls, comparison: audits.Comparison) -> "Distance":
        """As the audit found it."""
        return cls(comparison.estimate, comparison.lower, comparison.upper)


class Shares(NamedTuple):
    """Shares of the probes of each group that are given their label; None where there are none."""

    forget: float | None
    behaviour: float | None
    near: float | None
    retain: float | None
    test: float | None


class ClaimBeside(NamedTuple):
    """What a certified method claims at a δ, and the lower bound on ε that was measured there."""

    claimed_epsilon: float
    claimed_delta: float
    measured_epsilon: float | None
    finding: str


@dataclass(frozen=True, kw_only=True)
class AuditRow(StudyRow):
    """The audit of a method in a scenario.

    Attributes:
        scenario: its name.
        method: of unlearning.
        learner: the method's own, or "its own" for the scenario's.
        verdict: of the audit.
        to_untraining: distance to T.
        to_unlearning: distance to A(D∖B).
        untraining_grade: progress to T on S.
        unlearning_grade: progress to A(D∖B) on B∖S.
        submission: shares of probes given their label by the method's models.
        original: the same of O.
        untraining: of T.
        unlearning: of A(D∖B).
        claim: of a certified method; None of others.
        seconds_a_model: time of unlearning.
        models: in each population.
    """

    scenario: str
    method: str
    learner: str
    verdict: str
    to_untraining: Distance = written_as("{}_to_T")
    to_unlearning: Distance = written_as("{}_to_B")
    untraining_grade: Graded = written_as("{}_to_T", default=UNKNOWN)
    unlearning_grade: Graded = written_as("{}_to_B", default=UNKNOWN)
    submission: Shares = written_as("{}_submission")
    original: Shares = written_as("{}_original")
    untraining: Shares = written_as("{}_untraining")
    unlearning: Shares = written_as("{}_unlearning")
    claim: ClaimBeside | None = written_as("{}", default=None)
    seconds_a_model: float
    models: int


@dataclass(frozen=True, kw_only=True)
class UnfitRow(StudyRow):
    """A method that does not apply to a scenario, and why."""

    scenario: str
    method: str
    learner: str
    not_applicable: str


TIE = 0.99
"""Distance from which on one submission is not told from another by it."""
BASELINES = ("identity", "retrain", "retrain-behaviour")
"""What is in no pair."""


def nearness(row: AuditRow) -> tuple[float, float, float]:
    """Distance to T to two digits, then progress to it, then to A(D∖B): smaller is nearer."""
    return (
        round(row.to_untraining.distance, 2),
        row.untraining_grade.off[0],
        row.unlearning_grade.off[0],
    )


@dataclass(frozen=True)
class Algorithms(Study[AuditRow | UnfitRow]):
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
    kinds: ClassVar = (AuditRow, UnfitRow)
    names: ClassVar = ("scenario", "method")
    finding: ClassVar = "verdict"
    columns: ClassVar = (
        *("scenario", "method", "learner", "models", "verdict"),
        *(f"{number}_to_{r}" for r in "TB" for number in (*Distance._fields, *Graded._fields)),
        *(
            f"{group}_{population}"
            for population in ("submission", "original", "untraining", "unlearning")
            for group in ("forget", "behaviour", "near", "retain", "test")
        ),
        *("seconds_a_model", *ClaimBeside._fields, "not_applicable"),
    )

    models: int = 128
    discovery: float = 0.5
    epsilon: float = 1.0
    tolerance: float = 0.25
    confidence: float = 0.95
    seed: int = 0
    scenarios: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(models=self.models)
        check_names("scenario", self.scenarios, oracles.scenarios.SCENARIOS)
        check_names("method", self.methods, every_method())

    def table(self, rows: Sequence[StudyRow | Record]) -> "pd.DataFrame":
        """The rows as a data frame; see `Study.table`. Without grades where no row has any."""
        made = super().table(rows)
        grades = [f"{number}_to_{r}" for r in "TB" for number in Graded._fields]
        return made.drop(columns=grades) if bool(made[grades].isna().to_numpy().all()) else made

    def run(self, folder: Path) -> Iterator[AuditRow | UnfitRow]:
        """A row a scenario and method; see `Study.run`."""
        names = self.scenarios or oracles.scenarios.SCENARIOS
        # All at once, so that data which are not installed are missed before any model is trained.
        worlds = {
            name: oracles.scenarios.load(name, seed=self.seed, discovery=self.discovery)
            for name in names
        }
        for name, plain in worlds.items():
            # Compiled programs are kept in memory maps, of which a process may have only so many.
            jax.clear_caches()
            for method in self.methods or every_method():
                cell = finished_cell(
                    folder / "cells" / name / f"{method}.json",
                    self._cell_settings(plain, method),
                    lambda plain=plain, method=method: self._cell(folder, plain, method).record(),
                )
                yield from self.typed([cell])

    def _cell_settings(self, plain: oracles.Scenario, method: str) -> dict[str, Any]:
        lists = ("scenarios", "methods")
        numbers = {name: value for name, value in asdict(self).items() if name not in lists}
        return numbers | {
            "scenario": plain.digest,
            "method": method,
            "method_settings": method_settings(method),
        }

    def _cell(self, folder: Path, plain: oracles.Scenario, method: str) -> AuditRow | UnfitRow:
        learner = getattr(oracles.unlearners.UNLEARNERS.get(method), "learner", None)
        names = {"scenario": plain.name, "method": method, "learner": learner or "its own"}
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
            return UnfitRow(**names, not_applicable=str(error))
        audit = audits.audit(
            made,
            references,
            epsilon=self.epsilon,
            tolerance=self.tolerance,
            confidence=self.confidence,
            observables=None,
        )
        shares = {(row.population, row.group): row.accuracy for row in audit.groups}

        def of(population: str) -> Shares:
            return Shares(*(shares.get((population, group)) for group in GROUP_HEADINGS))

        claim = audit.claimed
        return AuditRow(
            **names,
            verdict=audit.verdict,
            to_untraining=Distance.of(audit.untraining),
            to_unlearning=Distance.of(audit.unlearning),
            untraining_grade=Graded.of(audit, "untraining", "forget"),
            unlearning_grade=Graded.of(audit, "unlearning", "behaviour"),
            submission=of("submission"),
            original=of("original"),
            untraining=of("untraining"),
            unlearning=of("unlearning"),
            claim=ClaimBeside(claim.epsilon, claim.delta, claim.epsilon_lower, claim.finding)
            if claim
            else None,
            seconds_a_model=seconds,
            models=self.models,
        )

    def _shown(self, rows: list[AuditRow | UnfitRow]) -> Shown:
        parts: dict[str, list[dict[str, str]]] = {}
        audited = [row for row in rows if isinstance(row, AuditRow)]
        # Within a scenario the nearest to T first: by distance, and by progress where that ties.
        places = {
            name: place for place, name in enumerate(dict.fromkeys(r.scenario for r in audited))
        }
        for row in sorted(audited, key=lambda row: (places[row.scenario], *nearness(row))):
            shares = zip(GROUP_HEADINGS.values(), row.submission, strict=True)
            title = f"{row.scenario}: distances; probes given their label, in %"
            parts.setdefault(title, []).append(
                {
                    "method": row.method,
                    "to T = A(D∖S)": shown_interval(*row.to_untraining),
                    "to A(D∖B)": shown_interval(*row.to_unlearning),
                    "progress to T on S": shown_grade(row.untraining_grade),
                    "to A(D∖B) on B∖S": shown_grade(row.unlearning_grade),
                    "verdict": row.verdict,
                }
                | {name: "" if share is None else f"{100 * share:.0f}" for name, share in shares}
                | {"ms": f"{1000 * row.seconds_a_model:.0f}"}
            )
        return parts

    def _answer(self, rows: list[AuditRow | UnfitRow]) -> tuple[str, ...]:
        audited = [row for row in rows if isinstance(row, AuditRow)]
        scenarios = len({row.scenario for row in audited})
        sentences: list[str] = []
        for verdict, words in (("untraining", "like A(D∖S)"), ("unlearning", "like A(D∖B)")):
            passed = Counter(row.method for row in audited if row.verdict == verdict)
            named = ", ".join(f"{method} ({times})" for method, times in passed.most_common())
            sentences.append(
                f"Distributed {words} and not like the other, in how many scenarios of "
                f"{scenarios}: {named or 'none'}."
            )
        tied = [
            row
            for row in audited
            if row.method not in BASELINES
            and min(row.to_untraining.distance, row.to_unlearning.distance) >= TIE
        ]
        pairs, ordered = ordered_pairs(
            [row.scenario for row in tied],
            [(row.untraining_grade, row.unlearning_grade) for row in tied],
        )
        # Tables that indist 0.1.0 made have no grades.
        if pairs and any(row.untraining_grade != UNKNOWN for row in tied):
            sentences.append(
                f"{len(tied)} cells (without {', '.join(BASELINES)}) tie at a distance of {TIE} or "
                f"more from both references. Of their {pairs} pairs within a scenario progress "
                f"orders {ordered['either']} with intervals apart: {ordered['untraining']} on the "
                f"way to T on S, {ordered['unlearning']} on the way to A(D∖B) on B∖S."
            )
        undetermined = sum(row.verdict == "inconclusive" for row in audited)
        if undetermined:
            sentences.append(
                f"{undetermined} of {len(audited)} cells are undetermined at these numbers of "
                "models: the audit of each says about how many it would take."
            )
        return tuple(sentences)
