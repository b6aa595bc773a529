"""Random labels: train on D with labels of S drawn at random."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Int, Key

from oracles._learner import AnyArray, Learner, Parameters, descend
from oracles.unlearners._contract import Batch, joined
from oracles.unlearners._descent import MomentumDescent, passes


@dataclass(frozen=True)
class RandomLabel(MomentumDescent):
    """Minimises the mean loss on S ∪ R from θ0, with labels of S drawn anew for each pass.

    The label of each x ∈ S is uniform on all classes, its own among them, as in the code of SalUn
    (Fan et al. 2024, arXiv 2310.12508); amnesiac unlearning (Graves et al. 2021, arXiv 2010.10981)
    draws once and leaves out the true label. Ten epochs are published, and so is the range of
    learning rates, 0.013 to 0.1. Ours lies in it and was not tuned.

    Attributes:
        learning_rate: over 0.
        epochs: passes over D, at least 1.
        batch: examples a step, or all of D.
        momentum: of SGD, in [0, 1).
    """

    learning_rate: float = 0.02
    epochs: int = 10

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """θ0 after ``epochs`` passes over D with S relabelled."""
        sets = forget, retain
        plan = relabelled_passes(key, learner, params, sets, self.epochs, self.batch)
        return descend_relabelled(self._optimiser, learner, params, sets, plan)


def relabelled_passes(
    key: Key[Array, ""],
    learner: Learner,
    params: Parameters,
    sets: tuple[Batch, Batch],
    epochs: int,
    batch: int,
) -> tuple[Int[Array, "steps batch"], Int[Array, "steps batch"]]:
    """Indices into S ∪ R (S first) and the label to learn for each, step by step."""
    inputs, labels = joined(*sets)
    forgotten, examples = len(sets[0][1]), len(labels)
    classes = jax.eval_shape(learner.logits, params, inputs[:1]).shape[1]
    plan_key, label_key = jax.random.split(key)
    plan = passes(plan_key, examples, epochs, batch)
    # A batch may straddle two passes: each entry of the plan has a label drawn for its own pass.
    number = jnp.arange(plan.size).reshape(plan.shape) // examples
    drawn = jax.random.randint(label_key, (-(-plan.size // examples), forgotten), 0, classes)
    random_labels = drawn[number, jnp.minimum(plan, forgotten - 1)]
    return plan, jnp.where(plan < forgotten, random_labels, labels[plan])


def descend_relabelled(
    optimiser: optax.GradientTransformation,
    learner: Learner,
    params: Parameters,
    sets: tuple[Batch, Batch],
    plan: tuple[Int[AnyArray, "steps batch"], Int[AnyArray, "steps batch"]],
) -> Any:
    """Follows a plan of indices into S ∪ R and labels."""
    inputs, _ = joined(*sets)
    return descend(
        optimiser,
        lambda params, entry: learner.loss(params, inputs[entry[0]], entry[1]),
        params,
        plan,
    )
