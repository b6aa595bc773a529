"""SISA: train anew from the first stage that saw S."""

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key

from oracles._learner import Learner, Parameters
from oracles.learners._sisa import Sisa
from oracles.learners._whole_set import own_learner
from oracles.unlearners._contract import Batch


@dataclass(frozen=True)
class SisaDeletion:
    """Reloads, for each shard, the stage before the first slice that holds S, and trains on from R.

    Exact: the output has the law of `Sisa` trained on R. Here all models of a population run one
    program, which computes every stage and keeps the old where it may, so nothing is saved: the
    cost is that of training. S spread over all shards and slices leaves little to save anyway.
    Source: Bourtoule et al. 2021, "Machine unlearning", arXiv 1912.03817.
    """

    learner: ClassVar[str] = "sisa"

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """The ensemble without S."""
        sisa = own_learner("sisa", learner, Sisa)
        shards, slices = sisa.cells(params["cells"], *forget)
        first = jnp.full(sisa.shards, sisa.slices).at[shards].min(slices)
        inside = jnp.ones(len(retain[1]), dtype=bool)
        return sisa.train_from(first, params, jax.random.split(key)[0], *retain, inside)
