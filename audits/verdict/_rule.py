"""The decision rule: two intersection-union comparisons, one verdict. Pure functions."""

from typing import get_args

from audits.verdict._results import Comparison, Decision, Separation, VerdictName
from estimators.kinds import check_name

_TABLE: dict[tuple[Decision, Decision], VerdictName] = {
    ("match", "differ"): "untraining",
    ("differ", "match"): "unlearning",
    ("match", "match"): "both",
    ("differ", "differ"): "neither",
}


def decide(lower: float, upper: float, tolerance: float) -> Decision:
    """What one comparison says at a tolerance.

    ``match`` is a claim of equivalence (upper bound at or below the tolerance), ``differ`` a claim
    of difference (lower bound above it). Anything else is ``open``: a failure to find a difference
    is never a match.

    Args:
        lower: lower confidence bound on the divergence.
        upper: upper confidence bound over the declared events.
        tolerance: the divergence up to which two populations count as matching.

    Returns:
        ``match``, ``differ`` or ``open``; also ``open`` when the bounds contradict each other.

    Example:
        >>> decide(0.0, 0.15, 0.2), decide(0.3, 0.6, 0.2), decide(0.0, 0.3, 0.2)
        ('match', 'differ', 'open')
    """
    match, differ = upper <= tolerance, lower > tolerance
    if match == differ:
        return "open"
    return "match" if match else "differ"


def separate(references: Decision) -> Separation:
    """What the references' comparison with each other says of the question itself."""
    check_name(references, "references", get_args(Decision))
    names: dict[Decision, Separation] = {
        "match": "coincide",
        "differ": "separated",
        "open": "unresolved",
    }
    return names[references]


def verdict_of(untraining: Decision, unlearning: Decision, separation: Separation) -> VerdictName:
    """The verdict from the three decisions.

    With each of the first two wrong with probability at most alpha/2, a verdict that claims
    anything false has probability at most alpha. References that coincide make the question
    vacuous: a submission cannot then be told to be one and not the other, whatever its own
    decisions, so only ``both``, ``neither`` and ``inconclusive`` remain.

    Args:
        untraining: the submission against models never trained on the forget set.
        unlearning: the submission against models never trained on the behaviour.
        separation: the two references against each other.

    Returns:
        The verdict.

    Raises:
        ValueError: for a word that is no decision, or no separation.

    Example:
        >>> verdict_of("match", "differ", "separated"), verdict_of("match", "differ", "coincide")
        ('untraining', 'inconclusive')
        >>> verdict_of("match", "open", "separated")
        'inconclusive'
    """
    check_name(untraining, "untraining", get_args(Decision))
    check_name(unlearning, "unlearning", get_args(Decision))
    check_name(separation, "separation", get_args(Separation))
    if separation == "coincide" and untraining != unlearning:
        return "inconclusive"
    return _TABLE.get((untraining, unlearning), "inconclusive")


def models_needed(*comparisons: Comparison) -> int | None:
    """About how many models a side decide all of the comparisons that are open.

    Args:
        *comparisons: the comparisons a verdict rests on.

    Returns:
        The greatest of their forecasts, or None when none is open or one has no feasible number.
    """
    return _greatest(
        [c.forecast and c.forecast.models for c in comparisons if c.decision == "open"]
    )


def submitted_needed(*comparisons: Comparison) -> int | None:
    """About how many submitted models decide what is open, beside the references as they are.

    Args:
        *comparisons: the comparisons a verdict rests on.

    Returns:
        The greatest of their forecasts, or None when none is open or one has no feasible number.
    """
    undecided = [c for c in comparisons if c.decision == "open"]
    return _greatest([c.forecast and c.forecast.submitted for c in undecided])


def _greatest(forecasts: list[int | None]) -> int | None:
    numbers = [number for number in forecasts if number is not None]
    return max(numbers) if numbers and len(numbers) == len(forecasts) else None
