"""Estimates from a number a model: means, their differences and ratios, with intervals."""

import math

import numpy as np
from jaxtyping import Float
from scipy.special import stdtrit

from audits import Comparison
from audits.memorization import Estimate
from estimators import PseudoCountWelch, cross_influence
from estimators.exact import mean_lower_limit


def mean_difference(
    first: Float[np.ndarray, " n"], second: Float[np.ndarray, " m"], confidence: float
) -> Estimate:
    """Difference of the means of two independent samples, a number in [0, 1] a model.

    Args:
        first: a number for each model.
        second: the same for models independent of those.
        confidence: of the two-sided interval, by `estimators.PseudoCountWelch`.
    """
    included = np.arange(len(first) + len(second))[:, None] < len(first)
    outcome = np.concatenate([first, second])[:, None]
    influence = cross_influence(
        included, outcome, confidence=confidence, method=PseudoCountWelch(), estimand="loo"
    )
    ends = influence.confidence_interval
    return Estimate(*(float(array[0, 0]) for array in (influence.estimate, ends.low, ends.high)))


def bounded_mean(sample: Float[np.ndarray, " n"], confidence: float) -> Estimate:
    """Mean of numbers in [0, 1], one a model, with an interval valid at every n and for every law.

    Hoeffding's and Bentkus' bounds for means: see `estimators.auc`.
    """
    mean, half = float(sample.mean()), (1.0 - confidence) / 2.0
    low = float(mean_lower_limit(mean, len(sample), half))
    return Estimate(mean, low, 1.0 - float(mean_lower_limit(1.0 - mean, len(sample), half)))


def magnitude(number: Estimate) -> Estimate:
    """The absolute value of a number, its interval with it."""
    value, low, high = number
    return Estimate(abs(value), max(0.0, low, -high), max(-low, high))


def decrease(first: Estimate, second: Estimate) -> Estimate:
    """First less second: holds where both intervals hold, however the two depend."""
    return Estimate(first.value - second.value, first.low - second.high, first.high - second.low)


def mean_ratio(
    numerator: Float[np.ndarray, " n"], denominator: Float[np.ndarray, " n"], confidence: float
) -> Estimate:
    """Ratio of two means over the same models, by Fieller's theorem.

    Args:
        numerator: a number for each model.
        denominator: another for each of them.
        confidence: of the two-sided interval, which has no ends (infinite ones) where the
            denominator's mean is not shown to differ from 0.

    References:
        Fieller (1954), Some problems in interval estimation.
    """
    n = len(numerator)
    means = np.array([numerator.mean(), denominator.mean()])
    value = float(means[0] / means[1]) if means[1] else 0.0
    if n < 2:
        return Estimate(value, -math.inf, math.inf)
    t = float(stdtrit(n - 1.0, (1.0 + confidence) / 2.0))
    inner = np.outer(means, means) - t**2 * np.cov(numerator, denominator) / n
    (c, b), (_, a) = inner
    root = b * b - a * c
    if a <= 0.0 or root < 0.0:
        return Estimate(value, -math.inf, math.inf)
    return Estimate(value, float((b - math.sqrt(root)) / a), float((b + math.sqrt(root)) / a))


def distance_of(comparison: Comparison) -> Estimate:
    """An audit's distance as an estimate."""
    return Estimate(comparison.estimate, comparison.lower, comparison.upper)


def models_to_narrow(side: float, room: float, models: int) -> int | None:
    """About how many models narrow a side of an interval to the room that a decision leaves it.

    Args:
        side: length of the side, which shrinks like one over the square root of the models.
        room: distance from the estimate to the number that it is held against.
        models: models behind the side.

    Returns:
        The models, were the estimate the truth; None where no number can be said: without an
        interval, without room, and from a thousand million on.

    Example:
        >>> models_to_narrow(0.1, 0.05, 100)
        400
    """
    if not math.isfinite(side) or room <= 0.0:
        return None
    needed = models * (side / room) ** 2
    # Rounded first, as squares of decimal fractions are a hair off.
    return math.ceil(round(needed, 6)) if needed < 1e9 else None
