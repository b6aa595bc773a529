"""Masses of all half-lines at once, under weights, for plug-in curves and resampling."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Num


def masses_below(
    samples: Sequence[Float[np.ndarray, "_ observables"]],
    weights: Sequence[Num[np.ndarray, "draws _"]],
) -> Iterator[tuple[Float[np.ndarray, "draws thresholds"], ...]]:
    """Weighted masses of several samples at or below every value that any of them takes.

    Args:
        samples: one array ``[models, observables]`` a population.
        weights: for each, the weight of each model in each draw, ``[draws, models]``.

    Yields:
        For each observable, one array ``[draws, thresholds]`` a population: the sum of the weights
        of its models at or below each threshold. Equal values share one threshold.
    """
    starts = np.cumsum([0, *(len(sample) for sample in samples)])
    for column in np.concatenate(list(samples)).T:
        order = np.argsort(column, kind="stable")
        ends = np.flatnonzero(np.append(np.diff(column[order]) > 0, True))
        masses: list[np.ndarray] = []
        for start, stop, weight in zip(starts[:-1], starts[1:], weights, strict=True):
            members = (order >= start) & (order < stop)
            running = np.zeros((len(weight), stop - start + 1), dtype=weight.dtype)
            np.cumsum(weight[:, order[members] - start], axis=1, out=running[:, 1:])
            masses.append(running[:, np.cumsum(members)[ends]])
        yield tuple(masses)


class Directions(NamedTuple):
    """Plug-in divergence of P from Q in both directions.

    Attributes:
        forward: sup over half-lines R of P(R) - c Q(R).
        backward: the same with P and Q exchanged.
    """

    forward: Float[np.ndarray, "..."]
    backward: Float[np.ndarray, "..."]


def divergence(
    p: Float[np.ndarray, "... thresholds"],
    q: Float[np.ndarray, "... thresholds"],
    factor: Float[np.ndarray, "..."] | float,
) -> Directions:
    """Greatest P(R) - c Q(R) and Q(R) - c P(R) over half-lines of both orientations.

    Args:
        p: distribution function of the first population at the thresholds.
        q: of the second.
        factor: c = e^epsilon, at least 1; broadcasts against the distribution functions.

    Returns:
        Numbers in [0, 1]; the empty event gives 0.
    """
    suprema: list[np.ndarray] = []
    for first, second in ((p, q), (q, p)):
        below = first - factor * second
        above = (1.0 - factor) - below
        suprema.append(np.maximum(np.maximum(below, above).max(axis=-1), 0.0))
    return Directions(*suprema)
