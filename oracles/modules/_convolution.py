"""Convolutions of images as products of matrices, laid out for a loop on a CPU.

Inside, images are tiles ``[t, t, channels, rows, columns, batch]``: pixel (t·row + i, t·column + j)
stands at ``[i, j, :, row, column]``, and images whose sides are no multiples of t end in zeros. On
a CPU t is 4, elsewhere 1.

A convolution of few channels is one product of the kernel with the nine shifted copies of the
image. One of many channels goes by Winograd's algorithm F(4x4, 3x3): see `_by_tiles`.
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Shaped

from oracles._learner import AnyArray
from oracles.modules._layers import weights

# Activations of one layer in a piece of a batch, about what the core's caches hold.
_PIECE = 2**19
# Channels in and out from which tiles pay.
_WIDE = 8
# Winograd's algorithm at the points 0, 1, -1, 2, -2 and infinity: the convolution of four outputs
# in a row with three taps g, from six inputs x, is OUT @ ((TAPS @ g) * (IN @ x)).
_IN = np.array(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ],
    dtype=np.float32,
)
_TAPS = np.array(
    [[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]], dtype=np.float32
) / np.float32(24)
_OUT = np.array(
    [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]],
    dtype=np.float32,
)


class ConvNet(nn.Module):
    """Convolutions of 3x3 with ReLU, same padding and stride 1, then one dense layer.

    Convolutions are products of matrices, as XLA's own are slow in a loop on CPUs, and a large
    batch goes through in pieces that stay in the core's cache. Rounding differs from that of a
    plain convolution: on a CPU, outputs of wide layers are off by some 3e-6 of the largest.
    Gradients are reverse-mode only (no ``jax.jvp``); gradients of gradients are fine.

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
        height, width = inputs.shape[1:3]
        images = jnp.reshape(inputs, (len(inputs), height, width, -1))
        depth, layers = images.shape[3], list[tuple[Any, Any]]()
        for layer, channels in enumerate(self.channels):
            layers.append(weights(self, str(layer), channels, 9 * depth))
            depth = channels
        kernel, bias = weights(self, "dense", self.classes, depth * height * width)
        on_cpu = jax.default_backend() == "cpu"
        tile = 4 if on_cpu else 1
        # The dense layer reads tiles: its columns stand as their pixels do, zeros where none is.
        by_pixel = jnp.moveaxis(jnp.reshape(kernel, (-1, depth, height, width)), 1, 3)
        dense = jnp.reshape(_tiles(by_pixel, tile), (-1, self.classes)).T

        def logits(piece: Any) -> Any:
            hidden = _tiles(piece, tile)
            for layer in layers:
                hidden = _cleared(nn.relu(_convolution(*layer, hidden)), height, width)
            return (product(dense, jnp.reshape(hidden, (-1, len(piece)))) + bias[:, None]).T

        widest = max(images.shape[3], *self.channels) * height * width
        return _in_pieces(logits, images, _PIECE // widest if on_cpu else len(images))


def windows(
    images: Shaped[Array, "c h w b"], size: int = 3, stride: int = 1
) -> Shaped[Array, "window_c h_w_b"]:
    """What each entry of a kernel reads, stacked as rows: shifted copies, some pixels apart.

    Zeros come in at the edges.
    """
    _, height, width, _ = images.shape
    edge = (size // 2, size // 2)
    padded = jnp.pad(images, ((0, 0), edge, edge, (0, 0)))
    copies = [
        padded[:, i : i + height : stride, j : j + width : stride]
        for i in range(size)
        for j in range(size)
    ]
    return jnp.reshape(jnp.concatenate(copies), (size * size * len(images), -1))


def _tiles(images: Any, tile: int) -> Any:
    """Tiles ``[t, t, c, rows, columns, b]`` of images ``[b, h, w, c]``."""
    batch, height, width, channels = images.shape
    images = jnp.pad(images, ((0, 0), (0, -height % tile), (0, -width % tile), (0, 0)))
    split = jnp.reshape(
        images, (batch, -(-height // tile), tile, -(-width // tile), tile, channels)
    )
    return jnp.transpose(split, (2, 4, 5, 1, 3, 0))


def _cleared(tiles: Any, height: int, width: int) -> Any:
    """Tiles with zeros where images of this size have no pixel."""
    tile = len(tiles)
    if height % tile == 0 and width % tile == 0:
        return tiles
    inside = _tiles(jnp.ones((1, height, width, 1), dtype=bool), tile)
    return jnp.where(inside, tiles, 0)


def _bordered(tiles: Any) -> Any:
    """Tiles with the pixels around each, ``[t + 2, t + 2, ...]``; zeros beyond the edges."""
    for axis in (0, 1):
        last = tiles.shape[axis] - 1

        def beside(pixel: int, shift: int, axis: int = axis, tiles: Any = tiles) -> Any:
            edge = jax.lax.slice_in_dim(tiles, pixel, pixel + 1, axis=axis)
            padding = [(shift, -shift, 0) if k == axis + 3 else (0, 0, 0) for k in range(6)]
            return jax.lax.pad(edge, jnp.zeros((), edge.dtype), padding)

        tiles = jnp.concatenate([beside(last, 1), tiles, beside(0, -1)], axis=axis)
    return tiles


def _shifted(tiles: Any) -> Any:
    """The nine shifted copies of each tile pixel, ``[t * t, 9 * channels, pixels]``."""
    tile, channels, bordered = len(tiles), tiles.shape[2], _bordered(tiles)
    copies = [bordered[i : i + tile, j : j + tile] for i in range(3) for j in range(3)]
    return jnp.reshape(jnp.stack(copies, axis=2), (tile**2, 9 * channels, -1))


def _convolution(kernel: Any, bias: Any, tiles: Any) -> Any:
    """Convolution of tiles with a kernel ``[out, 9 * in]``, by the way that is faster."""
    tile, _, into, *pixels = tiles.shape
    if tile == len(_OUT) and min(into, len(kernel)) >= _WIDE:
        outputs = _by_tiles(kernel, tiles)
    else:
        outputs = _products(jnp.broadcast_to(kernel, (tile**2, *kernel.shape)), _shifted(tiles))
    outputs = jnp.reshape(outputs, (tile, tile, len(kernel), -1)) + bias[:, None]
    return jnp.reshape(outputs, (tile, tile, len(kernel), *pixels))


def _by_tiles(kernel: Any, tiles: Any) -> Any:
    """Winograd's F(4x4, 3x3): 36 products of a channel pair make 16 pixels, for 144.

    For one row, ``_OUT @ ((_TAPS @ g) * (_IN @ x))`` is the convolution of six inputs x with three
    taps g, an identity of polynomials (Lavin and Gray 2016, arXiv 1509.09308, section 4.1); rows
    and columns take their turns. It is exact but for rounding: entries up to 8 in ``_OUT`` cancel,
    so that errors are three to ten times those of a plain sum.
    """
    out, into, span = len(kernel), tiles.shape[2], len(tiles) + 2
    taps = jnp.einsum("kt,otc->koc", np.kron(_TAPS, _TAPS), jnp.reshape(kernel, (out, 9, into)))
    inputs = jnp.reshape(_mixed(jnp.asarray(_IN), _bordered(tiles)), (span**2, into, -1))
    return _mixed(jnp.asarray(_OUT), jnp.reshape(_products(taps, inputs), (span, span, out, -1)))


@jax.custom_batching.sequential_vmap
def _mix(matrix: Any, grid: Any) -> Any:
    # Models one after the other: vmap would carry their axis through transposed copies.
    first, second = grid.shape[:2]
    rows = jnp.reshape(grid, (first, second, -1))
    by_column = jnp.broadcast_to(matrix, (first, *matrix.shape)) @ rows
    by_row = matrix @ jnp.reshape(by_column, (first, -1))
    return jnp.reshape(by_row, (len(matrix), len(matrix), *grid.shape[2:]))


@jax.custom_vjp
def _mixed(matrix: Any, grid: Any) -> Any:
    """The matrix along the first axis and along the second, in the order that is fast on CPUs."""
    return _mix(matrix, grid)


def _mixed_forward(matrix: Any, grid: Any) -> Any:
    return _mixed(matrix, grid), matrix


def _mixed_backward(matrix: Any, cotangent: Any) -> Any:
    # Left to itself, JAX would turn the order around. The matrix is a constant.
    return None, _mixed(matrix.T, cotangent)


_mixed.defvjp(_mixed_forward, _mixed_backward)


@jax.custom_vjp
def _products(taps: Any, inputs: Any) -> Any:
    """``taps @ inputs`` of each of the 36; gradients without transposed copies under vmap."""
    return taps @ inputs


def _products_forward(taps: Any, inputs: Any) -> Any:
    return taps @ inputs, (taps, inputs)


def _products_backward(saved: Any, cotangent: Any) -> Any:
    taps, inputs = saved
    return cotangent @ jnp.swapaxes(inputs, 1, 2), jnp.swapaxes(taps, 1, 2) @ cotangent


_products.defvjp(_products_forward, _products_backward)


def _in_pieces(logits: Callable[[Any], Any], images: Any, size: int) -> Any:
    """Logits of a batch, computed in equal pieces of at most about ``size`` images.

    A piece has at least the 16 images that fill a vector register; the last is filled with zeros.
    """
    batch = len(images)
    count = -(-batch // max(size, 16))
    if count <= 1:
        return logits(images)
    each = -(-batch // count)
    images = jnp.pad(images, ((0, count * each - batch), (0, 0), (0, 0), (0, 0)))
    made = jax.lax.map(logits, jnp.reshape(images, (count, each, *images.shape[1:])))
    return jnp.reshape(made, (count * each, -1))[:batch]


@jax.custom_vjp
def product(kernel: Any, columns: Any) -> Any:
    """``kernel @ columns``, the kernel's gradient computed transposed: its long side first."""
    return kernel @ columns


def _product_forward(kernel: Any, columns: Any) -> Any:
    return kernel @ columns, (kernel, columns)


def _product_backward(saved: Any, cotangent: Any) -> Any:
    kernel, columns = saved
    # Barriers keep XLA from transposing what comes in, and from turning the product around again.
    cotangent = jax.lax.optimization_barrier(cotangent)
    slope = jnp.einsum("on,kn->ok", cotangent, columns)
    return slope, kernel.T @ cotangent


product.defvjp(_product_forward, _product_backward)
