"""About how many models would decide an open comparison, if the estimated distance were true."""

import math
from typing import Any

import numpy as np
from jaxtyping import Float

from audits.verdict._half_lines import masses_below
from audits.verdict._results import FEWEST_TO_FORECAST, Beside, Forecast, Towards
from audits.verdict._simulated_audits import Margins, fitted
from estimators.exact import least_models

POWER = 0.8
_MOST = 1_000_000
# Against so few others no number of submitted models helps much beyond this many times theirs.
_MOST_TIMES = 16
# References in work, as multiples of those that there are.
_TIMES = (1, 2, 4)
_FOLDS = 5


def forecast(
    first: Float[np.ndarray, "n observables"],
    second: Float[np.ndarray, "m observables"],
    *,
    epsilon: float,
    tolerance: float,
    confidence: float,
    bounds: tuple[float, float],
    seed: int,
    unequal: bool = False,
) -> Forecast:
    """Models a side that would decide with probability about 0.8.

    The divergence is estimated without the optimism of a supremum: the event is chosen on four
    fifths of the models and measured on the rest. Both samples are then mixed with their pool until
    their divergence is that estimate, and audits with n models a side are simulated from them, with
    margins stretched to those that the audit at hand has shown.

    Args:
        first: observables of the models of P.
        second: of Q.
        epsilon: the declared epsilon.
        tolerance: the declared tolerance.
        confidence: of each bound.
        bounds: lower and upper bound of the audit at hand.
        seed: of the simulation.
        unequal: whether the number of models of P alone is forecast, too, beside the models of Q
            that there are, twice and four times as many.

    Returns:
        The forecast. It says "about", since it is computed from estimates. Even at the true
        distance it may be too small by a factor of two or three where a match is not perfect and
        epsilon is above 0, since the events that decide it are rare.

    Example:
        >>> p, q = np.random.default_rng(0).normal(size=(2, 100, 2))
        >>> forecast(p, q, epsilon=0.0, tolerance=0.2, confidence=0.975, bounds=(0.0, 0.33),
        ...          seed=0).towards
        'match'
    """
    factor = math.exp(epsilon)
    distance = held_out_divergence(first, second, factor)
    settings: Any = {
        "distance": distance,
        "factor": factor,
        "tolerance": tolerance,
        "confidence": confidence,
        "bounds": bounds,
        "seed": seed,
    }
    models, towards = models_to_decide(first, second, **settings)
    if min(len(first), len(second)) < FEWEST_TO_FORECAST:
        return Forecast(None, POWER, towards)
    # The models at hand did not decide it: more are needed, whatever the simulation says.
    if models is not None:
        models = max(models, math.ceil(1.1 * max(len(first), len(second))))
    beside: list[Beside] = []
    for others in (times * len(second) for times in _TIMES if unequal):
        submitted, _ = models_to_decide(first, second, **settings, others=others)
        if submitted is not None and others == len(second):
            submitted = max(submitted, math.ceil(1.1 * len(first)))
        beside.append(Beside(others, submitted))
    return Forecast(models, POWER, towards, tuple(beside))


def models_to_decide(
    first: Float[np.ndarray, "n observables"],
    second: Float[np.ndarray, "m observables"],
    *,
    distance: float,
    factor: float,
    tolerance: float,
    confidence: float,
    bounds: tuple[float, float],
    seed: int,
    others: int | None = None,
) -> tuple[int | None, Towards]:
    """The forecast at a given distance: see `forecast`.

    Args:
        first: observables of the models of P.
        second: of Q.
        distance: the divergence taken to be true.
        factor: c = e^epsilon.
        tolerance: the declared tolerance.
        confidence: of each bound.
        bounds: lower and upper bound of the audit at hand.
        seed: of the simulation.
        others: models of Q; None for as many as of P.

    Returns:
        Models a side, or of P, None when a million would not do; and the decision they would reach.
    """
    towards: Towards = "match" if distance < tolerance else "differ"
    level, bound = 1.0 - confidence, bounds[1]
    if towards == "differ":
        # A lower bound shares its level among observables, directions and a grid of thresholds:
        # about this much of it is left for one event.
        level, bound = level / (12.0 * first.shape[1]), bounds[0]
    seen = fitted(first, second, factor, math.inf)
    margins = Margins(towards == "match", level, factor).calibrated(
        seen, len(first), len(second), bound
    )
    truth = fitted(first, second, factor, distance)

    def enough(models: int) -> bool:
        simulated = margins.simulated_bounds(truth, models, others or models, seed)
        decided = simulated <= tolerance if margins.upper else simulated > tolerance
        return float(decided.mean()) >= POWER

    most = _MOST if others is None else min(_MOST, _MOST_TIMES * others)
    return least_models(enough, most=most, least=3, start=64, within=0.02), towards


def held_out_divergence(
    first: Float[np.ndarray, "n observables"],
    second: Float[np.ndarray, "m observables"],
    factor: float,
) -> float:
    """Cross-fitted divergence, of events chosen on four fifths of the models.

    The event with the greatest gap on each four fifths is measured on the fifth that is left.

    Args:
        first: observables of the models of P.
        second: of Q.
        factor: c = e^epsilon.

    Returns:
        The mean over folds, in [0, 1]; unlike the plug-in it is not biased upward. It is 0 with
        fewer than two models on a side, where nothing can be held out.
    """
    folds = min(_FOLDS, len(first), len(second))
    if folds < 2:
        return 0.0
    weights: list[np.ndarray] = []
    for sample in (first, second):
        held = np.arange(len(sample)) % folds == np.arange(folds)[:, None]
        weights.append(
            np.concatenate([part / part.sum(axis=1, keepdims=True) for part in (~held, held)])
        )
    gaps: list[np.ndarray] = []
    for p, q in masses_below((first, second), weights):
        for a, b in ((p, q), (1.0 - p, 1.0 - q)):
            gaps += [a - factor * b, b - factor * a]
    chosen, measured = np.split(np.concatenate(gaps, axis=1), 2)
    events = chosen.argmax(axis=1)
    return max(0.0, float(measured[np.arange(folds), events].mean()))
