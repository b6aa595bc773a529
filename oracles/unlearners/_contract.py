"""What every unlearner is: a pure function of (θ0, S, R, key) and its settings."""

from typing import Any, Protocol, runtime_checkable

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, Key, Shaped

from oracles._learner import AnyArray, Learner, Parameters
from oracles.mechanisms._mechanism import Claim

Batch = tuple[Shaped[AnyArray, "..."], Int[AnyArray, "..."]]
"""Inputs and labels of a set of examples."""


def all_of(examples: Batch) -> Bool[np.ndarray, " n"]:
    """What `Learner.draw_plan` takes to draw from all of a set."""
    return np.ones(len(examples[1]), dtype=bool)


@runtime_checkable
class Unlearner(Protocol):
    """The contract. Implementations are frozen dataclasses that hold their settings."""

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """Unlearns S from one trained model.

        Args:
            learner: the learner that trained it.
            params: θ0, the trained parameters.
            forget: S.
            retain: R = D∖S.
            key: the unlearner's only randomness.

        Returns:
            θ, a tree like ``params``.
        """
        ...


@runtime_checkable
class Certified(Protocol):
    """An unlearner that claims how far its models lie, at most, from those trained on R."""

    def claim(self, learner: Learner, examples: int, forget: int) -> Claim:
        """The (ε, δ) that it claims.

        Args:
            learner: the learner of the models, with its settings.
            examples: how many examples D has.
            forget: how many of them are in S.

        Returns:
            The claim: output and a model of the same learner trained on D∖S are
            (ε, δ)-indistinguishable, under the assumptions listed.

        Raises:
            ValueError: when the learner is not the one that the claim is about.
        """
        ...


@runtime_checkable
class Released(Protocol):
    """An unlearner whose output is more than parameters of the learner's own module."""

    def released(self, learner: Learner) -> Learner:
        """The learner whose ``logits`` are what users of the released model see."""
        ...


def released(unlearner: Any, learner: Learner) -> Learner:
    """How the output of an unlearner speaks: as the learner does, unless it says otherwise."""
    return unlearner.released(learner) if isinstance(unlearner, Released) else learner


def on_device(examples: Batch) -> tuple[Array, Array]:
    """Inputs and labels as JAX arrays, which traced indices can index."""
    return jnp.asarray(examples[0]), jnp.asarray(examples[1])


def joined(forget: Batch, retain: Batch) -> tuple[Array, Array]:
    """Inputs and labels of D = S ∪ R, S first."""
    (s_inputs, s_labels), (r_inputs, r_labels) = on_device(forget), on_device(retain)
    return jnp.concatenate([s_inputs, r_inputs]), jnp.concatenate([s_labels, r_labels])
