"""Facts told in several phrasings, and a small transformer that completes them."""

from dataclasses import asdict, dataclass
from functools import partial
from itertools import permutations

import numpy as np
import optax
from jaxtyping import Int

from oracles._learner import Learner
from oracles._probes import Examples, Probes
from oracles._scenario import Scenario
from oracles.modules._transformer import Transformer
from oracles.randomness import choose
from oracles.scenarios._parts import PROBES_A_GROUP, Knobs, check_between

_SUBJECTS, _RELATIONS, _OBJECTS, _WORDS = 20, 4, 8, 8
_LENGTH = 5
# Phrasings of each fact that are held out of training.
_HELD_OUT = 2
# What stands in a frame where the subject's token and the relation's will stand.
_SUBJECT_PLACE, _RELATION_PLACE = -1, -2
VOCABULARY = _SUBJECTS + _RELATIONS + _RELATIONS * _OBJECTS + _WORDS


@dataclass(frozen=True)
class Sequences(Knobs):
    """Invented facts as token sequences; B = every training phrasing of some facts.

    A fact says which of 8 objects a relation (of 4) joins to a subject (of 20), at random: nothing
    but its own phrasings tells it. A phrasing is 5 tokens, the subject and the relation among
    filler words in an order of its own, and the model is to say the object next; the classes are
    the 64 tokens. Two phrasings of each fact, drawn for it, are held out of training, so that every
    phrasing is known from other facts.

    B are the phrasings of ``facts`` facts of one relation. ``behaviour_test`` are their held-out
    phrasings; ``near`` those of the same subjects in other relations; ``test`` those of other
    subjects. The learner's 200 steps are about the fewest after which nearly all held-out phrasings
    are completed; a model that never saw B guesses among the relation's objects.

    Settings of every scenario: `Knobs`; distances between inputs count the tokens that differ.

    Attributes:
        facts: how many facts to forget, 1 to 19; |B| = facts · (phrasings − 2).
        phrasings: in how many ways each fact can be said, 4 to 16; fewer are less regular.
    """

    facts: int = 6
    phrasings: int = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        check_between(1, _SUBJECTS - 1, facts=self.facts)
        check_between(4, 16, phrasings=self.phrasings)

    def build(self) -> Scenario:
        """The scenario."""
        rng = np.random.default_rng(self.seed)
        frames = _frames(rng, self.phrasings)
        subject, relation, frame = (
            part.ravel() for part in np.indices((_SUBJECTS, _RELATIONS, self.phrasings))
        )
        objects = rng.integers(0, _OBJECTS, (_SUBJECTS, _RELATIONS))
        labels = _SUBJECTS + _RELATIONS + relation * _OBJECTS + objects[subject, relation]
        inputs = frames[frame]
        inputs = np.where(inputs == _SUBJECT_PLACE, subject[:, None], inputs)
        inputs = np.where(inputs == _RELATION_PLACE, _SUBJECTS + relation[:, None], inputs)
        phrases = Examples(inputs.astype(np.int32), labels.astype(np.int32))
        ranks = rng.random((_SUBJECTS, _RELATIONS, self.phrasings)).argsort(axis=2)
        held_out = ranks.ravel() < _HELD_OUT
        of_subjects = np.isin(subject, choose(rng, np.arange(_SUBJECTS), self.facts))
        of_relation = relation == rng.integers(_RELATIONS)
        fresh, train = phrases.take(held_out), phrases.take(~held_out)
        behaviour = np.flatnonzero((of_subjects & of_relation)[~held_out])
        train = self.with_label_noise(train, behaviour)
        features = (train.inputs[:, :, None] == np.arange(VOCABULARY)).astype(np.float32)
        forget = self.choose_forget(rng, features, behaviour)
        retain = np.setdiff1d(np.arange(len(train)), behaviour)
        other_subjects = np.flatnonzero(~of_subjects[held_out])
        probes = Probes.join(
            [
                ("forget", train.take(forget)),
                ("behaviour", train.take(np.setdiff1d(behaviour, forget))),
                ("behaviour_test", fresh.take((of_subjects & of_relation)[held_out])),
                ("near", fresh.take((of_subjects & ~of_relation)[held_out])),
                ("retain", train.take(choose(rng, retain, PROBES_A_GROUP))),
                ("test", fresh.take(choose(rng, other_subjects, PROBES_A_GROUP))),
            ]
        )
        return Scenario(
            name="sequences",
            title=f"all that says {self.facts} facts",
            settings=asdict(self),
            train=train,
            forget=forget,
            behaviour=behaviour,
            probes=probes,
            classes=VOCABULARY,
            learner=Learner(
                Transformer(VOCABULARY, width=32, heads=2, blocks=1),
                partial(optax.adam, 0.01),
                steps=200,
                batch=64,
            ),
        )


def _frames(rng: np.random.Generator, count: int) -> Int[np.ndarray, "count length"]:
    """Phrasings, no two the same: filler words, and a place each for subject and relation."""
    orders = list(permutations(range(_LENGTH), 2))
    shape = (len(orders), *[_WORDS] * (_LENGTH - 2))
    order, *words = np.unravel_index(rng.choice(np.prod(shape), count, replace=False), shape)
    frames = np.zeros((count, _LENGTH), dtype=np.int32)
    for frame, number, *filler in zip(frames, order, *words, strict=True):
        frame[list(orders[number])] = _SUBJECT_PLACE, _RELATION_PLACE
        frame[frame >= 0] = VOCABULARY - _WORDS + np.array(filler)
    return frames
