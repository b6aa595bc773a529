"""Lower bounds on delta at epsilon and on epsilon at delta, by any method of the family."""

from typing import Any, ClassVar, Protocol, cast, runtime_checkable

import numpy as np
from jaxtyping import Float, Num, Shaped

from estimators._results import ConfidenceInterval
from estimators.checks import check_confidence, check_delta, check_epsilon, check_pair
from estimators.exact._plug_in import plug_in_delta, plug_in_epsilon
from estimators.lower._bound_results import DeltaBound, EpsilonBound
from estimators.lower._directed_bounds import BothWays
from estimators.lower._rank_grid import RankGrid

# Epsilon is scanned upward on this fixed grid, so a bound of a method without an inverse of its
# own is rounded down by at most one step.
EPSILON_GRID = np.concatenate(
    [np.arange(0.0, 3.0, 0.005), np.arange(3.0, 8.0, 0.02), np.arange(8.0, 50.01, 0.25)]
)
_BLOCK = 50


@runtime_checkable
class LowerBoundMethod(Protocol):
    """Settings of a lower-bound method: a frozen dataclass, validated on construction.

    Attributes:
        pools: True when the trailing axes are one vector observation, or are chosen among, so that
            one bound comes out; False for one bound an observable.
    """

    pools: ClassVar[bool]

    def lower(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        epsilon: Float[np.ndarray, " e"],
        confidence: float,
    ) -> Float[np.ndarray, "e ..."]:
        """Bound on ``sup_R P(R) - exp(epsilon) Q(R)``, at least 0: [E, J], or [E] if it pools."""
        ...

    def words(self) -> str:
        """The method in words, settings and seed included."""
        ...

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What it rests on beyond independent models."""
        ...

    def warn(self, p: Float[np.ndarray, "n j"], q: Float[np.ndarray, "m j"]) -> tuple[str, ...]:
        """Remarks about these data."""
        ...

    def reach(
        self, n: int, m: int, epsilon: Float[np.ndarray, " e"], confidence: float
    ) -> Float[np.ndarray, " e"]:
        """The greatest bound that samples of these sizes can give in one direction."""
        ...


@runtime_checkable
class BothWaysMethod(LowerBoundMethod, Protocol):
    """A method that has joint bounds of both directions, and inverts them in epsilon itself.

    ``forward`` and ``backward`` hold together at the confidence; ``bound`` holds at it by itself.
    ``reach`` is then the reach of ``bound``.
    """

    def delta_bounds(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        epsilon: Float[np.ndarray, " e"],
        confidence: float,
    ) -> BothWays:
        """Lower bounds on delta at each epsilon."""
        ...

    def epsilon_bounds(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        delta: Float[np.ndarray, " d"],
        confidence: float,
    ) -> BothWays:
        """Lower bounds on epsilon at each delta."""
        ...


def _half(confidence: float) -> float:
    return 1.0 - (1.0 - confidence) / 2.0


def _delta_both_ways(
    method: LowerBoundMethod,
    p: Float[np.ndarray, "n j"],
    q: Float[np.ndarray, "m j"],
    epsilon: Float[np.ndarray, " e"],
    confidence: float,
) -> BothWays:
    """Half of the level to each direction, and no price at epsilon 0, where they coincide."""
    if isinstance(method, BothWaysMethod):
        return method.delta_bounds(p, q, epsilon, confidence)
    forward = method.lower(p, q, epsilon, _half(confidence))
    backward = method.lower(q, p, epsilon, _half(confidence))
    bound = np.maximum(forward, backward)
    zero = epsilon == 0
    if zero.any():
        bound[zero] = method.lower(p, q, epsilon[zero], confidence)
        forward[zero] = backward[zero] = bound[zero]
    return BothWays(forward, backward, bound)


def _first_crossing(
    method: LowerBoundMethod,
    p: Float[np.ndarray, "n j"],
    q: Float[np.ndarray, "m j"],
    delta: Float[np.ndarray, " d"],
    confidence: float,
) -> Float[np.ndarray, "d ..."]:
    """Scan epsilon upward on the fixed grid while the bound on delta exceeds delta.

    *Validity.* To pass the true epsilon, the scan must find a bound above delta at the first grid
    point not below it, where the divergence is at most delta: the bound fails there, which has
    probability at most alpha. Only the bound at that one point is used, so no simultaneity over
    epsilon is needed.
    """
    shape = (delta.size,) if method.pools else (delta.size, p.shape[1])
    passed = np.zeros(shape)
    running = np.ones(shape, dtype=bool)
    for start in range(0, EPSILON_GRID.size, _BLOCK):
        grid = EPSILON_GRID[start : start + _BLOCK]
        found = method.lower(p, q, grid, confidence)
        for d, value in enumerate(delta):
            above = np.logical_and.accumulate(found > value, axis=0) & running[d]
            reached = grid.reshape(-1, *([1] * (above.ndim - 1))) * above
            passed[d] = np.maximum(passed[d], reached.max(axis=0))
            running[d] &= above[-1]
        if not running.any():
            break
    return passed


def _epsilon_both_ways(
    method: LowerBoundMethod,
    p: Float[np.ndarray, "n j"],
    q: Float[np.ndarray, "m j"],
    delta: Float[np.ndarray, " d"],
    confidence: float,
) -> BothWays:
    if isinstance(method, BothWaysMethod):
        return method.epsilon_bounds(p, q, delta, confidence)
    forward = _first_crossing(method, p, q, delta, _half(confidence))
    backward = _first_crossing(method, q, p, delta, _half(confidence))
    return BothWays(forward, backward, np.maximum(forward, backward))


def _prepare(
    p: Any, q: Any, confidence: float, method: Any
) -> tuple[Float[np.ndarray, "n j"], Float[np.ndarray, "m j"], tuple[int, ...], float]:
    first, second = check_pair(p, q)
    level = check_confidence(confidence)
    if not isinstance(method, LowerBoundMethod):
        raise TypeError(f"method: expected a lower-bound method, found {type(method).__name__}")
    observables = () if method.pools else first.shape[1:]
    columns = int(np.prod(first.shape[1:], dtype=np.int64))
    if columns == 0:
        raise ValueError("p and q: expected at least one observable, found none")
    flat = first.reshape(first.shape[0], columns), second.reshape(second.shape[0], columns)
    return *flat, observables, level


def _shaped(
    values: Shaped[np.ndarray, "e ..."], lead: tuple[int, ...], observables: tuple[int, ...]
) -> Shaped[np.ndarray, "..."]:
    return np.asarray(values).reshape(lead + observables)


def _reach(
    method: LowerBoundMethod, n: int, m: int, epsilon: Float[np.ndarray, " e"], confidence: float
) -> Float[np.ndarray, " e"]:
    if isinstance(method, BothWaysMethod):
        return method.reach(n, m, epsilon, confidence)
    reach = np.maximum(
        method.reach(n, m, epsilon, _half(confidence)),
        method.reach(m, n, epsilon, _half(confidence)),
    )
    if (epsilon == 0).any():
        reach[epsilon == 0] = method.reach(n, m, epsilon[epsilon == 0], confidence)
    return reach


def delta_lower_bound(
    p: Num[Any, "n ..."],
    q: Num[Any, "m ..."],
    *,
    epsilon: Any,
    confidence: float = 0.95,
    method: LowerBoundMethod | None = None,
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
    method = RankGrid() if method is None else method
    first, second, observables, level = _prepare(p, q, confidence, method)
    given = check_epsilon(epsilon)
    epsilons = np.atleast_1d(given)
    n, m = first.shape[0], second.shape[0]
    found = _delta_both_ways(method, first, second, epsilons, level)
    dark = _reach(method, n, m, epsilons, level) <= 0.0
    dark = np.broadcast_to(dark.reshape(-1, *([1] * (found.bound.ndim - 1))), found.bound.shape)
    bound, forward, backward = (
        _shaped(np.where(dark, 0.0, np.clip(v, 0.0, 1.0)), given.shape, observables)
        for v in (found.bound, found.forward, found.backward)
    )
    estimate = plug_in_delta(first, second, epsilons)
    estimate = estimate.max(axis=1) if method.pools else estimate
    return DeltaBound(
        bound=bound,
        forward=forward,
        backward=backward,
        estimate=np.asarray(np.maximum(_shaped(estimate, given.shape, observables), bound)),
        confidence_interval=ConfidenceInterval(bound, np.ones_like(bound)),
        confidence_level=level,
        side="lower",
        n_p=n,
        n_q=m,
        method=method.words(),
        events="all events (a lower bound over any of them is one over all)",
        assumptions=method.assumptions,
        warnings=method.warn(first, second),
        undetermined=_shaped(dark, given.shape, observables),
        epsilon=given,
    )


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
    method = RankGrid() if method is None else method
    first, second, observables, level = _prepare(p, q, confidence, method)
    given = check_delta(delta)
    deltas = np.atleast_1d(given)
    n, m = first.shape[0], second.shape[0]
    found = _epsilon_both_ways(method, first, second, deltas, level)
    dark = cast(np.ndarray, _reach(method, n, m, np.zeros(1), level)[0] <= deltas)
    dark = np.broadcast_to(dark.reshape(-1, *([1] * (found.bound.ndim - 1))), found.bound.shape)
    bound, forward, backward = (
        _shaped(np.where(dark, 0.0, np.maximum(v, 0.0)), given.shape, observables)
        for v in (found.bound, found.forward, found.backward)
    )
    estimate = plug_in_epsilon(first, second, deltas)
    estimate = estimate.max(axis=1) if method.pools else estimate
    return EpsilonBound(
        bound=bound,
        forward=forward,
        backward=backward,
        estimate=np.asarray(np.maximum(_shaped(estimate, given.shape, observables), bound)),
        confidence_interval=ConfidenceInterval(bound, np.full_like(bound, np.inf)),
        confidence_level=level,
        side="lower",
        n_p=n,
        n_q=m,
        method=method.words(),
        events="all events (a lower bound over any of them is one over all)",
        assumptions=method.assumptions,
        warnings=method.warn(first, second),
        undetermined=_shaped(dark, given.shape, observables),
        delta=given,
    )
