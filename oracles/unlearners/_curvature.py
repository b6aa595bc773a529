"""Products with the Jacobian of the logits, and damped solves with matrices built on it."""

from collections.abc import Callable
from typing import Any

import jax
from jax.scipy.sparse.linalg import cg
from jaxtyping import Array, Float, Shaped

from oracles._learner import AnyArray, Learner, Parameters

_TOLERANCE = 1e-6


def linearise(
    learner: Learner, params: Parameters, inputs: Shaped[AnyArray, "n ..."]
) -> tuple[Float[Array, "n classes"], Callable[[Any], Any], Callable[[Any], Any]]:
    """Logits f of a set at θ, and products with their Jacobian J there.

    J v is the transpose of Jᵀ u: modules whose gradients are reverse-mode only will do.

    Args:
        learner: whose logits.
        params: θ.
        inputs: of the set; what J needs is kept for all of it at once.

    Returns:
        f, v ↦ J v for a tree v like ``params``, and u ↦ Jᵀ u for an array u like f.
    """
    logits, pull = jax.vjp(lambda params: learner.logits(params, inputs), params)
    push = jax.linear_transpose(lambda u: pull(u)[0], logits)
    return logits, lambda v: push(v)[0], lambda u: pull(u)[0]


def solve(product: Callable[[Any], Any], target: Any, damping: float, iterations: int) -> Any:
    """(A + λ I)⁻¹ b by conjugate gradients, which stop at a residual of a millionth of b.

    A model that has stopped keeps its bits while its neighbours in a block go on.

    Args:
        product: v ↦ A v on trees, A symmetric and positive semidefinite.
        target: b.
        damping: λ, over 0.
        iterations: stop after so many in any case.
    """
    return cg(lambda v: plus(product(v), v, damping), target, tol=_TOLERANCE, maxiter=iterations)[0]


def plus(first: Any, second: Any, scale: Any) -> Any:
    """The tree a + s b."""
    return jax.tree.map(lambda a, b: a + scale * b, first, second)
