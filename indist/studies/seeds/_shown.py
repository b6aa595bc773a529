"""What a study of seeds says: cells of its tables, and sentences part by part."""

import math
from collections.abc import Mapping, Sequence
from statistics import median

from audits.report.numbers import counted
from indist.studies._rows import StudyRow
from indist.studies._shown import at_most
from indist.studies.seeds._rows import ComponentsRow, NearestRow, RankingRow, VerdictsRow

TITLES: Mapping[type[StudyRow], str] = {
    VerdictsRow: "audits, by models a side; half the median interval",
    NearestRow: "the nearer reference by accuracies, by models",
    RankingRow: "share of pairs of heuristics in the wrong order, by models",
    ComponentsRow: "the unlearning seed's share of the variance of a margin on",
}
"""Parts of the study, and the title of each in its table."""


def audits_sentences(
    rows: Sequence[VerdictsRow], rule: str, goal: float, confidence: float
) -> tuple[str, ...]:
    """Numbers of models at which audits decide rightly often enough, and wrong verdicts.

    Args:
        rows: of the part ``verdict``, N rising.
        rule: ε and tolerance, in words.
        goal: share of audits that are to decide rightly.
        confidence: of each limit.
    """
    if not rows:
        return ("No verdict is known to be the right one: nothing can be said of audits.",)
    curves: dict[tuple[str, str], list[VerdictsRow]] = {}
    for row in rows:
        curves.setdefault((row.scenario, row.method), []).append(row)
    enough: list[str] = []
    for (scenario, method), own in curves.items():
        shown = next((row for row in own if row.counts.right_at_least >= goal), None)
        faultless = next((row for row in own if row.counts.right == row.counts.audits), None)
        if shown:
            text = f"{shown.models}"
        elif faultless:
            pool = _all_right(goal, confidence) * faultless.models
            text = (
                f"undetermined ({faultless.counts.finding} with {faultless.models}; a pool of "
                f"about {pool:,} models could show it)"
            )
        else:
            text = f"not reached with {own[-1].models} ({own[-1].counts.finding})"
        enough.append(f"{method} in {scenario} {text}")
    wrong = sum(row.counts.wrong for row in rows)
    audits = sum(row.counts.audits for row in rows)
    return (
        f"Models a side with which at least {_percent(goal)} of audits decide rightly ({rule}; "
        f"each at {_percent(confidence)}, alone): {'; '.join(enough)}.",
        f"Of all {audits:,} audits, of every size, {wrong} gave a wrong verdict; the others that "
        "were not right stayed inconclusive.",
    )


def nearest_sentences(rows: Sequence[NearestRow]) -> list[str]:
    """How often one model is nearer to the wrong reference."""
    alone: dict[str, list[str]] = {}
    for row in rows:
        if row.models == 1:
            alone.setdefault(row.method, []).append(
                f"{row.counts.wrong} of {row.counts.audits} in {row.scenario} (at most "
                f"{at_most(100 * row.counts.wrong_at_most)} %)"
            )
    return [
        f"One {method} model against one of each reference, by accuracies: the wrong reference was "
        f"the nearer in {', '.join(shares)}."
        for method, shares in alone.items()
    ]


def ranking_sentences(rows: Sequence[RankingRow]) -> list[str]:
    """How often two heuristics are put in the wrong order."""
    by_scenario: dict[str, list[RankingRow]] = {}
    for row in rows:
        by_scenario.setdefault(row.scenario, []).append(row)
    return [
        f"Two heuristics are put in the wrong order by their accuracy gaps in {scenario} in a "
        f"share of {''.join(f'{row.cell} with {row.models}, ' for row in own[:-1])}"
        f"{own[-1].cell} with {counted(own[-1].models, 'model')}."
        for scenario, own in by_scenario.items()
    ]


def components_sentences(rows: Sequence[ComponentsRow]) -> list[str]:
    """Whose seed a margin owes more to."""
    known = [(row.share, row.low, row.high) for row in rows if row.share is not None]
    if not known:
        return []
    larger = sum(low > 0.5 for _, low, _ in known)
    smaller = sum(high < 0.5 for _, _, high in known)
    return [
        f"The unlearning seed's share of the variance of a margin has the median "
        f"{median(share for share, _, _ in known):.2f}; it is shown to be the larger part in "
        f"{larger} of {len(known)} cases and the smaller in {smaller} (each alone)."
    ]


def _all_right(goal: float, confidence: float) -> int:
    """Audits, every one of them right, that show the goal.

    Example:
        >>> _all_right(0.95, 0.95)
        59
    """
    return math.ceil(math.log(1.0 - confidence) / math.log(goal))


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
