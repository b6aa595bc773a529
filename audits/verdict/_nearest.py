"""Which reference is nearer, with its own confidence: a bootstrap over models."""

import math

import numpy as np
from jaxtyping import Float, Int

from audits.verdict._half_lines import divergence, masses_below
from audits.verdict._results import Nearest

DRAWS = 400
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
    once = tuple(np.ones((1, len(sample)), dtype=np.int64) for sample in samples)
    difference = float(_difference(samples, once, epsilon)[0])
    rng = np.random.default_rng(seed)
    rows = max(1, _MEMORY // sum(len(sample) for sample in samples))
    drawn = np.concatenate(
        [
            _difference(samples, tuple(_resample(len(s), size, rng) for s in samples), epsilon)
            for size in _chunks(DRAWS, rows)
        ]
    )
    tail = (1.0 - confidence) / 2.0
    # With one model there is nothing to draw anew: the interval says that nothing is known.
    alone = min(len(sample) for sample in samples) < 2
    low, high = (-1.0, 1.0) if alone else np.quantile(drawn, [tail, 1.0 - tail])
    low, high = min(float(low), difference), max(float(high), difference)
    reference = "untraining" if high < 0 else "unlearning" if low > 0 else None
    return Nearest(reference, difference, low, high, confidence, seed)


def _chunks(total: int, size: int) -> list[int]:
    return [min(size, total - start) for start in range(0, total, size)]


def _resample(models: int, draws: int, rng: np.random.Generator) -> Int[np.ndarray, "draws models"]:
    # Integers, not a multinomial: the same draws whatever the machine's mathematical library.
    chosen = rng.integers(models, size=(draws, models)) + models * np.arange(draws)[:, None]
    return np.bincount(chosen.ravel(), minlength=draws * models).reshape(draws, models)


def _difference(
    samples: tuple[np.ndarray, ...], counts: tuple[np.ndarray, ...], epsilon: float
) -> Float[np.ndarray, " draws"]:
    factor = math.exp(epsilon)
    weights = [count / count.shape[1] for count in counts]
    distances = np.zeros((2, len(counts[0])))
    for p, *references in masses_below(samples, weights):
        for distance, reference in zip(distances, references, strict=True):
            np.maximum(distance, np.max(divergence(p, reference, factor), axis=0), out=distance)
    return distances[0] - distances[1]
