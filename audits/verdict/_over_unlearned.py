"""Does the submission hide the behaviour more than models that never saw it?"""

import numpy as np
from jaxtyping import Float
from scipy.stats import mannwhitneyu

from audits.verdict._results import OverUnlearned

TESTED = ("forget", "behaviour")


def over_unlearned(
    submission: Float[np.ndarray, "n observables"],
    unlearning: Float[np.ndarray, "m observables"],
    groups: tuple[str, ...],
    *,
    confidence: float,
) -> OverUnlearned | None:
    """One-sided rank tests: the submission's margins lie below the unlearning reference's.

    A model that hides an example more than a model that never saw it gives it away too. The margin
    is compared on the forget set and on the rest of the behaviour, with Bonferroni's correction.

    Args:
        submission: median margin of each submitted model on each group.
        unlearning: the same of the unlearning reference.
        groups: the probe group of each column.
        confidence: one minus the level of the test.

    Returns:
        The test, or None when neither group has probes.

    References:
        Mann and Whitney (1947), "On a test of whether one of two random variables is
        stochastically larger than the other", Annals of Mathematical Statistics 18.
    """
    columns = [place for place, group in enumerate(groups) if group in TESTED]
    if not columns:
        return None
    test = mannwhitneyu(submission[:, columns], unlearning[:, columns], alternative="less")
    pvalues = np.asarray(test.pvalue)
    least = int(pvalues.argmin())
    corrected = min(1.0, float(pvalues[least]) * len(columns))
    return OverUnlearned(corrected < 1.0 - confidence, corrected, groups[columns[least]])
