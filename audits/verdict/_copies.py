r"""Models that lie closer together than independent models come: copies, but for a little noise.

Distances are root mean squares over probes of differences of margins, in units of the spread at
each probe. What is natural is learned from the pairs of one population: their small distances
follow $F(r) = F(s) (r/s)^D$, a law of some dimension D that need not be known.

**Why false alarms are rare.** Let every two independent models lie within r with probability at
most F. For j pairs without a common model all j are close with probability at most $F^j$, and of
such sets of pairs there are at most $N^j / j!$, where N counts all pairs. So, with $E = NF$,

$$P(\text{j disjoint pairs within } r) \le E^j / j!$$

whatever the law: no pairs need be independent of each other but disjoint ones, which are. Mutual
nearest neighbours are disjoint. E is estimated from the k closest natural pairs. Of a power law,
$\ln(s/d)$ is exponential below s with the rate D, so that a further pair has
$P(\ln(s/d) > L) = (1 + L/\Sigma)^{-k}$ on average over their sum $\Sigma$, for every D. Where
$\ln F$ is concave in $\ln r$, as for normal laws of every covariance, the true law falls faster
than the extrapolated one, and E is too great rather than too small.

Natural pairs are those of a reference, whose maker is not the submitter. A submission of another
law may lie where the reference is densest. For a normal reference no ball of radius r holds more
of it than the one at its mean (Anderson 1955), and that holds as much as two reference models lie
within $\sqrt 2 r$ of each other: so E is taken there, and holds for *every* law of the submission,
a collapsed one too. Copies within one population are compared with its own pairs beyond r.

**Where this is not proved**: the k pairs are not independent, and a law need not be concave. A
law with a rare tight clump, as of failed runs that are all but equal, looks like copies and is told
as such. In 10,368 simulated audits (normal, curved, heavy-tailed, clustered, uniform, skewed,
rounded and saturated laws of 1, 2, 3, 5, 10 and 100 dimensions, 32 to 256 models, submissions of
the same law, collapsed at the mean or anywhere, or partly so) 4 were warned of, where 1 in 1,000 is
promised; in 756 more of 8, 16 and 512 models it was 1.

**What it cannot see**: among 256 and 256 models in one dimension hundreds of independent pairs lie
within 1 % of the spread, so that a noisy copy is as close as others. With noise of 1 % one copy
among 256 is found in 10 dimensions and more, five in 5 or more, 128 in 2 or more.

References:
    Anderson (1955), "The integral of a symmetric unimodal function over a symmetric convex set";
    Levina and Bickel (2004), "Maximum likelihood estimation of intrinsic dimension".
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

# Times an audit errs in all, over its comparisons and radii.
_ALPHA = 1e-3
_COMPARISONS = 6
_COARSE = 0.01
"""Steps between values at a probe, in units of its spread, that hide no copies."""
_RADII = tuple(0.04 / 2.0**halving for halving in range(9, -1, -1))
_LEVEL = math.log(_ALPHA / (_COMPARISONS * len(_RADII)))
# The law of small distances is learned from so many models at most, and so many pairs.
_MODELS = 512
_PAIRS = 100
# Rows of the table of distances that are held at once.
_ROWS = 1_024


class Copies(NamedTuple):
    """Models that lie closer to others than independent ones come.

    Attributes:
        models: how many lie so close to another.
        radius: how close at most, in units of the spread, root mean square over probes.
    """

    models: int
    radius: float


def copies_between(
    first: Float[np.ndarray, "n columns"], second: Float[np.ndarray, "m columns"]
) -> Copies | None:
    """Models of one population that are noisy copies of models of another.

    Args:
        first: what may have been copied from the other, a row a model; equal rows are the caller's.
        second: the population whose pairs say what is natural.

    Returns:
        How many of ``first``, or None where nothing is closer than by chance.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> reference = rng.normal(size=(64, 30))
        >>> copies = reference[::-1] + 0.01 * rng.normal(size=(64, 30))
        >>> copies_between(copies, reference).models
        64
        >>> copies_between(rng.normal(size=(64, 30)), reference)
    """
    scaled = _scaled(second, first)
    if scaled is None or not len(first):
        return None
    (there, here), finest = scaled
    distance = _nearest(here, there)
    natural = _pairs(there)
    share = len(here) * len(there) / len(natural)

    def expected(radius: float) -> float:
        reach = math.sqrt(2.0) * radius
        return share * _expected(np.maximum(natural, reach), _first(natural), reach)

    return _closest(distance, expected, finest)


def copies_within(values: Float[np.ndarray, "n columns"]) -> Copies | None:
    """Models of one population that are noisy copies of each other.

    Args:
        values: a row a model; equal rows are the caller's.

    Returns:
        How many have another close by, or None.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> models = rng.normal(size=(32, 30))
        >>> twice = np.concatenate([models, models + 0.001 * rng.normal(size=(32, 30))])
        >>> copies_within(twice).models, copies_within(models)
        (64, None)
    """
    scaled = _scaled(values)
    if scaled is None:
        return None
    (models,), finest = scaled
    distance = _nearest(models, None)
    natural = _pairs(models)
    share = math.comb(len(models), 2) / len(natural)

    def expected(radius: float) -> float:
        # Copies themselves are no natural pairs; that they were left out shows little where at
        # least ten times as many pairs lie beyond.
        close = int(np.searchsorted(natural, radius, side="right"))
        return share * _expected(natural[close:], 10 * close + _first(natural), radius)

    return _closest(distance, expected, finest)


def _scaled(
    reference: Float[np.ndarray, "m columns"], *others: Float[np.ndarray, "_ columns"]
) -> tuple[list[Float[np.ndarray, "_ varied"]], float] | None:
    """Populations in units of the reference's spread, and how finely its values are told apart.

    The spread is that of the middle half of its models, which a few odd ones do not move. Probes at
    which it has none say nothing of what is natural, and are left out; so are those whose values
    are far coarser than at most others.

    Returns:
        None for fewer than four models of the reference, or where it varies at no probe.
    """
    if len(reference) < 4:
        return None
    quartiles: np.ndarray = np.quantile(reference.astype(np.float64), [0.25, 0.5, 0.75], axis=0)
    low, middle, high = quartiles
    spread = (high - low) / 1.349
    varied = spread > 1e-9 * np.maximum(1.0, np.abs(middle))
    if not varied.any():
        return None
    middle, spread = middle[varied], spread[varied]
    scaled = [(part[:, varied] - middle) / spread for part in (reference, *others)]
    ordered = np.sort(scaled[0], axis=0)
    gaps = ordered[1:] - ordered[:-1]
    steps = np.where(gaps > 0.0, gaps, np.inf).min(axis=0)
    # Probes of coarse values, where others are fine, would hide copies at the fine ones.
    fine = steps <= max(_COARSE, 4.0 * float(np.median(steps)))
    parts = [part[:, fine] for part in scaled]
    return parts, float(np.sqrt(np.mean(steps[fine] ** 2)))


def _first(natural: Float[np.ndarray, " pairs"]) -> int:
    """From how many of the closest pairs the law of small distances is learned."""
    return min(_PAIRS, max(1, len(natural) // 5))


def _expected(natural: Float[np.ndarray, " pairs"], first: int, radius: float) -> float:
    """How many pairs to expect within a radius, from the distances of others in their order."""
    if first > len(natural) or natural[first - 1] <= radius:
        return math.inf
    reach = natural[first - 1]
    total = float(np.log(reach / natural[:first]).sum())
    if total == 0.0:
        return 0.0
    return first * math.exp(-first * math.log1p(math.log(reach / radius) / total))


def _closest(
    nearest: "_Nearest", expected: Callable[[float], float], finest: float
) -> Copies | None:
    """The widest radius within which there are more pairs than by chance."""
    for radius in reversed(_RADII):
        pairs = int((nearest.mutual <= radius).sum())
        # Values that are rounded coincide at distances below their own steps.
        if not pairs or radius < 2.0 * finest:
            continue
        chance = expected(radius)
        if chance == 0.0 or pairs * math.log(chance) - math.lgamma(pairs + 1) <= _LEVEL:
            near = nearest.each[nearest.each <= radius]
            return Copies(len(near), float(near.max()))
    return None


class _Nearest(NamedTuple):
    """Distances to nearest neighbours.

    Attributes:
        each: of every model of the first population.
        mutual: of pairs that are each other's nearest, which have no model in common.
    """

    each: Float[np.ndarray, " n"]
    mutual: Float[np.ndarray, " pairs"]


def _nearest(
    first: Float[np.ndarray, "n columns"], second: Float[np.ndarray, "m columns"] | None
) -> _Nearest:
    """Nearest neighbours of each model of the first in the second, or among themselves."""
    others = first if second is None else second
    each, place = np.empty(len(first)), np.empty(len(first), dtype=np.intp)
    back, source = np.full(len(others), np.inf), np.zeros(len(others), dtype=np.intp)
    for start in range(0, len(first), _ROWS):
        squares = _squares(first[start : start + _ROWS], others)
        rows = np.arange(len(squares))
        if second is None:
            squares[rows, start + rows] = np.inf
        place[start + rows] = squares.argmin(axis=1)
        each[start + rows] = squares[rows, place[start + rows]]
        here = squares.argmin(axis=0)
        least = squares[here, np.arange(len(others))]
        source = np.where(least < back, start + here, source)
        back = np.minimum(least, back)
    mutual = source[place] == np.arange(len(first))
    if second is None:
        mutual &= place > np.arange(len(first))
    return _Nearest(np.sqrt(each), np.sqrt(each[mutual]))


def _pairs(models: Float[np.ndarray, "n columns"]) -> Float[np.ndarray, " pairs"]:
    """Distances of all pairs of a population, of a part spread over it where it is large."""
    part = models[:: math.ceil(len(models) / _MODELS)]
    return np.sqrt(np.sort(_squares(part, part)[np.triu_indices(len(part), 1)]))


def _squares(
    first: Float[np.ndarray, "n columns"], second: Float[np.ndarray, "m columns"]
) -> Float[np.ndarray, "n m"]:
    """Mean squares over columns of all differences, by one product of matrices."""
    sizes = [np.einsum("ij,ij->i", part, part) for part in (first, second)]
    squares = sizes[0][:, None] + sizes[1] - 2.0 * first @ second.T
    return np.maximum(squares, 0.0) / first.shape[1]
