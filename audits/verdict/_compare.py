"""One population against another: estimate, both bounds, curve, and a decision at the tolerance."""

import numpy as np
from jaxtyping import Float

from audits.verdict._forecast import forecast
from audits.verdict._half_lines import Directions, divergence, masses_below
from audits.verdict._results import Comparison, Curve, ObservableDistance
from audits.verdict._rule import decide
from estimators import (
    EqualLocalLevel,
    HalfLines,
    RankGrid,
    delta_lower_bound,
    delta_upper_bound,
)
from estimators.checks import check_seed

EVENTS = HalfLines()
LOWER = RankGrid()
# One band holds for the whole curve. At the declared epsilon alone the default bound is tighter.
BAND = EqualLocalLevel()
BOUNDS = f"lower: {LOWER.words()}; upper: {EVENTS.method()}; lower curve: {BAND.words()}"
_POINTS = 31


def curve_grid(epsilon: float) -> Float[np.ndarray, " grid"]:
    """Epsilons from 0 to max(3, 2 epsilon), the declared one among them."""
    return np.unique(np.append(np.linspace(0.0, max(3.0, 2.0 * epsilon), _POINTS), epsilon))


def compare(
    first: Float[np.ndarray, "n observables"],
    second: Float[np.ndarray, "m observables"],
    *,
    names: tuple[str, str],
    observables: tuple[str, ...],
    epsilon: float,
    tolerance: float,
    confidence: float,
    seed: int,
) -> Comparison:
    """Bounds on the divergence of two populations over half-lines of declared observables.

    The divergence is the greatest over observables and both directions of
    sup_R P(R) - e^epsilon Q(R). Its lower bound pays for the J observables (each at level
    alpha / J) and for the directions; its upper bound is the greatest pointwise one, which costs
    nothing (intersection-union). Each bound fails with probability at most alpha = 1 - confidence.

    Args:
        first: observables of the models of P.
        second: of Q, independent of those of P.
        names: what the two populations are.
        observables: a name for each column.
        epsilon: the declared epsilon.
        tolerance: the declared tolerance.
        confidence: of each bound.
        seed: of the forecast's simulation.

    Returns:
        The comparison; open ones carry a forecast.

    References:
        Berger (1982), "Multiparameter hypothesis testing and acceptance sampling", theorem 1.
    """
    seed = check_seed(seed)
    grid = curve_grid(epsilon)
    place = int(np.searchsorted(grid, epsilon))
    confidence_each = 1.0 - (1.0 - confidence) / len(observables)
    plug_in = plug_in_curves(first, second, grid)
    lower = np.asarray(
        delta_lower_bound(
            first, second, epsilon=epsilon, confidence=confidence_each, method=LOWER
        ).bound
    )
    band = delta_lower_bound(first, second, epsilon=grid, confidence=confidence_each, method=BAND)
    upper = delta_upper_bound(first, second, epsilon=grid, confidence=confidence, events=EVENTS)
    estimates = np.maximum(plug_in.forward, plug_in.backward)[place]
    low, high = float(lower.max()), float(upper.bound[place].max())
    decision = decide(low, high, tolerance)
    return Comparison(
        first=names[0],
        second=names[1],
        confidence=confidence,
        estimate=float(estimates.max()),
        lower=low,
        upper=high,
        decision=decision,
        by_observable=tuple(
            ObservableDistance(name, *(float(value) for value in row))
            for name, *row in zip(
                observables,
                estimates,
                lower,
                upper.bound[place],
                np.median(first, axis=0),
                np.median(second, axis=0),
                strict=True,
            )
        ),
        curve=Curve(
            epsilon=grid,
            forward=plug_in.forward.max(axis=1),
            forward_low=band.forward.max(axis=1),
            forward_high=upper.forward.max(axis=1),
            backward=plug_in.backward.max(axis=1),
            backward_low=band.backward.max(axis=1),
            backward_high=upper.backward.max(axis=1),
        ),
        models_first=len(first),
        models_second=len(second),
        forecast=forecast(
            first,
            second,
            epsilon=epsilon,
            tolerance=tolerance,
            confidence=confidence,
            bounds=(low, high),
            seed=seed,
        )
        if decision == "open"
        else None,
    )


def plug_in_curves(
    first: Float[np.ndarray, "n observables"],
    second: Float[np.ndarray, "m observables"],
    epsilon: Float[np.ndarray, " grid"],
) -> Directions:
    """Plug-in divergence over half-lines, each observable alone.

    Args:
        first: observables of the models of P.
        second: of Q.
        epsilon: where.

    Returns:
        Forward and backward, each ``[grid, observables]``; biased upward, as all plug-ins are.
    """
    weights = [np.full((1, len(sample)), 1.0 / len(sample)) for sample in (first, second)]
    factor = np.exp(epsilon)[:, None]
    by_observable = [divergence(p, q, factor) for p, q in masses_below((first, second), weights)]
    return Directions(
        *(np.stack(direction, axis=1) for direction in zip(*by_observable, strict=True))
    )
