"""SalUn: random labels, learnt by the weights with the largest gradients on S alone."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Key

from estimators.checks import check_within
from oracles._learner import Learner, Parameters
from oracles.unlearners._contract import Batch
from oracles.unlearners._descent import MomentumDescent
from oracles.unlearners._random_label import descend_relabelled, relabelled_passes


@dataclass(frozen=True)
class SalUn(MomentumDescent):
    """Random labels with the gradient ∘ M, where M = 1 on the weights of largest |Σ_S ∇ℓ(θ0)|.

    M holds the top ``saliency`` part of all weights, counted over all layers together. Nothing
    leaks outside M, as there is no weight decay and momentum begins at zero: masked weights keep
    their bits. Source: Fan et al. 2024, arXiv 2310.12508, which publishes one half, 0.013 and 10
    epochs; S and R are mixed here as in `RandomLabel`, where the authors' code takes a pass over S
    and then one over R. The learning
    rate is that of `RandomLabel`, so that the mask is the only difference.

    Attributes:
        learning_rate: over 0.
        epochs: passes over D, at least 1.
        batch: examples a step, or all of D.
        momentum: of SGD, in [0, 1).
        saliency: part of the weights that may move, in (0, 1].
    """

    learning_rate: float = 0.02
    epochs: int = 10
    saliency: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_within("(0, 1]", saliency=self.saliency)

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """θ0 with its salient weights trained on S relabelled and R."""
        gradient, unravel = ravel_pytree(jax.grad(learner.loss)(params, *forget))
        count = max(1, round(self.saliency * gradient.size))
        # Weights are chosen by rank, not by a threshold, as those of dead units tie at zero.
        top = jnp.argsort(-jnp.abs(gradient))[:count]
        mask = unravel(jnp.zeros_like(gradient).at[top].set(1))
        optimiser = optax.chain(
            optax.stateless(lambda updates, _: jax.tree.map(jnp.multiply, updates, mask)),
            self._optimiser,
        )
        sets = forget, retain
        plan = relabelled_passes(key, learner, params, sets, self.epochs, self.batch)
        return descend_relabelled(optimiser, learner, params, sets, plan)
