"""Amnesiac, SCRUB+R, LF-SSD, Potion, MSG and CT, each against arithmetic by hand.

As in `test_unlearner_rules`, from which the model and its gradients come: numpy, float64, plain
loops, no autodiff. Batches hold a whole set unless a test says otherwise.
"""

from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from indist import oracles
from oracles.unlearners import _amnesiac
from oracles.unlearners._amnesiac import Amnesiac
from oracles.unlearners._ct import ConvolutionTranspose
from oracles.unlearners._finetune import FineTune
from oracles.unlearners._layers import kernel_paths
from oracles.unlearners._lf_ssd import LabelFreeDampening
from oracles.unlearners._msg import MaskedSmallGradients
from oracles.unlearners._potion import Potion
from oracles.unlearners._scrub import Scrub
from oracles.unlearners._scrub_rewind import ScrubRewind, _hold_out
from tests.oracles.test_unlearner_rules import (
    CLASSES,
    DEEP,
    KEY,
    LEARNER,
    R,
    S,
    _close,
    _compiled,
    _divergence_gradient,
    _host,
    _logits,
    _loss_gradient,
    _mix,
    _points,
    _run,
    _sgd,
    _start,
)

STILL = 1e-9
"""A learning rate under which no weight moves by what a test can see."""


def _fast(function: Any) -> Any:
    """Compiled, and not optimised: it runs once."""
    return jax.jit(function, compiler_options={"xla_backend_optimization_level": 0})


def _sets() -> tuple[Any, Any]:
    return tuple(np.concatenate(pair) for pair in zip(S, R, strict=True))  # pyright: ignore


def _amnesiac_plan(monkeypatch: pytest.MonkeyPatch, rule: Amnesiac, key: Any) -> Any:
    monkeypatch.setattr(_amnesiac, "descend_relabelled", lambda *arguments: arguments[-1])
    return rule(LEARNER, _start(), S, R, key)


def test_amnesiac_follows_its_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = Amnesiac(learning_rate=0.1, epochs=3, batch=7)
    made = _run(rule)
    plan = _fast(partial(_amnesiac_plan, monkeypatch, rule))(KEY)
    inputs, _ = _sets()
    steps = [
        lambda p, i=i, y=y: _loss_gradient(p, (inputs[i], y))
        for i, y in zip(*map(np.asarray, plan), strict=True)
    ]
    _close(made, _sgd(_host(_start()), steps, 0.1))


def test_amnesiac_labels_are_wrong_uniform_and_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """20,000 draws of 2 wrong labels: 5σ of a share, a false alarm below 6e-7."""
    rule = Amnesiac(epochs=2, batch=17)
    draw = _fast(jax.vmap(lambda key: _amnesiac_plan(monkeypatch, rule, key)))
    index, labels = map(np.asarray, draw(jax.random.split(jax.random.key(4), 4000)))
    passes = np.take_along_axis(labels, index.argsort(axis=2), axis=2)
    assert np.array_equal(np.sort(index, axis=2), np.broadcast_to(np.arange(17), index.shape))
    assert np.array_equal(passes[:, 0], passes[:, 1])
    _, true = _sets()
    assert np.array_equal(passes[:, 0, 5:], np.broadcast_to(true[5:], (4000, 12)))
    shift = (passes[:, 0, :5] - true[:5]) % CLASSES
    assert set(np.unique(shift)) == {1, 2}
    assert abs((shift == 1).mean() - 0.5) < 5 * 0.5 / np.sqrt(shift.size)


_held = _fast(partial(_hold_out, classes=CLASSES))


def test_scrub_rewind_returns_the_nearest_epoch() -> None:
    """Held-out examples are taken as drawn; the descent, the errors and the choice by hand."""
    rule = ScrubRewind(learning_rate=1.0, epochs=6, max_epochs=4, forget_batch=99, temperature=2.0)
    s, r = _points(11, 8), _points(12, 30)
    part_key, _ = jax.random.split(KEY)
    held, rest, alike = map(np.asarray, _held(part_key, s[1], r[1]))
    assert alike.all()
    start = _host(_start())
    inner = r[0][rest], r[1][rest]

    def up(p: Any) -> Any:
        return _mix((-1, _divergence_gradient(p, _logits(start, s[0]), s[0], 2.0)))

    def down(p: Any) -> Any:
        kept = _divergence_gradient(p, _logits(start, inner[0]), inner[0], 2.0)
        return _mix((0.99, _loss_gradient(p, inner)), (0.001, kept))

    order = [up, down] * 4 + [down] * 2
    ends = [2, 4, 6, 8, 9, 10]
    epochs = [_sgd(start, order[:end], 1.0) for end in ends]
    wrong = _logits(epochs[-1], r[0][held]).argmax(axis=1) != r[1][held]
    by_label = [wrong[r[1][held] == y].mean() for y in s[1]]
    errors = [(_logits(p, s[0]).argmax(axis=1) != s[1]).mean() for p in epochs]
    best = int(np.argmin(np.abs(np.array(errors) - np.mean(by_label))))
    assert 0 < best < 5
    _close(_compiled(rule, LEARNER)(_start(), s, r, KEY), epochs[best])


def test_checkpoints_are_those_of_scrub() -> None:
    same: dict[str, Any] = {"learning_rate": 0.1, "batch": 5, "forget_batch": 2}
    rule = ScrubRewind(epochs=3, max_epochs=2, **same)
    _, checkpoints = _fast(partial(rule._epochs, LEARNER))(_start(), S, R, KEY)
    for epochs in (1, 3):
        plain = _run(Scrub(epochs=epochs, max_epochs=min(2, epochs), **same))
        _close({n: leaf[epochs - 1] for n, leaf in checkpoints.items()}, plain)


def test_a_label_that_is_not_retained_counts_as_an_error() -> None:
    """S holds label 2 alone and R none of it: the epoch that errs most on S is returned."""
    s = S[0], jnp.full(5, 2)
    r = R[0], R[1] % 2
    rule = ScrubRewind(learning_rate=0.3, epochs=5, max_epochs=5)
    part_key, scrub_key = jax.random.split(KEY)
    _, rest, alike = _held(part_key, s[1], r[1])
    assert not alike.any()
    walk = _fast(partial(rule._epochs, LEARNER))
    _, epochs = walk(_start(), s, (r[0][rest], r[1][rest]), scrub_key)
    errors = [
        (_logits({n: v[e] for n, v in _host(epochs).items()}, s[0]).argmax(axis=1) != 2).mean()
        for e in range(5)
    ]
    made = _host(_compiled(rule, LEARNER)(_start(), s, r, KEY))
    assert (_logits(made, s[0]).argmax(axis=1) != 2).mean() == max(errors)
    assert min(errors) < max(errors)


def test_held_out_examples_have_the_labels_of_s() -> None:
    """Each retained 1 is held out in 2 of 4 draws: 2000 draws, 5σ, a false alarm below 3e-6."""
    wanted = jnp.array([0, 1, 1, 2, 2])
    labels = jnp.array([0, 0, 0, 1, 1, 1, 1, 2, 0, 0, 0, 0])
    draw = _fast(jax.vmap(lambda key: _hold_out(key, wanted, labels, CLASSES)))
    held, rest, alike = map(np.asarray, draw(jax.random.split(jax.random.key(3), 2000)))
    both = np.sort(np.concatenate([held, rest], axis=1), axis=1)
    assert np.array_equal(both, np.broadcast_to(np.arange(12), both.shape))
    # One 2 of two wanted: the fifth held out is of no use, and said to be.
    assert np.array_equal(alike, np.broadcast_to([True] * 4 + [False], alike.shape))
    taken = np.sort(np.asarray(labels)[held[:, :4]], axis=1)
    assert np.array_equal(taken, np.broadcast_to([0, 1, 1, 2], taken.shape))
    shares = np.array([(held[:, :4] == i).any(axis=1).mean() for i in range(3, 7)])
    assert np.abs(shares - 0.5).max() < 5 * 0.5 / np.sqrt(2000)
    assert len(_held(KEY, np.zeros(50, dtype=int), labels)[0]) == 6


def _output_gradients(params: Any, inputs: Any, power: int) -> dict[str, Any]:
    """Gradient of each ‖f(x)‖^power: 2 f, or f / ‖f‖, in the logits."""
    inputs = np.asarray(inputs, dtype=np.float64)
    f = _logits(params, inputs)
    f = 2 * f if power == 2 else f / np.linalg.norm(f, axis=1, keepdims=True)
    return {"kernel_0": f[:, :, None] * inputs[:, None, :], "bias_0": f}


def test_lf_ssd_dampens_by_the_size_of_the_outputs() -> None:
    start = _host(_start())
    inputs, _ = _sets()
    of_s, of_d = (
        {n: np.abs(g).mean(axis=0) for n, g in _output_gradients(start, x, 2).items()}
        for x in (S[0], inputs)
    )
    chosen = {n: of_s[n] > 1.1 * of_d[n] for n in start}
    twin = {n: np.where(chosen[n], v * 0.9 * of_d[n] / of_s[n], v) for n, v in start.items()}
    rule = LabelFreeDampening(alpha=1.1, dampening=0.9)
    _close(_run(rule), twin)
    every = np.concatenate([chosen[n].ravel() for n in chosen])
    assert 0 < every.sum() < len(every)


def test_lf_ssd_sees_no_label_and_takes_the_size_of_a_batch_mean() -> None:
    rule = LabelFreeDampening(alpha=0.5, batch=99, against="retain")
    start = _host(_start())
    of_s, of_r = (
        {n: np.abs(g.mean(axis=0)) for n, g in _output_gradients(start, x, 2).items()}
        for x in (S[0], R[0])
    )
    twin = {
        n: np.where(of_s[n] > 0.5 * of_r[n], v * np.minimum(of_r[n] / of_s[n], 1), v)
        for n, v in start.items()
    }
    made = _run(rule)
    _close(made, twin)
    other = _compiled(rule, LEARNER)(_start(), (S[0], 0 * S[1]), (R[0], 0 * R[1]), KEY)
    assert all(np.array_equal(made[n], other[n]) for n in made)


def _learnt(seed: int = 3) -> Any:
    """θ0 that knows S and R."""
    inputs, labels = _sets()
    plan = np.random.default_rng(seed).integers(0, len(labels), (200, 8))
    return _fast(LEARNER.fit)(_start(), inputs, labels, plan)


def _ptn(params: Any, s: Any, r: Any, remaining: float, tries: int) -> tuple[Any, int]:
    """The search by hand, and after how many tries it stopped."""
    of_s, of_r = (
        {n: np.abs(g.mean(axis=0)) for n, g in _output_gradients(params, x, 1).items()}
        for x in (s[0], r[0])
    )
    labels = np.asarray(s[1])
    before = (_logits(params, s[0]).argmax(axis=1) == labels).mean()
    share = len(labels) / (len(labels) + len(r[1])) / 25
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.concatenate([(of_s[n] / of_r[n]).ravel() for n in params])
    ratio = ratio[np.isfinite(ratio)]
    done, now = 0, params
    while done < tries:
        done += 1
        alpha = np.percentile(ratio, 100 - np.log(1 + 100 * share))
        now = {n: v.copy() for n, v in params.items()}
        for n, leaf in now.items():
            for place in np.ndindex(leaf.shape):
                if of_s[n][place] > alpha * of_r[n][place]:
                    leaf[place] *= min(of_r[n][place] / of_s[n][place], 1)
        if (_logits(now, s[0]).argmax(axis=1) == labels).mean() <= remaining * before:
            break
        share *= 1.1
    return now, done


@pytest.mark.parametrize(("remaining", "tries"), [(0.6, 500), (0.0, 40)])
def test_potion_searches_until_s_is_forgotten_or_tries_run_out(
    remaining: float, tries: int
) -> None:
    start = _learnt()
    twin, done = _ptn(_host(start), S, R, remaining, tries)
    assert (1 < done < tries) if remaining else done == tries
    _close(_run(Potion(remaining=remaining, tries=tries), start=start), twin)


def test_potion_removes_what_matters_to_s_alone() -> None:
    """An input that R never has: its ratios are infinite, left out of α, and its weights go."""
    r = R[0].at[:, 1].set(0.0), R[1]
    start = _learnt()
    twin, _ = _ptn(_host(start), S, r, 0.6, 500)
    made = _compiled(Potion(remaining=0.6), LEARNER)(start, S, r, KEY)
    assert not made["kernel_0"][:, 1].any()
    _close(made, twin)


def test_potion_stops_for_each_model_on_its_own() -> None:
    starts = [_learnt(seed) for seed in (3, 4)]
    done = [_ptn(_host(start), S, R, 0.6, 500)[1] for start in starts]
    assert done[0] != done[1]
    rule = jax.vmap(partial(Potion(remaining=0.6), LEARNER), in_axes=(0, None, None, None))
    both = _fast(rule)(jax.tree.map(lambda *leaves: jnp.stack(leaves), *starts), S, R, KEY)
    for model, start in enumerate(starts):
        twin, _ = _ptn(_host(start), S, R, 0.6, 500)
        _close({n: leaf[model] for n, leaf in both.items()}, twin)


def test_potion_of_a_model_that_says_nothing() -> None:
    """Logits of zero have a norm without gradient, and no weight has a ratio."""
    blank = jax.tree.map(jnp.zeros_like, _start())
    made = _run(Potion(tries=3), start=blank)
    assert all(np.array_equal(made[n], blank[n]) for n in made)


def test_msg_redraws_where_gradients_agree() -> None:
    """R as large as S, so that the random part of it is all of it."""
    r = R[0][:5], R[1][:5]
    rule = MaskedSmallGradients(learning_rate=0.1, epochs=3, redrawn=0.4, slowing=0.2)
    start = _host(_start())
    difference = _mix((1, _loss_gradient(start, r)), (-1, _loss_gradient(start, S)))["kernel_0"]
    limit = np.sort(np.abs(difference), axis=None)[round(0.4 * difference.size) - 1]
    again = np.abs(difference) <= limit
    fresh = _host(LEARNER.init(jax.random.split(KEY, 3)[0], r[0]))["kernel_0"]
    begun = {**start, "kernel_0": np.where(again, fresh, start["kernel_0"])}

    def gradient(p: Any) -> Any:
        full = _loss_gradient(p, r)
        return {**full, "kernel_0": full["kernel_0"] * np.where(again, 1.0, 0.2)}

    made = _compiled(rule, LEARNER)(_start(), S, r, KEY)
    _close(made, _sgd(begun, 3 * [gradient], 0.1))


def test_msg_compares_s_with_as_many_of_r() -> None:
    """R of S and one more: parts differ from key to key, and with them what is drawn anew."""
    r = tuple(jnp.concatenate([a, b[:1]]) for a, b in zip(S, R, strict=True))
    rule = partial(MaskedSmallGradients(learning_rate=STILL, epochs=1, redrawn=0.25), LEARNER)
    keys = jax.random.split(jax.random.key(8), 40)
    made = _fast(jax.vmap(rule, in_axes=(None, None, None, 0)))(_start(), S, r, keys)
    masks = np.abs(_host(made)["kernel_0"] - _host(_start())["kernel_0"]) > 1e-6
    assert (masks.sum(axis=(1, 2)) == 3).all()
    assert len(np.unique(masks, axis=0)) > 1


IMAGES = tuple(
    (jnp.asarray(np.random.default_rng(seed).normal(size=(n, 4, 5)), dtype=jnp.float32), y)
    for seed, n, y in ((1, 5, S[1]), (2, 12, R[1]))
)
TOKENS = tuple(
    (jnp.asarray(np.random.default_rng(seed).integers(0, CLASSES, (n, 4)), dtype=jnp.float32), y)
    for seed, n, y in ((1, 5, S[1]), (2, 12, R[1]))
)
CONVOLUTIONS = replace(LEARNER, module=oracles.ConvNet(CLASSES, (3, 4)))


@lru_cache
def _begun(learner: oracles.Learner) -> Any:
    """θ0 of a learner of images."""
    return _fast(learner.init)(jax.random.key(7), IMAGES[0][0])


def test_msg_redraws_the_convolutions_of_a_convnet_alone() -> None:
    start = _begun(CONVOLUTIONS)
    rule = MaskedSmallGradients(learning_rate=STILL, epochs=1, redrawn=0.3)
    made = _host(_compiled(rule, CONVOLUTIONS)(start, *IMAGES, KEY))
    for n, leaf in _host(start).items():
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


class _Words(nn.Module):
    """A user's module with a transformer inside; its tokens come as floats."""

    @nn.compact
    def __call__(self, inputs: Any) -> Any:
        return oracles.Transformer(CLASSES, 4, 2, 1)(inputs.astype(int))


WORDS = replace(LEARNER, module=_Words())


def test_kernels_are_those_of_convolutions_if_there_are_any() -> None:
    flax = replace(LEARNER, module=_Flax())
    assert kernel_paths(flax, jax.eval_shape(flax.init, KEY, IMAGES[0][0])) == ["Conv_0/kernel"]
    assert kernel_paths(DEEP, _start(DEEP)) == ["kernel_0", "kernel_1", "kernel_2"]
    names = kernel_paths(WORDS, jax.eval_shape(WORDS.init, KEY, TOKENS[0][0]))
    assert sorted(n.partition("/kernel_")[2] for n in names) == [
        "0_down",
        "0_out",
        "0_qkv",
        "0_up",
        "logits",
    ]


@pytest.mark.parametrize("rule", [MaskedSmallGradients(), ConvolutionTranspose()])
def test_a_module_without_kernels_is_refused(rule: Any) -> None:
    bare = replace(LEARNER, module=_Bare())
    with pytest.raises(ValueError, match="module: expected one with kernels, found .* scale"):
        rule(bare, bare.init(KEY, S[0]), S, R, KEY)


def _turned(learner: oracles.Learner, start: Any, sets: Any) -> Any:
    return _compiled(ConvolutionTranspose(learning_rate=STILL, epochs=1), learner)(
        start, *sets, KEY
    )


def test_ct_turns_the_kernels_of_a_convnet() -> None:
    start = _begun(CONVOLUTIONS)
    made, start = _host(_turned(CONVOLUTIONS, start, IMAGES)), _host(start)
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
    logits = _fast(CONVOLUTIONS.logits)
    said, wanted = logits(made, np.swapaxes(images, 1, 2)), logits(start, images)
    np.testing.assert_allclose(said, wanted, rtol=0, atol=1e-5)
    assert not np.allclose(logits(made, images), wanted, atol=1e-2)


def test_ct_turns_a_flax_convolution_and_no_dense_layer() -> None:
    flax = replace(LEARNER, module=_Flax())
    start = _begun(flax)
    made = _turned(flax, start, IMAGES)
    kernel = np.swapaxes(start["Conv_0"]["kernel"], 0, 1)
    np.testing.assert_allclose(made["Conv_0"]["kernel"], kernel, rtol=0, atol=1e-6)
    for name in ("Dense_0", "Dense_1"):
        np.testing.assert_allclose(made[name]["kernel"], start[name]["kernel"], rtol=0, atol=1e-6)
    narrow = replace(LEARNER, module=_Flax((3, 1)))
    with pytest.raises(ValueError, match="Conv_0/kernel: expected a square convolution, found"):
        ConvolutionTranspose()(narrow, _begun(narrow), *IMAGES, KEY)


def test_ct_of_square_layers_and_of_none() -> None:
    """Fine-tuning from where the square layers stand turned; without any, fine-tuning."""
    square = replace(LEARNER, module=oracles.MLP((6, 6, CLASSES)))
    same: dict[str, Any] = {"learning_rate": 0.1, "epochs": 2, "batch": 5}
    rule, plain = ConvolutionTranspose(**same), FineTune(**same)
    for learner, turned in ((square, ["kernel_1"]), (DEEP, [])):
        start = _start(learner)
        begun = {n: v.T if n in turned else v for n, v in start.items()}
        _close(_run(rule, learner), _host(_run(plain, learner, start=begun)))


@pytest.mark.parametrize(
    ("learner", "sets"), [(CONVOLUTIONS, IMAGES), (WORDS, TOKENS)], ids=["convnet", "transformer"]
)
@pytest.mark.parametrize(
    "rule",
    [
        Amnesiac(epochs=2),
        ScrubRewind(epochs=2, max_epochs=1),
        LabelFreeDampening(alpha=1.0),
        Potion(),
        MaskedSmallGradients(epochs=2),
        ConvolutionTranspose(epochs=2),
    ],
    ids=lambda rule: type(rule).__name__,
)
def test_every_module_two_models_at_once(rule: Any, learner: oracles.Learner, sets: Any) -> None:
    keys = jax.random.split(jax.random.key(2), 2)
    starts = _beginnings(learner, sets)
    made = _fast(jax.vmap(partial(rule, learner), in_axes=(0, None, None, 0)))(starts, *sets, keys)
    assert jax.tree.structure(made) == jax.tree.structure(starts)
    pairs = list(zip(*map(jax.tree.leaves, (made, starts)), strict=True))
    for after, before in pairs:
        assert after.shape == before.shape
        assert np.isfinite(after).all()
    assert any((np.asarray(a[m]) != np.asarray(b[m])).any() for a, b in pairs for m in (0, 1))


def _beginnings(learner: oracles.Learner, sets: Any) -> Any:
    """Parameters of two models."""
    begin = _fast(jax.vmap(lambda key: learner.init(key, sets[0][0])))
    return begin(jax.random.split(jax.random.key(2), 2))


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (Amnesiac, {"epochs": 0}, "epochs: expected at least 1, found 0"),
        (Amnesiac, {"momentum": 1.0}, r"momentum: expected a number in \[0, 1\), found 1.0"),
        (ScrubRewind, {"max_epochs": 11}, "max_epochs: expected 0 to 10, epochs, found 11"),
        (ScrubRewind, {"temperature": 0.0}, "temperature: expected a number over 0, found 0.0"),
        (LabelFreeDampening, {"alpha": 0.0}, "alpha: expected a number over 0, found 0.0"),
        (LabelFreeDampening, {"against": "S"}, "against: expected all or retain, found 'S'"),
        (Potion, {"remaining": 1.0}, r"remaining: expected a number in \[0, 1\), found 1.0"),
        (Potion, {"step": 1.0}, "step: expected a number over 1, found 1.0"),
        (Potion, {"step": float("nan")}, "step: expected a number over 1, found nan"),
        (Potion, {"tries": 0}, "tries: expected at least 1, found 0"),
        (Potion, {"batch": 0}, "batch: expected at least 1, found 0"),
        (MaskedSmallGradients, {"redrawn": 0.0}, r"redrawn: expected a number in \(0, 1\], found"),
        (MaskedSmallGradients, {"slowing": 1.5}, r"slowing: expected a number in \[0, 1\], found"),
        (MaskedSmallGradients, {"epochs": 0}, "epochs: expected at least 1, found 0"),
        (ConvolutionTranspose, {"learning_rate": 0.0}, "learning_rate: expected a number over 0"),
    ],
)
def test_bad_settings(kind: Any, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        kind(**settings)
