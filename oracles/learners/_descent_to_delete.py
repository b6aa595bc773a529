"""Gradient descent on a strongly convex loss, published with Gaussian noise."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key

from estimators.checks import check_within
from oracles._learner import Parameters
from oracles.learners._whole_set import Published, loss_gradient, members


@dataclass(frozen=True, eq=False)
class SecretDescent(Published):
    r"""Descent to the minimum of ridge logistic loss; what is published is $w + N(0, \sigma^2 I)$.

    The loss of an example is $\ln(1 + e^{-y w\cdot x}) + \frac{m}{2}\|w\|^2$, and the mean is over
    those that are in. ``steps`` gradient steps of $2/(L + m)$ from zero, $L = 1/4 + m$. All
    iterates stay within norm $1/m$, so each example's loss is 2-Lipschitz there. The secret is w.

    Source: Neel, Roth and Sharifi-Malvajerdi 2021, "Descent-to-delete", arXiv 2007.02923.

    Attributes:
        sigma: standard deviation of the noise at publication, over 0.
        convexity: m, over 0.
    """

    convexity: float

    def __post_init__(self) -> None:
        super().__post_init__()
        check_within("(0, inf)", convexity=self.convexity)

    def train(self, key: Key[Array, ""], inputs: Any, labels: Any, plan: Any) -> Parameters:
        """Descends from zero and publishes."""
        rows, signs, inside = members(inputs, labels, plan)
        secret = self.descend(jnp.zeros(rows.shape[1]), rows, signs, inside, self.steps)
        return self.publish(secret, key)

    def descend(self, weights: Any, rows: Any, signs: Any, inside: Any, steps: int) -> Any:
        """``steps`` gradient steps on those inside."""
        rate = 2 / (0.25 + 2 * self.convexity)
        count = inside.sum()

        def step(weights: Any, _: None) -> tuple[Any, None]:
            slope = loss_gradient(weights, rows, signs, inside) / count + self.convexity * weights
            return weights - rate * slope, None

        return jax.lax.scan(step, weights, None, length=steps)[0]

    def publish(self, secret: Any, key: Any) -> Parameters:
        """The secret, and beside it the secret with noise."""
        noise = self.sigma * jax.random.normal(key, secret.shape)
        return {"weights": secret + noise, "secret": secret}
