"""Lower ends of credible intervals: Bayesian, not confidence bounds."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.special import betainc, betaincinv, ndtri

from estimators.checks import check_seed, check_within
from estimators.lower._chosen_event import counted_half_lines
from estimators.lower._method import INDEPENDENT_SAMPLES, OneSidedMethod
from estimators.lower._pilot import drawn_by, share_of
from estimators.lower._target import LARGEST_EPSILON, DeltaAt, Target

_RULE = np.polynomial.legendre.leggauss(80)
NODES, WEIGHTS = _RULE[0] / 2.0 + 0.5, _RULE[1] / 2.0
STEPS = 34


@dataclass(frozen=True)
class Bayesian(OneSidedMethod):
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

    def __post_init__(self) -> None:
        check_within("[0.05, 0.9]", fraction=self.fraction)
        check_within("[0.1, 10]", prior=self.prior)
        if self.seed is not None:
            check_seed(self.seed)

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Independence, and the prior."""
        return (
            INDEPENDENT_SAMPLES,
            f"credible under independent Beta({self.prior:g}, {self.prior:g}) priors on both "
            "masses: not a confidence bound",
        )

    def words(self) -> str:
        """The method in words."""
        return (
            f"posterior quantile (credible, not confidence) for an event chosen on "
            f"{self.fraction:g} of the models, drawn by {drawn_by(self.seed)}"
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
        best = np.zeros(epsilon.size)
        pilots = share_of(n, self.fraction), share_of(m, self.fraction)
        if not min(pilots):
            return best
        sizes = n - pilots[0], m - pilots[1]
        for e, question in enumerate(DeltaAt(epsilon).each()):
            # At epsilon 0 the forward direction is looked at alone, with the whole level.
            alone = bool(question.symmetric[0])
            alpha = (1.0 - confidence) / (1.0 if alone else 2.0)
            for inside, outside in (sizes,) if alone else (sizes, sizes[::-1]):
                x, y = np.full((1, 1), inside), np.zeros((1, 1), dtype=np.int64)
                found = self._quantile(x, inside, y, outside, question, alpha)
                best[e] = max(best[e], float(found[0, 0]))
        return best

    def forward(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        target: Target,
        alpha: float,
    ) -> Float[np.ndarray, "e j"]:
        """See `OneSidedMethod.forward`."""
        # Errors add in quadrature in the posterior: each counts for about 1/sqrt(2) of its own.
        score = float(-ndtri(alpha)) / np.sqrt(2.0)
        counts = counted_half_lines(
            p, q, target, fraction=self.fraction, seed=self.seed, score=score
        )
        if counts is None:
            return np.zeros((target.numbers.size, p.shape[1]))
        return np.maximum(self._quantile(*counts, target, alpha), 0.0)

    def _quantile(
        self,
        x: Int[np.ndarray, "e j"],
        n: int,
        y: Int[np.ndarray, "e j"],
        m: int,
        target: Target,
        alpha: float,
    ) -> Float[np.ndarray, "e j"]:
        """Alpha quantile of ``a - e^epsilon b`` or ``ln((a - delta) / b)`` for Beta a and b."""
        out = np.empty(x.shape)
        for e, number in enumerate(target.numbers):
            pairs, where = np.unique(x[e] * (m + 1) + y[e], return_inverse=True)
            a, b = pairs // (m + 1) + self.prior, pairs % (m + 1) + self.prior
            rest_a = (n + 2 * self.prior - a)[:, None]
            rest_b = (m + 2 * self.prior - b)[:, None]
            # Gauss's rule integrates over the quantiles of b; given b, the chance of a is exact.
            mass = betaincinv(b[:, None], rest_b, NODES)
            if isinstance(target, DeltaAt):
                low, high = np.full(pairs.size, -np.exp(number)), np.ones(pairs.size)
            else:
                low, high = np.full(pairs.size, -1.0), np.full(pairs.size, LARGEST_EPSILON)
            for _ in range(STEPS):
                middle = 0.5 * (low + high)
                if isinstance(target, DeltaAt):
                    reached = middle[:, None] + np.exp(number) * mass
                else:
                    reached = number + np.exp(middle)[:, None] * mass
                under = betainc(a[:, None], rest_a, np.clip(reached, 0.0, 1.0)) @ WEIGHTS <= alpha
                low, high = np.where(under, middle, low), np.where(under, high, middle)
            out[e] = low[where]
        return out
