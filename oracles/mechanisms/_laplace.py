"""The Laplace mechanism."""

from dataclasses import dataclass

import numpy as np

from oracles.mechanisms._mechanism import Floats, SampledMechanism
from oracles.mechanisms._values import check_real


@dataclass(frozen=True)
class Laplace(SampledMechanism):
    r"""The Laplace mechanism: Laplace(epsilon0, 1) against Laplace(0, 1).

    $$\delta(\epsilon) = \max\{0,\; 1 - e^{(\epsilon - \epsilon_0)/2}\},$$

    the same in both directions. It is exact, and 0 from epsilon0 on. Samples:
    P = Laplace(epsilon0, 1), Q = Laplace(0, 1).

    Args:
        epsilon0: sensitivity divided by the scale of the noise, at least 0.

    Raises:
        ValueError: when epsilon0 is negative or not finite.

    Example:
        >>> from indist import oracles
        >>> mechanism = oracles.mechanisms.Laplace(epsilon0=1.0)
        >>> round(mechanism.delta(0.0), 4), mechanism.delta(1.0), mechanism.epsilon(0.0)
        (0.3935, 0.0, 1.0)

    References:
        Balle, Barthe and Gaboardi (2020), "Privacy profiles and amplification by subsampling",
        theorem 3. https://doi.org/10.29012/jpc.726
    """

    epsilon0: float
    source = "Balle, Barthe and Gaboardi (2020), theorem 3"
    assumptions = ("Laplace noise, and an L1 sensitivity of at most epsilon0 scales",)

    def __post_init__(self) -> None:
        check_real("epsilon0", self.epsilon0)

    def _delta(self, epsilon: Floats) -> Floats:
        return -np.expm1(np.minimum(epsilon - self.epsilon0, 0.0) / 2)

    def _epsilon(self, delta: Floats) -> Floats:
        with np.errstate(divide="ignore"):
            return self.epsilon0 + 2 * np.log1p(-delta)

    def _sample(self, rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
        return rng.laplace(self.epsilon0, 1.0, n), rng.laplace(0.0, 1.0, n)
