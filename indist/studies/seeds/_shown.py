"""What a study of seeds says: cells of its tables, and sentences part by part."""

import math
from collections.abc import Callable, Mapping
from statistics import median

from indist.studies._cells import Row
from indist.studies._shown import shown_interval


def audits_sentences(rows: list[Row], rule: str, goal: float, confidence: float) -> tuple[str, ...]:
    """Numbers of models at which audits decide rightly often enough, and wrong verdicts.

    Args:
        rows: of the part ``verdict``, N rising.
        rule: ε and tolerance, in words.
        goal: share of audits that are to decide rightly.
        confidence: of each limit.
    """
    if not rows:
        return ("No verdict is known to be the right one: nothing can be said of audits.",)
    curves: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        curves.setdefault((row["scenario"], row["method"]), []).append(row)
    enough: list[str] = []
    for (scenario, method), own in curves.items():
        shown = next((row for row in own if row["right_at_least"] >= goal), None)
        clean = next((row for row in own if row["right"] == row["audits"]), None)
        if shown:
            text = f"{shown['models']}"
        elif clean:
            pool = _all_right(goal, confidence) * clean["models"]
            text = (
                f"undetermined ({clean['finding']} with {clean['models']}; a pool of about "
                f"{pool:,} models could show it)"
            )
        else:
            text = f"not reached with {own[-1]['models']} ({own[-1]['finding']})"
        enough.append(f"{method} in {scenario} {text}")
    wrong, audits = (int(sum(row[key] for row in rows)) for key in ("wrong", "audits"))
    return (
        f"Models a side with which at least {_percent(goal)} of audits decide rightly ({rule}; "
        f"each at {_percent(confidence)}, alone): {'; '.join(enough)}.",
        f"Of all {audits:,} audits, of every size, {wrong} gave a wrong verdict; the others that "
        "were not right stayed inconclusive.",
    )


def nearest_sentences(rows: list[Row]) -> list[str]:
    """How often one model is nearer to the wrong reference."""
    alone: dict[str, list[str]] = {}
    for row in rows:
        if row["models"] == 1:
            alone.setdefault(row["method"], []).append(
                f"{row['wrong']:.0f} of {row['audits']:.0f} in {row['scenario']} (at most "
                f"{_percent(row['wrong_at_most'])})"
            )
    return [
        f"One {method} model against one of each reference, by accuracies: the wrong reference was "
        f"the nearer in {', '.join(shares)}."
        for method, shares in alone.items()
    ]


def ranking_sentences(rows: list[Row]) -> list[str]:
    """How often two heuristics are put in the wrong order."""
    by_scenario: dict[str, list[str]] = {}
    for row in rows:
        by_scenario.setdefault(row["scenario"], []).append(
            f"{_row_interval(row)} with {row['models']:.0f}"
        )
    return [
        f"Two heuristics are put in the wrong order by their accuracy gaps in {scenario} in a "
        f"share of {', '.join(shares)} models."
        for scenario, shares in by_scenario.items()
    ]


def components_sentences(rows: list[Row]) -> list[str]:
    """Whose seed a margin owes more to."""
    known = [row for row in rows if row.get("share") is not None]
    if not known:
        return []
    larger = sum(row["low"] > 0.5 for row in known)
    smaller = sum(row["high"] < 0.5 for row in known)
    return [
        f"The unlearning seed's share of the variance of a margin has the median "
        f"{median(row['share'] for row in known):.2f}; it is shown to be the larger part in "
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


def _row_interval(row: Row) -> str:
    share = row.get("share")
    return "nothing varies" if share is None else shown_interval(share, row["low"], row["high"])


def _verdict_cell(row: Row) -> str:
    return f"{row['finding']}; ±{row['width'] / 2:.2f}"


def _finding_cell(row: Row) -> str:
    return row["finding"]


PARTS: Mapping[str, tuple[str, Callable[[Row], str]]] = {
    "verdict": ("audits, by models a side; half the median interval", _verdict_cell),
    "nearest": ("the nearer reference by accuracies, by models", _finding_cell),
    "ranking": ("share of pairs of heuristics in the wrong order, by models", _row_interval),
    "components": ("the unlearning seed's share of the variance of a margin on", _row_interval),
}
"""Parts of the study, the title of each, and what a cell of its table says."""
