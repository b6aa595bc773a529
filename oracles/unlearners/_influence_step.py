"""Influence step: from the optimum on D towards that on R in one Newton step."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key

from estimators.checks import check_counts, check_within
from oracles._learner import Learner, Parameters
from oracles.unlearners._contract import Batch
from oracles.unlearners._curvature import linearise, plus, solve


@dataclass(frozen=True)
class InfluenceStep:
    """θ = θ0 + α (H + λ I)⁻¹ v, where v = (|S| / |D|) (ḡ_S − ḡ_R) = ḡ_D − ḡ_R.

    ḡ_A is the gradient of the mean loss on A at θ0, and H the Gauss-Newton matrix of the mean loss
    on R: mean_R Jᵀ (diag p − p pᵀ) J, the Fisher information with the model's own labels. It is the
    Hessian of logistic regression, and positive semidefinite for every module. Where ḡ_D + λ θ0 is
    zero, the optimum on D under the penalty (λ/2) ‖θ‖², v is minus the gradient on R and α = 1 is
    Newton's step on R. Source: Koh and Liang 2017, arXiv 1703.04730, where H is of D; Newton's
    step, with H of R, is compared with it by Izzo et al. 2021, arXiv 2002.10077. The system is
    solved as it stands, by conjugate gradients, not by the rank-one recursion of some unlearning
    code. α = 1 is Newton's. λ is set on ``digits-trigger``: of a grid, what lowers accuracy on S
    most while that on the ``retain`` probes stays at 0.95. Those are of D∖B: so much of B was used,
    and no reference. 200 iterations are within 1 % of the exact step there.

    Attributes:
        damping: λ, over 0.
        scale: α, over 0.
        iterations: of conjugate gradients at most, at least 1; few of them damp more.
    """

    damping: float = 1e-4
    scale: float = 1.0
    iterations: int = 200

    def __post_init__(self) -> None:
        check_within("(0, inf)", damping=self.damping, scale=self.scale)
        check_counts(iterations=self.iterations)

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """θ0 after one damped Newton step."""
        logits, push, pull = linearise(learner, params, retain[0])
        probabilities, examples = jax.nn.softmax(logits), len(logits)
        residual = probabilities - (jnp.asarray(retain[1])[:, None] == jnp.arange(logits.shape[1]))
        gradient_s = jax.grad(learner.loss)(params, *forget)
        gradient_r = pull(residual / examples)
        share = len(forget[1]) / (len(forget[1]) + examples)
        target = jax.tree.map(lambda s, r: share * (s - r), gradient_s, gradient_r)

        def product(v: Any) -> Any:
            change = probabilities * push(v)
            change -= probabilities * change.sum(axis=1, keepdims=True)
            return pull(change / examples)

        step = solve(product, target, self.damping, self.iterations)
        return plus(params, step, self.scale)
