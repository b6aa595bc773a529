"""The Gaussian mechanism, and the curve that every Gaussian-shift argument ends in."""

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from scipy import special

from estimators.checks import check_within
from oracles.mechanisms._mechanism import Floats, SampledMechanism
from oracles.mechanisms._values import check_real


def gaussian_delta(mu: float, epsilon: Floats) -> Floats:
    r"""Hockey-stick divergence of N(0,1) and N(mu,1), accurate far into the tail.

    With $a = \mu/2 - \epsilon/\mu$ and $b = -\mu/2 - \epsilon/\mu$, $e^\epsilon\varphi(b) =
    \varphi(a)$, so the two terms of $\Phi(a) - e^\epsilon\Phi(b)$ share the factor $e^{-a^2/2}$.
    """
    if mu == 0:
        return np.zeros_like(epsilon)
    with np.errstate(over="ignore"):
        ratio = epsilon / mu
    a, b = mu / 2 - ratio, -mu / 2 - ratio
    common = np.exp(-a * a / 2) / 2
    second = common * special.erfcx(-b / np.sqrt(2))
    # erfcx overflows for large positive a, where the plain difference loses nothing.
    first = np.where(
        a > 0,
        special.ndtr(a),
        common * special.erfcx(-np.minimum(a, 0.0) / np.sqrt(2)),
    )
    return np.maximum(first - second, 0.0)


def gaussian_mu(epsilon: float, delta: float) -> float:
    """The greatest shift that is (epsilon, delta)-indistinguishable, rounded down.

    Raises:
        ValueError: when epsilon is not at least 0 and finite, or delta not in (0, 1).
    """
    check_real("epsilon", epsilon)
    check_within("(0, 1)", delta=delta)
    target = np.array([epsilon])
    low, high = 0.0, 1.0
    while gaussian_delta(high, target)[0] <= delta:
        low, high = high, 2 * high
    while low < (middle := (low + high) / 2) < high:
        is_met = bool(gaussian_delta(middle, target)[0] <= delta)
        low, high = (middle, high) if is_met else (low, middle)
    return low


class GaussianShift(SampledMechanism):
    r"""Any mechanism whose guarantee is that of telling N(0,1) from N(mu,1).

    $$\delta(\epsilon) = \Phi(\mu/2 - \epsilon/\mu) - e^\epsilon\,\Phi(-\mu/2 - \epsilon/\mu).$$

    Samples are of the worst pair, P = N(mu,1) and Q = N(0,1).
    """

    @abstractmethod
    def _shift(self) -> float:
        """The shift mu, in standard deviations."""

    def _delta(self, epsilon: Floats) -> Floats:
        return gaussian_delta(self._shift(), epsilon)

    def _sample(self, rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
        return rng.normal(self._shift(), 1.0, n), rng.normal(0.0, 1.0, n)


@dataclass(frozen=True)
class Gaussian(GaussianShift):
    r"""The Gaussian mechanism: N(mu,1) against N(0,1), mu = sensitivity / standard deviation.

    $$\delta(\epsilon) = \Phi(\mu/2 - \epsilon/\mu) - e^\epsilon\,\Phi(-\mu/2 - \epsilon/\mu),$$

    the same in both directions. It is exact, at every epsilon. Samples: P = N(mu,1), Q = N(0,1).

    Args:
        mu: the shift in standard deviations, at least 0; at 0 the two are identical.

    Raises:
        ValueError: when mu is negative or not finite.

    Example:
        >>> from indist import oracles
        >>> mechanism = oracles.mechanisms.Gaussian(mu=1.0)
        >>> round(mechanism.delta(0.0), 4), round(mechanism.delta(1.0), 4)
        (0.3829, 0.1269)
        >>> round(mechanism.epsilon(0.01), 4)
        2.3178

    References:
        Balle and Wang (2018), "Improving the Gaussian mechanism for differential privacy",
        theorem 8. https://arxiv.org/abs/1805.06530
        Dong, Roth and Su (2022), "Gaussian differential privacy", corollary 2.13 (arXiv numbers).
        https://arxiv.org/abs/1905.02383
    """

    mu: float
    source = "Balle and Wang (2018), theorem 8"
    assumptions = ("Gaussian noise, and a sensitivity of at most mu standard deviations",)

    def __post_init__(self) -> None:
        check_real("mu", self.mu)

    def _shift(self) -> float:
        return self.mu


@dataclass(frozen=True)
class ComposedGaussian(GaussianShift):
    r"""Several Gaussian mechanisms on the same data, all their outputs released.

    Shifts compose as orthogonal directions do: $\mu = \sqrt{\sum_i \mu_i^2}$, exactly, also when
    later mechanisms see the earlier outputs.

    Args:
        mus: the shift of each mechanism in its standard deviations, at least one of them.

    Raises:
        ValueError: when there is none, or one is negative or not finite.

    Example:
        >>> from indist import oracles
        >>> oracles.mechanisms.ComposedGaussian(mus=(3.0, 4.0)).mu
        5.0

    References:
        Dong, Roth and Su (2022), "Gaussian differential privacy", corollary 3.3 (arXiv numbers).
        https://arxiv.org/abs/1905.02383
    """

    mus: tuple[float, ...]
    source = "Dong, Roth and Su (2022), corollary 3.3"
    assumptions = ("Gaussian noise, independent between mechanisms, and the sensitivities stated",)

    def __post_init__(self) -> None:
        object.__setattr__(self, "mus", tuple(self.mus))
        if not self.mus:
            raise ValueError("mus: expected at least one shift, found none")
        for index, mu in enumerate(self.mus):
            check_real(f"mus[{index}]", mu)

    @property
    def mu(self) -> float:
        """The shift of the whole, in standard deviations."""
        return float(np.linalg.norm(self.mus))

    def _shift(self) -> float:
        return self.mu
