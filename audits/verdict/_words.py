"""The verdict in words that a newcomer understands, never saying more than was shown."""

import math
from collections.abc import Sequence

from audits.report._words import WITHOUT, ReferenceName
from audits.report.numbers import down, rounded_up, up
from audits.verdict._columns import MEAN_MARGIN, MEDIAN_MARGIN, example_column
from audits.verdict._looks import next_look
from audits.verdict._observables import words_of
from audits.verdict._results import (
    FEWEST_TO_FORECAST,
    Comparison,
    Declaration,
    MeanDistanceRow,
    Nearest,
    ProgressRow,
    Separation,
    Sharing,
    ShiftRow,
    VerdictName,
    WorstExampleFound,
)
from audits.verdict._rule import models_needed, submitted_needed

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

_COINCIDE = (
    " That the references coincide is another claim, wrong with probability at most {} of its own."
)
_CALIBRATED = (
    " The tolerance was not declared but calibrated: it is about the least that so many models can "
    "meet."
)


def sentence(
    verdict: VerdictName,
    separation: Separation,
    untraining: Comparison,
    unlearning: Comparison,
    declaration: Declaration,
) -> str:
    """The verdict in one plain sentence; see `scope` for what "like" and "unlike" mean in it."""
    if separation == "coincide":
        text = _vacuous(verdict)
    elif verdict == "inconclusive":
        text = _inconclusive(untraining, unlearning, declaration)
    else:
        text = _VERDICTS[verdict]
    if declaration.look == 0:
        return f"In an exploratory look, which was not declared: {text[0].lower()}{text[1:]}"
    return text


def scope(declaration: Declaration, separation: Separation) -> str:
    """What "like" and "unlike" stand for, and how sure the verdict is."""
    observables = len(declaration.observables)
    error = f"{100 * (1 - declaration.confidence):.6g} %"
    sure = (
        f"the verdict as a whole is wrong with probability at most {error}, for independent models."
    )
    if declaration.looks is not None:
        sure = _sure_of_looks(declaration, declaration.looks, error)
    return (
        f'"Like" is within delta {declaration.tolerance:.10g} at epsilon '
        f"{declaration.epsilon:.10g} for half-lines of the {observables} declared "
        f"observable{'s' if observables > 1 else ''}{_counted(declaration.observables)}, "
        f'"unlike" is beyond it, and {sure}'
        f"{_COINCIDE.format(error) if separation == 'coincide' else ''}"
        f"{_CALIBRATED if declaration.calibrated else ''}"
    )


def _sure_of_looks(declaration: Declaration, looks: tuple[int, ...], error: str) -> str:
    """How sure the verdict is, where looks were declared, or one was not."""
    if declaration.look == 0:
        declared = (
            f"; looks are declared at {listed_looks(looks)} submitted models" if looks else ""
        )
        return (
            f"the verdict would be wrong with probability at most {error}, for independent models, "
            f"were this the only look. It is not one that was declared{declared}, and spoils none."
        )
    confidence = declaration.look_confidence
    assert confidence is not None
    return (
        f"the verdict is wrong with probability at most {100 * (1 - confidence):.3g} % at this "
        f"look, the one at {looks[declaration.look - 1]:,} of those declared at "
        f"{listed_looks(looks)} submitted models; at whichever look one stops, with probability at "
        f"most {error}, for independent models."
    )


def listed_looks(looks: Sequence[int]) -> str:
    """Numbers of models, as in a sentence."""
    *first, last = (f"{models:,}" for models in looks)
    return f"{', '.join(first)} and {last}" if first else last


def which_look(models: int, declaration: Declaration) -> str:
    """Which look so many models would be, as the end of a sentence."""
    if not declaration.looked_at:
        # As of indist 0.1.0, which knew nothing of looks.
        return ""
    if not declaration.looks:
        return ", in an exploratory second look (none was declared)"
    number = next_look(models, declaration.looks)
    if number is None:
        return f", beyond the last declared look, at {declaration.looks[-1]:,}"
    return f", which is the declared look at {declaration.looks[number - 1]:,}"


_KINDS = {
    MEDIAN_MARGIN: "median margin{s} of probe groups",
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


def _inconclusive(untraining: Comparison, unlearning: Comparison, declaration: Declaration) -> str:
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
        needed(untraining, unlearning, declaration=declaration),
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
    group = worst.observable.rpartition(" in ")[2]
    its = f"the mean margin of their examples in {group}" if worst.of_person else "its margin"
    return (
        f"{its} alone tells the submission from {WITHOUT[worst.reference]} (distance at least "
        f"{down(worst.lower)}; median margin {_margin(worst.median_first)} against "
        f"{_margin(worst.median_second)}){more}"
    )


def _margin(margin: float) -> str:
    # 0.0 is added lest there be a zero with a minus.
    return f"{round(margin, 1) + 0.0:.1f}"


def needed(*comparisons: Comparison, declaration: Declaration | None = None) -> str:
    """About how many models would decide what is open, as a clause.

    Args:
        *comparisons: what may be open.
        declaration: says which look it would be, where the submission is compared.
    """
    models = models_needed(*comparisons)
    if models is None and too_few(*comparisons):
        return f"fewer than {FEWEST_TO_FORECAST} models a side do not tell how many it would take"
    if models is None:
        return "the estimated distance is too near the tolerance for any feasible number of models"
    about = rounded_up(models)
    look = which_look(about, declaration) if declaration is not None else ""
    submitted = submitted_needed(*comparisons)
    alone = (
        f", or about {rounded_up(submitted):,} submitted ones beside these references,"
        if submitted is not None
        else ""
    )
    return f"about {about:,} models a side{alone} would be needed{look}"


REFERENCES_SEEN = {
    None: "nobody has said whether the submitter could see them before handing in",
    False: "declared to have been kept from the submitter until hand-in",
    True: "the submitter could see them before handing in",
}
"""What is declared of who could see the references."""


def level_and_company(
    sharing: Sharing | None, stands: bool | None, declaration: Declaration
) -> tuple[str, ...]:
    """How the level was shared, and whether the verdict stands among others, a clause each."""
    found: list[str] = []
    if sharing is not None and (sharing.shared or down(sharing.shown) != down(0.0)):
        far = f"level: the references are shown to be at least {down(sharing.shown)} apart (ε = 0)"
        found.append(
            f"{far}: from {up(sharing.needed)} on, an error about one of them all but excludes one "
            "about the other, so that nearly all of the level serves each of them"
            if sharing.shared
            else f"{far}, less than the {up(sharing.needed)} from which nearly all of the level "
            "would serve each of them: each has half of it"
        )
    if declaration.references_seen is not None:
        found.append(f"references: {REFERENCES_SEEN[declaration.references_seen]}")
    if stands is not None:
        others = declaration.among
        found.append(
            f"among {others} submissions audited at once: this verdict "
            + (
                f"holds, together with the others of which this is said, at "
                f"{100 * declaration.confidence:.6g} % for all of them"
                if stands
                else f"is not one that holds at a level shared by all {others}"
            )
        )
    return tuple(found)


def waiting_models(waiting: int) -> tuple[str, ...]:
    """That models were handed in which this look leaves out, as a clause."""
    if not waiting:
        return ()
    models = "model waits" if waiting == 1 else "models wait"
    return (f"waiting: {waiting:,} submitted {models} for the next declared look",)


def between_references(rows: Sequence[ProgressRow]) -> tuple[str, ...]:
    """Where the submission lies on the way from one reference to the other, as a clause."""
    mine = [row for row in rows if row.start == "untraining"]
    moved = [f"{row.group} {progress_of(row)}" for row in mine if row.estimate is not None]
    still = [row.group for row in mine if row.estimate is None]
    parts = [", ".join(moved)] if moved else []
    parts += [f"{NO_WAY}: {', '.join(still)}"] if still else []
    if not parts:
        return ()
    return (f"from untraining (0) to unlearning (1), median margins: {'; '.join(parts)}",)


NO_WAY = "nothing to make progress on"
"""What is said where the medians at both ends could be equal."""


def progress_of(row: ProgressRow) -> str:
    """An estimate with its interval, rounded outward; or that there is nothing to go on."""
    if row.estimate is None:
        return NO_WAY
    if row.low is None or row.high is None:
        return f"{row.estimate:.2f} (too few models)"
    return f"{round(row.estimate, 2) + 0.0:.2f} {_bracket(row.low, row.high)}"


def shift_of(row: ShiftRow) -> str:
    """A shift in standard deviations with its sign."""
    return "no spread" if row.shift is None else f"{round(row.shift, 1) + 0.0:+.1f}"


def mean_distance_of(row: MeanDistanceRow) -> str:
    """A distance of means with its sign, as one below 0 is an estimate of about 0."""
    return "not known" if row.estimate is None else f"{round(row.estimate, 1) + 0.0:+.1f}"


def auc_of(row: ShiftRow) -> str:
    """An AUC with its interval, rounded outward."""
    return f"{row.auc:.2f} {_bracket(row.auc_low, row.auc_high)}"


def _bracket(low: float, high: float) -> str:
    ends = (math.floor(100.0 * low) / 100.0, math.ceil(100.0 * high) / 100.0)
    # 0.0 is added lest there be a zero with a minus.
    return "[{:.2f}, {:.2f}]".format(*(end + 0.0 for end in ends))


def stands_down_to(least: float | None, declaration: Declaration) -> tuple[str, ...]:
    """The least level at which the verdict stands, as a clause."""
    if least is None:
        return ()
    alpha = 1.0 - declaration.confidence
    if least >= alpha:
        return ()
    return (
        f"least level: the same verdict would be reached at every level tried down to {least:g}, "
        f"where {alpha:.6g} was declared; choosing among K audits, ask for {alpha:.6g} / K",
    )


def how_near(nearest: Nearest) -> str:
    """Which reference is nearer and on what ground, as the end of a clause."""
    estimated = (
        f"estimated distance to untraining less that to unlearning {nearest.difference + 0.0:.3f}"
    )
    if nearest.reference is None:
        return f"undecided: the bounds of both distances overlap ({estimated})"
    return (
        f"{nearest.reference}: the upper bound of its distance is below the lower bound of the "
        f"other's ({estimated})"
    )
