"""What one model is enough for: every unlearner against the coins that drew its forget set."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

import audits
import oracles
from estimators.checks import check_counts
from indist.studies._methods import methods_for_any_learner
from indist.studies._study import Shown, Study, check_names
from indist.studies.coins._answer import answer
from indist.studies.coins._models import CoinModels
from indist.studies.coins._rows import (
    Answered,
    Beside,
    CoinRow,
    Convicted,
    EpochRow,
    Right,
    Spread,
    UnfitRow,
)
from indist.studies.coins._shown import shown

WORLDS: dict[str, dict[str, Any]] = {
    "digits-random-labels": {"wrong": 0.15},
    "digits-trigger": {"poisoned": 195},
    "sequences": {"facts": 16},
}
"""Scenarios, and what gives each many candidates, and leaves enough to test on: 195, 195 and 96."""
FOLLOWED = "digits-random-labels"
"""The scenario of the curves by epochs."""
TRACED = ("finetune", "npo")
"""Methods followed by epochs."""


@dataclass(frozen=True)
class Coins(Study[CoinRow | EpochRow | UnfitRow]):
    """Audits by coins of one model, of three and of ten, of many unlearners.

    Candidates are the examples of the behaviour: 195 wrong labels (15 % of the training set) in
    ``digits-random-labels``, 195 triggered digits in ``digits-trigger``, and in ``sequences`` 96
    phrasings of 16 of the 20 facts of a relation: with more, fewer than 32 fresh phrasings would be
    left for ``test``. A fair coin put each into the training set of a model, and half of the
    candidates are found. All models have coins of their own and are trained once: K models are the
    first K of them.

    All methods run that ask for no learner of their own. Every unlearner is compiled anew for each
    model, so that the whole takes about two hours on two cores, nearly all of it compilation and
    audits of single models.

    Coins show what was remembered one by one. Where a behaviour is learnt as a rule, as the trigger
    is, a candidate's own coin hardly moves the model, and even doing nothing is not convicted.

    Each question has half of the level of 5 %, and bounds are at δ = 0.01. With several models the
    bound rests on the middle and the greatest of their p-values, and can be smaller than that of
    one model, which is why each model's audit by itself is counted too. These counts describe the
    models: each of the audits alone has the level of 5 %, and so 20 of exact retraining have about
    one false conviction.

    Attributes:
        models: K at most, at least 2; each method makes so many.
        sizes: the K of the table; those above ``models`` are left out.
        epochs: of ``finetune`` and ``npo``, at which single models are audited in
            ``digits-random-labels``; each at least 1.
        population: models in each population of an audit that stands beside, of the same
            scenario without coins; at least 16, or 0 for none.
        seed: of data, coins and models; unlearners take the next one.
        scenarios: names, of those above; empty for all.
        methods: names; empty for all of them.
    """

    question: ClassVar = "What do coins say of one model of each unlearner, or of a few?"
    quick: ClassVar = {
        "models": 2,
        "population": 16,
        "sizes": (1, 2),
        "epochs": (1,),
        "scenarios": (FOLLOWED,),
        "methods": ("identity", "retrain", "retrain-behaviour", "finetune"),
    }
    kinds: ClassVar = (CoinRow, EpochRow, UnfitRow)
    names: ClassVar = ("part", "scenario", "method", "models")

    models: int = 10
    sizes: tuple[int, ...] = (1, 3, 10)
    epochs: tuple[int, ...] = (1, 2, 5, 10, 20)
    population: int = 256
    seed: int = 0
    scenarios: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(least=2, models=self.models)
        check_counts(least=16 if self.population else 0, population=self.population)
        for name in ("sizes", "epochs"):
            values: tuple[int, ...] = getattr(self, name)
            check_counts(**{f"{name}[{i}]": value for i, value in enumerate(values)})
        if not self.sizes or min(self.sizes) > self.models:
            raise ValueError(
                f"sizes: expected one of at most {self.models} models, found {self.sizes}"
            )
        check_names("scenario", self.scenarios, WORLDS)
        check_names("method", self.methods, methods_for_any_learner())

    def run(self, folder: Path) -> Iterator[CoinRow | EpochRow | UnfitRow]:
        """A row a scenario, method and K, then one a method and number of epochs."""
        for name in self.scenarios or WORLDS:
            models = self._models(folder, name)
            for method in self.methods or methods_for_any_learner():
                cell = models.cell(method)
                if "not_applicable" in cell:
                    yield UnfitRow(
                        scenario=name,
                        method=method,
                        models=self.models,
                        not_applicable=cell["not_applicable"],
                    )
                    continue
                beside = models.beside(method, self.population) if self.population else None
                for size in sorted({size for size in self.sizes if size <= self.models}):
                    yield _coin_row(models, method, size, beside)
            if name == FOLLOWED:
                yield from self._by_epochs(models)

    def _models(self, folder: Path, name: str) -> CoinModels:
        scenario = oracles.scenarios.load(name, seed=self.seed, **WORLDS[name])
        worlds = oracles.coins(scenario, seed=self.seed, models=self.models)
        return CoinModels(folder, worlds, self.seed)

    def _by_epochs(self, models: CoinModels) -> Iterator[EpochRow]:
        for method in TRACED:
            if self.methods and method not in self.methods:
                continue
            for epochs in (0, *self.epochs):
                # After no epoch it is the original, which is what doing nothing leaves.
                found = (
                    models.alone(method, self.models, epochs=epochs)
                    if epochs
                    else models.alone("identity", self.models)
                )
                yield _epoch_row(models, method, epochs, found)

    def _shown(self, rows: list[CoinRow | EpochRow | UnfitRow]) -> Shown:
        return shown(rows)

    def _answer(self, rows: list[CoinRow | EpochRow | UnfitRow]) -> tuple[str, ...]:
        return answer(rows)


def _coin_row(models: CoinModels, method: str, size: int, beside: Beside | None) -> CoinRow:
    audit = models.audit(method, slice(0, size))
    bounds = [_bounds(one) for one in models.alone(method, size)]
    convicted = [sum(bound > 0.0 for bound in column) for column in zip(*bounds, strict=True)]
    untraining, unlearning = (
        Answered.of(question, alone)
        for question, alone in zip(audit.questions, convicted, strict=True)
    )
    utility = {one.group: Right.of(one) for one in audit.utility}
    design = models.worlds.design
    return CoinRow(
        scenario=models.worlds.base.name,
        method=method,
        models=size,
        candidates=len(design.candidates),
        found=int(design.found.sum()),
        untraining=untraining,
        unlearning=unlearning,
        finding=_convicted(untraining, unlearning),
        retain=utility["retain"],
        test=utility["test"],
        population=beside,
    )


def _convicted(untraining: Answered, unlearning: Answered) -> Convicted:
    found = untraining.finding == "convicted", unlearning.finding == "convicted"
    if all(found):
        return "not untraining, not unlearning"
    return "not untraining" if found[0] else "not unlearning" if found[1] else "nothing found"


def _bounds(audit: audits.CoinAudit) -> tuple[float, float]:
    """Both bounds of an audit: every scenario has candidates of both kinds."""
    untraining, unlearning = audit.questions
    return untraining.bound, unlearning.bound


def _epoch_row(
    models: CoinModels, method: str, epochs: int, found: Sequence[audits.CoinAudit]
) -> EpochRow:
    untraining, unlearning = zip(*map(_bounds, found), strict=True)
    right = {
        group: [one.accuracy for audit in found for one in audit.utility if one.group == group]
        for group in ("retain", "test")
    }
    design = models.worlds.design
    count = sum(bound > 0.0 for bound in untraining)
    return EpochRow(
        scenario=models.worlds.base.name,
        method=method,
        models=len(found),
        candidates=len(design.candidates),
        found=int(design.found.sum()),
        epochs=epochs,
        untraining=_spread(untraining),
        unlearning=_spread(unlearning),
        retain=_spread(right["retain"]),
        test=_spread(right["test"]),
        finding=f"after {epochs}: {count} of {len(found)} models not untraining",
    )


def _spread(values: Sequence[float]) -> Spread:
    return Spread(
        float(values[0]), float(min(values)), float(np.median(values)), float(max(values))
    )
