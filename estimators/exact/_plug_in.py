"""Plug-in values over half-lines: what the samples themselves show, without error bars."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from estimators.exact._cross_ranks import cross_ranks
from estimators.exact._frontier import greatest_difference, on_every_count


class PlugIn(NamedTuple):
    """Plug-in divergence of P from Q, and of Q from P."""

    forward: Float[np.ndarray, "E J"]
    backward: Float[np.ndarray, "E J"]


def plug_in(
    p: Float[np.ndarray, "n J"], q: Float[np.ndarray, "m J"], epsilon: Float[np.ndarray, " E"]
) -> PlugIn:
    """Greatest share of P less e^epsilon times the share of Q, over half-lines, and of Q less P's.

    Args:
        p: samples of P.
        q: samples of Q.
        epsilon: epsilons.

    Returns:
        Both directions' plug-in divergences, in [0, 1].
    """
    n, m, factor = p.shape[0], q.shape[0], np.exp(epsilon)
    ranks = cross_ranks(p, q)
    return PlugIn(
        greatest_difference(on_every_count(ranks.frontier()), n, m, factor),
        greatest_difference(on_every_count(ranks.swapped().frontier()), m, n, factor),
    )


def plug_in_delta(
    p: Float[np.ndarray, "n j"], q: Float[np.ndarray, "m j"], epsilon: Float[np.ndarray, " e"]
) -> Float[np.ndarray, "e j"]:
    """The greater of both directions: see `plug_in`."""
    return np.maximum(*plug_in(p, q, epsilon))


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
    ranks = cross_ranks(p, q)
    (x, below_x), (y, below_y) = (
        on_every_count(found.frontier()) for found in (ranks, ranks.swapped())
    )
    ratios = ((x / n, np.maximum(below_x, 1) / m), (y / m, np.maximum(below_y, 1) / n))
    out = np.empty((delta.size, p.shape[1]))
    for d, value in enumerate(delta):
        best = [((mass - value) / other).max(0) for mass, other in ratios]
        out[d] = np.log(np.maximum(np.max(best, axis=0), 1.0))
    return out
