"""Convolutions of images as products of matrices."""

from collections.abc import Sequence
from typing import Any, ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Shaped

from oracles._learner import AnyArray
from oracles.modules._layers import weights


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
            kernel, bias = weights(self, str(layer), channels, stacked.shape[0])
            hidden = nn.relu(product(kernel, stacked) + bias[:, None])
            hidden = jnp.reshape(hidden, (channels, height, width, batch))
        flat = jnp.reshape(hidden, (-1, batch))
        kernel, bias = weights(self, "dense", self.classes, flat.shape[0])
        return (product(kernel, flat) + bias[:, None]).T


def neighbours(images: Shaped[Array, "c h w b"]) -> Shaped[Array, "nine_c h_w_b"]:
    """The nine shifted copies of images, stacked as rows; zeros come in at the edges."""
    channels, height, width, _ = images.shape
    padded = jnp.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    copies = [padded[:, i : i + height, j : j + width] for i in range(3) for j in range(3)]
    return jnp.reshape(jnp.concatenate(copies), (9 * channels, -1))


@jax.custom_vjp
def product(kernel: Any, columns: Any) -> Any:
    """``kernel @ columns``, the kernel's gradient computed transposed: its long side first."""
    return kernel @ columns


def _product_forward(kernel: Any, columns: Any) -> Any:
    return kernel @ columns, (kernel, columns)


def _product_backward(saved: Any, cotangent: Any) -> Any:
    kernel, columns = saved
    # The barrier keeps XLA from turning the product around again, to half its speed.
    return jax.lax.optimization_barrier(columns @ cotangent.T).T, kernel.T @ cotangent


product.defvjp(_product_forward, _product_backward)
