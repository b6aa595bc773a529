"""Plug-in values over half-lines: what the samples themselves show, without error bars."""

import numpy as np
from jaxtyping import Float

from estimators.exact._frontier import greatest_difference, half_line_counts


def plug_in(
    p: Float[np.ndarray, "n J"], q: Float[np.ndarray, "m J"], epsilon: Float[np.ndarray, " E"]
) -> Float[np.ndarray, "E J"]:
    """Greatest share of P less e^epsilon times the share of Q, over half-lines.

    Args:
        p: samples of P.
        q: samples of Q.
        epsilon: epsilons.

    Returns:
        One direction's plug-in divergence, in [0, 1].
    """
    counts = half_line_counts(p, q)
    return greatest_difference(counts, p.shape[0], q.shape[0], np.exp(epsilon))


def plug_in_delta(
    p: Float[np.ndarray, "n j"], q: Float[np.ndarray, "m j"], epsilon: Float[np.ndarray, " e"]
) -> Float[np.ndarray, "e j"]:
    """The greater of both directions: see `plug_in`."""
    return np.maximum(plug_in(p, q, epsilon), plug_in(q, p, epsilon))


def plug_in_epsilon(
    p: Float[np.ndarray, "n j"], q: Float[np.ndarray, "m j"], delta: Float[np.ndarray, " d"]
) -> Float[np.ndarray, "d j"]:
    """The least epsilon at which the empirical divergence over half-lines falls to delta.

    Args:
        p: samples of P.
        q: samples of Q.
        delta: deltas.

    Returns:
        Values of at least 0; an event that holds no point of the other sample counts as with one.
    """
    n, m = p.shape[0], q.shape[0]
    x, y = half_line_counts(p, q)
    ratios = ((x / n, np.maximum(y, 1) / m), (y / m, np.maximum(x, 1) / n))
    out = np.empty((delta.size, p.shape[1]))
    for d, value in enumerate(delta):
        best = [((mass - value) / other).max(0) for mass, other in ratios]
        out[d] = np.log(np.maximum(np.max(best, axis=0), 1.0))
    return out
