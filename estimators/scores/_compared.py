"""A number for each model, such as an attack's success: its mean under both populations."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Num, Shaped
from scipy.special import stdtrit
from scipy.stats import rankdata

from estimators._results import ConfidenceInterval
from estimators.checks import check_confidence, check_mask, check_samples, check_within
from estimators.kinds import check_kind
from estimators.scores._populations import check_magnitude, check_table
from estimators.scores._score import SubmissionResult

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Compared(SubmissionResult):
    """Means over models of the submission and of the reference, and their difference.

    Attributes:
        estimate: mean of the submission less mean of the reference; 0 for equal populations.
        confidence_interval: of the difference.
        submission: mean of the submission.
        submission_interval: of that mean.
        reference: mean of the reference: what the submission's is to be compared with.
        reference_interval: of that mean.
        undetermined: true where a side has a single model; the interval is then unbounded.
    """

    submission: Float[np.ndarray, ""]
    submission_interval: ConfidenceInterval
    reference: Float[np.ndarray, ""]
    reference_interval: ConfidenceInterval

    def _title(self) -> str:
        return (
            f"{self.name}, {self.n_submission} models of the submission against "
            f"{self.n_reference} of the reference, {100 * self.confidence_level:g} % intervals by "
            f"{self.method}"
        )

    def to_dataframe(self) -> "pd.DataFrame":
        """Three rows: submission, reference and difference."""
        import pandas as pd

        rows = [
            ("submission", self.submission, self.submission_interval),
            ("reference", self.reference, self.reference_interval),
            ("difference", self.estimate, self.confidence_interval),
        ]
        table = [
            {
                "mean of": who,
                "value": float(value),
                "low": float(ends.low),
                "high": float(ends.high),
            }
            for who, value, ends in rows
        ]
        return pd.DataFrame(table).replace([np.inf, -np.inf], np.nan)


def mean_difference(
    submission: Num[Any, "n ..."], reference: Num[Any, "m ..."]
) -> Float[np.ndarray, ""]:
    """Mean of the submission less mean of the reference: a score for `calibrate`."""
    first, second = check_samples(submission, "submission"), check_samples(reference, "reference")
    return np.asarray(first.mean() - second.mean())


def _t_interval(value: Any, error: float, freedom: float, alpha: float) -> ConfidenceInterval:
    half = np.inf if freedom < 1.0 else float(stdtrit(freedom, 1.0 - alpha / 2.0)) * error
    return ConfidenceInterval(np.asarray(value - half), np.asarray(value + half))


def _error(values: Float[np.ndarray, " n"]) -> float:
    return float(values.std(ddof=1) / np.sqrt(values.size)) if values.size > 1 else 0.0


def compared(
    submission: Num[Any, " n"],
    reference: Num[Any, " m"],
    *,
    name: str,
    confidence: float = 0.95,
    paired: bool = False,
) -> Compared:
    """A number of each model (an attack's success, an accuracy) under submission and reference.

    An attack on forgotten examples does not succeed half of the time on models that never saw them:
    they differ from its other examples. What counts is the value under the reference.

    Args:
        submission: a number for each model.
        reference: the same for the reference.
        name: what the number is, for the table.
        confidence: of each two-sided interval.
        paired: whether number i of both comes from the same seed.

    Returns:
        Both means and their difference, with t intervals; that of the difference unpooled, with
        the degrees of freedom of the smaller side, or of the differences when paired.

    Raises:
        TypeError: when numbers are not real, or the name is no text.
        ValueError: when they are not finite, over 1e150 in size, or pairs are incomplete.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> found = estimators.scores.compared(
        ...     np.array([0.6, 0.62, 0.58]), np.array([0.4, 0.41, 0.39]), name="attack"
        ... )
        >>> print(found.estimate.round(2), bool(found.confidence_interval.low > 0))
        0.2 True
    """
    check_kind(name, "name", str, "a name")
    first, second = check_samples(submission, "submission"), check_samples(reference, "reference")
    check_magnitude(submission=first, reference=second)
    alpha = 1.0 - check_confidence(confidence)
    if paired and first.size != second.size:
        raise ValueError(
            f"paired: expected as many models on both sides, found {first.size} and {second.size}"
        )
    errors = _error(first), _error(second)
    error = _error(first - second) if paired else float(np.hypot(*errors))
    freedom = min(first.size, second.size) - 1.0
    estimate = np.asarray(first.mean() - second.mean())
    constant = freedom >= 1.0 and min(errors) == 0.0
    return Compared(
        name=name,
        estimate=estimate,
        confidence_interval=_t_interval(estimate, error, freedom, alpha),
        submission=np.asarray(first.mean()),
        submission_interval=_t_interval(first.mean(), errors[0], first.size - 1.0, alpha),
        reference=np.asarray(second.mean()),
        reference_interval=_t_interval(second.mean(), errors[1], second.size - 1.0, alpha),
        confidence_level=1.0 - alpha,
        n_submission=first.size,
        n_reference=second.size,
        method="paired t" if paired else "unpooled t",
        assumptions=(
            "pairs are independent" if paired else "models are independent, within and between",
            "means over models are about normal",
        ),
        warnings=("all models of a side agree: its interval proves nothing",) if constant else (),
        undetermined=freedom < 1.0,
    )


def auc_per_model(scores: Num[Any, "n ..."], member: Shaped[Any, " e"]) -> Float[np.ndarray, " n"]:
    """Each model's probability that a member's score exceeds a non-member's, ties counted half.

    Args:
        scores: membership scores, ``[models, examples]``, higher for members.
        member: whether each example counts as a member: the forget set, against held-out examples;
            booleans, or 0 and 1.

    Returns:
        ``[models]``, for `compared`.

    Raises:
        TypeError: when scores are not real numbers.
        ValueError: when shapes do not fit, or all examples are of one kind.
    """
    table, inside = _members(scores, member)
    positives, negatives = int(inside.sum()), int((~inside).sum())
    ranks = np.asarray(rankdata(table, axis=1))[:, inside].sum(axis=1)
    return (ranks - positives * (positives + 1) / 2.0) / (positives * negatives)


def tpr_per_model(
    scores: Num[Any, "n ..."], member: Shaped[Any, " e"], *, fpr: float
) -> Float[np.ndarray, " n"]:
    """Each model's share of members above the bar that a share ``fpr`` of non-members exceeds.

    Args:
        scores: as for `auc_per_model`.
        member: as for `auc_per_model`.
        fpr: in (0, 1).

    Returns:
        ``[models]``, for `compared`.

    Raises:
        TypeError: when scores are not real numbers.
        ValueError: when shapes do not fit, all examples are of one kind, or the rate is out of
            range.
    """
    table, inside = _members(scores, member)
    check_within("(0, 1)", fpr=fpr)
    others = np.sort(table[:, ~inside], axis=1)
    at = int(np.ceil(others.shape[1] * (1.0 - fpr) * (1.0 - 1e-12))) - 1
    return (table[:, inside] > others[:, at, None]).mean(axis=1)


def _members(scores: Any, member: Any) -> tuple[np.ndarray, np.ndarray]:
    table = check_table(scores, "scores")
    inside = check_mask(member, "member", table.shape[1:])
    if inside.all() or not inside.any():
        raise ValueError("member: expected members and non-members, found one kind")
    return table, inside
