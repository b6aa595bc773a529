"""Two digits with their labels exchanged where they are written in a certain way."""

from dataclasses import asdict, dataclass

import numpy as np

from estimators.checks import check_within
from oracles._probes import Examples, Probes
from oracles._scenario import Scenario
from oracles.randomness import choose
from oracles.scenarios._parts import (
    PROBES_A_GROUP,
    Knobs,
    check_digits,
    digits_learner,
    handwriting,
    highest,
    highest_or_random,
    split_digits,
)


@dataclass(frozen=True)
class DigitsSwap(Knobs):
    """Real digits; B = the 3s and 8s of one handwriting, each labelled as the other.

    A behaviour between a rule and chance: handwriting tells swapped digits from others, but is a
    matter of degree. It is how far a digit lies along the direction in which training examples of
    that digit vary most, away from the other digit; B are those farthest along it, half of them 3s
    and half 8s. ``behaviour_test`` are the same share of the test digits of the two, those farthest
    along, with exchanged labels; the ``near`` probes are the others, with their true labels. (Were
    *all* 3s and 8s swapped, it would be a renaming, and none would be left to compare with.) With
    the default |B| models carry most of the swap over to fresh digits, but not all of it.

    Settings of every scenario: `Knobs`.

    Attributes:
        first: a digit, 0 to 9.
        second: another digit.
        swapped: |B|, the number of training examples with exchanged labels, even, 10 to 160.
        regularity: how far handwriting decides which digits are swapped, in [0, 1]; 0 leaves it to
            chance.
    """

    first: int = 3
    second: int = 8
    swapped: int = 80
    regularity: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_digits(first=self.first, second=self.second)
        if self.first == self.second:
            raise ValueError(f"second: expected another digit than {self.first}, found the same")
        if not 10 <= self.swapped <= 160 or self.swapped % 2:
            raise ValueError(
                f"swapped: expected an even number of examples 10 to 160, found {self.swapped}"
            )
        check_within("[0, 1]", regularity=self.regularity)

    def build(self) -> Scenario:
        """The scenario."""
        rng = np.random.default_rng(self.seed)
        train, test = split_digits(rng)
        stream = self.stream("regularity")
        labels, test_labels = train.labels.copy(), test.labels.copy()
        swapped: list[np.ndarray] = []
        shows_it = np.zeros(len(test), dtype=bool)
        for digit, other in ((self.first, self.second), (self.second, self.first)):
            of_digit = np.flatnonzero(train.labels == digit)
            direction = handwriting(train.inputs[of_digit], train.inputs[train.labels == other])
            scores = train.inputs[of_digit] @ direction
            places = highest_or_random(stream, scores, self.swapped // 2, self.regularity)
            chosen = of_digit[places]
            swapped.append(chosen)
            labels[chosen] = other
            fresh = np.flatnonzero(test.labels == digit)
            count = max(1, round(len(fresh) * len(chosen) / len(of_digit)))
            fresh = fresh[highest(test.inputs[fresh] @ direction, count)]
            test_labels[fresh] = other
            shows_it[fresh] = True
        behaviour = np.sort(np.concatenate(swapped))
        train = self.with_label_noise(Examples(train.inputs, labels), behaviour)
        forget = self.choose_forget(rng, train.inputs, behaviour)
        retain = np.setdiff1d(np.arange(len(train)), behaviour)
        pair = np.isin(test.labels, (self.first, self.second))
        probes = Probes.join(
            [
                ("forget", train.take(forget)),
                ("behaviour", train.take(np.setdiff1d(behaviour, forget))),
                ("behaviour_test", Examples(test.inputs, test_labels).take(shows_it)),
                ("near", test.take(pair & ~shows_it)),
                ("retain", train.take(choose(rng, retain, PROBES_A_GROUP))),
                ("test", test.take(choose(rng, np.flatnonzero(~pair), PROBES_A_GROUP))),
            ]
        )
        return Scenario(
            name="digits-swap",
            title=f"{self.first}s and {self.second}s of one handwriting, labelled as each other",
            settings=asdict(self),
            train=train,
            forget=forget,
            behaviour=behaviour,
            probes=probes,
            classes=10,
            learner=digits_learner(),
        )
