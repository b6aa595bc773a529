"""What a figure's numbers are made from: populations and studies, kept in one folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import oracles
from estimators.checks import check_seed
from indist.studies._rows import Record
from indist.studies._study import read_rows


@dataclass(frozen=True)
class Work:
    """Where figures get their numbers.

    Attributes:
        folder: keeps populations and studies; a second run goes on from there.
        models: in each population.
        seed: of data and populations, not of studies; unlearners take the next one.
        results: folder of finished studies (``NAME.csv``); one that is not there is run on its
            quick setting.
    """

    folder: Path
    models: int
    seed: int
    results: Path | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", check_seed(self.seed))

    def references(self, scenario: str, **knobs: Any) -> "oracles.References":
        """The populations of a scenario, shared by all figures."""
        world = oracles.scenarios.load(scenario, seed=self.seed, **knobs)
        return oracles.references(
            world,
            models=self.models,
            seed=self.seed,
            directory=self.folder / "populations" / f"{scenario} {world.digest[:12]}",
            resume=True,
        )

    def unlearned(self, references: "oracles.References", method: str) -> "oracles.Population":
        """Models of a built-in unlearner, made anew each time."""
        return oracles.unlearn(
            references.scenario, references.original, method=method, seed=self.seed + 1
        )

    def study(self, name: str) -> list[Record]:
        """The rows of a study: finished ones where they were given, else its quick setting's.

        Raises:
            ValueError: when a file of results is damaged.
        """
        stored = None if self.results is None else self.results / f"{name}.csv"
        if stored is not None and stored.exists():
            return read_rows(stored)
        # A finished table needs no code of any study.
        from indist.studies._registry import STUDIES

        kind: Any = STUDIES[name]
        rows = kind(**kind.quick).run(self.folder / "studies" / name)
        return [row.record() for row in rows]
