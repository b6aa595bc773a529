"""What a study of exchange rates says of detectors, of what is undetermined, and of harm."""

from collections.abc import Sequence

from audits.memorization import Estimate
from indist.studies._observed import KEPT
from indist.studies._shown import shown_interval
from indist.studies.efficiency._detectors import Detection
from indist.studies.efficiency._rows import ArmRow, ComparisonRow


def detected_cells(found: Detection | None) -> dict[str, str]:
    """How right what was handed over is, for a table."""
    shares = {"precision": found and found.precision, "recall": found and found.recall}
    return {
        f"{name} of what was added, %": "" if share is None else f"{100 * share:.0f}"
        for name, share in shares.items()
    }


def detected(row: ArmRow) -> str:
    """How right the detector of a row was."""
    found = row.detection
    if row.method != "retrain" or found is None:
        return ""
    precision = "none added" if found.precision is None else f"{100 * found.precision:.0f} %"
    recall = 0.0 if found.recall is None else found.recall
    return f" (precision {precision}, recall {100 * recall:.0f} %)"


def needed(row: ComparisonRow) -> str:
    """About how many models would decide a comparison; empty where it is decided."""
    return "" if row.models_needed is None else f" (about {row.models_needed:,} models)"


def harm(rows: Sequence[ArmRow]) -> list[str]:
    """What clean examples in an oracle's Ŝ cost: the greatest fall outside B, method by method."""
    falls: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row.set.startswith("oracle"):
            gaps: dict[str, Estimate] = {group: getattr(row.gap, group) for group in KEPT}
            group = min(gaps, key=lambda name: gaps[name].value)
            clean = row.set.removeprefix("oracle, ")
            falls.setdefault((row.scenario, row.method), []).append(
                f"{clean}: {shown_interval(*gaps[group])} on {group}"
            )
    return [
        f"In {scenario}, {method} on an oracle's Ŝ changes rates outside B by at worst, "
        + "; ".join(texts)
        + "."
        for (scenario, method), texts in falls.items()
    ]
