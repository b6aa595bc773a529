"""SGD, then noisy steps from a clipped model, then free steps."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import optax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, Float, Int, Key

from estimators.checks import check_counts, check_within
from oracles._learner import AnyArray, Learner, Parameters
from oracles.randomness import batch_plan


@dataclass(frozen=True, eq=False)
class NoisyFineTuned(Learner):
    r"""Any learner whose models are clipped, tuned with noise, and tuned again without.

    The trained parameters, the secret, are projected to norm $C_0$. Then
    $\theta \leftarrow \theta - \eta\,\mathrm{clip}(g, C_1) + N(0, \sigma^2 I)$ for
    ``noisy_steps`` batches, and ``free_steps`` of the learner's own optimiser; what comes out is
    published. Unlearning runs the last two on R from the secret.

    Source: Koloskova et al. 2025, "Certified unlearning for neural networks", arXiv 2506.06985.

    Attributes:
        model_norm: $C_0$, over 0.
        gradient_norm: $C_1$, over 0.
        learning_rate: $\eta$ of the noisy steps, over 0.
        sigma: of each noisy step, over 0.
        noisy_steps: at least 1.
        free_steps: at least 1.
    """

    model_norm: float
    gradient_norm: float
    learning_rate: float
    sigma: float
    noisy_steps: int
    free_steps: int
    FOLLOWED: ClassVar[Collection[str]] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        check_within(
            "(0, inf)",
            model_norm=self.model_norm,
            gradient_norm=self.gradient_norm,
            learning_rate=self.learning_rate,
            sigma=self.sigma,
        )
        check_counts(noisy_steps=self.noisy_steps, free_steps=self.free_steps)

    def draw_plan(
        self, key: Key[Array, ""], included: Bool[AnyArray, " examples"]
    ) -> Int[Array, "steps batch"]:
        """Batches of training, of the noisy steps and of the free ones, end to end."""
        return batch_plan(key, included, self.steps + self.tuning_steps, self.batch)

    @property
    def tuning_steps(self) -> int:
        """Steps after training: noisy, then free."""
        return self.noisy_steps + self.free_steps

    def init(self, key: Key[Array, ""], inputs: Any) -> Parameters:
        """Fresh parameters, published and secret."""
        fresh = super().init(key, inputs)
        return {"weights": fresh, "secret": fresh}

    def logits(self, params: Parameters, inputs: Any) -> Float[Array, "n classes"]:
        """What the published parameters say."""
        return super().logits(params["weights"], inputs)

    def train(self, key: Key[Array, ""], inputs: Any, labels: Any, plan: Any) -> Parameters:
        """Trains, then tunes."""
        init_key, noise_key = jax.random.split(key)
        start = super().init(init_key, inputs)
        trained = self.fit({"weights": start}, inputs, labels, plan[: self.steps])["weights"]
        return self.tune(trained, inputs, labels, plan[self.steps :], noise_key)

    def tune(self, secret: Any, inputs: Any, labels: Any, plan: Any, key: Any) -> Parameters:
        """Clipping, noisy steps and free steps from a trained model, along a plan for those."""
        inputs, labels = jnp.asarray(inputs), jnp.asarray(labels)

        def step(params: Any, entry: Any) -> tuple[Any, None]:
            index, key = entry
            gradient = jax.grad(self.loss)({"weights": params}, inputs[index], labels[index])
            gradient = clip(gradient["weights"], self.gradient_norm)
            noise = optax.tree.random_like(key, params, jax.random.normal)
            after = jax.tree.map(
                lambda p, g, n: p - self.learning_rate * g + self.sigma * n, params, gradient, noise
            )
            return after, None

        noisy = (plan[: self.noisy_steps], jax.random.split(key, self.noisy_steps))
        params, _ = jax.lax.scan(step, clip(secret, self.model_norm), noisy)
        free = self.fit({"weights": params}, inputs, labels, plan[self.noisy_steps :])
        return {"weights": free["weights"], "secret": secret}


def clip(tree: Any, norm: float) -> Any:
    """A tree scaled down to a Euclidean norm, as one vector, where it is longer."""
    length = jnp.linalg.norm(ravel_pytree(tree)[0])
    scale = norm / jnp.maximum(length, norm)
    return jax.tree.map(lambda leaf: scale * leaf, tree)
