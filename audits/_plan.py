"""Before anything runs: how many models an audit needs, and what they will cost."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from textwrap import indent
from typing import TYPE_CHECKING, cast

import numpy as np

from audits.report._terminal import aligned
from audits.report.numbers import rounded_up
from audits.verdict._blocks import columns_of
from audits.verdict._compare import EVENTS, LOWER
from audits.verdict._observables import DEFAULT_OBSERVABLES, Observable, check_observables
from estimators import delta_lower_bound, delta_upper_bound, within_tolerance
from estimators.checks import check_counts, check_seed, check_within
from estimators.exact import least_models
from oracles import Cost, Scenario, training_cost
from oracles.mechanisms import gaussian_mu

if TYPE_CHECKING:
    import pandas as pd

POWER = 0.9
_REPEATS = 100
_MOST = 100_000
# True divergences at which the length of an interval is looked at.
_DISTANCES = (0.0, 0.2, 0.5)


@dataclass(frozen=True)
class Needed:
    """What an audit of one submission needs; seconds, memory and disk are about.

    Attributes:
        references: models of the original and of each reference.
        submitted: models of the submission; None where no number would do beside so few references.
        difference: submitted models from which a difference can be shown at all; None for a goal
            that asks for none.
        seconds: to train the original, both references and a submission by retraining.
        memory: peak resident memory in bytes.
        disk: bytes of all four populations.
    """

    references: int
    submitted: int | None
    difference: int | None
    seconds: float
    memory: int
    disk: int


@dataclass(frozen=True)
class Plan:
    """What an audit of one submission will need.

    Attributes:
        scenario: name of the scenario.
        goal: what the models are to achieve, in words.
        needed: what it needs, for each number of reference models that was asked about.
        cost: what was measured.
    """

    scenario: str
    goal: str
    needed: tuple[Needed, ...]
    cost: Cost

    @property
    def models(self) -> int | None:
        """Models of the submission, beside the first number of references."""
        return self.needed[0].submitted

    @property
    def seconds(self) -> float:
        """Seconds to train them all."""
        return self.needed[0].seconds

    def to_dataframe(self) -> "pd.DataFrame":
        """A row for each number of reference models."""
        import pandas as pd

        about = {"scenario": self.scenario, "goal": self.goal}
        return pd.DataFrame([about | asdict(row) for row in self.needed])

    def __str__(self) -> str:
        lines = [("reference models", "submitted models", "time", "memory", "disk")]
        for row in self.needed:
            submitted = "no number" if row.submitted is None else f"{row.submitted:,}"
            if row.difference is not None:
                submitted += f" (a difference: {row.difference:,})"
            lines.append(
                (
                    f"{row.references:,}",
                    submitted,
                    _duration(row.seconds),
                    _size(row.memory),
                    _size(row.disk),
                )
            )
        start = (
            f"Plan for {self.scenario}: original, two references, a submission; "
            f"{1 / self.cost.seconds:.0f} models/s here"
        )
        return f"{start}\nGoal: {self.goal}\n{indent(aligned(lines, left=(0,)), '  ')}"


def plan(
    scenario: Scenario,
    *,
    tolerance: float | None = None,
    half_width: float | None = None,
    reference_models: int | Sequence[int] | None = None,
    observables: Sequence[Observable] = DEFAULT_OBSERVABLES,
    epsilon: float = 1.0,
    confidence: float = 0.95,
    seed: int,
) -> Plan:
    """How many models an audit needs for a goal, and what they cost on this machine.

    Models needed are found by simulating audits of normal observables, as many as an audit looks at
    unless others are declared, and as if independent of one another: those of real models are not,
    and need fewer. Each reference has half of the level; where they are shown to lie far apart it
    is nearly all of it, and some 8 % fewer models do. Seconds and sizes are found by training a few
    models.

    Args:
        scenario: the scenario.
        tolerance: the goal that a perfect match with a reference is called at this tolerance nine
            times in ten.
        half_width: or the goal that half the length of the interval for a distance is at most this
            in every other audit, at the hardest of the true distances 0, 0.2 and 0.5.
        reference_models: models in each reference, which are trained but once, or several such
            numbers; None for as many as are submitted. For a tolerance only.
        observables: what the audit will look at; more of them take more models.
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
    if half_width is not None and reference_models is not None:
        raise ValueError("reference_models: expected with a tolerance only")
    asked = _listed(reference_models)
    looked_at = check_observables(observables)
    columns = columns_of(scenario.probes.groups, scenario.probes.persons, looked_at)
    level = (1.0 - confidence) / 2.0
    found: list[tuple[int, int | None, int | None]] = []
    if tolerance is not None:
        goal = (
            f"call a perfect match at ε = {epsilon:g}, tolerance {tolerance:g}, nine times in ten"
        )
        for others in asked:
            models = models_for_tolerance(tolerance, epsilon, level, columns, seed, others)
            least = models_for_difference(tolerance, epsilon, level, columns, others)
            found.append((others or cast(int, models), models, least))
    else:
        assert half_width is not None
        models = models_for_half_width(half_width, epsilon, level, columns, seed)
        goal = f"know a distance at ε = {epsilon:g} within ± {half_width:g}"
        found.append((models, models, None))
    cost = training_cost(scenario)
    rows: list[Needed] = []
    for references, submitted, least in found:
        total = 3 * references + (submitted or 0)
        seen = total * cost.logits
        rows.append(
            Needed(
                references,
                submitted,
                least,
                total * cost.seconds + cost.startup,
                # An audit holds the logits of all populations, and one more copy while it reads.
                cost.memory + 2 * seen,
                seen + total * cost.parameters,
            )
        )
    return Plan(scenario.name, goal, tuple(rows), cost)


def _listed(reference_models: int | Sequence[int] | None) -> tuple[int | None, ...]:
    if reference_models is None:
        return (None,)
    several = isinstance(reference_models, Sequence)
    found = tuple(reference_models) if several else (reference_models,)
    if not found:
        raise ValueError("reference_models: expected at least one number, found none")
    for models in found:
        check_counts(least=2, reference_models=models)
    return found


def models_for_tolerance(
    tolerance: float,
    epsilon: float,
    level: float,
    observables: int,
    seed: int,
    references: int | None = None,
) -> int | None:
    """Submitted models at which nine of ten perfect matches are called.

    Args:
        tolerance: the tolerance, in (0, 1).
        epsilon: of the divergence.
        level: of the upper bound.
        observables: how many, simulated as independent.
        seed: of the simulation.
        references: models of the reference; None for as many as are submitted.

    Returns:
        The number, to two leading digits; None where no number would do beside such references.
    """
    check_within("(0, 1)", tolerance=tolerance)

    def reached(models: int) -> bool:
        rng = np.random.default_rng(seed)
        others = references or models
        p, q = (rng.normal(size=(size, _REPEATS, observables)) for size in (models, others))
        called = within_tolerance(
            p, q, epsilon=epsilon, tolerance=tolerance, confidence=1.0 - level, events=EVENTS
        )
        return float(called.mean()) >= POWER

    if references is None:
        return _least(reached, f"tolerance {tolerance:g}")
    # Beyond many times their number, submitted models add next to nothing beside references.
    models = least_models(reached, most=16 * references, least=9, start=16, within=0.02)
    return None if models is None else rounded_up(models)


def models_for_difference(
    tolerance: float, epsilon: float, level: float, observables: int, references: int | None
) -> int:
    """Submitted models from which populations wholly apart are shown to differ.

    Args:
        tolerance: that the lower bound is to be above.
        epsilon: of the divergence.
        level: of a comparison; lower bounds have half of it, beside learned observables, and the
            observables share that.
        observables: how many are looked at.
        references: models of the reference; None for as many as are submitted.

    Returns:
        The number.
    """

    def reached(models: int) -> bool:
        bound = delta_lower_bound(
            np.zeros(models),
            np.ones(references or models),
            epsilon=epsilon,
            confidence=1.0 - level / (2.0 * observables),
            method=LOWER,
        ).bound
        return float(bound) > tolerance

    models = least_models(reached, most=_MOST, least=2, start=8)
    if models is None:
        raise ValueError(f"plan: no number of models shows a difference beyond {tolerance:g}")
    return models


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
    repeats = max(360 // max(observables, 6), 10)
    p, q = np.random.default_rng(seed).normal(size=(2, models, repeats, observables))
    p[:, :, 0] += shift
    each = 1.0 - level / observables
    low = delta_lower_bound(p, q, epsilon=epsilon, confidence=each, method=LOWER).bound
    high = delta_upper_bound(p, q, epsilon=epsilon, confidence=1.0 - level, events=EVENTS).bound
    length = np.asarray(high).max(axis=1) - np.asarray(low).max(axis=1)
    return float(np.median(length)) / 2.0


def _least(reached: Callable[[int], bool], goal: str) -> int:
    models = least_models(reached, most=_MOST, least=9, start=64, within=0.04)
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
