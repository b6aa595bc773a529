"""Upper bounds on the hockey-stick divergence over a declared class of events."""

from typing import Any

import numpy as np
from jaxtyping import Num

from estimators._results import INDEPENDENT, ConfidenceInterval
from estimators.checks import check_confidence, check_epsilon, check_pair
from estimators.lower._bound_results import DeltaBound
from estimators.upper._events import EventClass, HalfLines

DECLARED = "the class of events and the observables were fixed before looking at these models"
_HALF_LINES = HalfLines()


def delta_upper_bound(
    p: Num[Any, "n ..."],
    q: Num[Any, "m ..."],
    *,
    epsilon: Any,
    confidence: float = 0.95,
    events: EventClass = _HALF_LINES,
    together: bool = False,
) -> DeltaBound:
    r"""Upper bound on delta at epsilon, over a class of events fixed in advance.

    For the class of events $\mathcal R$ of one observable, a bound on

    $$\sup_{R \in \mathcal R} \max\{P(R) - e^\epsilon Q(R),\; Q(R) - e^\epsilon P(R)\}.$$

    *Validity*: the greatest of pointwise bounds, each at the confidence asked for, is a bound on
    the supremum at that confidence (intersection-union): only the bound at the one event that
    attains the supremum has to hold. It does at every n and m, ties included. For the same reason
    neither the two directions nor the number of observables cost anything: the greatest bound over
    any set of observables fixed in advance is a bound on their greatest divergence, at the same
    confidence.

    The bound is on what the class can see. It says nothing of other events, and never is a bound
    on the privacy of a mechanism.

    Args:
        p: models of the first population: a number for each model and observable.
        q: models of the second population, with the same observables.
        epsilon: one epsilon or a 1-D array of them, each in [0, 50].
        confidence: one minus the probability that the bound fails, at each epsilon and observable.
        events: the class of events: `HalfLines`, `IntervalUnions`, `DiscreteEvents` or
            `SmoothedEvents`.
        together: whether only the greatest bound over the observables of the last axis is wanted,
            in each direction: the same number, found far faster than the bounds of all of them.

    Returns:
        A `DeltaBound` with ``side`` "upper". Its arrays have the observables' shape (without the
        last axis when it is bounded together), led by an axis of epsilons when those are an array;
        all are in [0, 1]. ``undetermined`` marks the numbers
        that stay at 1 whatever the data.

    Raises:
        TypeError: when samples are not real numbers, or ``events`` is not a class of events.
        ValueError: when samples do not fit together or are not finite, epsilon or confidence
            lie outside their range, or no observables are to be bounded together.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> rng = np.random.default_rng(0)
        >>> p, q = rng.normal(size=(1000, 3)), rng.normal(size=(1000, 3))
        >>> result = estimators.delta_upper_bound(p, q, epsilon=0.0)
        >>> print(result.bound.round(1), result.events)
        [0.1 0.1 0.1] half-lines of each observable

    References:
        Berger (1982), "Multiparameter hypothesis testing and acceptance sampling" (the
        intersection-union test).
    """
    first, second = check_pair(p, q)
    epsilons, confidence = check_epsilon(epsilon), check_confidence(confidence)
    if not isinstance(events, EventClass):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"events: expected a class of events such as HalfLines(), found {events!r}")
    n, m = first.shape[0], second.shape[0]
    factor = factors(epsilons)
    if together:
        observables = first.shape[-1] if first.ndim > 1 else 1
        if not first[0].size:
            raise ValueError("p and q: expected at least one observable, found none")
        form, directed = (-1, observables), events.greatest
        shape = epsilons.shape + first.shape[1:-1]
    else:
        form, directed = (-1,), events.directed
        shape = epsilons.shape + first.shape[1:]
    grouped_p, grouped_q = first.reshape(n, *form), second.reshape(m, *form)
    forward = directed(grouped_p, grouped_q, factor, confidence)
    backward = directed(grouped_q, grouped_p, factor, confidence)
    bound = np.maximum(forward.upper, backward.upper).reshape(shape)
    least = np.maximum(
        events.least(n, m, factor, confidence), events.least(m, n, factor, confidence)
    )
    undetermined = np.broadcast_to((least >= 1.0)[:, None], forward.upper.shape).reshape(shape)
    return DeltaBound(
        epsilon=epsilons,
        bound=bound,
        forward=forward.upper.reshape(shape),
        backward=backward.upper.reshape(shape),
        estimate=np.maximum(forward.estimate, backward.estimate).reshape(shape),
        confidence_interval=ConfidenceInterval(np.zeros(shape), bound),
        confidence_level=confidence,
        side="upper",
        n_p=n,
        n_q=m,
        method=events.method(),
        events=events.words(),
        assumptions=(INDEPENDENT, DECLARED),
        warnings=events.warn(first.reshape(n, -1), second.reshape(m, -1)),
        undetermined=undetermined,
    )


def factors(epsilon: np.ndarray) -> np.ndarray:
    """The factors e^epsilon as a 1-D array, rounded down: a smaller factor has a larger divergence.

    Args:
        epsilon: a scalar or 1-D array of epsilons, at least 0.

    Returns:
        Factors of at least 1, exactly 1 at epsilon 0.
    """
    return np.maximum(np.nextafter(np.exp(np.atleast_1d(epsilon)), 0.0), 1.0)
