"""The parts of an audit's plain text: its two tables, and what else was found."""

from collections.abc import Sequence

from audits.claims._claimed import ClaimCheck
from audits.report._terminal import aligned, filled
from audits.report.numbers import down, up
from audits.verdict._results import (
    Comparison,
    GroupSummary,
    MeanDistanceRow,
    Nearest,
    OverUnlearned,
    ProgressRow,
    ShiftRow,
    WorstExampleFound,
)
from audits.verdict._words import (
    auc_of,
    example_off,
    how_near,
    mean_distance_of,
    progress_of,
    shift_of,
)

_DECISIONS = {"match": "alike", "differ": "unlike", "open": "open"}


def distances(comparisons: Sequence[Comparison]) -> str:
    """A line for each comparison: its estimate, its bounds rounded outward, and its decision."""
    lines = [("distance (delta at epsilon)", "estimate", "at least", "at most", "so they are")]
    for comparison in comparisons:
        context = " (context)" if comparison.first == "original" else ""
        lines.append(
            (
                f"{comparison.first} - {comparison.second}{context}",
                f"{comparison.estimate:.3f}",
                down(comparison.lower),
                up(comparison.upper),
                _DECISIONS[comparison.decision],
            )
        )
    return aligned(lines)


def accuracies(groups: Sequence[GroupSummary], populations: Sequence[str]) -> str:
    """A line for each probe group: how often each population gives its probes their label."""
    lines = [("share of probes given their label", *populations)]
    for group in dict.fromkeys(row.group for row in groups):
        shares = {row.population: row.accuracy for row in groups if row.group == group}
        lines.append((group, *(f"{100 * shares[name]:.1f} %" for name in populations)))
    return aligned(lines)


def grades(
    shifts: Sequence[ShiftRow],
    progress: Sequence[ProgressRow],
    mean_distances: Sequence[MeanDistanceRow],
) -> str:
    """For each reference a line a group: shift, AUC, and progress where the original is known.

    Below them the distance over all probes, to each reference.
    """
    moved = {
        (row.reference, row.group): progress_of(row) for row in progress if row.start == "original"
    }
    lines: list[tuple[str, ...]] = []
    for reference in dict.fromkeys(row.reference for row in shifts):
        ends = ("progress (original 0, it 1)",) if moved else ()
        lines.append((f"median margin beside {reference}", "shift in sd", "AUC", *ends))
        for row in shifts:
            if row.reference == reference:
                last = (moved[reference, row.group],) if moved else ()
                lines.append((f"  {row.group}", shift_of(row), auc_of(row), *last))
    if not lines:
        return ""
    apart = ", ".join(f"{row.reference} {mean_distance_of(row)}" for row in mean_distances)
    whole = filled(f"distance of mean margins over all probes (about 0 for a match): {apart}")
    return "\n".join([aligned(lines), *([whole] if apart else [])])


def further(
    comparisons: Sequence[Comparison],
    nearest: Nearest,
    over_unlearned: OverUnlearned | None,
    claimed: ClaimCheck | None,
    least_tolerance: float,
    worst_examples: Sequence[WorstExampleFound] = (),
    beside: Sequence[str] = (),
) -> list[str]:
    """What was found besides the distances, a clause each.

    Args:
        comparisons: all of them, the two that the verdict rests on first.
        nearest: which reference is nearer.
        over_unlearned: whether the behaviour is hidden too much, where that was tested.
        claimed: a claim beside what was measured, where there is one.
        least_tolerance: the least tolerance that a match could meet.
        worst_examples: single examples that are off, where they were looked at.
        beside: further clauses, for the end.
    """
    sizes = {comparison.first: comparison.models_first for comparison in comparisons}
    sizes |= {comparison.second: comparison.models_second for comparison in comparisons}
    counted = ", ".join(f"{models:,} {name}" for name, models in sizes.items())
    found = [f"models: {counted}", f"nearer reference: {how_near(nearest)}"]
    found += [f"{worst.called}: {example_off(worst)}" for worst in worst_examples]
    if over_unlearned is not None and over_unlearned.flag:
        found.append(
            f"over-unlearned: on the {over_unlearned.group} probes the margin lies below that of "
            f"models that never saw the behaviour more often than not (AUC "
            f"{over_unlearned.auc:.2f}, at most {up(over_unlearned.high)})"
        )
    if claimed is not None:
        found.append(f"claim ({claimed.mechanism}): {claimed.sentence}")
    found.append(
        f"least tolerance that {sizes['submission']:,} models can meet: about {least_tolerance:.2g}"
    )
    return [*found, *beside]
