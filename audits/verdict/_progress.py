"""How far the submission has come from the original to each reference, group by group."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from audits.report._words import REFERENCES
from audits.verdict._results import ProgressRow
from estimators import progress


def progress_rows(
    values: Mapping[str, Float[np.ndarray, "models columns"]],
    groups: Sequence[str],
    *,
    confidence: float,
) -> tuple[ProgressRow, ...]:
    """Progress of the median margin of each probe group; 0 at the original, 1 at the reference.

    All intervals hold together, at every number of models, whatever the populations have in common.
    They are no part of the verdict.

    Args:
        values: median margins of each population, a column a group.
        groups: the group of each column.
        confidence: of all intervals together.

    Returns:
        A row for each reference and group; none where the original is not known.
    """
    if "original" not in values:
        return ()
    each = 1.0 - (1.0 - confidence) / (len(REFERENCES) * len(groups))
    rows: list[ProgressRow] = []
    for reference in REFERENCES:
        found = progress(
            values["submission"], values["original"], values[reference], confidence=each
        )
        for column, group in enumerate(groups):
            low = float(found.confidence_interval.low[column])
            high = float(found.confidence_interval.high[column])
            known = bool(np.isfinite(low) and np.isfinite(high))
            rows.append(
                ProgressRow(
                    reference=reference,
                    group=group,
                    estimate=None if found.nothing[column] else float(found.estimate[column]),
                    low=low if known else None,
                    high=high if known else None,
                    nearer=bool(found.nearer[column]),
                )
            )
    return tuple(rows)
