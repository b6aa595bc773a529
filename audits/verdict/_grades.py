"""How far off the submission is, group by group, where the verdict no longer tells: grades."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from audits.report._words import REFERENCES, ReferenceName
from audits.verdict._results import MeanDistanceRow, ProgressRow, ShiftRow, Start
from estimators import auc, mean_distance, progress
from oracles import Observations

Margins = Mapping[str, Float[np.ndarray, "models groups"]]
"""Median margins of each population, a column a probe group."""

FIELDS = ("shift", "auc", "auc_low", "auc_high", "progress", "progress_low", "progress_high")
"""Columns in which the grades of a group stand in a table."""
MEAN_DISTANCE = "mean_distance"
"""Column of the grade over all probes."""


def progress_rows(
    values: Margins, groups: Sequence[str], *, confidence: float
) -> tuple[ProgressRow, ...]:
    """Progress of the median margin of each probe group: 0 at its start, 1 at the reference.

    The start is the original, where it is known; and the untraining reference, on the way from
    there to the unlearning reference, which says between the two where the submission lies. All
    intervals hold together, at every number of models, whatever the populations have in common.
    They are no part of the verdict.

    Args:
        values: of each population.
        groups: the group of each column.
        confidence: of all intervals together.

    Returns:
        A row for each way and group.
    """
    ways: list[tuple[Start, ReferenceName]] = [("untraining", "unlearning")]
    if "original" in values:
        ways = [*(("original", reference) for reference in REFERENCES), *ways]
    each = 1.0 - (1.0 - confidence) / (len(ways) * len(groups))
    rows: list[ProgressRow] = []
    for start, reference in ways:
        found = progress(values["submission"], values[start], values[reference], confidence=each)
        for column, group in enumerate(groups):
            low = float(found.confidence_interval.low[column])
            high = float(found.confidence_interval.high[column])
            known = bool(np.isfinite(low) and np.isfinite(high))
            estimate = float(found.estimate[column])
            rows.append(
                ProgressRow(
                    start=start,
                    reference=reference,
                    group=group,
                    estimate=estimate if np.isfinite(estimate) else None,
                    low=low if known else None,
                    high=high if known else None,
                    nearer=bool(found.nearer[column]),
                )
            )
    return tuple(rows)


def shift_rows(
    values: Margins, groups: Sequence[str], *, confidence: float
) -> tuple[ShiftRow, ...]:
    """How far the submission's median margins lie from each reference's, and how often above them.

    Args:
        values: of each population.
        groups: the group of each column.
        confidence: of all intervals of AUCs together, at every number of models.

    Returns:
        A row for each reference and group.
    """
    each = 1.0 - (1.0 - confidence) / (len(REFERENCES) * len(groups))
    submission = values["submission"]
    rows: list[ShiftRow] = []
    for name in REFERENCES:
        reference = values[name]
        areas = auc(submission, reference, confidence=each)
        ends = areas.confidence_interval
        moved = shift_of_medians(submission, reference)
        for column, group in enumerate(groups):
            rows.append(
                ShiftRow(
                    reference=name,
                    group=group,
                    shift=float(moved[column]) if np.isfinite(moved[column]) else None,
                    auc=float(areas.estimate[column]),
                    auc_low=float(ends.low[column]),
                    auc_high=float(ends.high[column]),
                )
            )
    return tuple(rows)


def shift_of_medians(
    submission: Float[np.ndarray, "n groups"], reference: Float[np.ndarray, "m groups"]
) -> Float[np.ndarray, " groups"]:
    """Difference of the medians, in standard deviations of the reference; NaN where it has none.

    Args:
        submission: median margins of the submission, a column a probe group.
        reference: those of the reference.
    """
    moved = np.median(submission, axis=0) - np.median(reference, axis=0)
    spread = reference.std(axis=0, ddof=min(1, len(reference) - 1))
    # Values that are all the same have no spread, though their mean may be rounded.
    varies = (np.ptp(reference, axis=0) > 0.0) & (spread > 0.0)
    return moved / np.where(varies, spread, np.nan)


_FEWEST = 4
"""Models of either side from which on `mean_distance` has two in each half."""


def mean_distance_rows(
    seen: Mapping[str, Observations], *, seed: int
) -> tuple[MeanDistanceRow, ...]:
    """How far the submission's mean margins lie from each reference's, over all probes at once.

    Medians of groups do not see most of the directions in which populations can differ. This has no
    interval and is no part of the verdict.

    Args:
        seen: observations of each population.
        seed: of the halves of `mean_distance`.

    Returns:
        A row for each reference.
    """
    rows: list[MeanDistanceRow] = []
    for name in REFERENCES:
        ours, theirs = seen["submission"].margins, seen[name].margins
        found = None
        if min(len(ours), len(theirs)) >= _FEWEST:
            estimate = mean_distance(ours, theirs, seed=seed).estimate
            found = estimate if np.isfinite(estimate) else None
        rows.append(MeanDistanceRow(reference=name, estimate=found))
    return tuple(rows)


def grade_columns(
    shifts: Sequence[ShiftRow], progress_made: Sequence[ProgressRow], reference: str, group: str
) -> dict[str, Any]:
    """The grades of one group against one reference, by the names of `FIELDS`; else nothing."""
    found: dict[str, Any] = {}
    for row in shifts:
        if (row.reference, row.group) == (reference, group):
            found |= {name: getattr(row, name) for name in FIELDS[:4]}
    for row in progress_made:
        if (row.start, row.reference, row.group) == ("original", reference, group):
            found |= dict(zip(FIELDS[4:], (row.estimate, row.low, row.high), strict=True))
    return found
