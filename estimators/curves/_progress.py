r"""How far a population has come on the way from one to another, by medians; exact at every n.

Progress is $(m_P - m_O) / (m_R - m_O)$ with $m_O$, $m_P$, $m_R$ the medians of the original, the
submission and the reference: 0 where nothing was done, 1 where the reference is reached, above 1
beyond it.

*Validity.* Let m be any median of a law, and k the greatest number with $P(Bin(n, 1/2) < k) \le
a / 2$. The kth smallest of n draws lies above m only if fewer than k of them are at most m, and
each is with probability at least 1/2; likewise for the kth largest. So the interval between the two
misses m with probability at most a, ties or not. Three such intervals with levels that sum to alpha
hold together with probability $1 - \alpha$, whatever the populations have in common. Where those of
O and R do not meet, the denominator has one sign on all of the box, and the ratio is monotone in
each of the three medians: its extremes are at corners of the box.
"""

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float, Num
from scipy.stats import binom

from estimators._results import ConfidenceInterval, Interval
from estimators._table import long_table
from estimators.checks import check_confidence, check_pair

if TYPE_CHECKING:
    import pandas as pd

SHARES = (0.6, 0.2, 0.2)
"""Of alpha, for the medians of the submission, the original and the reference."""


@dataclass(frozen=True, eq=False)
class Progress(Interval):
    """Progress from the original (0) to the reference (1).

    Attributes:
        estimate: the ratio of sample medians; NaN where there is nothing to make progress on, and
            not finite where the sample medians of original and reference are equal.
        confidence_interval: exact in level at every number of models, ties included; infinite where
            the models are too few, or there is nothing to make progress on.
        confidence_level: of each observable alone.
        nothing: whether the medians of original and reference could be equal, so that there is
            nothing to make progress on; False where models are too few for any interval.
    """

    estimate: Float[np.ndarray, "..."]
    nothing: Bool[np.ndarray, "..."]

    @property
    def nearer(self) -> Bool[np.ndarray, "..."]:
        """Whether the median is shown to be nearer to the reference than to the original."""
        return np.asarray(self.confidence_interval.low > 0.5)

    def _title(self) -> str:
        return (
            f"progress from the original (0) to the reference (1), "
            f"{100 * self.confidence_level:g} % intervals of medians"
        )

    def to_dataframe(self) -> "pd.DataFrame":
        """A row for each observable: estimate, interval, and whether there is nothing to go on."""
        ends = self.confidence_interval
        columns = {"progress": self.estimate, "low": ends.low, "high": ends.high}
        return long_table(columns | {"nothing": self.nothing})


def progress(
    submission: Num[Any, "n ..."],
    original: Num[Any, "k ..."],
    reference: Num[Any, "m ..."],
    *,
    confidence: float = 0.95,
) -> Progress:
    """How far the submission's median has come from the original's to the reference's.

    Args:
        submission: models of the submission, one value a model and observable.
        original: models before unlearning, with the same observables.
        reference: models of a reference.
        confidence: of each interval alone.

    Returns:
        Estimate and interval of the shape of the observables.

    Raises:
        TypeError: when samples are not real numbers.
        ValueError: when samples do not fit together or are not finite, or ``confidence`` lies
            outside (0, 1).

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> rng = np.random.default_rng(0)
        >>> half, start, end = (rng.normal(place, size=200) for place in (5.0, 0.0, 10.0))
        >>> found = estimators.progress(half, start, end)
        >>> print(found.estimate.round(2), found.confidence_interval.low.round(2))
        0.52 0.47
        >>> bool(found.nearer)
        False

    References:
        David and Nagaraja (2003), Order Statistics, section 7.1 (intervals of quantiles).
    """
    p, o = check_pair(submission, original)
    r = check_pair(submission, reference)[1]
    alpha = 1.0 - check_confidence(confidence)
    boxes = [
        _median_interval(sample, share * alpha)
        for sample, share in zip((p, o, r), SHARES, strict=True)
    ]
    (p_low, _), (o_low, o_high), (r_low, r_high) = boxes
    few = np.isinf(o_low) | np.isinf(r_low) | np.isinf(p_low)
    nothing = np.asarray((o_low <= r_high) & (r_low <= o_high) & ~few)
    with np.errstate(invalid="ignore", divide="ignore"):
        corners = np.stack([(at_p - at_o) / (at_r - at_o) for at_p, at_o, at_r in product(*boxes)])
        medians = [np.median(sample, axis=0) for sample in (p, o, r)]
        ratio = (medians[0] - medians[1]) / (medians[2] - medians[1])
    unknown = nothing | few
    low = np.where(unknown, -np.inf, corners.min(axis=0))
    high = np.where(unknown, np.inf, corners.max(axis=0))
    # Sums and quotients are rounded.
    outward = 1e-12 * np.maximum(1.0, np.abs(np.where(unknown, 0.0, np.maximum(-low, high))))
    return Progress(
        confidence_interval=ConfidenceInterval(
            np.asarray(low - outward), np.asarray(high + outward)
        ),
        confidence_level=float(confidence),
        estimate=np.asarray(np.where(nothing, np.nan, ratio)),
        nothing=nothing,
        method="order statistics of three medians, corners of their box",
        assumptions=("models are independent within each population",),
        warnings=(),
    )


def _median_interval(
    sample: Float[np.ndarray, "n ..."], alpha: float
) -> tuple[Float[np.ndarray, "..."], Float[np.ndarray, "..."]]:
    """Order statistics between which every median lies; infinite where n is too small."""
    n = len(sample)
    # The greatest k with P(Bin(n, 1/2) < k) = P(Bin <= k - 1) <= alpha / 2.
    k = int(binom.ppf(alpha / 2.0, n, 0.5))
    while k > 0 and binom.cdf(k - 1, n, 0.5) > alpha / 2.0:
        k -= 1
    if k == 0:
        unknown = np.full(sample.shape[1:], np.inf)
        return np.asarray(-unknown), unknown
    ordered = np.sort(sample, axis=0)
    return np.asarray(ordered[k - 1]), np.asarray(ordered[n - k])
