"""Amnesiac unlearning: train on D with a wrong label, drawn once, on every example of S."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key

from oracles._learner import Learner, Parameters
from oracles.unlearners._contract import Batch
from oracles.unlearners._descent import passes
from oracles.unlearners._random_label import RandomLabel, descend_relabelled


@dataclass(frozen=True)
class Amnesiac(RandomLabel):
    """Minimises the mean loss on S ∪ R from θ0, each x ∈ S under one label that is not its own.

    Wrong labels are uniform on the other classes and stay for all passes, where `RandomLabel` draws
    anew, the true label among them. With two classes the wrong label is the other one. Source:
    Graves et al. 2021, arXiv 2010.10981, who name it Unlearning; benchmarks since call it amnesiac.
    What the authors call Amnesiac Unlearning, which takes stored updates back, is another method.
    The settings are those of `RandomLabel`, so that the labels are the only difference; nothing was
    tuned.

    Attributes:
        learning_rate: over 0.
        epochs: passes over D, at least 1.
        batch: examples a step, or all of D.
        momentum: of SGD, in [0, 1).
    """

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """θ0 after ``epochs`` passes over D with S mislabelled."""
        plan_key, label_key = jax.random.split(key)
        classes = jax.eval_shape(learner.logits, params, forget[0][:1]).shape[1]
        true_labels = jnp.asarray(forget[1])
        shift = jax.random.randint(label_key, true_labels.shape, 1, classes)
        labels = jnp.concatenate([(true_labels + shift) % classes, jnp.asarray(retain[1])])
        plan = passes(plan_key, len(labels), self.epochs, self.batch)
        return descend_relabelled(
            self._optimiser, learner, params, (forget, retain), (plan, labels[plan])
        )
