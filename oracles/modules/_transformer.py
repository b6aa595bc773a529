"""A small decoder of tokens."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from oracles._learner import AnyArray
from oracles.modules._layers import weights


class Transformer(nn.Module):
    """A small decoder that reads tokens and says what comes after the last.

    Learnt embeddings of token and position; blocks of causal self-attention and a ReLU layer of
    four times the width, each behind a layer norm and beside a residual; a last layer norm; logits.

    Attributes:
        vocabulary: number of tokens, and of classes.
        width: features of a token, a multiple of ``heads``.
        heads: attention heads.
        blocks: how many blocks.

    Example:
        >>> import jax
        >>> tokens = jnp.zeros((5, 7), dtype=jnp.int32)
        >>> logits, _ = jax.jit(Transformer(11).init_with_output)(jax.random.key(0), tokens)
        >>> logits.shape
        (5, 11)
    """

    vocabulary: int
    width: int = 32
    heads: int = 2
    blocks: int = 2

    @nn.compact
    def __call__(self, tokens: Int[AnyArray, "batch length"]) -> Float[Array, "batch vocabulary"]:
        """Logits of what follows each sequence of the batch."""
        batch, length = tokens.shape
        order = jnp.reshape(jnp.transpose(tokens), (-1,))
        # A product with indicators: the gradient of a gather is a scatter, which is slow.
        indicators = (jnp.arange(self.vocabulary)[:, None] == order).astype(jnp.float32)
        small = nn.initializers.normal(0.02)
        table = self.param("token", small, (self.width, self.vocabulary))
        place = self.param("position", small, (self.width, length))
        hidden = table @ indicators + jnp.repeat(place, batch, axis=1)
        for block in range(self.blocks):
            normed = _normalised(self, f"{block}_attention", hidden)
            heads = _affine(self, f"{block}_qkv", 3 * self.width, normed)
            mixed = _attention(jnp.reshape(heads, (3, self.heads, -1, length, batch)))
            hidden = hidden + _affine(
                self, f"{block}_out", self.width, jnp.reshape(mixed, hidden.shape)
            )
            wide = _affine(
                self, f"{block}_up", 4 * self.width, _normalised(self, f"{block}_mlp", hidden)
            )
            hidden = hidden + _affine(self, f"{block}_down", self.width, nn.relu(wide))
        last = _normalised(self, "last", hidden[:, -batch:])
        return _affine(self, "logits", self.vocabulary, last).T


def _affine(module: nn.Module, name: str, out: int, hidden: Any) -> Any:
    kernel, bias = weights(module, name, out, hidden.shape[0])
    return kernel @ hidden + bias[:, None]


def _normalised(module: nn.Module, name: str, hidden: Any) -> Any:
    """Layer norm over the leading axis, with flax.linen's 1e-6 under the root."""
    scale = module.param(f"scale_{name}", nn.initializers.ones, (hidden.shape[0],))
    shift = module.param(f"shift_{name}", nn.initializers.zeros, (hidden.shape[0],))
    centred = hidden - hidden.mean(axis=0)
    ratio = jax.lax.rsqrt(jnp.square(centred).mean(axis=0) + 1e-6)
    return centred * ratio * scale[:, None] + shift[:, None]


def _attention(heads: Float[Array, "3 heads size length batch"]) -> Any:
    """Causal softmax attention."""
    query, key, value = heads
    size, length = query.shape[1:3]
    scores = jnp.einsum("hdqb,hdkb->bhqk", query, key) * size**-0.5
    past = jnp.tril(jnp.ones((length, length), dtype=bool))
    weights = jax.nn.softmax(jnp.where(past, scores, -jnp.inf))
    return jnp.einsum("bhqk,hdkb->hdqb", weights, value)
