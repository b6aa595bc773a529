"""Makers of forget sets against naive twins, and the worlds that they give."""

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from indist import oracles
from oracles import forget_sets

TRAIN = 40
AMONG = np.array([30, 3, 5, 8, 9, 12, 17, 21, 22, 25, 27, 39])
RNG = np.random.default_rng(0)
SCORES = RNG.uniform(-0.1, 1.0, TRAIN)
FEATURES = RNG.normal(size=(TRAIN, 2, 3)).astype(np.float32)

MAKERS: dict[str, Callable[[int, np.ndarray], np.ndarray]] = {
    "most_memorized": lambda size, among: forget_sets.most_memorized(SCORES, size, among),
    "least_memorized": lambda size, among: forget_sets.least_memorized(SCORES, size, among),
    "middle_memorized": lambda size, among: forget_sets.middle_memorized(SCORES, size, among),
    "random": lambda size, among: forget_sets.random(size, among, seed=1),
    "centroid": lambda size, among: forget_sets.centroid(FEATURES, size, among),
    "boundary": lambda size, among: forget_sets.boundary(SCORES - 0.5, size, among),
    "clustered": lambda size, among: forget_sets.clustered(FEATURES, size, among, seed=1),
    "k_centre": lambda size, among: forget_sets.k_centre(FEATURES, size, among, seed=1),
}


def test_every_maker_is_listed() -> None:
    assert sorted(MAKERS) == sorted(forget_sets.__all__)


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("size", [1, 5, len(AMONG)])
def test_contract(name: str, size: int) -> None:
    chosen = MAKERS[name](size, AMONG)
    assert len(chosen) == size
    assert (np.diff(chosen) > 0).all()
    assert set(chosen) <= set(AMONG)
    np.testing.assert_array_equal(chosen, MAKERS[name](size, AMONG))
    # The order in which candidates come says nothing.
    np.testing.assert_array_equal(chosen, MAKERS[name](size, np.sort(AMONG)))


@pytest.mark.parametrize("name", MAKERS)
def test_bad_requests(name: str) -> None:
    make = MAKERS[name]
    for size in (0, -1, len(AMONG) + 1):
        with pytest.raises(ValueError, match=rf"size: expected 1 to 12 .*, found {size}"):
            make(size, AMONG)
    with pytest.raises(ValueError, match="among: expected each training example once"):
        make(1, np.array([3, 3]))
    with pytest.raises(ValueError, match="among: expected at least one training example"):
        make(1, np.array([], dtype=np.int64))
    with pytest.raises(ValueError, match=r"among: expected indices 0 to \d+, found -1"):
        make(1, np.array([3, -1]))
    if name != "random":
        with pytest.raises(ValueError, match="among: expected indices 0 to 39, found 40"):
            make(1, np.array([3, 40]))


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("scores", forget_sets.most_memorized),
        ("scores", forget_sets.least_memorized),
        ("scores", forget_sets.middle_memorized),
        ("margins", forget_sets.boundary),
        ("features", forget_sets.centroid),
        ("features", lambda *args: forget_sets.clustered(*args, seed=0)),
        ("features", lambda *args: forget_sets.k_centre(*args, seed=0)),
    ],
)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite(
    name: str, call: Callable[..., np.ndarray], bad: float
) -> None:
    values = np.array([0.0, bad, 2.0, 3.0, bad])
    with pytest.raises(
        ValueError, match=rf"{name}: expected finite .* for training example 1 \(2 in all\)"
    ):
        call(values, 2, np.arange(5))
    # Elsewhere than among the candidates they may be.
    assert set(call(values, 2, np.array([0, 2, 3]))) < {0, 2, 3}


def test_memorized_sets_are_the_ends_and_the_middle() -> None:
    ranked = sorted(AMONG, key=lambda i: SCORES[i])
    assert set(forget_sets.least_memorized(SCORES, 4, AMONG)) == set(ranked[:4])
    assert set(forget_sets.most_memorized(SCORES, 4, AMONG)) == set(ranked[-4:])
    middle = np.median(SCORES[AMONG])
    nearest = sorted(AMONG, key=lambda i: abs(SCORES[i] - middle))[:4]
    assert set(forget_sets.middle_memorized(SCORES, 4, AMONG)) == set(nearest)


def test_ties_go_to_the_lower_index() -> None:
    level, among = np.zeros(TRAIN), np.sort(AMONG)
    for make in (
        forget_sets.most_memorized,
        forget_sets.least_memorized,
        forget_sets.middle_memorized,
        forget_sets.boundary,
        forget_sets.centroid,
    ):
        np.testing.assert_array_equal(make(level, 3, AMONG), among[:3])


def test_features_decide_by_distance() -> None:
    flat = FEATURES.reshape(TRAIN, -1).astype(np.float64)
    middle = flat[AMONG].mean(axis=0)
    ranked = sorted(AMONG, key=lambda i: np.linalg.norm(flat[i] - middle))
    assert set(forget_sets.centroid(FEATURES, 4, AMONG)) == set(ranked[:4])
    for seed in range(5):
        (drawn,) = forget_sets.clustered(FEATURES, 1, AMONG, seed)
        ranked = sorted(AMONG, key=lambda i: np.linalg.norm(flat[i] - flat[drawn]))
        assert set(forget_sets.clustered(FEATURES, 4, AMONG, seed)) == set(ranked[:4])
    margins = np.array([2.0, -0.1, 0.3, -3.0])
    np.testing.assert_array_equal(forget_sets.boundary(margins, 2, np.arange(4)), [1, 2])


def test_copies_are_different_examples() -> None:
    same = np.ones((6, 2))
    for seed in range(6):
        (drawn,) = forget_sets.clustered(same, 1, np.arange(6), seed)
        assert drawn in forget_sets.clustered(same, 2, np.arange(6), seed)
        assert len(set(forget_sets.k_centre(same, 6, np.arange(6), seed))) == 6


def test_draws_are_uniform_and_differ_between_seeds() -> None:
    counts = np.zeros(5)
    for seed in range(2000):
        counts[forget_sets.random(2, np.arange(5), seed)] += 1
    # Each count is binomial(2000, 0.4): 5 sigma is 110; wrong alarm below 5 × 6e-7.
    assert (abs(counts - 800) < 110).all()
    for make in (forget_sets.clustered, forget_sets.k_centre):
        assert len({tuple(make(FEATURES, 2, AMONG, seed)) for seed in range(20)}) > 1


def radius(points: np.ndarray, centres: tuple[int, ...]) -> float:
    apart = np.linalg.norm(points[:, None] - points[None, list(centres)], axis=-1)
    return float(apart.min(axis=1).max())


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_k_centre_is_within_twice_the_best_radius(size: int) -> None:
    rng = np.random.default_rng(7)
    among = np.arange(9)
    for trial in range(40):
        points = rng.normal(size=(9, 2)) * np.array([1.0, 10.0 ** (trial % 3)])
        best = min(radius(points, chosen) for chosen in combinations(range(9), size))
        found = forget_sets.k_centre(points, size, among, seed=trial)
        assert radius(points, tuple(found.tolist())) <= 2 * best + 1e-12


@pytest.mark.parametrize("name", sorted(oracles.scenarios.SCENARIOS))
def test_another_forget_set_in_the_same_world(name: str) -> None:
    before = oracles.scenarios.load(name, seed=0)
    found = forget_sets.centroid(before.train.inputs, 5, before.behaviour)
    after = before.with_forget(found)
    np.testing.assert_array_equal(after.forget, found)
    assert after.digest != before.digest
    assert after.description["settings"] != before.description["settings"]
    assert after.settings["discovery"] == after.discovery == 5 / len(before.behaviour)
    assert after.train is before.train
    for group, held in (("forget", found), ("behaviour", np.setdiff1d(after.behaviour, found))):
        mine = after.probes.groups == group
        np.testing.assert_array_equal(after.probes.inputs[mine], before.train.inputs[held])
        np.testing.assert_array_equal(after.probes.labels[mine], before.train.labels[held])
    for field in ("inputs", "labels", "groups", "ids"):
        old, new = (
            getattr(s.probes, field)[~np.isin(s.probes.groups, ("forget", "behaviour"))]
            for s in (before, after)
        )
        np.testing.assert_array_equal(old, new)
    # The same set in another order is the same world.
    again = before.with_forget(found[::-1].copy())
    assert (again.digest, again.settings) == (after.digest, after.settings)
    other = before.with_forget(forget_sets.random(5, before.behaviour, seed=0))
    assert other.settings["forget"] != after.settings["forget"]


def test_all_of_the_behaviour_leaves_no_behaviour_probes() -> None:
    scenario = oracles.scenarios.load("circles", seed=0)
    whole = scenario.with_forget(scenario.behaviour)
    assert whole.coincide
    assert "behaviour" not in set(whole.probes.groups)


def test_sets_outside_the_behaviour_are_refused() -> None:
    scenario = oracles.scenarios.load("circles", seed=0)
    for bad, message in (
        (np.array([0]), "found training example 0 in the forget set only"),
        (np.array([10**6]), "forget set: expected indices 0 to"),
        (np.array([scenario.behaviour[0]] * 2), "each training example once"),
        (np.array([], dtype=np.int64), "forget set: expected at least one"),
    ):
        with pytest.raises(ValueError, match=message):
            scenario.with_forget(bad)


def test_examples_stay_with_their_persons() -> None:
    before = oracles.scenarios.load("circles", seed=0)
    probes = before.probes
    persons = [f"p{k % 5}" if group != "test" else "" for k, group in enumerate(probes.groups)]
    told = replace(before, probes=replace(probes, persons=np.array(persons)))
    whose = dict(zip((x.tobytes() for x in probes.inputs), persons, strict=True))
    after = told.with_forget(before.behaviour[:3]).probes
    assert after.persons is not None
    assert list(after.persons) == [whose[x.tobytes()] for x in after.inputs]
    assert before.with_forget(before.behaviour[:3]).probes.persons is None
