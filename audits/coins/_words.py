"""What an audit by coins says, in whole sentences."""

import textwrap
from collections.abc import Sequence

from audits.coins._results import CoinQuestion, Utility
from audits.report import numbers
from audits.report._terminal import aligned, filled

NEVER = (
    "An audit by coins never says that models match a reference: it finds something, or nothing. "
    "Nothing found is no upper bound."
)
_REFERENCE = {
    "untraining": "any learning algorithm run without the tested examples of the forget set",
    "unlearning": "any learning algorithm run without the tested examples of the behaviour",
}
_DEFINITION = {
    "untraining": "hence it is not (ε,δ)-unlearning for every D and S (Definition 4.1)",
    "unlearning": "read as the same definition with B in the place of S (Definition 7.1 itself has "
    "no ε and δ)",
}


def headline(
    questions: Sequence[CoinQuestion], utility: Sequence[Utility], assumption: bool
) -> str:
    """What was found of each question, and what the models are still good for, in brief."""
    parts = [_brief(question) for question in questions]
    said = f"{'. '.join(parts)}."
    if utility:
        said = f"{said} {usefulness(utility)}"
    if not assumption or any(question.refuted for question in questions):
        return said
    return f"If both sets are exchangeable: {said[0].lower()}{said[1:]}"


def _brief(question: CoinQuestion) -> str:
    name = question.question
    if question.finding == "convicted":
        delta = numbers.plain(question.result.delta)
        return f"Not {name}: ε is at least {numbers.down(question.bound, 1)} at δ = {delta}"
    if question.finding == "assumption refuted":
        return (
            "The two sets are not exchangeable: a model that never saw the forget set is told "
            f"apart on them, too, and nothing can be said of {name}"
        )
    if question.finding == "undetermined":
        result = question.result
        if result.at(0.0) > 0.0 or 1.0 - result.confidence_level <= result.delta:
            delta = numbers.plain(result.delta)
            return f"Undetermined of {name} at δ = {delta}, which is too great for this many models"
        return f"Undetermined of {name}: there are too few coins to find anything"
    return f"Nothing found against {name}"


def sentences(
    questions: Sequence[CoinQuestion], utility: Sequence[Utility], law: str
) -> tuple[str, ...]:
    """What each finding means, and how sure it is; that nothing is known of the models' use."""
    unknown = () if utility else (usefulness(utility),)
    return (*(_meaning(question, law) for question in questions), *unknown)


def _meaning(question: CoinQuestion, law: str) -> str:
    result = question.result
    sure = numbers.level(result.confidence_level)
    level = numbers.plain(round(1.0 - result.confidence_level, 10))
    over = "coins, training and unlearning" if law == "fair coins" else "the choice of the sets"
    start = f"{question.question.capitalize()}, with confidence {sure} over {over}: "
    tested = numbers.counted(result.examples, "tested example")
    could = (
        f"were every coin named by the models, {numbers.down(result.ceiling, 1)} could have been "
        "shown"
    )
    if question.finding == "convicted":
        delta, bound = numbers.plain(result.delta), numbers.down(question.bound, 1)
        averaged = "averaged over the coins’ forget sets, " if law == "fair coins" else ""
        others = f" and for every δ below {level} with a bound of its own"
        return (
            f"{start}{averaged}the procedure is not (ε,δ)-indistinguishable from "
            f"{_REFERENCE[question.question]}, for ε below {bound} at δ = {delta}"
            f"{others if result.models == 1 else ''}; {_DEFINITION[question.question]}. It is "
            f"about all {tested} together, and says of no single one that it was remembered; "
            f"{could}."
        )
    if question.finding == "assumption refuted":
        return (
            f"{start}the same test convicts models that never saw the forget set, so that the two "
            "sets are not exchangeable, and what it says of the submitted ones means nothing."
        )
    if question.finding == "undetermined":
        return (
            f"{start}{tested} and "
            f"{_models(result.models)} could show no ε over 0 at δ = "
            f"{numbers.plain(result.delta)}."
        )
    return f"{start}nothing was found, which is no upper bound; {could}."


def usefulness(utility: Sequence[Utility]) -> str:
    """What the models are still good for; a destroyed model is not convicted."""
    if not utility:
        return (
            "Nothing is known of what the models are good for: a model that was destroyed is not "
            "convicted either. Hand in other examples of the groups retain and test."
        )
    parts = [
        f"{numbers.percent(one.accuracy)} of "
        f"{numbers.counted(one.examples, f'{one.group} example')} "
        f"({numbers.interval(100 * one.low, 100 * one.high, 1)}\N{NO-BREAK SPACE}%)"
        for one in utility
    ]
    return f"The models are right on {' and on '.join(parts)}."


def _models(number: int) -> str:
    return "one model" if number == 1 else numbers.counted(number, "model")


COLUMNS = ("question", "finding", "ε at least", "at most shown", "coins", "log10 p")


def table(questions: Sequence[CoinQuestion]) -> list[tuple[str, ...]]:
    """A row for each question, by `COLUMNS`."""
    return [
        (
            question.question,
            question.finding,
            numbers.down(question.bound, 1),
            numbers.down(question.result.ceiling, 1),
            numbers.count(question.result.examples),
            numbers.near(question.log10_pvalue, 1),
        )
        for question in questions
    ]


def text(
    said: str,
    questions: Sequence[CoinQuestion],
    utility: Sequence[Utility],
    law: str,
    warnings: Sequence[str],
) -> str:
    """The whole answer for a terminal."""
    rows = textwrap.indent(aligned([COLUMNS, *table(questions)], left=(0, 1)), "  ")
    parts = [
        filled(said),
        rows,
        *(filled(sentence) for sentence in sentences(questions, utility, law)),
        filled(NEVER),
        *(filled(f"Warning: {warning}") for warning in warnings),
    ]
    return "\n\n".join(parts)
