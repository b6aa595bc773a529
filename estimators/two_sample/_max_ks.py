"""The greatest Kolmogorov-Smirnov distance over observables, under many relabellings."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int


def sorted_observables(
    pooled: Float[np.ndarray, "models observables"],
) -> tuple[Int[np.ndarray, "observables models"], Bool[np.ndarray, "observables models"]]:
    """For each observable, the models in rising order and where a run of equal values ends."""
    order = np.argsort(pooled, axis=0, kind="stable")
    values = np.take_along_axis(pooled, order, axis=0)
    ends = np.ones_like(values, dtype=bool)
    ends[:-1] = values[:-1] < values[1:]
    return order.T.astype(np.int32), ends.T


@jax.jit
def ks_statistics(
    order: Int[Array, "observables models"],
    ends: Bool[Array, "observables models"],
    labels: Int[Array, "models columns"],
) -> Float[Array, "observables columns"]:
    r"""Kolmogorov-Smirnov distance of each observable for each column of labels.

    With c of the k least models in the first sample, the distributions differ there by
    $(cN - kn)/(nm)$, $N = n + m$: counted in whole numbers, so that ties are exact.

    Args:
        order: models in rising order of each observable.
        ends: where a run of equal values ends; distributions are compared there alone.
        labels: 1 for the first sample, 0 for the second; every column has as many of each.

    Returns:
        Distances in [0, 1].
    """
    total = labels.shape[0]
    n = labels[:, 0].sum()
    ranks = jnp.arange(1, total + 1)[:, None]

    def greatest_gaps(
        item: tuple[Int[Array, " models"], Bool[Array, " models"]],
    ) -> Int[Array, " columns"]:
        places, last = item
        counts = jnp.cumsum(labels[places], axis=0)
        return jnp.where(last[:, None], jnp.abs(counts * total - ranks * n), 0).max(axis=0)

    return jax.lax.map(greatest_gaps, (order, ends)) / (n * (total - n))
