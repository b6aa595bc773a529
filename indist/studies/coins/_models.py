"""Cells of the study of coins: what K models of a method say of each candidate."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import numpy as np

import audits
import oracles
from indist.studies._cells import finished_cell
from indist.studies._methods import method_settings
from indist.studies._rows import Record
from indist.studies.coins._rows import Beside
from oracles import Population


@dataclass(frozen=True, eq=False)
class CoinModels:
    """Scores of the unlearned models of a scenario, a cell a method.

    Attributes:
        folder: where cells are kept.
        worlds: the design, and the scenario of each model.
        seed: of the models; unlearners take the next one.
    """

    folder: Path
    worlds: oracles.CoinScenarios
    seed: int
    _audits: dict[Any, audits.CoinAudit] = field(
        default_factory=dict[Any, audits.CoinAudit], init=False
    )

    @cached_property
    def originals(self) -> Population:
        """All originals, trained when the first cell needs them."""
        return self.worlds.train(seed=self.seed)

    def cell(self, method: str, **changes: Any) -> Record:
        """What the models of a method say, or why there are none.

        Args:
            method: of unlearning.
            **changes: settings of the method that are not the usual ones.

        Returns:
            ``scores`` [models][candidates], ``right`` and ``examples`` by group; or
            ``not_applicable``.

        Raises:
            ValueError: when the cell was made with other settings.
        """
        design = self.worlds.design
        usual = method_settings(method)
        changes = {name: value for name, value in changes.items() if usual[name] != value}
        said = "".join(f" {name}={value}" for name, value in changes.items())
        settings = {
            "scenario": self.worlds.base.digest,
            "commitment": design.commitment,
            "seed": self.seed,
            "method": method,
            "method_settings": usual | changes,
        }
        path = self.folder / "cells" / self.worlds.base.name / f"{method}{said}.json"
        return finished_cell(path, settings, lambda: self._made(method, changes))

    def _made(self, method: str, changes: dict[str, Any]) -> Record:
        # Compiled programs are kept in memory maps, of which a process may have only so many.
        jax.clear_caches()
        try:
            made = self.worlds.unlearn(self.originals, method=method, seed=self.seed + 1, **changes)
        except ValueError as error:
            return {"not_applicable": str(error)}
        seen = made.observe(self.worlds.probes)
        groups = ("retain", "test")
        count = len(self.worlds.design.candidates)
        return {
            # Candidates are the first probes, in the design's order.
            "scores": seen.margins[:, :count].tolist(),
            "right": {g: seen.correct[:, seen.groups == g].sum(axis=1).tolist() for g in groups},
            "examples": {g: int((seen.groups == g).sum()) for g in groups},
        }

    def beside(self, method: str, models: int) -> Beside:
        """The verdict on a population of the method, with the settings of the study `Algorithms`.

        Args:
            method: one that applies.
            models: in each population.
        """
        world, folder = self.worlds.base, self.folder / "populations"
        settings = {
            "scenario": world.digest,
            "seed": self.seed,
            "method": method,
            "method_settings": method_settings(method),
            "models": models,
        }
        path = self.folder / "cells" / world.name / f"{method}, population.json"

        def made() -> Record:
            jax.clear_caches()
            references = oracles.references(
                world, models=models, seed=self.seed, directory=folder / world.name, resume=True
            )
            seed = self.seed + 1
            unlearned = oracles.unlearn(world, references.original, method=method, seed=seed)
            audit = audits.audit(
                unlearned,
                references,
                epsilon=1.0,
                tolerance=0.25,
                confidence=0.95,
                observables=None,
                seed=self.seed,
            )
            return {"verdict": audit.verdict}

        return Beside(finished_cell(path, settings, made)["verdict"], models, 3 * models)

    def audit(self, method: str, models: slice, **changes: Any) -> audits.CoinAudit:
        """The audit of some of the models, as if the design had been drawn for those alone.

        Coins of different models are independent, so that those of some are such a design.

        Args:
            method: one that applies.
            models: which.
            **changes: see `cell`.
        """
        key = method, models.start, models.stop, tuple(changes.items())
        if key not in self._audits:
            held, design = self.cell(method, **changes), self.worlds.design
            coins = design.coins[models]
            scores = audits.CoinScores(
                method,
                np.array(held["scores"], dtype=np.float64)[models][:, :, None],
                {group: np.array(right)[models] for group, right in held["right"].items()},
                held["examples"],
            )
            self._audits[key] = audits.audit_coins(
                scores, replace(design, coins=coins, models=len(coins))
            )
        return self._audits[key]

    def alone(self, method: str, models: int, **changes: Any) -> list[audits.CoinAudit]:
        """Audits of each of the first models by itself."""
        return [self.audit(method, slice(k, k + 1), **changes) for k in range(models)]
