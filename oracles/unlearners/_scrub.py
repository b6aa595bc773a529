"""SCRUB: move away from a teacher's answers on S and stay close to them on R."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from estimators.checks import check_counts, check_within
from oracles._learner import Learner, Parameters, descend
from oracles.randomness import epoch_batches
from oracles.unlearners._contract import Batch, on_device
from oracles.unlearners._descent import MomentumDescent

Loss = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Scrub(MomentumDescent):
    """Max steps raise KL_T on S, min steps lower γ ℓ + α KL_T on R; the teacher is θ0.

    KL_T(t‖s) = T² KL(softmax(f_t/T) ‖ softmax(f_s/T)), mean over the batch. In each of the first
    ``max_epochs`` epochs one pass over S up comes before the pass over R down; one optimiser, SGD
    with momentum, carries through all. The very first step moves nothing, as the student still is
    its teacher. Source: Kurmanji et al. 2023, arXiv 2302.09880. Published: α = 0.001, γ = 0.99 and
    T = 4 (large scale), 3 max epochs and 10 epochs (small scale), 16 examples of S a step. The
    learning rate is set on ``digits-trigger``: of a grid, what lowers accuracy on S most while that
    on the ``retain`` probes stays at 0.95. Those are of D∖B: so much of B was used, and no
    reference. The published small-scale weights, α = 0.5 and γ = 1, forgot nothing there.

    Attributes:
        learning_rate: over 0.
        epochs: passes over R, at least 1.
        batch: examples of R a step, or all of R.
        momentum: of SGD, in [0, 1).
        forget_batch: examples of S a step, or all of S.
        max_epochs: epochs with a pass over S, at least 0 and at most ``epochs``.
        alpha: weight of the divergence on R, at least 0.
        gamma: weight of the loss on R, at least 0.
        temperature: T, over 0.
    """

    learning_rate: float = 0.02
    epochs: int = 10
    forget_batch: int = 16
    max_epochs: int = 3
    alpha: float = 0.001
    gamma: float = 0.99
    temperature: float = 4.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(forget_batch=self.forget_batch)
        check_within("[0, inf)", alpha=self.alpha, gamma=self.gamma)
        check_within("(0, inf)", temperature=self.temperature)
        if not 0 <= self.max_epochs <= self.epochs:
            raise ValueError(
                f"max_epochs: expected 0 to {self.epochs}, epochs, found {self.max_epochs}"
            )

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """θ0 after ``epochs`` epochs of max and min steps."""
        (s_inputs, _), (r_inputs, r_labels) = on_device(forget), on_device(retain)
        s_size, r_size = min(self.forget_batch, len(s_inputs)), min(self.batch, len(r_labels))
        max_steps, min_steps = -(-len(s_inputs) // s_size), -(-len(r_labels) // r_size)
        both = [True] * max_steps + [False] * min_steps
        min_epochs = self.epochs - self.max_epochs
        is_max = np.array(both * self.max_epochs + [False] * min_steps * min_epochs)
        s_key, r_key = jax.random.split(key)
        s_plan = epoch_batches(s_key, len(s_inputs), max(1, int(is_max.sum())), s_size)
        r_plan = epoch_batches(r_key, len(r_labels), int((~is_max).sum()), r_size)
        # In a max step the batch of R is not looked at, and in a min step that of S is not.
        s_plan = s_plan[np.clip(np.cumsum(is_max) - 1, 0, len(s_plan) - 1)]
        r_plan = r_plan[np.maximum(np.cumsum(~is_max) - 1, 0)]
        max_loss, min_loss = self.losses(learner, params, s_inputs, (r_inputs, r_labels))

        def loss(params: Any, entry: Any) -> Any:
            is_max, s, r = entry
            return jax.lax.cond(
                is_max,
                lambda params: max_loss(params, s),
                lambda params: min_loss(params, r),
                params,
            )

        return descend(self._optimiser, loss, params, (jnp.asarray(is_max), s_plan, r_plan))

    def losses(
        self, learner: Learner, teacher: Parameters, s_inputs: Any, retain: Batch
    ) -> tuple[Loss, Loss]:
        """What max steps and min steps minimise, by indices into S and into R."""
        r_inputs, r_labels = retain
        s_logits, r_logits = learner.logits(teacher, s_inputs), learner.logits(teacher, r_inputs)

        def max_loss(params: Any, s: Any) -> Any:
            return -_divergence(s_logits[s], learner.logits(params, s_inputs[s]), self.temperature)

        def min_loss(params: Any, r: Any) -> Any:
            loss = learner.loss(params, r_inputs[r], r_labels[r])
            student = learner.logits(params, r_inputs[r])
            divergence = _divergence(r_logits[r], student, self.temperature)
            return self.gamma * loss + self.alpha * divergence

        return max_loss, min_loss


def _divergence(
    teacher: Float[Array, "n classes"], student: Float[Array, "n classes"], temperature: float
) -> Float[Array, ""]:
    """Mean of T² KL(teacher ‖ student) at temperature T, in nats."""
    teacher = jax.nn.log_softmax(teacher / temperature)
    student = jax.nn.log_softmax(student / temperature)
    return temperature**2 * (jnp.exp(teacher) * (teacher - student)).sum(axis=1).mean()
