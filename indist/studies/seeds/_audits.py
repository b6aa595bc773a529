"""Many small audits from one large pool of models, and what those decide who train one model."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

import oracles
from audits.verdict import EVENTS, LOWER, VerdictName, decide, median_margins, separate, verdict_of
from estimators import delta_lower_bound, delta_upper_bound
from indist.studies._observed import share_right

PRACTISED = ("forget", "retain", "test")
"""Probe groups whose accuracies papers compare."""


class Pool(NamedTuple):
    """What a study keeps of a population.

    Attributes:
        groups: the probe group of each observable.
        margins: the observables of audits, ``[models, observables]``.
        accuracies: on the groups `PRACTISED`, ``[models, groups]``.
    """

    groups: tuple[str, ...]
    margins: Float[np.ndarray, "models observables"]
    accuracies: Float[np.ndarray, "models groups"]


def pool_of(population: oracles.Population) -> Pool:
    """Observables and accuracies of every model."""
    seen = population.observe(population.probes)
    accuracies = np.stack([share_right(seen, group) for group in PRACTISED], axis=1)
    columns = median_margins(seen)
    return Pool(columns.groups, columns.values, accuracies)


def blocks(
    values: Float[np.ndarray, "models columns"], size: int, most: int
) -> Float[np.ndarray, "blocks size columns"]:
    """Disjoint blocks of models, from the first on; no more than ``most``."""
    count = min(most, len(values) // size)
    return values[: count * size].reshape(count, size, -1)


class Bounds(NamedTuple):
    """Bounds on the distances of many pairs of small populations, ``[blocks]``."""

    lower: Float[np.ndarray, " blocks"]
    upper: Float[np.ndarray, " blocks"]


def bounds(
    first: Float[np.ndarray, "blocks n observables"],
    second: Float[np.ndarray, "blocks n observables"],
    *,
    epsilon: float,
    level: float,
) -> Bounds:
    """The bounds of `audits.audit`, for block k of the first against block k of the second.

    One call for all blocks: the models that the lower bound sets aside as its pilot are then drawn
    for all of them together, so that a bound has the law of an audit's and not its very digits.

    Args:
        first: observables of the models of P.
        second: of Q.
        epsilon: of the divergence.
        level: of each bound.
    """
    p, q = (np.ascontiguousarray(np.moveaxis(sample, 1, 0)) for sample in (first, second))
    each = 1.0 - level / first.shape[2]
    low = delta_lower_bound(p, q, epsilon=epsilon, confidence=each, method=LOWER).bound
    high = delta_upper_bound(p, q, epsilon=epsilon, confidence=1.0 - level, events=EVENTS).bound
    return Bounds(np.asarray(low).max(axis=1), np.asarray(high).max(axis=1))


def verdicts(
    submission: tuple[Bounds, Bounds], references: Bounds, tolerance: float
) -> list[VerdictName]:
    """The verdicts of audits.

    Args:
        submission: bounds of the submission against T and against A(D∖B).
        references: bounds of T against A(D∖B).
        tolerance: the declared one.
    """
    decisions = [
        [decide(float(low), float(high), tolerance) for low, high in zip(*distances, strict=True)]
        for distances in (*submission, references)
    ]
    return [verdict_of(a, b, separate(c)) for a, b, c in zip(*decisions, strict=True)]


def gaps(
    submission: Float[np.ndarray, "blocks n groups"],
    reference: Float[np.ndarray, "blocks n groups"],
) -> Float[np.ndarray, " blocks"]:
    """The mean over groups of the absolute difference of mean accuracies, block by block.

    References:
        Fan et al. (2023), SalUn, https://arxiv.org/abs/2310.12508, whose average gap also counts
        a membership attack.
    """
    return np.abs(submission.mean(axis=1) - reference.mean(axis=1)).mean(axis=1)


def determined(
    submissions: Sequence[Float[np.ndarray, "n groups"]],
    reference: Float[np.ndarray, "m groups"],
    *,
    draws: int,
    confidence: float,
    seed: int,
) -> int:
    """Which of two submissions has the smaller gap, where all models together can tell.

    Args:
        submissions: accuracies of both, row k of original k.
        reference: accuracies of the models they are compared with.
        draws: of a bootstrap over models; originals are shared by both submissions.
        confidence: of its percentile interval for the difference of gaps.
        seed: of the draws.

    Returns:
        −1 when the first has, 1 when the second has, 0 when the interval holds 0.
    """
    rng = np.random.default_rng(seed)
    own = rng.integers(len(submissions[0]), size=(draws, len(submissions[0])))
    other = rng.integers(len(reference), size=(draws, len(reference)))
    first, second = (gaps(accuracies[own], reference[other]) for accuracies in submissions)
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(first - second, [tail, 1.0 - tail])
    return int(low > 0) - int(high < 0)
