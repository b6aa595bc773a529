"""TOFU's truth ratio and forget quality."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from jaxtyping import Float, Num
from scipy.stats import ks_2samp, wilcoxon

from estimators._results import Result
from estimators.checks import check_samples
from estimators.kinds import check_name
from estimators.scores._populations import check_populations

if TYPE_CHECKING:
    import pandas as pd

Mean = Literal["arithmetic", "geometric"]


def truth_ratio(
    perturbed: Num[Any, "n ..."], paraphrased: Num[Any, "n ..."], *, mean: Mean = "arithmetic"
) -> Float[np.ndarray, "n q"]:
    """TOFU's truth ratio: mean probability of the wrong answers over that of the right one.

    Probabilities are per token, ``p(answer)**(1 / tokens)``. Some code reports the inverse.

    Args:
        perturbed: log-probability per token of each wrong answer, ``[models, questions, answers]``.
        paraphrased: the same of the paraphrased right answer, ``[models, questions]``.
        mean: "arithmetic" over the wrong answers' probabilities as in the paper; "geometric" as in
            the code that exponentiates averaged losses.

    Returns:
        ``[models, questions]``, above 0.

    Raises:
        TypeError: when numbers are not real.
        ValueError: when they are not finite, above 0, or shapes do not fit.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> wrong, right = np.log([[[0.1, 0.4]]]), np.log([[0.5]])
        >>> both = [estimators.scores.truth_ratio(wrong, right, mean=m)[0, 0].round(2)
        ...         for m in ("arithmetic", "geometric")]
        >>> print(*both)
        0.5 0.4

    References:
        Maini et al. (2024), TOFU: a task of fictitious unlearning for LLMs,
        https://arxiv.org/abs/2401.06121.
    """
    check_name(mean, "mean", get_args(Mean))
    wrong, right = check_samples(perturbed, "perturbed"), check_samples(paraphrased, "paraphrased")
    if wrong.ndim != 3 or wrong.shape[:2] != right.shape or not wrong.size:
        raise ValueError(
            f"perturbed and paraphrased: expected [models, questions, answers] and [models, "
            f"questions], found shapes {wrong.shape} and {right.shape}"
        )
    greatest = max(wrong.max(), right.max())
    if greatest > 0.0:
        raise ValueError(
            f"perturbed and paraphrased: expected log-probabilities of at most 0, found "
            f"{greatest:g}"
        )
    gap = wrong - right[..., None]
    return np.exp(gap.mean(axis=2)) if mean == "geometric" else np.exp(gap).mean(axis=2)


@dataclass(frozen=True, eq=False)
class ForgetQuality(Result):
    """p-values of every submitted model against every retain model.

    Attributes:
        ks: the published: two-sample Kolmogorov-Smirnov, [n, m].
        paired: Wilcoxon's signed ranks on the log ratios of the same questions, [n, m].
        null_ks: the published, of each retain model against each other one, [pairs].
        null_paired: the paired, likewise, [pairs].
        rejected: share of the null pairs with a paired p-value of at most 0.05; above 0.05 by far
            when retain seeds differ by more than their questions' noise.
        questions: how many there are.
    """

    ks: Float[np.ndarray, "n m"]
    paired: Float[np.ndarray, "n m"]
    null_ks: Float[np.ndarray, " pairs"]
    null_paired: Float[np.ndarray, " pairs"]
    rejected: float
    questions: int

    def _title(self) -> str:
        return (
            f"forget quality, {self.ks.shape[0]} submitted models against {self.ks.shape[1]} "
            f"retain models, {self.questions} questions"
        )

    def to_dataframe(self) -> "pd.DataFrame":
        """A row for each test: medians over submitted and over null pairs, and their range."""
        import pandas as pd

        rows: list[dict[str, Any]] = []
        for test, found, null in (
            ("Kolmogorov-Smirnov", self.ks, self.null_ks),
            ("paired", self.paired, self.null_paired),
        ):
            row = {"test": test, "median p": np.median(found), "least p": found.min()}
            row |= {"greatest p": found.max()}
            row |= {"null median p": np.median(null) if null.size else np.nan}
            rows.append(row)
        return pd.DataFrame(rows)


def _paired(first: np.ndarray, second: np.ndarray) -> float:
    gap = np.log(first) - np.log(second)
    return float(np.asarray(wilcoxon(gap, method="approx"))[1]) if gap.any() else 1.0


def _ks(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.asarray(ks_2samp(first, second))[1])


def forget_quality(submission: Num[Any, "n ..."], reference: Num[Any, "m ..."]) -> ForgetQuality:
    """TOFU's forget quality, with a paired test and with retain models against one another.

    Published: the two-sample Kolmogorov-Smirnov p-value between truth ratios of one submitted and
    one retain model. It treats the same questions as independent samples, so that it hardly ever
    rejects; and one retain model is one draw: two of them differ, too. A high p-value proves
    nothing, and a p-value is no estimate, so there is no interval: compare with the null.

    Args:
        submission: truth ratios on the forget set, ``[models, questions]``, above 0.
        reference: the same of retain models; from two on there is a null.

    Returns:
        p-values of all pairs.

    Raises:
        TypeError: when ratios are not real numbers.
        ValueError: when they are not finite and above 0, or questions differ.

    References:
        As for `truth_ratio`.
    """
    first, second = check_populations(submission, reference)
    for side, name in ((first, "submission"), (second, "reference")):
        if side.min() <= 0.0:
            raise ValueError(f"{name}: expected truth ratios above 0, found {side.min():g}")
    m = len(second)
    pairs = [(i, j) for i in range(m) for j in range(i)]
    null_paired = np.array([_paired(second[i], second[j]) for i, j in pairs])
    return ForgetQuality(
        ks=np.array([[_ks(a, b) for b in second] for a in first]),
        paired=np.array([[_paired(a, b) for b in second] for a in first]),
        null_ks=np.array([_ks(second[i], second[j]) for i, j in pairs]),
        null_paired=null_paired,
        rejected=float((null_paired <= 0.05).mean()) if pairs else 0.0,
        questions=first.shape[1],
        assumptions=(
            "Kolmogorov-Smirnov: questions of both are independent samples (they are not)",
            "paired: questions are independent, and the two models are all there is",
        ),
        warnings=() if pairs else ("a single retain model has no null: train more",),
    )
