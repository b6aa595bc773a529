"""The 2023 unlearning competition's epsilon, forgetting quality and final score."""

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float, Num

from estimators.checks import check_delta, check_seed, check_within
from estimators.scores._populations import check_populations, check_sides
from estimators.scores._score import Score, scored

if TYPE_CHECKING:
    import pandas as pd

CAP = 50.0
_PER_UNIT = 100
_BUFFER = 2.0
_BIN = 0.5
# Thresholds over 4 units at 100 a unit. The published count is 400 or 401 by rounding.
_SIDE = int(2 * _BUFFER * _PER_UNIT)


@lru_cache(maxsize=32)
def _epsilons(positives: int, negatives: int, delta: float) -> Float[np.ndarray, " counts"]:
    """Epsilon of a rule by its false negatives and false positives; minus infinity: discarded."""
    fnr = np.arange(positives + 1)[:, None] / positives
    fpr = np.arange(negatives + 1)[None, :] / negatives
    with np.errstate(divide="ignore", invalid="ignore"):
        forward = np.log(1.0 - delta - fpr) - np.log(fnr)
        backward = np.log(1.0 - delta - fnr) - np.log(fpr)
    greater = np.fmax(forward, backward)
    table = np.where(np.isnan(greater), -np.inf, np.clip(greater, 0.0, CAP))
    table[0, :] = table[:, 0] = -np.inf
    table[0, 0] = CAP
    return table.ravel()


def _single(positive: Float[np.ndarray, " n"], negative: Float[np.ndarray, " m"]) -> np.ndarray:
    """False negatives and false positives of ``predict positive at t or above``, as one index."""
    low = min(positive[0], negative[0])
    high = max(positive[-1], negative[-1])
    bars = np.linspace(low, high, int(np.ceil((high - low) * _PER_UNIT)))
    missed = np.searchsorted(positive, bars)
    alarms = negative.size - np.searchsorted(negative, bars)
    return missed * (negative.size + 1) + alarms


def _runs(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and last index of each run of equal rows."""
    first = np.flatnonzero(np.r_[True, (np.diff(counts, axis=0) != 0).any(axis=1)])
    return first, np.r_[first[1:], len(counts)] - 1


def _double(peaked: Float[np.ndarray, " n"], other: Float[np.ndarray, " m"]) -> np.ndarray:
    """The same for ``predict the more peaked side within [l, r]``, as one index.

    Right and left thresholds lie on one lattice: l of rule (i, j) is its point i + j. Thresholds
    between the same neighbours make the same rule, so each run of them is looked at once.
    """
    width = peaked[-1] - peaked[0]
    step = 2.0 * _BUFFER / (_SIDE - 1)
    rights = peaked[-1] - _BUFFER + step * np.arange(_SIDE)
    lefts = peaked[-1] - width - 2.0 * _BUFFER + step * np.arange(2 * _SIDE - 1)
    sides = (peaked, other)
    below = np.stack([np.searchsorted(side, rights, side="right") for side in sides], axis=1)
    under = np.stack([np.searchsorted(side, lefts) for side in sides], axis=1)
    (first, last), (left, right) = _runs(below), _runs(under)
    met = (left <= last[:, None] + _SIDE - 1) & (right >= first[:, None])
    rows, columns = np.nonzero(met)
    inside = np.maximum(below[first[rows]] - under[left[columns]], 0)
    return (peaked.size - inside[:, 0]) * (other.size + 1) + inside[:, 1]


def _epsilon(ours: Float[np.ndarray, " n"], theirs: Float[np.ndarray, " m"], delta: float) -> float:
    """Epsilon of one example from sorted confidences; minus infinity: no rule is left."""
    spans = ours[-1] - ours[0], theirs[-1] - theirs[0]
    if min(spans) < 0.01 * max(spans):
        return CAP
    positive, negative = (ours, theirs)
    if np.median(theirs) > np.median(ours):
        positive, negative = theirs, ours
    peaked, other = positive, negative
    if positive[-1] - positive[0] >= negative[-1] - negative[0]:
        peaked, other = negative, positive
    best = -np.inf
    for rules, inside, outside in (
        (_single(positive, negative), positive, negative),
        (_double(peaked, other), peaked, other),
    ):
        found = _epsilons(inside.size, outside.size, delta)[rules]
        best = max(best, float(found.max(initial=-np.inf)))
    return best


def competition_epsilon(
    submission: Num[Any, "n ..."], reference: Num[Any, "m ..."], *, delta: float = 1e-5
) -> Float[np.ndarray, " e"]:
    """The published epsilon of each example: the greatest of many threshold rules, at most 50.

    Of a rule with false positive rate a and false negative rate b among the models it is
    ``max(ln((1 - delta - a) / b), ln((1 - delta - b) / a))``, at least 0; a rule that errs on one
    side alone is discarded, one that never errs counts 50. It is a plug-in estimate maximised over
    thousands of rules, not a bound: for two equal populations it is well above 0.

    Args:
        submission: logit-scaled confidences, ``[models, examples]``.
        reference: the same of the reference.
        delta: in [0, 1); 1e-5 is published.

    Returns:
        ``[examples]``, in [0, 50]; minus infinity where no rule is left, which the published code
        stops at.

    Raises:
        TypeError: when confidences are not real numbers.
        ValueError: when they are not finite, their examples differ, or delta is out of range.

    References:
        Triantafillou et al. (2024), Are we making progress in unlearning? Findings from the first
        NeurIPS unlearning competition, https://arxiv.org/abs/2406.09073, and its code,
        https://github.com/google-deepmind/unlearning_evaluation.
    """
    first, second = (np.sort(side, axis=0) for side in check_populations(submission, reference))
    level = float(check_delta(delta))
    pairs = zip(np.ascontiguousarray(first.T), np.ascontiguousarray(second.T), strict=True)
    return np.array([_epsilon(ours, theirs, level) for ours, theirs in pairs])


def _bins(models: int) -> int:
    return int(2 * np.ceil(np.log(models - 1)))


def _quality(epsilon: Float[np.ndarray, " e"], models: int) -> Float[np.ndarray, ""]:
    usable = epsilon[np.isfinite(epsilon)]
    if not usable.size:
        raise ValueError(
            "submission and reference: expected an example with a rule that errs on both sides or "
            "on neither, found none"
        )
    bins = np.floor(usable / _BIN)
    return np.asarray(np.where(bins < _bins(models), 0.5**bins, 0.0).mean())


def forgetting_quality(
    submission: Num[Any, "n ..."], reference: Num[Any, "m ..."], *, delta: float = 1e-5
) -> Float[np.ndarray, ""]:
    """The published forgetting quality alone, as a plain number; see `competition`."""
    epsilon = competition_epsilon(submission, reference, delta=delta)
    models = min(np.shape(submission)[0], np.shape(reference)[0])
    if models < 3:
        raise ValueError(f"submission and reference: expected at least 3 models, found {models}")
    return _quality(epsilon, models)


@dataclass(frozen=True, eq=False)
class CompetitionScore(Score):
    """Forgetting quality, and the epsilons it is made of.

    Attributes:
        epsilon: of each example, [examples]; see `unusable`.
        ceiling_epsilon: the greatest epsilon short of perfect separation at these sizes.
        unusable: examples without a usable rule, left out of the quality.
    """

    epsilon: Float[np.ndarray, " e"]
    ceiling_epsilon: float
    unusable: Bool[np.ndarray, " e"]

    def examples(self) -> "pd.DataFrame":
        """A row for each example: its epsilon, missing where no rule is usable."""
        import pandas as pd

        epsilon = np.where(self.unusable, np.nan, self.epsilon)
        return pd.DataFrame({"example": np.arange(epsilon.size), "epsilon": epsilon})


def competition(
    submission: Num[Any, "n ..."],
    reference: Num[Any, "m ..."],
    *,
    seed: int,
    delta: float = 1e-5,
    confidence: float = 0.95,
    paired: bool = False,
) -> CompetitionScore:
    """Forgetting quality of the 2023 competition, with an interval.

    Epsilons (`competition_epsilon`) fall in bins of width 1/2 from 0 to ``ceil(ln(N - 1))``; bin k
    earns ``2**-k``, what lies beyond earns nothing; the quality is the mean over examples. Even a
    perfect unlearner's is below 1, by far, and depends on N: only its null (`calibrate`) says what
    a value means.

    Args:
        submission: logit-scaled confidences on the forget set, ``[models, examples]``; published
            with 512 models.
        reference: the same of the models that stand for success.
        seed: of the interval's resamples.
        delta: in [0, 1); 1e-5 is published.
        confidence: of the interval.
        paired: whether row i of both comes from the same seed.

    Returns:
        Quality in [0, 1] with an interval for its mean over fresh models at these numbers of them.

    Raises:
        TypeError: when confidences are not real numbers.
        ValueError: when they are not finite, examples differ, or models are fewer than 3.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> rng = np.random.default_rng(0)
        >>> ours, theirs = rng.normal(size=(64, 20)), rng.normal(size=(64, 20))
        >>> same = estimators.scores.competition(ours, theirs, seed=0)
        >>> bool(0.02 < same.estimate < 0.4)
        True

    References:
        As for `competition_epsilon`.
    """
    seed = check_seed(seed)
    first, second = check_populations(submission, reference, least=3)
    epsilon = competition_epsilon(first, second, delta=delta)
    unusable = ~np.isfinite(epsilon)
    models = min(len(first), len(second))
    lost = int(unusable.sum())
    return CompetitionScore(
        **scored(
            partial(forgetting_quality, delta=delta),
            first,
            second,
            name="forgetting quality",
            ideal=1.0,
            limits=(0.0, 1.0),
            seed=seed,
            confidence=confidence,
            paired=paired,
            warnings=(f"examples left out, without a usable rule: {lost}",) if lost else (),
        ),
        epsilon=np.where(unusable, 0.0, epsilon),
        ceiling_epsilon=float(np.log((1.0 - delta) * models - 1.0)),
        unusable=unusable,
    )


def final_score(
    quality: float | Float[np.ndarray, ""],
    *,
    retain: tuple[Num[Any, " _"], Num[Any, " _"]],
    test: tuple[Num[Any, " _"], Num[Any, " _"]],
) -> float:
    """The competition's final score: quality times both ratios of accuracy.

    ``F * (retain of submission / of reference) * (test of submission / of reference)``, from mean
    accuracies over models. Nothing caps the ratios at 1, as published.

    Args:
        quality: forgetting quality, in [0, 1].
        retain: accuracy, in [0, 1], on the retain set of each model of the submission and of the
            reference.
        test: the same on the test set.

    Returns:
        The score.

    Raises:
        TypeError: when quality or an accuracy is no real number, or a pair is none.
        ValueError: when one lies outside its range, or a reference's mean accuracy is 0.
    """
    check_within("[0, 1]", quality=quality)
    value = float(quality)
    for name, pair in (("retain", retain), ("test", test)):
        ours, theirs = check_sides(pair, name)
        bar = float(np.mean(theirs))
        if not bar > 0.0:
            raise ValueError(f"{name}: expected a reference accuracy above 0, found {bar:g}")
        value *= float(np.mean(ours)) / bar
    return value
