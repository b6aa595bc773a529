"""Two scenarios by memorization score: the digits memorized most, and those memorized least."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Int

from oracles._probes import Probes
from oracles._scenario import Scenario
from oracles.forget_sets import least_memorized, most_memorized
from oracles.randomness import choose
from oracles.scenarios._parts import (
    PROBES_A_GROUP,
    TEST_DIGITS,
    Knobs,
    all_digits,
    check_between,
    digits_learner,
    nearest,
)

SCORES = Path(__file__).with_name("_digits_memorization.npy")
"""The measured scores; ``python -m oracles._digits_memorization`` makes the file again."""


@dataclass(frozen=True)
class _ByMemorization(Knobs):
    """Real digits of which B was chosen by score."""

    examples: int = 40
    _name: ClassVar[str]
    _end: ClassVar[str]

    def __post_init__(self) -> None:
        super().__post_init__()
        check_between(2, 100, examples=self.examples)

    def _behaviour(self, scores: Float[np.ndarray, " train"]) -> Int[np.ndarray, " behaviour"]:
        raise NotImplementedError

    def build(self) -> Scenario:
        """The scenario."""
        rng = np.random.default_rng(self.seed)
        digits, scores = all_digits(), np.load(SCORES, allow_pickle=False)
        order = rng.permutation(len(digits))
        train, test = digits.take(order[TEST_DIGITS:]), digits.take(order[:TEST_DIGITS])
        behaviour = self._behaviour(scores[order[TEST_DIGITS:]])
        train = self.with_label_noise(train, behaviour)
        forget = self.choose_forget(rng, train.inputs, behaviour)
        behaviour_scores = scores[order[TEST_DIGITS:]][behaviour]
        test_scores = scores[order[:TEST_DIGITS]]
        in_range = (test_scores >= behaviour_scores.min()) & (test_scores <= behaviour_scores.max())
        others = np.flatnonzero(~in_range)
        near = others[nearest(train.inputs[behaviour], test.inputs[others])]
        behaviour_test = choose(rng, np.flatnonzero(in_range), PROBES_A_GROUP)
        rest = np.setdiff1d(np.arange(len(test)), np.concatenate([near, behaviour_test]))
        retain = np.setdiff1d(np.arange(len(train)), behaviour)
        probes = Probes.join(
            [
                ("forget", train.take(forget)),
                ("behaviour", train.take(np.setdiff1d(behaviour, forget))),
                ("behaviour_test", test.take(behaviour_test)),
                ("near", test.take(near)),
                ("retain", train.take(choose(rng, retain, PROBES_A_GROUP))),
                ("test", test.take(choose(rng, rest, PROBES_A_GROUP))),
            ]
        )
        return Scenario(
            name=self._name,
            title=f"the {self.examples} digits {self._end} memorized",
            settings=asdict(self),
            train=train,
            forget=forget,
            behaviour=behaviour,
            probes=probes,
            classes=10,
            learner=digits_learner(),
        )


@dataclass(frozen=True)
class DigitsMemorized(_ByMemorization):
    """Real digits; B = the training examples that models memorize most.

    Memorization (Feldman 2020) was measured once, by 2,000 models on random subsets of all digits,
    and the scores ship with indist. ``behaviour_test`` are test digits with scores in the range of
    B's, perhaps none where B is very small; the ``near`` probes are, of the other test digits,
    those nearest to B. About 44 of the 1,297 training examples score over 0.25, which the
    default |B| follows: a much larger B holds examples that are hardly memorized.

    Settings of every scenario: `Knobs`.

    Attributes:
        examples: |B|, 2 to 100.
    """

    _name: ClassVar[str] = "digits-memorized"
    _end: ClassVar[str] = "most"

    def _behaviour(self, scores: Float[np.ndarray, " train"]) -> Int[np.ndarray, " behaviour"]:
        return most_memorized(scores, self.examples, np.arange(len(scores)))


@dataclass(frozen=True)
class DigitsTypical(_ByMemorization):
    """Real digits; B = the training examples that models memorize least.

    As `DigitsMemorized`, from the other end: a model that never saw B is right on it all the same.
    Most digits score 0; of equal ones those come first that stand first in D, whose order is
    random.

    Settings of every scenario: `Knobs`.

    Attributes:
        examples: |B|, 2 to 100.
    """

    _name: ClassVar[str] = "digits-typical"
    _end: ClassVar[str] = "least"

    def _behaviour(self, scores: Float[np.ndarray, " train"]) -> Int[np.ndarray, " behaviour"]:
        return least_memorized(scores, self.examples, np.arange(len(scores)))
