"""Evidence: a number with its interval, the finding that it allows, and how findings add up.

All rules here can end in ``refuted`` as well as in ``supported``, and neither is the other's
default: what the intervals leave open is ``undetermined``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from audits import Comparison
from audits.memorization import Estimate
from indist.studies._estimates import models_to_narrow

ClaimFinding = Literal["supported", "refuted", "undetermined"]


class Judgement(NamedTuple):
    """What was found of one statement.

    Attributes:
        finding: supported, refuted or undetermined.
        needed: about how many models would decide, were the estimate the truth; None when it is
            decided, or no number would do.
    """

    finding: ClaimFinding
    needed: int | None = None


@dataclass(frozen=True)
class Evidence:
    """What a claim's row says beside the claim.

    Attributes:
        estimate: the main number, with its interval.
        judgement: the finding.
        models: models of each population behind it.
        note: other numbers that the finding rests on, and what it does not say.
    """

    estimate: Estimate
    judgement: Judgement
    models: int
    note: str = ""


def exceeds(number: Estimate, bar: float, models: int) -> Judgement:
    """That a number is above a bar.

    Args:
        number: the number.
        bar: the bar.
        models: models behind it.

    Returns:
        Supported when the interval is above the bar, refuted when none of it is.

    Example:
        >>> exceeds(Estimate(0.4, 0.3, 0.5), 0.25, 100).finding
        'supported'
        >>> exceeds(Estimate(0.3, 0.2, 0.4), 0.25, 100)
        Judgement(finding='undetermined', needed=400)
    """
    if number.low > bar:
        return Judgement("supported")
    if number.high <= bar:
        return Judgement("refuted")
    side = number.value - number.low if number.value > bar else number.high - number.value
    return Judgement("undetermined", models_to_narrow(side, abs(number.value - bar), models))


def below(number: Estimate, bar: float, models: int) -> Judgement:
    """That a number is below a bar; see `exceeds`."""
    return exceeds(Estimate(-number.value, -number.high, -number.low), -bar, models)


def agrees(difference: Estimate, tolerance: float, models: int) -> Judgement:
    """That a difference is 0 up to a tolerance: a claim of equivalence.

    Args:
        difference: the difference.
        tolerance: up to which it counts as none.
        models: models behind it.

    Returns:
        Supported when the whole interval lies within the tolerance, refuted when none of it does.

    Example:
        >>> agrees(Estimate(0.0, -0.05, 0.05), 0.1, 100).finding
        'supported'
        >>> agrees(Estimate(0.0, -0.2, 0.2), 0.1, 100)
        Judgement(finding='undetermined', needed=400)
    """
    value, low, high = difference
    if -tolerance <= low and high <= tolerance:
        return Judgement("supported")
    if low > tolerance or high < -tolerance:
        return Judgement("refuted")
    return Judgement(
        "undetermined", models_to_narrow((high - low) / 2, abs(abs(value) - tolerance), models)
    )


def matches(comparison: Comparison) -> Judgement:
    """That two populations match, as an audit decides it: ``match``, ``differ`` or ``open``."""
    return _of_decision(comparison, "match", "differ")


def differs(comparison: Comparison) -> Judgement:
    """That two populations differ, as an audit decides it."""
    return _of_decision(comparison, "differ", "match")


def _of_decision(comparison: Comparison, supporting: str, refuting: str) -> Judgement:
    """A finding from the decision of an audit's comparison, with its forecast."""
    if comparison.decision == supporting:
        return Judgement("supported")
    if comparison.decision == refuting:
        return Judgement("refuted")
    forecast = comparison.forecast
    return Judgement("undetermined", forecast.models if forecast else None)


def every(judgements: Sequence[Judgement]) -> Judgement:
    """That all statements hold.

    Args:
        judgements: what was found of each.

    Returns:
        Refuted when one of them is, supported when all are.
    """
    findings = {judgement.finding for judgement in judgements}
    if "refuted" in findings:
        return Judgement("refuted")
    if findings == {"supported"}:
        return Judgement("supported")
    undetermined = [
        judgement.needed for judgement in judgements if judgement.finding == "undetermined"
    ]
    known = [needed for needed in undetermined if needed is not None]
    return Judgement("undetermined", max(known) if len(known) == len(undetermined) else None)


def provided(premise: bool, judgement: Judgement) -> Judgement:
    """A finding that says nothing unless its premise was shown."""
    return judgement if premise else Judgement("undetermined")
