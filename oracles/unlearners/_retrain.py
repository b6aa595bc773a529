"""Exact retraining on R = D∖S: untraining by definition."""

from dataclasses import dataclass
from typing import Any

import jax
from jaxtyping import Array, Key

from oracles._learner import Learner, Parameters
from oracles.unlearners._contract import Batch, all_of


@dataclass(frozen=True)
class Retrain:
    """Trains a fresh model on R with the learner's own recipe; θ0 is ignored.

    Its output has the law of A(D∖S), so it is (0, 0)-indistinguishable from the untraining
    reference (Neel et al. 2021, section 2).
    """

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """A model of A(R)."""
        inputs, labels = retain
        init_key, plan_key = jax.random.split(key)
        plan = learner.draw_plan(plan_key, all_of(retain))
        return learner.train(init_key, inputs, labels, plan)
