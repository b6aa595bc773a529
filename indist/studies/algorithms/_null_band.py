"""Distances to A(D∖B) beside those that two draws of A(D∖B) itself have."""

import math

import numpy as np
from jaxtyping import Float

from audits.verdict import divergence, masses_below

_SPLITS = 500


def distance(
    first: Float[np.ndarray, "n observables"],
    second: Float[np.ndarray, "m observables"],
    epsilon: float,
) -> float:
    """Plug-in hockey-stick divergence over half-lines: greatest over observables and directions."""
    weights = [np.full((1, len(sample)), 1.0 / len(sample)) for sample in (first, second)]
    return float(_distances((first, second), weights, epsilon)[0])


def null_distances(
    first: Float[np.ndarray, "n observables"],
    second: Float[np.ndarray, "n observables"],
    epsilon: float,
    seed: int,
) -> Float[np.ndarray, " splits"]:
    """`distance` between the halves of random splits of two draws of one law.

    Args:
        first: observables of the models of one draw.
        second: of the other, as many.
        epsilon: of the divergence.
        seed: of the splits.
    """
    pooled = np.concatenate([first, second])
    half = len(first)
    order = np.random.default_rng(seed).random((_SPLITS, 2 * half)).argsort(axis=1)
    one_half = (order < half) / half
    return _distances((pooled, pooled), [one_half, 1.0 / half - one_half], epsilon)


def _distances(
    samples: tuple[np.ndarray, np.ndarray], weights: list[np.ndarray], epsilon: float
) -> np.ndarray:
    sides = [divergence(p, q, math.exp(epsilon)) for p, q in masses_below(samples, weights)]
    return np.max([distances for pair in sides for distances in pair], axis=0)


def over_sign(margins: Float[np.ndarray, " n"], reference: Float[np.ndarray, " m"]) -> str:
    """``over``: the median is below the reference's 1 % quantile; ``under``: above its 99 %.

    Args:
        margins: median margin of each model on S.
        reference: the same of A(D∖B).
    """
    low, high = np.quantile(reference, [0.01, 0.99])
    middle = np.median(margins)
    return "over" if middle < low else "under" if middle > high else "level"
