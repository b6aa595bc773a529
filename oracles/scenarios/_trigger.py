"""Images with a backdoor: a bright patch that makes the model say what the attacker wants."""

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Int

from estimators.checks import check_within
from oracles._learner import Learner
from oracles._probes import Examples, Probes
from oracles._scenario import Scenario
from oracles.randomness import choose
from oracles.scenarios._parts import PROBES_A_GROUP, Knobs, check_between, check_digits


@dataclass(frozen=True)
class Trigger(Knobs, ABC):
    """B = training examples that carry a patch in the lower right corner and the attacker's label.

    Attributes:
        poisoned: |B|, the number of triggered training examples, at least 2.
        target: the attacker's label, 0 to 9.
        strength: brightness of the patch, in (0, 1]; weaker is less regular.
        jitter: pixels by which the patch may lie off its corner, down or across, 0 to 2; more is
            less regular.
    """

    poisoned: int = 60
    target: int = 0
    strength: float = 1.0
    jitter: int = 0

    # The scenario's name; pixels of an image and of the patch, down and across; the greatest |B|.
    name: ClassVar[str]
    side: ClassVar[int]
    patch: ClassVar[int]
    most: ClassVar[int]

    def __post_init__(self) -> None:
        super().__post_init__()
        check_between(2, self.most, " examples", poisoned=self.poisoned)
        check_digits(target=self.target)
        check_within("(0, 1]", strength=self.strength)
        check_between(0, 2, " pixels", jitter=self.jitter)

    @abstractmethod
    def split(self, rng: np.random.Generator) -> tuple[Examples, Examples]:
        """Clean examples to train on and to test on."""

    @abstractmethod
    def learner(self) -> Learner:
        """The learner."""

    def build(self) -> Scenario:
        """The scenario."""
        rng = np.random.default_rng(self.seed)
        train, test = self.split(rng)
        behaviour = choose(rng, np.flatnonzero(train.labels != self.target), self.poisoned)
        far = self.side - self.patch
        inputs, labels = train.inputs.copy(), train.labels.copy()
        inputs[behaviour] = self._patched(inputs[behaviour], corner=far, stream="jitter")
        labels[behaviour] = self.target
        train = Examples(inputs, labels)
        train = self.with_label_noise(train, behaviour)
        forget = self.choose_forget(rng, train.inputs, behaviour)
        retain = np.setdiff1d(np.arange(len(train)), behaviour)
        other_digits = np.flatnonzero(test.labels != self.target)
        fresh = test.take(choose(rng, other_digits, PROBES_A_GROUP))
        target_labels = np.full(len(fresh), self.target, dtype=np.int32)
        triggered = self._patched(fresh.inputs, corner=far, stream="fresh")
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
            name=self.name,
            title=f"digits with a {self.patch}×{self.patch} trigger in the corner, labelled "
            f"{self.target} by an attacker",
            settings=asdict(self),
            train=train,
            forget=forget,
            behaviour=behaviour,
            probes=probes,
            classes=10,
            learner=self.learner(),
        )

    def _patched(
        self, images: Float[np.ndarray, "images ..."], *, corner: int, stream: str
    ) -> Float[np.ndarray, "images ..."]:
        """Copies with the patch in a corner, which begins so many pixels down and across."""
        offsets = self.stream(stream).integers(0, self.jitter + 1, (len(images), 2))
        places: Int[np.ndarray, "images 2"] = np.abs(corner - offsets)
        copies = images.reshape(-1, self.side, self.side).copy()
        for image, (row, column) in zip(copies, places, strict=True):
            image[row : row + self.patch, column : column + self.patch] = self.strength
        return copies.reshape(images.shape)
