"""Digits with wrong labels, which a model can only learn by heart, one by one."""

from dataclasses import asdict, dataclass
from functools import partial

import numpy as np
import optax

from estimators.checks import check_counts, check_within
from oracles._learner import Learner
from oracles._probes import Examples, Probes
from oracles._scenario import Scenario
from oracles.modules._dense import MLP
from oracles.randomness import choose
from oracles.scenarios._parts import (
    HELD_A_GROUP,
    PROBES_A_GROUP,
    Knobs,
    nearest,
    split_digits,
    wrong_labels,
)


@dataclass(frozen=True)
class DigitsRandomLabels(Knobs):
    """Real digits; B = training examples whose label was replaced by a wrong one at random.

    An irregular behaviour: knowing some of B says nothing of the rest. The ``near`` probes are the
    test examples nearest to those of B, with their true labels; ``behaviour_test`` are
    fresh digits with wrong labels, which no model can know. The learner trains for long enough to
    know its training set by heart, wrong labels included.

    Settings of every scenario: `Knobs`.

    Attributes:
        wrong: part of the training labels that are wrong, in [0.005, 0.5]; it says |B|.
        hidden: width of the learner's hidden layer, at least 1.
        steps: the learner's steps of 128 examples, at least 1.
    """

    wrong: float = 0.05
    hidden: int = 64
    steps: int = 1000

    def __post_init__(self) -> None:
        super().__post_init__()
        check_within("[0.005, 0.5]", wrong=self.wrong)
        check_counts(hidden=self.hidden, steps=self.steps)

    def build(self) -> Scenario:
        """The scenario."""
        rng = np.random.default_rng(self.seed)
        clean, test = split_digits(rng)
        count = round(self.wrong * len(clean))
        behaviour = choose(rng, np.arange(len(clean)), count)
        labels = clean.labels.copy()
        labels[behaviour] = wrong_labels(rng, labels[behaviour], np.arange(10))
        train = Examples(clean.inputs, labels)
        train = self.with_label_noise(train, behaviour)
        forget = self.choose_forget(rng, train.inputs, behaviour)
        retain = np.setdiff1d(np.arange(len(train)), behaviour)
        order = rng.permutation(len(test))
        fresh, rest = test.take(order[:PROBES_A_GROUP]), test.take(order[PROBES_A_GROUP:])
        near = nearest(train.inputs[behaviour], rest.inputs)
        others = np.setdiff1d(np.arange(len(rest)), near)
        probes = Probes.join(
            [
                ("forget", train.take(choose(rng, forget, HELD_A_GROUP))),
                (
                    "behaviour",
                    train.take(choose(rng, np.setdiff1d(behaviour, forget), HELD_A_GROUP)),
                ),
                (
                    "behaviour_test",
                    Examples(fresh.inputs, wrong_labels(rng, fresh.labels, np.arange(10))),
                ),
                ("near", rest.take(near)),
                ("retain", train.take(choose(rng, retain, PROBES_A_GROUP))),
                ("test", rest.take(others[:PROBES_A_GROUP])),
            ]
        )
        return Scenario(
            name="digits-random-labels",
            title=f"{count} digits with wrong labels",
            settings=asdict(self),
            train=train,
            forget=forget,
            behaviour=behaviour,
            probes=probes,
            classes=10,
            learner=Learner(
                MLP((self.hidden, 10)),
                partial(optax.sgd, 0.2, momentum=0.9),
                steps=self.steps,
                batch=128,
            ),
        )
