"""Lower ends of credible intervals: Bayesian, not confidence bounds."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Int
from scipy.special import betainc, betaincinv, ndtri

from estimators.lower._chosen_event import choose_half_lines
from estimators.lower._directed_bounds import EachDirection
from estimators.lower._pilot import shuffled

_RULE = np.polynomial.legendre.leggauss(80)
NODES, WEIGHTS = _RULE[0] / 2.0 + 0.5, _RULE[1] / 2.0
STEPS = 34
LARGEST_EPSILON = 50.0


@dataclass(frozen=True)
class Bayesian(EachDirection):
    """Posterior quantile of ``P(R) - e^epsilon Q(R)``: credible, not confidence.

    Both masses of an event chosen on a share of the models get independent Beta posteriors from the
    models left. The bound is the quantile of the difference at one minus the confidence, so it
    holds on average over the prior, not for every pair of populations: for some it fails more
    often than stated, most of all for rare events. Tighter than Clopper-Pearson for that reason.

    Attributes:
        fraction: share of each side set aside to choose the event, in [0.05, 0.9].
        prior: both parameters of the Beta prior, in [0.1, 10]; 0.5 is Jeffreys's.
        seed: joins the digest of the samples in drawing the share; None leaves the digest alone.

    Raises:
        ValueError: when a number lies outside its range.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> p, q = np.linspace(1, 2, 500), np.linspace(0, 1, 500)
        >>> result = estimators.delta_lower_bound(
        ...     p, q, epsilon=0.0, method=estimators.Bayesian()
        ... )
        >>> print(result.bound.round(2), "credible" in result.assumptions[1])
        0.99 True

    References:
        Zanella-Beguelin et al. (2023), Bayesian estimation of differential privacy,
        https://arxiv.org/abs/2206.05199.
    """

    fraction: float = 0.3
    prior: float = 0.5
    seed: int | None = None
    pools: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not 0.05 <= self.fraction <= 0.9:
            raise ValueError(f"fraction: expected a number in [0.05, 0.9], found {self.fraction}")
        if not 0.1 <= self.prior <= 10.0:
            raise ValueError(f"prior: expected a number in [0.1, 10], found {self.prior}")
        if self.seed is not None and self.seed < 0:
            raise ValueError(f"seed: expected None or an integer of at least 0, found {self.seed}")

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Independence, and the prior."""
        return (
            "models are independent, within and between the two populations",
            f"credible under independent Beta({self.prior:g}, {self.prior:g}) priors on both "
            "masses: not a confidence bound",
        )

    def words(self) -> str:
        """The method in words."""
        drawn = "the samples' digest" if self.seed is None else f"their digest and seed {self.seed}"
        return (
            f"posterior quantile (credible, not confidence) for an event chosen on "
            f"{self.fraction:g} of the models, drawn by {drawn}"
        )

    def warn(self, p: Float[np.ndarray, "n j"], q: Float[np.ndarray, "m j"]) -> tuple[str, ...]:
        """Always the same remark."""
        del p, q
        return (
            "credible, not confidence: it can fail more often than stated for some populations",
        )

    def reach(
        self, n: int, m: int, epsilon: Float[np.ndarray, " e"], confidence: float
    ) -> Float[np.ndarray, " e"]:
        """The bound when every point of one side and none of the other is in the event."""
        out = np.zeros(epsilon.size)
        if not min(self._aside(n), self._aside(m)):
            return out
        n, m = n - self._aside(n), m - self._aside(m)
        for e, one in enumerate(epsilon):
            tail = (1.0 - confidence) / (2.0 if one > 0.0 else 1.0)
            # At epsilon 0 only the forward direction is looked at.
            for ours, theirs in ((n, m), (m, n)) if one > 0.0 else ((n, m),):
                x, y = np.full((1, 1), ours), np.zeros((1, 1), dtype=np.int64)
                found = self._quantile(x, ours, y, theirs, np.array([one]), None, tail)
                out[e] = max(out[e], float(found[0, 0]))
        return out

    def _aside(self, models: int) -> int:
        return min(max(int(round(self.fraction * models)), 1), models - 1)

    def direction(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        epsilon: Float[np.ndarray, " e"] | None,
        delta: Float[np.ndarray, " e"] | None,
        alpha: float,
    ) -> Float[np.ndarray, "e j"]:
        """Quantile of delta at each epsilon, or of epsilon at each delta, at least 0."""
        aside, other = self._aside(p.shape[0]), self._aside(q.shape[0])
        if not min(aside, other):
            rows = epsilon if epsilon is not None else np.asarray(delta)
            return np.zeros((rows.size, p.shape[1]))
        p, q = shuffled(p, q, self.seed)
        n, m = p.shape[0] - aside, q.shape[0] - other
        # Errors add in quadrature in the posterior: each counts for about 1/sqrt(2) of its own.
        score = float(-ndtri(alpha)) / np.sqrt(2.0)
        factor = None if epsilon is None else np.exp(epsilon)
        events = choose_half_lines(
            p[:aside], q[:other], n, m, factor=factor, delta=delta, score=score
        )
        x, y = events.counts(p[aside:]), events.counts(q[other:])
        return np.maximum(self._quantile(x, n, y, m, epsilon, delta, alpha), 0.0)

    def _quantile(
        self,
        x: Int[np.ndarray, "e j"],
        n: int,
        y: Int[np.ndarray, "e j"],
        m: int,
        epsilon: Float[np.ndarray, " e"] | None,
        delta: Float[np.ndarray, " e"] | None,
        alpha: float,
    ) -> Float[np.ndarray, "e j"]:
        """Alpha quantile of ``a - e^epsilon b`` or ``ln((a - delta) / b)`` for Beta a and b."""
        out = np.empty(x.shape)
        for e in range(x.shape[0]):
            pairs, where = np.unique(x[e] * (m + 1) + y[e], return_inverse=True)
            a, b = pairs // (m + 1) + self.prior, pairs % (m + 1) + self.prior
            rest_a = (n + 2 * self.prior - a)[:, None]
            rest_b = (m + 2 * self.prior - b)[:, None]
            # Gauss's rule in the quantiles of b; given b, the chance of a is exact.
            mass = betaincinv(b[:, None], rest_b, NODES)
            if epsilon is not None:
                low, high = np.full(pairs.size, -np.exp(epsilon[e])), np.ones(pairs.size)
            else:
                low, high = np.full(pairs.size, -1.0), np.full(pairs.size, LARGEST_EPSILON)
            for _ in range(STEPS):
                middle = 0.5 * (low + high)
                if epsilon is not None:
                    reached = middle[:, None] + np.exp(epsilon[e]) * mass
                else:
                    reached = np.asarray(delta)[e] + np.exp(middle)[:, None] * mass
                under = betainc(a[:, None], rest_a, np.clip(reached, 0.0, 1.0)) @ WEIGHTS <= alpha
                low, high = np.where(under, middle, low), np.where(under, high, middle)
            out[e] = low[where]
        return out
