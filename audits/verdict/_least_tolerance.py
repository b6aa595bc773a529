"""The least tolerance that so many models could meet, from a reference against itself."""

import math

import numpy as np
from jaxtyping import Float

from audits.verdict._compare import EVENTS
from estimators import delta_upper_bound, pooled_delta_upper_bound

_SPLITS = 16
# A calibrated tolerance is one that nine of ten perfect matches would meet.
_CALIBRATED = 0.9


def self_distances(
    reference: Float[np.ndarray, "n observables"],
    *,
    epsilon: float,
    confidence: float,
    models: int,
    seed: int,
    exact: bool = False,
) -> Float[np.ndarray, " splits"]:
    """About the upper bounds that a perfect match would get at the audit's own sizes.

    The reference is split at random into two halves, which match by construction. Their upper bound
    is that of two populations of n/2 models; bounds on a true match shrink like the standard error
    of a difference, which carries it over to the audit's own sizes.

    Args:
        reference: observables of a reference's models.
        epsilon: the declared epsilon.
        confidence: of the upper bound.
        models: size of the submission, to be compared with the whole reference.
        seed: of the splits.
        exact: whether the upper bound is that of `estimators.pooled_delta_upper_bound`.

    Returns:
        A number in [0, 1] for each split; all are 1 if there are fewer than four models to split.
    """
    total = len(reference)
    half = total // 2
    if half < 2:
        return np.ones(_SPLITS)
    rng = np.random.default_rng(seed)
    orders = np.stack([np.argsort(rng.random(total)) for _ in range(_SPLITS)])
    first, second = (
        reference[orders[:, places]].swapaxes(0, 1)
        for places in (slice(half), slice(half, 2 * half))
    )
    greatest = delta_upper_bound(
        first, second, epsilon=epsilon, confidence=confidence, events=EVENTS, together=True
    ).bound
    if exact:
        # Exact bounds take longer. How much tighter they are differs little among splits.
        middle = int(np.argsort(greatest)[_SPLITS // 2])
        pooled = pooled_delta_upper_bound(
            first[:, middle], second[:, middle], epsilon=epsilon, confidence=confidence,
            events=EVENTS,
        )  # fmt: skip
        greatest = greatest * (float(pooled.bound) / greatest[middle])
    scale = math.sqrt((1.0 / models + 1.0 / total) / (2.0 / half))
    return np.minimum(1.0, greatest * scale)


def least_tolerance(*distances: Float[np.ndarray, " splits"]) -> float:
    """The tolerance that a perfect match with the harder reference meets every other time.

    Args:
        *distances: `self_distances` of each reference.

    Returns:
        A number in [0, 1]; smaller tolerances ask for the impossible more often than not.
    """
    return float(max(np.median(distance) for distance in distances))


def calibrated_tolerance(*distances: Float[np.ndarray, " splits"]) -> float:
    """A tolerance that nine of ten perfect matches would meet, rounded up to a hundredth.

    It is found on models that the bounds are of, too. So it could lie between a lower bound that
    fails and the truth, or between the truth and an upper bound that fails: an audit gives each of
    the two half of what they have at a tolerance that was declared.

    Args:
        *distances: `self_distances` of each reference.

    Returns:
        A number in (0, 1).

    Raises:
        ValueError: when there are too few models for any tolerance below 1.
    """
    least = max(float(np.quantile(distance, _CALIBRATED)) for distance in distances)
    tolerance = math.ceil(100.0 * least) / 100.0
    if tolerance >= 1.0:
        raise ValueError(
            "tolerance: expected more models to calibrate it on; with these few no tolerance below "
            "1 could be met"
        )
    return tolerance
