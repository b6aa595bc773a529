"""Full-batch descent with differential privacy."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Key

from estimators.checks import check_within
from oracles._deferred import build
from oracles._learner import Parameters
from oracles.learners._noisy_fine_tuning import clip
from oracles.learners._whole_set import WholeSet


@dataclass(frozen=True, eq=False)
class PrivateDescent(WholeSet):
    r"""Full-batch descent on clipped and noised gradients (DP-GD).

    At each of ``steps`` steps the gradient of every example is clipped to norm C, their sum gets
    $N(0, (\sigma C)^2 I)$, and a ``batch``-th of it goes to the optimiser; ``batch`` is the size of
    D, and stays it when examples are left out. Leaving out k examples shifts each step's sum by at
    most $kC$, so the whole run is a Gaussian shift of $k\sqrt{T}/\sigma$.

    Source: Abadi et al. 2016, "Deep learning with differential privacy", arXiv 1607.00133, without
    subsampling; composition after Dong, Roth and Su 2022, arXiv 1905.02383.

    Attributes:
        gradient_norm: C, over 0.
        sigma: noise in multiples of C, over 0.
    """

    gradient_norm: float
    sigma: float

    def __post_init__(self) -> None:
        super().__post_init__()
        check_within("(0, inf)", gradient_norm=self.gradient_norm, sigma=self.sigma)

    def train(self, key: Key[Array, ""], inputs: Any, labels: Any, plan: Any) -> Parameters:
        """Descends from fresh parameters."""
        init_key, noise_key = jax.random.split(key)
        inputs, labels, inside = jnp.asarray(inputs), jnp.asarray(labels), plan[0] >= 0
        optimiser, scale = build(self.optimiser), self.sigma * self.gradient_norm

        def clipped_gradient(params: Any, x: Any, y: Any, is_in: Any) -> Any:
            gradient = clip(jax.grad(self.loss)(params, x[None], y[None]), self.gradient_norm)
            return jax.tree.map(lambda leaf: is_in * leaf, gradient)

        gradients = jax.vmap(clipped_gradient, in_axes=(None, 0, 0, 0))

        def step(state: Any, key: Any) -> tuple[Any, None]:
            params, memory = state
            noise = optax.tree.random_like(key, params, jax.random.normal)
            mean = jax.tree.map(
                lambda g, n: (g.sum(axis=0) + scale * n) / self.batch,
                gradients(params, inputs, labels, inside),
                noise,
            )
            updates, memory = optimiser.update(mean, memory, params)
            return (optax.apply_updates(params, updates), memory), None

        params = self.init(init_key, inputs)
        start = (params, optimiser.init(params))
        (params, _), _ = jax.lax.scan(step, start, jax.random.split(noise_key, self.steps))
        return params
