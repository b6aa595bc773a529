"""Training a population of a scenario's learner, some examples left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Int

from estimators.checks import check_counts, check_seed
from estimators.kinds import check_name
from oracles._doors import check_scenario
from oracles._learner import Learner, in_precision
from oracles._population import Population
from oracles._scenario import Scenario
from oracles.engines._by_name import engine as engine_of
from oracles.engines._engine import Engine
from oracles.engines._task import Program
from oracles.engines._width import with_width
from oracles.populations._make import CHUNK, make_shards
from oracles.randomness import RANDOMNESS, stream_key, stream_number
from oracles.storage._folder import Folder
from oracles.storage.files import check_printable
from oracles.storage.shards import stored_arrays

Excluded = Literal["nothing", "forget", "behaviour"] | Sequence[int]
Exclusion = Literal["resampled", "masked"]
_SETS = ("nothing", "forget", "behaviour")


@dataclass(frozen=True, eq=False)
class Training:
    """The task of training a population: see `train` for the fields."""

    scenario: Scenario
    excluded: Excluded
    exclusion: Exclusion
    stream: str
    seed: int
    width: int

    def __post_init__(self) -> None:
        check_counts(width=self.width)
        learner = self.scenario.learner
        if self.exclusion == "masked" and type(learner) is not Learner:
            raise ValueError(
                "exclusion: expected resampled, as batches are what masked means, found masked "
                f"for a learner of kind {type(learner).__name__}"
            )
        if isinstance(self.excluded, str):
            check_name(self.excluded, "excluded", _SETS, also=" or training indices")
        else:
            total = len(self.scenario.train)
            for index in _indices(self.excluded):
                if not 0 <= index < total:
                    raise ValueError(f"excluded: expected indices 0 to {total - 1}, found {index}")
            if not self._included.size:
                raise ValueError("excluded: expected some example to be left, found none")

    @property
    def title(self) -> str:
        """For the progress bar."""
        return f"{self.stream} ({self.scenario.name})"

    @property
    def recipe(self) -> dict[str, Any]:
        """All that the bits of the models depend on."""
        return population_recipe(self.scenario, self.seed, self.stream, self.width) | {
            "excluded": self.excluded
            if isinstance(self.excluded, str)
            else sorted({int(index) for index in self.excluded}),
            "exclusion": self.exclusion,
        }

    @property
    def module(self) -> nn.Module:
        """Of the learner."""
        return self.scenario.learner.module

    def program(self) -> Program:
        """Draw a plan, initialise, fit along it, observe."""
        return _training_program(self.scenario.learner, self.exclusion)

    def arguments(self, models: Int[np.ndarray, " width"]) -> Any:
        """Index of each model, and None, as all of them train on the same examples."""
        return models.astype(np.uint32), None

    def arrays(self, models: Int[np.ndarray, " some"], made: Any) -> Mapping[str, np.ndarray]:
        """Parameters and logits."""
        del models
        return stored_arrays(*made)

    def shared(self) -> Any:
        """Key, which examples models train on, training examples, and the probes' inputs."""
        train, probes = self.scenario.train, self.scenario.probes
        included = np.isin(np.arange(len(train)), self._included)
        return stream_key(self._number), included, train.inputs, train.labels, probes.inputs

    @cached_property
    def _number(self) -> int:
        return stream_number(self.seed, self.stream)

    @cached_property
    def _included(self) -> Int[np.ndarray, " included"]:
        if not isinstance(self.excluded, str):
            return self.scenario.excluding(np.array(self.excluded, dtype=np.int64))
        without = {
            "nothing": np.array([], dtype=np.int64),
            "forget": self.scenario.forget,
            "behaviour": self.scenario.behaviour,
        }
        return self.scenario.excluding(without[self.excluded])


def _indices(excluded: Any) -> list[int]:
    """Indices as they were given; neither a mask nor fractions stand for any."""
    index = np.asarray([] if excluded is None else excluded)
    if excluded is None or index.ndim != 1 or (index.size and index.dtype.kind not in "iu"):
        found = "None" if excluded is None else f"{index.dtype} {list(index.shape)}"
        raise ValueError(
            f"excluded: expected one of {', '.join(_SETS)} or training indices, found {found}"
        )
    return [int(k) for k in index]


def check_stream(stream: Any) -> None:
    """A stream's name, or several joined by slashes; none of them names a place in folders.

    Raises:
        TypeError: when it is no text.
        ValueError: when a part is empty, ``.`` or ``..``, or characters are not printable.
    """
    check_printable(stream, "stream")
    if {"", ".", ".."} & set(stream.split("/")):
        raise ValueError(f"stream: expected names, or several joined by /, found {stream[:60]!r}")


def population_recipe(scenario: Scenario, seed: int, stream: str, width: int) -> dict[str, Any]:
    """The settings that the bits of any population depend on."""
    return {
        "scenario": scenario.description,
        "learner": scenario.learner.description,
        "seed": seed,
        "stream": stream,
        "backend": jax.default_backend(),
        "width": width,
        "jax": jax.__version__,
        "randomness": RANDOMNESS,
    }


@lru_cache(maxsize=32)
def _training_program(learner: Learner, exclusion: Exclusion) -> Program:
    def program(own: Any, shared: Any) -> Any:
        (model, own_included), (key, included, inputs, labels, probes) = own, shared
        included = included if own_included is None else own_included
        plan_key, key = jax.random.split(jax.random.fold_in(key, model))
        if exclusion == "resampled":
            plan = learner.draw_plan(plan_key, included)
        else:
            plan = learner.draw_plan(plan_key, np.ones(len(labels), dtype=bool))
            plan = jnp.where(included[plan], plan, -1)
        params = learner.train(key, inputs, labels, plan)
        return params, learner.logits(params, probes)

    return in_precision(learner, program)


def train(
    scenario: Scenario,
    excluded: Excluded,
    *,
    stream: str,
    models: int,
    seed: int,
    directory: Folder | Path | str | None = None,
    resume: bool = False,
    engine: str | Engine = "local",
    exclusion: Exclusion = "resampled",
    chunk: int = CHUNK,
    width: int | None = None,
) -> Population:
    """Trains one population of the scenario's learner, some examples excluded.

    Model k depends on (scenario, seed, stream, exclusion, width, k) alone: neither on how many
    models are asked for, nor on ``chunk``, engine, devices, or whether the run was resumed, on one
    backend and version of JAX. Another width gives the same models up to rounding.

    Args:
        scenario: the scenario.
        excluded: which examples no model sees: ``nothing``, ``forget`` (S), ``behaviour`` (B), or
            indices into D, as ``[3]`` to leave one out.
        stream: a name of printable characters, or several joined by ``/``; populations of other
            names are independent.
        models: how many, at least 1.
        seed: seed of the population.
        directory: folder to store it in, a path or a URL; None keeps it in memory.
        resume: continue, or add models to, a folder made with the same settings.
        engine: where to train: see `oracles.engines`.
        exclusion: ``resampled``: batches are drawn from the included examples, so that all are
            full and each epoch visits each included example once. ``masked``: batches are drawn
            from D, and excluded examples in them weigh nothing; the included ones are visited as
            often as if nothing were excluded, in smaller batches and with smaller steps. The two
            are different learners: do not mix them in one audit.
        chunk: models a shard, what an interrupted run can lose.
        width: models a device in one compiled program; None takes that of the folder, or the
            default, which on an accelerator depends on ``models`` too.

    Returns:
        The population.

    Raises:
        TypeError: when the stream is no text, or ``resume`` neither True nor False.
        ValueError: when the stream is no name, ``models``, ``chunk`` or ``width`` is below 1, or
            the engine is unknown.
        StoreError: when the folder cannot be used; the first differing setting is named.

    Example:
        >>> from indist import oracles
        >>> scenario = oracles.scenarios.load("circles", seed=0)
        >>> oracles.train(scenario, "forget", stream="mine", models=2, seed=0).models
        2
    """
    seed = check_seed(seed)
    check_scenario(scenario)
    check_stream(stream)
    check_name(exclusion, "exclusion", get_args(Exclusion))
    chosen = engine_of(engine)
    task = Training(scenario, excluded, exclusion, stream, seed, 1)
    task = with_width(task, width, models=models, directory=directory)
    made = make_shards(
        task, models=models, directory=directory, resume=resume, engine=chosen, chunk=chunk
    )
    return Population(made.recipe, scenario.learner, scenario.probes, made.shards, made.folder)
