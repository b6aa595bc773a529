"""Built-in flax modules, laid out feature-major: XLA compiles ``W @ h`` best inside a loop.

Weights are ``[out, in]`` and activations ``[features, ..., batch]`` inside; inputs and outputs keep
the batch first, as everywhere. Each module is equal to its plain flax.linen form.

``cpu_block_width`` is how many models a compiled program should hold on a CPU, as measured by
``benchmarks/training.py``: beyond it a block leaves the core's cache.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Shaped

from oracles._learner import AnyArray


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
        kernel, bias = _weights(self, "0", self.features[0], flat.shape[1])
        # For kernel @ flat.T XLA would transpose the gathered batch in each step.
        hidden = jnp.einsum("oi,bi->ob", kernel, flat) + bias[:, None]
        for layer, width in enumerate(self.features[1:], start=1):
            kernel, bias = _weights(self, str(layer), width, hidden.shape[0])
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


class ConvNet(nn.Module):
    """Convolutions of 3x3 with ReLU, same padding and stride 1, then one dense layer.

    A convolution inside a loop is slow on CPUs: here it is one product of the kernel with the nine
    shifted copies of the image. Its gradients are reverse-mode only (no ``jax.jvp``); gradients of
    gradients are fine.

    Attributes:
        classes: number of classes.
        channels: output channels of each convolution.

    Example:
        >>> import jax
        >>> images = jnp.zeros((5, 8, 8))
        >>> logits, _ = jax.jit(ConvNet(3).init_with_output)(jax.random.key(0), images)
        >>> logits.shape
        (5, 3)
    """

    classes: int
    channels: Sequence[int] = (16, 32)
    cpu_block_width: ClassVar[int] = 1

    @nn.compact
    def __call__(
        self, inputs: Float[AnyArray, "batch height width *colours"]
    ) -> Float[Array, "batch classes"]:
        """Logits of a batch of images."""
        batch, height, width = inputs.shape[:3]
        hidden = jnp.transpose(jnp.reshape(inputs, (batch, height, width, -1)), (3, 1, 2, 0))
        for layer, channels in enumerate(self.channels):
            stacked = neighbours(hidden)
            kernel, bias = _weights(self, str(layer), channels, stacked.shape[0])
            hidden = nn.relu(_product(kernel, stacked) + bias[:, None])
            hidden = jnp.reshape(hidden, (channels, height, width, batch))
        flat = jnp.reshape(hidden, (-1, batch))
        kernel, bias = _weights(self, "dense", self.classes, flat.shape[0])
        return (_product(kernel, flat) + bias[:, None]).T


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


def _weights(module: nn.Module, name: str, out: int, into: int) -> tuple[Any, Any]:
    """Kernel ``[out, in]`` and bias ``[out]``, initialised as flax.linen initialises its layers."""
    initializer = nn.initializers.lecun_normal(in_axis=1, out_axis=0)
    return (
        module.param(f"kernel_{name}", initializer, (out, into)),
        module.param(f"bias_{name}", nn.initializers.zeros, (out,)),
    )


def _affine(module: nn.Module, name: str, out: int, hidden: Any) -> Any:
    kernel, bias = _weights(module, name, out, hidden.shape[0])
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


def neighbours(images: Shaped[Array, "c h w b"]) -> Shaped[Array, "nine_c h_w_b"]:
    """The nine shifted copies of images, stacked as rows; zeros come in at the edges."""
    channels, height, width, _ = images.shape
    padded = jnp.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    copies = [padded[:, i : i + height, j : j + width] for i in range(3) for j in range(3)]
    return jnp.reshape(jnp.concatenate(copies), (9 * channels, -1))


@jax.custom_vjp
def _product(kernel: Any, columns: Any) -> Any:
    """``kernel @ columns``, the kernel's gradient computed transposed: its long side first."""
    return kernel @ columns


def _product_forward(kernel: Any, columns: Any) -> Any:
    return kernel @ columns, (kernel, columns)


def _product_backward(saved: Any, cotangent: Any) -> Any:
    kernel, columns = saved
    # The barrier keeps XLA from turning the product around again, to half its speed.
    return jax.lax.optimization_barrier(columns @ cotangent.T).T, kernel.T @ cotangent


_product.defvjp(_product_forward, _product_backward)
