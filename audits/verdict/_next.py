"""What would help, in one line: for an auditor who holds a verdict that does not settle things."""

from collections.abc import Sequence
from typing import cast

from audits.report._words import WITHOUT, ReferenceName
from audits.report.numbers import down, rounded_up
from audits.verdict._results import (
    FEWEST_TO_FORECAST,
    Comparison,
    Declaration,
    Separation,
    VerdictName,
    WorstExampleFound,
)
from audits.verdict._rule import models_needed, submitted_needed
from audits.verdict._words import too_few, which_look


def next_step(
    verdict: VerdictName,
    separation: Separation,
    comparisons: tuple[Comparison, Comparison],
    worst_examples: Sequence[WorstExampleFound],
    declaration: Declaration,
    waiting: int = 0,
) -> str:
    """The one thing that would help most; "" after a verdict that settles the question.

    Args:
        verdict: the verdict.
        separation: of the references.
        comparisons: the two that it rests on.
        worst_examples: single examples that are off.
        declaration: what was declared.
        waiting: submitted models that were handed in beyond this look.

    Returns:
        A sentence, or "".
    """
    if separation == "coincide":
        return (
            "Ask with a behaviour that models without S still show, or a smaller tolerance: these "
            "references are alike, so no submission can be told to be like one of them only."
        )
    if verdict == "inconclusive":
        return _more(comparisons, declaration, waiting)
    if worst_examples and verdict == "neither":
        worst = max(worst_examples, key=lambda found: found.lower)
        others = f", and {worst.others} more" if worst.others else ""
        return (
            f"Examine {worst.called}{others}: there the submission is off most surely, "
            f"against {WITHOUT[worst.reference]}."
        )
    if verdict == "neither":
        row, comparison = max(
            ((row, comparison) for comparison in comparisons for row in comparison.by_observable),
            key=lambda found: found[0].lower,
        )
        return (
            f"Look at the {row.observable}, where the submission is most surely off: at least "
            f"{down(row.lower)} from {WITHOUT[_name(comparison)]}."
        )
    return ""


def _more(
    comparisons: tuple[Comparison, Comparison], declaration: Declaration, waiting: int
) -> str:
    """How many models would decide what is open."""
    models = models_needed(*comparisons)
    undecided = [comparison for comparison in comparisons if comparison.decision == "open"]
    if models is None and too_few(*comparisons):
        return f"Make more models: {FEWEST_TO_FORECAST} a side tell how many would decide it."
    if models is None:
        far = max(undecided, key=lambda comparison: comparison.estimate)
        return (
            f"Declare another tolerance for new models: the distance from {WITHOUT[_name(far)]} is "
            f"about {far.estimate:.2f}, too near {declaration.tolerance:.10g} for any number."
        )
    submitted = submitted_needed(*comparisons)
    if submitted is not None and submitted <= 2 * models:
        # No reference has to be trained anew.
        needed = rounded_up(submitted)
        more, of = needed - undecided[0].models_first - waiting, "more submitted models"
    else:
        needed = rounded_up(models)
        sizes = [min(pair.models_first + waiting, pair.models_second) for pair in undecided]
        more, of = needed - min(sizes), "more models a side"
    look = which_look(needed, declaration)
    if more <= 0:
        return f"Enough models are handed in: about {needed:,} are needed{look}."
    return f"Make about {more:,} {of}, {needed:,} in all{look}."


def _name(comparison: Comparison) -> ReferenceName:
    return cast(ReferenceName, comparison.second)
