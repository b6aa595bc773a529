"""Descent in passes over a set: the settings and the steps that many unlearners share."""

from dataclasses import dataclass

import optax
from jaxtyping import Array, Int, Key

from estimators.checks import check_counts, check_within
from oracles._learner import Learner, Parameters, descend
from oracles.randomness import epoch_batches
from oracles.unlearners._contract import Batch, on_device


@dataclass(frozen=True)
class MomentumDescent:
    """Settings of SGD with momentum in passes over a set.

    Attributes:
        learning_rate: over 0.
        epochs: passes over the set, at least 1.
        batch: examples a step, or all of the set.
        momentum: of SGD, in [0, 1).
    """

    learning_rate: float
    epochs: int
    batch: int = 128
    momentum: float = 0.9

    def __post_init__(self) -> None:
        check_descent(self.learning_rate, self.epochs, self.batch, self.momentum)

    @property
    def _optimiser(self) -> optax.GradientTransformation:
        return optax.sgd(self.learning_rate, momentum=self.momentum)


def check_descent(learning_rate: float, epochs: int, batch: int, momentum: float) -> None:
    """Raises ValueError unless the settings of a descent are in range."""
    check_within("(0, inf)", learning_rate=learning_rate)
    check_counts(epochs=epochs, batch=batch)
    check_within("[0, 1)", momentum=momentum)


def passes(
    key: Key[Array, ""], examples: int, epochs: int, batch: int
) -> Int[Array, "steps per_step"]:
    """Indices of the batches of ``epochs`` passes; a batch over n examples is all of them."""
    size = min(batch, examples)
    return epoch_batches(key, examples, -(-epochs * examples // size), size)


def sgd_passes(
    optimiser: optax.GradientTransformation,
    learner: Learner,
    params: Parameters,
    examples: Batch,
    key: Key[Array, ""],
    *,
    epochs: int,
    batch: int,
    sign: float = 1.0,
) -> Parameters:
    """Parameters after passes over a set, each step down the mean loss of a batch.

    Args:
        optimiser: it takes the steps, freshly started.
        learner: whose loss it is.
        params: where the descent begins.
        examples: inputs and labels of the set.
        key: of the order of the examples.
        epochs: passes over the set.
        batch: examples a step, or all of the set.
        sign: what the loss is multiplied by: −1 ascends.
    """
    plan = passes(key, len(examples[1]), epochs, batch)
    return sgd_steps(optimiser, learner, params, examples, plan, sign=sign)


def sgd_steps(
    optimiser: optax.GradientTransformation,
    learner: Learner,
    params: Parameters,
    examples: Batch,
    plan: Int[Array, "steps per_step"],
    *,
    sign: float = 1.0,
) -> Parameters:
    """`sgd_passes` along a plan of indices, a row a step."""
    inputs, labels = on_device(examples)
    return descend(
        optimiser,
        lambda params, index: sign * learner.loss(params, inputs[index], labels[index]),
        params,
        plan,
    )
