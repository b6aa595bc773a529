"""One upper bound on the greatest divergence over all observables, by exact tests."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Num

from estimators._results import INDEPENDENT, ConfidenceInterval
from estimators.checks import check_all_within, check_confidence, check_epsilon, check_pair
from estimators.exact._exact_test import GREATEST_TOTAL, rejected_counts
from estimators.exact._frontier import Counts, greatest_difference, greatest_upper
from estimators.lower._bound_results import DeltaBound
from estimators.upper._events import CountedEvents, EventClass, HalfLines
from estimators.upper._upper import DECLARED, factors

STEPS = 100
"""The bound is one of 1/100, 2/100, ..., 1, or one of the numbers given."""
_HALF_LINES = HalfLines()


def pooled_delta_upper_bound(
    p: Num[Any, "n ..."],
    q: Num[Any, "m ..."],
    *,
    epsilon: Any,
    confidence: float = 0.95,
    events: EventClass = _HALF_LINES,
    at: Sequence[float] = (),
) -> DeltaBound:
    r"""Upper bound on the greatest delta of all observables together, tighter than each alone.

    It bounds $\max_j \sup_{R \in \mathcal R} \max\{P_j(R) - e^\epsilon Q_j(R),\; Q_j(R) -
    e^\epsilon P_j(R)\}$ for observables j and a class of events fixed in advance.

    *Validity.* At a number D let the test reject where an exact test of two binomials rejects
    ``P(R) - e^epsilon Q(R) >= D`` for every event R of every observable, in either direction. If
    the greatest divergence is above D, that of some fixed event is, and this one alone is rejected
    with probability at most alpha (intersection-union). The bound is the least D of a fixed grid
    down to which all tests reject: it lies below the truth only where the test at the grid's last
    number below the truth has rejected it. Since the tests are nested in the same way, a bound of
    at most a number given in ``at`` *is* the decision of the test at that number.

    Args:
        p: models of the first population: a number for each model and observable.
        q: models of the second population, with the same observables.
        epsilon: one epsilon or a 1-D array of them, each in [0, 50].
        confidence: one minus the probability that the bound fails, at each epsilon.
        events: the class of events, one of those that are counted: `HalfLines`, `IntervalUnions`
            or `DiscreteEvents`.
        at: numbers in (0, 1) that join the grid 0.01, 0.02, ..., 1, such as a declared tolerance.

    Returns:
        A `DeltaBound` with ``side`` "upper" and the shape of ``epsilon``. Above 2,048 models in
        all it is the greatest of the bounds of `delta_upper_bound`, moved up to the grid.

    Raises:
        TypeError: when samples are not real numbers, or ``events`` are not counted.
        ValueError: when samples do not fit together or are not finite, or a number lies outside
            its range.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> p, q = np.random.default_rng(0).normal(size=(2, 100, 6))
        >>> joint = estimators.delta_upper_bound(p, q, epsilon=1.0).bound.max()
        >>> exact = estimators.pooled_delta_upper_bound(p, q, epsilon=1.0).bound
        >>> print(joint.round(3), exact)
        0.236 0.22

    References:
        Berger (1982), "Multiparameter hypothesis testing and acceptance sampling" (the
        intersection-union test).
    """
    first, second = check_pair(p, q)
    epsilons, confidence = check_epsilon(epsilon), check_confidence(confidence)
    if not isinstance(events, CountedEvents):
        raise TypeError(f"events: expected a counted class such as HalfLines(), found {events!r}")
    check_all_within("(0, 1)", at=at)
    n, m, shape = first.shape[0], second.shape[0], epsilons.shape
    flat_p, flat_q = first.reshape(n, -1), second.reshape(m, -1)
    if not flat_p.shape[1]:
        raise ValueError("p and q: expected at least one observable, found none")
    factor = factors(epsilons)
    grid = np.unique(np.append(np.arange(1, STEPS + 1) / STEPS, at))
    upper, estimates = np.empty((2, factor.size)), np.empty((2, factor.size))
    for side, (sample, other) in enumerate(((flat_p, flat_q), (flat_q, flat_p))):
        sizes = sample.shape[0], other.shape[0]
        frontier = events.frontier(sample[:, None], other[:, None])
        joint = greatest_upper(frontier, *sizes, factor, confidence)[:, 0]
        estimates[side] = greatest_difference(frontier, *sizes, factor)[:, 0]
        for e, c in enumerate(factor):
            upper[side, e] = _least_rejected(frontier, sizes, c, joint[e], grid, 1.0 - confidence)
    bound = upper.max(axis=0).reshape(shape)
    least = np.maximum(
        events.least(n, m, factor, confidence), events.least(m, n, factor, confidence)
    )
    return DeltaBound(
        epsilon=epsilons,
        bound=bound,
        forward=upper[0].reshape(shape),
        backward=upper[1].reshape(shape),
        estimate=np.minimum(estimates.max(axis=0), upper.max(axis=0)).reshape(shape),
        confidence_interval=ConfidenceInterval(np.zeros(shape), bound),
        confidence_level=confidence,
        side="upper",
        n_p=n,
        n_q=m,
        method=METHOD,
        events=events.words(),
        assumptions=(INDEPENDENT, DECLARED),
        warnings=events.warn(flat_p, flat_q),
        undetermined=(least >= 1.0).reshape(shape),
    )


METHOD = "exact test of two binomials (estimated, then maximised p-value) on a grid of 1/100"
"""How the bound is found, in words."""


def _least_rejected(
    frontier: Counts,
    sizes: tuple[int, int],
    factor: float,
    joint: float,
    grid: Float[np.ndarray, " numbers"],
    alpha: float,
) -> float:
    """The least number of the grid down to which every test rejects the whole frontier."""
    # From the joint bound on upwards every test rejects, since each contains that bound's region.
    place = int(np.searchsorted(grid, min(joint, 1.0)))
    if sum(sizes) > GREATEST_TOTAL:
        return float(grid[place])
    while place:
        rejected = rejected_counts(*sizes, factor, float(grid[place - 1]), alpha)
        if (frontier.x > rejected[frontier.y]).any():
            break
        place -= 1
    return float(grid[place])
