"""An interval for the mean of a U-statistic with values in [0, 1], valid at every sample size."""

from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.special import betainc, ndtri

# betainc is right to about 1e-12 here; the difference of two of them loses some of that.
TAIL_SLACK = 1e-8
STEPS = 34


def _binomial_tail(k: int, least: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """``P(Bin(k, theta) >= least)``, least at most k."""
    if k == 0:
        return (least <= 0).astype(np.float64)
    inside = np.clip(least, 1, k)
    value = betainc(inside, k - inside + 1.0, theta)
    return np.where(least <= 0, 1.0, np.where(least > k, 0.0, value))


def tail_bound(u: Any, k: int, theta: Any) -> Float[np.ndarray, "..."]:
    """Bound on the probability that the statistic reaches ``u`` when its mean is ``theta``.

    ``min over integers t < k u of E (S - t)_+ / (k u - t)`` with ``S ~ Bin(k, theta)``.

    Args:
        u: values in [0, 1].
        k: number of disjoint pairs in the smaller sample.
        theta: means, broadcast with ``u``.

    Returns:
        Probabilities, not below the true one for any law with that mean.
    """
    u, theta = np.broadcast_arrays(
        np.asarray(u, dtype=np.float64), np.asarray(theta, dtype=np.float64)
    )
    total = (k * u)[..., None]
    theta = theta[..., None]
    spread = np.sqrt(np.maximum(k * theta * (1.0 - theta), 0.0))
    last = np.ceil(total - 1e-9 * np.maximum(total, 1.0)) - 1.0
    # Every t gives a bound; the best lies about a third of a deviation below, so a few are enough.
    t = np.concatenate(
        [last - i for i in range(3)]
        + [np.floor(total - e * spread) for e in (0.25, 0.35, 0.5, 1.0)],
        axis=-1,
    )
    t = np.clip(t, 0.0, np.maximum(last, 0.0))
    excess = k * theta * _binomial_tail(k - 1, t, theta) - t * _binomial_tail(k, t + 1.0, theta)
    room = total - t
    with np.errstate(divide="ignore", invalid="ignore"):
        bound = np.where(room > 0.0, np.maximum(excess, 0.0) / room, 1.0)
    return np.asarray(np.minimum(bound.min(axis=-1) * (1.0 + TAIL_SLACK), 1.0))


def mean_lower_limit(u: Any, k: int, alpha: float) -> Float[np.ndarray, "..."]:
    """Lower confidence limit for the mean of a two-sample U-statistic with a kernel in [0, 1].

    The statistic is the average, over all ways to pair the smaller sample with the larger, of means
    of k independent kernels. Each such mean is below ``Bin(k, theta) / k`` in convex order, and so
    is their average; hence ``E (U - t)_+ <= E (Bin/k - t)_+`` for every t, and Markov's inequality
    on the left bounds the tail. At ``u = 1`` the limit is Clopper-Pearson's ``alpha**(1/k)``.

    Args:
        u: observed values in [0, 1].
        k: size of the smaller sample.
        alpha: level of the one-sided limit.

    Returns:
        Limits, rounded down, 0 where ``u`` is 0.

    References:
        Hoeffding (1963), Probability inequalities for sums of bounded random variables, Section 5,
        for the averaging; Bentkus (2004), On Hoeffding's inequalities, for the convex order.
    """
    u = np.asarray(u, dtype=np.float64)
    # The limit is not below the one of Hoeffding's exponent and not above the normal one.
    low = np.maximum(u - np.sqrt(np.log(1.0 / alpha) / (2.0 * k)), 0.0)
    high = u - 0.2 * max(float(-ndtri(alpha)), 0.0) * np.sqrt(u * (1.0 - u) / k)
    low = np.where(tail_bound(u, k, low) <= alpha, low, 0.0)
    for _ in range(STEPS):
        middle = 0.5 * (low + high)
        rejected = tail_bound(u, k, middle) <= alpha
        low, high = np.where(rejected, middle, low), np.where(rejected, high, middle)
    return low
