"""U-LiRA: can each example's unlearned models be told from models that never saw it?"""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from jaxtyping import Float, Num
from scipy.special import logsumexp

from estimators.checks import check_seed, check_within
from estimators.kinds import check_name
from estimators.scores._populations import check_magnitude, check_populations, least_deviation
from estimators.scores._score import Score, scored

if TYPE_CHECKING:
    import pandas as pd

Density = Literal["gaussian", "kde"]
Negatives = Literal["retrained", "unlearned elsewhere"]


def _moments(fit: Float[np.ndarray, "n e"], floor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return fit.mean(axis=0), np.maximum(fit.std(axis=0, ddof=1), floor)


def _moments_without(
    fit: Float[np.ndarray, "n e"], floor: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of the other rows, for each row."""
    n = len(fit)
    away = fit - fit.mean(axis=0)
    squares = (away**2).sum(axis=0) - away**2 * n / (n - 1)
    deviation = np.sqrt(np.maximum(squares, 0.0) / (n - 2))
    return fit.mean(axis=0) - away / (n - 1), np.maximum(deviation, floor)


def _log_gaussian(at: np.ndarray, mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    return -0.5 * ((at - mean) / deviation) ** 2 - np.log(deviation)


def _log_kernel(
    at: Float[np.ndarray, "k e"],
    fit: Float[np.ndarray, "n e"],
    width: np.ndarray,
    *,
    own: bool,
) -> np.ndarray:
    """Log of the Gaussian kernel density, up to a constant of both sides; own rows left out."""
    width = np.broadcast_to(width, at.shape)
    found = np.empty(at.shape)
    for j in range(at.shape[1]):
        terms = -0.5 * ((at[:, j, None] - fit[None, :, j]) / width[:, j, None]) ** 2
        if own:
            np.fill_diagonal(terms, -np.inf)
        found[:, j] = logsumexp(terms, axis=1)
    return found - np.log(len(fit) - own) - np.log(width)


def ulira_log_ratios(
    submission: Num[Any, "n ..."],
    reference: Num[Any, "m ..."],
    *,
    density: Density = "gaussian",
) -> tuple[Float[np.ndarray, "n e"], Float[np.ndarray, "m e"]]:
    """Log-likelihood ratio, submission to reference, of each model on each example.

    Each model is scored by densities fitted to all others, never to itself: in-sample scores call
    equal populations different. Deviations are at least a thousandth of the range of both sides.

    Args:
        submission: logit-scaled confidences, ``[models, examples]``, at least 3 models.
        reference: the same of the reference.
        density: "gaussian", or "kde" with Gaussian kernels of Scott's width.

    Returns:
        Ratios of the submission's models and of the reference's; positive says submission.

    Raises:
        TypeError: when confidences are not real numbers.
        ValueError: when they are not finite, over 1e150 in size, examples differ, or models are
            fewer than 3.
    """
    check_name(density, "density", get_args(Density))
    first, second = check_populations(submission, reference, least=3)
    check_magnitude(submission=first, reference=second)
    floor = least_deviation(first, second)
    ours, theirs = _moments(first, floor), _moments(second, floor)
    ours_without, theirs_without = _moments_without(first, floor), _moments_without(second, floor)
    if density == "gaussian":
        return (
            _log_gaussian(first, *ours_without) - _log_gaussian(first, *theirs),
            _log_gaussian(second, *ours) - _log_gaussian(second, *theirs_without),
        )
    # Both sides get Scott's factor of the smaller, as fewer models alone make a density flatter.
    narrow = min(len(first), len(second)) ** -0.2
    return (
        _log_kernel(first, first, narrow * ours_without[1], own=True)
        - _log_kernel(first, second, narrow * theirs[1], own=False),
        _log_kernel(second, first, narrow * ours[1], own=False)
        - _log_kernel(second, second, narrow * theirs_without[1], own=True),
    )


def _accuracy(ours: Float[np.ndarray, "n e"], theirs: Float[np.ndarray, "m e"]) -> np.ndarray:
    right = (ours > 0.0).mean(axis=0) + (theirs < 0.0).mean(axis=0)
    ties = (ours == 0.0).mean(axis=0) + (theirs == 0.0).mean(axis=0)
    return right / 2.0 + ties / 4.0


def _tpr(
    ours: Float[np.ndarray, "n e"], theirs: Float[np.ndarray, "m e"], fpr: float
) -> np.ndarray:
    """Share of ours above the least of theirs that at most a share fpr of theirs exceeds."""
    m = len(theirs)
    bar = np.sort(theirs, axis=0)[int(np.ceil(m * (1.0 - fpr) * (1.0 - 1e-12))) - 1]
    return (ours > bar).mean(axis=0)


def ulira_per_example(
    submission: Num[Any, "n ..."],
    reference: Num[Any, "m ..."],
    *,
    density: Density = "gaussian",
    fpr: float | None = None,
) -> Float[np.ndarray, " e"]:
    """Balanced accuracy on each example, or the true positive rate at a false positive rate.

    Args:
        submission: as for `ulira`.
        reference: as for `ulira`.
        density: as for `ulira`.
        fpr: None for the accuracy (ties counted half); a rate in (0, 1) for the other.

    Returns:
        ``[examples]``, in [0, 1].

    Raises:
        TypeError: as for `ulira`.
        ValueError: as for `ulira`.
    """
    if fpr is not None:
        check_within("(0, 1)", fpr=fpr)
    ratios = ulira_log_ratios(submission, reference, density=density)
    return _accuracy(*ratios) if fpr is None else _tpr(*ratios, fpr)


def ulira_value(
    submission: Num[Any, "n ..."],
    reference: Num[Any, "m ..."],
    *,
    density: Density = "gaussian",
    fpr: float | None = None,
) -> Float[np.ndarray, ""]:
    """Mean over examples of `ulira_per_example`, as a plain number; see `ulira`."""
    each = ulira_per_example(submission, reference, density=density, fpr=fpr)
    return np.asarray(each.mean())


@dataclass(frozen=True, eq=False)
class ULiRAScore(Score):
    """The attack's mean success over examples, and on each.

    Attributes:
        per_example: its success on each example, [examples].
        negatives: what the reference's models are, as declared.
    """

    per_example: Float[np.ndarray, " e"]
    negatives: Negatives

    def examples(self) -> "pd.DataFrame":
        """A row for each example: the attack's success."""
        import pandas as pd

        columns = {"example": np.arange(self.per_example.size), "success": self.per_example}
        return pd.DataFrame(columns)


def ulira(
    submission: Num[Any, "n ..."],
    reference: Num[Any, "m ..."],
    *,
    seed: int,
    density: Density = "gaussian",
    negatives: Negatives = "retrained",
    fpr: float | None = None,
    confidence: float = 0.95,
    paired: bool = False,
) -> ULiRAScore:
    """U-LiRA's success at telling unlearned models from models that never saw an example.

    For each example, densities of its logit-scaled confidence under both populations make a
    likelihood ratio; success is the balanced accuracy of its sign on models left out of the fit.
    Published implementations disagree in three ways, each a named option here.

    Args:
        submission: models that trained on the examples and unlearned them, ``[models, examples]``.
        reference: models that never saw them.
        seed: of the interval's resamples.
        density: "gaussian" (Hayes et al.), "kde" (RULI).
        negatives: a declaration, which the result repeats: whether the reference's models are
            "retrained" only (Apollo), or went through unlearning of other examples too,
            "unlearned elsewhere" (DeepUnlearn).
        fpr: None for the accuracy; a rate for the true positive rate there (RULI: 0.01 and 0.001,
            which say nothing with fewer than 100 and 1000 models).
        confidence: of the interval.
        paired: whether row i of both comes from the same seed.

    Returns:
        Mean success over examples, with an interval.

    Raises:
        TypeError: when confidences are not real numbers.
        ValueError: when they are not finite, examples differ, models are fewer than 3, or a number
            is out of range.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> rng = np.random.default_rng(0)
        >>> ours, theirs = rng.normal(2.0, 1.0, (200, 50)), rng.normal(size=(200, 50))
        >>> print(estimators.scores.ulira(ours, theirs, seed=0).estimate.round(2))
        0.84

    References:
        Hayes et al. (2024), Inexact unlearning needs more careful evaluations to avoid a false
        sense of privacy, https://arxiv.org/abs/2403.01218.
    """
    seed = check_seed(seed)
    check_name(negatives, "negatives", get_args(Negatives))
    first, second = check_populations(submission, reference, least=3)
    each = ulira_per_example(first, second, density=density, fpr=fpr)
    rare = fpr is not None and fpr * len(second) < 1.0
    return ULiRAScore(
        **scored(
            partial(ulira_value, density=density, fpr=fpr),
            first,
            second,
            name=f"U-LiRA ({density}, negatives {negatives}), "
            + ("accuracy" if fpr is None else f"TPR at FPR {fpr:g}"),
            ideal=0.5 if fpr is None else fpr,
            limits=(0.0, 1.0),
            seed=seed,
            confidence=confidence,
            paired=paired,
            warnings=(f"{len(second)} negatives cannot show an FPR of {fpr:g}",) if rare else (),
        ),
        per_example=each,
        negatives=negatives,
    )
