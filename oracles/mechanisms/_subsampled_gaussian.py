"""The Poisson-subsampled Gaussian mechanism, once or composed: differentially private training."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special

from oracles.mechanisms._gaussian import gaussian_delta
from oracles.mechanisms._mechanism import Floats, SampledMechanism
from oracles.mechanisms._privacy_loss import PrivacyLoss, compose, discretise
from oracles.mechanisms._values import check_positive, check_whole

# Standard deviations of noise beyond which mass (1e-23) is counted as an infinite loss.
REACH = 10.0


@dataclass(frozen=True)
class SubsampledGaussian(SampledMechanism):
    r"""Steps of a Gaussian mechanism on a Poisson sample, as in differentially private training.

    One step compares $P = (1-q)\,N(0,\sigma^2) + q\,N(1,\sigma^2)$ with $Q = N(0,\sigma^2)$. With
    $\delta_G$ the curve of `Gaussian` at $\mu = 1/\sigma$, exactly,

    $$H_{e^\epsilon}(P\|Q) = q\,\delta_G(\ln(1 + (e^\epsilon - 1)/q)),$$
    $$H_{e^\epsilon}(Q\|P) = (1 - (1-q)e^\epsilon)\,
    \delta_G\Bigl(\ln\frac{q\,e^\epsilon}{1 - (1-q)e^\epsilon}\Bigr)$$

    (0 when $(1-q)e^\epsilon \ge 1$). Several steps are composed through their discretised privacy
    losses, rounded so that delta is never too small: too large by about 1e-8 on the grid chosen
    by default, and never below about 1e-15 times the number of steps.

    Samples are log-likelihood ratios of whole runs, a half-line of which attains the divergence.

    Args:
        noise_multiplier: standard deviation of the noise over the clipping norm, above 0.
        rate: the probability q with which each example enters a step, in (0, 1].
        steps: how many steps are composed, at least 1.
        grid: spacing of the discretised losses, in (0, 0.1], used when there are several steps; by
            default a thousandth of the loss's standard deviation, within reason.

    Raises:
        ValueError: when a setting lies outside its range.

    Example:
        >>> from indist import oracles
        >>> mechanism = oracles.mechanisms.SubsampledGaussian(noise_multiplier=1.0, rate=0.01)
        >>> round(mechanism.delta(0.1), 6)
        7.3e-05
        >>> oracles.mechanisms.SubsampledGaussian(1.0, rate=1.0).delta(1.0) == (
        ...     oracles.mechanisms.Gaussian(1.0).delta(1.0)
        ... )
        True

    References:
        Balle, Barthe and Gaboardi (2020), "Privacy profiles and amplification by subsampling",
        theorem 8 (one step). https://doi.org/10.29012/jpc.726
        Doroshenko et al. (2022), "Connect the dots: tighter discrete approximations of privacy loss
        distributions" (several). https://arxiv.org/abs/2207.04380
    """

    noise_multiplier: float
    rate: float
    steps: int = 1
    grid: float | None = None
    source = "Balle, Barthe and Gaboardi (2020), theorem 8; Doroshenko et al. (2022)"
    assumptions = (
        "each example enters each step independently (Poisson sampling)",
        "neighbouring data sets differ by adding or removing one example",
        "Gaussian noise on sums of clipped contributions",
    )

    def __post_init__(self) -> None:
        check_positive("noise_multiplier", self.noise_multiplier)
        check_positive("rate", self.rate, high=1.0)
        check_whole("steps", self.steps)
        if self.grid is not None:
            check_positive("grid", self.grid, high=0.1)

    def _delta(self, epsilon: Floats) -> Floats:
        if self.steps > 1:
            removed, added = _composed(self.noise_multiplier, self.rate, self.steps, self.grid)
            return np.maximum(removed.delta(epsilon), added.delta(epsilon))
        return np.maximum(self._removed(epsilon), self._added(epsilon))

    def _removed(self, epsilon: Floats) -> Floats:
        q, mu = self.rate, 1 / self.noise_multiplier
        inner = epsilon - np.log(q) + np.log1p(-(1 - q) * np.exp(-epsilon))
        return q * gaussian_delta(mu, np.maximum(inner, 0.0))

    def _added(self, epsilon: Floats) -> Floats:
        q, mu = self.rate, 1 / self.noise_multiplier
        factor = 1 - (1 - q) * np.exp(np.minimum(epsilon, 700.0))
        positive = factor > 0
        inner = np.log(q) + epsilon - np.log(np.where(positive, factor, 1.0))
        return np.where(positive, factor * gaussian_delta(mu, np.maximum(inner, 0.0)), 0.0)

    def _sample(self, rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
        p, q = np.zeros(n), np.zeros(n)
        for _ in range(self.steps):
            included = rng.random(n) < self.rate
            p += _privacy_loss(included + self.noise_multiplier * rng.normal(size=n), self)
            q += _privacy_loss(self.noise_multiplier * rng.normal(size=n), self)
        return p, q


def _privacy_loss(x: Floats, mechanism: SubsampledGaussian) -> Floats:
    """ln(P/Q) of one step at the output x."""
    exponent = (2 * x - 1) / (2 * mechanism.noise_multiplier**2)
    with np.errstate(divide="ignore"):
        return np.logaddexp(np.log1p(-mechanism.rate), np.log(mechanism.rate) + exponent)


@lru_cache(maxsize=32)
def _composed(
    sigma: float, rate: float, steps: int, grid: float | None
) -> tuple[PrivacyLoss, PrivacyLoss]:
    """Composed losses of P against Q and of Q against P."""
    step = SubsampledGaussian(sigma, rate)
    ends = np.array([-REACH * sigma, 1 + REACH * sigma])
    low, high = _privacy_loss(ends, step)
    if grid is None:
        # Rounding adds about grid^2 to the loss's variance (under Q: rate^2 (e^(1/sigma^2) - 1)).
        spread = rate * np.sqrt(np.expm1(min(1 / sigma**2, 50.0)))
        grid = float(min(1e-4, max(spread / 1_000, (high - low) / 500_000)))
    low, high = low / grid, high / grid
    points = np.arange(int(np.floor(low)), int(np.ceil(high)) + 1)
    outputs = _output(grid * points, sigma, rate)
    p, p_below, p_above = _masses(outputs, sigma, rate)
    q, q_below, q_above = _masses(outputs, sigma, 0.0)
    removed = discretise(grid, int(points[0]), p, q, p_below, p_above)
    # The loss of Q against P is minus that of P against Q: the same bins, read from the far end.
    added = discretise(grid, -int(points[-1]), q[::-1], p[::-1], q_above, q_below)
    return compose(removed, steps), compose(added, steps)


def _output(loss: Floats, sigma: float, rate: float) -> Floats:
    """The output x at which one step has the loss given, minus infinity where none has."""
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.log1p(-(1 - rate) * np.exp(-np.maximum(loss, np.log1p(-rate))))
    exponent = loss + part - np.log(rate)
    return np.where(np.isnan(exponent), -np.inf, sigma**2 * exponent + 0.5)


def _masses(outputs: Floats, sigma: float, rate: float) -> tuple[Floats, float, float]:
    """Mass of the mixture between neighbouring outputs, below the first and above the last."""
    bins, below, above = np.zeros(outputs.size - 1), 0.0, 0.0
    for weight, centre in ((1 - rate, 0.0), (rate, 1.0)):
        z = (outputs - centre) / sigma
        # Differences of the smaller tail keep their digits on both sides of the centre.
        left, right = np.diff(special.ndtr(z)), -np.diff(special.ndtr(-z))
        bins += weight * np.where(z[:-1] > 0, right, left)
        below += weight * float(special.ndtr(z[0]))
        above += weight * float(special.ndtr(-z[-1]))
    return bins, below, above
