"""Threes against eights by logistic regression, some threes mislabelled: a convex world."""

from dataclasses import asdict, dataclass
from functools import partial

import numpy as np
import optax

from estimators.checks import check_within
from oracles._learner import Learner
from oracles._probes import Examples, Probes
from oracles._scenario import Scenario
from oracles.modules._dense import MLP
from oracles.randomness import choose
from oracles.scenarios._parts import (
    PROBES_A_GROUP,
    Knobs,
    check_between,
    handwriting,
    highest,
    highest_or_random,
)

_TEST_DIGITS = 100
THREE, EIGHT = 0, 1


@dataclass(frozen=True)
class Logistic3v8(Knobs):
    """Real 3s (class 0) and 8s (class 1); B = 3s of one handwriting, labelled as 8s.

    357 digits, 257 to train and 100 to test, each less its own mean and scaled to Euclidean norm 1,
    so that the loss has the bounded gradients that certified unlearning asks for. The handwriting
    is that of the 3s farthest along the direction in which training 3s vary most, away from the 8s.
    ``behaviour_test`` are the same share of the test 3s, those farthest along it, labelled as 8s;
    the ``near`` probes are the other test 3s, with their true label. The learner's rate and steps
    are such that it knows nine of ten of B.

    Settings of every scenario: `Knobs`.

    Attributes:
        wrong: |B|, the number of mislabelled training examples, 10 to 100.
        regularity: how far handwriting decides which 3s are mislabelled, in [0, 1]; 0 leaves it to
            chance.
    """

    wrong: int = 40
    regularity: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_between(10, 100, " examples", wrong=self.wrong)
        check_within("[0, 1]", regularity=self.regularity)

    def build(self) -> Scenario:
        """The scenario."""
        rng = np.random.default_rng(self.seed)
        train, test = _split(rng)
        threes = np.flatnonzero(train.labels == THREE)
        direction = handwriting(train.inputs[threes], train.inputs[train.labels == EIGHT])
        scores, stream = train.inputs[threes] @ direction, self.stream("regularity")
        behaviour = threes[highest_or_random(stream, scores, self.wrong, self.regularity)]
        labels = train.labels.copy()
        labels[behaviour] = EIGHT
        train = self.with_label_noise(Examples(train.inputs, labels), behaviour)
        forget = self.choose_forget(rng, train.inputs, behaviour)
        retain = np.setdiff1d(np.arange(len(train)), behaviour)
        fresh = np.flatnonzero(test.labels == THREE)
        count = max(1, round(len(fresh) * self.wrong / len(threes)))
        of_handwriting = fresh[highest(test.inputs[fresh] @ direction, count)]
        eights = np.full(count, EIGHT, dtype=np.int32)
        probes = Probes.join(
            [
                ("forget", train.take(forget)),
                ("behaviour", train.take(np.setdiff1d(behaviour, forget))),
                ("behaviour_test", Examples(test.inputs[of_handwriting], eights)),
                ("near", test.take(np.setdiff1d(fresh, of_handwriting))),
                ("retain", train.take(choose(rng, retain, PROBES_A_GROUP))),
                ("test", test.take(test.labels == EIGHT)),
            ]
        )
        return Scenario(
            name="logistic-3v8",
            title="3s of one handwriting labelled as 8s",
            settings=asdict(self),
            train=train,
            forget=forget,
            behaviour=behaviour,
            probes=probes,
            classes=2,
            learner=Learner(MLP((2,)), partial(optax.sgd, 2.0, momentum=0.9), steps=400, batch=64),
        )


def _split(rng: np.random.Generator) -> tuple[Examples, Examples]:
    """257 digits to train and 100 to test; source as in `split_digits`."""
    from sklearn.datasets import load_digits  # As in `all_digits`.

    pixels, digits = load_digits(return_X_y=True)
    pair = np.flatnonzero(np.isin(digits, (3, 8)))
    order = rng.permutation(pair)
    inputs = np.asarray(pixels)[order]
    inputs = inputs - inputs.mean(axis=1, keepdims=True)
    inputs = (inputs / np.linalg.norm(inputs, axis=1, keepdims=True)).astype(np.float32)
    examples = Examples(inputs, (np.asarray(digits)[order] == 8).astype(np.int32))
    return examples.take(slice(_TEST_DIGITS, None)), examples.take(slice(_TEST_DIGITS))
