"""Learner A: a randomised way of training whose only randomness is one key."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import KW_ONLY, asdict, dataclass, fields
from functools import cached_property, partial, wraps
from typing import Any, ClassVar, Literal, get_args

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Bool, Float, Int, Key, Shaped

from estimators.checks import check_counts, check_within
from estimators.kinds import check_name
from oracles._augmentation import CropAndFlip
from oracles._deferred import build, describe
from oracles.randomness import MOST_PLACES, batch_plan

Parameters = Mapping[str, Any]
AnyArray = Array | np.ndarray
"""An array of JAX or of NumPy."""
Precision = Literal["float32", "tf32", "bf16"]
"""Precision of products."""
_PRECISIONS = {"float32": "float32", "tf32": "tensorfloat32", "bf16": "BF16_BF16_F32"}
DescentState = tuple[Any, Any]
"""Parameters, and what the optimiser remembers."""


@dataclass(frozen=True, eq=False)
class Learner:
    """A flax module, an optax optimiser, a number of steps and a batch size.

    The number of *steps* is fixed, not the number of epochs: a model that trains on fewer examples
    visits each of them a little more often. The loss is mean cross-entropy.

    Learners of another kind, as those in `oracles.learners`, are subclasses: what training is, is
    `train` along a plan that `draw_plan` draws inside the program; what a model says, is `logits`.
    Where their training takes no smoothed labels or changed images, ``FOLLOWED`` leaves those out.

    Smoothing and augmentation belong to training. Unlearners that take steps of their own descend
    on the plain loss of the examples as they are; those that train anew train as the learner does.

    Attributes:
        module: flax.linen module, ``[batch, *features]`` to logits ``[batch, classes]``, with
            parameters only (no running statistics) and no randomness after initialisation.
        optimiser: an optax optimiser as a deferred call, ``functools.partial(optax.sgd, 0.1)``.
            Rates that follow a schedule are deferred too:
            ``partial(optax.sgd, partial(optax.cosine_decay_schedule, 0.1, 420))``.
        steps: optimiser steps, at least 1.
        batch: examples a step, at least 1.
        label_smoothing: the share of each label that is spread over all classes, in [0, 1), as in
            Szegedy et al. 2016, "Rethinking the inception architecture", section 7.
        augmentation: a random change of each image at each step, drawn from the model's key.
        precision: of products: ``float32``, or on accelerators ``tf32`` (inputs rounded to 10 bits)
            or ``bf16`` (to 7 bits); sums are float32. A CPU always computes in float32.

    Raises:
        TypeError: when the augmentation is of another class.
        ValueError: when a setting is out of range, or the optimiser is no deferred call.
    """

    module: nn.Module
    optimiser: "partial[optax.GradientTransformation]"
    steps: int
    batch: int
    _: KW_ONLY
    label_smoothing: float = 0.0
    augmentation: CropAndFlip | None = None
    precision: Precision = "float32"
    FOLLOWED: ClassVar[Collection[str]] = ("label_smoothing", "augmentation")
    """Which of these two the training of this class follows; it refuses others."""

    def __post_init__(self) -> None:
        check_counts(steps=self.steps, batch=self.batch)
        if self.steps * self.batch > MOST_PLACES:
            raise ValueError(
                f"steps: expected at most {MOST_PLACES // self.batch} of {self.batch} examples "
                f"each, found {self.steps}"
            )
        check_within("[0, 1)", label_smoothing=self.label_smoothing)
        # A class made from CropAndFlip would have the same description, and thus the same digest.
        if type(self.augmentation) not in (CropAndFlip, type(None)):
            found = type(self.augmentation).__name__
            raise TypeError(f"augmentation: expected CropAndFlip itself or None, found {found}")
        for name in ("label_smoothing", "augmentation"):
            if name not in self.FOLLOWED and (found := getattr(self, name)):
                raise ValueError(
                    f"{name}: expected none, as {type(self).__name__} trains without, found {found}"
                )
        check_name(self.precision, "precision", get_args(Precision))
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
        changed = {
            field.name: asdict(value) if isinstance(value, CropAndFlip) else value
            for field in fields(Learner)
            if field.name not in plain and (value := getattr(self, field.name)) != field.default
        }
        if type(self) is Learner:
            return plain | changed
        own = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.name not in Learner.__dataclass_fields__
        }
        return {"kind": type(self).__name__} | own | plain | changed

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Learner) and self.description == other.description

    def __hash__(self) -> int:
        return hash(repr(self.description))

    def init(self, key: Key[Array, ""], inputs: Shaped[AnyArray, "n ..."]) -> Parameters:
        """Fresh parameters of one model."""
        return self.module.init(key, inputs[:1])["params"]

    def logits(
        self, params: Parameters, inputs: Shaped[AnyArray, "n ..."]
    ) -> Float[Array, "n classes"]:
        """What one model says of each input."""
        with jax.default_matmul_precision(_PRECISIONS[self.precision]):
            return self.module.apply({"params": params}, inputs)  # pyright: ignore[reportReturnType]

    def loss(
        self, params: Parameters, inputs: Shaped[AnyArray, "n ..."], labels: Int[AnyArray, " n"]
    ) -> Float[Array, ""]:
        """Mean cross-entropy of one model on a batch, in nats."""
        return cross_entropy(self.logits(params, inputs), labels)

    def draw_plan(
        self, key: Key[Array, ""], included: Bool[AnyArray, " examples"]
    ) -> Int[Array, "steps batch"]:
        """Which of the examples one model sees at each step, drawn inside the program.

        Args:
            key: JAX key.
            included: whether the model may see each example.
        """
        return batch_plan(key, included, self.steps, self.batch)

    def train(
        self,
        key: Key[Array, ""],
        inputs: Shaped[AnyArray, "n ..."],
        labels: Int[AnyArray, " n"],
        plan: Int[AnyArray, "steps batch"],
    ) -> Parameters:
        """One model of A: its key is its only randomness beside the plan."""
        return self.fit(self.init(key, inputs), inputs, labels, plan, key)

    def fit(
        self,
        params: Parameters,
        inputs: Shaped[AnyArray, "n ..."],
        labels: Int[AnyArray, " n"],
        plan: Int[AnyArray, "steps batch"],
        key: Key[Array, ""] | None = None,
    ) -> Parameters:
        """Trains one model along a plan of example indices, in one `lax.scan`.

        Args:
            params: where it begins.
            inputs: of D.
            labels: of D.
            plan: the examples of each step; an example of index -1 weighs nothing.
            key: of the augmentation; without one, images stay as they are.
        """
        inputs, labels = jnp.asarray(inputs), jnp.asarray(labels)
        # Index -1 reads zeros: an example's own values times a weight of 0 may be NaN.
        inputs = jnp.concatenate([inputs, jnp.zeros_like(inputs[:1])])
        augmentation = None if key is None else self.augmentation

        def loss(params: Any, entry: Any) -> Any:
            index, number = entry
            batch = inputs[index]
            if augmentation is not None:
                assert key is not None
                batch = augmentation(batch, jax.random.fold_in(key, number))
            scores = self.logits(params, batch)
            losses = cross_entropies(scores, labels[index], self.label_smoothing)
            return jnp.where(index >= 0, losses, 0.0).mean()

        numbers = jnp.arange(len(plan), dtype=jnp.uint32)
        return descend(build(self.optimiser), loss, params, (plan, numbers))


def in_precision(learner: Learner, program: Callable[..., Any]) -> Callable[..., Any]:
    """A program whose products all have the learner's precision.

    `Learner.logits` says it for itself; here it is said for gradients too, where a module defines
    them. JAX's own default on an accelerator is less than float32.
    """

    @wraps(program)
    def precise(*arguments: Any) -> Any:
        with jax.default_matmul_precision(_PRECISIONS[learner.precision]):
            return program(*arguments)

    return precise


def cross_entropy(
    logits: Float[Array, "n classes"], labels: Int[AnyArray, " n"]
) -> Float[Array, ""]:
    """Mean of −ln p_y."""
    return cross_entropies(logits, labels).mean()


def cross_entropies(
    logits: Float[Array, "n classes"], labels: Int[AnyArray, " n"], smoothing: float = 0.0
) -> Float[Array, " n"]:
    """−ln p_y of each example, classes first, as XLA vectorises a sum over the leading axis only.

    The label is picked by comparison, which XLA fuses where a gather is not. With ``smoothing`` s
    it is the cross-entropy of 1 − s at the label and s spread evenly over all classes.
    """
    scores = jax.nn.log_softmax(logits.T, axis=0)
    is_label = labels == jnp.arange(scores.shape[0])[:, None]
    plain = -jnp.where(is_label, scores, 0.0).sum(axis=0)
    return (1.0 - smoothing) * plain - smoothing * scores.mean(axis=0) if smoothing else plain


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
