"""Learners of images and of tokens that tests of unlearners share, with sets for each."""

from dataclasses import replace
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
import numpy as np

from indist import oracles
from tests.oracles.by_hand import CLASSES, LOGISTIC, R, S


class TokenReader(nn.Module):
    """A user's module with a transformer inside; its tokens come as floats."""

    @nn.compact
    def __call__(self, inputs: Any) -> Any:
        """Logits of a batch."""
        return oracles.Transformer(CLASSES, 4, 2, 1)(inputs.astype(int))


CONVOLUTIONS = replace(LOGISTIC, module=oracles.ConvNet(CLASSES, (3, 4)))
TOKEN_READER = replace(LOGISTIC, module=TokenReader())


def _sets(draw: Any) -> Any:
    """S and R with inputs drawn anew."""
    return tuple(
        (jnp.asarray(draw(np.random.default_rng(seed), len(labels)), dtype=jnp.float32), labels)
        for seed, labels in ((1, S[1]), (2, R[1]))
    )


IMAGES = _sets(lambda rng, count: rng.normal(size=(count, 4, 5)))
TOKENS = _sets(lambda rng, count: rng.integers(0, CLASSES, (count, 4)))
