"""Ridge logistic regression with Gaussian noise in its objective."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax.scipy.sparse.linalg import cg
from jaxtyping import Array, Key

from estimators.checks import check_within
from oracles._learner import Parameters
from oracles.learners._whole_set import Published, loss_gradient, members


@dataclass(frozen=True, eq=False)
class ObjectiveNoise(Published):
    r"""The minimum of $\sum_i \ln(1 + e^{-y_i w\cdot x_i}) + \frac{\lambda n}2\|w\|^2 + b\cdot w$.

    $b \sim N(0, \sigma^2 I)$ and n counts those that are in. ``steps`` Newton steps from zero, each
    shortened by $\ln(1 + r)/r$ for a step of length r, which is safe for logistic loss on rows of
    norm at most 1. The secret is b, which no unlearning needs: it is kept to measure the residual.

    Source: Guo, Goldstein, Hannun and van der Maaten 2020, "Certified data removal", arXiv
    1911.03030; the shortened step after Bach 2010, "Self-concordant analysis for logistic
    regression", arXiv 0910.4627.

    Attributes:
        sigma: standard deviation of b, over 0.
        convexity: $\lambda$, over 0.
    """

    convexity: float

    def __post_init__(self) -> None:
        super().__post_init__()
        check_within("(0, inf)", convexity=self.convexity)

    def train(self, key: Key[Array, ""], inputs: Any, labels: Any, plan: Any) -> Parameters:
        """Draws b and minimises."""
        data = members(inputs, labels, plan)
        noise = self.sigma * jax.random.normal(key, data[0].shape[1:])

        def step(weights: Any, _: None) -> tuple[Any, None]:
            slope = self.residual(weights, noise, *data)
            move = -newton(self.curvature(weights, *data), slope)
            length = jnp.maximum(jnp.linalg.norm(move), 1e-12)
            return weights + jnp.log1p(length) / length * move, None

        weights, _ = jax.lax.scan(step, jnp.zeros_like(noise), None, length=self.steps)
        return {"weights": weights, "secret": noise}

    def residual(self, weights: Any, noise: Any, rows: Any, signs: Any, inside: Any) -> Any:
        """Gradient of the objective of those inside: zero at its minimum."""
        ridge = self.convexity * inside.sum() * weights
        return loss_gradient(weights, rows, signs, inside) + ridge + noise

    def curvature(self, weights: Any, rows: Any, signs: Any, inside: Any) -> Any:
        """Its Hessian."""
        del signs
        chance = jax.nn.sigmoid(rows @ weights)
        ridge = self.convexity * inside.sum() * jnp.eye(rows.shape[1])
        return (rows.T * (inside * chance * (1 - chance))) @ rows + ridge


def newton(hessian: Any, slope: Any) -> Any:
    """H⁻¹ g by conjugate gradients, to rounding.

    Not by LAPACK: its calls wait for threads that XLA's devices on one CPU may all hold.
    """
    return cg(lambda v: hessian @ v, slope, tol=1e-7, maxiter=2 * len(slope))[0]
