"""The fast layouts of the built-in modules against plain flax.linen, and any module beside them."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from indist import oracles
from oracles._deferred import build
from oracles.modules import MLP, ConvNet, Transformer
from tests.oracles.by_hand import plan_and_key

WIDTH, HEADS, TOKENS = 8, 2, 11


class PlainMLP(nn.Module):
    """`MLP((6, 4))` as one would write it."""

    @nn.compact
    def __call__(self, inputs: Any) -> Any:
        hidden = nn.relu(nn.Dense(6, name="first")(inputs.reshape(len(inputs), -1)))
        return nn.Dense(4, name="second")(hidden)


class PlainConvNet(nn.Module):
    """`ConvNet(3, (4, 5))` on images with a colour axis, as one would write it."""

    @nn.compact
    def __call__(self, inputs: Any) -> Any:
        hidden = nn.relu(nn.Conv(4, (3, 3), name="first")(inputs))
        hidden = nn.relu(nn.Conv(5, (3, 3), name="second")(hidden))
        return nn.Dense(3, name="dense")(hidden.reshape(len(inputs), -1))


class WidePlain(nn.Module):
    """`ConvNet(3, (16, 8, 9))` as one would write it."""

    @nn.compact
    def __call__(self, inputs: Any) -> Any:
        for layer, channels in enumerate((16, 8, 9)):
            inputs = nn.relu(nn.Conv(channels, (3, 3), name=f"conv_{layer}")(inputs))
        return nn.Dense(3, name="dense")(inputs.reshape(len(inputs), -1))


class PlainTransformer(nn.Module):
    """`Transformer(11, 8, 2, 2)` as one would write it."""

    @nn.compact
    def __call__(self, tokens: Any) -> Any:
        length = tokens.shape[1]
        place = self.param("position", nn.initializers.zeros, (length, WIDTH))
        hidden = nn.Embed(TOKENS, WIDTH, name="token")(tokens) + place
        for block in range(2):
            normed = nn.LayerNorm(name=f"norm_attention_{block}")(hidden)
            hidden += nn.MultiHeadDotProductAttention(HEADS, name=f"attention_{block}")(
                normed, normed, mask=nn.make_causal_mask(jnp.ones(tokens.shape))
            )
            normed = nn.LayerNorm(name=f"norm_mlp_{block}")(hidden)
            wide = nn.relu(nn.Dense(4 * WIDTH, name=f"up_{block}")(normed))
            hidden += nn.Dense(WIDTH, name=f"down_{block}")(wide)
        last = nn.LayerNorm(name="norm_last")(hidden)[:, -1]
        return nn.Dense(TOKENS, name="logits")(last)


def _dense(ours: Any, name: str) -> dict[str, Any]:
    return {"kernel": ours[f"kernel_{name}"].T, "bias": ours[f"bias_{name}"]}


def _mlp(ours: Any) -> dict[str, Any]:
    return {"first": _dense(ours, "0"), "second": _dense(ours, "1")}


def _convolution(ours: Any, layer: int, colours: int) -> dict[str, Any]:
    kernel = ours[f"kernel_{layer}"]
    square = jnp.reshape(kernel, (len(kernel), 3, 3, colours))
    return {"kernel": square.transpose(1, 2, 3, 0), "bias": ours[f"bias_{layer}"]}


def _convnet(ours: Any) -> dict[str, Any]:
    dense = _dense(ours, "dense")
    dense["kernel"] = dense["kernel"].reshape(5, 6, 7, 3).transpose(1, 2, 0, 3).reshape(-1, 3)
    return {
        "first": _convolution(ours, 0, 2),
        "second": _convolution(ours, 1, 4),
        "dense": dense,
    }


def _transformer(ours: Any) -> dict[str, Any]:
    def norm(name: str) -> dict[str, Any]:
        return {"scale": ours[f"scale_{name}"], "bias": ours[f"shift_{name}"]}

    plain: dict[str, Any] = {
        "position": ours["position"].T,
        "token": {"embedding": ours["token"].T},
        "norm_last": norm("last"),
        "logits": _dense(ours, "logits"),
    }
    for block in range(2):
        kernels = ours[f"kernel_{block}_qkv"].reshape(3, HEADS, -1, WIDTH).transpose(0, 3, 1, 2)
        biases = ours[f"bias_{block}_qkv"].reshape(3, HEADS, -1)
        attention = {
            name: {"kernel": kernels[i], "bias": biases[i]}
            for i, name in enumerate(("query", "key", "value"))
        }
        out = _dense(ours, f"{block}_out")
        attention["out"] = out | {"kernel": out["kernel"].reshape(HEADS, -1, WIDTH)}
        plain |= {
            f"norm_attention_{block}": norm(f"{block}_attention"),
            f"attention_{block}": attention,
            f"norm_mlp_{block}": norm(f"{block}_mlp"),
            f"up_{block}": _dense(ours, f"{block}_up"),
            f"down_{block}": _dense(ours, f"{block}_down"),
        }
    return plain


Case = tuple[nn.Module, nn.Module, Callable[[Any], Any], np.ndarray]


def _cases() -> dict[str, Case]:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(9, 2, 5)).astype(np.float32)
    images = rng.normal(size=(9, 6, 7, 2)).astype(np.float32)
    tokens = rng.integers(0, TOKENS, (9, 5), dtype=np.int32)
    return {
        "mlp": (MLP((6, 4)), PlainMLP(), _mlp, points),
        "convnet": (ConvNet(3, (4, 5)), PlainConvNet(), _convnet, images),
        "transformer": (
            Transformer(TOKENS, WIDTH, HEADS, 2),
            PlainTransformer(),
            _transformer,
            tokens,
        ),
    }


def _wide_mapped(ours: Any, height: int, width: int) -> Any:
    dense = _dense(ours, "dense")
    kernel = dense["kernel"].reshape(9, height, width, 3).transpose(1, 2, 0, 3)
    layers = {f"conv_{k}": _convolution(ours, k, into) for k, into in enumerate((1, 16, 8))}
    return layers | {"dense": dense | {"kernel": kernel.reshape(-1, 3)}}


@pytest.mark.parametrize(("height", "width", "batch"), [(8, 12, 5), (7, 9, 5), (24, 22, 133)])
def test_tiles_and_pieces_equal_a_plain_convolution(height: int, width: int, batch: int) -> None:
    """Wide layers go by tiles, sides need be no multiples of four, large batches go in pieces.

    Logits and gradients against flax.linen's, both in float32: the tiles' rounding, about 3e-6 of
    the largest entry a layer, stays under 1e-5.
    """
    module, plain = ConvNet(3, (16, 8, 9)), WidePlain()
    images = np.random.default_rng(0).normal(size=(batch, height, width)).astype(np.float32)
    params = jax.jit(module.init)(jax.random.key(0), images[:1])["params"]

    @partial(jax.jit, static_argnums=0)
    def both(logits: Any, params: Any) -> Any:
        return logits(params), jax.grad(lambda p: jnp.sin(logits(p)).mean())(params)

    def plainly(params: Any) -> Any:
        return plain.apply({"params": _wide_mapped(params, height, width)}, images[..., None])

    logits, found = both(lambda p: module.apply({"params": p}, images), params)
    plain_logits, expected = both(plainly, params)
    _close(logits, plain_logits)
    for leaf, slope in found.items():
        _close(slope, expected[leaf])


def test_tiles_under_vmap_and_twice_differentiated() -> None:
    """Models side by side; gradients of the gradient's square, against flax.linen's to 1e-4.

    A gradient of gradients passes each layer four times, hence the wider limit.
    """
    module, plain = ConvNet(3, (16, 8, 9)), WidePlain()
    images = np.random.default_rng(1).normal(size=(5, 6, 8)).astype(np.float32)
    keys = jax.random.split(jax.random.key(2), 2)
    params = jax.jit(jax.vmap(lambda key: module.init(key, images[:1])["params"]))(keys)

    def bent(logits: Any) -> Any:
        def square(params: Any) -> Any:
            slopes = jax.grad(lambda p: jax.nn.logsumexp(logits(p)))(params)
            return sum(jnp.square(leaf).sum() for leaf in jax.tree.leaves(slopes))

        return jax.jit(jax.vmap(jax.grad(square)))(params)

    found = bent(lambda p: module.apply({"params": p}, images))
    expected = bent(lambda p: plain.apply({"params": _wide_mapped(p, 6, 8)}, images[..., None]))
    largest = max(float(jnp.abs(leaf).max()) for leaf in expected.values())
    for leaf in found:
        np.testing.assert_allclose(found[leaf], expected[leaf], rtol=0, atol=1e-4 * largest)


def _close(found: Any, expected: Any) -> None:
    """Equal to 1e-5 of the largest entry."""
    scale = float(jnp.abs(expected).max())
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * scale)


@pytest.mark.parametrize("name", _cases())
def test_fast_layout_equals_the_plain_module(name: str) -> None:
    """Logits, and gradients carried over to our layout by the map of parameters."""
    fast, plain, mapped, inputs = _cases()[name]
    params = jax.jit(fast.init)(jax.random.key(0), inputs[:1])["params"]
    noise = np.random.default_rng(1)
    params = jax.tree.map(
        lambda leaf: leaf + 0.3 * noise.normal(size=leaf.shape).astype(np.float32), params
    )

    pull = np.random.default_rng(2).normal(size=(len(inputs), 1)).astype(np.float32)

    @partial(jax.jit, static_argnums=0)
    def both(logits: Any, params: Any) -> Any:
        return logits(params), jax.grad(lambda p: (pull * jnp.sin(logits(p))).sum())(params)

    logits, found = both(lambda p: fast.apply({"params": p}, inputs), params)
    plain_logits, expected = both(lambda p: plain.apply({"params": mapped(p)}, inputs), params)
    _close(logits, plain_logits)
    assert set(found) == set(expected)
    largest = max(float(jnp.abs(leaf).max()) for leaf in expected.values())
    for leaf in found:
        np.testing.assert_allclose(found[leaf], expected[leaf], rtol=0, atol=1e-5 * largest)


@pytest.mark.parametrize("name", ["mlp", "convnet"])
def test_initial_scale_is_that_of_the_plain_module(name: str) -> None:
    """Kernels have variance 1 / fan-in: the mean of 4,000 or more squares, within 6 sigma."""
    modules = {"mlp": (MLP((100, 3)), (1, 50)), "convnet": (ConvNet(3, (64, 8)), (1, 4, 4, 8))}
    module, shape = modules[name]
    kernel = module.init(jax.random.key(0), jnp.zeros(shape))["params"]["kernel_0"]
    mean = float(jnp.square(kernel).mean()) * kernel.shape[1]
    assert abs(mean - 1) < 6 * (2 / kernel.size) ** 0.5


def test_images_without_colours_and_gradients_of_gradients() -> None:
    """A grey image needs no colour axis; Hessian-vector products go through, in reverse twice."""
    module, images = ConvNet(3, (4,)), np.ones((5, 6, 6), dtype=np.float32)
    params = jax.jit(module.init)(jax.random.key(0), images)["params"]
    same = module.apply({"params": params}, images[..., None])
    assert np.array_equal(module.apply({"params": params}, images), same)

    def loss(params: Any) -> Any:
        return jax.nn.logsumexp(module.apply({"params": params}, images))

    @jax.jit
    def slope(params: Any) -> Any:
        return sum(jnp.square(leaf).sum() for leaf in jax.tree.leaves(jax.grad(loss)(params)))

    found = jax.jit(jax.grad(slope))(params)
    direction = jax.tree.map(jnp.ones_like, params)
    ahead, behind = (
        slope(jax.tree.map(lambda p, d, s=s: p + s * 1e-2 * d, params, direction)) for s in (1, -1)
    )
    expected = (ahead - behind) / 2e-2
    along = sum(leaf.sum() for leaf in jax.tree.leaves(found))
    np.testing.assert_allclose(along, expected, rtol=2e-2)


def test_order_matters_and_the_batch_does_not() -> None:
    """Swapping two earlier tokens is seen; logits do not depend on the rest of the batch."""
    module = Transformer(TOKENS, WIDTH, HEADS, 1)
    tokens = np.array([[1, 2, 3, 4], [2, 1, 3, 4]], dtype=np.int32)
    logits, params = jax.jit(module.init_with_output)(jax.random.key(0), tokens)
    assert float(jnp.abs(logits[0] - logits[1]).max()) > 1e-4
    _close(jax.jit(module.apply)(params, tokens[:1]), logits[:1])


class Plain(nn.Module):
    """A user's own module."""

    @nn.compact
    def __call__(self, inputs: Any) -> Any:
        return nn.Dense(2)(nn.tanh(nn.Dense(8)(inputs)))


def test_any_module_and_any_optimiser_train(circles: oracles.Scenario) -> None:
    """A plain flax module and an optax chain go the vectorised way and equal a plain loop."""
    recipe = partial(
        optax.chain, partial(optax.clip_by_global_norm, 1.0), partial(optax.adam, 0.01)
    )
    learner = oracles.Learner(Plain(), recipe, steps=20, batch=16)
    scenario = replace(circles, learner=learner)
    made = oracles.train(scenario, "nothing", stream="s", models=3, seed=0).parameters()

    data, optimiser = scenario.train, build(recipe)
    plan, key = plan_and_key(learner, "s", 2, np.ones(len(data), dtype=bool))
    params: Any = learner.init(key, data.inputs)
    state = optimiser.init(params)

    @jax.jit
    def step(params: Any, state: Any, inputs: Any, labels: Any) -> Any:
        gradient = jax.grad(learner.loss)(params, inputs, labels)
        updates, state = optimiser.update(gradient, state, params)
        return optax.apply_updates(params, updates), state

    for index in plan:
        params, state = step(params, state, data.inputs[index], data.labels[index])
    for layer in params:
        for name in params[layer]:
            np.testing.assert_allclose(made[layer][name][2], params[layer][name], rtol=0, atol=2e-5)


@pytest.mark.parametrize("module", [ConvNet(10, (4, 4)), MLP((10,))])
def test_built_in_modules_train_in_a_population(module: nn.Module) -> None:
    """On the digits as images, better than guessing after 60 steps (chance 0.1)."""
    scenario = oracles.scenarios.load("digits-class", seed=0)
    train = replace(scenario.train, inputs=scenario.train.inputs.reshape(-1, 8, 8))
    probes = replace(scenario.probes, inputs=scenario.probes.inputs.reshape(-1, 8, 8))
    learner = oracles.Learner(module, partial(optax.sgd, 0.1, momentum=0.9), steps=60, batch=64)
    scenario = replace(scenario, train=train, probes=probes, learner=learner)
    logits = oracles.train(scenario, "nothing", stream="s", models=2, seed=0).observe(probes).logits
    right = logits.argmax(axis=-1) == probes.labels
    assert right.mean() > 0.7


def test_a_transformer_learns_the_token_two_back() -> None:
    """Only attention can tell: random tokens, the label is the second to last."""
    tokens = jnp.asarray(np.random.default_rng(0).integers(0, 4, (512, 5), dtype=np.int32))
    learner = oracles.Learner(
        Transformer(4, 16, 2, 1), partial(optax.adam, 0.01), steps=150, batch=64
    )
    plan = np.arange(150 * 64, dtype=np.int32).reshape(150, 64) % 512

    @jax.jit
    def said(key: Any) -> Any:
        params = learner.fit(learner.init(key, tokens), tokens, tokens[:, -2], plan)
        return learner.logits(params, tokens)

    found = np.asarray(said(jax.random.key(0))).argmax(axis=-1)
    assert (found == tokens[:, -2]).mean() > 0.95
