"""The exact test that two populations are within a tolerance: many samples of them at once."""

from typing import Any

import numpy as np
from jaxtyping import Bool, Num

from estimators.checks import check_confidence, check_pair, check_within
from estimators.exact._binomial_pair import joint_upper
from estimators.exact._exact_test import GREATEST_TOTAL, rejected_counts
from estimators.exact._frontier import undominated
from estimators.upper._events import CountedEvents, EventClass, HalfLines
from estimators.upper._upper import factors

_HALF_LINES = HalfLines()


def within_tolerance(
    p: Num[Any, "n *samples observables"],
    q: Num[Any, "m *samples observables"],
    *,
    epsilon: float,
    tolerance: float,
    confidence: float = 0.95,
    events: EventClass = _HALF_LINES,
) -> Bool[np.ndarray, "*samples"]:
    """Whether the greatest delta of all observables is shown to be at most a tolerance.

    It is the decision of `pooled_delta_upper_bound`: true where that bound is at most the
    tolerance. Alone it is much faster, and it takes many independent samples at once, as a
    simulation draws them.

    Args:
        p: models of the first population; the last axis holds a model's observables.
        q: models of the second population, with the same samples and observables.
        epsilon: of the divergence, in [0, 50].
        tolerance: in (0, 1).
        confidence: one minus the greatest probability of saying so where it is not.
        events: a counted class of events, such as `HalfLines`.

    Returns:
        A truth for each sample.

    Raises:
        TypeError: when samples are not real numbers, or ``events`` are not counted.
        ValueError: when samples do not fit together or are not finite, or a number lies outside
            its range.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> p, q = np.random.default_rng(0).normal(size=(2, 100, 500, 6))
        >>> print(estimators.within_tolerance(p, q, epsilon=1.0, tolerance=0.2).mean())
        0.982

    References:
        Berger (1982), "Multiparameter hypothesis testing and acceptance sampling" (the
        intersection-union test).
    """
    first, second = check_pair(p, q)
    if first.ndim < 2:
        raise ValueError(f"p and q: expected observables on the last axis, found {first.shape}")
    check_within("[0, 50]", epsilon=epsilon)
    check_within("(0, 1)", tolerance=tolerance)
    check_confidence(confidence)
    if not isinstance(events, CountedEvents):
        raise TypeError(f"events: expected a counted class such as HalfLines(), found {events!r}")
    (factor,) = factors(np.array([epsilon]))
    samples = first.shape[1:]
    within = np.ones(samples, dtype=bool)
    for one, other in ((first, second), (second, first)):
        n, m = len(one), len(other)
        frontier = undominated(events.counts(one.reshape(n, -1), other.reshape(m, -1)), m)
        if n + m <= GREATEST_TOTAL:
            rejected = rejected_counts(n, m, float(factor), tolerance, 1.0 - confidence)
            called = frontier.x <= rejected[frontier.y]
        else:
            bounds = joint_upper(frontier.x, n, frontier.y, m, [factor], confidence)
            called = bounds[0] <= tolerance
        within &= called.all(axis=0).reshape(samples)
    return np.asarray(within.all(axis=-1))
