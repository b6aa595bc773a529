"""The ledger: every claim of the note, measured, with what was found."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

import jax

from estimators.checks import check_confidence, check_counts, check_within
from indist.studies._cells import finished_cell
from indist.studies._rows import StudyRow
from indist.studies._shown import shown_interval
from indist.studies._study import Shown, Study
from indist.studies.claims import (
    _attacks,
    _discovery,
    _exact,
    _influence_cases,
    _memorized,
    _neighbours,
    _privacy,
    _suppression,
    _untraining,
)
from indist.studies.claims._claim import Claim
from indist.studies.claims._evidence import ClaimFinding, Evidence
from indist.studies.claims._populations import LedgerSettings

FINDINGS = ("supported", "refuted", "undetermined")


@dataclass(frozen=True, kw_only=True)
class ClaimRow(StudyRow):
    """A claim or a part of one, and what was found.

    Attributes:
        claim: its number.
        section: where the note says it.
        statement: one plain sentence.
        scenario: names of the scenarios.
        quantity: what the estimate is of.
        estimate: the number; None where it is infinite, as the ends are.
        low: lower end of its interval.
        high: upper end.
        finding: supported, refuted or undetermined.
        models: models of each population behind it.
        models_needed: about how many would decide; None where it is decided, or none would.
        command: what reproduces the estimate.
        note: other numbers that the finding rests on.
    """

    claim: str
    section: str
    statement: str
    scenario: str
    quantity: str
    estimate: float | None
    low: float | None
    high: float | None
    finding: ClaimFinding
    models: int
    models_needed: int | None
    command: str
    note: str = ""

    @property
    def shown(self) -> str:
        """The estimate with its interval, for people."""
        if self.estimate is None or self.low is None or self.high is None:
            return "no interval"
        if self.low == self.high:
            return f"{self.estimate:.2g}, exactly"
        return shown_interval(self.estimate, self.low, self.high)


@dataclass(frozen=True)
class Claims(Study[ClaimRow]):
    """What "Is your algorithm unlearning or untraining?" (2026) claims, a row a claim or part.

    The rule of each row stands in the docstring of its module: which statement, with which bounds,
    supports the claim and which refutes it; the rest is undetermined. Scenarios were chosen for
    what a claim supposes, such as an influence, with earlier results on them in view; bars and
    tolerances are the settings below, the same for all rows, and constants of the modules.

    Confidence is that of a row: each row's finding is wrong with probability at most one minus it,
    however many statements make it up (they share the error equally). Over rows nothing is
    corrected: of R rows (1 − confidence) R could be wrong. For a ledger without any error at 95 %,
    ask for a confidence of 1 − 0.05 / R.

    Populations are shared between rows through the folder.

    Attributes:
        models: models in each population, at least 2. The default decided all rows but one, in 570
            seconds of processor time on two CPU cores; the quick setting left three open, in 200.
        seed: of data and populations; unlearners take the next one.
        epsilon: of divergences, at least 0.
        tolerance: divergence up to which two populations match, in (0, 1); as in `Algorithms`.
        closeness: difference of shares or areas up to which they agree, in (0, 1).
        threshold: memorization, influence or excess from which on it counts, in (0, 1); a quarter
            is Feldman and Zhang's (2020).
        confidence: of each row, in (0, 1).
        discoveries: values of γ of claim 9, rising, in (0, 1].
        only: a row such as ``9a``, or all of a claim, such as ``12``; empty for all.
    """

    question: ClassVar = "Which of the note's claims hold here?"
    quick: ClassVar = {"models": 128, "discoveries": (0.1, 0.5, 1.0)}
    kinds: ClassVar = (ClaimRow,)
    names: ClassVar = ("claim",)

    models: int = 512
    seed: int = 0
    epsilon: float = 1.0
    tolerance: float = 0.25
    closeness: float = 0.1
    threshold: float = 0.25
    confidence: float = 0.95
    discoveries: tuple[float, ...] = (0.1, 0.25, 0.5, 0.75, 1.0)
    only: str | int = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(least=2, models=self.models)
        check_confidence(self.confidence)
        check_within("[0, 50]", epsilon=self.epsilon)
        check_within(
            "(0, 1)",
            tolerance=self.tolerance,
            closeness=self.closeness,
            threshold=self.threshold,
        )
        rising = sorted(set(self.discoveries))
        if (
            len(rising) < 2
            or list(self.discoveries) != rising
            or not 0.0 < rising[0] <= rising[-1] <= 1.0
        ):
            raise ValueError(
                f"discoveries: expected two or more rising numbers in (0, 1], found "
                f"{self.discoveries}"
            )
        if not self.claims:
            numbers = ", ".join(claim.number for claim in self._all)
            raise ValueError(f"only: expected a claim or one of {numbers}, found {self.only!r}")

    @property
    def _all(self) -> tuple[Claim, ...]:
        return (
            *_memorized.CLAIMS,
            *_influence_cases.CLAIMS,
            *_untraining.CLAIMS,
            *_privacy.CLAIMS,
            *_discovery.claims(self.discoveries),
            *_attacks.CLAIMS,
            *_neighbours.CLAIMS,
            *_exact.CLAIMS,
            *_suppression.CLAIMS,
        )

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The rows asked for, in the order of the note's list."""
        asked = str(self.only)
        return tuple(
            claim
            for claim in self._all
            if not asked or asked in (claim.number, claim.number.rstrip("abcdefg"))
        )

    def run(self, folder: Path) -> Iterator[ClaimRow]:
        """A row a claim or part; see `Study.run`."""
        settings = asdict(self)
        for name in ("only", "discoveries"):
            del settings[name]
        ledger = LedgerSettings(folder, **settings)
        for claim in self.claims:
            cell = finished_cell(
                folder / "cells" / f"{claim.number}.json",
                settings | _identity(claim, self.seed),
                lambda claim=claim: _row(claim, ledger, self._changed).record(),
            )
            yield ClaimRow.of(cell)

    @property
    def _changed(self) -> str:
        """Numbers that are not the defaults, as options."""
        numbers = ("epsilon", "tolerance", "closeness", "threshold", "confidence")
        options = (
            f" --set {field.name}={getattr(self, field.name):g}"
            for field in fields(self)
            if field.name in numbers and getattr(self, field.name) != field.default
        )
        return "".join(options)

    def _shown(self, rows: list[ClaimRow]) -> Shown:
        lines = [
            {
                "": row.claim,
                "claim": row.statement,
                "scenario": row.scenario,
                "estimate": row.shown,
                "finding": row.finding,
            }
            for row in rows
        ]
        return {"the note's claims; what each estimate is of is said in the written table": lines}

    def _answer(self, rows: list[ClaimRow]) -> tuple[str, ...]:
        counts = Counter(row.finding for row in rows)
        total = ", ".join(f"{counts[finding]} {finding}" for finding in FINDINGS)
        sentences = [f"Of {len(rows)} claims and parts of claims: {total}."]
        for row in rows:
            if row.finding == "supported":
                continue
            needed = row.models_needed
            more = f"; about {needed:,} models would decide" if needed else ""
            note = f" ({row.note})" if row.note else ""
            sentences.append(
                f"{row.claim} {row.finding}: {row.statement} Found: {row.quantity}, "
                f"{row.shown}{note}{more}."
            )
        return tuple(sentences)


def _identity(claim: Claim, seed: int) -> dict[str, Any]:
    """What a row depends on beside the study's settings."""
    return {
        "claim": claim.number,
        "statement": claim.statement,
        "quantity": claim.quantity,
        "claim_settings": dict(claim.settings),
        "worlds": [scenario.load(seed).digest for scenario in claim.scenarios],
    }


def _row(claim: Claim, ledger: LedgerSettings, changed: str) -> ClaimRow:
    # Compiled programs are kept in memory maps, of which a process may have only so many.
    jax.clear_caches()
    evidence: Evidence = claim.measure(ledger, **claim.settings)
    value, low, high = (number if math.isfinite(number) else None for number in evidence.estimate)
    return ClaimRow(
        claim=claim.number,
        section=claim.section,
        statement=claim.statement,
        scenario=claim.where or "442 records, least squares",
        quantity=claim.quantity,
        estimate=value,
        low=low,
        high=high,
        finding=evidence.judgement.finding,
        models=evidence.models,
        models_needed=evidence.judgement.needed,
        command=claim.reproduced(ledger, changed),
        note=evidence.note,
    )
