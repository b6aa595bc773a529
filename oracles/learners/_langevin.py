"""Noisy gradient descent on a strongly convex loss."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key

from estimators.checks import check_within
from oracles._learner import Parameters
from oracles.learners._whole_set import Published, loss_gradient, members


@dataclass(frozen=True, eq=False)
class LangevinDescent(Published):
    r"""$w \leftarrow w - \eta\nabla F(w) + \sqrt{2\eta\sigma^2}\,N(0, I)$ for ``steps`` steps.

    $F(w) = \frac1n\sum_i \ln(1 + e^{-y_i w\cdot x_i}) + \frac{m}{2}\|w\|^2$ and $\eta = 1/L$,
    $L = 1/4 + m$. n is ``batch``, the size of D, also when examples are left out: leaving one out
    is replacing it by one with no loss, so data sets have one size, as the source asks. The last
    iterate is published as it is, and there is no secret beside it.

    Source: Chien, Wang, Chen and Li 2024, "Langevin unlearning", arXiv 2401.10371.

    Attributes:
        sigma: $\sigma$, over 0.
        convexity: m, over 0.
    """

    convexity: float

    def __post_init__(self) -> None:
        super().__post_init__()
        check_within("(0, inf)", convexity=self.convexity)

    @property
    def smoothness(self) -> float:
        """L."""
        return 0.25 + self.convexity

    def train(self, key: Key[Array, ""], inputs: Any, labels: Any, plan: Any) -> Parameters:
        """Runs from zero for the burn-in."""
        rows, signs, inside = members(inputs, labels, plan)
        start = jnp.zeros(rows.shape[1])
        return self.publish(self.wander(start, rows, signs, inside, key, self.steps))

    def wander(self, weights: Any, rows: Any, signs: Any, inside: Any, key: Any, steps: int) -> Any:
        """``steps`` noisy steps on those inside."""
        rate = 1 / self.smoothness
        scale = jnp.sqrt(2 * rate) * self.sigma

        def step(weights: Any, key: Any) -> tuple[Any, None]:
            mean = loss_gradient(weights, rows, signs, inside) / self.batch
            noise = scale * jax.random.normal(key, weights.shape)
            return weights - rate * (mean + self.convexity * weights) + noise, None

        return jax.lax.scan(step, weights, jax.random.split(key, steps))[0]

    def publish(self, weights: Any) -> Parameters:
        """The weights, and nothing secret."""
        return {"weights": weights, "secret": jnp.zeros_like(weights)}
