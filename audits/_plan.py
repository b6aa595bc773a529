"""Before anything runs: how many models an audit needs, and what they will cost."""

from collections.abc import Callable
from dataclasses import dataclass
from textwrap import indent
from typing import TYPE_CHECKING

import numpy as np

from audits.report._terminal import aligned
from audits.report.numbers import rounded_up
from audits.verdict._blocks import columns_of
from audits.verdict._compare import EVENTS, LOWER
from estimators import delta_lower_bound, delta_upper_bound
from estimators.checks import check_seed, check_within
from estimators.exact import least_models
from oracles import Cost, Scenario, training_cost
from oracles.mechanisms import gaussian_mu

if TYPE_CHECKING:
    import pandas as pd

POWER = 0.9
_REPEATS = 60
_MOST = 100_000
# True divergences at which the length of an interval is looked at.
_DISTANCES = (0.0, 0.2, 0.5)
_POPULATIONS = 4


@dataclass(frozen=True)
class Plan:
    """What an audit of one candidate will need; seconds, memory and disk are about.

    Attributes:
        scenario: name of the scenario.
        goal: what the models are to achieve, in words.
        models: models in each population.
        seconds: to train the original population, both references and a candidate by retraining.
        memory: peak resident memory in bytes.
        disk: bytes of all four populations.
        cost: what was measured.
    """

    scenario: str
    goal: str
    models: int
    seconds: float
    memory: int
    disk: int
    cost: Cost

    def to_dataframe(self) -> "pd.DataFrame":
        """One row."""
        import pandas as pd

        names = ("scenario", "goal", "models", "seconds", "memory", "disk")
        return pd.DataFrame([{name: getattr(self, name) for name in names}])

    def __str__(self) -> str:
        rows = (
            ("goal", self.goal),
            ("models a population", f"{self.models:,}"),
            ("time", f"{_duration(self.seconds)} ({1 / self.cost.seconds:.0f} models/s here)"),
            ("memory", _size(self.memory)),
            ("disk", f"{_size(self.disk)} in {_POPULATIONS} populations"),
        )
        title = f"Plan for {self.scenario}: original, two references, a candidate"
        return f"{title}\n{indent(aligned(rows, left=(0, 1)), '  ')}"


def plan(
    scenario: Scenario,
    *,
    tolerance: float | None = None,
    half_width: float | None = None,
    epsilon: float = 1.0,
    confidence: float = 0.95,
    seed: int,
) -> Plan:
    """How many models an audit needs for a goal, and what they cost on this machine.

    Models needed are found by simulating audits of normal observables, as many as an audit looks at
    unless others are declared, with joint bounds: the exact upper bounds of an audit need some 15 %
    fewer at epsilon 1. Seconds and sizes are found by training a few models.

    Args:
        scenario: the scenario.
        tolerance: the goal that a perfect match with a reference is called at this tolerance nine
            times in ten.
        half_width: or the goal that half the length of the interval for a distance is at most this
            in every other audit, at the hardest of the true distances 0, 0.2 and 0.5.
        epsilon: of the divergence.
        confidence: of the verdict.
        seed: of the simulation.

    Returns:
        The plan.

    Raises:
        ValueError: unless exactly one goal is given, in (0, 1), or when 100,000 models would not
            reach it.

    Example:
        >>> from indist import audits, oracles
        >>> world = oracles.scenarios.load("circles", seed=0)
        >>> audits.plan(world, tolerance=0.2, epsilon=0.0, seed=0).models in range(250, 500)
        True
    """
    seed = check_seed(seed)
    if (tolerance is None) == (half_width is None):
        raise ValueError("plan: expected either a tolerance or a half-width")
    groups = columns_of(scenario.probes.groups, scenario.probes.persons)
    level = (1.0 - confidence) / 2.0
    if tolerance is not None:
        models = models_for_tolerance(tolerance, epsilon, level, groups, seed)
        goal = (
            f"call a perfect match at ε = {epsilon:g}, tolerance {tolerance:g}, nine times in ten"
        )
    else:
        assert half_width is not None
        models = models_for_half_width(half_width, epsilon, level, groups, seed)
        goal = f"know a distance at ε = {epsilon:g} within ± {half_width:g}"
    cost = training_cost(scenario)
    seen = _POPULATIONS * models * cost.logits
    return Plan(
        scenario.name,
        goal,
        models,
        _POPULATIONS * models * cost.seconds + cost.startup,
        # An audit holds the logits of all populations, and one more copy while it reads them.
        cost.memory + 2 * seen,
        seen + _POPULATIONS * models * cost.parameters,
        cost,
    )


def models_for_tolerance(
    tolerance: float, epsilon: float, level: float, observables: int, seed: int
) -> int:
    """Models a side at which nine of ten perfect matches have their upper bound within tolerance.

    Args:
        tolerance: the tolerance, in (0, 1).
        epsilon: of the divergence.
        level: of the upper bound.
        observables: how many, simulated as independent.
        seed: of the simulation.

    Returns:
        The number, to two leading digits.
    """
    check_within("(0, 1)", tolerance=tolerance)

    def reached(models: int) -> bool:
        p, q = np.random.default_rng(seed).normal(size=(2, models, _REPEATS, observables))
        high = delta_upper_bound(p, q, epsilon=epsilon, confidence=1.0 - level, events=EVENTS).bound
        return bool(np.quantile(np.asarray(high).max(axis=1), POWER) <= tolerance)

    return _least(reached, f"tolerance {tolerance:g}")


def models_for_half_width(
    half_width: float, epsilon: float, level: float, observables: int, seed: int
) -> int:
    """Models a side at which half the length of an audit's interval has a median within a goal.

    Args:
        half_width: the goal, in (0, 1).
        epsilon: of the divergence.
        level: of each bound.
        observables: how many; the first is shifted, all are independent.
        seed: of the simulation.

    Returns:
        The number, to two leading digits.
    """
    check_within("(0, 1)", half_width=half_width)
    shifts = [gaussian_mu(epsilon, distance) if distance else 0.0 for distance in _DISTANCES]

    def reached(models: int) -> bool:
        return all(
            _median_half_width(models, shift, epsilon, level, observables, seed) <= half_width
            for shift in shifts
        )

    return _least(reached, f"half-width {half_width:g}")


def _median_half_width(
    models: int, shift: float, epsilon: float, level: float, observables: int, seed: int
) -> float:
    # A median needs fewer repeats than a share of nine in ten, and lower bounds take their time.
    repeats = max(_REPEATS * 6 // max(observables, 6), 10)
    p, q = np.random.default_rng(seed).normal(size=(2, models, repeats, observables))
    p[:, :, 0] += shift
    each = 1.0 - level / observables
    low = delta_lower_bound(p, q, epsilon=epsilon, confidence=each, method=LOWER).bound
    high = delta_upper_bound(p, q, epsilon=epsilon, confidence=1.0 - level, events=EVENTS).bound
    length = np.asarray(high).max(axis=1) - np.asarray(low).max(axis=1)
    return float(np.median(length)) / 2.0


def _least(reached: Callable[[int], bool], goal: str) -> int:
    models = least_models(reached, most=_MOST, least=9, start=16, within=0.04)
    if models is None:
        raise ValueError(f"plan: {goal} would need more than {_MOST:,} models a population")
    return rounded_up(models)


def _duration(seconds: float) -> str:
    """Seconds in words: 42 s, 5 min, 3.2 h."""
    if seconds < 100:
        return f"about {seconds:.0f} s"
    return f"about {seconds / 60:.0f} min" if seconds < 6000 else f"about {seconds / 3600:.1f} h"


def _size(count: int) -> str:
    """Bytes in words."""
    unit = "MB" if count < 1e9 else "GB"
    return f"about {count / (1e6 if unit == 'MB' else 1e9):.3g} {unit}"
