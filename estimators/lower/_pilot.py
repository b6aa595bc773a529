"""Pilots: models set aside to choose how the others are looked at."""

import hashlib

import numpy as np
from jaxtyping import Bool, Float, Int

from estimators.exact._cross_ranks import cross_ranks


def shuffled(
    p: Float[np.ndarray, "n j"], q: Float[np.ndarray, "m j"], seed: int | None
) -> tuple[Float[np.ndarray, "n j"], Float[np.ndarray, "m j"]]:
    """Both samples with their models in a new order.

    Without a seed the order is drawn from the digest of each sample's sorted values: nobody can
    choose it, and the same samples always give the same order. Given its sorted values, the order
    in which independent models arrive is uniform, so a permutation drawn from them leaves the
    models independent of one another: what the first few show is independent of the rest.

    Args:
        p: samples of P.
        q: samples of Q.
        seed: None, or a seed that joins the digest.

    Returns:
        The samples, rows permuted.
    """
    out: list[np.ndarray] = []
    for sample in (p, q):
        # Adding 0.0 makes -0.0 and 0.0 the same bytes.
        digest = hashlib.sha256(np.ascontiguousarray(np.sort(sample, axis=0) + 0.0).tobytes())
        words = [int.from_bytes(digest.digest()[:16], "big")] + ([] if seed is None else [seed])
        out.append(sample[np.random.default_rng(words).permutation(sample.shape[0])])
    return out[0], out[1]


def drawn_by(seed: int | None) -> str:
    """What decides which models are in the pilot, in words.

    Args:
        seed: as for `shuffled`.
    """
    return "the samples' digest" if seed is None else f"their digest and seed {seed}"


def share_of(models: int, fraction: float) -> int:
    """Models of one side in a pilot of a given share: at least 1, and at least 1 left to count.

    Args:
        models: models of that side.
        fraction: share of the pilot.

    Returns:
        A count, 0 when there is only one model.
    """
    return min(max(int(round(fraction * models)), 1), models - 1)


def orientation(
    p: Float[np.ndarray, "n j"], q: Float[np.ndarray, "m j"]
) -> Float[np.ndarray, " j"]:
    """Mann-Whitney score of each observable: positive where P tends to lie above Q.

    Args:
        p: pilot of P.
        q: pilot of Q.

    Returns:
        About standard normal when P and Q are equal.
    """
    n, m = p.shape[0], q.shape[0]
    ranks = cross_ranks(p, q)
    above = (ranks.q_below + ranks.q_upto).mean(axis=1) / (2.0 * m)
    return (above - 0.5) / np.sqrt((n + m + 1.0) / (12.0 * n * m))


def tied(p: Float[np.ndarray, "n j"], q: Float[np.ndarray, "m j"]) -> Bool[np.ndarray, " j"]:
    """Whether at least half of an observable's pooled values share theirs with another.

    Args:
        p: pilot of P.
        q: pilot of Q.

    Returns:
        A flag for each observable.
    """
    values = np.sort(np.concatenate([p, q]), axis=0)
    same = values[1:] == values[:-1]
    edge = np.zeros((1, p.shape[1]), dtype=bool)
    return (np.vstack([same, edge]) | np.vstack([edge, same])).mean(axis=0) >= 0.5


def pilot_size(models: int, scale: float) -> int:
    """Models of one side to set aside: ``scale * sqrt(models)``, and none below 30 models.

    Args:
        models: models of that side.
        scale: factor, 0 for none.

    Returns:
        A count that leaves at least half of the models.
    """
    if models < 30:
        return 0
    return min(int(round(scale * np.sqrt(models))), models // 2)


def levels(score: Float[np.ndarray, " j"]) -> Int[np.ndarray, " j"]:
    """Class of evidence on the orientation: -2 to 2, negative where P lies below Q.

    Args:
        score: see `orientation`.

    Returns:
        An index for each observable.
    """
    return np.digitize(score, [-1.5, -0.5, 0.5, 1.5]) - 2


def fold_centre(
    p: Float[np.ndarray, "n j"], q: Float[np.ndarray, "m j"]
) -> Float[np.ndarray, " j"]:
    """The point of each observable from which a change of scale is measured.

    It is the mean of both samples, each weighted by the inverse of its mean's estimated variance:
    near the middle of the narrower population, about which a wider one lies on both sides.

    Args:
        p: pilot of P.
        q: pilot of Q.

    Returns:
        A centre for each observable; the same with P and Q exchanged.
    """
    # In units of the greatest value, so that no square overflows.
    unit = np.maximum(np.abs(p).max(axis=0), np.abs(q).max(axis=0))
    unit[unit == 0.0] = 1.0
    p, q = p / unit, q / unit
    of_p, of_q = q.var(axis=0) * p.shape[0], p.var(axis=0) * q.shape[0]
    middle = (p.mean(axis=0) + q.mean(axis=0)) / 2.0
    weights = of_p + of_q
    both = np.where(weights > 0.0, weights, 1.0)
    weighted = p.mean(axis=0) * (of_p / both) + q.mean(axis=0) * (of_q / both)
    return np.where(weights > 0.0, weighted, middle) * unit


def folded(
    sample: Float[np.ndarray, "n j"], centre: Float[np.ndarray, " j"]
) -> Float[np.ndarray, "n j"]:
    """How far each value lies from a centre: the two-sided score of each observable.

    Args:
        sample: samples of either side.
        centre: see `fold_centre`.

    Returns:
        Distances.
    """
    # Values at both ends of the doubles may be infinitely far apart, which keeps their order.
    with np.errstate(over="ignore"):
        return np.abs(sample - centre)


def fold_levels(
    plain: Float[np.ndarray, " j"], scale: Float[np.ndarray, " j"]
) -> Int[np.ndarray, " j"]:
    """Class of evidence that the scale tells more than the place does: 0 for none, 1 or 2.

    Args:
        plain: `orientation` of the values.
        scale: `orientation` of their distances from the centre.

    Returns:
        An index for each observable: 0 unless ``|scale|`` is at least 1, and ahead of ``|plain|``
        by 0.25; 2 where it is ahead by 1.5.
    """
    ahead = np.digitize(np.abs(scale) - np.abs(plain), [0.25, 1.5])
    return np.where(np.abs(scale) >= 1.0, ahead, 0)
