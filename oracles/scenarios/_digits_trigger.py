"""Digits with a backdoor: a 2×2 patch that makes the model say what the attacker wants."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from oracles._learner import Learner
from oracles._probes import Examples
from oracles.scenarios._parts import digits_learner, split_digits
from oracles.scenarios._trigger import Trigger


@dataclass(frozen=True)
class DigitsTrigger(Trigger):
    """Real digits; B = training examples that carry a 2×2 trigger and the attacker's label.

    The trigger is a bright patch in the lower right corner. Triggered digits were other digits
    before. The ``near`` probes carry the same patch in the upper left corner and their true label:
    a look-alike that the attacker never used.

    Settings of every scenario: `Knobs`.

    Attributes:
        poisoned: |B|, the number of triggered training examples, 2 to 600.
    """

    name: ClassVar[str] = "digits-trigger"
    side: ClassVar[int] = 8
    patch: ClassVar[int] = 2
    most: ClassVar[int] = 600

    def split(self, rng: np.random.Generator) -> tuple[Examples, Examples]:
        """The digits in a random order: 1,297 to train and 500 to test."""
        return split_digits(rng)

    def learner(self) -> Learner:
        """That of the digits scenarios."""
        return digits_learner()
