"""The energy distance under many relabellings."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int


@jax.jit
def energy_statistics(
    distances: Float[Array, "models models"], labels: Int[Array, "models columns"]
) -> Float[Array, " columns"]:
    r"""Squared energy distance $2E\|X-Y\| - E\|X-X'\| - E\|Y-Y'\|$ of each column of labels.

    With weights $w = 1/n$ on the first sample and $-1/m$ on the second it is $-w^\top D w$, for all
    columns by one product.

    Args:
        distances: between all pooled models.
        labels: 1 for the first sample, 0 for the second; every column has as many of each.

    Returns:
        The squared distances, at least 0 up to rounding.

    References:
        Székely and Rizzo (2013), "Energy statistics: a class of statistics based on distances".
    """
    first = labels.astype(distances.dtype)
    n = first[:, 0].sum()
    weights = first / n - (1 - first) / (first.shape[0] - n)
    # Weights sum to zero, so centring changes nothing but the rounding, which it makes smaller.
    means = distances.mean(axis=0)
    centred = distances - means[:, None] - means[None, :] + means.mean()
    product = jnp.matmul(centred, weights, precision=jax.lax.Precision.HIGHEST)
    return -(weights * product).sum(axis=0)
