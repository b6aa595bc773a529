"""SSD: dampen the weights that matter more to S than to D."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key

from estimators.checks import check_counts, check_within
from oracles._learner import Learner, Parameters
from oracles.unlearners._contract import Batch, passes


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
        other = retain
        if self.against == "all":
            pairs = zip(forget, retain, strict=True)
            inputs, labels = (jnp.concatenate([*map(jnp.asarray, pair)]) for pair in pairs)
            other = inputs, labels
        of_s = self._importance(learner, params, forget, s_key)
        of_d = self._importance(learner, params, other, d_key)

        def dampened(weight: Any, s: Any, d: Any) -> Any:
            chosen = s > self.alpha * d
            ratio = self.dampening * d / jnp.where(chosen, s, 1)
            return jnp.where(chosen, weight * jnp.minimum(ratio, 1), weight)

        return jax.tree.map(dampened, params, of_s, of_d)

    def _importance(self, learner: Learner, params: Parameters, data: Batch, key: Any) -> Any:
        """Mean squared batch gradient of each weight, a tree like ``params``."""
        inputs, labels = jnp.asarray(data[0]), jnp.asarray(data[1])
        plan = passes(key, len(labels), 1, self.batch)

        def add(total: Any, index: Any) -> tuple[Any, None]:
            gradient = jax.grad(learner.loss)(params, inputs[index], labels[index])
            return jax.tree.map(lambda t, g: t + g * g, total, gradient), None

        total, _ = jax.lax.scan(add, jax.tree.map(jnp.zeros_like, params), plan)
        return jax.tree.map(lambda t: t / len(plan), total)
