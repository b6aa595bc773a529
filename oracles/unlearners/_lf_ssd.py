"""LF-SSD: selective dampening by how strongly the outputs, not the loss, depend on a weight."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from oracles._learner import Learner, Parameters
from oracles.unlearners._contract import Batch
from oracles.unlearners._descent import passes
from oracles.unlearners._ssd import SelectiveDampening, batch_mean


@dataclass(frozen=True)
class LabelFreeDampening(SelectiveDampening):
    """`SelectiveDampening` with I_A = mean over mini-batches of A of |∇ mean_x ‖f(x)‖²|.

    f are the logits: no label of S or D is looked at. One example a batch is the definition in the
    paper. Source: Foster et al. 2024, arXiv 2402.19308. All else is as in SSD, α = 10 and λ = 1
    among it, though there I_A is of squares. Nothing was tuned.

    Attributes:
        alpha: how many times more it must matter to S, over 0.
        dampening: λ, over 0.
        batch: examples a gradient, or all of the set.
        against: ``all``, the importance on D, or ``retain``, on R.
    """

    def _importance(self, learner: Learner, params: Parameters, examples: Batch, key: Any) -> Any:
        def output(params: Any, inputs: Any) -> Any:
            return squared_norms(learner.logits(params, inputs)).mean()

        return sensitivity(output, params, examples[0], key, self.batch)


def sensitivity(output: Any, params: Parameters, inputs: Any, key: Any, batch: int) -> Any:
    """Mean over batches of |∇ output(params, batch)|, a tree like ``params``."""
    inputs = jnp.asarray(inputs)

    def gradient(index: Any) -> Any:
        return jax.grad(output)(params, inputs[index])

    return batch_mean(gradient, jnp.abs, params, passes(key, len(inputs), 1, batch))


def squared_norms(logits: Float[Array, "n classes"]) -> Float[Array, " n"]:
    """‖f(x)‖² of each example."""
    return jnp.square(logits).sum(axis=1)
