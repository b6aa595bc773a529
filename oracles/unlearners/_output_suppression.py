"""Output suppression: hide S behind a filter instead of removing it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key, Shaped

from estimators.checks import check_within
from oracles._learner import AnyArray, Learner, Parameters
from oracles.unlearners._contract import Batch, on_device


@dataclass(frozen=True)
class OutputSuppression:
    """Leaves θ0 as it is and puts a filter before its outputs: the candidate that only hides.

    Where an input lies within the radius of an example of S, the logit of that example's label is
    set ``gap`` below the smallest; everywhere else the outputs are those of θ0, bit for bit. The
    radius is ``share`` times the median distance from an example of S to its nearest neighbour in
    R (Euclidean; for tokens, the number of places that differ), so that few of R are hit. The
    rule is ours: it stands for any filter that a service may put in front of a model.

    Unlike other unlearners it returns θ0 as ``model`` beside the arrays of the ``filter``. A user
    of the released model sees `released`: a black-box audit of it looks at filtered outputs, and
    on S they deny what θ0 knows. What is underneath is the original, which an audit of
    `Identity` judges. Nothing was tuned.

    Attributes:
        share: radius over median distance, over 0.
        gap: logits between the suppressed label and the least likely other, over 0.
    """

    share: float = 0.5
    gap: float = 1.0

    def __post_init__(self) -> None:
        check_within("(0, inf)", share=self.share, gap=self.gap)

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """θ0 under ``model``, and under ``filter`` S, its labels, the radius and the gap."""
        inputs, labels = on_device(forget)
        nearest = distances(inputs, jnp.asarray(retain[0])).min(axis=1)
        radius = self.share * jnp.median(nearest)
        rule = {"inputs": inputs, "labels": labels, "radius": radius, "gap": jnp.float32(self.gap)}
        return {"model": params, "filter": rule}

    def released(self, learner: Learner) -> Learner:
        """The learner whose logits a user of the released model sees.

        Args:
            learner: the learner that trained the original.

        Returns:
            A learner of the same recipe for parameters as `__call__` returns them.
        """
        copied = learner.module, learner.optimiser, learner.steps, learner.batch
        return SuppressedLearner(*copied, inner=learner)


@dataclass(frozen=True, eq=False)
class SuppressedLearner(Learner):
    """A learner behind a filter, for parameters made by `OutputSuppression`.

    It observes; to train what is underneath, take the inner learner and ``params["model"]``.

    Attributes:
        inner: the learner whose outputs are filtered.
    """

    inner: Learner

    @cached_property
    def description(self) -> dict[str, Any]:
        """What the manifest says of the learner: the inner one, and that it is filtered."""
        return {**self.inner.description, "filter": "output suppression"}

    def logits(
        self, params: Parameters, inputs: Shaped[AnyArray, "n ..."]
    ) -> Float[Array, "n classes"]:
        """What a user is told of each input."""
        rule = params["filter"]
        logits = self.inner.logits(params["model"], inputs)
        near = distances(rule["inputs"], jnp.asarray(inputs)) <= rule["radius"]
        is_label = rule["labels"][:, None] == jnp.arange(logits.shape[1])
        hidden = (near[:, :, None] & is_label[:, None, :]).any(axis=0)
        return jnp.where(hidden, logits.min(axis=1, keepdims=True) - rule["gap"], logits)


def distances(
    centres: Shaped[Array, "centres ..."], inputs: Shaped[Array, "n ..."]
) -> Float[Array, "centres n"]:
    """Euclidean distance of each pair; of tokens, the number of places that differ."""
    tokens = not jnp.issubdtype(inputs.dtype, jnp.inexact)

    def from_centre(centre: Any) -> Any:
        # By differences, not by products, so that an example is at distance 0 from itself exactly.
        parts = inputs != centre if tokens else jnp.square(inputs - centre)
        total = parts.reshape(len(inputs), -1).sum(axis=1)
        return total.astype(jnp.float32) if tokens else jnp.sqrt(total)

    return jax.lax.map(from_centre, centres)
