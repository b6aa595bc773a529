"""Dense layers alone: the multilayer perceptron, and two-class logistic regression."""

from collections.abc import Sequence
from typing import ClassVar

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from oracles._learner import AnyArray
from oracles.modules._layers import weights


class MLP(nn.Module):
    """A multilayer perceptron with ReLU between layers.

    With one entry in ``features`` it is logistic regression.

    Attributes:
        features: width of each layer; the last is the number of classes.

    Example:
        >>> import jax
        >>> params = MLP((8, 3)).init(jax.random.key(0), jnp.zeros((5, 2)))
        >>> MLP((8, 3)).apply(params, jnp.zeros((5, 2))).shape
        (5, 3)
    """

    features: Sequence[int]
    cpu_block_width: ClassVar[int] = 8

    @nn.compact
    def __call__(self, inputs: Float[AnyArray, "batch ..."]) -> Float[Array, "batch classes"]:
        """Logits of a batch."""
        flat = jnp.reshape(inputs, (inputs.shape[0], -1))
        kernel, bias = weights(self, "0", self.features[0], flat.shape[1])
        # For kernel @ flat.T XLA would transpose the gathered batch in each step.
        hidden = jnp.einsum("oi,bi->ob", kernel, flat) + bias[:, None]
        for layer, width in enumerate(self.features[1:], start=1):
            kernel, bias = weights(self, str(layer), width, hidden.shape[0])
            hidden = kernel @ nn.relu(hidden) + bias[:, None]
        return hidden.T


class BinaryLinear(nn.Module):
    """Logistic regression for two classes with one weight a feature: logits ∓ w·x / 2.

    Rows longer than 1 are scaled down to norm 1, so that the loss −ln p_y has gradients of norm at
    most 1 and a second derivative of at most 1/4, whatever the data: what certified algorithms ask
    for. There is no bias, and weights begin at zero.

    Example:
        >>> import jax
        >>> params = BinaryLinear().init(jax.random.key(0), jnp.ones((5, 3)))
        >>> BinaryLinear().apply(params, jnp.ones((5, 3))).shape
        (5, 2)
    """

    cpu_block_width: ClassVar[int] = 8

    @nn.compact
    def __call__(self, inputs: Float[AnyArray, "batch ..."]) -> Float[Array, "batch 2"]:
        """Logits of a batch."""
        rows = unit_rows(inputs)
        half = rows @ self.param("weights", nn.initializers.zeros, (rows.shape[1],)) / 2
        return jnp.stack([-half, half], axis=1)


def unit_rows(inputs: Float[AnyArray, "batch ..."]) -> Float[Array, "batch features"]:
    """Inputs as rows, those longer than 1 scaled down to norm 1."""
    rows = jnp.reshape(inputs, (inputs.shape[0], -1))
    return rows / jnp.maximum(jnp.linalg.norm(rows, axis=1, keepdims=True), 1.0)
