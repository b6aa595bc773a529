"""Bad-T: learn the answers of a random network on S, and those of the original on R."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Key

from estimators.checks import check_counts, check_within
from oracles._learner import Learner, Parameters, descend
from oracles.unlearners._contract import Batch
from oracles.unlearners._descent import passes


@dataclass(frozen=True)
class BadTeaching:
    """Minimises KL(q ‖ p_θ) from θ0 by Adam: q is a random network's answer on S, θ0's on R.

    The incompetent teacher is a fresh initialisation; of R a random part is used. The mean is over
    examples; the authors' code also divides by the number of classes, which Adam does not feel.
    Source: Chundawat et al. 2023, arXiv 2205.08096, which publishes Adam, batch 256 and 30 % of R,
    with learning rate 1e-4 and one epoch: two small steps in the built-in scenarios. Ours are
    tenfold both, the first values tried on ``digits-trigger``; nothing else was.

    Attributes:
        learning_rate: over 0.
        epochs: passes over S and the part of R, at least 1.
        batch: examples a step, or all of them.
        retained: part of R that is used, in (0, 1].
    """

    learning_rate: float = 0.001
    epochs: int = 10
    batch: int = 256
    retained: float = 0.3

    def __post_init__(self) -> None:
        check_within("(0, inf)", learning_rate=self.learning_rate)
        check_counts(epochs=self.epochs, batch=self.batch)
        check_within("(0, 1]", retained=self.retained)

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """θ0 after ``epochs`` passes of both teachers."""
        init_key, part_key, plan_key = jax.random.split(key, 3)
        s_inputs, r_inputs = jnp.asarray(forget[0]), jnp.asarray(retain[0])
        incompetent = learner.init(init_key, s_inputs)
        count = max(1, round(self.retained * len(r_inputs)))
        r_inputs = r_inputs[jax.random.permutation(part_key, len(r_inputs))[:count]]
        inputs = jnp.concatenate([s_inputs, r_inputs])
        teaching = jnp.concatenate(
            [learner.logits(incompetent, s_inputs), learner.logits(params, r_inputs)]
        )
        targets = jax.nn.softmax(teaching)

        def loss(params: Any, index: Any) -> Any:
            # The cross-entropy is the divergence plus the teachers' entropy, a constant.
            log_probabilities = jax.nn.log_softmax(learner.logits(params, inputs[index]))
            return -(targets[index] * log_probabilities).sum(axis=1).mean()

        plan = passes(plan_key, len(inputs), self.epochs, self.batch)
        return descend(optax.adam(self.learning_rate), loss, params, plan)
