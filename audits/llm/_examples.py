"""Noise of the examples, the models held fixed: pairing, clusters, resampling and paired tests."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import norm, permutation_test, t, wilcoxon

from audits._reading import refuse
from audits.llm._log import LLMLog
from audits.llm._results import Draws
from audits.resampling import batched_counts

# With so many draws the ends of a 95 % interval vary by about 2 % of its width between seeds.
DRAWS = 2_000
# So many flips allow p-values down to 1e-4.
FLIPS = 9_999
_MEMORY = 4_000_000
# From fewer draws a percentile interval of their mean is too short by far, whatever widens it.
FEWEST = 10
# How many consecutive questions TOFU asks on each of its fictitious authors.
AUTHOR = 20
# Metrics that only TOFU's logs have, and splits whose questions are on real authors and on facts.
_TOFU = "forget/ln_truth_ratio_geometric"
NO_AUTHORS = ("real_authors/", "world_facts/", "ra_", "wf_")
# Squares of greater numbers, and sums of squares, are no numbers of float64.
_MOST = 1e140


class Paired(NamedTuple):
    """One metric of several models at the same examples.

    Attributes:
        ids: of the examples.
        values: ``[models, examples]``.
    """

    ids: tuple[str, ...]
    values: Float[np.ndarray, "models examples"]


def paired(logs: Sequence[LLMLog], metric: str) -> Paired:
    """A metric of all logs, example by example.

    Raises:
        SubmissionError: when a log lacks the metric or holds other examples than the first.
    """
    first = logs[0].scores.get(metric, {})
    for log in logs:
        if metric not in log.scores:
            refuse(log.path, f"metric {metric!r}: expected its value at each example, found none")
        others = log.scores[metric].keys() ^ first.keys()
        if others:
            refuse(
                log.path,
                f"metric {metric!r}: expected the {len(first)} examples of {logs[0].path}, found "
                f"{len(others)} in one of the two only, such as {min(others)!r}",
            )
    values = np.array([[log.scores[metric][at] for at in first] for log in logs])
    for log, row in zip(logs, np.abs(values), strict=True):
        if row.max() > _MOST:
            what = f"expected numbers up to {_MOST:g}, found {row.max():.3g}"
            refuse(log.path, f"metric {metric!r}: {what}")
    return Paired(tuple(first), values)


def rounding(values: Float[np.ndarray, "models examples"]) -> Float[np.ndarray, " examples"]:
    """Below which differences of these values at an example are rounding, and so none.

    Equal metrics that were summed in another order differ by a few units in their last place.

    Args:
        values: one metric of several models.

    Returns:
        A part in 10¹² of the greatest value at each example, and no less than eight units in the
        last place of the greatest at any.
    """
    size = np.abs(values).max(axis=0)
    return np.maximum(1e-12 * size, 8 * np.finfo(np.float64).eps * size.max())


def without_rounding(
    differences: Float[np.ndarray, " n"], least: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """Differences, with 0 in the place of those that are no greater than rounding."""
    return np.where(np.abs(differences) <= least, 0.0, differences)


def of_tofu(logs: Sequence[LLMLog]) -> bool:
    """Whether all logs are of TOFU, by the metrics that they hold."""
    return all(_TOFU in log.scores for log in logs)


def draws_of(
    logs: Sequence[LLMLog], metric: str, ids: Sequence[str], declared: int | None
) -> tuple[int, Draws]:
    """How many consecutive examples of a metric are one draw, and what such a draw is.

    TOFU's questions on its own authors stand author by author, numbered from 0, 20 on each. Where a
    log of TOFU holds another number of them, nothing tells whose they are.

    Args:
        logs: those that are compared.
        metric: of them.
        ids: of its examples.
        declared: a number for every metric, or None.

    Returns:
        The number, 1 where each example is a draw of its own; and its name.
    """
    numbered = {at.split()[0] for at in ids} == {str(at) for at in range(len(ids))}
    written = of_tofu(logs) and numbered and len(ids) % AUTHOR == 0
    authors = written and not metric.startswith(NO_AUTHORS)
    size = declared or (AUTHOR if authors else 1)
    if authors and size == AUTHOR:
        return size, "authors"
    return size, "examples" if size == 1 else "clusters"


def clusters(ids: Sequence[str], size: int) -> Int[np.ndarray, " examples"]:
    """The cluster of each example, 0 and up, when ``size`` consecutive indices belong together.

    Raises:
        ValueError: when there are clusters and an example's index is no whole number.
    """
    if size == 1:
        return np.arange(len(ids))
    try:
        blocks = np.array([int(at.split()[0]) // size for at in ids])
    except (ValueError, OverflowError):
        raise ValueError(
            f"cluster: expected 1 where examples are not numbered, found {size}"
        ) from None
    return np.unique(blocks, return_inverse=True)[1]


def resamplings(
    counts: Sequence[int], rng: np.random.Generator, *, width: int
) -> Iterator[list[Int[np.ndarray, "draws clusters"]]]:
    """How often each of so many clusters is drawn, `DRAWS` times over, some at a time.

    Args:
        counts: numbers of clusters; each is drawn from apart.
        rng: of the draws.
        width: how many numbers the caller holds for a draw, at least the clusters.

    Yields:
        An array for each count, all of the same number of draws.
    """
    yield from batched_counts(counts, DRAWS, rng, batch=max(1, _MEMORY // width))


def percentiles(
    drawn: Float[np.ndarray, " draws"], confidence: float, count: int
) -> tuple[float, float]:
    """The ends of an expanded percentile interval, no closer than the draws on either side.

    A bootstrap's spread is too small by the root of (n - 1) / n, and its quantiles are those of a
    normal law where Student's are due. The interval therefore takes tails that a normal law has
    beyond the root of n / (n - 1) times Student's quantile. For the mean of 10, 20 and 40 normal
    draws it then covers .944, .950 and .952 of the time at 95 % (without that .892, .924, .941);
    of exponential draws .911, .920 and .940, of log-normal ones .856, .896 and .904 (2,000
    simulations each): long tails on one side take more draws than these.

    Args:
        drawn: resampled statistics.
        confidence: of the interval.
        count: how many independent draws were resampled.

    Returns:
        Both ends; infinite for fewer than `FEWEST` draws.

    References:
        Hesterberg (2015), "What teachers should know about the bootstrap", section 5.3.
    """
    if count < FEWEST:
        return -np.inf, np.inf
    student = float(t.ppf(0.5 + confidence / 2.0, count - 1))
    tail = float(norm.sf(student * np.sqrt(count / (count - 1))))
    low = np.quantile(drawn, tail, method="lower")
    return float(low), float(np.quantile(drawn, 1.0 - tail, method="higher"))


class PairedTest(NamedTuple):
    """Paired differences of two models, or of two means of models.

    Attributes:
        difference: their mean over examples.
        low: lower end of a percentile bootstrap's interval, minus infinity for fewer than `FEWEST`
            clusters.
        high: upper end.
        sign_flip: p-value of the mean's permutation test, exact for differences that are
            symmetric about zero.
        wilcoxon: p-value of the signed-rank test, of the same hypothesis.
    """

    difference: float
    low: float
    high: float
    sign_flip: float
    wilcoxon: float


def least_flip(count: int) -> float:
    """The least p-value of the sign-flip test of so many clusters."""
    return max(1.0 / (1 + FLIPS), 2.0 / 2.0 ** min(count, 1000))


def paired_test(
    differences: Float[np.ndarray, " examples"],
    labels: Int[np.ndarray, " examples"],
    *,
    confidence: float,
    rng: np.random.Generator,
) -> PairedTest:
    """Tests whether paired differences are symmetric about zero, and bounds their mean.

    Both tests and the interval treat clusters as independent draws and the examples within one as
    they are. Where all sign flips are fewer than `FLIPS` they are enumerated.

    Args:
        differences: at each example.
        labels: the cluster of each example.
        confidence: of the interval.
        rng: of flips and resampling.

    Returns:
        The tests.

    References:
        Wilcoxon (1945), "Individual comparisons by ranking methods"; Fisher (1935), The Design of
        Experiments, section 21.
    """
    sizes = np.bincount(labels)
    # Differences that cancel within a cluster leave rounding, which is no difference.
    rounded = 1e-12 * np.bincount(labels, np.abs(differences))
    sums = without_rounding(np.bincount(labels, differences), rounded)
    mean = float(sums.sum() / sizes.sum())
    count = len(sums)
    if count == 1:
        return PairedTest(mean, -np.inf, np.inf, 1.0, 1.0)
    resampled = resamplings([count], rng, width=count)
    drawn = np.concatenate([(c @ sums) / (c @ sizes) for (c,) in resampled])
    low, high = percentiles(drawn, confidence, count)

    def distance(flips: np.ndarray, axis: int) -> np.ndarray:
        # Rounded, so that sums of the same numbers in another order are equal too.
        return np.asarray(np.abs(np.sum(flips, axis=axis)).round(10))

    flipped = permutation_test(
        (sums / (np.abs(sums).max() or 1.0),),
        distance,
        permutation_type="samples",
        vectorized=True,
        n_resamples=FLIPS,
        batch=max(1, _MEMORY // count),
        alternative="greater",
        rng=rng,
    )
    ranked: Any = wilcoxon(sums / sizes, zero_method="zsplit") if sums.any() else None
    return PairedTest(
        difference=mean,
        low=min(low, mean),
        high=max(high, mean),
        sign_flip=float(flipped.pvalue),
        wilcoxon=float(ranked.pvalue) if ranked else 1.0,
    )
