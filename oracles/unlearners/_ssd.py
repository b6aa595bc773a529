"""SSD: dampen the weights that matter more to S than to D."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key

from estimators.checks import check_counts, check_within
from oracles._learner import Learner, Parameters
from oracles.unlearners._contract import Batch, joined, on_device
from oracles.unlearners._descent import passes


@dataclass(frozen=True)
class SelectiveDampening:
    """θ ← θ · min(λ I_D / I_S, 1) wherever I_S > α I_D, without any training.

    I_A is the diagonal of the empirical Fisher information at θ0: the mean over mini-batches of A
    of the squared mean gradient of the batch, so that it depends on the batch size; one example a
    batch is the definition in the paper. Source: Foster et al. 2024, arXiv 2308.07707. Published:
    α = 10 and λ = 1, and I_D over all of D (``against="all"``); other benchmarks take R.
    Nothing was tuned.

    Attributes:
        alpha: how many times more it must matter to S, over 0.
        dampening: λ, over 0.
        batch: examples a gradient, or all of the set.
        against: ``all``, the importance on D, or ``retain``, on R.
    """

    alpha: float = 10.0
    dampening: float = 1.0
    batch: int = 1
    against: str = "all"

    def __post_init__(self) -> None:
        check_within("(0, inf)", alpha=self.alpha, dampening=self.dampening)
        check_counts(batch=self.batch)
        if self.against not in ("all", "retain"):
            raise ValueError(f"against: expected all or retain, found {self.against!r}")

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """θ0, dampened."""
        s_key, d_key = jax.random.split(key)
        reference = joined(forget, retain) if self.against == "all" else retain
        importance_s = self._importance(learner, params, forget, s_key)
        importance_d = self._importance(learner, params, reference, d_key)

        def dampened(weight: Any, s: Any, d: Any) -> Any:
            chosen = s > self.alpha * d
            ratio = self.dampening * d / jnp.where(chosen, s, 1)
            return jnp.where(chosen, weight * jnp.minimum(ratio, 1), weight)

        return jax.tree.map(dampened, params, importance_s, importance_d)

    def _importance(self, learner: Learner, params: Parameters, examples: Batch, key: Any) -> Any:
        """Mean squared batch gradient of each weight, a tree like ``params``."""
        inputs, labels = on_device(examples)

        def gradient(index: Any) -> Any:
            return jax.grad(learner.loss)(params, inputs[index], labels[index])

        return batch_mean(gradient, jnp.square, params, passes(key, len(labels), 1, self.batch))


def batch_mean(
    gradient: Callable[[Any], Any], size: Callable[[Any], Any], params: Parameters, plan: Any
) -> Any:
    """Mean over the batches of a plan of the size of each weight's gradient.

    Args:
        gradient: of a batch, given its indices; a tree like ``params``.
        size: of a leaf, such as its square.
        params: the weights.
        plan: indices of examples, a row a batch.
    """

    def add(total: Any, index: Any) -> tuple[Any, None]:
        return jax.tree.map(lambda t, g: t + size(g), total, gradient(index)), None

    total, _ = jax.lax.scan(add, jax.tree.map(jnp.zeros_like, params), plan)
    return jax.tree.map(lambda t: t / len(plan), total)
