"""How much of a behaviour is gone and at what cost: rates, fronts, areas, and simultaneous bounds.

A point is (gone, precision), both in [0, 1] and better the larger. All randomness is that of the
models: populations are resampled model by model, and those made from the same originals with the
same draws, so that what they share cancels in differences.
"""

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import expit

from audits.verdict import median_margins
from estimators import ConfidenceInterval, hockey_stick
from indist.studies._cells import Row
from oracles import Observations

GONE = "behaviour_test"
KEPT = ("near", "retain", "test")
GROUPS = (GONE, *KEPT)
"""Probe groups that do not depend on S: fresh instances of the behaviour, and what is not in B."""


def label_rates(seen: Observations) -> Float[np.ndarray, "models groups"]:
    """The mean probability that each model gives to the labels of each of `GROUPS`.

    Args:
        seen: observations with probes of all of them.

    Returns:
        One column a group, in [0, 1]. On ``behaviour_test`` it is the graded rate of the behaviour.
    """
    return np.stack([label_rate(seen, group) for group in GROUPS], axis=1)


def label_rate(seen: Observations, group: str) -> Float[np.ndarray, " models"]:
    """The mean probability that each model gives to the labels of a group, in [0, 1]."""
    return expit(seen.margins[:, seen.groups == group]).mean(axis=1)


def measured(seen: Observations, reference: Observations, *, epsilon: float) -> Row:
    """What studies keep of a population: its rates, and the audit's divergence from a reference.

    Args:
        seen: of the candidates.
        reference: of independent models, at the same probes.
        epsilon: of the divergence.

    Returns:
        ``rates``, the `label_rates` of each model; ``behaviour_distance`` and ``kept_distance``
        (the greatest over `KEPT`), each with the ends ``_low`` and ``_high`` of a 95 % interval by
        itself. A divergence is 1 where half-lines tell the populations apart, be it by little.
    """
    first, second = median_margins(seen), median_margins(reference)
    found: Row = {"rates": label_rates(seen).tolist()}
    for name, groups in (("behaviour", (GONE,)), ("kept", KEPT)):
        result = hockey_stick(
            first.values[:, [first.groups.index(group) for group in groups]],
            second.values[:, [second.groups.index(group) for group in groups]],
            epsilon=epsilon,
            # The low end pays for choosing among the groups; the high one would not have to.
            confidence=1.0 - 0.05 / len(groups),
        )
        ends = result.confidence_interval
        value, low, high = (float(np.max(x)) for x in (result.estimate, ends.low, ends.high))
        found |= with_ends(f"{name}_distance", value, low, high)
    return found


def resampling(models: int, draws: int, rng: np.random.Generator) -> Float[np.ndarray, "draws n"]:
    """Bootstrap weights of models: times drawn over their number, so that ``w @ x`` are means."""
    chosen = rng.integers(models, size=(draws, models)) + models * np.arange(draws)[:, None]
    return np.bincount(chosen.ravel(), minlength=draws * models).reshape(draws, models) / models


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


def standing(low: Float[np.ndarray, "points 2"], high: Float[np.ndarray, "points 2"]) -> list[str]:
    """Whether each point lies on the front of all, when the truth may be anywhere in the boxes.

    Args:
        low: worst corner of each box.
        high: best corner.

    Returns:
        ``off`` where another point is better in both wherever the two lie, ``on`` where none can
        be at least as good in both, else ``undetermined``.
    """
    found: list[str] = []
    for k in range(len(low)):
        others = np.arange(len(low)) != k
        beaten = np.all(low[others] > high[k], axis=1).any()
        could_be = np.all(high[others] >= low[k], axis=1).any()
        found.append("off" if beaten else "undetermined" if could_be else "on")
    return found


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


def decided(difference: float, low: float, high: float, models: int) -> Row:
    """Whether a difference has a sign: ``larger``, ``smaller``, or ``undetermined``.

    The last says about how many models would decide, were the estimate the truth: the interval
    shrinks with the square root of their number.
    """
    if low > 0 or high < 0:
        return {"finding": "larger" if low > 0 else "smaller"}
    row: Row = {"finding": "undetermined"}
    if difference:
        half = max(high - difference, difference - low)
        row["models_needed"] = int(np.ceil(models * (half / abs(difference)) ** 2))
    return row


def with_ends(name: str, value: float, low: float, high: float) -> Row:
    """A number and its interval as fields of a row."""
    return {name: float(value), f"{name}_low": float(low), f"{name}_high": float(high)}
