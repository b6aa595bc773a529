"""The verdict in words that a newcomer understands, never saying more than was shown."""

from collections.abc import Sequence

from audits.report._words import WITHOUT, ReferenceName
from audits.report.numbers import down, rounded_up
from audits.verdict._columns import MEAN_MARGIN, example_column
from audits.verdict._observables import words_of
from audits.verdict._results import (
    FEWEST_TO_FORECAST,
    Comparison,
    Declaration,
    Separation,
    VerdictName,
    WorstExampleFound,
)
from audits.verdict._rule import models_needed

_VERDICTS: dict[VerdictName, str] = {
    "untraining": (
        "The submitted models are distributed like models never trained on the forget set "
        "(untraining), and measurably unlike models never trained on the behaviour."
    ),
    "unlearning": (
        "The submitted models are distributed like models never trained on any instance of the "
        "behaviour (unlearning), and measurably unlike models that only missed the forget set."
    ),
    "both": (
        "The submitted models are distributed like models never trained on the forget set "
        "(untraining) and also like models never trained on the behaviour (unlearning)."
    ),
    "neither": (
        "The submitted models are measurably unlike models never trained on the forget set, and "
        "measurably unlike models never trained on the behaviour."
    ),
}

_CALIBRATED = (
    " The tolerance was not declared but calibrated: it is about the least that so many models can "
    "meet."
)


def sentence(
    verdict: VerdictName, separation: Separation, untraining: Comparison, unlearning: Comparison
) -> str:
    """The verdict in one plain sentence; see `scope` for what "like" and "unlike" mean in it."""
    if separation == "coincide":
        return _vacuous(verdict)
    if verdict == "inconclusive":
        return _inconclusive(untraining, unlearning)
    return _VERDICTS[verdict]


def scope(declaration: Declaration) -> str:
    """What "like" and "unlike" stand for, and how sure the verdict is."""
    observables = len(declaration.observables)
    return (
        f'"Like" is within delta {declaration.tolerance:.10g} at epsilon '
        f"{declaration.epsilon:.10g} for half-lines of the {observables} declared "
        f"observable{'s' if observables > 1 else ''}{_counted(declaration.observables)}, "
        f'"unlike" is beyond it, and the verdict as a '
        f"whole is wrong with probability at most {100 * (1 - declaration.confidence):.6g} %, for "
        f"independent models.{_CALIBRATED if declaration.calibrated else ''}"
    )


_KINDS = {
    "median margin on ": "median margin{s} of probe groups",
    example_column(""): "single example{s}",
    MEAN_MARGIN: "mean{s} of the examples of a person",
    "greatest deviation ": "worst example{s} of a group",
    "learned witness": "learned score{s}",
}


def _counted(observables: Sequence[str]) -> str:
    """How many there are of each kind, in brackets, where there is more than one kind."""
    counts = {
        words: sum(name.startswith(start) for name in observables)
        for start, words in _KINDS.items()
    }
    counts["function{s} of the auditor's own"] = len(observables) - sum(counts.values())
    parts = [
        f"{count} {words.format(s='s' if count > 1 else '')}"
        for words, count in counts.items()
        if count
    ]
    return f" ({', '.join(parts)})" if len(parts) > 1 else ""


def _vacuous(verdict: VerdictName) -> str:
    endings: dict[VerdictName, str] = {
        "both": "the submitted models are distributed like both",
        "neither": "the submitted models are measurably unlike both",
    }
    ending = endings.get(verdict, "the submitted models are not decided to be like either")
    return (
        "The references coincide, so whether this is untraining or unlearning is a vacuous "
        "question here: models never trained on the forget set are distributed like models never "
        f"trained on the behaviour; {ending}."
    )


def _inconclusive(untraining: Comparison, unlearning: Comparison) -> str:
    comparisons: dict[ReferenceName, Comparison] = {
        "untraining": untraining,
        "unlearning": unlearning,
    }
    words = {"match": "like", "differ": "measurably unlike"}
    decided = [
        f"they are {words[comparison.decision]} {WITHOUT[name]}"
        for name, comparison in comparisons.items()
        if comparison.decision != "open"
    ]
    undecided = [
        WITHOUT[name] for name, comparison in comparisons.items() if comparison.decision == "open"
    ]
    parts = [
        *decided,
        f"whether they are like {' or '.join(undecided)} is open",
        needed(untraining, unlearning),
    ]
    return f"The submitted models do not decide the question: {'; '.join(parts)}."


def too_few(*comparisons: Comparison) -> bool:
    """Whether what is open is so for want of models to forecast from."""
    return any(
        min(comparison.models_first, comparison.models_second) < FEWEST_TO_FORECAST
        for comparison in comparisons
        if comparison.decision == "open"
    )


def observables_in_words(declaration: Declaration) -> tuple[str, ...]:
    """What was looked at: kinds of observables where they were declared so, else each."""
    return tuple(map(words_of, declaration.looked_at)) or declaration.observables


def example_off(worst: WorstExampleFound) -> str:
    """What is shown of a single example, or of a person, as a clause."""
    counts = ((worst.other_persons, "person"), (worst.others - worst.other_persons, "example"))
    others = [
        f"{'one' if count == 1 else count} other {noun}{'s' * (count > 1)}"
        for count, noun in counts
        if count
    ]
    verb = "is" if worst.others == 1 else "are"
    more = f"; {' and '.join(others)} {verb} off, too" if others else ""
    its = f"the {worst.observable}" if worst.of_person else "its margin"
    return (
        f"{its} alone tells the submission from {WITHOUT[worst.reference]} (distance at least "
        f"{down(worst.lower)}; median margin {_margin(worst.median_first)} against "
        f"{_margin(worst.median_second)}){more}"
    )


def _margin(margin: float) -> str:
    # 0.0 is added lest there be a zero with a minus.
    return f"{round(margin, 1) + 0.0:.1f}"


def needed(*comparisons: Comparison) -> str:
    """About how many models would decide what is open, as a clause."""
    models = models_needed(*comparisons)
    if models is None and too_few(*comparisons):
        return f"fewer than {FEWEST_TO_FORECAST} models a side do not tell how many it would take"
    if models is None:
        return "the estimated distance is too near the tolerance for any feasible number of models"
    return f"about {rounded_up(models):,} models a side would be needed"
