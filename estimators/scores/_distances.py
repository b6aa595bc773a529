"""Distances between predicted probabilities: activation distance, and ZRF to a random teacher."""

from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.special import rel_entr

from estimators.checks import check_seed
from estimators.scores._populations import check_probabilities
from estimators.scores._score import Score, scored


def _pairs(first: np.ndarray, second: np.ndarray) -> Float[np.ndarray, "n m"]:
    """Mean over examples of the distance of each pair of models."""
    return np.stack([np.linalg.norm(second - model, axis=2).mean(axis=1) for model in first])


def _check(submission: Any, reference: Any) -> tuple[np.ndarray, np.ndarray]:
    first = check_probabilities(submission, "submission")
    second = check_probabilities(reference, "reference")
    if first.shape[1:] != second.shape[1:]:
        raise ValueError(
            f"submission and reference: expected the same examples and classes, found "
            f"{first.shape[1:]} and {second.shape[1:]}"
        )
    return first, second


def activation_distance_value(
    submission: Float[np.ndarray, "n ..."], reference: Float[np.ndarray, "m ..."]
) -> Float[np.ndarray, ""]:
    """Mean activation distance as a plain number; see `activation_distance`."""
    return np.asarray(_pairs(*_check(submission, reference)).mean())


def activation_distance(
    submission: Float[np.ndarray, "n ..."],
    reference: Float[np.ndarray, "m ..."],
    *,
    seed: int,
    confidence: float = 0.95,
    paired: bool = False,
) -> Score:
    """Mean over examples and pairs of models of the 2-norm of the difference of probabilities.

    Published for one model of each side. Two retrained models are at a distance too, so equal
    populations are not at 0: what counts is the null of `calibrate`.

    Args:
        submission: class probabilities on the forget set, ``[models, examples, classes]``.
        reference: the same of the reference.
        seed: of the interval's resamples.
        confidence: of the interval.
        paired: whether row i of both comes from the same seed; only those pairs count then.

    Returns:
        The distance, in [0, sqrt 2], with an interval.

    Raises:
        ValueError: when shapes differ or probabilities are not what they should be.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> ours, theirs = np.full((5, 2, 2), 0.5), np.tile([1.0, 0.0], (6, 2, 1))
        >>> print(estimators.scores.activation_distance(ours, theirs, seed=0).estimate.round(3))
        0.707

    References:
        Golatkar, Achille and Soatto (2020), Eternal sunshine of the spotless net, and Chundawat et
        al. (2023), Can bad teaching induce forgetting?, https://arxiv.org/abs/2205.08096.
    """
    seed = check_seed(seed)
    first, second = _check(submission, reference)
    if paired and len(first) == len(second):
        pairs = np.linalg.norm(first - second, axis=2).mean(axis=1)
    else:
        pairs = _pairs(first, second)

    def over(ours: np.ndarray, theirs: np.ndarray) -> float:
        return float((pairs[ours] if paired else pairs[np.ix_(ours, theirs)]).mean())

    return Score(
        **scored(
            over,
            np.arange(len(first)),
            np.arange(len(second)),
            name="activation distance",
            ideal=0.0,
            limits=(0.0, float(np.sqrt(2.0))),
            seed=seed,
            confidence=confidence,
            paired=paired,
        )
    )


def zrf_per_model(
    probabilities: Float[np.ndarray, "n ..."], teachers: Float[np.ndarray, "t ..."]
) -> Float[np.ndarray, " n"]:
    """ZRF: one less the Jensen-Shannon divergence from randomly initialised models.

    In bits, so that it lies in [0, 1], averaged over examples and teachers. Retrained models do not
    predict like random ones: compare with the value under the reference, not with 1.

    Args:
        probabilities: of each class on the forget set, ``[models, examples, classes]``.
        teachers: the same of models with random parameters.

    Returns:
        ``[models]``, for `compared`.

    Raises:
        ValueError: when shapes differ or probabilities are not what they should be.

    References:
        Chundawat et al. (2023), Can bad teaching induce forgetting? Unlearning in deep networks
        using an incompetent teacher, https://arxiv.org/abs/2205.08096.
    """
    first, second = _check(probabilities, teachers)
    found = np.zeros(len(first))
    for teacher in second:
        middle = (first + teacher) / 2.0
        both = rel_entr(first, middle) + rel_entr(np.broadcast_to(teacher, first.shape), middle)
        found += both.sum(axis=2).mean(axis=1) / 2.0
    return 1.0 - found / (len(second) * np.log(2.0))
