"""Epsilon from guessing which half of the batches was unlearned."""

from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int, Num, Shaped
from scipy.special import logsumexp

from estimators._results import ConfidenceInterval, Interval
from estimators.checks import check_array, check_confidence, check_delta, check_mask
from estimators.scores._populations import check_table, least_deviation

if TYPE_CHECKING:
    import pandas as pd

_GREATEST = 50.0


@dataclass(frozen=True, eq=False)
class SubsetEpsilon(Interval):
    """Lower bounds on epsilon between the outputs for two forget sets.

    Attributes:
        delta: the delta.
        bound: epsilon is at least this; 0 says nothing.
        published: the published bound, which counts guess sequences, with the same share for delta;
            never greater.
        confidence_interval: one-sided: ``low`` is the bound, ``high`` infinite.
        overlap: batches guessed rightly, on the average over runs.
        batches: how many batches there are, half of them unlearned.
        runs: runs guessed about.
        undetermined: true where even all guesses right could not lift the bound off 0.
    """

    delta: float
    bound: Float[np.ndarray, ""]
    published: Float[np.ndarray, ""]
    overlap: float
    batches: int
    runs: int
    undetermined: bool

    def _title(self) -> str:
        return (
            f"epsilon at delta = {self.delta:g} from guessing the forget set, {self.batches} "
            f"batches, {self.runs} runs, {100 * self.confidence_level:g} % lower bound by "
            f"{self.method}"
        )

    def to_dataframe(self) -> "pd.DataFrame":
        """One row: bound, published bound and the overlap behind them."""
        import pandas as pd

        row = {"epsilon": float(self.bound), "published": float(self.published)}
        seen = {name: np.nan if self.undetermined else value for name, value in row.items()}
        return pd.DataFrame([seen | {"overlap": self.overlap}])


def _ways(batches: int) -> Float[np.ndarray, " k"]:
    """Subsets that share k batches with a given one, for k from 0."""
    half = batches // 2
    return np.array([float(comb(half, k) ** 2) for k in range(half + 1)])


def _overlap_tails(
    epsilon: float, ways: Float[np.ndarray, " k"], delta: float
) -> Float[np.ndarray, " k"]:
    """Bounds on the chance of an overlap of k or more, for each k.

    Let W of the Z subsets be that near to the truth s. Indistinguishability of s and s' on the
    guesses near s and not near s', summed over all pairs of truths, gives
    ``(W e^eps + (Z - 1) delta) / (W e^eps + Z - W)``. For W = 1 it is attained: reveal the subset
    with chance delta, else answer at random with odds e^eps. A bound with ``(Z - 1) delta / Z``
    there is refuted by that mechanism.
    """
    subsets = ways.sum()
    near = np.cumsum(ways[::-1])[::-1]
    odds = near * np.exp(epsilon)
    found = (odds + (subsets - 1.0) * delta) / (odds + subsets - near)
    return np.minimum(found, 1.0)


def _total_tail(total: int, runs: int, tails: Float[np.ndarray, " k"]) -> float:
    """Greatest chance of a total overlap of at least this.

    The law with exactly these tails dominates each run's overlap, and runs are independent.
    """
    law = tails - np.append(tails[1:], 0.0)
    summed, power, left = np.ones(1), law, runs
    while left:
        if left & 1:
            summed = np.convolve(summed, power)
        left >>= 1
        if left:
            power = np.convolve(power, power)
    return float(summed[total:].sum())


def _least_epsilon(
    total: int, runs: int, ways: Float[np.ndarray, " k"], delta: float, alpha: float
) -> float:
    """Greatest epsilon, rounded down, at which so great an overlap is still improbable."""

    def possible(epsilon: float) -> bool:
        return _total_tail(total, runs, _overlap_tails(epsilon, ways, delta)) * (1.0 + 1e-9) > alpha

    low, high = 0.0, _GREATEST
    if possible(low):
        return 0.0
    if not possible(high):
        return high
    for _ in range(50):
        middle = (low + high) / 2.0
        low, high = (low, middle) if possible(middle) else (middle, high)
    return low


def _published(
    total: int, runs: int, ways: Float[np.ndarray, " k"], delta: float, alpha: float
) -> float:
    """From Chernoff's bound on the number of guess sequences of that overlap or more."""
    subsets = float(ways.sum())
    tilts = np.linspace(0.0, 50.0, 5001)[:, None]
    terms = np.log(ways) + tilts * (np.arange(ways.size) - total / runs)
    share = np.exp(np.log(alpha) / runs - np.asarray(logsumexp(terms, axis=1)).min())
    odds = (subsets - 1.0) * (share - delta) / (1.0 - share)
    return float(np.log(odds)) if odds > 1.0 else 0.0


def subset_guessing_epsilon(
    overlaps: Int[Any, " runs"],
    *,
    batches: int,
    delta: float = 0.0,
    confidence: float = 0.95,
) -> SubsetEpsilon:
    """Lower bound on epsilon from how many of the unlearned batches were guessed in each run.

    All batches were trained on; in each run a uniformly random half of them was unlearned, and the
    half was guessed from the result. If the outputs for any two forget sets are (epsilon,
    delta)-indistinguishable, great overlaps are improbable; the bound is the greatest epsilon
    rejected. No retrained model is needed, and none plays a part: this finds forgetting that
    depends on *which* half was forgotten, never a distance from models that did not see it.

    With two batches the bound is Clopper and Pearson's on the share of right guesses.

    Args:
        overlaps: batches guessed rightly in each run, from 0 to half of the batches.
        batches: how many there are, even, from 2 to 20.
        delta: in [0, 1).
        confidence: of the bound.

    Returns:
        The bound, and the published one, which is at most as great.

    Raises:
        ValueError: when numbers lie outside their range.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> found = estimators.scores.subset_guessing_epsilon(np.full(60, 1), batches=2)
        >>> share = 0.05 ** (1 / 60)
        >>> print(found.bound.round(2), np.log(share / (1 - share)).round(2))
        2.97 2.97
    """
    seen = check_array(overlaps, "overlaps")
    if batches % 2 or not 2 <= batches <= 20:
        raise ValueError(f"batches: expected an even number from 2 to 20, found {batches}")
    if not seen.size or seen.min() < 0 or seen.max() > batches // 2:
        raise ValueError(f"overlaps: expected numbers from 0 to {batches // 2}, one a run")
    alpha, level = 1.0 - check_confidence(confidence), float(check_delta(delta))
    ways, runs, total = _ways(batches), seen.size, int(seen.sum())
    bound = _least_epsilon(total, runs, ways, level, alpha)
    best = _least_epsilon(runs * (batches // 2), runs, ways, level, alpha)
    return SubsetEpsilon(
        delta=level,
        bound=np.asarray(bound),
        published=np.asarray(_published(total, runs, ways, level, alpha)),
        confidence_interval=ConfidenceInterval(np.asarray(bound), np.asarray(np.inf)),
        confidence_level=1.0 - alpha,
        overlap=float(seen.mean()),
        batches=batches,
        runs=runs,
        method="the law that dominates each run's overlap",
        assumptions=(
            "each run's half is drawn uniformly and independently",
            "guesses depend on the half through the run's output alone",
            "outputs for every two halves are (epsilon, delta)-indistinguishable, as claimed",
        ),
        warnings=(),
        undetermined=best <= 0.0,
    )


def guess_overlaps(
    observed: Num[Any, "runs ..."],
    forgotten: Shaped[Any, "runs batches"],
    extra: Num[Any, "more ..."],
    extra_forgotten: Shaped[Any, "more batches"],
) -> Int[np.ndarray, " runs"]:
    """Guesses each run's forgotten half by likelihood; how many of its batches were right.

    A Gaussian for each point and half, fitted to extra runs, which are not guessed about; the guess
    is the half of the greatest summed log-likelihood. Deviations are at least a thousandth of the
    point's range.

    Args:
        observed: confidence or loss of each point, ``[runs, points]``.
        forgotten: which batches each run unlearned, half of them.
        extra: the same as ``observed`` of the extra runs.
        extra_forgotten: the same as ``forgotten`` of the extra runs; every half at least twice.

    Returns:
        Overlaps, for `subset_guessing_epsilon`.

    Raises:
        TypeError: when observations are not real numbers.
        ValueError: when shapes do not fit, or a half has fewer than two extra runs.
    """
    fresh, more = check_table(observed, "observed"), check_table(extra, "extra")
    batches = np.shape(forgotten)[-1]
    truth = check_mask(forgotten, "forgotten", (len(fresh), batches))
    known = check_mask(extra_forgotten, "extra_forgotten", (len(more), batches))
    if fresh.shape[1] != more.shape[1]:
        raise ValueError(
            f"observed and extra: expected the same points, found {fresh.shape[1]} and "
            f"{more.shape[1]}"
        )
    for rows, name in ((truth, "forgotten"), (known, "extra_forgotten")):
        if batches % 2 or (rows.sum(axis=1) != batches // 2).any():
            raise ValueError(f"{name}: expected half of the batches in each run")
    halves, which, counts = np.unique(known, axis=0, return_inverse=True, return_counts=True)
    if len(halves) < comb(batches, batches // 2) or counts.min() < 2:
        raise ValueError("extra_forgotten: expected every half at least twice")
    floor = least_deviation(more)
    fits = [more[which.ravel() == half] for half in range(len(halves))]
    likelihood = np.stack(
        [
            (-0.5 * ((fresh - fit.mean(axis=0)) / deviation) ** 2 - np.log(deviation)).sum(axis=1)
            for fit in fits
            for deviation in [np.maximum(fit.std(axis=0, ddof=1), floor)]
        ]
    )
    return (halves[likelihood.argmax(axis=0)] & truth).sum(axis=1)
