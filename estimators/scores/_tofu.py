"""TOFU's truth ratio and forget quality."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from jaxtyping import Float, Num
from scipy.stats import ks_2samp, wilcoxon

from estimators._results import Result
from estimators.checks import check_counts, check_samples
from estimators.kinds import check_name
from estimators.scores._populations import check_populations

if TYPE_CHECKING:
    import pandas as pd

AUTHOR = 20
"""How many consecutive questions TOFU asks on each of its fictitious authors."""
_FEWEST = 10

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
        paired: Wilcoxon's signed ranks on the log ratios of the same questions, averaged over those
            of an author, [n, m].
        null_ks: the published, of each retain model against each other one, [pairs].
        null_paired: the paired, likewise, [pairs].
        rejected: share of the null pairs with a paired p-value of at most 0.05; above 0.05 by far
            when retain seeds differ by more than their authors' noise. NaN for fewer than 10
            independent draws.
        questions: how many there are.
        draws: how many independent draws they are for the paired test.
    """

    ks: Float[np.ndarray, "n m"]
    paired: Float[np.ndarray, "n m"]
    null_ks: Float[np.ndarray, " pairs"]
    null_paired: Float[np.ndarray, " pairs"]
    rejected: float
    questions: int
    draws: int

    def _title(self) -> str:
        return (
            f"forget quality, {self.ks.shape[0]} submitted models against {self.ks.shape[1]} "
            f"retain models, {self.questions} questions in {self.draws} independent draws"
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


def _paired(first: np.ndarray, second: np.ndarray, cluster: int) -> float:
    gaps = np.log(first) - np.log(second)
    gap = gaps.reshape(-1, cluster).mean(axis=1)
    if not gap.any():
        return 1.0
    return float(np.asarray(wilcoxon(gap))[1])


def _ks(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.asarray(ks_2samp(first, second))[1])


def _rejected(null: np.ndarray, draws: int) -> float:
    """The share of small p-values, undetermined where few of them could be small."""
    if draws < _FEWEST:
        return np.nan
    return float((null <= 0.05).mean()) if null.size else 0.0


def forget_quality(
    submission: Num[Any, "n ..."], reference: Num[Any, "m ..."], *, cluster: int | None = None
) -> ForgetQuality:
    """TOFU's forget quality, with a paired test and with retain models against one another.

    Published: the two-sample Kolmogorov-Smirnov p-value between truth ratios of one submitted and
    one retain model. It treats the same questions as independent samples, so that it hardly ever
    rejects; and one retain model is one draw: two of them differ, too. A high p-value proves
    nothing, and a p-value is no estimate, so there is no interval: compare with the null.

    Args:
        submission: truth ratios on the forget set, ``[models, questions]``, above 0.
        reference: the same of retain models; from two on there is a null.
        cluster: how many consecutive questions are one independent draw for the paired test, a
            divisor of their number. None takes 20, as TOFU asks on each author, where the number of
            questions is a multiple of that, and 1 elsewhere.

    Returns:
        p-values of all pairs. With questions as draws and strong effects of authors the paired test
        rejects equal models in most cases.

    Raises:
        TypeError: when ratios are not real numbers.
        ValueError: when they are not finite and above 0, questions differ, or the cluster does not
            divide their number.

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> forget_quality(rng.gamma(2, size=(1, 400)), rng.gamma(2, size=(2, 400))).draws
        20

    References:
        As for `truth_ratio`.
    """
    first, second = check_populations(submission, reference)
    for side, name in ((first, "submission"), (second, "reference")):
        if side.min() <= 0.0:
            raise ValueError(f"{name}: expected truth ratios above 0, found {side.min():g}")
    questions = first.shape[1]
    if cluster is None:
        cluster = 1 if questions % AUTHOR else AUTHOR
    check_counts(cluster=cluster)
    if questions % cluster:
        raise ValueError(f"cluster: expected a divisor of {questions} questions, found {cluster}")
    draws, m = questions // cluster, len(second)
    pairs = [(i, j) for i in range(m) for j in range(i)]
    few = (f"fewer than {_FEWEST} independent draws: what the paired test rejects says little",)
    null_paired = np.array([_paired(second[i], second[j], cluster) for i, j in pairs])
    return ForgetQuality(
        ks=np.array([[_ks(a, b) for b in second] for a in first]),
        paired=np.array([[_paired(a, b, cluster) for b in second] for a in first]),
        null_ks=np.array([_ks(second[i], second[j]) for i, j in pairs]),
        null_paired=null_paired,
        rejected=_rejected(null_paired, draws),
        questions=questions,
        draws=draws,
        assumptions=(
            "Kolmogorov-Smirnov: questions of both are independent samples (they are not)",
            f"paired: {'questions' if cluster == 1 else f'groups of {cluster} questions'} are "
            "independent, and the two models are all there is",
        ),
        warnings=(
            *(() if pairs else ("a single retain model has no null: train more",)),
            *(few if draws < _FEWEST else ()),
        ),
    )
