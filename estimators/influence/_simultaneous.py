"""Intervals for many differences at once: exact tails, since approximate ones fail far out.

At the level that 1,797 statements leave to each, Newcombe's interval misses up to fifteen times as
often as it says, Agresti and Caffo's sixty times. So for outcomes in [0, 1] the p-values of
`estimators.influence._exceeding`, which are valid at every number of models, are inverted: the
lower limit is the least ``p - q`` over means with ``ln a(p) + ln b(q) >= c``, where c is the level
of Fisher's sum. The border of that set is cut into cells by the share s of c that ``ln a`` takes;
in each, p is taken where it is least and q where it is greatest, which is a bound for every number
of cells.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import brentq
from scipy.special import ndtri

from estimators._results import ConfidenceInterval
from estimators.exact._binomial_pair import lower_quantile, upper_quantile
from estimators.influence._arm_intervals import Welch
from estimators.influence._exceeding import rounded_sums
from estimators.influence._inclusion import Arms

_CELLS = 64


def bonferroni(arms: Arms, confidence: float, statements: int) -> ConfidenceInterval:
    """Intervals that all hold at once with the given confidence.

    Args:
        arms: enough models in both arms.
        confidence: of all statements together.
        statements: how many there are.

    Returns:
        Exact limits for outcomes in [0, 1], at half of the level each; for unbounded ones the
        unpooled t interval.
    """
    level = (1.0 - confidence) / statements
    if arms.kind == "unbounded":
        return Welch().limits(arms, 1.0 - level)
    failures = Arms(
        arms.n_in, arms.n_out, 1.0 - arms.mean_in, 1.0 - arms.mean_out, None, None, arms.kind
    )
    low = _lower(arms, level / 2.0)
    return ConfidenceInterval(low, -_lower(failures, level / 2.0))


def _lower(arms: Arms, alpha: float) -> Float[np.ndarray, "..."]:
    x, y = rounded_sums(arms)
    log_level = float(
        brentq(lambda c: c + np.log1p(-c) - np.log(alpha), 2.0 * np.log(alpha) - 9.0, 0.0)  # pyright: ignore
    )
    share = np.linspace(0.0, 1.0, _CELLS + 1)
    factor = 0.0 if arms.kind == "0/1" else 1.0
    z_in = -ndtri(np.exp(log_level * share[1:] - factor))
    z_out = -ndtri(np.exp(log_level * (1.0 - share[:-1]) - factor))
    p, at_in = _quantiles(lower_quantile, x, arms.n_in, z_in)
    q, at_out = _quantiles(upper_quantile, y, arms.n_out, z_out)
    best = np.full(x.size, np.inf)
    for k in range(_CELLS):
        np.minimum(best, p[k, at_in] - q[k, at_out], out=best)
    return np.maximum(np.nextafter(best, -np.inf), -1.0).reshape(x.shape)


def _quantiles(
    quantile: Callable[[np.ndarray, int, np.ndarray], np.ndarray],
    count: Int[np.ndarray, "..."],
    trials: Int[np.ndarray, "..."],
    z: Float[np.ndarray, " cells"],
) -> tuple[Float[np.ndarray, "cells distinct"], Int[np.ndarray, " k"]]:
    """Limits of a rate at each score for distinct counts, and where each count finds its own."""
    pairs = np.stack([np.broadcast_to(trials, count.shape).ravel(), count.ravel()])
    (sizes, counts), where = np.unique(pairs, axis=1, return_inverse=True)
    found = [quantile(counts[sizes == n], int(n), z[:, None]) for n in np.unique(sizes)]
    return np.concatenate(found, axis=1), where
