"""Naive Bayes in summation form: a model that is nothing but counts."""

from dataclasses import dataclass
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from oracles._learner import AnyArray, Parameters
from oracles.learners._whole_set import WholeSet


class CategoryCounts(nn.Module):
    """How many examples of each class there are, and how many of them have each feature in a bin.

    Logits are ln P(class) + Σ_j ln P(bin of feature j | class), with one example added to every
    count, after Laplace.

    Attributes:
        classes: at least 2.
        bins: bins of equal width a feature.
        low: where the first begins; lower values fall into it.
        high: where the last ends; higher values fall into it.
    """

    classes: int
    bins: int
    low: float
    high: float

    @nn.compact
    def __call__(self, inputs: Float[AnyArray, "batch ..."]) -> Float[Array, "batch classes"]:
        """Logits of a batch."""
        bins = self.binned(inputs)
        zeros = nn.initializers.zeros
        sizes = self.param("sizes", zeros, (self.classes,), jnp.int32)
        counts = self.param("counts", zeros, (self.classes, *bins.shape[1:]), jnp.int32)
        prior = jnp.log(sizes + 1.0) - jnp.log(sizes.sum() + float(self.classes))
        likelihood = jnp.log(counts + 1.0) - jnp.log(sizes + float(self.bins))[:, None, None]
        return prior + jnp.einsum("nfb,cfb->nc", bins.astype(jnp.float32), likelihood)

    def binned(self, inputs: Float[AnyArray, "batch ..."]) -> Int[Array, "batch features bins"]:
        """1 at the bin of each feature."""
        rows = jnp.reshape(inputs, (inputs.shape[0], -1))
        place = jnp.floor((rows - self.low) / (self.high - self.low) * self.bins)
        place = jnp.clip(place, 0, self.bins - 1)
        return (place[..., None] == jnp.arange(self.bins)).astype(jnp.int32)


@dataclass(frozen=True, eq=False)
class NaiveBayes(WholeSet):
    """Counts of `CategoryCounts`: no randomness, no steps, and no trace of an order.

    As the model is a sum over examples, taking S out is a subtraction, exact in whole numbers.
    Source: Cao and Yang 2015, "Towards making systems forget with machine unlearning", IEEE
    Symposium on Security and Privacy.
    """

    def train(self, key: Key[Array, ""], inputs: Any, labels: Any, plan: Any) -> Parameters:
        """Counts those that are in."""
        del key
        return self.count(inputs, labels, plan[0] >= 0)

    def count(self, inputs: Any, labels: Any, inside: Any) -> Parameters:
        """Sums over examples: classes, and bins by class."""
        assert isinstance(self.module, CategoryCounts)
        of_class = jnp.asarray(labels)[:, None] == jnp.arange(self.module.classes)
        of_class = (of_class & inside[:, None]).astype(jnp.int32)
        counts = jnp.einsum("nc,nfb->cfb", of_class, self.module.binned(inputs))
        return {"sizes": of_class.sum(axis=0), "counts": counts}
