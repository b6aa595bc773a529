"""Learner A: a randomised way of training whose only randomness is one key."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property, partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int, Key, Shaped

from estimators.checks import check_counts
from oracles._deferred import build, describe
from oracles.randomness import batch_plan, epoch_batches

Parameters = Mapping[str, Any]
AnyArray = Array | np.ndarray
"""An array of JAX or of NumPy."""
DescentState = tuple[Any, Any]
"""Parameters, and what the optimiser remembers."""


@dataclass(frozen=True, eq=False)
class Learner:
    """A flax module, an optax optimiser, a number of steps and a batch size.

    The number of *steps* is fixed, not the number of epochs: a model that trains on fewer examples
    visits each of them a little more often. The loss is mean cross-entropy.

    Learners of another kind, as those in `oracles.learners`, are subclasses: what training is, is
    `train` along a plan drawn by `plan` on the host or by `draw_plan` inside a program; what a
    model says, is `logits`.

    Attributes:
        module: flax.linen module, ``[batch, *features]`` to logits ``[batch, classes]``, with
            parameters only (no running statistics) and no randomness after initialisation.
        optimiser: an optax optimiser as a deferred call, ``functools.partial(optax.sgd, 0.1)``.
        steps: optimiser steps, at least 1.
        batch: examples a step, at least 1.

    Raises:
        ValueError: when steps or batch are below 1, or the optimiser is no deferred call.
    """

    module: nn.Module
    optimiser: "partial[optax.GradientTransformation]"
    steps: int
    batch: int

    def __post_init__(self) -> None:
        check_counts(steps=self.steps, batch=self.batch)
        describe(self.optimiser)

    @cached_property
    def description(self) -> dict[str, Any]:
        """What the manifest says of the learner; learners of one description are the same."""
        plain = {
            "module": " ".join(repr(self.module).split()),
            "optimiser": describe(self.optimiser),
            "steps": self.steps,
            "batch": self.batch,
        }
        if type(self) is Learner:
            return plain
        settings = {field.name: getattr(self, field.name) for field in fields(self)}
        return {"kind": type(self).__name__} | settings | plain

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Learner) and self.description == other.description

    def __hash__(self) -> int:
        return hash(tuple(self.description.values()))

    def init(self, key: Key[Array, ""], inputs: Shaped[AnyArray, "n ..."]) -> Parameters:
        """Fresh parameters of one model."""
        return self.module.init(key, inputs[:1])["params"]

    def logits(
        self, params: Parameters, inputs: Shaped[AnyArray, "n ..."]
    ) -> Float[Array, "n classes"]:
        """What one model says of each input."""
        return self.module.apply({"params": params}, inputs)  # pyright: ignore[reportReturnType]

    def loss(
        self, params: Parameters, inputs: Shaped[AnyArray, "n ..."], labels: Int[AnyArray, " n"]
    ) -> Float[Array, ""]:
        """Mean cross-entropy of one model on a batch, in nats."""
        return cross_entropy(self.logits(params, inputs), labels)

    def plan(
        self, stream: int, model: int, included: Int[np.ndarray, " included"], examples: int
    ) -> Int[np.ndarray, "steps batch"]:
        """Which of D's examples one model sees at each step.

        Args:
            stream: number of the population (`stream_number`).
            model: index of the model.
            included: indices of the examples that it may see.
            examples: how many there are in D.
        """
        del examples
        return batch_plan(stream, model, included, self.steps, self.batch)

    def draw_plan(self, key: Key[Array, ""], examples: int) -> Int[Array, "steps batch"]:
        """A plan over all of ``examples`` examples, drawn inside a JAX program."""
        return epoch_batches(key, examples, self.steps, self.batch)

    def train(
        self,
        key: Key[Array, ""],
        inputs: Shaped[AnyArray, "n ..."],
        labels: Int[AnyArray, " n"],
        plan: Int[AnyArray, "steps batch"],
    ) -> Parameters:
        """One model of A: its key is its only randomness beside the plan."""
        return self.fit(self.init(key, inputs), inputs, labels, plan)

    def fit(
        self,
        params: Parameters,
        inputs: Shaped[AnyArray, "n ..."],
        labels: Int[AnyArray, " n"],
        plan: Int[AnyArray, "steps batch"],
    ) -> Parameters:
        """Trains one model along a plan of example indices, in one `lax.scan`."""
        inputs, labels = jnp.asarray(inputs), jnp.asarray(labels)
        return descend(
            build(self.optimiser),
            lambda params, index: self.loss(params, inputs[index], labels[index]),
            params,
            plan,
        )


def cross_entropy(
    logits: Float[Array, "n classes"], labels: Int[AnyArray, " n"]
) -> Float[Array, ""]:
    """Mean of −ln p_y."""
    return cross_entropies(logits, labels).mean()


def cross_entropies(
    logits: Float[Array, "n classes"], labels: Int[AnyArray, " n"]
) -> Float[Array, " n"]:
    """−ln p_y of each example, classes first, as XLA vectorises a sum over the leading axis only.

    The label is picked by comparison, which XLA fuses where a gather is not.
    """
    scores = logits.T
    is_label = labels == jnp.arange(scores.shape[0])[:, None]
    return -jnp.where(is_label, jax.nn.log_softmax(scores, axis=0), 0.0).sum(axis=0)


def descend(
    optimiser: optax.GradientTransformation, loss: Any, params: Parameters, plan: Any
) -> Parameters:
    """Parameters after a step down ``loss(params, entry)`` for each entry of a plan.

    Args:
        optimiser: it takes the steps, freshly started.
        loss: a function of parameters and one entry of the plan.
        params: where it begins.
        plan: an array, or a tree of arrays, whose leading axis is that of the steps.
    """
    return descend_on(optimiser, loss, (params, optimiser.init(params)), plan)[0]


def descend_on(
    optimiser: optax.GradientTransformation, loss: Any, state: DescentState, plan: Any
) -> DescentState:
    """`descend` from where an optimiser stands; returns where it stands then."""

    def step(state: Any, entry: Any) -> tuple[Any, None]:
        return descent_step(optimiser, loss, state, entry), None

    return jax.lax.scan(step, state, plan)[0]


def descent_step(
    optimiser: optax.GradientTransformation, loss: Any, state: DescentState, entry: Any
) -> DescentState:
    """One step of an optimiser down ``loss(params, entry)``."""
    params, memory = state
    updates, memory = optimiser.update(jax.grad(loss)(params, entry), memory, params)
    return optax.apply_updates(params, updates), memory
