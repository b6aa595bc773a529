"""Certified removal by one Newton step on an objective perturbed by Gaussian noise."""

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtri

from estimators.checks import check_counts, check_within
from oracles.mechanisms._gaussian import GaussianShift
from oracles.mechanisms._mechanism import Floats
from oracles.mechanisms._values import check_positive, check_real


@dataclass(frozen=True)
class CertifiedRemoval(GaussianShift):
    r"""Certified removal: a Newton step whose gradient residual hides in the objective's noise.

    Training minimises $\sum_i \ell_i(w) + \frac{\lambda n}{2}\|w\|^2 + b^\top w$ with
    $b \sim N(0, \sigma^2 I)$. After removals by Newton steps the model minimises the same objective
    of the remaining data with b shifted by at most the gradient residual norm $\beta$ (the sum over
    removals of its bounds), which is a Gaussian shift of $\mu = \beta/\sigma$. The curve is
    compared with a model *retrained on the remaining data with fresh noise*.

    The paper converts the shift by $\epsilon = c\beta/\sigma$, $\delta = 1.5e^{-c^2/2}$. That is
    looser than the exact Gaussian curve for small epsilon and, like the classical Gaussian
    mechanism, not valid for large ones, so `delta` and `epsilon` use the exact curve;
    `published_epsilon` is the paper's figure, for comparison.

    Args:
        residual: bound $\beta$ on the norm of the gradient residual, at least 0.
        sigma: standard deviation of the noise in the objective, above 0.
        unlikely: chance that the residual exceeds its bound, in [0, 1); delta is greater by it.

    Raises:
        ValueError: when a setting lies outside its range.

    Example:
        >>> from indist import oracles
        >>> mechanism = oracles.mechanisms.CertifiedRemoval(residual=2.0, sigma=10.0)
        >>> round(mechanism.epsilon(1e-4), 4), round(mechanism.published_epsilon(1e-4), 4)
        (0.6016, 0.8771)

    References:
        Guo, Goldstein, Hannun and van der Maaten (2020), "Certified data removal from machine
        learning models", theorem 3 (noise), theorem 1 and corollary 1 (bounds on the residual).
        https://arxiv.org/abs/1911.03030
        Balle and Wang (2018), theorem 8. https://arxiv.org/abs/1805.06530
    """

    residual: float
    sigma: float
    unlikely: float = 0.0
    source = "Guo et al. (2020), theorem 3, with the exact Gaussian curve of Balle and Wang (2018)"
    assumptions = (
        "compared with a model retrained on the remaining data with fresh noise in the objective",
        "each training reaches the minimum of its perturbed objective, up to the residual stated",
        "the residual is within its bound but for the chance stated, and acts as a shift of the "
        "noise that does not depend on it",
    )

    def __post_init__(self) -> None:
        check_real("residual", self.residual)
        check_positive("sigma", self.sigma)
        check_real("unlikely", self.unlikely)
        check_within("[0, 1)", unlikely=self.unlikely)

    @classmethod
    def worst_case(
        cls,
        *,
        sigma: float,
        removals: int,
        examples: int,
        regularisation: float,
        dimension: int,
        unlikely: float,
        smoothness: float = 0.25,
        gradient: float = 1.0,
    ) -> "CertifiedRemoval":
        r"""The mechanism with the residual bounded before any data are seen.

        $$\beta = \sum_{t=1}^{T} \frac{4\gamma C_t^2}{\lambda^2 (n - t)},\qquad
          C_t = C + \frac{\|b\|}{2(n - t + 1)},$$

        for single removals one after the other (the paper's theorem 1 for each). The paper has C
        in the place of $C_t$, which is right without noise: at the minimum of the perturbed
        objective $\lambda w$ is the mean gradient plus b over the number of examples. The norm of b
        is at most $\sigma\sqrt{\chi^2_d(1 - \text{unlikely})}$ but for that chance. The
        data-dependent bound of corollary 1 is far smaller: give that as ``residual`` when it is
        known.

        Args:
            sigma: standard deviation of the noise in the objective, above 0.
            removals: how many examples T are removed, at least 1.
            examples: how many examples n there were at first, more than ``removals``.
            regularisation: the ridge penalty $\lambda$, above 0.
            dimension: number d of parameters, at least 1.
            unlikely: chance allowed for a noise beyond its bound, in (0, 1).
            smoothness: Lipschitz constant $\gamma$ of the loss's second derivative, at least 0; 1/4
                for logistic loss with rows of norm at most 1.
            gradient: bound C on the norm of one example's gradient, at least 0.

        Raises:
            ValueError: when a setting lies outside its range.
        """
        check_positive("regularisation", regularisation)
        check_real("smoothness", smoothness)
        check_real("gradient", gradient)
        if not 1 <= removals < examples:
            raise ValueError(
                f"removals: expected a whole number in [1, {examples}), found {removals!r}"
            )
        check_counts(dimension=dimension)
        check_within("(0, 1)", unlikely=unlikely)
        check_positive("sigma", sigma)
        noise = sigma * float(np.sqrt(chdtri(dimension, unlikely)))
        remaining = examples - np.arange(1, removals + 1)
        bounds = gradient + noise / (2 * (remaining + 1))
        residuals = 4 * smoothness * bounds**2 / regularisation**2 / remaining
        return cls(residual=float(residuals.sum()), sigma=sigma, unlikely=unlikely)

    @property
    def mu(self) -> float:
        """The Gaussian shift, in standard deviations."""
        return self.residual / self.sigma

    def _shift(self) -> float:
        return self.mu

    def _delta(self, epsilon: Floats) -> Floats:
        return np.minimum(super()._delta(epsilon) + self.unlikely, 1.0)

    def published_epsilon(self, delta: float) -> float:
        r"""The paper's conversion, $\epsilon = c\beta/\sigma$ with $c = \sqrt{2\ln(1.5/\delta)}$.

        For comparison only: above epsilon 1 it can be smaller than the truth.

        Raises:
            ValueError: when delta is not in (0, 1].
        """
        check_positive("delta", delta, high=1.0)
        return float(np.sqrt(2 * np.log(1.5 / delta))) * self.mu
