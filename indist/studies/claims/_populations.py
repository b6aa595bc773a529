"""The ledger's settings, and scenarios whose populations are made once and shared by claims."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import oracles


@dataclass(frozen=True)
class NamedScenario:
    """A scenario by name.

    Attributes:
        name: a key of `oracles.scenarios.SCENARIOS`.
        knobs: its settings.
        learner: another learner than its own.
    """

    name: str
    knobs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    learner: str | None = None

    def load(self, seed: int) -> oracles.Scenario:
        """The scenario."""
        return oracles.scenarios.load(self.name, seed=seed, learner=self.learner, **self.knobs)

    @property
    def words(self) -> str:
        """For tables."""
        knobs = {key.replace("discovery", "γ"): value for key, value in self.knobs.items()}
        parts = [self.name, *(f"{key} {value}" for key, value in knobs.items())]
        return ", ".join([*parts, *([f"learner {self.learner}"] if self.learner else [])])

    @property
    def options(self) -> str:
        """For the command line."""
        options = [
            f"--discovery {value}" if key == "discovery" else f"--set {key}={value}"
            for key, value in sorted(self.knobs.items(), key=lambda knob: knob[0] != "discovery")
        ]
        options += [f"--learner {self.learner}"] if self.learner else []
        return " ".join([self.name, *options])


@dataclass(frozen=True)
class LedgerSettings:
    """Where populations are made and kept, and what every claim's rule is given.

    Attributes:
        folder: where they are kept.
        models: models in each population.
        seed: of data and populations; unlearners take the next one.
        epsilon: of the divergence.
        tolerance: divergence up to which two populations match.
        closeness: difference of two shares, or of two areas, up to which they agree.
        threshold: influence, memorization or excess from which on it counts.
        confidence: of each row's finding.
    """

    folder: Path
    models: int
    seed: int
    epsilon: float
    tolerance: float
    closeness: float
    threshold: float
    confidence: float

    def references(self, scenario: NamedScenario) -> oracles.References:
        """O, T and A(D∖B) of a scenario."""
        return oracles.references(
            scenario.load(self.seed),
            models=self.models,
            seed=self.seed,
            directory=self.folder / "references" / scenario.options.replace("--", ""),
            resume=True,
        )

    def unlearned(
        self, references: oracles.References, method: str, **settings: Any
    ) -> oracles.Population:
        """A method's population, from the originals of a scenario."""
        return oracles.unlearn(
            references.scenario,
            references.original,
            method=method,
            seed=self.seed + 1,
            **settings,
        )

    def each(self, statements: int) -> float:
        """Confidence of each of several statements that make one finding together."""
        return 1.0 - (1.0 - self.confidence) / statements
