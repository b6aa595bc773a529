"""Unlearners that redraw, turn or train some layers, against arithmetic by hand."""

from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from indist import oracles
from oracles.unlearners import ConvolutionTranspose, FineTune, MaskedSmallGradients
from oracles.unlearners._layers import kernel_paths, layers
from tests.oracles.by_hand import (
    CLASSES,
    DEEP,
    KEY,
    LOGISTIC,
    R,
    S,
    assert_close,
    compiled,
    fresh_params,
    loss_gradient,
    mixture,
    momentum_descent,
    run_rule,
    to_host,
    unoptimised,
)
from tests.oracles.user_modules import CONVOLUTIONS, IMAGES, TOKEN_READER, TOKENS


def test_cf_k_trains_the_last_layers_alone() -> None:
    """The first layer as it was, bit for bit; the last is logistic regression on its outputs."""
    start = to_host(fresh_params(DEEP))
    made = run_rule(oracles.unlearners.FineTuneLast(learning_rate=0.1, epochs=3, last=1), DEEP)
    hidden = np.asarray(R[0], dtype=np.float64)
    for n in "01":
        hidden = np.maximum(hidden @ start[f"kernel_{n}"].T + start[f"bias_{n}"], 0)
    last = {"kernel_0": start["kernel_2"], "bias_0": start["bias_2"]}
    twin = momentum_descent(last, 3 * [lambda p: loss_gradient(p, (hidden, R[1]))], 0.1)
    assert_close({n: made[n.replace("0", "2")] for n in twin}, twin)
    for n in ("kernel_0", "bias_0", "kernel_1", "bias_1"):
        assert np.array_equal(made[n], fresh_params(DEEP)[n])


def test_eu_k_forgets_the_last_layers() -> None:
    """Other last layers in θ0 change no bit of the result; another first layer does."""
    rule = oracles.unlearners.RetrainLast(last=2)
    start = fresh_params(DEEP)
    made = run_rule(rule, DEEP)
    late = {n: v if n.endswith("_0") else v + 1 for n, v in start.items()}
    early = {n: v + 1 if n.endswith("_0") else v for n, v in start.items()}
    same, other = run_rule(rule, DEEP, start=late), run_rule(rule, DEEP, start=early)
    for n in start:
        assert np.array_equal(made[n], same[n])
        assert n.startswith("bias_1") or not np.array_equal(made[n], other[n])
    for n in ("kernel_0", "bias_0"):
        assert np.array_equal(made[n], start[n])


def test_eu_k_with_every_layer_is_exact_retraining() -> None:
    every = run_rule(oracles.unlearners.RetrainLast(last=3), DEEP)
    assert_close(every, to_host(run_rule(oracles.unlearners.Retrain(), DEEP)))


class _Nested(nn.Module):
    """A user's module: submodules, one named to sort before its predecessor."""

    @nn.compact
    def __call__(self, inputs: Any) -> Any:
        hidden = nn.LayerNorm(name="z_norm")(nn.Dense(5)(inputs))
        scaled = hidden * self.param("log_scale", nn.initializers.ones, (5,))
        return nn.Dense(CLASSES, name="answer")(nn.relu(scaled))


def test_layers_stand_in_the_order_of_the_forward_pass() -> None:
    nested = replace(LOGISTIC, module=_Nested())
    assert list(layers(nested, S[0])) == ["Dense_0/", "z_norm/", "scale", "answer/"]
    wide = replace(LOGISTIC, module=oracles.MLP((2,) * 11 + (CLASSES,)))
    assert list(layers(wide, S[0])) == [str(n) for n in range(12)]
    words = replace(LOGISTIC, module=oracles.Transformer(7, width=4, blocks=1))
    names = list(layers(words, jnp.zeros((1, 3), dtype=jnp.int32)))
    assert names[0] == ""
    assert names[-2:] == ["last", "logits"]


def test_cf_k_on_a_nested_tree() -> None:
    nested = replace(LOGISTIC, module=_Nested())
    start = nested.init(jax.random.key(1), S[0])
    made = run_rule(oracles.unlearners.FineTuneLast(last=1), nested, start=start)
    same = jax.tree.map(lambda a, b: bool(np.array_equal(a, b)), made, start)
    assert not any(same["answer"].values())
    same.pop("answer")
    assert all(jax.tree.leaves(same))


def test_more_layers_than_there_are() -> None:
    with pytest.raises(ValueError, match="last: expected 1 to 3, the layers there are, found 4"):
        oracles.unlearners.RetrainLast(last=4)(DEEP, fresh_params(DEEP), S, R, KEY)


STILL = 1e-9


def test_msg_redraws_where_gradients_agree() -> None:
    """R as large as S, so that the random part of it is all of it."""
    r = R[0][:5], R[1][:5]
    rule = MaskedSmallGradients(learning_rate=0.1, epochs=3, redrawn=0.4, slowing=0.2)
    start = to_host(fresh_params())
    difference = mixture((1, loss_gradient(start, r)), (-1, loss_gradient(start, S)))["kernel_0"]
    limit = np.sort(np.abs(difference), axis=None)[round(0.4 * difference.size) - 1]
    again = np.abs(difference) <= limit
    fresh = to_host(LOGISTIC.init(jax.random.split(KEY, 3)[0], r[0]))["kernel_0"]
    begun = {**start, "kernel_0": np.where(again, fresh, start["kernel_0"])}

    def gradient(p: Any) -> Any:
        full = loss_gradient(p, r)
        return {**full, "kernel_0": full["kernel_0"] * np.where(again, 1.0, 0.2)}

    made = compiled(rule, LOGISTIC)(fresh_params(), S, r, KEY)
    assert_close(made, momentum_descent(begun, 3 * [gradient], 0.1))


def test_msg_compares_s_with_as_many_of_r() -> None:
    """R of S and one more: parts differ from key to key, and with them what is drawn anew."""
    r = tuple(jnp.concatenate([a, b[:1]]) for a, b in zip(S, R, strict=True))
    rule = partial(MaskedSmallGradients(learning_rate=STILL, epochs=1, redrawn=0.25), LOGISTIC)
    keys = jax.random.split(jax.random.key(8), 40)
    made = unoptimised(jax.vmap(rule, in_axes=(None, None, None, 0)))(fresh_params(), S, r, keys)
    masks = np.abs(to_host(made)["kernel_0"] - to_host(fresh_params())["kernel_0"]) > 1e-6
    assert (masks.sum(axis=(1, 2)) == 3).all()
    assert len(np.unique(masks, axis=0)) > 1


@lru_cache
def _begun(learner: oracles.Learner) -> Any:
    """θ0 of a learner of images."""
    return unoptimised(learner.init)(jax.random.key(7), IMAGES[0][0])


def test_msg_redraws_the_convolutions_of_a_convnet_alone() -> None:
    start = _begun(CONVOLUTIONS)
    rule = MaskedSmallGradients(learning_rate=STILL, epochs=1, redrawn=0.3)
    made = to_host(compiled(rule, CONVOLUTIONS)(start, *IMAGES, KEY))
    for n, leaf in to_host(start).items():
        moved = int((np.abs(made[n] - leaf) > 1e-6).sum())
        assert moved == (round(0.3 * leaf.size) if n in ("kernel_0", "kernel_1") else 0)


class _Flax(nn.Module):
    """A user's module: a convolution, then a square layer and a last one."""

    window: tuple[int, int] = (3, 3)

    @nn.compact
    def __call__(self, inputs: Any) -> Any:
        hidden = nn.relu(nn.Conv(5, self.window)(inputs[..., None]))
        return nn.Dense(CLASSES)(nn.Dense(5)(hidden.mean(axis=(1, 2))))


class _Bare(nn.Module):
    @nn.compact
    def __call__(self, inputs: Any) -> Any:
        return inputs[:, :CLASSES] * self.param("scale", nn.initializers.ones, (CLASSES,))


def test_kernels_are_those_of_convolutions_if_there_are_any() -> None:
    flax = replace(LOGISTIC, module=_Flax())
    assert kernel_paths(flax, jax.eval_shape(flax.init, KEY, IMAGES[0][0])) == ["Conv_0/kernel"]
    assert kernel_paths(DEEP, fresh_params(DEEP)) == ["kernel_0", "kernel_1", "kernel_2"]
    names = kernel_paths(TOKEN_READER, jax.eval_shape(TOKEN_READER.init, KEY, TOKENS[0][0]))
    assert sorted(n.partition("/kernel_")[2] for n in names) == [
        "0_down",
        "0_out",
        "0_qkv",
        "0_up",
        "logits",
    ]


@pytest.mark.parametrize("rule", [MaskedSmallGradients(), ConvolutionTranspose()])
def test_a_module_without_kernels_is_refused(rule: Any) -> None:
    bare = replace(LOGISTIC, module=_Bare())
    with pytest.raises(ValueError, match="module: expected one with kernels, found .* scale"):
        rule(bare, bare.init(KEY, S[0]), S, R, KEY)


def _turned(learner: oracles.Learner, start: Any, sets: Any) -> Any:
    return compiled(ConvolutionTranspose(learning_rate=STILL, epochs=1), learner)(start, *sets, KEY)


def test_ct_turns_the_kernels_of_a_convnet() -> None:
    start = _begun(CONVOLUTIONS)
    made, start = to_host(_turned(CONVOLUTIONS, start, IMAGES)), to_host(start)
    for name, into in (("kernel_0", 1), ("kernel_1", 3)):
        twin = np.empty(start[name].shape)
        for i in range(3):
            for j in range(3):
                for c in range(into):
                    twin[:, (3 * j + i) * into + c] = start[name][:, (3 * i + j) * into + c]
        assert not np.allclose(twin, start[name])
        np.testing.assert_allclose(made[name], twin, rtol=0, atol=1e-6)
    for name in set(start) - {"kernel_0", "kernel_1"}:
        np.testing.assert_allclose(made[name], start[name], rtol=0, atol=1e-6)


def test_ct_of_turned_images_is_the_original() -> None:
    """A last layer that is alike everywhere: turned kernels say of xᵀ what θ0 says of x."""
    start = dict(_begun(CONVOLUTIONS))
    start["kernel_dense"] = jnp.repeat(start["kernel_dense"][:, :4], 20, axis=1)
    images = IMAGES[1][0]
    made = _turned(CONVOLUTIONS, start, IMAGES)
    logits = unoptimised(CONVOLUTIONS.logits)
    said, wanted = logits(made, np.swapaxes(images, 1, 2)), logits(start, images)
    np.testing.assert_allclose(said, wanted, rtol=0, atol=1e-5)
    assert not np.allclose(logits(made, images), wanted, atol=1e-2)


def test_ct_of_turned_images_is_the_original_residual_network() -> None:
    """Its last layer reads means over pixels; a projection, 1x1, has nothing to turn."""
    residual = replace(LOGISTIC, module=oracles.ResNet(CLASSES, (1, 1), 2, 2))
    names = ["0_0_in", "0_0_out", "1_0_beside", "1_0_in", "1_0_out", "first"]
    start = _begun(residual)
    assert kernel_paths(residual, start) == [f"kernel_{name}" for name in names]
    images = IMAGES[1][0]
    made = _turned(residual, start, IMAGES)
    logits = unoptimised(residual.logits)
    said, wanted = logits(made, np.swapaxes(images, 1, 2)), logits(start, images)
    np.testing.assert_allclose(said, wanted, rtol=0, atol=1e-5)
    assert not np.allclose(logits(made, images), wanted, atol=1e-2)


def test_ct_turns_a_flax_convolution_and_no_dense_layer() -> None:
    flax = replace(LOGISTIC, module=_Flax())
    start = _begun(flax)
    made = _turned(flax, start, IMAGES)
    kernel = np.swapaxes(start["Conv_0"]["kernel"], 0, 1)
    np.testing.assert_allclose(made["Conv_0"]["kernel"], kernel, rtol=0, atol=1e-6)
    for name in ("Dense_0", "Dense_1"):
        np.testing.assert_allclose(made[name]["kernel"], start[name]["kernel"], rtol=0, atol=1e-6)
    narrow = replace(LOGISTIC, module=_Flax((3, 1)))
    with pytest.raises(ValueError, match="Conv_0/kernel: expected a square convolution, found"):
        ConvolutionTranspose()(narrow, _begun(narrow), *IMAGES, KEY)


def test_ct_of_square_layers_and_of_none() -> None:
    """Fine-tuning from where the square layers stand turned; without any, fine-tuning."""
    square = replace(LOGISTIC, module=oracles.MLP((6, 6, CLASSES)))
    same: dict[str, Any] = {"learning_rate": 0.1, "epochs": 2, "batch": 5}
    rule, plain = ConvolutionTranspose(**same), FineTune(**same)
    for learner, turned in ((square, ["kernel_1"]), (DEEP, [])):
        start = fresh_params(learner)
        begun = {n: v.T if n in turned else v for n, v in start.items()}
        assert_close(run_rule(rule, learner), to_host(run_rule(plain, learner, start=begun)))
