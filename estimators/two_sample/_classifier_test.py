"""A classifier two-sample test whose law is exactly binomial."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import special, stats


@dataclass(frozen=True)
class PairContest:
    """Held-out pairs, one model from each sample, and how often the classifier ordered them right.

    Attributes:
        wins: pairs in which the first sample's model scored higher.
        losses: pairs in which it scored lower.
        ties: pairs with equal scores, left out of the p-value.
    """

    wins: int
    losses: int
    ties: int

    @property
    def share(self) -> float:
        """Share of pairs won, a tie as half: the classifier's AUC, estimated; 0.5 without pairs."""
        pairs = self.wins + self.losses + self.ties
        return (self.wins + self.ties / 2) / pairs if pairs else 0.5

    @property
    def pvalue(self) -> float:
        """Chance of at least so many wins in as many tosses of a fair coin."""
        return float(stats.binom.sf(self.wins - 1, self.wins + self.losses, 0.5))


def classifier_contest(
    p: Float[np.ndarray, "n observables"], q: Float[np.ndarray, "m observables"], seed: int
) -> PairContest:
    r"""Trains on one half, and lets the other half's models meet in pairs, one from each sample.

    When the two samples have one law, swapping the models of a pair changes nothing but the winner,
    so wins among decided pairs are Binomial(1/2), exactly, for any classifier, at unequal sizes and
    with ties. (The share of right labels is binomial only at equal sizes and an even threshold.)

    The classifier is a linear discriminant with Ledoit-Wolf shrinkage on the normal scores of each
    observable's pooled ranks and on their squares, so that it sees shifts and changes of scale.

    Args:
        p: first sample.
        q: second sample.
        seed: of the split and of the pairing.

    Returns:
        The outcome over ``min(n, m) // 2`` pairs; all other models train.

    References:
        Lopez-Paz and Oquab (2017), "Revisiting classifier two-sample tests" (for the share of
        right labels). https://arxiv.org/abs/1610.06545
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    rng = np.random.default_rng(seed)
    pairs = min(len(p), len(q)) // 2
    features = _features(np.concatenate([p, q]))
    first, second = rng.permutation(features[: len(p)]), rng.permutation(features[len(p) :])
    train = np.concatenate([first[pairs:], second[pairs:]])
    labels = np.arange(len(train)) < len(first) - pairs
    if not pairs or not np.ptp(train, axis=0).any():
        return PairContest(0, 0, pairs)
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=[0.5, 0.5])
    direction = model.fit(train, labels).coef_[0]
    # Sums along rows, unlike a matrix product, give equal rows equal scores.
    difference = (first[:pairs] * direction).sum(1) - (second[:pairs] * direction).sum(1)
    return PairContest(
        int((difference > 0).sum()), int((difference < 0).sum()), int((difference == 0).sum())
    )


def _features(
    pooled: Float[np.ndarray, "models observables"],
) -> Float[np.ndarray, "models features"]:
    ranks = stats.rankdata(pooled, axis=0)
    scores = special.ndtri((ranks - 0.5) / len(pooled))
    return np.ascontiguousarray(np.concatenate([scores, scores**2], axis=1))
