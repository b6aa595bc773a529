"""Does the submission hide the behaviour more than models that never saw it?"""

import numpy as np
from jaxtyping import Float

from audits.verdict._results import OverUnlearned
from estimators import auc

TESTED = ("forget", "behaviour")


def over_unlearned(
    submission: Float[np.ndarray, "n observables"],
    unlearning: Float[np.ndarray, "m observables"],
    groups: tuple[str, ...],
    *,
    confidence: float,
) -> OverUnlearned | None:
    """Whether the submission's margins lie below the unlearning reference's more often than above.

    A model that hides an example more than a model that never saw it gives it away too. What is
    claimed is that the probability that the margin of a submitted model lies above that of a
    model of the reference, ties counted half, is below 1/2: on the forget set or on the rest of the
    behaviour. The flag is raised where the upper end of an exact interval is below 1/2, at
    alpha/2 for each of the two groups, so that it is wrong with probability at most alpha, whatever
    the two laws, their spreads and the numbers of models are.

    A rank test does not show this: it tests that the two *laws* are equal. With unequal spreads it
    rejects in up to .23 instead of .05 of audits where the probability is 1/2.

    Args:
        submission: median margin of each submitted model on each group.
        unlearning: the same of the unlearning reference.
        groups: the probe group of each column.
        confidence: one minus the level of the flag.

    Returns:
        The group whose upper end is least, or None when neither group has probes.

    References:
        `estimators.auc`, for the interval.
    """
    columns = [place for place, group in enumerate(groups) if group in TESTED]
    if not columns:
        return None
    # The upper end of a two-sided interval at level alpha has alpha/2; the lower claims nothing.
    found = auc(submission[:, columns], unlearning[:, columns], confidence=confidence)
    least = int(found.confidence_interval.high.argmin())
    upper = float(found.confidence_interval.high[least])
    return OverUnlearned(upper < 0.5, float(found.estimate[least]), upper, groups[columns[least]])
