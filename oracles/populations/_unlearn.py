"""Running an unlearner over a population of original models."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import numpy as np
from jaxtyping import Int

from estimators.checks import check_counts, check_seed
from estimators.kinds import check_name
from oracles._doors import check_population, check_scenario
from oracles._learner import Learner, in_precision
from oracles._population import Population
from oracles._scenario import Scenario
from oracles.engines._by_name import engine as engine_of
from oracles.engines._engine import Engine
from oracles.engines._task import Program
from oracles.engines._width import with_width
from oracles.learners._registry import built
from oracles.populations._make import CHUNK, make_shards
from oracles.populations._training import population_recipe, train
from oracles.randomness import stream_key, stream_number
from oracles.storage._folder import Folder
from oracles.storage.shards import stored_arrays
from oracles.unlearners._contract import Certified, Unlearner, released
from oracles.unlearners._registry import UNLEARNERS


@dataclass(frozen=True)
class Oracle:
    """A candidate that is told B, for comparison only: no unlearner may know it."""

    title: str


ORACLES: Mapping[str, Oracle] = {
    "retrain-behaviour": Oracle("exact retraining on D∖B (an oracle: it is told B)"),
}
"""Candidates that see B, by name."""


@dataclass(frozen=True, eq=False)
class Unlearning:
    """The task of unlearning S from models of an original population.

    Attributes:
        scenario: the scenario.
        original: the population O.
        method: name of the unlearner.
        unlearner: its settings.
        seed: of its randomness.
        width: models a device in one compiled program.
    """

    scenario: Scenario
    original: Population
    method: str
    unlearner: Unlearner
    seed: int
    width: int

    @property
    def title(self) -> str:
        """For the progress bar."""
        return f"{self.method} ({self.scenario.name})"

    @property
    def recipe(self) -> dict[str, Any]:
        """All that the bits of the models depend on."""
        stream = f"unlearn/{self.method}"
        recipe = population_recipe(self.scenario, self.seed, stream, self.width) | {
            "method": self.method,
            "method_settings": asdict(self.unlearner),  # pyright: ignore[reportArgumentType]
            "original": dict(self.original.recipe),
        }
        if isinstance(self.unlearner, Certified):
            sizes = self.scenario.sizes
            claim = self.unlearner.claim(self.scenario.learner, sizes["train"], sizes["forget"])
            recipe["claim"] = asdict(claim)
        return recipe

    @property
    def module(self) -> nn.Module:
        """Of the learner."""
        return self.scenario.learner.module

    def program(self) -> Program:
        """Unlearn, observe."""
        return _unlearning_program(self.scenario.learner, self.unlearner)

    def arguments(self, models: Int[np.ndarray, " width"]) -> Any:
        """Index and original parameters of each model."""
        return models.astype(np.uint32), self.original.parameters_of(models)

    def arrays(self, models: Int[np.ndarray, " some"], made: Any) -> Mapping[str, np.ndarray]:
        """Parameters and logits."""
        del models
        return stored_arrays(*made)

    def shared(self) -> Any:
        """Key, S, R = D∖S, and the probes' inputs: B is not among them."""
        scenario = self.scenario
        forget = scenario.train.take(scenario.forget)
        retain = scenario.train.take(scenario.excluding(scenario.forget))
        key = stream_key(stream_number(self.seed, f"unlearn/{self.method}"))
        sets = ((part.inputs, part.labels) for part in (forget, retain))
        return key, *sets, scenario.probes.inputs


def unlearn(
    scenario: Scenario,
    original: Population,
    *,
    method: str,
    seed: int,
    models: int | None = None,
    directory: Folder | Path | str | None = None,
    resume: bool = False,
    engine: str | Engine = "local",
    chunk: int = CHUNK,
    **settings: Any,
) -> Population:
    """Unlearns S from each original model, one candidate an original.

    The unlearner is handed θ0, S, R = D∖S and a key, never B. The candidates are independent of
    each other and of both references, as the bounds of an audit ask for.

    Args:
        scenario: the scenario that the originals were trained in.
        original: the population O.
        method: a key of `oracles.unlearners.UNLEARNERS`, or of `ORACLES`.
        seed: seed of the unlearner's own randomness.
        models: how many originals to unlearn, from the first on; all by default.
        directory: folder to store the population in, a path or a URL; None keeps it in memory.
        resume: continue a folder made with the same settings.
        engine: where to unlearn: see `oracles.engines`.
        chunk: models a shard, what an interrupted run can lose.
        **settings: settings of the method, such as ``learning_rate=0.02``.

    Returns:
        The population of candidates.

    Raises:
        ValueError: for an unknown method or setting, or more models than there are originals.
        StoreError: when the folder cannot be used.

    Example:
        >>> from indist import oracles
        >>> scenario = oracles.scenarios.load("circles", seed=0)
        >>> refs = oracles.references(scenario, models=4, seed=0)
        >>> oracles.unlearn(scenario, refs.original, method="finetune", seed=1).models
        4
    """
    seed = check_seed(seed)
    check_scenario(scenario)
    check_population(original, "original")
    chosen = engine_of(engine)
    count = original.models if models is None else models
    check_counts(models=count)
    if not 1 <= count <= original.models:
        raise ValueError(
            f"models: expected 1 to {original.models}, as many as there are originals, "
            f"found {count}"
        )
    check_name(method, "method", [*UNLEARNERS, *ORACLES])
    if method in ORACLES:
        if settings:
            raise ValueError(f"{method}: takes no settings, found {next(iter(settings))!r}")
        return train(
            scenario,
            "behaviour",
            stream=f"unlearn/{method}",
            models=count,
            seed=seed,
            directory=directory,
            resume=resume,
            engine=chosen,
            chunk=chunk,
        )
    unlearner = unlearner_of(method, settings)
    check_learner(method, unlearner, scenario)
    task = Unlearning(scenario, original, method, unlearner, seed, 1)
    task = with_width(task, None, models=count, directory=directory)
    made = make_shards(
        task, models=count, directory=directory, resume=resume, engine=chosen, chunk=chunk
    )
    learner = released(unlearner, scenario.learner)
    return Population(made.recipe, learner, scenario.probes, made.shards, made.folder)


def check_learner(method: str, unlearner: Any, scenario: Scenario) -> None:
    """Raises ValueError, before anything is compiled, when the method is about another learner."""
    name = getattr(unlearner, "learner", None)
    if name is None:
        return
    kind = type(built(name, scenario.train, scenario.classes))
    if not isinstance(scenario.learner, kind):
        raise ValueError(
            f"{method}: unlearns from models of the learner {name}; load the scenario with "
            f"learner {name} (--learner {name})"
        )


def unlearner_of(method: str, settings: Mapping[str, Any]) -> Any:
    """The unlearner of a name, with its settings; ValueError for one that it does not have."""
    kind = UNLEARNERS[method]
    known = [field.name for field in fields(kind)]
    for name in settings:
        check_name(name, method, known or [], "settings")
    return kind(**settings)


@lru_cache(maxsize=128)
def _unlearning_program(learner: Learner, unlearner: Unlearner) -> Program:
    observed = released(unlearner, learner)

    def program(own: Any, shared: Any) -> Any:
        (model, params), (key, forget, retain, probes) = own, shared
        after = unlearner(learner, params, forget, retain, jax.random.fold_in(key, model))
        return after, observed.logits(after, probes)

    return in_precision(learner, program)
