"""Runs: many models trained on random subsets of D, and what each made of every target.

One append-only store serves memorization, cross-influence, C-scores, membership attacks and
datamodels: all of them are statistics of who was included and what came of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Key

from estimators.checks import check_seed, check_within
from oracles._doors import check_scenario
from oracles._learner import Learner, in_precision
from oracles._scenario import Scenario
from oracles.engines._by_name import engine as engine_of
from oracles.engines._engine import Engine
from oracles.engines._task import Program
from oracles.engines._width import with_width
from oracles.populations._make import CHUNK, make_shards
from oracles.populations._training import population_recipe
from oracles.randomness import stream_key, stream_number
from oracles.storage._folder import Folder, open_folder
from oracles.storage.shards import (
    RUNS_FORMAT,
    Shard,
    StoreError,
    digest_shards,
    read_manifest,
    read_shards,
)

_LEAST_INCLUDED = 20
_FRESH = ("behaviour_test", "near", "test")


@dataclass(frozen=True, eq=False)
class Runs:
    """What models trained on random subsets of D made of every target.

    Targets are the training examples, in order, and then the scenario's fresh probes (groups
    ``behaviour_test``, ``near`` and ``test``).

    Attributes:
        recipe: how each model was made (JSON values).
        labels: label of each target.
        groups: group of each target: ``forget``, ``behaviour`` and ``retain`` for the training
            examples of S, B∖S and D∖B; of probes their own.
        shards: the models, in memory or on disk.
        directory: the folder that holds them, or None.
    """

    recipe: Mapping[str, Any]
    labels: Int[np.ndarray, " targets"]
    groups: np.ndarray
    shards: tuple[Shard, ...]
    directory: Folder | None = None

    @property
    def models(self) -> int:
        """How many models there are."""
        return sum(map(len, self.shards))

    @property
    def examples(self) -> int:
        """How many training examples there are: the first targets."""
        return int(self.recipe["examples"])

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the models' own digests."""
        return digest_shards(self.shards)

    @cached_property
    def included(self) -> Bool[np.ndarray, "models examples"]:
        """Whether each model trained on each example."""
        return self._bits("included", self.examples)

    @cached_property
    def correct(self) -> Bool[np.ndarray, "models targets"]:
        """Whether each model gives each target its label."""
        return self._bits("correct", len(self.labels))

    @cached_property
    def probability(self) -> Float[np.ndarray, "models targets"]:
        """The probability each model gives to each target's label."""
        return self._all("probability")

    @cached_property
    def margin(self) -> Float[np.ndarray, "models targets"]:
        """The log-odds ln p_y − ln Σ_{j≠y} p_j, in nats: what membership attacks model."""
        return self._all("margin")

    def _all(self, name: str) -> np.ndarray:
        return np.concatenate([shard.arrays()[name] for shard in self.shards])

    def _bits(self, name: str, count: int) -> np.ndarray:
        return np.unpackbits(self._all(name), axis=1, count=count).astype(bool)


@dataclass(frozen=True, eq=False)
class Subsets:
    """The task of training models on random subsets: see `subset_runs` for the fields."""

    scenario: Scenario
    inclusion: float
    replicate: int
    seed: int
    width: int

    def __post_init__(self) -> None:
        total = len(self.scenario.train)
        check_within("(0, 1)", inclusion=self.inclusion)
        if total * self.inclusion < _LEAST_INCLUDED:
            raise ValueError(
                f"inclusion: expected at least {_LEAST_INCLUDED} included examples on average, "
                f"found {total * self.inclusion:g} of {total}"
            )

    @property
    def title(self) -> str:
        """For the progress bar."""
        return f"subsets of {self.scenario.name}"

    @property
    def recipe(self) -> dict[str, Any]:
        """All that the bits of the models depend on."""
        return population_recipe(self.scenario, self.seed, self._stream, self.width) | {
            "inclusion": self.inclusion,
            "examples": len(self.scenario.train),
        }

    @property
    def _stream(self) -> str:
        return f"subsets/{self.replicate}"

    @property
    def module(self) -> nn.Module:
        """Of the learner."""
        return self.scenario.learner.module

    def program(self) -> Program:
        """Draw a subset and a plan, initialise, fit, and look at every target."""
        return _subsets_program(self.scenario.learner, self.inclusion)

    def arguments(self, models: Int[np.ndarray, " width"]) -> Any:
        """Index of each model."""
        return models.astype(np.uint32)

    def shared(self) -> Any:
        """Keys of inclusion and training, training examples and targets."""
        train = self.scenario.train
        inputs, labels, _ = targets(self.scenario)
        keys = [
            stream_key(stream_number(self.seed, stream))
            for stream in ("subsets/included", self._stream)
        ]
        return *keys, train.inputs, train.labels, inputs, labels

    def arrays(self, models: Int[np.ndarray, " some"], made: Any) -> Mapping[str, np.ndarray]:
        """Inclusion and correctness as bits, probability and margin as float32."""
        del models
        return dict(zip(("included", "correct", "probability", "margin"), made, strict=True))


def targets(scenario: Scenario) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs, labels and groups of the targets of a scenario's runs.

    Args:
        scenario: the scenario.

    Returns:
        Training examples first, then fresh probes.
    """
    train, probes = scenario.train, scenario.probes
    fresh = np.isin(probes.groups, _FRESH)
    train_groups = np.full(len(train), "retain", dtype=object)
    train_groups[scenario.behaviour] = "behaviour"
    train_groups[scenario.forget] = "forget"
    return (
        np.concatenate([train.inputs, probes.inputs[fresh]]),
        np.concatenate([train.labels, probes.labels[fresh]]),
        np.concatenate([train_groups, probes.groups[fresh]]).astype(str),
    )


def subset_runs(
    scenario: Scenario,
    *,
    models: int,
    seed: int,
    inclusion: float = 0.7,
    replicate: int = 0,
    directory: Folder | Path | str | None = None,
    resume: bool = False,
    engine: str | Engine = "local",
    chunk: int = CHUNK,
    width: int | None = None,
) -> Runs:
    """Trains models on random subsets of D and keeps what each makes of every target.

    Each model includes each example by a coin of its own, so that others are alike in both arms of
    an example and differences of arms are unbiased for its effect at this inclusion rate. Model k
    depends on (scenario, seed, inclusion, replicate, width, k)
    alone: more models can be added at any time.

    Args:
        scenario: the scenario; S and B only name groups of targets here.
        models: how many, at least 1.
        seed: seed of inclusion and training.
        inclusion: rate in (0, 1).
        replicate: models of other replicates have the same subsets and other training keys.
        directory: folder to store them in, a path or a URL; None keeps them in memory.
        resume: continue, or add models to, a folder made with the same settings.
        engine: where to train: see `oracles.engines`.
        chunk: models a shard.
        width: models a device in one compiled program; None takes the default of
            backend and module.

    Returns:
        The runs.

    Raises:
        ValueError: when a setting is out of range.
        StoreError: when the folder cannot be used; the first differing setting is named.

    Example:
        >>> from indist import oracles
        >>> scenario = oracles.scenarios.load("circles", seed=0)
        >>> runs = oracles.subset_runs(scenario, models=8, seed=0)
        >>> runs.included.shape[0], runs.correct.shape == runs.margin.shape
        (8, True)
    """
    seed, replicate = check_seed(seed), check_seed(replicate, "replicate")
    check_scenario(scenario)
    chosen = engine_of(engine)
    task = Subsets(scenario, inclusion, replicate, seed, 1)
    task = with_width(task, width, models=models, directory=directory, kind=RUNS_FORMAT)
    made = make_shards(
        task,
        models=models,
        directory=directory,
        resume=resume,
        engine=chosen,
        chunk=chunk,
        kind=RUNS_FORMAT,
    )
    _, labels, groups = targets(scenario)
    return Runs(made.recipe, labels, groups, made.shards, made.folder)


def load_runs(directory: Folder | Path | str, scenario: Scenario) -> Runs:
    """Reads stored runs.

    Args:
        directory: the folder, a path or a URL.
        scenario: the scenario that they were made in.

    Returns:
        The runs, shards opened only when needed.

    Raises:
        StoreError: when the folder holds no runs, or those of another scenario.
    """
    folder = open_folder(directory)
    manifest = read_manifest(folder, RUNS_FORMAT)
    made = manifest.recipe.get("scenario")
    if not isinstance(made, dict) or made.get("digest") != scenario.digest:
        raise StoreError(f"{folder}: holds runs of another scenario than {scenario.name}")
    if not manifest.shards:
        raise StoreError(f"{folder}: holds no finished models yet; add --resume to continue")
    _, labels, groups = targets(scenario)
    return Runs(manifest.recipe, labels, groups, read_shards(folder, manifest), folder)


def subset(key: Key[Array, ""], examples: int, inclusion: float) -> Bool[Array, " examples"]:
    """Which examples one model trains on: a coin for each.

    Where all coins say no, which at 20 included examples on average happens to one model in 10^8,
    the first example is included.
    """
    coins = jax.random.uniform(key, (examples,)) < inclusion
    return coins.at[0].set(coins[0] | ~coins.any())


@lru_cache(maxsize=32)
def _subsets_program(learner: Learner, inclusion: float) -> Program:
    def program(own: Any, shared: Any) -> Any:
        included_key, key, inputs, labels, target_inputs, target_labels = shared
        plan_key, key = jax.random.split(jax.random.fold_in(key, own))
        included = subset(jax.random.fold_in(included_key, own), len(labels), inclusion)
        plan = learner.draw_plan(plan_key, included)
        params = learner.train(key, inputs, labels, plan)
        logits = learner.logits(params, target_inputs)
        scores = jax.nn.log_softmax(logits)
        is_label = target_labels[:, None] == jnp.arange(scores.shape[1])
        label_score = jnp.where(is_label, scores, 0.0).sum(axis=1)
        others = jax.nn.logsumexp(jnp.where(is_label, -jnp.inf, scores), axis=1)
        correct = jnp.argmax(logits, axis=1) == target_labels
        bits = jnp.packbits(included), jnp.packbits(correct)
        return *bits, jnp.exp(label_score), label_score - others

    return in_precision(learner, program)
