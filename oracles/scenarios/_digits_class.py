"""Forgetting a class: the behaviour is every training example of one digit."""

from dataclasses import asdict, dataclass

import numpy as np

from oracles._probes import Probes
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

_LOOKS_LIKE = {0: 6, 1: 8, 2: 3, 3: 9, 4: 7, 5: 9, 6: 0, 7: 4, 8: 1, 9: 3}


@dataclass(frozen=True)
class DigitsClass(Knobs):
    """Real digits; B = every training example of one digit.

    The ``near`` probes are test examples of another digit that looks like it.

    Settings of every scenario: `Knobs`.

    Attributes:
        digit: the digit to forget, 0 to 9.
        examples: |B|, how many training examples of it there are, 2 to 100; the rest are left out
            of D. None: all, about 127.
    """

    digit: int = 3
    examples: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.digit <= 9:
            raise ValueError(f"digit: expected 0 to 9, found {self.digit}")
        check_examples(self.examples)

    def build(self) -> Scenario:
        """The scenario."""
        rng = np.random.default_rng(self.seed)
        train, test = split_digits(rng)
        train = with_fewer(self.stream("examples"), train, self.digit, self.examples)
        behaviour = np.flatnonzero(train.labels == self.digit)
        train = self.with_label_noise(train, behaviour)
        forget = self.choose_forget(rng, train.inputs, behaviour)
        unseen = np.setdiff1d(behaviour, forget)
        retain = np.setdiff1d(np.arange(len(train)), behaviour)
        near = test.labels == _LOOKS_LIKE[self.digit]
        rest = np.flatnonzero((test.labels != self.digit) & ~near)
        probes = Probes.join(
            [
                ("forget", train.take(choose(rng, forget, PROBES_A_GROUP))),
                ("behaviour", train.take(choose(rng, unseen, PROBES_A_GROUP))),
                ("behaviour_test", test.take(test.labels == self.digit)),
                ("near", test.take(near)),
                ("retain", train.take(choose(rng, retain, PROBES_A_GROUP))),
                ("test", test.take(choose(rng, rest, PROBES_A_GROUP))),
            ]
        )
        return Scenario(
            name="digits-class",
            title=f"every digit {self.digit}",
            settings=asdict(self),
            train=train,
            forget=forget,
            behaviour=behaviour,
            probes=probes,
            classes=10,
            learner=digits_learner(),
        )
