"""Permutation tests: all relabellings at once, and the p-value they give."""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

# Statistics within this share of the largest count as tied: float32 sums of the same numbers in
# another order differ by less. A tie counts against the observed statistic, so the level stays.
TIE = 1e-4


def relabellings(n: int, m: int, permutations: int, seed: int) -> Int[Array, "models columns"]:
    """Which of n + m pooled models belong to the first sample, as 0 and 1.

    Args:
        n: models of the first sample, which come first.
        m: models of the second sample.
        permutations: how many random relabellings.
        seed: of the relabellings.

    Returns:
        The observed labels in column 0, then one random relabelling a column.
    """
    observed = (jnp.arange(n + m) < n).astype(jnp.int32)
    # The seed's upper half is folded in, since a JAX key takes 32 bits.
    key = jax.random.fold_in(jax.random.key(seed % 2**32), seed // 2**32)
    repeated = jnp.broadcast_to(observed[:, None], (n + m, permutations))
    shuffled = jax.random.permutation(key, repeated, axis=0, independent=True)
    return jnp.concatenate([observed[:, None], shuffled], axis=1)


def permutation_pvalue(statistics: Float[np.ndarray, " columns"], tie: float = TIE) -> float:
    r"""The exact p-value $(1 + \#\{b : T_b \ge T_0\}) / (1 + B)$, column 0 observed.

    Under exchangeability the observed statistic is equally likely to have any rank among all
    1 + B, so the p-value is at most any level with at most that probability.

    Args:
        statistics: larger for samples that differ more.
        tie: the share of the largest statistic within which two count as equal.

    References:
        Phipson and Smyth (2010), "Permutation p-values should never be zero".
    """
    slack = tie * float(np.abs(statistics).max())
    return float(np.mean(statistics >= statistics[0] - slack))


def least_pvalue(n: int, m: int, permutations: int) -> float:
    """The least p-value to be expected at these sizes, however different the samples are."""
    sides = 2 if n == m else 1
    return max(1 / (1 + permutations), sides / math.comb(n + m, n))
