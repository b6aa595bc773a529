"""What several scenarios need: common knobs, drawing subsets, the split of the digits."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import optax
from jaxtyping import Float, Int, Real

from estimators.checks import check_seed, check_within
from estimators.kinds import check_name
from oracles._learner import Learner
from oracles._probes import Examples
from oracles.forget_sets import centroid, clustered, k_centre
from oracles.modules._dense import MLP
from oracles.randomness import choose

TEST_DIGITS = 500
HELD_A_GROUP = 500
"""The most probes of S, and of B∖S: an audit looks at each of them."""
PROBES_A_GROUP = 100
"""The most probes of any other group."""

FOUND = ("random", "central", "clustered", "k-centre")
"""Which part of B may have been found: see `Knobs`."""


@dataclass(frozen=True)
class Knobs:
    """What can be set in every built-in scenario.

    A knob draws from a stream of its own: turning it changes what it names and nothing else of D.

    Attributes:
        seed: of the split of the data, of what is drawn, and of S.
        discovery: γ = |S| / |B|, in (0, 1].
        found: which part of B was found: "random"; "central", those nearest to the mean of B;
            "clustered", one at random and those nearest to it; "k-centre", spread so as to cover B.
            Distances are between inputs; see `oracles.forget_sets`.
        label_noise: share of the training labels outside B that are replaced by another label at
            random, in [0, 0.5). Probes of the group ``retain`` have their training labels.
    """

    seed: int
    discovery: float = 0.5
    found: str = "random"
    label_noise: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", check_seed(self.seed))
        check_within("(0, 1]", discovery=self.discovery)
        check_name(self.found, "found", FOUND)
        check_within("[0, 0.5)", label_noise=self.label_noise)

    def stream(self, knob: str) -> np.random.Generator:
        """A generator that only one knob draws from."""
        return np.random.default_rng([self.seed, *knob.encode()])

    def choose_forget(
        self,
        rng: np.random.Generator,
        features: Real[np.ndarray, "train ..."],
        behaviour: Int[np.ndarray, " behaviour"],
    ) -> Int[np.ndarray, " forget"]:
        """The part S of B that was found: γ|B| rounded, and at least one example."""
        if self.found == "random":
            return choose_forget(rng, behaviour, self.discovery)
        size = forget_size(behaviour, self.discovery)
        if self.found == "central":
            return centroid(features, size, behaviour)
        seed = int(self.stream("found").integers(2**32))
        choose_part = clustered if self.found == "clustered" else k_centre
        return choose_part(features, size, behaviour, seed)

    def with_label_noise(
        self, train: Examples, behaviour: Int[np.ndarray, " behaviour"]
    ) -> Examples:
        """D where some of the labels outside B are wrong."""
        rng = self.stream("label_noise")
        outside = np.setdiff1d(np.arange(len(train)), behaviour)
        wrong = choose(rng, outside, round(self.label_noise * len(outside)))
        labels = train.labels.copy()
        labels[wrong] = wrong_labels(rng, labels[wrong], np.unique(labels))
        return Examples(train.inputs, labels)


def choose_forget(
    rng: np.random.Generator, behaviour: Int[np.ndarray, " behaviour"], discovery: float
) -> Int[np.ndarray, " forget"]:
    """A uniformly random part S of B, with |S| = γ|B| rounded and at least one example."""
    return choose(rng, behaviour, forget_size(behaviour, discovery))


def forget_size(behaviour: Int[np.ndarray, " behaviour"], discovery: float) -> int:
    """|S| = γ|B| rounded, at least 1."""
    check_within("(0, 1]", discovery=discovery)
    return max(1, round(discovery * len(behaviour)))


def wrong_labels(
    rng: np.random.Generator,
    labels: Int[np.ndarray, " some"],
    existing: Int[np.ndarray, " existing"],
) -> Int[np.ndarray, " some"]:
    """For each label another of the labels that exist (sorted), drawn uniformly."""
    number = np.searchsorted(existing, labels) + rng.integers(1, len(existing), len(labels))
    return existing[number % len(existing)].astype(np.int32)


def highest_or_random(
    rng: np.random.Generator,
    scores: Real[np.ndarray, " pool"],
    count: int,
    regularity: float,
) -> Int[np.ndarray, " chosen"]:
    """Positions of ``count`` scores, by a mixture of two rules: the highest scores, and chance.

    Args:
        rng: the source of chance.
        scores: the scores.
        count: how many to choose.
        regularity: 1 for the highest scores alone, 0 for chance alone.

    Returns:
        Positions in ``scores``, in increasing order.
    """
    rank = np.argsort(np.argsort(scores, kind="stable")) / len(scores)
    mixed = regularity * rank + (1.0 - regularity) * rng.random(len(scores))
    return highest(mixed, count)


def highest(scores: Real[np.ndarray, " pool"], count: int) -> Int[np.ndarray, " chosen"]:
    """Positions of the ``count`` highest scores, in increasing order."""
    return np.sort(np.argsort(scores, kind="stable")[len(scores) - count :])


def handwriting(
    images: Float[np.ndarray, "images pixels"], other: Float[np.ndarray, "others pixels"]
) -> Float[np.ndarray, " pixels"]:
    """The direction in which images of one digit vary most, away from those of another digit."""
    mean = images.mean(axis=0)
    _, _, directions = np.linalg.svd(images - mean, full_matrices=False)
    return directions[0] * np.sign((mean - other.mean(axis=0)) @ directions[0])


def nearest(
    inputs: Float[np.ndarray, "inputs features"], pool: Float[np.ndarray, "pool features"]
) -> Int[np.ndarray, " chosen"]:
    """The nearest of the pool to each input, without repeats, at most `PROBES_A_GROUP`."""
    squares = ((inputs[:, None] - pool[None]) ** 2).sum(axis=-1)
    return np.unique(squares.argmin(axis=1))[:PROBES_A_GROUP]


def check_between(low: int, high: int, unit: str = "", **values: int) -> None:
    """Raises ValueError unless whole numbers, given by name, lie in a closed range."""
    for name, value in values.items():
        if not low <= value <= high:
            raise ValueError(f"{name}: expected {low} to {high}{unit}, found {value}")


def check_digits(**values: int) -> None:
    """Raises ValueError unless numbers, given by name, are digits."""
    for name, value in values.items():
        if not 0 <= value <= 9:
            raise ValueError(f"{name}: expected a digit 0 to 9, found {value}")


def with_fewer(
    rng: np.random.Generator, train: Examples, digit: int, examples: int | None
) -> Examples:
    """D with only so many examples of one digit; None leaves all."""
    of_digit = np.flatnonzero(train.labels == digit)
    kept = choose(rng, of_digit, len(of_digit) if examples is None else examples)
    left_out = np.setdiff1d(of_digit, kept)
    return train.take(np.setdiff1d(np.arange(len(train)), left_out))


def all_digits() -> Examples:
    """The 1,797 handwritten digits of scikit-learn in its order, pixels in [0, 1].

    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998.
    """
    # Imported here: scikit-learn takes longer than all else, and few scenarios need it.
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    return Examples(np.asarray(pixels, dtype=np.float32) / 16, np.asarray(labels, dtype=np.int32))


def split_digits(rng: np.random.Generator) -> tuple[Examples, Examples]:
    """The digits in a random order: 1,297 to train and 500 to test."""
    digits = all_digits()
    order = rng.permutation(len(digits))
    return digits.take(order[TEST_DIGITS:]), digits.take(order[:TEST_DIGITS])


def digits_learner() -> Learner:
    """The learner of the digits scenarios: MLP 64-128-10, SGD with momentum, 420 steps of 128."""
    return Learner(MLP((128, 10)), partial(optax.sgd, 0.1, momentum=0.9), steps=420, batch=128)
