"""Tabular records of which one source measured two features wrongly and reported the opposite."""

from dataclasses import asdict, dataclass
from functools import partial

import numpy as np
import optax
from jaxtyping import Float

from estimators.checks import check_within
from oracles._learner import Learner
from oracles._probes import Examples, Probes
from oracles._scenario import Scenario
from oracles.modules._dense import MLP
from oracles.randomness import choose
from oracles.scenarios._parts import PROBES_A_GROUP, Knobs, check_between

_TEST_RECORDS = 169
# Mean fractal dimension and smoothness error.
_SHIFTED = (9, 14)


@dataclass(frozen=True)
class CancerSource(Knobs):
    """Real tumour records; B = those of one source, which shifts two features and flips labels.

    569 records of 30 features (scikit-learn's breast cancer, Wisconsin), standardised by mean and
    standard deviation of the 400 training records, before any shift. The source is drawn at random:
    its records have ``shift`` standard deviations added to two features that say little of the
    label (mean fractal dimension, smoothness error), and the opposite label. ``behaviour_test`` are
    test records treated alike; the ``near`` probes are other test records with the same two
    features shifted the other way, and their true label. With twice the default shift,
    models that never saw the source were wrong on one in six of the ``near`` probes; with the
    default on one in 17.

    Settings of every scenario: `Knobs`.

    Attributes:
        records: |B|, the number of training records from the source, 2 to 150.
        shift: standard deviations added to each of the two features, over 0; less is less regular.

    References:
        Street, Wolberg and Mangasarian (1993), Nuclear feature extraction for breast tumor
        diagnosis.
    """

    records: int = 60
    shift: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_between(2, 150, " records", records=self.records)
        check_within("(0, inf)", shift=self.shift)

    def build(self) -> Scenario:
        """The scenario."""
        rng = np.random.default_rng(self.seed)
        train, test = _split(rng)
        behaviour = choose(rng, np.arange(len(train)), self.records)
        inputs, labels = train.inputs.copy(), train.labels.copy()
        inputs[behaviour] = _shifted(inputs[behaviour], self.shift)
        labels[behaviour] = 1 - labels[behaviour]
        train = self.with_label_noise(Examples(inputs, labels), behaviour)
        forget = self.choose_forget(rng, train.inputs, behaviour)
        retain = np.setdiff1d(np.arange(len(train)), behaviour)
        part = len(test) // 3
        fresh, near, rest = (test.take(slice(k * part, (k + 1) * part)) for k in range(3))
        probes = Probes.join(
            [
                ("forget", train.take(forget)),
                ("behaviour", train.take(np.setdiff1d(behaviour, forget))),
                (
                    "behaviour_test",
                    Examples(_shifted(fresh.inputs, self.shift), 1 - fresh.labels),
                ),
                ("near", Examples(_shifted(near.inputs, -self.shift), near.labels)),
                ("retain", train.take(choose(rng, retain, PROBES_A_GROUP))),
                ("test", rest),
            ]
        )
        return Scenario(
            name="cancer-source",
            title="tumour records of a source that measures wrongly and reports the opposite",
            settings=asdict(self),
            train=train,
            forget=forget,
            behaviour=behaviour,
            probes=probes,
            classes=2,
            learner=Learner(
                MLP((32, 2)), partial(optax.sgd, 0.05, momentum=0.9), steps=600, batch=64
            ),
        )


def _split(rng: np.random.Generator) -> tuple[Examples, Examples]:
    """400 records to train and 169 to test, in units of the training records' spread."""
    from sklearn.datasets import load_breast_cancer  # As in `all_digits`.

    inputs, labels = load_breast_cancer(return_X_y=True)
    order = rng.permutation(len(labels))
    inputs, labels = np.asarray(inputs)[order], np.asarray(labels, dtype=np.int32)[order]
    train = inputs[_TEST_RECORDS:]
    scaled = ((inputs - train.mean(axis=0)) / train.std(axis=0)).astype(np.float32)
    records = Examples(scaled, labels)
    return records.take(slice(_TEST_RECORDS, None)), records.take(slice(_TEST_RECORDS))


def _shifted(
    inputs: Float[np.ndarray, "records features"], shift: float
) -> Float[np.ndarray, "records features"]:
    """Copies with the two features shifted."""
    copies = inputs.copy()
    copies[:, _SHIFTED] += shift
    return copies
