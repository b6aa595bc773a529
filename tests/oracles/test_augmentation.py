"""Crops and flips of images, label smoothing, schedules and precision, as parts of a learner."""

from dataclasses import fields, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from indist import oracles
from oracles._learner import cross_entropies, in_precision
from tests.oracles.by_hand import DEEP, R, plan_and_key

IMAGES = np.arange(1.0, 1 + 6 * 4 * 5, dtype=np.float32).reshape(6, 4, 5)


def _windows(image: np.ndarray, padding: int, flip: bool) -> list[np.ndarray]:
    """All that may come out: cuts of the padded image and of its mirror image."""
    height, width = image.shape[:2]
    sides = [(padding, padding)] * 2 + [(0, 0)] * (image.ndim - 2)
    padded = np.pad(image, sides)
    cuts = [
        padded[row : row + height, column : column + width]
        for row in range(2 * padding + 1)
        for column in range(2 * padding + 1)
    ]
    return [*cuts, *(cut[:, ::-1] for cut in cuts)] if flip else cuts


@pytest.mark.parametrize("flip", [True, False])
@pytest.mark.parametrize("colours", [False, True])
def test_each_window_is_as_likely(flip: bool, colours: bool) -> None:
    """9 or 18 windows in 3,600 draws: chi-square below its 1 - 1e-6 quantile (42.7, 58.1)."""
    images = np.stack([IMAGES, -IMAGES], axis=-1) if colours else IMAGES
    augmentation = oracles.CropAndFlip(padding=1, flip=flip)
    keys = jax.random.split(jax.random.key(4), 600)
    made = np.asarray(jax.jit(jax.vmap(lambda key: augmentation(jnp.asarray(images), key)))(keys))
    assert made.shape == (600, *images.shape)
    counts = np.zeros(18 if flip else 9)
    for number, image in enumerate(images):
        windows = np.stack(_windows(image, 1, flip))
        same = (made[:, number, None] == windows).reshape(600, len(windows), -1).all(axis=2)
        assert (same.sum(axis=1) == 1).all()
        counts += same.sum(axis=0)
    expected = 3600 / len(counts)
    assert ((counts - expected) ** 2 / expected).sum() < (58.1 if flip else 42.7)


def test_images_of_a_batch_move_by_themselves() -> None:
    made = oracles.CropAndFlip(padding=3)(jnp.asarray(np.tile(IMAGES[:1], (50, 1, 1))), KEY)
    assert len({np.asarray(image).tobytes() for image in made}) > 25


KEY = jax.random.key(1)


def test_a_learner_augments_what_it_trains_on_and_nothing_else(circles: oracles.Scenario) -> None:
    """Against a plain loop, and the probes of a population are seen as they are."""
    scenario = oracles.scenarios.load("digits-class", seed=0)
    train = replace(scenario.train, inputs=scenario.train.inputs.reshape(-1, 8, 8))
    probes = replace(scenario.probes, inputs=scenario.probes.inputs.reshape(-1, 8, 8))
    learner = oracles.Learner(
        oracles.MLP((6, 10)), partial(optax.sgd, 0.1), 4, 16, augmentation=oracles.CropAndFlip(1)
    )
    world = replace(scenario, train=train, probes=probes, learner=learner)
    made = oracles.train(world, "nothing", stream="s", models=1, seed=0)
    plan, key = plan_and_key(learner, "s", 0, np.ones(len(train), dtype=bool))
    params: Any = learner.init(key, train.inputs)
    for number, index in enumerate(plan):
        assert learner.augmentation is not None
        batch = learner.augmentation(
            jnp.asarray(train.inputs[index]), jax.random.fold_in(key, number)
        )
        slopes = jax.grad(learner.loss)(params, batch, train.labels[index])
        params = jax.tree.map(lambda p, g: p - 0.1 * g, params, slopes)
    for name, leaf in params.items():
        np.testing.assert_allclose(made.parameters()[name][0], leaf, rtol=0, atol=2e-5)
    logits = made.observe(probes).logits
    assert logits is not None
    np.testing.assert_allclose(logits[0], learner.logits(params, probes.inputs), atol=1e-4)


def test_smoothed_labels_against_optax() -> None:
    logits = jax.random.normal(KEY, (7, 5))
    labels = np.array([0, 1, 2, 3, 4, 0, 1], dtype=np.int32)
    soft = optax.smooth_labels(jax.nn.one_hot(labels, 5), 0.2)
    expected = optax.softmax_cross_entropy(logits, soft)
    np.testing.assert_allclose(cross_entropies(logits, labels, 0.2), expected, rtol=1e-5)
    np.testing.assert_array_equal(
        cross_entropies(logits, labels, 0.0), cross_entropies(logits, labels)
    )


def test_a_learner_trains_on_smoothed_labels_along_a_schedule() -> None:
    """One full batch twice: the second step at half the rate, both against optax's loss."""
    schedule = partial(optax.piecewise_constant_schedule, 0.2)
    learner = replace(
        DEEP, optimiser=partial(optax.sgd, partial(schedule, {1: 0.5})), label_smoothing=0.1
    )
    inputs, labels = R
    key = jax.random.key(2)
    made = learner.train(key, inputs, labels, np.tile(np.arange(len(labels)), (2, 1)))
    soft = optax.smooth_labels(jax.nn.one_hot(labels, 3), 0.1)

    def loss(params: Any) -> Any:
        return optax.softmax_cross_entropy(learner.logits(params, inputs), soft).mean()

    params: Any = learner.init(key, inputs)
    for rate in (0.2, 0.1):
        slopes = jax.grad(loss)(params)
        params = jax.tree.map(lambda p, g, rate=rate: p - rate * g, params, slopes)
    for name, leaf in params.items():
        np.testing.assert_allclose(made[name], leaf, rtol=0, atol=1e-5)


def test_what_is_not_usual_is_in_the_description() -> None:
    usual = {"module", "optimiser", "steps", "batch"}
    assert set(DEEP.description) == usual
    changed = replace(
        DEEP, label_smoothing=0.1, augmentation=oracles.CropAndFlip(2), precision="bf16"
    )
    assert changed.description == DEEP.description | {
        "label_smoothing": 0.1,
        "augmentation": {"padding": 2, "flip": True},
        "precision": "bf16",
    }
    assert changed != DEEP


@pytest.mark.parametrize(("precision", "said"), [("float32", "HIGHEST"), ("tf32", "HIGH")])
def test_all_products_of_training_have_the_precision(precision: Any, said: str) -> None:
    """A module's own gradient rule too; JAX's default would be less on an accelerator."""
    learner = replace(DEEP, module=oracles.ConvNet(3, (2,)), precision=precision)
    images, labels = jnp.ones((4, 5, 5)), jnp.zeros(4, dtype=jnp.int32)

    def program(key: Any) -> Any:
        return learner.train(key, images, labels, np.zeros((1, 4), dtype=np.int32))

    text = str(jax.make_jaxpr(in_precision(learner, program))(KEY))
    products = text.count("dot_general[")
    assert products >= 5
    assert text.count(f"precision=(Precision.{said}, Precision.{said})") == products


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label_smoothing": 1.0}, "label_smoothing: expected"),
        ({"label_smoothing": -0.1}, "label_smoothing: expected"),
    ],
)
def test_bad_settings_are_refused(change: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(DEEP, **change)
    with pytest.raises(ValueError, match="padding: expected"):
        oracles.CropAndFlip(padding=-1)


def test_a_window_holds_some_of_its_image() -> None:
    with pytest.raises(ValueError, match="padding: expected fewer pixels than the images' 8 x 6"):
        oracles.CropAndFlip(padding=6)(jnp.ones((5, 8, 6)), jax.random.key(0))
    with pytest.raises(ValueError, match=r"expected images .* found inputs of shape \[8\]"):
        oracles.CropAndFlip(padding=1).check_images((5, 8))
    images = oracles.Examples(np.zeros((40, 8, 8), dtype=np.float32), np.zeros(40, dtype=np.int32))
    with pytest.raises(ValueError, match="learner cnn: crop: expected fewer pixels"):
        oracles.learners.make("cnn", images, 3, crop=8)


class Mirrored(oracles.CropAndFlip):
    """Another augmentation of the same description."""


@pytest.mark.parametrize("wrong", ["flip", Mirrored(1), lambda images, key: images])
def test_no_other_augmentation_has_the_description_of_ours(wrong: Any) -> None:
    plain = {field.name: getattr(DEEP, field.name) for field in fields(oracles.Learner)}
    # Some are refused by the annotations already, which are checked in tests alone.
    with pytest.raises(Exception, match="augmentation"):
        oracles.Learner(**(plain | {"augmentation": wrong}))


def test_settings_of_named_learners() -> None:
    images = oracles.Examples(np.zeros((40, 8, 8), dtype=np.float32), np.zeros(40, dtype=np.int32))
    made = oracles.learners.make(
        "cnn", images, 3, schedule="cosine", steps=7, crop=2, label_smoothing=0.1, precision="tf32"
    )
    cosine = "optax.cosine_decay_schedule(0.1, 7)"
    assert made.description["optimiser"] == f"optax.sgd({cosine}, momentum=0.9)"
    assert made.augmentation == oracles.CropAndFlip(2, flip=False)
    assert (made.label_smoothing, made.precision) == (0.1, "tf32")
    sisa = oracles.learners.make("sisa", images, 3, schedule="cosine", steps=9, label_smoothing=0.1)
    assert "cosine_decay_schedule(0.1, 3)" in sisa.description["optimiser"]
    assert isinstance(sisa, oracles.learners.Sisa)
    assert sisa.constituent.label_smoothing == 0.1
