"""Min-k % membership scores of texts, and the PrivLeak made of them."""

from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Num, Shaped

from estimators.checks import (
    check_all_within,
    check_array,
    check_mask,
    check_numbers,
    check_samples,
    check_seed,
    check_within,
)
from estimators.scores._compared import auc_per_model
from estimators.scores._populations import check_populations
from estimators.scores._score import Score, scored

# Logarithms of probabilities that were rounded to a little over 1.
_ROUNDING = 1e-3


def min_k_score(
    log_probabilities: Num[Any, "n ..."], tokens: Num[Any, " _"], *, share: float = 0.4
) -> Float[np.ndarray, "n e"]:
    """Min-k %: mean log-probability of each text's least likely tokens; higher for members.

    Args:
        log_probabilities: of each token, ``[models, texts, positions]``; what lies beyond a text's
            end is not looked at.
        tokens: length of each text, at least 1.
        share: of the tokens, in (0, 1], at least one token; MUSE's PrivLeak has 0.4.

    Returns:
        ``[models, texts]``, at most 0.

    Raises:
        TypeError: when numbers are not real.
        ValueError: when they are not finite or above 0 (as losses and probabilities are), shapes
            do not fit, or a number is out of range.

    References:
        Shi et al. (2024), Detecting pretraining data from large language models,
        https://arxiv.org/abs/2310.16789.
    """
    array, lengths = (
        check_samples(log_probabilities, "log_probabilities"),
        check_array(tokens, "tokens"),
    )
    if array.ndim != 3 or lengths.shape != array.shape[1:2] or lengths.dtype.kind not in "iu":
        raise ValueError(
            f"log_probabilities and tokens: expected [models, texts, positions] and an integer for "
            f"each text, found shapes {array.shape} and {lengths.shape}"
        )
    if lengths.size == 0 or lengths.min() < 1 or lengths.max() > array.shape[2]:
        raise ValueError(f"tokens: expected lengths from 1 to {array.shape[2]}")
    check_within("(0, 1]", share=share)
    place = np.arange(array.shape[2])
    greatest = np.where(place < lengths[:, None], array, -np.inf).max()
    if greatest > _ROUNDING:
        raise ValueError(
            f"log_probabilities: expected numbers of at most 0, found {greatest:g}: hand over "
            "minus the losses, or the logarithms of the probabilities"
        )
    ordered = np.sort(np.where(place < lengths[:, None], array, np.inf), axis=2)
    counted = np.maximum((share * lengths).astype(np.int64), 1)
    kept = np.where(place < counted[:, None], ordered, 0.0)
    return kept.sum(axis=2) / counted


def membership_auc(
    forget: Float[np.ndarray, " n"],
    holdout: Float[np.ndarray, " m"],
    forget_counts: Int[np.ndarray, "draws n"] | None = None,
    holdout_counts: Int[np.ndarray, "draws m"] | None = None,
) -> Float[np.ndarray, " draws"]:
    """AUC of one model as MUSE has it: how often a forget text is less likely than a held-out one.

    Scores grow as a text gets less likely; ties count half. Below 0.5 the forget set is still the
    likelier one, at 0 every text of it. MUSE labels held-out texts 1 and forget texts 0; with
    scores that are higher for members (`min_k_score`) this is one minus `auc_per_model`, and
    open-unlearning logs one minus it too.

    Args:
        forget: scores of the forget texts.
        holdout: scores of the holdout texts.
        forget_counts: how often each text counts, a row a resampling; once by default.
        holdout_counts: the same for the holdout texts.

    Returns:
        One AUC a row.

    Raises:
        TypeError: when scores are not real numbers.
        ValueError: when a side has no text, scores are not finite or not of one axis, or counts
            are not whole numbers of at least 0, one a text, whose sum in each row is above 0.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> estimators.scores.membership_auc(np.array([1.0, 3.0]), np.array([2.0, 2.0, 3.0]))
        array([0.41666667])
    """
    forget, first = _texts(forget, forget_counts, "forget")
    holdout, second = _texts(holdout, holdout_counts, "holdout")
    if len(first) != len(second) and 1 not in (len(first), len(second)):
        raise ValueError(
            "forget_counts and holdout_counts: expected as many rows of each, found "
            f"{len(first)} and {len(second)}"
        )
    order = np.argsort(holdout)
    below = np.zeros((len(second), len(holdout) + 1))
    np.cumsum(second[:, order], axis=1, out=below[:, 1:])
    places = [np.searchsorted(holdout[order], forget, side=side) for side in ("left", "right")]
    wins = 0.5 * (below[:, places[0]] + below[:, places[1]])
    return (first * wins).sum(axis=1) / (first.sum(axis=1) * second.sum(axis=1))


def _texts(scores: Any, counts: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The scores of texts, and how often each counts, ``[draws, texts]``."""
    found = check_numbers(scores, name)
    if found.ndim != 1 or not found.size:
        raise ValueError(f"{name}: expected a number for each text, found shape {found.shape}")
    if counts is None:
        return found, np.ones((1, found.size), dtype=np.int64)
    name = f"{name}_counts"
    times = check_array(counts, name)
    if times.dtype.kind not in "iu":
        raise TypeError(f"{name}: expected whole numbers, found dtype {times.dtype}")
    if times.ndim != 2 or times.shape[1] != found.size:
        raise ValueError(f"{name}: expected [draws, {found.size}], found shape {times.shape}")
    if (times < 0).any() or not times.any(axis=1).all():
        raise ValueError(f"{name}: expected numbers of at least 0, and one above 0 in each row")
    return found, times


def privleak_percent(
    own: float | Float[np.ndarray, "*n"], reference: float | Float[np.ndarray, "*n"]
) -> float | Float[np.ndarray, "*n"]:
    """``100 (own - reference) / reference`` of two `membership_auc`: -100 exactly where own is 0.

    Args:
        own: AUC of submitted models, in [0, 1].
        reference: AUC of the reference's, in (0, 1].

    Returns:
        Per cent, at least -100.

    Raises:
        TypeError: when an AUC is no real number.
        ValueError: when one lies outside its range, or shapes differ.

    Example:
        >>> from indist import estimators
        >>> estimators.scores.privleak_percent(0.25, 0.5)
        -50.0
    """
    first, second = check_numbers(own, "own"), check_numbers(reference, "reference")
    check_all_within("[0, 1]", own=first)
    check_all_within("(0, 1]", reference=second)
    if first.ndim and second.ndim and first.shape != second.shape:
        raise ValueError(
            f"own and reference: expected the same shape, found {first.shape} and {second.shape}"
        )
    percent = np.asarray(100.0 * ((first - second) / second))
    return percent if percent.ndim else float(percent)


def privleak_value(
    submission: Num[Any, "n ..."], reference: Num[Any, "m ..."], *, member: Shaped[Any, " e"]
) -> Float[np.ndarray, ""]:
    """PrivLeak as a plain number; see `privleak`."""
    first, second = check_populations(submission, reference)
    # `membership_auc` of each model: these scores are higher for members.
    own, bar = (float((1.0 - auc_per_model(side, member)).mean()) for side in (first, second))
    if not bar > 0.0:
        raise ValueError(
            "reference: expected a forget text less likely than a held-out one, found none: its "
            "AUC is 0"
        )
    return np.asarray(privleak_percent(own, bar))


def privleak(
    submission: Num[Any, "n ..."],
    reference: Num[Any, "m ..."],
    *,
    member: Shaped[Any, " e"],
    seed: int,
    confidence: float = 0.95,
    paired: bool = False,
) -> Score:
    """MUSE's PrivLeak, ``100 (AUC - AUC of retrained) / AUC of retrained``, with an interval.

    Each AUC is a `membership_auc`. Below 0 the forget set is likelier, more like members, than it
    should be (an original that remembers all of it has -100), above 0 less likely. The published
    reference is one number from a table, without error; here it is the mean over retrained models.

    Args:
        submission: membership scores (`min_k_score`), ``[models, texts]``, higher for members.
        reference: the same of models retrained without the forget set.
        member: true for texts of the forget set, false for held-out texts.
        seed: of the interval's resamples, of models and of texts of each kind.
        confidence: of the interval.
        paired: whether row i of both comes from the same seed.

    Returns:
        Per cent, at least -100.

    Raises:
        TypeError: when scores are not real numbers.
        ValueError: when they are not finite, shapes do not fit, or all texts are of one kind.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> member = np.array([True, True, False, False])
        >>> ours, theirs = np.tile([4.0, 3, 2, 1], (6, 1)), np.tile([2.0, 2, 2, 2], (6, 1))
        >>> print(estimators.scores.privleak(ours, theirs, member=member, seed=0).estimate)
        -100.0

    References:
        Shi et al. (2024), MUSE: machine unlearning six-way evaluation for language models,
        https://arxiv.org/abs/2407.06460.
    """
    seed = check_seed(seed)
    first, second = check_populations(submission, reference)
    inside = check_mask(member, "member", first.shape[1:])
    return Score(
        **scored(
            partial(privleak_value, member=inside),
            first,
            second,
            name="PrivLeak",
            ideal=0.0,
            limits=(-100.0, float("inf")),
            seed=seed,
            confidence=confidence,
            paired=paired,
            strata=inside.astype(np.int64),
        )
    )
