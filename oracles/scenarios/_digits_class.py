"""Forgetting a class: the behaviour is every training example of one digit."""

from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np

from oracles._probes import Examples, Probes
from oracles._scenario import Scenario
from oracles.randomness import choose
from oracles.scenarios._parts import (
    HELD_A_GROUP,
    PROBES_A_GROUP,
    Knobs,
    check_between,
    digits_learner,
    split_digits,
    with_fewer,
)

_LOOKS_LIKE = {0: 6, 1: 8, 2: 3, 3: 9, 4: 7, 5: 9, 6: 0, 7: 4, 8: 1, 9: 3}


@dataclass(frozen=True)
class DigitForgotten(Knobs):
    """Real digits of which one is forgotten; subclasses say the classes and the look-alike."""

    digit: int = 0
    examples: int | None = None
    _name: ClassVar[str]
    _classes: ClassVar[int]

    def __post_init__(self) -> None:
        super().__post_init__()
        check_between(0, 9, digit=self.digit)
        if self.examples is not None:
            check_between(2, 100, ", or None for all", examples=self.examples)

    @property
    def _title(self) -> str:
        raise NotImplementedError

    @property
    def _look_alike(self) -> int:
        """The digit whose test examples are the ``near`` probes."""
        raise NotImplementedError

    def _labelled(self, digits: Examples) -> Examples:
        """Digits with their classes as labels."""
        raise NotImplementedError

    def build(self) -> Scenario:
        """The scenario."""
        rng = np.random.default_rng(self.seed)
        digits, test_digits = split_digits(rng)
        digits = with_fewer(self.stream("examples"), digits, self.digit, self.examples)
        behaviour = np.flatnonzero(digits.labels == self.digit)
        train = self.with_label_noise(self._labelled(digits), behaviour)
        forget = self.choose_forget(rng, train.inputs, behaviour)
        unseen = np.setdiff1d(behaviour, forget)
        retain = np.setdiff1d(np.arange(len(train)), behaviour)
        test = self._labelled(test_digits)
        fresh, near = (test_digits.labels == d for d in (self.digit, self._look_alike))
        rest = np.flatnonzero(~fresh & ~near)
        probes = Probes.join(
            [
                ("forget", train.take(choose(rng, forget, HELD_A_GROUP))),
                ("behaviour", train.take(choose(rng, unseen, HELD_A_GROUP))),
                ("behaviour_test", test.take(fresh)),
                ("near", test.take(near)),
                ("retain", train.take(choose(rng, retain, PROBES_A_GROUP))),
                ("test", test.take(choose(rng, rest, PROBES_A_GROUP))),
            ]
        )
        return Scenario(
            name=self._name,
            title=self._title,
            settings=asdict(self),
            train=train,
            forget=forget,
            behaviour=behaviour,
            probes=probes,
            classes=self._classes,
            learner=digits_learner(),
        )


@dataclass(frozen=True)
class DigitsClass(DigitForgotten):
    """Real digits; B = every training example of one digit.

    The ``near`` probes are test examples of another digit that looks like it.

    Settings of every scenario: `Knobs`.

    Attributes:
        digit: the digit to forget, 0 to 9.
        examples: |B|, how many training examples of it there are, 2 to 100; the rest are left out
            of D. None: all, about 127.
    """

    digit: int = 3
    _name: ClassVar[str] = "digits-class"
    _classes: ClassVar[int] = 10

    @property
    def _title(self) -> str:
        return f"every digit {self.digit}"

    @property
    def _look_alike(self) -> int:
        return _LOOKS_LIKE[self.digit]

    def _labelled(self, digits: Examples) -> Examples:
        return digits
