"""Potion: label-free dampening, ever stronger until S is forgotten."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from estimators.checks import check_counts
from oracles._learner import Learner, Parameters
from oracles.unlearners._contract import Batch
from oracles.unlearners._lf_ssd import sensitivity, squares


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
        if not 0 <= self.remaining < 1:
            raise ValueError(f"remaining: expected a number in [0, 1), found {self.remaining}")
        if not self.step > 1:
            raise ValueError(f"step: expected a number over 1, found {self.step}")

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
        inputs, labels = jnp.asarray(forget[0]), jnp.asarray(forget[1])

        def size(params: Any, inputs: Any) -> Any:
            # The norm has no gradient where it is 0: there the floor gives 0.
            squared = squares(learner.logits(params, inputs))
            return jnp.sqrt(jnp.maximum(squared, jnp.finfo(squared.dtype).tiny)).mean()

        of_s = sensitivity(size, params, inputs, s_key, self.batch)
        of_r = sensitivity(size, params, retain[0], r_key, self.batch)
        ratios = [(s / r).ravel() for s, r in zip(*map(jax.tree.leaves, (of_s, of_r)), strict=True)]
        ratio = jnp.concatenate(ratios)
        known = jnp.isfinite(ratio)
        ranked = -jnp.sort(jnp.where(known, -ratio, jnp.inf))

        def attempt(share: Any) -> Any:
            alpha = _from_top(ranked, known.sum(), jnp.log1p(100 * share) / 100)
            return jax.tree.map(
                # Where s > α r, both are positive, or r = 0 and so is the weight from now on.
                lambda w, s, r: jnp.where(s > alpha * r, w * jnp.minimum(r / s, 1), w),
                params,
                of_s,
                of_r,
            )

        def hits(params: Any) -> Any:
            return (learner.logits(params, inputs).argmax(axis=1) == labels).sum()

        goal = self.remaining * hits(params)

        def unfinished(state: Any) -> Any:
            done, _, now = state
            return (done < self.tries) & (hits(now) > goal)

        def more(state: Any) -> Any:
            done, share, _ = state
            share = share * self.step
            return done + 1, share, attempt(share)

        first = jnp.float32(len(labels) / (len(labels) + len(retain[1])) / 25)
        return jax.lax.while_loop(unfinished, more, (1, first, attempt(first)))[2]


def _from_top(
    ranked: Float[Array, " weights"], count: Any, share: Float[Array, ""]
) -> Float[Array, ""]:
    """The value above which ``share`` of the first ``count`` lie; linear, as numpy's quantile."""
    place = jnp.clip(share, 0, 1) * (count - 1)
    low = place.astype(int)
    high = jnp.minimum(low + 1, count - 1)
    return ranked[low] + (place - low) * (ranked[high] - ranked[low])
