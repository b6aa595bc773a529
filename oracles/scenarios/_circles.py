"""The 2-D picture of the note's Figure 1: circles and triangles."""

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
from oracles.scenarios._parts import PROBES_A_GROUP, Knobs, check_between

CIRCLE, TRIANGLE = 0, 1


@dataclass(frozen=True)
class Circles(Knobs):
    """Points in the plane; B = the circles of one cluster that lies among the triangles.

    Most circles live on the left and most triangles on the right. One small cluster of circles lies
    inside the triangles' half: the behaviour. The ``near`` probes are triangles on a ring around
    that cluster. After Figure 1 of "Is your algorithm unlearning or untraining?" (2026).

    Settings of every scenario: `Knobs`.

    Attributes:
        cluster: |B|, the number of circles in the cluster, 2 to 400.
        spread: standard deviation of the cluster, over 0; smaller is more regular.
    """

    cluster: int = 40
    spread: float = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        check_between(2, 400, " circles", cluster=self.cluster)
        check_within("(0, inf)", spread=self.spread)

    def build(self) -> Scenario:
        """The scenario."""
        rng = np.random.default_rng(self.seed)
        train_left, test_left = _plain(rng, CIRCLE, 300), _plain(rng, CIRCLE, 100)
        train_right, test_right = _plain(rng, TRIANGLE, 300), _plain(rng, TRIANGLE, 100)
        inside = _cluster(rng, self.cluster, self.spread)
        train = Examples(
            np.concatenate([train_left.inputs, train_right.inputs, inside.inputs]),
            np.concatenate([train_left.labels, train_right.labels, inside.labels]),
        )
        behaviour = np.arange(len(train) - self.cluster, len(train))
        train = self.with_label_noise(train, behaviour)
        forget = self.choose_forget(rng, train.inputs, behaviour)
        retain = np.arange(len(train) - self.cluster)
        probes = Probes.join(
            [
                ("forget", train.take(forget)),
                ("behaviour", train.take(np.setdiff1d(behaviour, forget))),
                ("behaviour_test", _cluster(rng, PROBES_A_GROUP, self.spread)),
                ("near", _ring(rng, PROBES_A_GROUP)),
                ("retain", train.take(choose(rng, retain, PROBES_A_GROUP))),
                (
                    "test",
                    Examples(
                        np.concatenate([test_left.inputs, test_right.inputs]),
                        np.concatenate([test_left.labels, test_right.labels]),
                    ),
                ),
            ]
        )
        return Scenario(
            name="circles",
            title="the circles of one cluster among the triangles",
            settings=asdict(self),
            train=train,
            forget=forget,
            behaviour=behaviour,
            probes=probes,
            classes=2,
            learner=Learner(
                MLP((32, 32, 2)), partial(optax.sgd, 0.1, momentum=0.9), steps=1000, batch=100
            ),
        )


_CENTRE = np.array([1.5, 0.0])
_CLEARING = 1.0


def _points(points: np.ndarray, label: int) -> Examples:
    return Examples(points.astype(np.float32), np.full(len(points), label, dtype=np.int32))


def _plain(rng: np.random.Generator, label: int, count: int) -> Examples:
    """Points of one class on its own side, none of them where the cluster lies."""
    mean = np.array([-1.5 if label == CIRCLE else 1.5, 0.0])
    points = mean + rng.normal(size=(8 * count, 2)) * np.array([0.8, 1.2])
    return _points(points[np.hypot(*(points - _CENTRE).T) > _CLEARING][:count], label)


def _cluster(rng: np.random.Generator, count: int, spread: float) -> Examples:
    return _points(_CENTRE + rng.normal(size=(count, 2)) * spread, CIRCLE)


def _ring(rng: np.random.Generator, count: int) -> Examples:
    angle = rng.uniform(0, 2 * np.pi, count)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return _points(_CENTRE + 1.2 * _CLEARING * circle, TRIANGLE)
