"""The maximum mean discrepancy over several kernels and bandwidths, under many relabellings."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

KERNELS = 2  # Gaussian and Laplace, each at every bandwidth
BANDWIDTHS = 5


def bandwidths(distances: Float[np.ndarray, "models models"]) -> Float[np.ndarray, " bandwidths"]:
    """Bandwidths between half the 5 % and twice the 95 % quantile of the positive distances.

    They are symmetric in the pooled models, as an exact permutation test needs.
    """
    positive = distances[distances > 0]
    if not positive.size:
        return np.ones(BANDWIDTHS)
    low, high = np.quantile(positive, [0.05, 0.95])
    return np.geomspace(low / 2, 2 * high, BANDWIDTHS)


@jax.jit
def mmd_statistics(
    distances: Float[Array, "models models"],
    widths: Float[Array, " bandwidths"],
    labels: Int[Array, "models columns"],
) -> Float[Array, " columns"]:
    r"""Log-mean-exp over kernels of the normalised squared discrepancy, for each column of labels.

    For each kernel k the unbiased $\widehat{\mathrm{MMD}}{}^2_k$ is divided by the root mean square
    $\sqrt{N_k}$ of the kernel over the pooled pairs, and

    $$\frac1\lambda \ln \frac1{|\mathcal K|} \sum_{k \in \mathcal K}
    \exp\bigl(\lambda\,\widehat{\mathrm{MMD}}{}^2_k / \sqrt{N_k}\bigr), \qquad
    \lambda = \sqrt{s(s-1)},$$

    with s the smaller sample's size. Kernels are Gaussian and Laplace in the Euclidean distance.

    Args:
        distances: between all pooled models.
        widths: bandwidths, symmetric in the pooled models.
        labels: 1 for the first sample, 0 for the second; every column has as many of each.

    Returns:
        The statistics, larger for samples that differ more.

    References:
        Biggs, Schrab and Gretton (2023), "MMD-FUSE: learning and combining kernels for two-sample
        testing without data splitting". https://arxiv.org/abs/2306.08777
    """
    total = distances.shape[0]
    first = labels.astype(distances.dtype)
    n = first[:, 0].sum()
    m = total - n
    weights = first - n / total
    other = 1 - jnp.eye(total, dtype=distances.dtype)

    def normalised(kernel: Float[Array, "models models"]) -> Float[Array, " columns"]:
        kernel = kernel * other
        scale = jnp.sqrt((kernel**2).sum() / (total * (total - 1)))
        rows = kernel.sum(axis=0) / (total - 2)
        centred = (kernel - rows[:, None] - rows[None, :] + rows.sum() / (total - 1)) * other
        # Centred so, rows off the diagonal sum to zero: within and between sums are all the same
        # number up to sign, and the unbiased estimate is a multiple of one quadratic form.
        product = jnp.matmul(centred, weights, precision=jax.lax.Precision.HIGHEST)
        within = (weights * product).sum(axis=0)
        factor = 1 / (n * (n - 1)) + 1 / (m * (m - 1)) + 2 / (n * m)
        return within * factor / jnp.where(scale > 0, scale, 1.0)

    def pair(width: Float[Array, ""]) -> Float[Array, "kernels columns"]:
        scaled = distances / width
        return jnp.stack([normalised(jnp.exp(-(scaled**2) / 2)), normalised(jnp.exp(-scaled))])

    each = jax.lax.map(pair, widths).reshape(-1, labels.shape[1])
    smaller = jnp.minimum(n, m)
    sharpness = jnp.sqrt(smaller * (smaller - 1))
    sums = jax.scipy.special.logsumexp(sharpness * each, axis=0)
    return (sums - jnp.log(each.shape[0])) / sharpness
