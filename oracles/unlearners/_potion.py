"""Potion: label-free dampening, ever stronger until S is forgotten."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from estimators.checks import check_counts, check_within
from oracles._learner import Learner, Parameters
from oracles.unlearners._contract import Batch, on_device
from oracles.unlearners._lf_ssd import sensitivity, squared_norms


@dataclass(frozen=True)
class Potion:
    """XALF-SSD with the PTN search: θ ← θ · I_R / I_S wherever I_S > α I_R, for falling α.

    I_A is the mean over mini-batches of A of |∇ mean_x ‖f(x)‖|, so that an outlier counts less than
    under the square of `LabelFreeDampening`. α is the percentile 100 − ln(1 + 100 s) of I_S / I_R
    over all weights, those with I_R = 0 left out; no weight grows. The search begins at
    s = |S| / (25 |D|) and multiplies s by ``step``, each time from θ0, until the accuracy on S,
    which takes its labels, is at most ``remaining`` times that of θ0, or for ``tries`` in all; then
    the last try stands. Source: Schoepf et al. 2024, arXiv 2406.09173. Start, step, 512 examples a
    batch and at most 500 tries are those of the authors' code, which takes I_R on R, as here. They
    vary ``remaining``; ours was set to 0.2 beforehand. Nothing was tuned.

    Attributes:
        remaining: part of the accuracy on S that may be left, in [0, 1).
        step: growth of s, over 1.
        tries: at least 1.
        batch: examples a gradient, or all of the set.
    """

    remaining: float = 0.2
    step: float = 1.1
    tries: int = 500
    batch: int = 512

    def __post_init__(self) -> None:
        check_counts(tries=self.tries, batch=self.batch)
        check_within("[0, 1)", remaining=self.remaining)
        check_within("(1, inf)", step=self.step)

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """θ0, dampened until S is forgotten."""
        s_key, r_key = jax.random.split(key)
        inputs, labels = on_device(forget)

        def output(params: Any, inputs: Any) -> Any:
            # The norm has no gradient where it is 0; with the floor the gradient there is 0.
            squares = squared_norms(learner.logits(params, inputs))
            return jnp.sqrt(jnp.maximum(squares, jnp.finfo(squares.dtype).tiny)).mean()

        importance_s = sensitivity(output, params, inputs, s_key, self.batch)
        importance_r = sensitivity(output, params, retain[0], r_key, self.batch)
        pairs = zip(jax.tree.leaves(importance_s), jax.tree.leaves(importance_r), strict=True)
        ratios = jnp.concatenate([(s / r).ravel() for s, r in pairs])
        finite = jnp.isfinite(ratios)
        falling = -jnp.sort(jnp.where(finite, -ratios, jnp.inf))

        def attempt(share: Any) -> Any:
            alpha = _upper_quantile(falling, finite.sum(), jnp.log1p(100 * share) / 100)
            return jax.tree.map(
                # Where s > α r, both are positive, or r = 0 and the weight becomes 0.
                lambda w, s, r: jnp.where(s > alpha * r, w * jnp.minimum(r / s, 1), w),
                params,
                importance_s,
                importance_r,
            )

        def hits(params: Any) -> Any:
            return (learner.logits(params, inputs).argmax(axis=1) == labels).sum()

        goal = self.remaining * hits(params)

        def unfinished(state: Any) -> Any:
            tries, _, dampened = state
            return (tries < self.tries) & (hits(dampened) > goal)

        def next_try(state: Any) -> Any:
            tries, share, _ = state
            share = share * self.step
            return tries + 1, share, attempt(share)

        first = jnp.float32(len(labels) / (len(labels) + len(retain[1])) / 25)
        return jax.lax.while_loop(unfinished, next_try, (1, first, attempt(first)))[2]


def _upper_quantile(
    falling: Float[Array, " weights"], count: Any, share: Float[Array, ""]
) -> Float[Array, ""]:
    """The value above which ``share`` of the first ``count`` lie; linear, as numpy's quantile."""
    place = jnp.clip(share, 0, 1) * (count - 1)
    low = place.astype(int)
    high = jnp.minimum(low + 1, count - 1)
    return falling[low] + (place - low) * (falling[high] - falling[low])
