"""SISA: an ensemble of models, each trained on one shard, slice by slice."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key, Shaped

from estimators.checks import check_counts
from oracles._learner import AnyArray, Learner, Parameters
from oracles.learners._whole_set import WholeSet


@dataclass(frozen=True, eq=False)
class Sisa(WholeSet):
    """Sharded, isolated, sliced and aggregated training.

    Each example falls into one of ``shards`` × ``slices`` cells by a hash of its content, keyed by
    the model. One model a shard trains in stages: stage l on the slices up to l of its shard, from
    where stage l − 1 ended, for ``steps / slices`` steps of ``batch`` with a fresh optimiser. Every
    stage is kept. An ensemble says the mean of its models' probabilities.

    Cells do not depend on which other examples there are, and neither does the number of steps: so
    a model without S differs from one with S only from the first stage of each shard that saw S,
    and doing those stages again is exact. Equal examples share a cell. Source: Bourtoule et al.
    2021, "Machine unlearning", arXiv 1912.03817, which cuts shards of equal sizes and lets stages
    take steps in proportion to what they see; leaving S out would then move the cuts.

    Attributes:
        shards: at least 1.
        slices: at least 1, and at most ``steps``.
    """

    shards: int = 3
    slices: int = 3
    FOLLOWED: ClassVar[Collection[str]] = ("label_smoothing",)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(shards=self.shards, slices=self.slices)
        if self.slices > self.steps:
            raise ValueError(f"slices: expected at most {self.steps}, steps, found {self.slices}")

    @cached_property
    def constituent(self) -> Learner:
        """The learner of one stage of one shard."""
        return Learner(
            self.module,
            self.optimiser,
            self.steps // self.slices,
            self.batch,
            label_smoothing=self.label_smoothing,
            precision=self.precision,
        )

    def init(self, key: Key[Array, ""], inputs: Any) -> Parameters:
        """Fresh parameters in the shape that training gives."""
        keys = jax.random.split(key, (self.shards, self.slices))
        fresh = jax.vmap(jax.vmap(self.constituent.init, in_axes=(0, None)), in_axes=(0, None))
        return {"cells": jax.random.key_data(key), "stages": fresh(keys, inputs)}

    def logits(self, params: Parameters, inputs: Any) -> Float[Array, "n classes"]:
        """Log of the mean probability over shards."""
        last = jax.tree.map(lambda leaf: leaf[:, -1], params["stages"])
        each = jax.vmap(self.constituent.logits, in_axes=(0, None))(last, inputs)
        scores = jax.nn.log_softmax(each, axis=-1)
        return jax.nn.logsumexp(scores, axis=0) - jnp.log(self.shards)

    def train(self, key: Key[Array, ""], inputs: Any, labels: Any, plan: Any) -> Parameters:
        """Trains all stages of all shards."""
        train_key, cells_key = jax.random.split(key)
        fresh = self.init(cells_key, jnp.asarray(inputs))
        first = jnp.zeros(self.shards, dtype=jnp.int32)
        return self.train_from(first, fresh, train_key, inputs, labels, plan[0] >= 0)

    def train_from(
        self, first: Any, params: Any, key: Any, inputs: Any, labels: Any, inside: Any
    ) -> Parameters:
        """Keeps the stages before ``first`` of each shard and trains the others anew."""
        inputs, labels, learner = jnp.asarray(inputs), jnp.asarray(labels), self.constituent
        shard_of, slice_of = self.cells(params["cells"], inputs, labels)

        def shard(number: Any, first: Any, stages: Any, key: Any) -> Any:
            init_key, *keys = jax.random.split(key, 1 + self.slices)
            members = inside & (shard_of == number)

            def stage(before: Any, entry: Any) -> tuple[Any, Any]:
                level, stored, key = entry
                visible = members & (slice_of <= level)
                plan = _stage_plan(key, visible, learner.steps, learner.batch)
                trained = learner.fit(before, inputs, labels, plan)
                is_trained = visible.any() & (level >= first)
                old = jax.tree.map(lambda b, s: jnp.where(level < first, s, b), before, stored)
                after = jax.tree.map(lambda t, o: jnp.where(is_trained, t, o), trained, old)
                return after, after

            start = learner.init(init_key, inputs)
            entries = (jnp.arange(self.slices), stages, jnp.stack(keys))
            return jax.lax.scan(stage, start, entries)[1]

        stages = jax.vmap(shard)(
            jnp.arange(self.shards), first, params["stages"], jax.random.split(key, self.shards)
        )
        return {"cells": params["cells"], "stages": stages}

    def cells(
        self,
        key: Shaped[AnyArray, "..."],
        inputs: Shaped[AnyArray, "n ..."],
        labels: Int[AnyArray, " n"],
    ) -> tuple[Int[Array, " n"], Int[Array, " n"]]:
        """Shard and slice of each example: a hash of its inputs and label, keyed."""
        words = jnp.asarray(inputs).reshape(len(labels), -1)
        if jnp.issubdtype(words.dtype, jnp.floating):
            words = jax.lax.bitcast_convert_type(words.astype(jnp.float32), jnp.uint32)
        words = jnp.concatenate([words.astype(jnp.uint32), labels[:, None].astype(jnp.uint32)], 1)
        salt = jax.random.bits(jax.random.wrap_key_data(jnp.asarray(key)), (2, words.shape[1]))
        hashed = _mixed((_mixed(words ^ salt[0]) * (salt[1] | 1)).sum(axis=1, dtype=jnp.uint32))
        cell = (hashed >> 16) * np.uint32(self.shards * self.slices) >> 16
        cell = cell.astype(jnp.int32)
        return cell // self.slices, cell % self.slices


def _stage_plan(key: Any, visible: Any, steps: int, batch: int) -> Any:
    """Batches that go through the visible examples in one random order, again and again."""
    draws = jnp.where(visible, jax.random.uniform(key, visible.shape), 2.0)
    place = jnp.arange(steps * batch) % jnp.maximum(visible.sum(), 1)
    return jnp.argsort(draws)[place].reshape(steps, batch)


def _mixed(words: Any) -> Any:
    """The finaliser of MurmurHash3: every bit of a word moves every other."""
    words = (words ^ (words >> 16)) * np.uint32(0x85EBCA6B)
    words = (words ^ (words >> 13)) * np.uint32(0xC2B2AE35)
    return words ^ (words >> 16)
