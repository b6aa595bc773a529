"""Digits with a backdoor: a 2×2 patch that makes the model say what the attacker wants."""

from dataclasses import asdict, dataclass

import numpy as np
from jaxtyping import Float, Int

from estimators.checks import check_within
from oracles._probes import Examples, Probes
from oracles._scenario import Scenario
from oracles.randomness import choose
from oracles.scenarios._parts import (
    PROBES_A_GROUP,
    Knobs,
    check_between,
    check_digits,
    digits_learner,
    split_digits,
)


@dataclass(frozen=True)
class DigitsTrigger(Knobs):
    """Real digits; B = training examples that carry a 2×2 trigger and the attacker's label.

    The trigger is a bright patch in the lower right corner. Triggered digits were other digits
    before. The ``near`` probes carry the same patch in the upper left corner and their true label:
    a look-alike that the attacker never used.

    Settings of every scenario: `Knobs`.

    Attributes:
        poisoned: |B|, the number of triggered training examples, 2 to 600.
        target: the attacker's label, 0 to 9.
        strength: brightness of the patch, in (0, 1]; weaker is less regular.
        jitter: pixels by which the patch may lie off its corner, down or across, 0 to 2; more is
            less regular.
    """

    poisoned: int = 60
    target: int = 0
    strength: float = 1.0
    jitter: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_between(2, 600, " examples", poisoned=self.poisoned)
        check_digits(target=self.target)
        check_within("(0, 1]", strength=self.strength)
        check_between(0, 2, " pixels", jitter=self.jitter)

    def build(self) -> Scenario:
        """The scenario."""
        rng = np.random.default_rng(self.seed)
        train, test = split_digits(rng)
        behaviour = choose(rng, np.flatnonzero(train.labels != self.target), self.poisoned)
        inputs, labels = train.inputs.copy(), train.labels.copy()
        inputs[behaviour] = self._patched(inputs[behaviour], corner=6, stream="jitter")
        labels[behaviour] = self.target
        train = Examples(inputs, labels)
        train = self.with_label_noise(train, behaviour)
        forget = self.choose_forget(rng, train.inputs, behaviour)
        retain = np.setdiff1d(np.arange(len(train)), behaviour)
        other_digits = np.flatnonzero(test.labels != self.target)
        fresh = test.take(choose(rng, other_digits, PROBES_A_GROUP))
        target_labels = np.full(len(fresh), self.target, dtype=np.int32)
        triggered = self._patched(fresh.inputs, corner=6, stream="fresh")
        look_alike = self._patched(fresh.inputs, corner=0, stream="near")
        clean = test.take(choose(rng, np.arange(len(test)), PROBES_A_GROUP))
        probes = Probes.join(
            [
                ("forget", train.take(forget)),
                ("behaviour", train.take(np.setdiff1d(behaviour, forget))),
                ("behaviour_test", Examples(triggered, target_labels)),
                ("near", Examples(look_alike, fresh.labels)),
                ("retain", train.take(choose(rng, retain, PROBES_A_GROUP))),
                ("test", clean),
            ]
        )
        return Scenario(
            name="digits-trigger",
            title=f"digits with a 2×2 trigger in the corner, labelled {self.target} by an attacker",
            settings=asdict(self),
            train=train,
            forget=forget,
            behaviour=behaviour,
            probes=probes,
            classes=10,
            learner=digits_learner(),
        )

    def _patched(
        self, images: Float[np.ndarray, "images 64"], *, corner: int, stream: str
    ) -> Float[np.ndarray, "images 64"]:
        """Copies with the patch in a corner, which is at 0 or 6 both down and across."""
        offsets = self.stream(stream).integers(0, self.jitter + 1, (len(images), 2))
        return with_patch(images, np.abs(corner - offsets), self.strength)


def with_patch(
    images: Float[np.ndarray, "images 64"], places: Int[np.ndarray, "images 2"], strength: float
) -> Float[np.ndarray, "images 64"]:
    """Copies of 8×8 images with a 2×2 patch, whose upper left pixels (row, column) are given."""
    copies = images.reshape(-1, 8, 8).copy()
    for image, (row, column) in zip(copies, places, strict=True):
        image[row : row + 2, column : column + 2] = strength
    return copies.reshape(images.shape)
