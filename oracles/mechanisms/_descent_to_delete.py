"""Descent-to-delete: gradient descent on what is left, and Gaussian noise on what is published."""

from dataclasses import dataclass

import numpy as np

from oracles.mechanisms._gaussian import GaussianShift
from oracles.mechanisms._values import check_positive, check_whole


@dataclass(frozen=True)
class DescentToDelete(GaussianShift):
    r"""Descent-to-delete for strongly convex losses, noise added at publication.

    Gradient descent with step $2/(L + m)$ contracts by $\gamma = (L - m)/(L + m)$. After I steps
    for each of any number of updates, the secret iterate and the retrained one are each within
    $\frac{4M\gamma^I}{mn(1 - \gamma^I)}$ of the optimum, so with noise $N(0, \sigma^2 I)$ on both
    the pair is a Gaussian shift of

    $$\mu = \frac{8 M \gamma^I}{m n (1 - \gamma^I)\,\sigma}.$$

    The paper converts $\mu$ through concentrated privacy, $\epsilon = \mu^2/2 +
    \mu\sqrt{2\ln(1/\delta)}$ (its formula for $\sigma$ solved for epsilon); `delta` and `epsilon`
    use the exact curve, which is never larger, and `published_epsilon` is the paper's figure.

    Args:
        sigma: standard deviation of the noise at publication, above 0.
        lipschitz: Lipschitz constant M of each example's loss, above 0.
        convexity: strong convexity m of each example's loss, above 0.
        smoothness: smoothness L of each example's loss, at least ``convexity``.
        examples: size n of the data set at first, at least 2.
        iterations: gradient steps I an update, at least 1.

    Raises:
        ValueError: when a setting lies outside its range.

    Example:
        >>> from indist import oracles
        >>> mechanism = oracles.mechanisms.DescentToDelete(
        ...     sigma=0.01, lipschitz=1.0, convexity=0.1, smoothness=1.0,
        ...     examples=1000, iterations=20,
        ... )
        >>> round(mechanism.mu, 4), round(mechanism.epsilon(1e-4), 4)
        (0.1472, 0.4263)

    References:
        Neel, Roth and Sharifi-Malvajerdi (2021), "Descent-to-delete: gradient-based methods for
        machine unlearning", section 3 (strongly convex losses, secret state).
        https://arxiv.org/abs/2007.02923
        Balle and Wang (2018), theorem 8. https://arxiv.org/abs/1805.06530
    """

    sigma: float
    lipschitz: float
    convexity: float
    smoothness: float
    examples: int
    iterations: int
    source = "Neel et al. (2021), section 3, with the exact Gaussian curve of Balle and Wang (2018)"
    assumptions = (
        "compared with a model retrained on the remaining data and published with the same noise",
        "every example's loss is m-strongly convex, L-smooth and M-Lipschitz where descent goes",
        "each update adds or removes one example, and at least half of n are left throughout",
        "training began within one update's distance of the optimum; iterates stay secret",
    )

    def __post_init__(self) -> None:
        for name in ("sigma", "lipschitz", "convexity", "smoothness"):
            check_positive(name, getattr(self, name))
        if self.smoothness < self.convexity:
            raise ValueError(
                f"smoothness: expected at least the convexity {self.convexity:g}, "
                f"found {self.smoothness!r}"
            )
        check_whole("examples", self.examples, least=2)
        check_whole("iterations", self.iterations)

    @property
    def sensitivity(self) -> float:
        """The greatest distance between the unlearned iterate and the retrained one."""
        rate = (self.smoothness - self.convexity) / (self.smoothness + self.convexity)
        power = rate**self.iterations
        return 8 * self.lipschitz * power / (self.convexity * self.examples * (1 - power))

    @property
    def mu(self) -> float:
        """The Gaussian shift, in standard deviations."""
        return self.sensitivity / self.sigma

    def _shift(self) -> float:
        return self.mu

    def published_epsilon(self, delta: float) -> float:
        """The paper's conversion, valid but looser, for comparison.

        Raises:
            ValueError: when delta is not in (0, 1].
        """
        check_positive("delta", delta, high=1.0)
        return float(self.mu**2 / 2 + self.mu * np.sqrt(-2 * np.log(delta)))
