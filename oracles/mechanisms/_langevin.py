"""Langevin unlearning: noisy gradient descent forgets at the rate at which it mixes."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from oracles.mechanisms._mechanism import Floats, Mechanism
from oracles.mechanisms._values import check_positive, check_whole

# Orders of the Rényi divergence: a claim is the best over these, so they are part of the answer.
ORDERS = 1 + np.geomspace(1e-3, 1e6, 4_000)


@dataclass(frozen=True)
class Langevin(Mechanism):
    r"""Langevin unlearning of strongly convex losses by noisy gradient descent.

    Learning and unlearning are $w \leftarrow w - \eta\nabla F(w) + \sqrt{2\eta\sigma^2}\,N(0, I)$,
    run to stationarity on all data, then for K steps without S examples. The Rényi divergence of
    order $\alpha$ between the result and the stationary law of the remaining data is at most

    $$\rho_1(\alpha) = e^{-Km\eta/\alpha}\,\rho_0(\alpha), \qquad
    \rho_0(\alpha) = \frac{4\alpha S^2M^2}{m\sigma^2n^2}.$$

    Each further batch of requests starts from the last, by the weak triangle inequality:
    $\rho_{s}(\alpha) = e^{-Km\eta/\alpha}\bigl[\tfrac{\alpha - 1/2}{\alpha - 1}\rho_{s-1}(2\alpha)
    + \rho_0(2\alpha)\bigr]$. (The factor on the first term alone serves both directions, as
    $\rho_0$ is proportional to $\alpha$; the published code has it on both.) Then

    $$\delta(\epsilon) = \min_\alpha \frac{1}{\alpha}\Bigl(1 - \frac1\alpha\Bigr)^{\alpha - 1}
    e^{(\alpha - 1)(\rho(\alpha) - \epsilon)},$$

    over a fixed grid of orders, and at most the total variation $\min\{\sqrt{\rho/2},
    \sqrt{1 - e^{-\rho}}\}$ at the order where $\rho$ is least; `epsilon` is its exact inverse. An
    upper bound, not a curve that is attained: there is nothing to sample.

    Args:
        sigma: the noise $\sigma$, above 0.
        lipschitz: bound M on the norm of each example's gradient, above 0.
        convexity: strong convexity m of the loss, above 0.
        smoothness: smoothness L of the loss, at least ``convexity``.
        examples: size n of the data set, at least 2.
        learning_rate: step size $\eta$, above 0 and at most 1/L.
        steps: unlearning steps K a batch of requests, at least 0.
        forgotten: examples S a batch of requests, at least 1 and at most n.
        requests: batches of requests so far, at least 1.

    Raises:
        ValueError: when a setting lies outside its range.

    Example:
        >>> from indist import oracles
        >>> mechanism = oracles.mechanisms.Langevin(
        ...     sigma=0.1, lipschitz=1.0, convexity=0.1, smoothness=1.0,
        ...     examples=1000, learning_rate=1.0, steps=50,
        ... )
        >>> round(mechanism.epsilon(1e-3), 4)
        0.1885

    References:
        Chien, Wang, Chen and Li (2024), "Langevin unlearning: a new perspective of noisy gradient
        descent for machine unlearning" (strongly convex losses; requests in sequence).
        https://arxiv.org/abs/2401.10371
        Canonne, Kamath and Steinke (2020), "The discrete Gaussian for differential privacy",
        proposition 12 (from Rényi divergence to delta). https://arxiv.org/abs/2004.00010
        Canonne (2022), "A short note on an inequality between KL and TV" (Pinsker and
        Bretagnolle-Huber: to delta at epsilon 0). https://arxiv.org/abs/2202.07198
    """

    sigma: float
    lipschitz: float
    convexity: float
    smoothness: float
    examples: int
    learning_rate: float
    steps: int
    forgotten: int = 1
    requests: int = 1
    source = "Chien et al. (2024), Langevin unlearning; Canonne et al. (2020), proposition 12"
    assumptions = (
        "compared with the stationary law of noisy gradient descent on the remaining data",
        "learning had reached its stationary law before the first request",
        "the loss is m-strongly convex and L-smooth, with gradients clipped to norm M",
        "forgotten rows are replaced, not dropped: data sets of one size that differ in S rows",
    )

    def __post_init__(self) -> None:
        for name in ("sigma", "lipschitz", "convexity", "smoothness", "learning_rate"):
            check_positive(name, getattr(self, name))
        if self.smoothness < self.convexity:
            raise ValueError(
                f"smoothness: expected at least the convexity {self.convexity:g}, "
                f"found {self.smoothness!r}"
            )
        if self.learning_rate * self.smoothness > 1 + 1e-12:
            raise ValueError(
                f"learning_rate: expected at most 1/smoothness = {1 / self.smoothness:g}, "
                f"found {self.learning_rate!r}"
            )
        check_whole("examples", self.examples, least=2)
        check_whole("steps", self.steps, least=0)
        check_whole("forgotten", self.forgotten, most=self.examples)
        check_whole("requests", self.requests, most=30)

    def renyi(self, order: Floats) -> Floats:
        """The bound on the Rényi divergence.

        Args:
            order: orders of any shape, each above 1.

        Returns:
            Divergences of the same shape, at least 0.
        """
        return self._renyi(np.asarray(order, dtype=np.float64), self.requests)

    def _renyi(self, order: Floats, requests: int) -> Floats:
        decay = np.exp(-self.steps * self.convexity * self.learning_rate / order)
        if requests == 1:
            return decay * self._stationary(order)
        before = (order - 0.5) / (order - 1) * self._renyi(2 * order, requests - 1)
        return decay * (before + self._stationary(2 * order))

    def _stationary(self, order: Floats) -> Floats:
        """Between the stationary laws of data sets that differ in one batch of requests."""
        distance = self.forgotten * self.lipschitz / (self.sigma * self.examples)
        return 4 * order * distance**2 / self.convexity

    def _delta(self, epsilon: Floats) -> Floats:
        rest = special.xlog1py(ORDERS - 1, -1 / ORDERS) - np.log(ORDERS)
        exponents = (ORDERS - 1) * (self.renyi(ORDERS) - epsilon[..., None]) + rest
        return np.minimum(np.exp(np.minimum(exponents.min(axis=-1), 0.0)), self._total_variation())

    def _epsilon(self, delta: Floats) -> Floats:
        rest = special.xlog1py(ORDERS - 1, -1 / ORDERS) - np.log(ORDERS)
        with np.errstate(divide="ignore"):
            budget = rest - np.log(delta)[..., None]
        least = (self.renyi(ORDERS) + budget / (ORDERS - 1)).min(axis=-1)
        return np.where(delta >= self._total_variation(), 0.0, least)

    def _total_variation(self) -> float:
        least = self.renyi(ORDERS).min()
        return float(np.sqrt(min(least / 2, -np.expm1(-least))))
