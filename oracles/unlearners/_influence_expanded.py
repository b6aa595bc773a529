"""Influence-expanded unlearning: guess which of R belongs to B, and retrain without it."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key, Shaped

from estimators.checks import check_counts
from oracles._learner import Data, Learner, Parameters, cross_entropies, descend
from oracles._recipe import build
from oracles.unlearners._contract import Batch
from oracles.unlearners._last_layers import _flat, layers


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
        weights = kept(learner, params, forget, retain, self.doubt, self.neighbours)
        init_key, plan_key = jax.random.split(key)
        plan = learner.draw_plan(plan_key, len(retain[1]))
        fresh = learner.init(init_key, retain[0])
        return descend(build(learner.optimiser), weighted(learner, retain, weights), fresh, plan)


def check_doubt(doubt: float, neighbours: int) -> None:
    """Raises ValueError unless the settings of `kept` are in range."""
    check_counts(neighbours=neighbours)
    if not 0 < doubt <= 1:
        raise ValueError(f"doubt: expected a number in (0, 1], found {doubt}")


def membership(
    forget: Float[Array, "forget features"],
    forget_labels: Int[Data, " forget"],
    retain: Float[Array, "retain features"],
    retain_labels: Int[Data, " retain"],
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
    # Distances stay, and their rounding shrinks.
    features = features - features.mean(axis=0)
    lengths = jnp.square(features).sum(axis=1)
    squares = jnp.maximum(lengths[:, None] + lengths - 2 * features @ features.T, 0)
    alike = (labels[:, None] == labels) & ~jnp.eye(len(labels), dtype=bool)
    floor = jnp.finfo(squares.dtype).tiny
    closest = -jax.lax.top_k(
        jnp.where(alike, -squares, -jnp.inf), min(neighbours, len(labels) - 1)
    )[0]
    reach = jnp.sqrt(jnp.where(jnp.isfinite(closest), closest, 0.0).max(axis=1))
    kernel = jnp.exp(-squares / jnp.maximum(reach[:, None] * reach, floor))
    near = jnp.where(alike, kernel, 0.0)
    share = near[:, :count].sum(axis=1) / jnp.maximum(near.sum(axis=1), floor)
    peers = labels[:count, None] == labels
    rate = jnp.maximum(share[:count].mean(), peers[:, :count].sum() / peers.sum())
    odds = share[count:] / jnp.maximum(1 - share[count:], jnp.finfo(squares.dtype).eps)
    return jnp.minimum((1 - rate) / rate * odds, 1.0)


def last_layer(
    learner: Learner, params: Parameters, inputs: Shaped[Data, "n ..."]
) -> tuple[str, str]:
    """Paths of the last layer's kernel and bias.

    Raises:
        ValueError: when it is not a kernel of one row a class with a bias.
    """
    leaves = _flat(params)
    paths = list(layers(learner, inputs).values())[-1]
    classes = jax.eval_shape(learner.logits, params, inputs[:1]).shape[1]
    shapes = [leaves[path].shape for path in paths]
    if (
        len(shapes) != 2
        or len(shapes[0]) != 2
        or (shapes[0][0], shapes[1])
        != (
            classes,
            (classes,),
        )
    ):
        found = ", ".join(f"{path} {shape}" for path, shape in zip(paths, shapes, strict=True))
        raise ValueError(
            f"module: expected a last layer with a kernel of {classes} rows, one a class, and a "
            f"bias, found {found}"
        )
    return paths[0], paths[1]


def last_features(
    learner: Learner, params: Parameters, inputs: Shaped[Data, "n ..."]
) -> Float[Array, "n features"]:
    """What the last layer reads of each input: a logit's gradient in its row of the kernel."""
    path, _ = last_layer(learner, params, inputs)
    leaves, shape = _flat(params), jax.tree.structure(params)

    def read(example: Any) -> Any:
        def logit(kernel: Any) -> Any:
            merged = jax.tree.unflatten(shape, list((leaves | {path: kernel}).values()))
            return learner.logits(merged, example[None])[0, 0]

        return jax.grad(logit)(leaves[path])[0]

    return jax.vmap(read)(jnp.asarray(inputs))


def kept(
    learner: Learner,
    params: Parameters,
    forget: Batch,
    retain: Batch,
    doubt: float,
    neighbours: int,
) -> Float[Array, " retain"]:
    """v_i = max(0, 1 − w_i / doubt) for each i in R, w as in `InfluenceExpanded`."""
    of_s, of_r = (last_features(learner, params, part[0]) for part in (forget, retain))
    likely = membership(of_s, forget[1], of_r, retain[1], neighbours)
    return jnp.maximum(1 - likely / doubt, 0.0)


def weighted(learner: Learner, data: Batch, weights: Float[Array, " n"]) -> Any:
    """The weighted mean loss of a batch, as a function of parameters and indices."""
    inputs, labels = jnp.asarray(data[0]), jnp.asarray(data[1])

    def loss(params: Any, index: Any) -> Any:
        each = cross_entropies(learner.logits(params, inputs[index]), labels[index])
        own = weights[index]
        return (own * each).sum() / jnp.maximum(own.sum(), jnp.finfo(own.dtype).tiny)

    return loss
