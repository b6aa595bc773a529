"""The ledger: every claim of the note, measured, with what was found."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import jax

from audits.memorization import Estimate
from estimators.checks import check_confidence
from indist.studies._cells import Row, finished_cell
from indist.studies._study import Study
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
from indist.studies.claims._evidence import Evidence, shown
from indist.studies.claims._worlds import Worlds

if TYPE_CHECKING:
    import pandas as pd

FINDINGS = ("supported", "refuted", "undetermined")


@dataclass(frozen=True)
class Claims(Study):
    """What "Is your algorithm unlearning or untraining?" (2026) claims, a row a claim or part.

    The rule of each row stands in the docstring of its module: which statement, with which bounds,
    supports the claim and which refutes it; the rest is undetermined. Worlds were chosen for what a
    claim supposes, such as an influence, with earlier results on the scenarios in view; bars and
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
        if self.models < 2:
            raise ValueError(f"models: expected at least 2, found {self.models}")
        check_confidence(self.confidence)
        if not 0.0 <= self.epsilon <= 50.0:
            raise ValueError(f"epsilon: expected a number in [0, 50], found {self.epsilon}")
        for name in ("tolerance", "closeness", "threshold"):
            if not 0.0 < getattr(self, name) < 1.0:
                raise ValueError(
                    f"{name}: expected a number in (0, 1), found {getattr(self, name)}"
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

    def run(self, folder: Path) -> Iterator[Row]:
        """A row a claim or part; see `Study.run`."""
        own = asdict(self)
        own = {key: own[key] for key in own if key not in ("only", "discoveries")}
        worlds = Worlds(folder, **own)
        for claim in self.claims:
            yield finished_cell(
                folder / "cells" / f"{claim.number}.json",
                own | _identity(claim, self.seed),
                lambda claim=claim: _row(claim, worlds, self._said),
            )

    @property
    def _said(self) -> str:
        """Numbers that are not the defaults, as options."""
        numbers = ("epsilon", "tolerance", "closeness", "threshold", "confidence")
        options = (
            f" --set {field.name}={getattr(self, field.name):g}"
            for field in fields(self)
            if field.name in numbers and getattr(self, field.name) != field.default
        )
        return "".join(options)

    def table(self, rows: list[Row]) -> "pd.DataFrame":
        """The rows as a data frame, columns in a fixed order.

        Args:
            rows: from `run`.

        Returns:
            ``claim``, ``section``, ``statement``, ``scenario``, ``quantity``, ``estimate``,
            ``low``, ``high``, ``finding``, ``models``, ``models_needed``, ``command``, ``note``.
        """
        import pandas as pd

        return pd.DataFrame(rows, columns=list(_COLUMNS))

    def shown(self, rows: list[Row]) -> Mapping[str, list[dict[str, str]]]:
        """One table: claim, statement, scenario, estimate with interval, finding."""
        lines = [
            {
                "": str(row["claim"]),
                "claim": row["statement"],
                "scenario": row["scenario"],
                "estimate": _estimate(row),
                "finding": row["finding"],
            }
            for row in rows
        ]
        return {"the note's claims; what each estimate is of is said in the written table": lines}

    def answer(self, rows: list[Row]) -> tuple[str, ...]:
        """How many rows were found to be what, and what is refuted or undetermined, and why."""
        counts = Counter(row["finding"] for row in rows)
        said = ", ".join(f"{counts[finding]} {finding}" for finding in FINDINGS)
        sentences = [f"Of {len(rows)} claims and parts of claims: {said}."]
        for row in rows:
            if row["finding"] == "supported":
                continue
            needed = row.get("models_needed")
            more = f"; about {int(needed):,} models would decide" if needed else ""
            note = f" ({row['note']})" if row.get("note") else ""
            sentences.append(
                f"{row['claim']} {row['finding']}: {row['statement']} Found: {row['quantity']}, "
                f"{_estimate(row)}{note}{more}."
            )
        return tuple(sentences)


_COLUMNS = (
    *("claim", "section", "statement", "scenario", "quantity", "estimate", "low", "high"),
    *("finding", "models", "models_needed", "command", "note"),
)


def _identity(claim: Claim, seed: int) -> dict[str, Any]:
    """What a row depends on beside the study's settings."""
    return {
        "claim": claim.number,
        "statement": claim.statement,
        "quantity": claim.quantity,
        "claim_settings": dict(claim.settings),
        "worlds": [world.load(seed).digest for world in claim.worlds],
    }


def _row(claim: Claim, worlds: Worlds, said: str) -> Row:
    # Compiled programs are kept in memory maps, of which a process may have only so many.
    jax.clear_caches()
    found: Evidence = claim.measure(worlds, **claim.settings)
    value, low, high = (number if math.isfinite(number) else None for number in found.estimate)
    return {
        "claim": claim.number,
        "section": claim.section,
        "statement": claim.statement,
        "scenario": claim.scenario or "442 records, least squares",
        "quantity": claim.quantity,
        "estimate": value,
        "low": low,
        "high": high,
        "finding": found.part.finding,
        "models": found.models,
        "models_needed": found.part.needed,
        "command": claim.reproduced(worlds, said),
        "note": found.note,
    }


def _estimate(row: Mapping[str, Any]) -> str:
    value, low, high = (row.get(name) for name in ("estimate", "low", "high"))
    if value is None or low is None or high is None:
        return "no interval"
    if low == high:
        return f"{value:.2g}, exactly"
    return shown(Estimate(value, low, high))
