"""Simulated audits: bounds to expect at other numbers of models, from the rates seen in these."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.special import betaincinv

from audits.verdict._half_lines import masses_below

_DRAWS = 100
_THRESHOLDS = 256
_NODES = 128


class Fitted(NamedTuple):
    """Two distributions on the models of both populations together.

    Attributes:
        values: observables of the models, ``[models, observables]``.
        weights: ``[2, models]``; the weight that P, then Q, gives to each.
    """

    values: Float[np.ndarray, "models observables"]
    weights: Float[np.ndarray, "two models"]

    def divergence(self, factor: float) -> float:
        """Their hockey-stick divergence over half-lines, the greater direction."""
        masses = masses_below((self.values,), (self.weights,))
        return max(_greatest(mass[:1], mass[1:], factor) for (mass,) in masses)

    def mixed(self, share: float) -> "Fitted":
        """Both distributions moved towards their mean; a share of 1 makes them equal."""
        mean = self.weights.mean(axis=0)
        return Fitted(self.values, (1.0 - share) * self.weights + share * mean)


def fitted(
    first: Float[np.ndarray, "n observables"],
    second: Float[np.ndarray, "m observables"],
    factor: float,
    target: float,
) -> Fitted:
    """Two distributions like those seen, with the divergence ``target`` or less.

    A plug-in divergence is biased upward, so the samples themselves are too far apart.

    Args:
        first: observables of the models of P.
        second: of Q.
        factor: c = e^epsilon.
        target: the divergence aimed at; a greater one than the plug-in leaves the samples as seen.

    Returns:
        The samples, or their mixtures with the pool of both.
    """
    n, m = len(first), len(second)
    weights = np.zeros((2, n + m))
    weights[0, :n], weights[1, n:] = 1.0 / n, 1.0 / m
    seen = Fitted(np.concatenate([first, second]), weights)
    if seen.divergence(factor) <= target:
        return seen
    low, high = 0.0, 1.0
    for _ in range(20):
        middle = (low + high) / 2.0
        low, high = (
            (middle, high) if seen.mixed(middle).divergence(factor) > target else (low, middle)
        )
    return seen.mixed(high)


class Margins(NamedTuple):
    """Distance from each event's gap p - c q to its bound, from the limits of both rates.

    With Clopper-Pearson limits p_L, p_U, q_L and q_U the margin of an upper bound is
    sqrt((p_U - p)^2 + c^2 (q - q_L)^2); that of a lower bound takes p_L and q_U. Both are
    multiplied by a stretch, with which they reach the bound of the audit at hand. The margins
    follow the exact joint bound closely, in the tails too, and need no search.

    Attributes:
        upper: whether they are margins of an upper bound; if not, of a lower one.
        level: of the Clopper-Pearson limits.
        factor: c = e^epsilon.
        stretch: the number that they are multiplied by.

    References:
        Zou and Donner (2008), "Construction of confidence limits about effect measures", Statistics
        in Medicine 27.
    """

    upper: bool
    level: float
    factor: float
    stretch: float = 1.0

    def margin(
        self, x: Int[np.ndarray, "..."], n: int, y: Int[np.ndarray, "..."], m: int
    ) -> Float[np.ndarray, "..."]:
        """The margin where x of n models of P and y of m of Q lie in the event."""
        p = _one_sided(n, self.level, upper=self.upper)[x]
        q = _one_sided(m, self.level, upper=not self.upper)[y]
        return self.stretch * np.hypot(p, self.factor * q)

    def calibrated(self, fit: Fitted, n: int, m: int, bound: float) -> "Margins":
        """The margins with the stretch at which the greatest bound over all events is ``bound``.

        A trivial bound, such as an upper bound of 1, shows only that the stretch is at least so
        large.
        """
        counts = np.rint(fit.weights * [[n], [m]]).astype(np.int64)
        stretches: list[float] = []
        for gap, margin in _events(fit, counts, n, m, self._replace(stretch=1.0)):
            margin = np.maximum(margin, 1e-300)
            ratio = (bound - gap) / margin if self.upper else (gap - bound) / margin
            stretches.append(float(ratio.min() if self.upper else ratio.max()))
        stretch = min(stretches) if self.upper else max(stretches)
        trivial = bound >= 1.0 if self.upper else bound <= 0.0
        return self._replace(stretch=max(stretch, 1.0 if trivial else 0.0))

    def simulated_bounds(
        self, fit: Fitted, n: int, m: int, seed: int
    ) -> Float[np.ndarray, " draws"]:
        """Bounds of audits of n models of P and m of Q, drawn from fitted distributions."""
        rng = np.random.default_rng(seed)
        counts = np.concatenate(
            [
                rng.multinomial(models, row / row.sum(), size=_DRAWS)
                for models, row in zip((n, m), fit.weights, strict=True)
            ]
        )
        sign = 1.0 if self.upper else -1.0
        bounds = np.full(_DRAWS, -1.0)
        for gap, margin in _events(fit, counts, n, m, self):
            np.maximum(bounds, (gap + sign * margin).max(axis=1), out=bounds)
        return bounds


def _events(
    fit: Fitted, counts: np.ndarray, n: int, m: int, margins: Margins
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Gap and margin of every half-line, for each observable, orientation and direction."""
    for (mass,) in masses_below((fit.values,), (counts,)):
        kept = np.linspace(0, mass.shape[1] - 1, min(mass.shape[1], _THRESHOLDS))
        x, y = np.split(mass[:, kept.round().astype(np.int64)], 2)
        for a, b in ((x, y), (n - x, m - y)):
            yield a / n - margins.factor * b / m, margins.margin(a, n, b, m)
            yield b / m - margins.factor * a / n, margins.margin(b, m, a, n)


def _greatest(p: np.ndarray, q: np.ndarray, factor: float) -> float:
    below, above = p - factor * q, q - factor * p
    return float(max(below.max(), above.max(), (1 - factor) - min(below.min(), above.min())))


def _one_sided(trials: int, level: float, *, upper: bool) -> Float[np.ndarray, " counts"]:
    """Distance from x/n to its one-sided Clopper-Pearson limit, for x = 0, ..., n.

    Exact at few counts and at nodes; linear between, where it hardly bends.
    """
    half = np.unique(
        np.concatenate([np.arange(min(64, trials + 1)), np.linspace(0, trials, _NODES).round()])
    )
    x = np.union1d(half, trials - half)
    inner = np.minimum(x, trials - 1.0)
    limit = np.where(x < trials, betaincinv(inner + 1.0, trials - inner, 1.0 - level), 1.0)
    above = np.interp(np.arange(trials + 1.0), x, limit - x / trials)
    return above if upper else above[::-1]
