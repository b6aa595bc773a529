"""Which reference is nearer, with its own confidence: a bootstrap over models."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from audits.resampling import batched_counts
from audits.verdict._half_lines import divergence, masses_below
from audits.verdict._results import Nearest

_DRAWS = 400
# Numbers held at once, a batch of draws with a number for each model.
_MEMORY = 2_000_000


def nearest(
    submission: Float[np.ndarray, "n observables"],
    untraining: Float[np.ndarray, "m observables"],
    unlearning: Float[np.ndarray, "k observables"],
    *,
    epsilon: float,
    confidence: float,
    seed: int,
) -> Nearest:
    """H(submission, untraining) - H(submission, unlearning), with a percentile interval.

    Whole models are drawn anew from each population, so observables of one model stay together,
    and the submission's draw is shared by both distances. H is the plug-in hockey-stick divergence
    over half-lines, the greatest over observables and directions. This is supporting evidence: the
    interval is a bootstrap's, right for many models and not at every number of them.

    Args:
        submission: observables of the submitted models.
        untraining: observables of the untraining reference.
        unlearning: observables of the unlearning reference.
        epsilon: the declared epsilon.
        confidence: of the interval.
        seed: of the resampling.

    Returns:
        The difference, its interval, and the nearer reference when the interval excludes 0.

    Example:
        >>> grid = np.linspace(-2, 2, 100)[:, None]
        >>> nearest(grid, grid, grid + 3, epsilon=0.0, confidence=0.95, seed=0).reference
        'untraining'

    References:
        Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 13.
    """
    samples = (submission, untraining, unlearning)
    sizes = [len(sample) for sample in samples]
    as_seen = [np.ones((1, size), dtype=np.int64) for size in sizes]
    difference = float(_difference(samples, as_seen, epsilon)[0])
    resampled = batched_counts(
        sizes, _DRAWS, np.random.default_rng(seed), batch=max(1, _MEMORY // sum(sizes))
    )
    differences = np.concatenate([_difference(samples, counts, epsilon) for counts in resampled])
    tail = (1.0 - confidence) / 2.0
    # With one model there is nothing to draw anew: the interval says that nothing is known.
    alone = min(sizes) < 2
    low, high = (-1.0, 1.0) if alone else np.quantile(differences, [tail, 1.0 - tail])
    low, high = min(float(low), difference), max(float(high), difference)
    reference = "untraining" if high < 0 else "unlearning" if low > 0 else None
    return Nearest(reference, difference, low, high, confidence, seed)


def _difference(
    samples: Sequence[np.ndarray], counts: Sequence[np.ndarray], epsilon: float
) -> Float[np.ndarray, " draws"]:
    """Distance to the first reference less distance to the second, for each row of counts."""
    factor = math.exp(epsilon)
    weights = [count / count.shape[1] for count in counts]
    distances = np.zeros((2, len(counts[0])))
    for p, *references in masses_below(samples, weights):
        for distance, reference in zip(distances, references, strict=True):
            np.maximum(distance, np.max(divergence(p, reference, factor), axis=0), out=distance)
    return distances[0] - distances[1]
