"""Variance components: what two runs owe to the original model, and what to the unlearner's key."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import f


@dataclass(frozen=True)
class Components:
    """One-way random effects: original models, and unlearning seeds within them.

    Attributes:
        training: variance between original models; estimates below 0 are set to 0.
        unlearning: variance between unlearning seeds of one original.
        share: of the unlearning seed in the sum of both; None when nothing varies.
        low: lower end of the share's interval.
        high: upper end.
    """

    training: float
    unlearning: float
    share: float | None
    low: float
    high: float


def variance_components(
    values: Float[np.ndarray, "originals seeds"], *, confidence: float
) -> Components:
    r"""Variance components of a balanced one-way layout, by the analysis of variance.

    With F the ratio of the mean square between originals to that within, and k seeds, the share of
    the unlearning seed is $k / (F + k - 1)$; its interval comes from that of F, exact when both
    effects are normal, at every number of originals and seeds.

    Args:
        values: one number for each original (at least 2) and unlearning seed (at least 2).
        confidence: of the interval.

    Returns:
        Both components, and the share.

    Raises:
        ValueError: with fewer than two originals or seeds.

    Example:
        >>> import numpy as np
        >>> variance_components(np.array([[1.0, 1.0], [3.0, 3.0]]), confidence=0.95)
        Components(training=2.0, unlearning=0.0, share=0.0, low=0.0, high=0.0)

    References:
        Searle, Casella and McCulloch (1992), Variance Components, chapter 3.
    """
    originals, seeds = values.shape
    if min(originals, seeds) < 2:
        raise ValueError(
            f"values: expected at least 2 originals and 2 seeds, found {originals} and {seeds}"
        )
    between = float(seeds * values.mean(axis=1).var(ddof=1))
    within = float(values.var(axis=1, ddof=1).mean())
    training = max(0.0, (between - within) / seeds)
    if within == 0.0:
        alone = between == 0.0
        return Components(training, 0.0, None if alone else 0.0, 0.0, float(alone))
    ratio, tail = between / within, (1.0 - confidence) / 2.0
    freedom = originals - 1, originals * (seeds - 1)

    def share(at: float) -> float:
        return min(1.0, seeds / (at + seeds - 1.0))

    return Components(
        training,
        within,
        share(ratio),
        share(ratio / float(f.ppf(tail, *freedom))),
        share(ratio / float(f.ppf(1.0 - tail, *freedom))),
    )
