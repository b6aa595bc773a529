"""Random labels: train on D as if S had been labelled by dice."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Int, Key

from oracles._learner import Data, Learner, Parameters, descend
from oracles.unlearners._contract import Batch, check_descent, passes


@dataclass(frozen=True)
class RandomLabel:
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
    batch: int = 128
    momentum: float = 0.9

    def __post_init__(self) -> None:
        check_descent(self.learning_rate, self.epochs, self.batch, self.momentum)

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """θ0 after ``epochs`` passes over D with S relabelled."""
        optimiser = optax.sgd(self.learning_rate, momentum=self.momentum)
        plan = relabelled_passes(key, learner, params, (forget, retain), self.epochs, self.batch)
        return descend_relabelled(optimiser, learner, params, (forget, retain), plan)


def relabelled_passes(
    key: Key[Array, ""],
    learner: Learner,
    params: Parameters,
    sets: tuple[Batch, Batch],
    epochs: int,
    batch: int,
) -> tuple[Int[Array, "steps batch"], Int[Array, "steps batch"]]:
    """Indices into S ∪ R (S first) and the label to learn for each, step by step."""
    (s_inputs, s_labels), (_, r_labels) = sets
    forgotten, examples = len(s_labels), len(s_labels) + len(r_labels)
    classes = jax.eval_shape(learner.logits, params, s_inputs[:1]).shape[1]
    plan_key, label_key = jax.random.split(key)
    plan = passes(plan_key, examples, epochs, batch)
    # A batch may straddle two passes: each place of the plan has the labels of its own pass.
    turn = jnp.arange(plan.size).reshape(plan.shape) // examples
    drawn = jax.random.randint(label_key, (-(-plan.size // examples), forgotten), 0, classes)
    true = _joined(s_labels, r_labels)[plan]
    return plan, jnp.where(plan < forgotten, drawn[turn, jnp.minimum(plan, forgotten - 1)], true)


def descend_relabelled(
    optimiser: optax.GradientTransformation,
    learner: Learner,
    params: Parameters,
    sets: tuple[Batch, Batch],
    plan: tuple[Int[Data, "steps batch"], Int[Data, "steps batch"]],
) -> Any:
    """Follows a plan of indices into S ∪ R and labels."""
    inputs = _joined(sets[0][0], sets[1][0])
    return descend(
        optimiser,
        lambda params, step: learner.loss(params, inputs[step[0]], step[1]),
        params,
        plan,
    )


def _joined(first: Any, second: Any) -> Any:
    return jnp.concatenate([jnp.asarray(first), jnp.asarray(second)])
