"""Noisy fine-tuning on the retained data: certified without any convexity."""

import math
from dataclasses import dataclass

from oracles.mechanisms._gaussian import GaussianShift, gaussian_mu
from oracles.mechanisms._values import check_positive, check_real, check_whole


@dataclass(frozen=True)
class NoisyFineTuning(GaussianShift):
    r"""Noisy fine-tuning: clip the model, then T steps of clipped gradients and Gaussian noise.

    The model is projected to $\|\theta_0\| \le C_0$; each step is
    $\theta \leftarrow (1 - \eta\lambda)\theta - \eta\,\mathrm{clip}(g, C_1) + N(0, \sigma^2 I)$ on
    retained data only; what follows without noise is free. Two runs can be at most
    $z = 2C_0c + 2\frac{C_1}{\lambda}(1 - c)$ apart without noise, $c = (1 - \eta\lambda)^T$
    ($z = 2C_0 + 2C_1\eta T$ when $\lambda = 0$). Spreading that shift over the steps as it costs
    least gives a Gaussian shift of

    $$\mu = \frac{z}{\sigma}\sqrt{\frac{\eta\lambda(2 - \eta\lambda)}{1 - c^2}}
    \qquad\Bigl(\mu = \frac{z}{\sigma\sqrt T} \text{ when } \lambda = 0\Bigr),$$

    whose Rényi divergences $\alpha\mu^2/2$ are those of the paper. The curve is the exact one of
    $\mu$. (Converting the Rényi bound without its order, as published code does, claims too much.)

    Args:
        sigma: standard deviation of the noise of each step, above 0.
        model_norm: the radius $C_0$ the model is clipped to, at least 0.
        gradient_norm: the norm $C_1$ gradients are clipped to, at least 0.
        learning_rate: step size $\eta$, above 0.
        steps: noisy steps T, at least 1.
        weight_decay: $\lambda$, at least 0, with $\eta\lambda < 1$.

    Raises:
        ValueError: when a setting lies outside its range.

    Example:
        >>> from indist import oracles
        >>> mechanism = oracles.mechanisms.NoisyFineTuning(
        ...     sigma=0.5, model_norm=1.0, gradient_norm=1.0, learning_rate=0.01, steps=100
        ... )
        >>> round(mechanism.mu, 4), round(mechanism.epsilon(1e-5), 4)
        (0.8, 3.3869)

    References:
        Koloskova, Allouah, Jha, Guerraoui and Koyejo (2025), "Certified unlearning for neural
        networks" (the bound for gradient clipping). https://arxiv.org/abs/2506.06985
        Bok, Su and Altschuler (2024), "Shifted interpolation for differential privacy" (the shift
        as a trade-off function). https://arxiv.org/abs/2403.00278
        Balle and Wang (2018), theorem 8. https://arxiv.org/abs/1805.06530
    """

    sigma: float
    model_norm: float
    gradient_norm: float
    learning_rate: float
    steps: int
    weight_decay: float = 0.0
    source = "Koloskova et al. (2025), noisy fine-tuning, as a Gaussian shift (Bok et al. 2024)"
    assumptions = (
        "compared with a model retrained on the retained data and put through the same noisy steps",
        "model and gradients are clipped to the norms stated, as whole vectors",
        "every step sees retained data only, in an order that does not depend on the forget set",
    )

    def __post_init__(self) -> None:
        check_positive("sigma", self.sigma)
        check_real("model_norm", self.model_norm)
        check_real("gradient_norm", self.gradient_norm)
        check_positive("learning_rate", self.learning_rate)
        check_whole("steps", self.steps)
        check_real("weight_decay", self.weight_decay)
        if self.learning_rate * self.weight_decay >= 1:
            raise ValueError(
                f"weight_decay: expected learning_rate * weight_decay below 1, "
                f"found {self.learning_rate * self.weight_decay:g}"
            )

    @classmethod
    def calibrated(
        cls,
        *,
        epsilon: float,
        delta: float,
        model_norm: float,
        gradient_norm: float,
        learning_rate: float,
        steps: int,
        weight_decay: float = 0.0,
    ) -> "NoisyFineTuning":
        """The mechanism with the least noise that is (epsilon, delta)-indistinguishable.

        Args:
            epsilon: at least 0.
            delta: in (0, 1).
            model_norm: see the class.
            gradient_norm: see the class.
            learning_rate: see the class.
            steps: see the class.
            weight_decay: see the class.

        Returns:
            The mechanism, with ``delta(epsilon)`` at most delta and within 1e-9 of it.

        Raises:
            ValueError: when a setting lies outside its range, or there is nothing to hide.
        """
        settings = (model_norm, gradient_norm, learning_rate, steps, weight_decay)
        unit_noise = cls(1.0, *settings)
        if unit_noise.mu == 0:
            raise ValueError("model_norm and gradient_norm: expected one above 0, found 0 and 0")
        return cls(unit_noise.mu / gaussian_mu(epsilon, delta), *settings)

    @property
    def shift(self) -> float:
        """How far apart two runs can be without noise: z."""
        decay = self.learning_rate * self.weight_decay
        contraction = (1 - decay) ** self.steps
        path = (
            self.learning_rate * self.steps
            if self.weight_decay == 0
            else -math.expm1(self.steps * math.log1p(-decay)) / self.weight_decay
        )
        return 2 * self.model_norm * contraction + 2 * self.gradient_norm * path

    @property
    def mu(self) -> float:
        """The Gaussian shift, in standard deviations."""
        decay = self.learning_rate * self.weight_decay
        if decay == 0:
            return self.shift / (self.sigma * math.sqrt(self.steps))
        loss = -math.expm1(2 * self.steps * math.log1p(-decay))
        return self.shift / self.sigma * math.sqrt(decay * (2 - decay) / loss)

    def _shift(self) -> float:
        return self.mu
