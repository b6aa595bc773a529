"""Residual networks against plain flax.linen, their initial law, and the sizes that papers give."""

from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from oracles import ResNet, WideResNet
from tests.oracles.by_hand import unoptimised


class Parts(nn.Module):
    """The layers of a plain twin, named as ours are."""

    groups: int

    def conv(self, name: str, channels: int, hidden: Any, size: int = 3, stride: int = 1) -> Any:
        layer = nn.Conv(
            channels,
            (size, size),
            strides=stride,
            padding=size // 2,
            use_bias=False,
            name=f"conv_{name}",
        )
        return layer(hidden)

    def norm(self, name: str, hidden: Any) -> Any:
        return nn.GroupNorm(self.groups, use_fast_variance=False, name=f"norm_{name}")(hidden)


class PlainResNet(Parts):
    """`ResNet` as one would write it."""

    blocks: Sequence[int]
    width: int

    @nn.compact
    def __call__(self, inputs: Any) -> Any:
        hidden = nn.relu(self.norm("first", self.conv("first", self.width, inputs)))
        for stage, count in enumerate(self.blocks):
            channels = self.width * 2**stage
            for block in range(count):
                name, stride = f"{stage}_{block}", 2 if stage > 0 and block == 0 else 1
                inner = self.conv(f"{name}_in", channels, hidden, stride=stride)
                inner = nn.relu(self.norm(f"{name}_in", inner))
                inner = self.norm(f"{name}_out", self.conv(f"{name}_out", channels, inner))
                if stride == 2:
                    hidden = self.conv(f"{name}_beside", channels, hidden, size=1, stride=2)
                    hidden = self.norm(f"{name}_beside", hidden)
                hidden = nn.relu(hidden + inner)
        return nn.Dense(3, name="dense")(hidden.mean(axis=(1, 2)))


class PlainWideResNet(Parts):
    """`WideResNet` of depth 10 or 16 as one would write it."""

    count: int
    factor: int

    @nn.compact
    def __call__(self, inputs: Any) -> Any:
        hidden = self.conv("first", 16, inputs)
        for stage, channels in enumerate((16, 32, 64)):
            channels = channels * self.factor
            for block in range(self.count):
                name, stride = f"{stage}_{block}", 2 if stage > 0 and block == 0 else 1
                normed = nn.relu(self.norm(f"{name}_in", hidden))
                inner = self.conv(f"{name}_in", channels, normed, stride=stride)
                inner = nn.relu(self.norm(f"{name}_out", inner))
                inner = self.conv(f"{name}_out", channels, inner)
                if hidden.shape[-1] != channels:
                    hidden = self.conv(f"{name}_beside", channels, normed, size=1, stride=stride)
                hidden = hidden + inner
        hidden = nn.relu(self.norm("last", hidden))
        return nn.Dense(3, name="dense")(hidden.mean(axis=(1, 2)))


def _mapped(ours: Any) -> dict[str, Any]:
    """Our parameters, or gradients in them, as those of the twin."""
    plain: dict[str, dict[str, Any]] = {}
    for path, leaf in ours.items():
        kind, _, name = path.partition("_")
        if name == "dense":
            plain.setdefault("dense", {})[kind] = leaf.T
        elif kind == "kernel":
            size = 1 if name.endswith("_beside") else 3
            square = jnp.reshape(leaf, (len(leaf), size, size, -1))
            plain[f"conv_{name}"] = {"kernel": square.transpose(1, 2, 3, 0)}
        else:
            norm = plain.setdefault(f"norm_{name}", {})
            norm["scale" if kind == "scale" else "bias"] = leaf
    return plain


PAIRS = {
    "resnet": (ResNet(3, (1, 2), 4, 2), PlainResNet(2, (1, 2), 4)),
    "wide-resnet": (WideResNet(3, 10, 1, 4), PlainWideResNet(4, 1, 1)),
    "wider": (WideResNet(3, 10, 2, 8), PlainWideResNet(8, 1, 2)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_fast_layout_equals_the_plain_module(name: str) -> None:
    """Logits, and gradients carried over by the map; a height that is odd in the second stage."""
    ours, plain = PAIRS[name]
    images = np.random.default_rng(0).normal(size=(5, 6, 7, 2)).astype(np.float32)
    params = unoptimised(ours.init)(jax.random.key(0), images)["params"]
    noise = np.random.default_rng(1)
    params = jax.tree.map(
        lambda leaf: leaf + 0.2 * noise.normal(size=leaf.shape).astype(np.float32), params
    )
    pull = np.random.default_rng(2).normal(size=(len(images), 1)).astype(np.float32)

    def both(logits: Any) -> Any:
        def pulled(params: Any) -> Any:
            return (pull * jnp.sin(logits(params))).sum()

        return unoptimised(lambda params: (logits(params), jax.grad(pulled)(params)))

    found_logits, gradient = both(lambda p: ours.apply({"params": p}, images))(params)
    expected_logits, expected = both(lambda p: plain.apply({"params": p}, images))(_mapped(params))
    scale = float(jnp.abs(expected_logits).max())
    np.testing.assert_allclose(found_logits, expected_logits, rtol=0, atol=1e-5 * scale)
    found = _mapped(gradient)
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    largest = max(float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(expected))
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5 * largest)


def test_initial_law_is_that_of_the_plain_module() -> None:
    """Each kernel by two-sample Kolmogorov-Smirnov at 1e-6, about ten kernels a pair: the false
    alarm is below 5e-5. All else begins at 1 or 0, in both."""
    images = jnp.zeros((1, 8, 8, 3))
    for ours, plain in (
        (ResNet(3, (1, 1), 16, 4), PlainResNet(4, (1, 1), 16)),
        (WideResNet(3, 10, 1, 4), PlainWideResNet(4, 1, 1)),
    ):
        found = _mapped(unoptimised(ours.init)(jax.random.key(0), images)["params"])
        expected = unoptimised(plain.init)(jax.random.key(1), images)["params"]
        assert jax.tree.map(jnp.shape, found) == jax.tree.map(jnp.shape, expected)
        for layer, leaves in found.items():
            for leaf, values in leaves.items():
                if leaf == "kernel":
                    pair = np.ravel(values), np.ravel(expected[layer][leaf])
                    assert stats.ks_2samp(*pair).pvalue > 1e-6, layer
                else:
                    np.testing.assert_array_equal(values, expected[layer][leaf])


@pytest.mark.parametrize(
    ("module", "layers", "millions"),
    [
        # He et al. 2016, table 6; the dense layer is a layer, and no shortcut has weights.
        (ResNet(10, (3, 3, 3)), 20, 0.27),
        (ResNet(10, (9, 9, 9)), 56, 0.85),
        (ResNet(10, (18, 18, 18)), 110, 1.7),
        # Zagoruyko and Komodakis 2016, tables 4 and 5; the layers are convolutions, 1x1 included.
        (WideResNet(10, 16, 8), 16, 11.0),
        (WideResNet(10, 28, 10), 28, 36.5),
        (WideResNet(10, 40, 4), 40, 8.9),
    ],
    ids=["20", "56", "110", "16-8", "28-10", "40-4"],
)
def test_sizes_are_those_of_the_papers(module: nn.Module, layers: int, millions: float) -> None:
    """Layers as they are counted there, and parameters to the last digit that is printed."""
    params = jax.eval_shape(module.init, jax.random.key(0), jnp.zeros((1, 32, 32, 3)))["params"]
    if isinstance(module, ResNet):
        params = {path: leaf for path, leaf in params.items() if not path.endswith("_beside")}
    kernels = [path for path in params if path.startswith("kernel")]
    assert len(kernels) - isinstance(module, WideResNet) == layers
    size = sum(leaf.size for leaf in params.values()) / 1e6
    assert abs(size - millions) <= (0.05 if millions > 1 else 0.005)


def test_examples_of_a_batch_do_not_see_each_other() -> None:
    """The logits of an image are the same alone; a grey image needs no colour axis."""
    images = np.random.default_rng(0).random((4, 8, 8)).astype(np.float32)
    module = ResNet(3, (1, 1), 4, 2)
    logits, params = unoptimised(module.init_with_output)(jax.random.key(0), images)
    apply = unoptimised(module.apply)
    np.testing.assert_allclose(apply(params, images[:1, ..., None]), logits[:1], atol=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ResNet(3, ()), "blocks: expected a count for each stage, found none"),
        (lambda: ResNet(3, (1, 0)), "blocks: expected .* found 0"),
        (lambda: ResNet(3, width=12), "groups: expected a divisor of 12 channels, found 8"),
        (lambda: WideResNet(3, 12), "depth: expected 6n [+] 4, as 10, 16 or 28, found 12"),
        (lambda: WideResNet(3, 4), "depth: expected 6n [+] 4, as 10, 16 or 28, found 4"),
        (lambda: WideResNet(3, 10, 0), "factor: expected .* found 0"),
        (lambda: WideResNet(3, 10, 1, 5), "groups: expected a divisor of 16 channels, found 5"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
