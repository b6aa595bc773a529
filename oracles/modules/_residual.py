"""Residual networks of images, with group normalisation: a model is its parameters, and no more.

Batch normalisation keeps running statistics beside the parameters and lets the examples of a batch
see each other; group normalisation (Wu and He 2018, arXiv 1803.08494) does neither.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from estimators.checks import check_counts
from estimators.kinds import check_kind
from oracles._learner import AnyArray
from oracles.modules._convolution import product, windows
from oracles.modules._layers import kernel_alone, weights


class ResNet(nn.Module):
    """A residual network of the kind made for CIFAR, on images of any size.

    A 3x3 convolution, then stages of blocks, the mean over pixels, and one dense layer. A block is
    convolution, norm, ReLU, convolution, norm; its input is added, and a ReLU follows. Each stage
    after the first halves height and width, rounded up, and doubles the channels; there the input
    is projected by a 1x1 convolution and normed. With n blocks in each of three stages there are
    6n + 2 layers of weights beside the projections: He et al. 2016, arXiv 1512.03385, section 4.2,
    with projections (their option B) and groups in place of batches.

    Gradients are reverse-mode only, as those of `ConvNet`.

    Attributes:
        classes: number of classes.
        blocks: how many in each stage, each at least 1; (3, 3, 3) is ResNet-20.
        width: channels of the first stage, a multiple of ``groups``.
        groups: of channels, each normed by itself.

    Raises:
        ValueError: for counts below 1, no blocks, or a width that is no multiple of the groups.

    Example:
        >>> import jax
        >>> images = jnp.zeros((5, 8, 8))
        >>> module = ResNet(3, blocks=(1, 1), width=4, groups=2)
        >>> logits, _ = jax.jit(module.init_with_output)(jax.random.key(0), images)
        >>> logits.shape
        (5, 3)
    """

    classes: int
    blocks: Sequence[int] = (3, 3, 3)
    width: int = 16
    groups: int = 8
    cpu_block_width: ClassVar[int] = 1

    def __post_init__(self) -> None:
        _check_stages(self.blocks, self.width, self.groups)
        super().__post_init__()

    @nn.compact
    def __call__(
        self, inputs: Float[AnyArray, "batch height width *colours"]
    ) -> Float[Array, "batch classes"]:
        """Logits of a batch of images."""
        hidden = _convolved(self, "first", self.width, _feature_major(inputs))
        hidden = nn.relu(_normed(self, "first", hidden))
        for stage, count in enumerate(self.blocks):
            for block in range(count):
                stride = 2 if stage and not block else 1
                hidden = self._block(f"{stage}_{block}", self.width << stage, hidden, stride)
        return _mean_logits(self, hidden)

    def _block(self, name: str, channels: int, hidden: Any, stride: int) -> Any:
        inner = _convolved(self, f"{name}_in", channels, hidden, stride=stride)
        inner = nn.relu(_normed(self, f"{name}_in", inner))
        inner = _normed(self, f"{name}_out", _convolved(self, f"{name}_out", channels, inner))
        if hidden.shape != inner.shape:
            beside = f"{name}_beside"
            hidden = _convolved(self, beside, channels, hidden, size=1, stride=stride)
            hidden = _normed(self, beside, hidden)
        return nn.relu(hidden + inner)


class WideResNet(nn.Module):
    """A wide residual network, WRN-d-k, on images of any size.

    A 3x3 convolution to 16 channels, then three stages of (d − 4) / 6 blocks with 16k, 32k and 64k
    channels, a last norm and ReLU, the mean over pixels, and one dense layer. A block is norm,
    ReLU, convolution, norm, ReLU, convolution, and its input is added. Where the number of channels
    changes, what is added is a 1x1 convolution of the normed input; the second and third stage
    halve height and width, rounded up. Zagoruyko and Komodakis 2016, arXiv 1605.07146, without
    dropout and with groups in place of batches.

    Gradients are reverse-mode only, as those of `ConvNet`.

    Attributes:
        classes: number of classes.
        depth: d, the number of convolutions when every stage projects, 6n + 4 with n at least 1.
        factor: k, by which the stages are widened, at least 1.
        groups: of channels, each normed by itself; it divides 16.

    Raises:
        ValueError: for a depth that is not 6n + 4, a factor below 1, or groups that do not divide
            16.

    Example:
        >>> import jax
        >>> images = jnp.zeros((5, 8, 8))
        >>> logits, _ = jax.jit(WideResNet(3, depth=10).init_with_output)(jax.random.key(0), images)
        >>> logits.shape
        (5, 3)
    """

    classes: int
    depth: int = 16
    factor: int = 1
    groups: int = 8
    cpu_block_width: ClassVar[int] = 1

    def __post_init__(self) -> None:
        check_counts(depth=self.depth, factor=self.factor)
        if self.depth < 10 or self.depth % 6 != 4:
            raise ValueError(f"depth: expected 6n + 4, as 10, 16 or 28, found {self.depth}")
        _check_stages((1,), 16, self.groups)
        super().__post_init__()

    @nn.compact
    def __call__(
        self, inputs: Float[AnyArray, "batch height width *colours"]
    ) -> Float[Array, "batch classes"]:
        """Logits of a batch of images."""
        hidden = _convolved(self, "first", 16, _feature_major(inputs))
        for stage in range(3):
            for block in range((self.depth - 4) // 6):
                stride = 2 if stage and not block else 1
                channels = (16 << stage) * self.factor
                hidden = self._block(f"{stage}_{block}", channels, hidden, stride)
        return _mean_logits(self, nn.relu(_normed(self, "last", hidden)))

    def _block(self, name: str, channels: int, hidden: Any, stride: int) -> Any:
        normed = nn.relu(_normed(self, f"{name}_in", hidden))
        inner = _convolved(self, f"{name}_in", channels, normed, stride=stride)
        inner = nn.relu(_normed(self, f"{name}_out", inner))
        inner = _convolved(self, f"{name}_out", channels, inner)
        if hidden.shape != inner.shape:
            hidden = _convolved(self, f"{name}_beside", channels, normed, size=1, stride=stride)
        return hidden + inner


def _check_stages(blocks: Sequence[int], width: int, groups: int) -> None:
    check_kind(blocks, "blocks", (list, tuple), "a count for each stage")
    if not blocks:
        raise ValueError("blocks: expected a count for each stage, found none")
    for count in blocks:
        check_counts(blocks=count)
    check_counts(width=width, groups=groups)
    if width % groups:
        raise ValueError(f"groups: expected a divisor of {width} channels, found {groups}")


def _feature_major(inputs: Float[AnyArray, "batch height width *colours"]) -> Any:
    """Images as ``[colours, height, width, batch]``; grey ones have one colour."""
    return jnp.transpose(jnp.reshape(inputs, (*inputs.shape[:3], -1)), (3, 1, 2, 0))


def _convolved(
    module: nn.Module, name: str, channels: int, images: Any, size: int = 3, stride: int = 1
) -> Any:
    """A convolution without bias, as what follows it is normed; half its size is padded."""
    kernel = kernel_alone(module, name, channels, size * size * images.shape[0])
    height, width = (-(-pixels // stride) for pixels in images.shape[1:3])
    columns = windows(images, size, stride)
    return jnp.reshape(product(kernel, columns), (channels, height, width, -1))


def _normed(module: Any, name: str, images: Any) -> Any:
    """Group normalisation, with flax.linen's 1e-6 under the root."""
    channels = images.shape[0]
    scale = module.param(f"scale_{name}", nn.initializers.ones, (channels,))
    shift = module.param(f"shift_{name}", nn.initializers.zeros, (channels,))
    grouped = jnp.reshape(images, (module.groups, -1, *images.shape[1:]))
    centred = grouped - grouped.mean(axis=(1, 2, 3), keepdims=True)
    variance = jnp.square(centred).mean(axis=(1, 2, 3), keepdims=True)
    unit = jnp.reshape(centred * jax.lax.rsqrt(variance + 1e-6), images.shape)
    return unit * scale[:, None, None, None] + shift[:, None, None, None]


def _mean_logits(module: Any, images: Any) -> Any:
    """One dense layer on the mean over pixels."""
    kernel, bias = weights(module, "dense", module.classes, images.shape[0])
    return (kernel @ images.mean(axis=(1, 2)) + bias[:, None]).T
