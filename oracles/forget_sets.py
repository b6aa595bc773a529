"""Makers of forget sets: which part S of the behaviour B was found and handed over.

Each takes what it ranks by (memorization scores, features or margins, one for every training
example), the size of S, and the candidates: indices into D, ``scenario.behaviour`` as a rule. Each
returns that many of them, sorted, and always the same ones: ties go to the lower index. Numbers of
examples outside the candidates are not looked at, so that they may be missing (NaN).

`Scenario.with_forget` puts the set into a world.

Example:
    >>> from indist import oracles
    >>> scenario = oracles.scenarios.load("circles", discovery=0.5, seed=0)
    >>> found = oracles.forget_sets.clustered(
    ...     scenario.train.inputs, 10, scenario.behaviour, seed=0
    ... )
    >>> scenario.with_forget(found).discovery
    0.25
"""

import numpy as np
from jaxtyping import Int, Real

from estimators.checks import check_array, check_seed
from oracles._probes import check_subset
from oracles.randomness import choose

__all__ = [
    "boundary",
    "centroid",
    "clustered",
    "k_centre",
    "least_memorized",
    "middle_memorized",
    "most_memorized",
    "random",
]


def most_memorized(
    scores: Real[np.ndarray, " train"], size: int, among: Int[np.ndarray, " candidates"]
) -> Int[np.ndarray, " chosen"]:
    """The candidates with the largest memorization scores.

    Args:
        scores: memorization of every training example, ``[train]``, as
            ``estimators.memorization(...).estimate``; NaN where undetermined.
        size: how many to choose, at least 1.
        among: the candidates, indices into D.

    Returns:
        Their indices into D, sorted.

    Raises:
        ValueError: when there are fewer candidates than that, an index is out of range or repeated,
            or a candidate's score is not finite.

    Example:
        >>> import numpy as np
        >>> most_memorized(np.array([0.1, 0.9, 0.3, 0.9]), 2, among=np.array([0, 2, 3]))
        array([2, 3])
    """
    pool = _pool(size, among, len(scores))
    return _least(-_candidate_values(scores, pool, "scores"), size, pool)


def least_memorized(
    scores: Real[np.ndarray, " train"], size: int, among: Int[np.ndarray, " candidates"]
) -> Int[np.ndarray, " chosen"]:
    """The candidates with the smallest memorization scores; see `most_memorized`.

    Args:
        scores: memorization of every training example, ``[train]``.
        size: how many to choose, at least 1.
        among: the candidates, indices into D.

    Returns:
        Their indices into D, sorted.

    Raises:
        ValueError: as `most_memorized`.

    Example:
        >>> import numpy as np
        >>> least_memorized(np.array([0.1, 0.9, 0.3, 0.9]), 2, among=np.arange(4))
        array([0, 2])
    """
    pool = _pool(size, among, len(scores))
    return _least(_candidate_values(scores, pool, "scores"), size, pool)


def middle_memorized(
    scores: Real[np.ndarray, " train"], size: int, among: Int[np.ndarray, " candidates"]
) -> Int[np.ndarray, " chosen"]:
    """The candidates whose scores are nearest to the candidates' median; see `most_memorized`.

    Args:
        scores: memorization of every training example, ``[train]``.
        size: how many to choose, at least 1.
        among: the candidates, indices into D.

    Returns:
        Their indices into D, sorted.

    Raises:
        ValueError: as `most_memorized`.

    Example:
        >>> import numpy as np
        >>> middle_memorized(np.array([0.0, 0.9, 0.3, 0.8, 0.5]), 3, among=np.arange(5))
        array([2, 3, 4])
    """
    pool = _pool(size, among, len(scores))
    values = _candidate_values(scores, pool, "scores")
    return _least(np.abs(values - np.median(values)), size, pool)


def random(
    size: int, among: Int[np.ndarray, " candidates"], seed: int
) -> Int[np.ndarray, " chosen"]:
    """Candidates drawn uniformly without repeats.

    Args:
        size: how many to choose, at least 1.
        among: the candidates, indices into D.
        seed: of the draw; no default.

    Returns:
        Their indices into D, sorted.

    Raises:
        ValueError: when there are fewer candidates than that, or an index is negative or repeated.

    Example:
        >>> import numpy as np
        >>> random(3, among=np.array([4, 8, 15, 16, 23]), seed=0)
        array([15, 16, 23])
    """
    seed = check_seed(seed)
    pool = _pool(size, among, int(among.max(initial=-1)) + 1)
    return choose(np.random.default_rng(seed), pool, size)


def centroid(
    features: Real[np.ndarray, "train ..."], size: int, among: Int[np.ndarray, " candidates"]
) -> Int[np.ndarray, " chosen"]:
    """The candidates nearest to the candidates' mean: the typical ones.

    Args:
        features: a vector (or an array, taken as one) for every training example, ``[train, ...]``;
            distances are Euclidean.
        size: how many to choose, at least 1.
        among: the candidates, indices into D.

    Returns:
        Their indices into D, sorted.

    Raises:
        ValueError: when there are fewer candidates than that, an index is out of range or repeated,
            or a candidate's features are not finite.

    Example:
        >>> import numpy as np
        >>> centroid(np.array([[0.0], [4.0], [5.0], [9.0]]), 2, among=np.arange(4))
        array([1, 2])
    """
    pool = _pool(size, among, len(features))
    vectors = _candidate_vectors(features, pool)
    return _least(_squared_distances(vectors, vectors.mean(axis=0)), size, pool)


def boundary(
    margins: Real[np.ndarray, " train"], size: int, among: Int[np.ndarray, " candidates"]
) -> Int[np.ndarray, " chosen"]:
    """The candidates nearest to the decision boundary: those with the least absolute margin.

    Args:
        margins: margin of every training example in a model, or its mean over models, ``[train]``;
            0 on the boundary, as the logit-scaled confidence of two classes is.
        size: how many to choose, at least 1.
        among: the candidates, indices into D.

    Returns:
        Their indices into D, sorted.

    Raises:
        ValueError: when there are fewer candidates than that, an index is out of range or repeated,
            or a candidate's margin is not finite.

    Example:
        >>> import numpy as np
        >>> boundary(np.array([3.0, -0.5, -4.0, 1.0]), 2, among=np.arange(4))
        array([1, 3])
    """
    pool = _pool(size, among, len(margins))
    return _least(np.abs(_candidate_values(margins, pool, "margins")), size, pool)


def clustered(
    features: Real[np.ndarray, "train ..."],
    size: int,
    among: Int[np.ndarray, " candidates"],
    seed: int,
) -> Int[np.ndarray, " chosen"]:
    """One candidate drawn at random and the candidates nearest to it.

    Args:
        features: a vector (or an array, taken as one) for every training example, ``[train, ...]``;
            distances are Euclidean.
        size: how many to choose, the drawn one among them, at least 1.
        among: the candidates, indices into D.
        seed: of the draw; no default.

    Returns:
        Their indices into D, sorted.

    Raises:
        ValueError: as `centroid`.

    Example:
        >>> import numpy as np
        >>> clustered(np.array([[0.0], [1.0], [8.0], [9.0]]), 2, among=np.arange(4), seed=0)
        array([2, 3])
    """
    seed = check_seed(seed)
    pool = _pool(size, among, len(features))
    vectors = _candidate_vectors(features, pool)
    drawn = np.random.default_rng(seed).integers(len(pool))
    distance = _squared_distances(vectors, vectors[drawn])
    # Nearer than its copies, which would come first where they have a lower index.
    distance[drawn] = -1.0
    return _least(distance, size, pool)


def k_centre(
    features: Real[np.ndarray, "train ..."],
    size: int,
    among: Int[np.ndarray, " candidates"],
    seed: int,
) -> Int[np.ndarray, " chosen"]:
    """Candidates that cover all candidates: each next one is farthest from those chosen so far.

    The first is drawn at random. The farthest candidate's distance from the set is at most twice
    the least that any set of that size can have.

    Args:
        features: a vector (or an array, taken as one) for every training example, ``[train, ...]``;
            distances are Euclidean.
        size: how many to choose, at least 1.
        among: the candidates, indices into D.
        seed: of the first one's draw; no default.

    Returns:
        Their indices into D, sorted.

    Raises:
        ValueError: as `centroid`.

    Example:
        >>> import numpy as np
        >>> k_centre(np.array([[0.0], [1.0], [8.0], [9.0]]), 2, among=np.arange(4), seed=0)
        array([0, 3])

    References:
        Gonzalez (1985), Clustering to minimize the maximum intercluster distance, theorem 2.2.
        https://doi.org/10.1016/0304-3975(85)90224-5
    """
    seed = check_seed(seed)
    pool = _pool(size, among, len(features))
    vectors = _candidate_vectors(features, pool)
    chosen = [int(np.random.default_rng(seed).integers(len(pool)))]
    nearest = np.full(len(pool), np.inf)
    while len(chosen) < size:
        nearest = np.minimum(nearest, _squared_distances(vectors, vectors[chosen[-1]]))
        # Nearer than copies of those chosen, which are at distance 0 and may still be chosen.
        nearest[chosen] = -1.0
        chosen.append(int(nearest.argmax()))
    return np.sort(pool[chosen])


def _pool(size: int, among: np.ndarray, total: int) -> np.ndarray:
    """The candidates in increasing order."""
    check_subset("among", among, total)
    if not 1 <= size <= len(among):
        raise ValueError(f"size: expected 1 to {len(among)} (the candidates), found {size}")
    return np.sort(among)


def _candidate_values(values: np.ndarray, pool: np.ndarray, name: str) -> np.ndarray:
    """The candidates' values as float64."""
    candidates = check_array(values, name)[pool].astype(np.float64)
    finite = np.isfinite(candidates.reshape(len(pool), -1)).all(axis=1)
    if not finite.all():
        raise ValueError(
            f"{name}: expected finite numbers for all candidates, found NaN or infinity for "
            f"training example {pool[~finite][0]} ({(~finite).sum()} in all)"
        )
    return candidates


def _candidate_vectors(features: np.ndarray, pool: np.ndarray) -> np.ndarray:
    return _candidate_values(features, pool, "features").reshape(len(pool), -1)


def _squared_distances(points: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Squared distances, by differences: expanding the square would lose small ones."""
    return ((points - centre) ** 2).sum(axis=1)


def _least(ranks: np.ndarray, size: int, pool: np.ndarray) -> np.ndarray:
    return np.sort(pool[np.argsort(ranks, kind="stable")[:size]])
