"""Masses of all half-lines at once, under weights, for plug-in curves and resampling."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, Num


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


class Below(NamedTuple):
    """Counts of two populations at or below the values that either takes, a row an observable.

    Attributes:
        x: models of P.
        y: models of Q. Equal values share one threshold; the places that this leaves count none of
            either.
    """

    x: Int[np.ndarray, "observables places"]
    y: Int[np.ndarray, "observables places"]


def counts_below(
    first: Float[np.ndarray, "n observables"], second: Float[np.ndarray, "m observables"]
) -> Below:
    """`masses_below` for models that all weigh the same, all observables at once.

    Args:
        first: observables of the models of P.
        second: of Q.

    Returns:
        The counts.
    """
    values = np.concatenate([first, second]).T
    order = np.argsort(values, axis=1)
    values = np.take_along_axis(values, order, axis=1)
    last = np.ones(values.shape, dtype=bool)
    last[:, :-1] = values[:, 1:] > values[:, :-1]
    x = np.cumsum(order < len(first), axis=1)
    return Below(x * last, (np.arange(1, values.shape[1] + 1) - x) * last)


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
