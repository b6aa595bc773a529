"""Claimed ε above measured ε: every certified unlearner, honest and with its claim falsified."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import audits
import oracles
from estimators.checks import check_counts
from indist.studies._cells import finished_cell
from indist.studies._rows import StudyRow
from indist.studies._shown import at_least
from indist.studies._study import Shown, Study

SCENARIO = "logistic-3v8"
VARIANTS = ("as it is", "epsilon divided by ten", "noise left out")
"""What a method claims and does: the truth, and two falsehoods."""
_NO_NOISE = 1e-6


@dataclass(frozen=True, kw_only=True)
class CertifiedRow(StudyRow):
    """A certified method, one of `VARIANTS`, and what was measured.

    Attributes:
        method: of unlearning.
        claim: the variant.
        models: in each population.
        claimed_epsilon: what is claimed.
        claimed_delta: at this δ.
        measured_epsilon: a lower bound at that δ; None where nothing is bounded.
        measured_delta: a lower bound at that ε, or None.
        finding: whether the claim is contradicted.
        distance_to_T: the audit's distance to T.
        test: share of test probes right.
        mechanism: what claims.
    """

    method: str
    claim: str
    models: int
    claimed_epsilon: float
    claimed_delta: float
    measured_epsilon: float | None
    measured_delta: float | None
    finding: str
    distance_to_T: float
    test: float
    mechanism: str


@dataclass(frozen=True)
class Sandwich(Study[CertifiedRow]):
    """The study of certified unlearners: what they claim and what can be measured.

    Attributes:
        models: models in each population, at least 2.
        discovery: γ, in (0, 1].
        confidence: of each measured bound, in (0, 1).
        seed: of data and populations; unlearners take the next one.
    """

    question: ClassVar = "Is what certified unlearners claim above what can be measured?"
    quick: ClassVar = {"models": 64}
    kinds: ClassVar = (CertifiedRow,)
    names: ClassVar = ("method", "claim")

    models: int = 256
    discovery: float = 0.5
    confidence: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(models=self.models)

    def run(self, folder: Path) -> Iterator[CertifiedRow]:
        """A row for each certified unlearner in each of `VARIANTS`; see `Study.run`."""
        for method, kind in oracles.unlearners.UNLEARNERS.items():
            if not issubclass(kind, oracles.unlearners.Certified):
                continue
            unlearner: Any = kind()
            for variant in VARIANTS:
                cell = finished_cell(
                    folder / "cells" / method / f"{variant}.json",
                    asdict(self) | {"method": method, "settings": asdict(unlearner)},
                    lambda method=method, variant=variant: self._cell(
                        folder, method, variant
                    ).record(),
                )
                yield CertifiedRow.of(cell)

    def _cell(self, folder: Path, method: str, variant: str) -> CertifiedRow:
        unlearner: Any = oracles.unlearners.UNLEARNERS[method]()
        plain = oracles.scenarios.load(SCENARIO, seed=self.seed, discovery=self.discovery)
        honest = plain.with_learner(unlearner.learner)
        sizes = honest.sizes
        claim = unlearner.claim(honest.learner, sizes["train"], sizes["forget"])
        scenario, noise = honest, "noise"
        if variant == "epsilon divided by ten":
            claim = replace(claim, epsilon=claim.epsilon / 10)
        if variant == "noise left out":
            learner: Any = honest.learner
            scenario = plain.with_learner(unlearner.learner, sigma=_NO_NOISE * learner.sigma)
            noise = "no noise"
        references = oracles.references(
            scenario,
            models=self.models,
            seed=self.seed,
            directory=folder / "references" / f"{unlearner.learner} {noise}",
            resume=True,
        )
        submission = oracles.unlearn(
            scenario, references.original, method=method, seed=self.seed + 1
        )
        audit = audits.audit(
            submission, references, confidence=self.confidence, claim=claim, observables=None
        )
        claimed = audit.claimed
        assert claimed is not None
        return CertifiedRow(
            method=method,
            claim=variant,
            models=self.models,
            claimed_epsilon=claimed.epsilon,
            claimed_delta=claimed.delta,
            measured_epsilon=claimed.epsilon_lower,
            measured_delta=claimed.delta_lower,
            finding=claimed.finding,
            distance_to_T=audit.untraining.estimate,
            test=next(
                row.accuracy
                for row in audit.groups
                if (row.population, row.group) == ("submission", "test")
            ),
            mechanism=claimed.mechanism,
        )

    def _shown(self, rows: list[CertifiedRow]) -> Shown:
        lines = [
            {
                "method": row.method,
                "claim": row.claim,
                "claimed ε": f"{row.claimed_epsilon:.3g}",
                "measured ε, at least": at_least(row.measured_epsilon or 0.0),
                "δ": f"{row.claimed_delta:g}",
                "finding": row.finding,
                "right on test, %": f"{100 * row.test:.0f}",
            }
            for row in rows
        ]
        return {"claimed ε beside the measured lower bound at the claimed δ": lines}

    def _answer(self, rows: list[CertifiedRow]) -> tuple[str, ...]:
        caught = [row for row in rows if row.finding == "contradicted"]
        honest, tenth, noiseless = (
            ", ".join(row.method for row in caught if row.claim == variant) or "none"
            for variant in VARIANTS
        )
        return (
            f"Claims contradicted as they are: {honest}.",
            f"Caught with ε divided by ten: {tenth}; with the noise left out: {noiseless}. "
            "The other false claims are beyond what these numbers of models can show.",
        )
