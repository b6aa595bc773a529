"""Matched stopping: push confidence on S down to that of a model that never saw it, no further."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, Key

from estimators.checks import check_counts, check_within
from oracles._learner import AnyArray, Learner, Parameters, descent_step
from oracles.randomness import epoch_batches
from oracles.unlearners._contract import Batch, on_device
from oracles.unlearners._descent import check_descent
from oracles.unlearners._membership import check_doubt, retained_weights, weighted_loss
from oracles.unlearners._prototype_subtraction import look_alikes


@dataclass(frozen=True)
class MatchedStopping:
    """Minimises α · (weighted loss on R) + (1 − α) · mean_S max(φ, φ*), until median_S φ ≤ φ*.

    φ = ln p_y − ln Σ_{j≠y} p_j is the logit-scaled confidence in the label. φ* is what it is
    expected to be in a model that never saw the behaviour, and is estimated for each θ0 from probes
    with counterfactual labels: an example of S is taken for one of the label of its look-alike (see
    `PrototypeSubtraction`), the median of φ over all of R with that label is computed as if they
    had the label of the example of S, and φ* is the median over S of these. Each model stops as
    soon as it is there, and no example is pushed below φ*: both are to prevent over-unlearning. R
    has the weights of `InfluenceExpanded`, and each step sees all of S. After studies of this
    project; no paper.

    The rule was drawn up on ``digits-trigger`` and ``circles`` alone, beside models of A(D∖B): the
    median over R stands where the look-alikes' own φ stood, which was farther from φ of A(D∖B) on S
    in ``circles``, and φ is descended on where −ℓ was, whose gradient vanishes where θ0 is sure. Of
    (α, learning rate) = (0.95, 0.01), (0.99, 0.01) and (0.99, 0.05) the pair is kept that leaves
    most accuracy on the ``retain`` probes of ``digits-trigger`` at γ = 0.1; in ``circles`` they
    differ little. ``doubt`` and ``neighbours`` are those of `InfluenceExpanded`.

    Attributes:
        learning_rate: over 0.
        steps: at most, at least 1.
        batch: examples of R a step, or all of R.
        momentum: of SGD, in [0, 1).
        alpha: weight of R, in (0, 1).
        doubt: as in `InfluenceExpanded`, in (0, 1].
        neighbours: as there, at least 1.
    """

    learning_rate: float = 0.05
    steps: int = 1000
    batch: int = 128
    momentum: float = 0.9
    alpha: float = 0.99
    doubt: float = 0.25
    neighbours: int = 7

    def __post_init__(self) -> None:
        check_descent(self.learning_rate, 1, self.batch, self.momentum)
        check_counts(steps=self.steps)
        check_doubt(self.doubt, self.neighbours)
        check_within("(0, 1)", alpha=self.alpha)

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """θ0 pushed off S until it is matched.

        Raises:
            ValueError: when the module does not end in a kernel of one row a class and a bias.
        """
        inputs, labels = on_device(forget)
        target = expected_confidence(learner, params, forget, retain)
        weights = retained_weights(learner, params, forget, retain, self.doubt, self.neighbours)
        loss_r, examples = weighted_loss(learner, retain, weights), len(retain[1])
        plan = epoch_batches(key, examples, self.steps, min(self.batch, examples))
        optimiser = optax.sgd(self.learning_rate, momentum=self.momentum)

        def confidence_s(params: Any) -> Any:
            return confidence(learner.logits(params, inputs), labels)

        def loss(params: Any, index: Any) -> Any:
            loss_s = jnp.maximum(confidence_s(params), target).mean()
            return self.alpha * loss_r(params, index) + (1 - self.alpha) * loss_s

        def unfinished(state: Any) -> Any:
            (params, _), steps = state
            return (steps < self.steps) & (jnp.median(confidence_s(params)) > target)

        def step(state: Any) -> Any:
            descent, steps = state
            return descent_step(optimiser, loss, descent, plan[steps]), steps + 1

        start = (params, optimiser.init(params)), 0
        return jax.lax.while_loop(unfinished, step, start)[0][0]


def confidence(
    logits: Float[Array, "n classes"], labels: Int[AnyArray, "#n"]
) -> Float[Array, " n"]:
    """φ = ln p_y − ln Σ_{j≠y} p_j of each example."""
    is_label = jnp.asarray(labels)[:, None] == jnp.arange(logits.shape[1])
    others = jax.nn.logsumexp(jnp.where(is_label, -jnp.inf, logits), axis=1)
    return jnp.where(is_label, logits, 0.0).sum(axis=1) - others


def expected_confidence(
    learner: Learner, params: Parameters, forget: Batch, retain: Batch
) -> Float[Array, ""]:
    """φ*: see `MatchedStopping`."""
    labels = jnp.asarray(retain[1])
    logits = learner.logits(params, retain[0])

    def typical(label: Any, true_label: Any) -> Any:
        """Median of φ in ``label`` over the examples of R that have ``true_label``."""
        counterfactual = confidence(logits, label[None])
        return jnp.nanmedian(jnp.where(labels == true_label, counterfactual, jnp.nan))

    look_alike_labels = labels[look_alikes(forget, retain)]
    return jnp.median(jax.vmap(typical)(jnp.asarray(forget[1]), look_alike_labels))
