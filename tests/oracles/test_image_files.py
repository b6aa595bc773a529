"""Images of MNIST's and CIFAR's sizes from users' files, as far as models that say something."""

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from indist import oracles
from tests.oracles.test_data_loaders import idx_bytes, png, write_arrow

COUNT = 20
RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (COUNT, 28, 28), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (COUNT, 32, 32, 3), dtype=np.uint8)
LABELS = np.arange(COUNT, dtype=np.uint8) % 3

WORLD = """
title = "images of class 1"
classes = 3
[data]
scale = 255.0
{data}
[behaviour]
label = 1
[forget]
discovery = 0.5
[learner]
make = "resnet"
{learner}
"""
SMALL = "blocks = [1, 1]\nwidth = 4\ngroups = 2\nsteps = 2\nbatch = 4"


def _npz(images: np.ndarray) -> Callable[[Path], str]:
    def write(folder: Path) -> str:
        np.savez(folder / "train.npz", x=images, y=LABELS)
        return 'kind = "npz"\npath = "train.npz"'

    return write


def _idx(folder: Path) -> str:
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx_bytes(8, GREY)))
    (folder / "train-labels-idx1-ubyte").write_bytes(idx_bytes(8, LABELS))
    names = 'inputs = "train-images-idx3-ubyte.gz"\nlabels = "train-labels-idx1-ubyte"'
    return f'kind = "idx"\npath = "."\n{names}'


def _cifar(folder: Path) -> str:
    """A label, then all red pixels, all green and all blue."""
    rows = np.column_stack([LABELS, COLOUR.transpose(0, 3, 1, 2).reshape(COUNT, -1)])
    (folder / "data_batch_1.bin").write_bytes(rows.tobytes())
    return 'kind = "cifar-binary"\npath = "."'


def _hugging_face(images: np.ndarray) -> Callable[[Path], str]:
    def write(folder: Path) -> str:
        write_arrow(folder, image=[{"bytes": png(pixels)} for pixels in images], label=LABELS)
        return 'kind = "huggingface"\npath = "."'

    return write


FILES = {
    "grey npz": (_npz(GREY), GREY),
    "colour npz": (_npz(COLOUR), COLOUR),
    "idx": (_idx, GREY),
    "cifar": (_cifar, COLOUR),
    "grey pictures": (_hugging_face(GREY), GREY),
    "colour pictures": (_hugging_face(COLOUR), COLOUR),
}


def _load(folder: Path, data: str, learner: str = SMALL) -> oracles.Scenario:
    path = folder / "world.toml"
    path.write_text(WORLD.format(data=data, learner=learner))
    return oracles.scenarios.load(path, seed=0)


@pytest.mark.parametrize("kind", FILES)
def test_images_of_every_kind_of_file(kind: str, tmp_path: Path) -> None:
    """The same pixels in [0, 1], as float32, and a residual network for them."""
    write, images = FILES[kind]
    world = _load(tmp_path, write(tmp_path))
    assert world.train.inputs.dtype == np.float32
    np.testing.assert_array_equal(world.train.inputs, images / np.float32(255))
    np.testing.assert_array_equal(world.train.labels, LABELS)
    assert world.learner.module == oracles.ResNet(3, (1, 1), 4, 2)


@pytest.mark.parametrize("kind", ["idx", "cifar"])
def test_residual_networks_of_users_images_train_and_unlearn(kind: str, tmp_path: Path) -> None:
    small = SMALL.replace("[1, 1]", "[1]")
    world = _load(tmp_path, FILES[kind][0](tmp_path), small)
    original = oracles.train(world, "nothing", stream="s", models=2, seed=0)
    made = oracles.unlearn(world, original, method="finetune", seed=1)
    before, after = (population.observe(world.probes).logits for population in (original, made))
    assert before.shape == after.shape == (2, len(world.probes), 3)
    assert np.isfinite(after).all()
    assert (before != after).any(axis=(1, 2)).all()
    assert not np.allclose(before[0], before[1])


@pytest.mark.parametrize(
    ("learner", "message"),
    [
        ("blocks = []", "learner resnet: blocks: expected a count for each stage, found none"),
        ("width = 12", "learner resnet: groups: expected a divisor of 12 channels, found 8"),
        ("width = 0", "learner resnet: width: expected at least 1, found 0"),
        ("depth = 10", "resnet: expected settings blocks, width, groups.*found 'depth'"),
    ],
)
def test_bad_settings_are_named_with_file_and_field(
    learner: str, message: str, tmp_path: Path
) -> None:
    data = _npz(GREY)(tmp_path)
    with pytest.raises(ValueError, match=rf"world[.]toml: field learner: {message}"):
        _load(tmp_path, data, learner)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (GREY.reshape(COUNT, -1), r"expected training inputs \[.*found shape \(20, 784\)"),
        (GREY.reshape(COUNT, 7, 4, 7, 4), r"expected training inputs \[.*found shape \(20, 7, 4, "),
        (GREY.astype(np.int16), "expected images as real numbers, found int32; a scale, such as"),
    ],
    ids=["rows", "five axes", "whole numbers"],
)
def test_what_is_no_image_is_refused(images: np.ndarray, message: str, tmp_path: Path) -> None:
    data = _npz(images)(tmp_path)
    path = tmp_path / "world.toml"
    path.write_text(WORLD.format(data=data, learner=SMALL).replace("scale = 255.0\n", ""))
    with pytest.raises(ValueError, match=f"field learner: learner resnet: {message}"):
        oracles.scenarios.load(path, seed=0)
