"""Memorization of a set: its mean, and how many members are above a threshold."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped
from scipy.special import stdtrit

from estimators._results import ConfidenceInterval, Interval, Undetermined
from estimators.checks import check_array, check_confidence
from estimators.influence._exceeding import exceedance_pvalues
from estimators.influence._inclusion import INDEPENDENT_ARMS, Arms, check_observed, own_arms

if TYPE_CHECKING:
    import pandas as pd

# The weight of the added outcomes is that of `PseudoCountWelch`, and for 0/1 outcomes of a single
# example Agresti and Caffo's; the more members a set has, the more values its mean takes.
_WEIGHT, _MORE_FOR_ONE = 0.5, 1.5


@dataclass(frozen=True, eq=False)
class SetMemorization(Interval, Undetermined):
    """Mean memorization over a set of examples, and the count of members above a threshold.

    Attributes:
        estimate: mean memorization over the set; 0 where undetermined, which says nothing.
        confidence_interval: two-sided, of the mean.
        above: the threshold of the count.
        count: members whose estimate is above it; noise makes it too large or too small.
        count_interval: two-sided, of the number of members whose memorization is above it.
        confidence_level: of each of the two intervals.
        members: members of the set.
        models: how many models there are.
        undetermined: whether a member has fewer than two models with it, or without it.
    """

    estimate: Float[np.ndarray, ""]
    above: float
    count: int
    count_interval: ConfidenceInterval
    members: int
    models: int

    def _title(self) -> str:
        return (
            f"memorization of a set of {self.members} examples from {self.models} models, "
            f"{100 * self.confidence_level:g} % intervals by {self.method}"
        )

    def to_dataframe(self) -> "pd.DataFrame":
        """Two rows: the mean, and the members above the threshold."""
        import pandas as pd

        mean, count = self.confidence_interval, self.count_interval
        numbers = {
            "estimate": (float(self.estimate), float(self.count)),
            "low": (float(mean.low), float(count.low)),
            "high": (float(mean.high), float(count.high)),
        }
        seen = {name: np.where(self.undetermined, np.nan, pair) for name, pair in numbers.items()}
        return pd.DataFrame({"of": ["mean memorization", f"members above {self.above:g}"]} | seen)


def set_memorization(
    included: Shaped[Any, "..."],
    outcome: Shaped[Any, "..."],
    members: Any,
    *,
    above: float = 0.25,
    confidence: float = 0.95,
) -> SetMemorization:
    """Mean memorization over a set of examples, and how many are above a threshold.

    Members share their models, so their errors are not independent and a standard error from the
    spread over members means nothing. The mean's interval is from models: each model's
    contribution to all members' arms is one number, the infinitesimal jackknife. For outcomes in
    [0, 1] either arm gets two models of small weight more, one that gets all members right and one
    that gets all wrong: for a set of one this is `PseudoCountWelch`, with weight 2 for 0/1.

    The count's interval needs no resampling: members shown to be above the threshold, and members
    shown to be at most there, each by Holm's rule at half of the level, allow for every dependence.

    Args:
        included: ``[models, n]``, whether each model trained on each example.
        outcome: ``[models, n]``, 0/1, in [0, 1], or unbounded.
        members: indices of the set's examples, or a mask over all, [n].
        above: the threshold; a quarter is Feldman and Zhang's.
        confidence: of each of the two intervals.

    Returns:
        The mean and the count, each with its interval.

    Raises:
        TypeError: when an array does not hold booleans or real numbers, or members are neither
            indices nor a mask.
        ValueError: when shapes do not fit, numbers are out of range, or the set is empty or names
            an example twice.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> rng = np.random.default_rng(0)
        >>> included = rng.random((400, 50)) < 0.7
        >>> right = rng.random((400, 50)) < np.where(included, 0.95, 0.35)
        >>> result = estimators.set_memorization(included, right, np.arange(20))
        >>> ends = result.confidence_interval
        >>> bool(ends.low < 0.6 < ends.high), result.count_interval.low, result.count_interval.high
        (True, array(20.), array(20.))

    References:
        Efron (1982), The jackknife, the bootstrap and other resampling plans, for the infinitesimal
        jackknife; Holm (1979), A simple sequentially rejective multiple test procedure; Feldman and
        Zhang (2020), What neural networks memorize and why. https://arxiv.org/abs/2008.03703
    """
    check_confidence(confidence)
    observed = check_observed(included, outcome, own=True)
    chosen = check_members(members, observed.included.shape[1])
    observed = observed._replace(
        included=observed.included[:, chosen], outcome=observed.outcome[:, chosen]
    )
    arms = own_arms(observed)
    undetermined = bool(arms.fewest().min() < 2)
    widest = np.inf if arms.kind == "unbounded" else 1.0
    ends = ConfidenceInterval(np.asarray(-widest), np.asarray(widest))
    span = ConfidenceInterval(np.asarray(0.0), np.asarray(float(chosen.size)))
    estimate, count = 0.0, 0
    if not undetermined:
        differences = arms.mean_in - arms.mean_out
        estimate, count = float(differences.mean()), int((differences > above).sum())
        ends = _mean_limits(observed.included, observed.outcome, arms, confidence, widest)
        span = _count_limits(arms, above, 1.0 - confidence)
    return SetMemorization(
        estimate=np.asarray(estimate),
        confidence_interval=ends,
        above=above,
        count=count,
        count_interval=span,
        confidence_level=confidence,
        members=chosen.size,
        models=observed.included.shape[0],
        method="jackknife over models (mean) and Holm's rule (count)",
        assumptions=(
            INDEPENDENT_ARMS,
            "the sum of the models' contributions to the mean is about normal",
        ),
        warnings=("a member has fewer than 2 models with it, or without it",)
        if undetermined
        else (),
        undetermined=np.asarray(undetermined),
    )


def check_members(members: Any, n: int) -> Int[np.ndarray, " members"]:
    """The examples of a set, from indices or a mask.

    Raises:
        TypeError: when they are neither.
        ValueError: when there are none, one is not an example, or one is named twice.
    """
    given = check_array(members, "members")
    if given.ndim != 1 or given.dtype.kind not in "biu":
        raise TypeError(
            f"members: expected indices or a mask [n], found dtype {given.dtype}, "
            f"shape {given.shape}"
        )
    if given.dtype.kind == "b":
        if given.size != n:
            raise ValueError(f"members: expected a mask of {n} examples, found {given.size}")
        given = np.flatnonzero(given)
    if not given.size:
        raise ValueError("members: expected at least one example, found none")
    if given.min() < 0 or given.max() >= n:
        raise ValueError(
            f"members: expected indices in [0, {n - 1}], found {given.min()} to {given.max()}"
        )
    if np.unique(given).size != given.size:
        raise ValueError("members: expected each example once, found one twice")
    return given


def _mean_limits(
    included: Bool[np.ndarray, "models s"],
    outcome: np.ndarray,
    arms: Arms,
    confidence: float,
    widest: float,
) -> ConfidenceInterval:
    weight = {
        "0/1": _WEIGHT + _MORE_FOR_ONE / arms.n_in.size,
        "[0, 1]": _WEIGHT,
        "unbounded": 0.0,
    }[arms.kind]
    values = outcome.astype(np.float64)
    contribution = np.zeros(len(values))
    centre = added = 0.0
    for inside, n, mean, sign in (
        (included, arms.n_in, arms.mean_in, 1.0),
        (~included, arms.n_out, arms.mean_out, -1.0),
    ):
        more = n + weight
        moved = mean + weight * (0.5 - mean) / more
        # Bessel's correction gives a set of one exactly the variance of its two arms.
        scale = sign / np.sqrt(more * (more - 1.0)) / n.size
        contribution += np.where(inside, values - moved, 0.0) @ scale
        added += 0.5 * weight * float((moved @ scale) ** 2 + ((1.0 - moved) @ scale) ** 2)
        centre += sign * float(moved.mean())
    error = np.sqrt(contribution @ contribution + added)
    half = error * stdtrit(arms.fewest().min() - 1.0, (1.0 + confidence) / 2.0)
    return ConfidenceInterval(
        np.asarray(max(centre - half, -widest)), np.asarray(min(centre + half, widest))
    )


def _count_limits(arms: Arms, above: float, alpha: float) -> ConfidenceInterval:
    """Members above the threshold for sure, and those that may be."""
    # With the arms exchanged "at least `above`" becomes "at most its negative".
    shown = [
        _holm_rejections(exceedance_pvalues(side, bar), alpha / 2.0)
        for side, bar in ((arms, above), (arms.exchanged(), -above))
    ]
    return ConfidenceInterval(
        np.asarray(float(shown[0])), np.asarray(float(arms.mean_in.size - shown[1]))
    )


def _holm_rejections(pvalue: Float[np.ndarray, " k"], alpha: float) -> int:
    rejected = np.sort(pvalue) * np.arange(pvalue.size, 0, -1) <= alpha
    return pvalue.size if rejected.all() else int(rejected.argmin())
