"""The textbook lower bound: two Clopper-Pearson limits on one event."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import ndtri

from estimators.checks import check_seed, check_within
from estimators.exact._binomial_pair import lower_quantile, upper_quantile
from estimators.lower._chosen_event import counted_half_lines
from estimators.lower._limits import bound_from_limits
from estimators.lower._method import OneSidedMethod
from estimators.lower._pilot import drawn_by, share_of
from estimators.lower._target import Target


@dataclass(frozen=True)
class ClopperPearson(OneSidedMethod):
    """Clopper-Pearson limits, half of the level each, on events chosen validly.

    The method of most published audits, with the choice of the threshold paid for: either the event
    of each observable is chosen on a share of the models and counted on the others, or (without a
    share) the level is split evenly over thresholds at order statistics of Q at fixed ranks, both
    orientations. Valid, and looser than the default.

    Attributes:
        fraction: share of each side set aside to choose the event, in [0, 0.9]; 0 for fixed ranks.
        seed: joins the digest of the samples in drawing that share; None leaves the digest alone,
            so that nobody can choose the draw.

    Raises:
        ValueError: when a number lies outside its range.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> p, q = np.linspace(1, 2, 500), np.linspace(0, 1, 500)
        >>> method = estimators.ClopperPearson(fraction=0.25)
        >>> print(estimators.delta_lower_bound(p, q, epsilon=0.0, method=method).bound.round(2))
        0.98

    References:
        Clopper and Pearson (1934), The use of confidence or fiducial limits illustrated in the case
        of the binomial; Nasr et al. (2021), Adversary instantiation: lower bounds for
        differentially private machine learning, https://arxiv.org/abs/2101.04535, for its use on
        epsilon.
    """

    fraction: float = 0.0
    seed: int | None = None

    def __post_init__(self) -> None:
        check_within("[0, 0.9]", fraction=self.fraction)
        if self.seed is not None:
            check_seed(self.seed)

    def words(self) -> str:
        """The method in words."""
        if not self.fraction:
            return "Clopper-Pearson pairs at fixed ranks of Q, the level split evenly"
        return (
            f"Clopper-Pearson pairs on an event chosen on {self.fraction:g} of the models, "
            f"drawn by {drawn_by(self.seed)}"
        )

    def reach(
        self, n: int, m: int, epsilon: Float[np.ndarray, " e"], confidence: float
    ) -> Float[np.ndarray, " e"]:
        """The bound when every point of one side and none of the other is in the event."""
        alpha = (1.0 - confidence) / np.where(epsilon > 0.0, 2.0, 1.0)
        if self.fraction:
            pilots = share_of(n, self.fraction), share_of(m, self.fraction)
            if not min(pilots):
                return np.zeros(epsilon.size)
            n, m = n - pilots[0], m - pilots[1]
        best = np.zeros(epsilon.size)
        # At epsilon 0 only the forward direction is looked at.
        for ours, theirs, used in ((n, m, epsilon >= 0.0), (m, n, epsilon > 0.0)):
            share = alpha if self.fraction else alpha / (2.0 * rank_grid(theirs).size)
            score = -ndtri(share / 2.0)
            found = lower_quantile(np.full(epsilon.size, ours), ours, score)
            lost = upper_quantile(np.zeros(epsilon.size), theirs, score)
            best = np.where(used, np.maximum(best, found - np.exp(epsilon) * lost), best)
        return best

    def forward(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        target: Target,
        alpha: float,
    ) -> Float[np.ndarray, "e j"]:
        """See `OneSidedMethod.forward`."""
        if not self.fraction:
            return bound_from_limits(*_limits_at_ranks(p, q, alpha), target)
        score = float(-ndtri(alpha / 2.0))
        counts = counted_half_lines(
            p, q, target, fraction=self.fraction, seed=self.seed, score=score
        )
        if counts is None:
            return np.zeros((target.numbers.size, p.shape[1]))
        low = lower_quantile(counts.x, counts.n, score)
        high = upper_quantile(counts.y, counts.m, score)
        return bound_from_limits(low[:, None], high[:, None], target)


def _limits_at_ranks(
    p: Float[np.ndarray, "n j"], q: Float[np.ndarray, "m j"], alpha: float
) -> tuple[Float[np.ndarray, "1 k j"], Float[np.ndarray, "1 k 1"]]:
    """Lower limits of P and upper limits of Q in k events, all of them together at level alpha."""
    n, m = p.shape[0], q.shape[0]
    ranks = rank_grid(m)
    score = float(-ndtri(alpha / (4.0 * ranks.size)))
    # Given Q, points of P beyond a point of Q are binomial; Q's mass strictly beyond its point of
    # rank y + 1 is at most Beta(y + 1, m - y) in law, which is Clopper-Pearson's at y.
    high = upper_quantile(np.tile(ranks, 2), m, score)
    counts: list[np.ndarray] = []
    for sign in (1.0, -1.0):
        ours, bars = np.sort(sign * p, axis=0), -np.sort(-sign * q, axis=0)[ranks]
        beyond = [n - np.searchsorted(a, b, "right") for a, b in zip(ours.T, bars.T, strict=True)]
        counts.append(np.stack(beyond, axis=1))
    low = lower_quantile(np.concatenate(counts), n, score)
    return low[None], high[None, :, None]


def rank_grid(m: int) -> np.ndarray:
    """Numbers of Q's points beyond the thresholds: 0.35 m, a third of it, and so on down to 0.

    Args:
        m: models of Q.

    Returns:
        Distinct counts below m, falling.
    """
    counts = [min(int(0.35 * m), m - 1)]
    while counts[-1] > 0:
        counts.append(counts[-1] // 3)
    return np.array(counts)
