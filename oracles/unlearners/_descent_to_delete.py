"""Descent-to-delete: a few gradient steps for each removal, and noise on what is published."""

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key

from estimators.checks import check_counts, check_within
from oracles._learner import Learner, Parameters
from oracles.learners._descent_to_delete import SecretDescent
from oracles.learners._whole_set import everyone, own_learner
from oracles.mechanisms._descent_to_delete import DescentToDelete
from oracles.mechanisms._mechanism import Claim
from oracles.unlearners._contract import Batch, joined


@dataclass(frozen=True)
class DescentDeletion:
    """Removes S one example after the other, I gradient steps each, from the secret iterate.

    Source: Neel, Roth and Sharifi-Malvajerdi 2021, "Descent-to-delete", arXiv 2007.02923 (strongly
    convex losses, secret state).

    Attributes:
        iterations: I, at least 1.
        delta: at which epsilon is claimed, in (0, 1).
    """

    iterations: int = 60
    delta: float = 0.01
    learner: ClassVar[str] = "descent-to-delete"

    def __post_init__(self) -> None:
        check_counts(iterations=self.iterations)
        check_within("(0, 1)", delta=self.delta)

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """The secret iterate after all removals, published with fresh noise."""
        descent = own_learner("descent-to-delete", learner, SecretDescent)
        rows, signs, _ = everyone(joined(forget, retain))
        number = jnp.arange(len(signs))

        def step(secret: Any, removed: Any) -> tuple[Any, None]:
            inside = (number > removed).astype(jnp.float32)
            return descent.descend(secret, rows, signs, inside, self.iterations), None

        secret, _ = jax.lax.scan(step, params["secret"], jnp.arange(len(forget[1])))
        return descent.publish(secret, key)

    def claim(self, learner: Learner, examples: int, forget: int) -> Claim:
        """What is claimed against a model of R published with the same noise."""
        descent = own_learner("descent-to-delete", learner, SecretDescent)
        if 2 * forget > examples:
            raise ValueError(
                f"descent-to-delete: expected at most half of {examples} examples to forget, "
                f"found {forget}"
            )
        return DescentToDelete(
            sigma=descent.sigma,
            lipschitz=2.0,
            convexity=descent.convexity,
            smoothness=0.25 + descent.convexity,
            examples=examples,
            iterations=self.iterations,
        ).claim(self.delta)
