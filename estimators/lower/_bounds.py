"""Lower bounds on delta at epsilon and on epsilon at delta, by any method of the family."""

from typing import Any

import numpy as np
from jaxtyping import Num

from estimators._results import ConfidenceInterval
from estimators.checks import check_confidence, check_delta, check_epsilon, check_pair
from estimators.exact._plug_in import plug_in_delta, plug_in_epsilon
from estimators.lower._bound_results import DeltaBound, EpsilonBound
from estimators.lower._method import DirectedBounds, LowerBoundMethod
from estimators.lower._rank_grid import RankGrid
from estimators.lower._target import DeltaAt, EpsilonAt, Target


def delta_lower_bound(
    p: Num[Any, "n ..."],
    q: Num[Any, "m ..."],
    *,
    epsilon: Any,
    confidence: float = 0.95,
    method: LowerBoundMethod | None = None,
    directed: bool = True,
) -> DeltaBound:
    """Lower bound on the delta of two populations at each epsilon, from samples of models.

    With probability at least ``confidence``, for every P and Q at these sample sizes,

        bound <= max { sup_R P(R) - e^epsilon Q(R),  sup_R Q(R) - e^epsilon P(R) },

    although the event that shows the difference is chosen from the same samples.

    Args:
        p: independent models of P, shape [n, *observables].
        q: independent models of Q, shape [m, *observables], independent of ``p``.
        epsilon: numbers in [0, 50], a scalar or shape [E].
        confidence: probability with which each bound holds, in (0, 1).
        method: settings of the method; None is ``RankGrid()``. Methods that pool take the trailing
            axes as one vector observation (or choose among them) and return one bound.
        directed: whether each direction is bounded, too. If not, ``forward`` and ``backward`` are
            0, and the same ``bound`` is found faster.

    Returns:
        Bounds of shape [E?, *observables], or [E?] for a method that pools, in [0, 1].

    Raises:
        TypeError: when samples are not real numbers or ``method`` is not a method.
        ValueError: when a number lies outside its range or the observables differ.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> rng = np.random.default_rng(0)
        >>> p, q = rng.normal(1.0, 1.0, 1000), rng.normal(0.0, 1.0, 1000)
        >>> result = estimators.delta_lower_bound(p, q, epsilon=[0.0, 1.0])
        >>> bool(0.3 < result.bound[0] < 0.3829), bool(0.05 < result.bound[1] < 0.1269)
        (True, True)

    References:
        Validity of the default: `estimators.lower._rank_test`, `estimators.lower._rank_grid`.
    """
    given = check_epsilon(epsilon)
    target = DeltaAt(np.atleast_1d(given))
    fields = _fields(p, q, target, given.shape, confidence, method, directed)
    return DeltaBound(epsilon=given, **fields)


def epsilon_lower_bound(
    p: Num[Any, "n ..."],
    q: Num[Any, "m ..."],
    *,
    delta: Any,
    confidence: float = 0.95,
    method: LowerBoundMethod | None = None,
) -> EpsilonBound:
    """Lower bound on the epsilon of two populations at each delta, from samples of models.

    With probability at least ``confidence``, for every P and Q at these sample sizes,

        bound <= inf { epsilon : both directed divergences at epsilon are at most delta }.

    Args:
        p: independent models of P, shape [n, *observables].
        q: independent models of Q, shape [m, *observables], independent of ``p``.
        delta: numbers in [0, 1), a scalar or shape [D].
        confidence: probability with which each bound holds, in (0, 1).
        method: settings of the method; None is ``RankGrid()``.

    Returns:
        Bounds of shape [D?, *observables], or [D?] for a method that pools, at least 0.

    Raises:
        TypeError: when samples are not real numbers or ``method`` is not a method.
        ValueError: when a number lies outside its range or the observables differ.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> rng = np.random.default_rng(0)
        >>> p, q = rng.normal(1.0, 1.0, 1000), rng.normal(0.0, 1.0, 1000)
        >>> result = estimators.epsilon_lower_bound(p, q, delta=0.01)
        >>> bool(1.2 < result.bound < 2.3178)
        True

    References:
        Validity of the default: `estimators.lower._rank_test`, `estimators.lower._rank_grid`.
    """
    given = check_delta(delta)
    fields = _fields(p, q, EpsilonAt(np.atleast_1d(given)), given.shape, confidence, method)
    return EpsilonBound(delta=given, **fields)


def _fields(
    p: Any,
    q: Any,
    target: Target,
    lead: tuple[int, ...],
    confidence: float,
    method: LowerBoundMethod | None,
    directed: bool = True,
) -> dict[str, Any]:
    """What both kinds of bounds have in common; ``lead`` is the shape of the numbers asked for."""
    first, second = check_pair(p, q)
    level = check_confidence(confidence)
    method = RankGrid() if method is None else method
    if not isinstance(method, LowerBoundMethod):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"method: expected a lower-bound method, found {type(method).__name__}")
    n, m = first.shape[0], second.shape[0]
    shape = lead if method.pools else lead + first.shape[1:]
    columns = int(np.prod(first.shape[1:], dtype=np.int64))
    if columns == 0:
        raise ValueError("p and q: expected at least one observable, found none")
    first, second = first.reshape(n, columns), second.reshape(m, columns)

    if directed:
        found = method.solve(first, second, target, 1.0 - level)
    else:
        either = method.either(first, second, target, 1.0 - level)
        found = DirectedBounds(np.zeros_like(either), np.zeros_like(either), either)
    if isinstance(target, DeltaAt):
        estimate, greatest = plug_in_delta(first, second, target.numbers), 1.0
    else:
        estimate, greatest = plug_in_epsilon(first, second, target.numbers), np.inf
    undetermined = method.undetermined(n, m, target, level)
    estimate = (estimate.max(axis=1) if method.pools else estimate).reshape(shape)
    undetermined = undetermined.reshape(-1, *([1] * (found.bound.ndim - 1)))
    bound, forward, backward = (
        np.where(undetermined, 0.0, np.clip(values, 0.0, greatest)).reshape(shape)
        for values in (found.bound, found.forward, found.backward)
    )
    return {
        "bound": bound,
        "forward": forward,
        "backward": backward,
        "estimate": np.asarray(np.maximum(estimate, bound)),
        "confidence_interval": ConfidenceInterval(bound, np.full_like(bound, greatest)),
        "confidence_level": level,
        "side": "lower",
        "n_p": n,
        "n_q": m,
        "method": method.words(),
        "events": "all events (a lower bound over any of them is one over all)",
        "assumptions": method.assumptions,
        "warnings": method.warn(first, second),
        "undetermined": np.broadcast_to(undetermined, found.bound.shape).reshape(shape),
    }
