"""One population against another: estimate, both bounds, curve, and a decision at the tolerance."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from audits.verdict._bounds import EVENTS, lower_bounds, lower_parts, upper_bound, upper_parts
from audits.verdict._columns import Block
from audits.verdict._forecast import forecast
from audits.verdict._half_lines import Directions, counts_below, divergence
from audits.verdict._results import Comparison, Curve, ObservableDistance
from audits.verdict._rule import decide
from estimators import (
    EqualLocalLevel,
    LowerBoundMethod,
    RankGrid,
    delta_lower_bound,
    delta_upper_bound,
)
from estimators.checks import check_seed

# Over half-lines, as the upper bound is: a verdict speaks of one class of events.
LOWER = RankGrid(two_sided=False)
# One band holds for the whole curve. At the declared epsilon alone the default bound is tighter.
BAND = EqualLocalLevel()
BOUNDS = f"lower: {LOWER.words()}; upper: {EVENTS.method()}; lower curve: {BAND.words()}"
EXACT = (
    "exact test of two binomials (estimated, then maximised p-value), greatest over the class, on "
    "a grid of 1/100 and the tolerance"
)
_POINTS = 31


def exact_bounds(lower: LowerBoundMethod) -> str:
    """How the bounds are found where the upper one is exact, in words."""
    return f"lower: {lower.words()}; upper: {EXACT}; lower curve: {BAND.words()}"


def curve_grid(epsilon: float) -> Float[np.ndarray, " grid"]:
    """Epsilons from 0 to max(3, 2 epsilon) or 50, the greatest; the declared one among them."""
    end = min(max(3.0, 2.0 * epsilon), 50.0)
    return np.unique(np.append(np.linspace(0.0, end, _POINTS), epsilon))


def compare(
    blocks: Sequence[Block],
    *,
    names: tuple[str, str],
    epsilon: float,
    tolerance: float,
    confidence: float,
    seed: int,
    exact: bool = False,
    lower: LowerBoundMethod = LOWER,
    also: float | None = None,
) -> Comparison:
    """Bounds on the divergence of two populations over half-lines of declared observables.

    The divergence is the greatest over observables and both directions of
    sup_R P(R) - e^epsilon Q(R). Its lower bound pays for the J observables (each at level
    alpha / J) and for the directions; its upper bound is the greatest pointwise one, which costs
    nothing (intersection-union). Each bound fails with probability at most alpha = 1 - confidence.

    *With learned observables*, blocks after the first, the decision errs with probability at most
    alpha, too. Either a fixed observable differs by more than the tolerance, and its upper bound
    alone must fail. Or none does: then it depends on the models set aside whether a learned one
    differs, so that either kind of bound may make a claim false. So the upper bounds of learned
    observables and all lower bounds have alpha / 2 each. The upper bound *as a number* is one for
    the fixed and one for the learned ones, each at the confidence stated.

    Args:
        blocks: columns of P and of Q, independent of each other; the observables of a block are on
            the same models. Those of the first are fixed, all others learned.
        names: what the two populations are.
        epsilon: the declared epsilon.
        tolerance: the declared tolerance.
        confidence: of each bound.
        seed: of the forecast's simulation.
        exact: whether the upper bound is that of `estimators.pooled_delta_upper_bound`.
        lower: the method of the lower bound at the declared epsilon.
        also: another confidence at which both bounds must hold: of two bounds that ought to be
            nested, the wider one is taken.

    Returns:
        The comparison; open ones carry a forecast.

    References:
        Berger (1982), "Multiparameter hypothesis testing and acceptance sampling", theorem 1.
    """
    seed = check_seed(seed)
    grid = curve_grid(epsilon)
    place = int(np.searchsorted(grid, epsilon))
    levels = [1.0 - confidence] if also is None else [1.0 - confidence, 1.0 - also]
    parts = lower_parts(blocks)
    confidence_each = 1.0 - levels[0] / parts
    rows: list[ObservableDistance] = []
    curves: list[Curve] = []
    high = 0.0
    for number, block in enumerate(blocks):
        first, second = block.first, block.second
        estimates, estimated = plug_in(first, second, grid, place)
        least = lower_bounds(block, epsilon=epsilon, levels=levels, parts=parts, method=lower)
        band = delta_lower_bound(
            first, second, epsilon=grid, confidence=confidence_each, method=BAND
        )
        declared: Any = {"confidence": 1.0 - levels[0] / upper_parts(number), "events": EVENTS}
        each = delta_upper_bound(first, second, epsilon=epsilon, **declared).bound
        greatest = float(each.max())
        if exact:
            greatest = upper_bound(
                block,
                epsilon=epsilon,
                tolerance=tolerance,
                levels=levels,
                parts=upper_parts(number),
            )
            each = np.minimum(each, greatest)
        high = max(high, greatest)
        numbers = (
            *(np.minimum(estimates, each) if exact else estimates, least, each),
            *(np.median(first, axis=0), np.median(second, axis=0)),
        )
        rows += [
            ObservableDistance(name, *(float(value) for value in row), example=example)
            for name, example, *row in zip(block.names, block.examples, *numbers, strict=True)
        ]
        upper = delta_upper_bound(first, second, epsilon=grid, **declared, together=True)
        curves.append(
            Curve(
                epsilon=grid,
                forward=estimated.forward,
                forward_low=band.forward.max(axis=1),
                forward_high=upper.forward,
                backward=estimated.backward,
                backward_low=band.backward.max(axis=1),
                backward_high=upper.backward,
            )
        )
    low = max(row.lower for row in rows)
    decision = decide(low, high, tolerance)
    return Comparison(
        first=names[0],
        second=names[1],
        confidence=confidence,
        estimate=max(row.estimate for row in rows),
        lower=low,
        upper=high,
        decision=decision,
        by_observable=tuple(rows),
        curve=curves[0] if len(curves) == 1 else _greatest(curves),
        models_first=max(len(block.first) for block in blocks),
        models_second=max(len(block.second) for block in blocks),
        forecast=forecast(
            blocks[0].first,
            blocks[0].second,
            epsilon=epsilon,
            tolerance=tolerance,
            confidence=confidence,
            bounds=(low, high),
            seed=seed,
            unequal=exact and names[0] == "submission",
        )
        if decision == "open"
        else None,
    )


def _greatest(curves: Sequence[Curve]) -> Curve:
    """The greatest of several curves on one grid."""
    names = [field.name for field in fields(Curve) if field.name != "epsilon"]
    greatest = {name: np.max([getattr(curve, name) for curve in curves], axis=0) for name in names}
    return Curve(epsilon=curves[0].epsilon, **greatest)


class PlugIn(NamedTuple):
    """Plug-in divergences over half-lines; biased upward, as all plug-ins are.

    Attributes:
        each: of each observable at the declared epsilon, in the greater direction.
        curve: the greatest over all observables in each direction, ``[grid]``.
    """

    each: Float[np.ndarray, " observables"]
    curve: Directions


def plug_in(
    first: Float[np.ndarray, "n observables"],
    second: Float[np.ndarray, "m observables"],
    grid: Float[np.ndarray, " grid"],
    place: int,
) -> PlugIn:
    """Plug-in divergences of two populations.

    Of the half-lines with as many models of Q, those with the most and with the least of P have
    the greatest divergences, whatever the observable: the curve needs no others.

    Args:
        first: observables of the models of P.
        second: of Q.
        grid: epsilons of the curve.
        place: of the declared epsilon among them.

    Returns:
        Each observable's, and the curve.
    """
    n, m = len(first), len(second)
    # Sums of equal weights, as of the weighted models that other figures resample.
    p, q = (np.append(0.0, np.cumsum(np.full(size, 1.0 / size))) for size in (n, m))
    x, y = counts_below(first, second)
    factor = np.exp(grid)
    each = np.maximum(*divergence(p[x], q[y], factor[place]))
    most, least = np.full(m + 1, -1), np.full(m + 1, n + 1)
    np.maximum.at(most, y.ravel(), x.ravel())
    np.minimum.at(least, y.ravel(), x.ravel())
    held = np.flatnonzero(most >= 0)
    x, y = np.concatenate([most[held], least[held]]), np.tile(held, 2)
    return PlugIn(each, divergence(p[x], q[y], factor[:, None]))
