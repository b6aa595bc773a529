"""Gradient descent that keeps an earlier iterate, published with Gaussian noise."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key

from estimators.checks import check_within
from oracles._learner import Parameters
from oracles.learners._whole_set import Published, loss_gradient, members


@dataclass(frozen=True, eq=False)
class RewindableDescent(Published):
    r"""``steps`` full-batch gradient steps from zero; published is the last with $N(0, \sigma^2I)$.

    The loss is the mean of $\ln(1 + e^{-y w\cdot x})$ over those that are in, without a penalty:
    nothing here needs it to be convex. The secret is the iterate before the last ``rewound`` steps.

    Source: Mu and Klabjan 2024, "Rewind-to-delete", arXiv 2409.09778.

    Attributes:
        sigma: standard deviation of the noise at publication, over 0.
        learning_rate: over 0.
        rewound: K, 0 to ``steps``.
    """

    learning_rate: float
    rewound: int

    def __post_init__(self) -> None:
        super().__post_init__()
        check_within("(0, inf)", learning_rate=self.learning_rate)
        if not 0 <= self.rewound <= self.steps:
            raise ValueError(f"rewound: expected 0 to {self.steps}, steps, found {self.rewound}")

    def train(self, key: Key[Array, ""], inputs: Any, labels: Any, plan: Any) -> Parameters:
        """Descends from zero and publishes."""
        data = members(inputs, labels, plan)
        start = jnp.zeros(data[0].shape[1])
        early = self.descend(start, *data, self.steps - self.rewound)
        return self.publish(early, *data, key)

    def descend(self, weights: Any, rows: Any, signs: Any, inside: Any, steps: int) -> Any:
        """``steps`` gradient steps on those inside."""
        count = inside.sum()

        def step(weights: Any, _: None) -> tuple[Any, None]:
            slope = loss_gradient(weights, rows, signs, inside) / count
            return weights - self.learning_rate * slope, None

        return jax.lax.scan(step, weights, None, length=steps)[0]

    def publish(self, early: Any, rows: Any, signs: Any, inside: Any, key: Any) -> Parameters:
        """The last steps from an early iterate, and noise on what comes out."""
        late = self.descend(early, rows, signs, inside, self.rewound)
        noise = self.sigma * jax.random.normal(key, late.shape)
        return {"weights": late + noise, "secret": early}
