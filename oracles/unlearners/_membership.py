"""Which of R is likely to belong to B, as far as S tells, and what is trained on the rest."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from estimators.checks import check_counts, check_within
from oracles._learner import AnyArray, Learner, Parameters, cross_entropies
from oracles.unlearners._contract import Batch, on_device
from oracles.unlearners._layers import last_features


def check_doubt(doubt: float, neighbours: int) -> None:
    """Raises ValueError unless the settings of `retained_weights` are in range."""
    check_counts(neighbours=neighbours)
    check_within("(0, 1]", doubt=doubt)


def membership(
    forget: Float[Array, "forget features"],
    forget_labels: Int[AnyArray, " forget"],
    retain: Float[Array, "retain features"],
    retain_labels: Int[AnyArray, " retain"],
    neighbours: int,
) -> Float[Array, " retain"]:
    """w_i, an estimate of P(i ∈ B | S) for each i in R.

    S are known members of an unknown set B, and nothing is known of R. Let g_i be the share of S
    among the examples of D with the label of i, other than i, each weighed by the kernel
    exp(−‖h_i − h_j‖² / (σ_i σ_j)), where σ_i is the distance of i to the last of its ``neighbours``
    nearest examples of its label (Zelnik-Manor and Perona 2004, Self-tuning spectral clustering,
    who take 7). It estimates P(i ∈ S). When S is a random part of B that is γ P(i ∈ B), so that
    with c, the mean of g over S, for γ, w_i = min(1, (1 − c) / c · g_i / (1 − g_i)) (Elkan and Noto
    2008, Learning classifiers from only positive and unlabeled data, section 2). As B has no more
    than all examples of its labels, c is no less than the share of S among them.

    Args:
        forget: features h of S.
        forget_labels: its labels.
        retain: features of R.
        retain_labels: its labels.
        neighbours: at least 1; of a label with fewer others, all.

    Returns:
        Numbers in [0, 1]; 0 for a label that S lacks.
    """
    count = len(forget_labels)
    features = jnp.concatenate([forget, retain])
    labels = jnp.concatenate([jnp.asarray(forget_labels), jnp.asarray(retain_labels)])
    # Centring leaves the distances as they are and makes their rounding smaller.
    features = features - features.mean(axis=0)
    lengths = jnp.square(features).sum(axis=1)
    squares = jnp.maximum(lengths[:, None] + lengths - 2 * features @ features.T, 0)
    peers = (labels[:, None] == labels) & ~jnp.eye(len(labels), dtype=bool)
    floor = jnp.finfo(squares.dtype).tiny
    closest = -jax.lax.top_k(
        jnp.where(peers, -squares, -jnp.inf), min(neighbours, len(labels) - 1)
    )[0]
    scale = jnp.sqrt(jnp.where(jnp.isfinite(closest), closest, 0.0).max(axis=1))
    kernel = jnp.exp(-squares / jnp.maximum(scale[:, None] * scale, floor))
    kernel = jnp.where(peers, kernel, 0.0)
    share = kernel[:, :count].sum(axis=1) / jnp.maximum(kernel.sum(axis=1), floor)
    same_label = labels[:count, None] == labels
    least_rate = same_label[:, :count].sum() / same_label.sum()
    rate = jnp.maximum(share[:count].mean(), least_rate)
    odds = share[count:] / jnp.maximum(1 - share[count:], jnp.finfo(squares.dtype).eps)
    return jnp.minimum((1 - rate) / rate * odds, 1.0)


def retained_weights(
    learner: Learner,
    params: Parameters,
    forget: Batch,
    retain: Batch,
    doubt: float,
    neighbours: int,
) -> Float[Array, " retain"]:
    """v_i = max(0, 1 − w_i / doubt) for each i in R, w as in `membership`."""
    features_s, features_r = (
        last_features(learner, params, examples[0]) for examples in (forget, retain)
    )
    probability = membership(features_s, forget[1], features_r, retain[1], neighbours)
    return jnp.maximum(1 - probability / doubt, 0.0)


def weighted_loss(learner: Learner, examples: Batch, weights: Float[Array, " n"]) -> Any:
    """The weighted mean loss of a batch, as a function of parameters and indices."""
    inputs, labels = on_device(examples)

    def loss(params: Any, index: Any) -> Any:
        losses = cross_entropies(learner.logits(params, inputs[index]), labels[index])
        weight = weights[index]
        return (weight * losses).sum() / jnp.maximum(weight.sum(), jnp.finfo(weight.dtype).tiny)

    return loss
