"""Lower bounds under a Gaussian shift, behind the check of that model."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from estimators.checks import check_within
from estimators.exact._gaussian_dp import noncentral_t, two_sample_t
from estimators.exact._gaussian_fit import LEAST, gaussian_fit
from estimators.exact._gaussian_profile import gaussian_delta, gaussian_epsilon
from estimators.lower._method import INDEPENDENT_SAMPLES, DirectedBounds, LowerBoundMethod
from estimators.lower._target import LARGEST_EPSILON, DeltaAt, Target

STEPS = 38


@dataclass(frozen=True)
class GaussianDP(LowerBoundMethod):
    """Bounds from Gaussian differential privacy's mu: an assumption, far tighter when it is true.

    If both populations are normal with equal variances, Student's t bounds ``|mu|`` exactly, and
    mu gives every delta and epsilon, however small the delta. If they are not, the bound is wrong
    without limit, with more data the more surely. Observables that the check refuses
    (normality of both sides, equal variances) get the trivial bound and a warning; samples of
    fewer than 20 models a side are undetermined. Passing the check proves nothing.

    Attributes:
        level: level of the check, in [0.001, 0.5]; larger refuses more.

    Raises:
        ValueError: when the level lies outside its range.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> draw = np.random.default_rng(1)
        >>> p, q = draw.normal(1.0, 1.0, 300), draw.normal(0.0, 1.0, 300)
        >>> result = estimators.epsilon_lower_bound(
        ...     p, q, delta=1e-5, method=estimators.GaussianDP()
        ... )
        >>> bool(3.0 < result.bound < 4.3772)
        True

    References:
        Dong, Roth and Su (2022), Gaussian differential privacy, Corollary 2.13 (arXiv numbers).
    """

    level: float = 0.05

    def __post_init__(self) -> None:
        check_within("[0.001, 0.5]", level=self.level)

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Independence, and the Gaussian shift."""
        return (
            INDEPENDENT_SAMPLES,
            "both populations are normal with equal variances (checked, not proved)",
        )

    def words(self) -> str:
        """The method in words."""
        return f"Gaussian shift by noncentral t, behind a check at level {self.level:g}"

    def warn(self, p: Float[np.ndarray, "n j"], q: Float[np.ndarray, "m j"]) -> tuple[str, ...]:
        """Says which share of the observables the check refuses."""
        if min(p.shape[0], q.shape[0]) < LEAST:
            return (f"fewer than {LEAST} models a side: the Gaussian model cannot be checked",)
        fits = gaussian_fit(p, q, level=self.level).fits
        if fits.all():
            return ()
        return (
            f"the check refuses the Gaussian model for {int((~fits).sum())} of {fits.size} "
            "observables: no bound for them",
        )

    def solve(
        self,
        p: Float[np.ndarray, "n j"],
        q: Float[np.ndarray, "m j"],
        target: Target,
        alpha: float,
    ) -> DirectedBounds:
        """Bounds from the least ``|mu|``; the directions of a Gaussian shift are alike.

        Bounds on epsilon are at most 50: at delta 0 a Gaussian shift has none.
        """
        mu = self._least_shift(p, q, alpha)
        if isinstance(target, DeltaAt):
            found = gaussian_delta(mu, target.numbers[:, None])
            found = np.maximum(found * (1.0 - 1e-9) - 1e-12, 0.0)
        else:
            found = gaussian_epsilon(mu, np.maximum(target.numbers, 1e-300)[:, None])
            found = np.minimum(np.maximum(found - 1e-9, 0.0), LARGEST_EPSILON)
        return DirectedBounds(found, found, found)

    def reach(
        self, n: int, m: int, epsilon: Float[np.ndarray, " e"], confidence: float
    ) -> Float[np.ndarray, " e"]:
        """Without limit, once there are models enough to check."""
        del confidence
        return np.full(epsilon.size, float(min(n, m) >= LEAST))

    def _least_shift(
        self, p: Float[np.ndarray, "n j"], q: Float[np.ndarray, "m j"], alpha: float
    ) -> Float[np.ndarray, " j"]:
        """Lower bound on ``|mu|`` from the law of ``|t|``, 0 where the check refuses."""
        t, df, root = two_sample_t(p, q)
        usable = gaussian_fit(p, q, level=self.level).fits & ~np.isnan(t)
        size = np.abs(np.where(usable, t, 0.0))
        low, high = np.zeros(size.shape), size + 10.0
        for _ in range(STEPS):
            middle = 0.5 * (low + high)
            # The chance of a |t| this large grows with |mu|, whatever its sign.
            chance = 2.0 - noncentral_t(df, middle, size) - noncentral_t(df, -middle, size)
            rejected = chance <= alpha
            low, high = np.where(rejected, middle, low), np.where(rejected, high, middle)
        return np.where(usable, low / root, 0.0)
