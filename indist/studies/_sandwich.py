"""Claimed ε above measured ε: every certified unlearner, honest and with its claim falsified."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import audits
import oracles
from estimators.checks import check_counts
from indist.studies._cells import Row, finished_cell
from indist.studies._study import Study

SCENARIO = "logistic-3v8"
WORLDS = ("as it is", "epsilon divided by ten", "noise left out")
_NO_NOISE = 1e-6


@dataclass(frozen=True)
class Sandwich(Study):
    """The study of certified unlearners: what they claim and what can be measured.

    Attributes:
        models: models in each population, at least 2.
        discovery: γ, in (0, 1].
        confidence: of each measured bound, in (0, 1).
        seed: of data and populations; unlearners take the next one.
    """

    question: ClassVar = "Is what certified unlearners claim above what can be measured?"
    quick: ClassVar = {"models": 64}
    names: ClassVar = ("method", "claim")

    models: int = 256
    discovery: float = 0.5
    confidence: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        check_counts(models=self.models)

    def run(self, folder: Path) -> Iterator[Row]:
        """A row for each certified unlearner in each of `WORLDS`; see `Study.run`."""
        for method, kind in oracles.unlearners.UNLEARNERS.items():
            if not issubclass(kind, oracles.unlearners.Certified):
                continue
            unlearner: Any = kind()
            for world in WORLDS:
                yield finished_cell(
                    folder / "cells" / method / f"{world}.json",
                    asdict(self) | {"method": method, "settings": asdict(unlearner)},
                    lambda method=method, world=world: self._cell(folder, method, world),
                )

    def _cell(self, folder: Path, method: str, world: str) -> Row:
        unlearner: Any = oracles.unlearners.UNLEARNERS[method]()
        plain = oracles.scenarios.load(SCENARIO, seed=self.seed, discovery=self.discovery)
        honest = plain.with_learner(unlearner.learner)
        sizes = honest.sizes
        claim = unlearner.claim(honest.learner, sizes["train"], sizes["forget"])
        scenario, noise = honest, "noise"
        if world == "epsilon divided by ten":
            claim = replace(claim, epsilon=claim.epsilon / 10)
        if world == "noise left out":
            sigma = _NO_NOISE * getattr(honest.learner, "sigma")  # noqa: B009
            scenario, noise = plain.with_learner(unlearner.learner, sigma=sigma), "no noise"
        references = oracles.references(
            scenario,
            models=self.models,
            seed=self.seed,
            directory=folder / "references" / f"{unlearner.learner} {noise}",
            resume=True,
        )
        made = oracles.unlearn(scenario, references.original, method=method, seed=self.seed + 1)
        audit = audits.audit(made, references, confidence=self.confidence, claim=claim)
        found = audit.claimed
        assert found is not None
        return {
            "method": method,
            "claim": world,
            "models": self.models,
            "claimed_epsilon": found.epsilon,
            "claimed_delta": found.delta,
            "measured_epsilon": found.epsilon_lower,
            "measured_delta": found.delta_lower,
            "finding": found.finding,
            "distance_to_T": audit.untraining.estimate,
            "test": next(
                row.accuracy
                for row in audit.groups
                if (row.population, row.group) == ("submission", "test")
            ),
            "mechanism": found.mechanism,
        }

    def shown(self, rows: list[Row]) -> Mapping[str, list[dict[str, str]]]:
        """Claimed beside measured."""
        lines = [
            {
                "method": row["method"],
                "claim": row["claim"],
                "claimed ε": f"{row['claimed_epsilon']:.3g}",
                "measured ε, at least": f"{row['measured_epsilon']:.3g}",
                "δ": f"{row['claimed_delta']:g}",
                "finding": row["finding"],
                "right on test, %": f"{100 * row['test']:.0f}",
            }
            for row in rows
        ]
        return {"claimed ε beside the measured lower bound at the claimed δ": lines}

    def answer(self, rows: list[Row]) -> tuple[str, ...]:
        """Which claims were contradicted, honest and falsified ones apart."""
        caught = [row for row in rows if row["finding"] == "contradicted"]
        honest, tenth, noiseless = (
            ", ".join(row["method"] for row in caught if row["claim"] == world) or "none"
            for world in WORLDS
        )
        return (
            f"Claims contradicted as they are: {honest}.",
            f"Caught with ε divided by ten: {tenth}; with the noise left out: {noiseless}. "
            "The other false claims are beyond what these numbers of models can show.",
        )
