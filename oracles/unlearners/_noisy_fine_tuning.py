"""Noisy fine-tuning: clip the model, and tune it on R with noise and then without."""

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
from jaxtyping import Array, Key

from estimators.checks import check_within
from oracles._learner import Learner, Parameters
from oracles.learners._noisy_fine_tuning import NoisyFineTuned
from oracles.learners._whole_set import own_learner
from oracles.mechanisms._mechanism import Claim
from oracles.mechanisms._noisy_fine_tuning import NoisyFineTuning
from oracles.unlearners._contract import Batch, all_of


@dataclass(frozen=True)
class NoisyTuning:
    """The learner's own noisy and free steps, from its secret model, on R.

    Source: Koloskova et al. 2025, "Certified unlearning for neural networks", arXiv 2506.06985,
    with the exact curve of the Gaussian shift in place of the published conversion: see
    `oracles.mechanisms.NoisyFineTuning`.

    Attributes:
        delta: at which epsilon is claimed, in (0, 1).
    """

    delta: float = 0.01
    learner: ClassVar[str] = "noisy-fine-tuning"

    def __post_init__(self) -> None:
        check_within("(0, 1)", delta=self.delta)

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """The secret model, tuned on R."""
        tuned = own_learner("noisy-fine-tuning", learner, NoisyFineTuned)
        plan_key, noise_key = jax.random.split(key)
        plan = tuned.draw_plan(plan_key, all_of(retain))[: tuned.tuning_steps]
        return tuned.tune(params["secret"], *retain, plan, noise_key)

    def claim(self, learner: Learner, examples: int, forget: int) -> Claim:
        """What is claimed against a model trained on R and put through the same steps."""
        tuned = own_learner("noisy-fine-tuning", learner, NoisyFineTuned)
        return NoisyFineTuning(
            sigma=tuned.sigma,
            model_norm=tuned.model_norm,
            gradient_norm=tuned.gradient_norm,
            learning_rate=tuned.learning_rate,
            steps=tuned.noisy_steps,
        ).claim(self.delta)
