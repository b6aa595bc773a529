"""How much of a behaviour is gone and at what cost: rates, fronts, areas, and simultaneous bounds.

A point is (gone, precision), both in [0, 1] and better the larger. All randomness is that of the
models: populations are resampled model by model, and those made from the same originals with the
same draws, so that what they share cancels in differences.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from audits.memorization import Estimate
from audits.verdict import median_margins
from estimators import ConfidenceInterval, hockey_stick
from indist.studies._estimates import models_to_narrow
from indist.studies._observed import GONE, KEPT, label_rates
from oracles import Observations

Standing = Literal["off", "undetermined", "on"]


@dataclass(frozen=True)
class Measured:
    """What a cell keeps of a population: its rates, and the audit's divergence from a reference.

    Attributes:
        rates: the `label_rates` of each model.
        behaviour_distance: divergence on the behaviour, with a 95 % interval by itself.
        kept_distance: the same, the greatest over `KEPT`. A divergence is 1 where half-lines tell
            the populations apart, be it by little.
    """

    rates: list[list[float]]
    behaviour_distance: Estimate
    kept_distance: Estimate


def measured(seen: Observations, reference: Observations, *, epsilon: float) -> Measured:
    """What a cell keeps of a population.

    Args:
        seen: of the candidates.
        reference: of independent models, at the same probes.
        epsilon: of the divergence.
    """
    first, second = median_margins(seen), median_margins(reference)

    def distance(groups: tuple[str, ...]) -> Estimate:
        divergence = hockey_stick(
            first.values[:, [first.groups.index(group) for group in groups]],
            second.values[:, [second.groups.index(group) for group in groups]],
            epsilon=epsilon,
            # The low end pays for choosing among the groups; the high one would not have to.
            confidence=1.0 - 0.05 / len(groups),
        )
        ends = divergence.confidence_interval
        numbers = divergence.estimate, ends.low, ends.high
        return Estimate(*(float(np.max(number)) for number in numbers))

    return Measured(label_rates(seen).tolist(), distance((GONE,)), distance(KEPT))


def max_t(
    estimate: Float[np.ndarray, " statements"],
    draws: Float[np.ndarray, "draws statements"],
    confidence: float,
) -> ConfidenceInterval:
    """Intervals that hold all at once: each ± c standard errors, c from the greatest |t| of a draw.

    Args:
        estimate: of each statement.
        draws: the same from resampled models, together.
        confidence: of all intervals together, asymptotically; less where a statement is skewed and
            models are few.

    Returns:
        The intervals. A statement that no draw moves has one of no length.

    References:
        Westfall and Young (1993), Resampling-based multiple testing, section 2.3 (single step).
    """
    error = draws.std(axis=0, ddof=1)
    safe = np.where(error > 0, error, 1.0)
    greatest = np.abs((draws - estimate) / safe).max(axis=1, initial=0.0)
    half = np.quantile(greatest, confidence) * error
    return ConfidenceInterval(estimate - half, estimate + half)


def folded(ends: ConfidenceInterval) -> ConfidenceInterval:
    """Intervals for |x| from intervals for x."""
    low = np.maximum(np.maximum(ends.low, -ends.high), 0.0)
    return ConfidenceInterval(low, np.maximum(np.abs(ends.low), np.abs(ends.high)))


def points(gaps: Float[np.ndarray, "... groups"]) -> Float[np.ndarray, "... 2"]:
    """(gone, precision) from differences of `label_rates` to those of A(D∖B), over `GROUPS`.

    Gone is 1 − |difference on the behaviour|, so that hiding it more than A(D∖B) does costs too;
    precision 1 − the greatest |difference| over `KEPT`. Both are graded: rises and falls within a
    group cancel, and what models agree on with other confidence hardly counts.
    """
    size = np.abs(gaps)
    return 1.0 - np.stack([size[..., 0], size[..., 1:].max(axis=-1)], axis=-1)


def front(points: Float[np.ndarray, "points 2"]) -> Bool[np.ndarray, " points"]:
    """Which points no other one beats: at least as good in both, better in one.

    Example:
        >>> import numpy as np
        >>> front(np.array([[0.2, 0.9], [0.1, 0.9], [0.8, 0.3]]))
        array([ True, False,  True])
    """
    first, second = points[:, None], points[None]
    beats = np.all(first >= second, axis=-1) & np.any(first > second, axis=-1)
    return np.array([not column.any() for column in beats.T], dtype=bool)


def standing(
    low: Float[np.ndarray, "points 2"], high: Float[np.ndarray, "points 2"]
) -> list[Standing]:
    """Whether each point lies on the front of all, when the truth may be anywhere in the boxes.

    Args:
        low: worst corner of each box.
        high: best corner.

    Returns:
        ``off`` where another point is better in both wherever the two lie, ``on`` where none can
        be at least as good in both, else ``undetermined``.
    """
    standings: list[Standing] = []
    for k in range(len(low)):
        others = np.arange(len(low)) != k
        beaten = np.all(low[others] > high[k], axis=1).any()
        could_be = np.all(high[others] >= low[k], axis=1).any()
        standings.append("off" if beaten else "undetermined" if could_be else "on")
    return standings


def area(points: Float[np.ndarray, "... points 2"]) -> Float[np.ndarray, "..."]:
    """Area under the front: of all (x, y) >= 0 that some point is at least as good as in both.

    Example:
        >>> import numpy as np
        >>> area(np.array([[0.5, 1.0], [1.0, 0.5], [0.4, 0.4]])).item()
        0.75
    """
    order = np.argsort(-points[..., 0], axis=-1)
    x = np.take_along_axis(points[..., 0], order, axis=-1)
    y = np.take_along_axis(points[..., 1], order, axis=-1)
    width = x - np.concatenate([x[..., 1:], np.zeros_like(x[..., :1])], axis=-1)
    return np.asarray((width * np.maximum.accumulate(y, axis=-1)).sum(axis=-1))


class Sign(NamedTuple):
    """Whether a difference has a sign, and about how many models would decide that.

    Attributes:
        finding: ``larger``, ``smaller`` or ``undetermined``.
        models_needed: were the estimate the truth; None where it is decided, or the estimate is 0.
    """

    finding: Literal["larger", "smaller", "undetermined"]
    models_needed: int | None = None


def sign_of(difference: Estimate, models: int) -> Sign:
    """The sign that an interval shows; it shrinks with the square root of the number of models."""
    value, low, high = difference
    if low > 0 or high < 0:
        return Sign("larger" if low > 0 else "smaller")
    half = max(high - value, value - low)
    return Sign("undetermined", models_to_narrow(half, abs(value), models))
