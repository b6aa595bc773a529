"""Summation form: subtract the counts of S from a model that is a sum of counts."""

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key

from oracles._learner import Learner, Parameters
from oracles.learners._naive_bayes import NaiveBayes
from oracles.learners._whole_set import own_learner
from oracles.unlearners._contract import Batch


@dataclass(frozen=True)
class SummationForm:
    """Takes the counts of S off those of a naive Bayes model; R is not looked at.

    Exact in whole numbers: the output is, bit for bit, the model of R. Source: Cao and Yang 2015,
    "Towards making systems forget with machine unlearning", IEEE Symposium on Security and Privacy.
    """

    learner: ClassVar[str] = "naive-bayes"

    def __call__(
        self,
        learner: Learner,
        params: Parameters,
        forget: Batch,
        retain: Batch,
        key: Key[Array, ""],
    ) -> Any:
        """The counts without S."""
        bayes = own_learner("summation-form", learner, NaiveBayes)
        removed = bayes.count(*forget, jnp.ones(len(forget[1]), dtype=bool))
        return jax.tree.map(jnp.subtract, dict(params), dict(removed))
