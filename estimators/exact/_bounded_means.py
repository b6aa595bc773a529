"""Joint bounds on two means of variables in [0, 1], from their sample sums rounded to integers.

Let ``S`` be the sum of n independent variables in [0, 1] with mean p. Then

    P(S <= s) <= e P(Bin(n, p) <= ceil(s))   and   P(S >= s) <= e P(Bin(n, p) >= floor(s)),

so the exact binomial p-values of the rounded sums, times e, are p-values for the mean. They are
joined in the capped Stouffer region of `estimators.exact._binomial_pair`, which asks of its
p-values nothing but independence and that they are no smaller than uniform ones.

References:
    Bentkus (2004), "On Hoeffding's inequalities", Annals of Probability 32, 1650-1673; used as a
    p-value in Angelopoulos et al. (2021), "Learn then test", https://arxiv.org/abs/2110.01052.
"""

from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtr, ndtri

from estimators.exact._binomial_pair import lower_quantile, region_border, upper_quantile

# The score at which a binomial p-value is a p-value of this level over e, moved outward by far more
# than the accuracy of the normal integral and its inverse.
SCORE_SLACK = 1e-9


def means_upper(
    x: Int[np.ndarray, "..."],
    n: int,
    y: Int[np.ndarray, "..."],
    m: int,
    factor: Any,
    confidence: float,
) -> Float[np.ndarray, "..."]:
    """Upper bound on ``p - factor * q`` for two means of variables in [0, 1].

    Args:
        x: the first sample sum, rounded up, in [0, n].
        n: size of the first sample.
        y: the second sample sum, rounded down, in [0, m].
        m: size of the second sample.
        factor: non-negative factors, shape [E] (a scalar counts as one).
        confidence: one minus the level of each bound.

    Returns:
        Bounds of shape [E, *shape], in [-factor, 1].
    """
    border = region_border(1.0 - confidence, float(np.clip(np.sqrt(m / (n + m)), 0.05, 0.9987)))
    z_p, z_q = (SCORE_SLACK - ndtri(ndtr(-z) / np.e) for z in border)
    xs, at_x = np.unique(x, return_inverse=True)
    ys, at_y = np.unique(y, return_inverse=True)
    high, low = upper_quantile(xs, n, z_p[:, None]), lower_quantile(ys, m, z_q[:, None])
    c = np.atleast_1d(np.asarray(factor, dtype=np.float64))
    best = np.full((c.size, x.size), -np.inf)
    for row_p, row_q in zip(high, low, strict=True):
        p, q = row_p[at_x.ravel()], row_q[at_y.ravel()]
        np.maximum(best, p - np.nextafter(c[:, None] * q, -np.inf), out=best)
    return np.minimum(np.nextafter(best, np.inf), 1.0).reshape(c.size, *x.shape)
