"""Many simulated audits in one call: their decisions, on normal observables."""

import math

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from audits.verdict._rule import decide
from estimators import delta_lower_bound, delta_upper_bound

ALPHA = 0.05
OBSERVABLES = 4


def gaussian_delta(mu: float, epsilon: float) -> float:
    return float(
        norm.cdf(mu / 2 - epsilon / mu) - math.exp(epsilon) * norm.cdf(-mu / 2 - epsilon / mu)
    )


def shift_of(divergence: float, epsilon: float) -> float:
    """The shift of a normal that has a given hockey-stick divergence."""
    if divergence == 0.0:
        return 0.0
    return float(brentq(lambda mu: gaussian_delta(mu, epsilon) - divergence, 1e-3, 9.0))


def decisions(
    p: np.ndarray, q: np.ndarray, epsilon: float, tolerance: float, level: float
) -> list[str]:
    """One decision a repeat, ``[models, repeats, observables]``; many repeats in one call."""
    each = 1.0 - level / p.shape[2]
    low = np.asarray(delta_lower_bound(p, q, epsilon=epsilon, confidence=each).bound)
    high = np.asarray(delta_upper_bound(p, q, epsilon=epsilon, confidence=1.0 - level).bound)
    pairs = zip(low.max(axis=1), high.max(axis=1), strict=True)
    return [decide(float(a), float(b), tolerance) for a, b in pairs]


def normal(rng: np.random.Generator, models: int, repeats: int, shift: float) -> np.ndarray:
    """Independent normal observables, the first of them shifted."""
    drawn = rng.normal(size=(models, repeats, OBSERVABLES))
    drawn[:, :, 0] += shift
    return drawn
