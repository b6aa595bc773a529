"""Randomised response, the worst of all mechanisms with a given pure epsilon."""

from dataclasses import dataclass

import numpy as np

from oracles.mechanisms._mechanism import Floats, SampledMechanism
from oracles.mechanisms._values import check_real, check_whole


@dataclass(frozen=True)
class RandomisedResponse(SampledMechanism):
    r"""Randomised response over k answers, the worst mechanism of its pure epsilon.

    The truth is told with probability $e^{\epsilon_0}/(e^{\epsilon_0}+k-1)$, each other answer with
    probability $1/(e^{\epsilon_0}+k-1)$, so that

    $$\delta(\epsilon) = \max\Bigl\{0,\;
    \frac{e^{\epsilon_0} - e^{\epsilon}}{e^{\epsilon_0} + k - 1}\Bigr\},$$

    the same in both directions, exactly. With k = 2 no mechanism with the same pure epsilon has a
    larger delta anywhere, so this is also the curve of "epsilon0, and nothing else is known".

    Samples are answers to the truths 0 (P) and k - 1 (Q); half-lines see all that differs.

    Args:
        epsilon0: the pure epsilon, at least 0.
        categories: the number of answers k, at least 2.

    Raises:
        ValueError: when a setting lies outside its range.

    Example:
        >>> from indist import oracles
        >>> mechanism = oracles.mechanisms.RandomisedResponse(epsilon0=1.0)
        >>> round(mechanism.delta(0.0), 4), mechanism.delta(1.0), mechanism.epsilon(0.0)
        (0.4621, 0.0, 1.0)

    References:
        Kairouz, Oh and Viswanath (2015), "The composition theorem for differential privacy" (that
        two answers dominate). https://arxiv.org/abs/1311.0776
        Balle, Barthe and Gaboardi (2020), "Privacy profiles and amplification by subsampling",
        theorem 2 (the curve, for two answers). https://doi.org/10.29012/jpc.726
    """

    epsilon0: float
    categories: int = 2
    source = "Kairouz, Oh and Viswanath (2015), randomised response"
    assumptions = ("answers are drawn with the probabilities stated",)

    def __post_init__(self) -> None:
        check_real("epsilon0", self.epsilon0)
        check_whole("categories", self.categories, least=2)

    @property
    def _spread(self) -> float:
        """One over the probability of the truth."""
        return 1 + (self.categories - 1) * np.exp(-self.epsilon0)

    def _delta(self, epsilon: Floats) -> Floats:
        return -np.expm1(np.minimum(epsilon - self.epsilon0, 0.0)) / self._spread

    def _epsilon(self, delta: Floats) -> Floats:
        # The floor is for a delta so large that epsilon 0 suffices: the logarithm stays finite.
        factor = np.maximum(1 - delta * self._spread, np.exp(-self.epsilon0) / 2)
        return np.where(delta == 0, self.epsilon0, self.epsilon0 + np.log(factor))

    def _sample(self, rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
        chances = np.exp(-self.epsilon0 * (np.arange(self.categories) > 0)) / self._spread
        answers = np.arange(self.categories, dtype=np.float64)
        return rng.choice(answers, n, p=chances), rng.choice(answers, n, p=chances[::-1])
