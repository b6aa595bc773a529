"""Forgetting a part of a class: digits in five classes, the behaviour is one digit of a class."""

from dataclasses import asdict, dataclass

import numpy as np

from oracles._probes import Examples, Probes
from oracles._scenario import Scenario
from oracles.randomness import choose
from oracles.scenarios._parts import (
    PROBES_A_GROUP,
    Knobs,
    check_examples,
    digits_learner,
    split_digits,
    with_fewer,
)


@dataclass(frozen=True)
class DigitsSubclass(Knobs):
    """Real digits in classes of two, 01 23 45 67 89; B = every training example of one digit.

    The class lives on in the other digit: the ``near`` probes are test examples of it. The default
    is a digit that models without B do not take for the other one of its class.

    Settings of every scenario: `Knobs`.

    Attributes:
        digit: the digit to forget, 0 to 9.
        examples: |B|, how many training examples of it there are, 2 to 100; the rest are left out
            of D. None: all, about 127.
    """

    digit: int = 5
    examples: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.digit <= 9:
            raise ValueError(f"digit: expected 0 to 9, found {self.digit}")
        check_examples(self.examples)

    def build(self) -> Scenario:
        """The scenario."""
        rng = np.random.default_rng(self.seed)
        digits, test = split_digits(rng)
        digits = with_fewer(self.stream("examples"), digits, self.digit, self.examples)
        behaviour = np.flatnonzero(digits.labels == self.digit)
        train = self.with_label_noise(_merged(digits), behaviour)
        forget = self.choose_forget(rng, train.inputs, behaviour)
        unseen = np.setdiff1d(behaviour, forget)
        retain = np.setdiff1d(np.arange(len(train)), behaviour)
        own, near = test.labels == self.digit, test.labels == (self.digit ^ 1)
        rest = np.flatnonzero(~own & ~near)
        test = _merged(test)
        probes = Probes.join(
            [
                ("forget", train.take(choose(rng, forget, PROBES_A_GROUP))),
                ("behaviour", train.take(choose(rng, unseen, PROBES_A_GROUP))),
                ("behaviour_test", test.take(own)),
                ("near", test.take(near)),
                ("retain", train.take(choose(rng, retain, PROBES_A_GROUP))),
                ("test", test.take(choose(rng, rest, PROBES_A_GROUP))),
            ]
        )
        return Scenario(
            name="digits-subclass",
            title=f"every digit {self.digit}, of a class shared with digit {self.digit ^ 1}",
            settings=asdict(self),
            train=train,
            forget=forget,
            behaviour=behaviour,
            probes=probes,
            classes=5,
            learner=digits_learner(),
        )


def _merged(digits: Examples) -> Examples:
    """Digits 0 and 1 as class 0, 2 and 3 as class 1, and so on."""
    return Examples(digits.inputs, digits.labels // 2)
