"""Influence-expanded unlearning: guess which of R belongs to B, and retrain without it."""

from dataclasses import dataclass
from typing import Any

import jax
from jaxtyping import Array, Key

from oracles._deferred import build
from oracles._learner import Learner, Parameters, descend
from oracles.unlearners._contract import Batch, all_of
from oracles.unlearners._membership import check_doubt, retained_weights, weighted_loss


@dataclass(frozen=True)
class InfluenceExpanded:
    """Trains a fresh model on R with the learner's recipe, less on what is likely to be of B.

    w_i estimates P(i ∈ B | S): see `membership`, which looks at the features that the last layer of
    θ0 reads. Example i of R weighs v_i = max(0, 1 − w_i / ``doubt``), and each step minimises the
    weighted mean of ℓ over its batch, Σ v_i ℓ_i / Σ v_i; S is left out. With v = 1 this is exact
    retraining on D∖S. With v = 0 on B∖S and 1 elsewhere it is retraining on D∖B, but for batches
    that lack a few examples. After studies of this project; no paper.

    The rule was drawn up on ``digits-trigger`` and ``circles`` alone, at γ = 0.1, 0.25 and 0.5,
    beside models of A(D∖B). Weights 1 − w_i (a doubt of 1) leave some of B in, and a regular
    behaviour is learnt from few examples; a kernel of one width for all left more in than one that
    adapts. Of doubts 0.1, 0.25 and 0.5 the one is kept for which the share of B∖S below it and the
    share of other examples of the labels of S above it have the least sum.

    Attributes:
        doubt: w_i from which an example is left out, in (0, 1].
        neighbours: of the kernel of `membership`, at least 1.
    """

    doubt: float = 0.25
    neighbours: int = 7

    def __post_init__(self) -> None:
        check_doubt(self.doubt, self.neighbours)

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """A fresh model, trained on what is unlikely to be of B.

        Raises:
            ValueError: when the module does not end in a kernel of one row a class.
        """
        weights = retained_weights(learner, params, forget, retain, self.doubt, self.neighbours)
        init_key, plan_key = jax.random.split(key)
        plan = learner.draw_plan(plan_key, all_of(retain))
        fresh = learner.init(init_key, retain[0])
        loss = weighted_loss(learner, retain, weights)
        return descend(build(learner.optimiser), loss, fresh, plan)
