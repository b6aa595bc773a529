"""Evidence: a number with its interval, the finding that it allows, and how findings add up.

All rules here can end in ``refuted`` as well as in ``supported``, and neither is the other's
default: what the intervals leave open is ``undetermined``.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.special import stdtrit

from audits import Comparison
from audits.memorization import Estimate
from estimators import PseudoCountWelch, cross_influence
from estimators.exact import mean_lower_limit
from indist.studies._shown import shown_interval

Finding = Literal["supported", "refuted", "undetermined"]


class Part(NamedTuple):
    """What was found of one statement.

    Attributes:
        finding: supported, refuted or undetermined.
        needed: about how many models would decide, were the estimate the truth; None when it is
            decided, or no number would do.
    """

    finding: Finding
    needed: int | None = None


@dataclass(frozen=True)
class Evidence:
    """What a claim's row says beside the claim.

    Attributes:
        estimate: the main number, with its interval.
        part: the finding.
        models: models of each population behind it.
        note: other numbers that the finding rests on, and what it does not say.
    """

    estimate: Estimate
    part: Part
    models: int
    note: str = ""


def exceeds(found: Estimate, bar: float, models: int) -> Part:
    """That a number is above a bar.

    Args:
        found: the number.
        bar: the bar.
        models: models behind it.

    Returns:
        Supported when the interval is above the bar, refuted when none of it is.

    Example:
        >>> exceeds(Estimate(0.4, 0.3, 0.5), 0.25, 100).finding
        'supported'
        >>> exceeds(Estimate(0.3, 0.2, 0.4), 0.25, 100)
        Part(finding='undetermined', needed=400)
    """
    if found.low > bar:
        return Part("supported")
    if found.high <= bar:
        return Part("refuted")
    side = found.value - found.low if found.value > bar else found.high - found.value
    return Part("undetermined", _needed(side, abs(found.value - bar), models))


def below(found: Estimate, bar: float, models: int) -> Part:
    """That a number is below a bar; see `exceeds`."""
    return exceeds(Estimate(-found.value, -found.high, -found.low), -bar, models)


def agrees(found: Estimate, tolerance: float, models: int) -> Part:
    """That a difference is 0 up to a tolerance: a claim of equivalence.

    Args:
        found: the difference.
        tolerance: up to which it counts as none.
        models: models behind it.

    Returns:
        Supported when the whole interval lies within the tolerance, refuted when none of it does.

    Example:
        >>> agrees(Estimate(0.0, -0.05, 0.05), 0.1, 100).finding
        'supported'
        >>> agrees(Estimate(0.0, -0.2, 0.2), 0.1, 100)
        Part(finding='undetermined', needed=400)
    """
    if -tolerance <= found.low and found.high <= tolerance:
        return Part("supported")
    if found.low > tolerance or found.high < -tolerance:
        return Part("refuted")
    side = (found.high - found.low) / 2
    return Part("undetermined", _needed(side, abs(abs(found.value) - tolerance), models))


def matches(compared: Comparison) -> Part:
    """That two populations match, as an audit decides it: ``match``, ``differ`` or ``open``."""
    return of_decision(compared, "match", "differ")


def differs(compared: Comparison) -> Part:
    """That two populations differ, as an audit decides it."""
    return of_decision(compared, "differ", "match")


def of_decision(compared: Comparison, yes: str, no: str) -> Part:
    """A finding from the decision of an audit's comparison, with its forecast."""
    if compared.decision == yes:
        return Part("supported")
    if compared.decision == no:
        return Part("refuted")
    return Part("undetermined", compared.forecast.models if compared.forecast else None)


def every(parts: Sequence[Part]) -> Part:
    """That all statements hold.

    Args:
        parts: what was found of each.

    Returns:
        Refuted when one of them is, supported when all are.
    """
    findings = {part.finding for part in parts}
    if "refuted" in findings:
        return Part("refuted")
    if findings == {"supported"}:
        return Part("supported")
    numbers = [part.needed for part in parts if part.finding == "undetermined"]
    known = [number for number in numbers if number is not None]
    return Part("undetermined", max(known) if len(known) == len(numbers) else None)


def provided(premise: bool, part: Part) -> Part:
    """A finding that says nothing unless its premise was shown."""
    return part if premise else Part("undetermined")


def difference(
    first: Float[np.ndarray, " n"], second: Float[np.ndarray, " m"], confidence: float
) -> Estimate:
    """Difference of the means of two independent samples, a number in [0, 1] a model.

    Args:
        first: a number for each model.
        second: the same for models independent of those.
        confidence: of the two-sided interval, by `estimators.PseudoCountWelch`.
    """
    included = np.arange(len(first) + len(second))[:, None] < len(first)
    outcome = np.concatenate([first, second])[:, None]
    found = cross_influence(
        included, outcome, confidence=confidence, method=PseudoCountWelch(), estimand="loo"
    )
    ends = found.confidence_interval
    return Estimate(*(float(array[0, 0]) for array in (found.estimate, ends.low, ends.high)))


def level(sample: Float[np.ndarray, " n"], confidence: float) -> Estimate:
    """Mean of numbers in [0, 1], one a model, with an interval valid at every n and for every law.

    Hoeffding's and Bentkus' bounds for means: see `estimators.auc`.
    """
    mean, half = float(sample.mean()), (1.0 - confidence) / 2.0
    low = float(mean_lower_limit(mean, len(sample), half))
    return Estimate(mean, low, 1.0 - float(mean_lower_limit(1.0 - mean, len(sample), half)))


def magnitude(found: Estimate) -> Estimate:
    """The absolute value of a number, its interval with it."""
    value, low, high = found
    return Estimate(abs(value), max(0.0, low, -high), max(-low, high))


def gap(first: Estimate, second: Estimate) -> Estimate:
    """First less second: holds where both intervals hold, however the two depend."""
    return Estimate(first.value - second.value, first.low - second.high, first.high - second.low)


def ratio(
    above: Float[np.ndarray, " n"], under: Float[np.ndarray, " n"], confidence: float
) -> Estimate:
    """Ratio of two means over the same models, by Fieller's theorem.

    Args:
        above: the numerator's number for each model.
        under: the denominator's.
        confidence: of the two-sided interval, which has no ends (infinite ones) where the
            denominator's mean is not shown to differ from 0.

    References:
        Fieller (1954), Some problems in interval estimation.
    """
    n = len(above)
    means = np.array([above.mean(), under.mean()])
    value = float(means[0] / means[1]) if means[1] else 0.0
    if n < 2:
        return Estimate(value, -math.inf, math.inf)
    t = float(stdtrit(n - 1.0, (1.0 + confidence) / 2.0))
    inner = np.outer(means, means) - t**2 * np.cov(above, under) / n
    (c, b), (_, a) = inner
    root = b * b - a * c
    if a <= 0.0 or root < 0.0:
        return Estimate(value, -math.inf, math.inf)
    return Estimate(value, float((b - math.sqrt(root)) / a), float((b + math.sqrt(root)) / a))


def shown(found: Estimate) -> str:
    """A number for notes: estimate and interval.

    Example:
        >>> shown(Estimate(0.5, 0.412, 0.588))
        '0.50 [0.41, 0.59]'
    """
    return shown_interval(*found)


def distance(compared: Comparison) -> Estimate:
    """An audit's distance as an estimate."""
    return Estimate(compared.estimate, compared.lower, compared.upper)


def _needed(side: float, room: float, models: int) -> int | None:
    """Models at which an interval's side, which shrinks as their root, is down to the room."""
    if not math.isfinite(side) or room <= 0.0:
        return None
    needed = models * (side / room) ** 2
    # Rounded first, as squares of decimal fractions are a hair off.
    return math.ceil(round(needed, 6)) if needed < 1e9 else None
