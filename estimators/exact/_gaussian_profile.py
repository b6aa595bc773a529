"""The privacy profile of a Gaussian shift, and its inverse."""

from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.special import log_ndtr, ndtr

STEPS = 60


def gaussian_delta(mu: Any, epsilon: Any) -> Float[np.ndarray, "..."]:
    """Delta at epsilon between N(mu, 1) and N(0, 1).

    ``delta(eps) = Phi(mu/2 - eps/mu) - e^eps Phi(-mu/2 - eps/mu)``, 0 at mu = 0.

    Args:
        mu: shifts of at least 0; infinite gives 1.
        epsilon: epsilons, broadcast with ``mu``.

    Returns:
        Deltas in [0, 1].

    References:
        Balle and Wang (2018), Improving the Gaussian mechanism for differential privacy, Theorem 8;
        Dong, Roth and Su (2022), Gaussian differential privacy, Corollary 2.13 (arXiv numbers).
    """
    mu, epsilon = np.broadcast_arrays(
        np.asarray(mu, dtype=np.float64), np.asarray(epsilon, dtype=np.float64)
    )
    safe = np.clip(mu, 1e-9, 1e9)
    delta = ndtr(safe / 2 - epsilon / safe) - np.exp(epsilon + log_ndtr(-safe / 2 - epsilon / safe))
    return np.where(mu < 1e-9, 0.0, np.clip(delta, 0.0, 1.0))


def gaussian_epsilon(mu: Any, delta: Any) -> Float[np.ndarray, "..."]:
    """Least epsilon of at least 0 at which the Gaussian shift's delta is at most ``delta``.

    Args:
        mu: shifts of at least 0, finite.
        delta: deltas in (0, 1), broadcast with ``mu``.

    Returns:
        Epsilons, rounded down.
    """
    mu, delta = np.broadcast_arrays(
        np.asarray(mu, dtype=np.float64), np.asarray(delta, dtype=np.float64)
    )
    low = np.zeros(mu.shape)
    # Gaussian tails: delta at eps is at most Phi(mu/2 - eps/mu).
    high = mu * (mu / 2.0 + np.sqrt(-2.0 * np.log(np.minimum(delta, 0.5)))) + 1e-9
    for _ in range(STEPS):
        middle = 0.5 * (low + high)
        over = gaussian_delta(mu, middle) > delta
        low, high = np.where(over, middle, low), np.where(over, high, middle)
    return low
