"""Certified removal: Newton steps whose residual hides in the noise of the objective."""

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from estimators.checks import check_within
from oracles._learner import Learner, Parameters
from oracles.learners._objective_noise import ObjectiveNoise, newton
from oracles.learners._whole_set import everyone, loss_gradient, own_learner
from oracles.mechanisms._certified_removal import CertifiedRemoval
from oracles.mechanisms._mechanism import Claim
from oracles.unlearners._contract import Batch, all_of, joined


@dataclass(frozen=True)
class NewtonRemoval:
    r"""Removes S one example after the other: w ← w + H⁻¹ (λ w + ∇ℓ_i).

    H is the Hessian of what remains. Each step leaves a gradient residual of at most
    $\frac14\|X\|\,\|\Delta\|\,\|X\Delta\|$, X the remaining rows, whose norm is bounded from above
    by `spectral_norm_bound`. When the sum of these exceeds ``budget`` the model is trained anew on
    R with fresh noise, so that the claim holds for every model. Source: Guo, Goldstein, Hannun and
    van der Maaten 2020, "Certified data removal from machine learning models", arXiv 1911.03030,
    algorithms 1 and 2 and corollary 1.

    Attributes:
        budget: the greatest sum of residual bounds that passes, over 0.
        delta: at which epsilon is claimed, in (0, 1).
    """

    budget: float = 0.3
    delta: float = 0.01
    learner: ClassVar[str] = "objective-noise"

    def __post_init__(self) -> None:
        check_within("(0, inf)", budget=self.budget)
        check_within("(0, 1)", delta=self.delta)

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """The weights after a Newton step for each example of S, or trained anew."""
        noisy = own_learner("certified-removal", learner, ObjectiveNoise)
        weights, spent = self.remove(noisy, params["weights"], forget, retain)
        plan = noisy.draw_plan(key, all_of(retain))
        fresh = noisy.train(key, *retain, plan)
        stepped = {"weights": weights, "secret": params["secret"]}
        return jax.tree.map(lambda s, f: jnp.where(spent <= self.budget, s, f), stepped, fresh)

    def remove(
        self, noisy: ObjectiveNoise, weights: Any, forget: Batch, retain: Batch
    ) -> tuple[Any, Any]:
        """The weights after all Newton steps, and the sum of their residual bounds."""
        rows, signs, _ = everyone(joined(forget, retain))
        number = jnp.arange(len(signs))

        def step(state: Any, removed: Any) -> tuple[Any, None]:
            weights, spent = state
            inside = (number > removed).astype(jnp.float32)
            alone = (number == removed).astype(jnp.float32)
            hessian = noisy.curvature(weights, rows, signs, inside)
            gradient = noisy.convexity * weights + loss_gradient(weights, rows, signs, alone)
            move = newton(hessian, gradient)
            remaining = inside[:, None] * rows
            bound = spectral_norm_bound(remaining) * jnp.linalg.norm(move)
            bound = 0.25 * bound * jnp.linalg.norm(remaining @ move)
            return (weights + move, spent + bound), None

        return jax.lax.scan(step, (weights, 0.0), jnp.arange(len(forget[1])))[0]

    def claim(self, learner: Learner, examples: int, forget: int) -> Claim:
        """What is claimed against a model trained on R with fresh noise."""
        del examples, forget
        noisy = own_learner("certified-removal", learner, ObjectiveNoise)
        return CertifiedRemoval(residual=self.budget, sigma=noisy.sigma).claim(self.delta)


def spectral_norm_bound(rows: Float[Array, "n features"]) -> Float[Array, ""]:
    """An upper bound on the greatest singular value: the 16th root of Σ σ¹⁶.

    At most the 16th root of the number of features above it: 1.3 times for 64.
    """
    gram = rows.T @ rows
    scale = jnp.maximum(jnp.trace(gram), 1e-30)
    fourth = jnp.linalg.matrix_power(gram / scale, 4)
    return jnp.sqrt(scale * jnp.linalg.norm(fourth) ** 0.25)
