"""All events of an observable that is released with Gaussian noise."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtr

from estimators.checks import check_within
from estimators.exact._bounded_means import means_upper
from estimators.exact._frontier import Counts, greatest_upper
from estimators.upper._events import Directed, EventClass

# How many cells a standard deviation has, and how many deviations the noise of a model reaches.
CELLS_A_DEVIATION = 16
REACH = 8
# Largest fourth derivative of the standard normal density, 3 / sqrt(2 pi), rounded up.
FOURTH = 1.197
# How many divergences bound the frontier; more would lower the bound by at most about 0.002.
TILTS = 97
# This covers the noise beyond the reach, and the rounding of sums of about a million terms.
ROUNDING = 1e-11
# Beyond this many standard deviations the position of a value within its cell is lost.
LARGEST_SPAN = 1e9


@dataclass(frozen=True)
class SmoothedEvents(EventClass):
    r"""All measurable events of each observable, once it is released with Gaussian noise.

    The release of a model is its observable plus independent N(0, scale^2) noise. Smoothing makes
    what was not seen unable to matter, so here *every* event R of the release is covered: its
    probability is the mean of ``f_R(x) = P(x + noise in R)``, which lies in [0, 1], and two such
    means have a joint upper bound (`means_upper`). The greatest one over all R is found on their
    frontier, the trade-off curve of the smoothed samples, which their divergences

    $$H_\lambda = \int (\hat p_h - \lambda \hat q_h)_+$$

    bound from above: an event with smoothed share b of Q has at most ``min (lambda b + H_lambda)``
    of P. Nothing is random: the integrals are computed, and rounded upward. (McDiarmid's inequality
    for the divergence itself is slightly tighter at epsilon 0 and, from epsilon 1 on, up to several
    times wider.)

    The bound speaks of the noised release. Events of the observable itself are not covered, and the
    scale must be fixed before looking at the data.

    Attributes:
        scale: standard deviation of the noise, in the observable's units, above 0.

    Raises:
        ValueError: when the scale is not a positive number.

    Example:
        >>> from indist import estimators
        >>> estimators.SmoothedEvents(0.5).words()
        'all events of each observable released with N(0, 0.5^2) noise'

    References:
        Bentkus (2004), "On Hoeffding's inequalities", Annals of Probability 32, for the two means.
    """

    scale: float

    def __post_init__(self) -> None:
        check_within("(0, inf)", scale=self.scale)

    def words(self) -> str:
        """The class in words."""
        return f"all events of each observable released with N(0, {self.scale:g}^2) noise"

    def method(self) -> str:
        """How the bound is found, in words."""
        return (
            "joint bound of two bounded means (Bentkus, capped Stouffer), greatest over the class"
        )

    def directed(
        self,
        p: Float[np.ndarray, "n J"],
        q: Float[np.ndarray, "m J"],
        factor: Float[np.ndarray, " E"],
        confidence: float,
    ) -> Directed:
        """See `EventClass.directed`.

        Raises:
            ValueError: when values are over 1e9 standard deviations of the noise apart.
        """
        n, m = p.shape[0], q.shape[0]
        tilts = np.geomspace(0.25 / n, 4.0 * m, TILTS)
        both = np.concatenate([factor, tilts])
        columns = zip(p.T, q.T, strict=True)
        found = [smoothed_divergence(a, b, self.scale, both) for a, b in columns]
        if not found:
            return Directed(np.empty((factor.size, 0)), np.empty((factor.size, 0)))
        divergence = np.stack(found, axis=1)
        y = np.arange(m + 1)
        share = np.minimum((y + 1) / m, 1.0)
        reached = [
            (tilts * share[:, None] + column).min(axis=1)
            for column in divergence.T[:, factor.size :]
        ]
        x = np.ceil(n * np.minimum(np.stack(reached, axis=1), 1.0)).astype(np.int64)
        counts = Counts(x, np.broadcast_to(y[:, None], x.shape))
        upper = greatest_upper(counts, n, m, factor, confidence, means_upper)
        return Directed(divergence[: factor.size], np.maximum(upper, 0.0))

    def least(
        self, n: int, m: int, factor: Float[np.ndarray, " E"], confidence: float
    ) -> Float[np.ndarray, " E"]:
        """See `EventClass.least`: not above the bound when both sides are smoothed to one law."""
        # A small sample has all counts tried, a large one 65, as its bound is never near 1.
        y = np.unique(np.linspace(0, m, 65).astype(np.int64))
        x = np.minimum(-(-n * (y + 1) // m), n)
        return np.maximum(means_upper(x, n, y, m, factor, confidence).max(axis=1), 0.0)


Noised = SmoothedEvents
"""The old name of `SmoothedEvents`."""


def smoothed_divergence(
    p: Float[np.ndarray, " n"],
    q: Float[np.ndarray, " m"],
    scale: float,
    factor: Float[np.ndarray, " E"],
) -> Float[np.ndarray, " E"]:
    """Hockey-stick divergence of two samples smoothed with Gaussian noise, rounded upward.

    The line is cut into cells of width w. Where ``D = p_h - c q_h`` keeps its sign, a cell gives
    the positive part of its mass M, which is exact. A cell with a zero of D conceals a part y of
    it: if D is positive on a length t, and its steepest slope there is L, then ``y <= L t^2 / 2``
    and ``y + |M| <= L (w - t)^2 / 2``, or the two the other way round. Hence, with
    ``s = L w^2 / 2``, no zero when ``|M| > s``, and else ``y <= (s - |M|)^2 / (4 s)``, with
    equality for a straight D. Taylor's theorem and the largest fourth derivative bound the slope.

    Args:
        p: the first sample.
        q: the second.
        scale: standard deviation of the noise.
        factor: the factors c.

    Returns:
        An upper bound for each factor, above it by about 1e-5.

    Raises:
        ValueError: when values are over 1e9 standard deviations apart.
    """
    pooled = np.concatenate([p, q])
    # Values are halved, as the difference of two finite numbers can overflow. What overflows in
    # spite of that is refused below.
    with np.errstate(over="ignore"):
        position = (pooled / 2.0 - pooled.min() / 2.0) / scale * (2.0 * CELLS_A_DEVIATION)
    span = position.max() / CELLS_A_DEVIATION
    if not span <= LARGEST_SPAN:
        raise ValueError(
            f"scale: expected at least {1 / LARGEST_SPAN:g} of the observable's range, found "
            f"{scale:g} for values from {pooled.min():g} to {pooled.max():g}"
        )
    cell = np.floor(position).astype(np.int64)
    within = position - cell
    used, where = np.unique(cell, return_inverse=True)
    # Cells out of everyone's reach are empty: gaps are closed up to one cell.
    start = np.r_[0, np.cumsum(np.minimum(np.diff(used), 2 * CELLS_A_DEVIATION * REACH + 2))][where]
    size = int(start.max()) + 2 * CELLS_A_DEVIATION * REACH + 1
    sides = (slice(0, p.size), slice(p.size, None))
    (mass_p, *shape_p), (mass_q, *shape_q) = (
        _on_cells(start[side], within[side], size) for side in sides
    )
    width = 1.0 / CELLS_A_DEVIATION
    result = np.empty(factor.size)
    for e, c in enumerate(factor.tolist()):
        slope, bend, twist = (np.abs(a - c * b) for a, b in zip(shape_p, shape_q, strict=True))
        steepest = slope + width * (bend + width / 2.0 * (twist + width / 3.0 * (1.0 + c) * FOURTH))
        mass, most = mass_p - c * mass_q, steepest * width**2 / 2.0
        concealed = np.maximum(most - np.abs(mass), 0.0) ** 2 / (4.0 * most)
        concealed = np.minimum(concealed, np.minimum(mass_p, c * mass_q))
        rounding = (1.0 + c) * (ROUNDING + 4.0 * np.finfo(float).eps * span)
        result[e] = np.maximum(mass, 0.0).sum() + concealed.sum() + rounding
    return np.minimum(result, 1.0)


def _on_cells(
    start: Int[np.ndarray, " n"], within: Float[np.ndarray, " n"], size: int
) -> list[Float[np.ndarray, " cells"]]:
    """Mean mass of each cell; at its left edge, three derivatives of the density of unit noise."""
    steps = np.arange(-CELLS_A_DEVIATION * REACH, CELLS_A_DEVIATION * REACH + 2)
    z = (steps - within[:, None]) / CELLS_A_DEVIATION
    mass = np.diff(ndtr(z), axis=1)
    z = z[:, :-1]
    density = np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)
    at = (start[:, None] + np.arange(steps.size - 1)).ravel()
    square = z * z
    parts = (mass, -z * density, (square - 1.0) * density, (3.0 - square) * z * density)
    return [np.bincount(at, part.ravel(), size) / start.size for part in parts]
