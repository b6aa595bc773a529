"""How many models an interval of a given width takes."""

import numpy as np
from scipy.special import ndtri

from estimators.checks import check_confidence, check_within
from estimators.exact._least_models import least_models
from estimators.influence._arm_intervals import AgrestiCaffo
from estimators.influence._inclusion import Arms

_MOST = 10**12


def models_needed(
    half_width: float,
    *,
    inclusion: float = 0.7,
    confidence: float = 0.95,
    rate_in: float = 0.5,
    rate_out: float = 0.5,
) -> int:
    """Models at which an example's interval for 0/1 outcomes has a given half-width.

    The larger of what the normal interval and what `AgrestiCaffo` take, with the outcomes that are
    expected. The normal one alone asks for too few models where both rates are near 0 or 1. Where
    they are 1/2, the worst case, it is ``z^2 (1/p + 1/(1-p)) / (4 half_width^2)``.

    Args:
        half_width: half of the interval's width, in (0, 1).
        inclusion: share of models that include the example, in (0, 1).
        confidence: of the interval.
        rate_in: chance that a model with the example gets it right, in [0, 1].
        rate_out: chance that a model without it does.

    Returns:
        The least number of models.

    Raises:
        ValueError: when a number lies outside its range, or a trillion models are not enough.

    Example:
        >>> from indist import estimators
        >>> estimators.models_needed(0.05)
        1830
        >>> estimators.models_needed(0.05, rate_in=1.0, rate_out=0.95)
        293

    References:
        Agresti and Caffo (2000), Simple and effective confidence intervals for proportions and
        differences of proportions result from adding two successes and two failures.
    """
    check_within("(0, 1)", half_width=half_width, inclusion=inclusion)
    check_within("[0, 1]", rate_in=rate_in, rate_out=rate_out)
    z = float(-ndtri((1.0 - check_confidence(confidence)) / 2.0))
    variance = rate_in * (1.0 - rate_in) / inclusion + rate_out * (1.0 - rate_out) / (
        1.0 - inclusion
    )

    def enough(models: int) -> bool:
        sizes = np.array([models * inclusion]), np.array([models * (1.0 - inclusion)])
        arms = Arms(*sizes, np.array([rate_in]), np.array([rate_out]), None, None, "0/1")
        ends = AgrestiCaffo().limits(arms, confidence)
        width = max(float(ends.high[0] - ends.low[0]), 2.0 * z * float(np.sqrt(variance / models)))
        return width <= 2.0 * half_width

    found = least_models(enough, most=_MOST)
    if found is None:
        raise ValueError(f"half_width: expected a width that can be reached, found {half_width}")
    return found
