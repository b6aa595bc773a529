"""What each scenario says it is, what its knobs turn, and the scores that ship with indist."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits

from indist import oracles
from oracles import _digits_memorization
from oracles.scenarios import _digits_memorized

load = oracles.scenarios.load
NAMES = sorted(oracles.scenarios.SCENARIOS)


def truth() -> dict[bytes, int]:
    """Position of each of the 1,797 digits by its pixels; no two are alike."""
    pixels = load_digits().data.astype(np.float32) / 16
    return {row.tobytes(): place for place, row in enumerate(pixels)}


def places(inputs: np.ndarray) -> np.ndarray:
    known = truth()
    return np.array([known[row.tobytes()] for row in inputs])


def digits_of(inputs: np.ndarray) -> np.ndarray:
    return load_digits().target[places(inputs)]


def group(scenario: oracles.Scenario, name: str) -> oracles.Examples:
    own = scenario.probes.groups == name
    return oracles.Examples(scenario.probes.inputs[own], scenario.probes.labels[own])


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("circles", "8afe847bce74caba1a8abe7d18d8e7e64e39f2c90afa6d1493fe43ff16a79f67"),
        ("digits-class", "9b4f4462f9c71efa049be1bde098bf5c0929b08a0d72747f952af6ab71adcf65"),
        (
            "digits-random-labels",
            "040384f9343cd92c9cef3baffcf87e0be026272f9458b695653503f86a5a8d72",
        ),
        ("digits-trigger", "e2133d261b8d14ae485bb3ab2b392529511022de5e54ca7a05ca6a4895074370"),
    ],
)
def test_knobs_at_their_defaults_change_nothing(name: str, digest: str) -> None:
    # Written down before these scenarios had common knobs.
    assert load(name, seed=0).digest == digest


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("found", ["central", "clustered", "k-centre"])
def test_found_says_which_part_of_the_behaviour(name: str, found: str) -> None:
    plain, other = load(name, seed=2), load(name, seed=2, found=found)
    np.testing.assert_array_equal(other.train.inputs, plain.train.inputs)
    np.testing.assert_array_equal(other.train.labels, plain.train.labels)
    np.testing.assert_array_equal(other.behaviour, plain.behaviour)
    assert len(other.forget) == len(plain.forget)
    assert set(other.forget) != set(plain.forget)
    assert other.digest == load(name, seed=2, found=found).digest
    inputs = other.train.inputs
    if name == "sequences":
        inputs = np.stack([inputs == token for token in range(other.classes)], axis=-1)
    points = {i: inputs[i].astype(np.float64).ravel() for i in other.behaviour}
    rest = sorted(set(other.behaviour) - set(other.forget))

    def distance(i: int, j: int) -> float:
        return float(np.sqrt(((points[i] - points[j]) ** 2).sum()))

    if found == "central":
        middle = sum(points.values()) / len(points)
        off = {i: np.sqrt(((point - middle) ** 2).sum()) for i, point in points.items()}
        assert max(off[i] for i in other.forget) <= min(off[i] for i in rest) + 1e-9
    elif found == "clustered":
        # Some member has no one outside nearer than the farthest member.
        assert any(
            max(distance(i, j) for j in other.forget) <= min(distance(i, j) for j in rest) + 1e-9
            for i in other.forget
        )
    else:
        # Of the greedy choice: members are as far apart as the set's farthest neighbour is off.
        radius = max(min(distance(i, j) for j in other.forget) for i in rest)
        apart = min(distance(i, j) for i in other.forget for j in other.forget if i < j)
        assert apart >= radius - 1e-9


@pytest.mark.parametrize("name", NAMES)
def test_label_noise_is_outside_the_behaviour_and_nowhere_else(name: str) -> None:
    plain, noisy = load(name, seed=4), load(name, seed=4, label_noise=0.3)
    np.testing.assert_array_equal(noisy.train.inputs, plain.train.inputs)
    np.testing.assert_array_equal(noisy.behaviour, plain.behaviour)
    np.testing.assert_array_equal(noisy.forget, plain.forget)
    np.testing.assert_array_equal(noisy.probes.inputs, plain.probes.inputs)
    changed = np.flatnonzero(noisy.train.labels != plain.train.labels)
    outside = len(plain.train) - len(plain.behaviour)
    assert len(changed) == round(0.3 * outside)
    assert not set(changed) & set(plain.behaviour)
    assert set(noisy.train.labels) <= set(plain.train.labels)
    fresh = plain.probes.groups != "retain"
    np.testing.assert_array_equal(noisy.probes.labels[fresh], plain.probes.labels[fresh])


def test_label_noise_takes_every_other_label_as_often() -> None:
    plain, noisy = load("digits-class", seed=0), load("digits-class", seed=0, label_noise=0.49)
    step = (noisy.train.labels - plain.train.labels) % 10
    counts = np.bincount(step[step > 0], minlength=10)[1:]
    expected = counts.sum() / 9
    # Chi-square with 8 degrees of freedom: over 42.7 with probability 1e-6.
    assert ((counts - expected) ** 2 / expected).sum() < 42.7


@pytest.mark.parametrize("digit", [0, 5])
def test_a_class_can_have_fewer_examples(digit: int) -> None:
    for name in ("digits-class", "digits-subclass"):
        whole = load(name, seed=1, digit=digit)
        fewer = load(name, seed=1, digit=digit, examples=30)
        assert len(fewer.behaviour) == 30
        assert len(fewer.train) == len(whole.train) - len(whole.behaviour) + 30
        rows = [
            {row.tobytes() for row in s.train.inputs[s.excluding(s.behaviour)]}
            for s in (whole, fewer)
        ]
        assert rows[0] == rows[1]
        assert (digits_of(fewer.train.inputs[fewer.behaviour]) == digit).all()


def test_triggers_can_be_weak_and_off_their_corner() -> None:
    scenario = load("digits-trigger", seed=0, strength=0.4, jitter=2, poisoned=200)
    plain = load("digits-trigger", seed=0, poisoned=200)
    np.testing.assert_array_equal(scenario.behaviour, plain.behaviour)

    def corners(images: np.ndarray) -> list[tuple[int, int]]:
        own = images.reshape(8, 8)
        return [
            (row, column)
            for row in range(7)
            for column in range(7)
            if (own[row : row + 2, column : column + 2] == np.float32(0.4)).all()
        ]

    seen = [corners(image) for image in scenario.train.inputs[scenario.behaviour]]
    assert all(len(own) == 1 for own in seen)
    # Nine places, 200 draws: one is missed with probability 9 (8/9)^200 = 5e-10.
    assert {own[0] for own in seen} == {(r, c) for r in (4, 5, 6) for c in (4, 5, 6)}
    near = [corners(image) for image in group(scenario, "near").inputs]
    assert {own[0] for own in near} <= {(r, c) for r in (0, 1, 2) for c in (0, 1, 2)}


def direction(images: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The leading eigenvector of the covariance, turned away from other images."""
    images = images.astype(np.float64)
    _, vectors = np.linalg.eigh(np.cov(images.T))
    first = vectors[:, -1]
    away = (images.mean(axis=0) - other.mean(axis=0)) @ first
    return first if away > 0 else -first


def test_swapped_digits_are_those_of_one_handwriting() -> None:
    scenario = load("digits-swap", seed=0, swapped=60)
    digits = digits_of(scenario.train.inputs)
    inside = np.isin(np.arange(len(scenario.train)), scenario.behaviour)
    np.testing.assert_array_equal(scenario.train.labels[~inside], digits[~inside])
    for digit, other in ((3, 8), (8, 3)):
        own = digits == digit
        assert (own & inside).sum() == 30
        assert (scenario.train.labels[own & inside] == other).all()
        along = direction(scenario.train.inputs[own], scenario.train.inputs[digits == other])
        scores = scenario.train.inputs @ along
        assert scores[own & inside].min() > scores[own & ~inside].max()
        fresh, near = (group(scenario, name) for name in ("behaviour_test", "near"))
        alike, others = (digits_of(probes.inputs) == digit for probes in (fresh, near))
        assert (fresh.labels[alike] == other).all()
        assert (near.labels[others] == digit).all()
        assert (fresh.inputs[alike] @ along).min() > (near.inputs[others] @ along).max()
        whole = alike.sum() + others.sum()
        assert alike.sum() == pytest.approx(whole * 30 / own.sum(), abs=0.5)
        assert whole == (load_digits().target == digit).sum() - own.sum()
    assert set(digits_of(group(scenario, "test").inputs)) == {0, 1, 2, 4, 5, 6, 7, 9}


@pytest.mark.parametrize(("name", "knob"), [("digits-swap", "swapped"), ("logistic-3v8", "wrong")])
def test_regularity_goes_from_the_rule_to_chance(name: str, knob: str) -> None:
    rule = load(name, seed=0, **{knob: 60})
    shared = [
        len(set(rule.behaviour) & set(load(name, seed=0, regularity=r, **{knob: 60}).behaviour))
        for r in (1.0, 0.5, 0.0)
    ]
    assert shared[0] == 60 > shared[1] > shared[2]
    # By chance 60 of about 255 or 60 of 131 are shared: at most 28 on average, sd under 4.
    assert shared[2] < 28 + 5 * 4


def test_a_subclass_is_one_digit_of_a_class() -> None:
    scenario = load("digits-subclass", seed=0, digit=4)
    digits = digits_of(scenario.train.inputs)
    np.testing.assert_array_equal(scenario.train.labels, digits // 2)
    np.testing.assert_array_equal(scenario.behaviour, np.flatnonzero(digits == 4))
    assert set(digits_of(group(scenario, "behaviour_test").inputs)) == {4}
    assert set(digits_of(group(scenario, "near").inputs)) == {5}
    assert set(digits_of(group(scenario, "test").inputs)) == {0, 1, 2, 3, 6, 7, 8, 9}
    assert set(group(scenario, "near").labels) == {2}
    assert scenario.classes == 5


def test_logistic_rows_have_norm_one_and_some_threes_are_called_eights() -> None:
    scenario = load("logistic-3v8", seed=0)
    norms = np.linalg.norm(scenario.train.inputs.astype(np.float64), axis=1)
    np.testing.assert_allclose(norms, 1.0, atol=1e-6)
    assert len(scenario.train) == 257
    data = load_digits()
    rows = data.data / np.linalg.norm(data.data, axis=1, keepdims=True)
    nearest = (scenario.train.inputs @ rows.T.astype(np.float32)).argmax(axis=1)
    digits = data.target[nearest]
    assert set(digits) == {3, 8}
    wrong = np.flatnonzero((digits == 8) != scenario.train.labels)
    np.testing.assert_array_equal(wrong, scenario.behaviour)
    assert (digits[wrong] == 3).all()
    along = direction(scenario.train.inputs[digits == 3], scenario.train.inputs[digits == 8])
    scores = scenario.train.inputs @ along
    rest = np.setdiff1d(np.flatnonzero(digits == 3), wrong)
    assert scores[wrong].min() > scores[rest].max()
    fresh, near = (group(scenario, name) for name in ("behaviour_test", "near"))
    assert set(fresh.labels) == {1}
    assert set(near.labels) == {0}
    assert (fresh.inputs @ along).min() > (near.inputs @ along).max()
    assert len(fresh) + len(near) == (data.target == 3).sum() - (digits == 3).sum()
    assert set(group(scenario, "test").labels) == {1}


def test_one_source_shifts_two_features_and_flips_the_label() -> None:
    data = load_breast_cancer()
    assert data.feature_names[[9, 14]].tolist() == ["mean fractal dimension", "smoothness error"]
    plain = load("cancer-source", seed=0, shift=1e-30)
    scenario = load("cancer-source", seed=0, shift=3.0)
    moved = scenario.train.inputs - plain.train.inputs
    expected = np.zeros((400, 30))
    expected[np.ix_(scenario.behaviour, [9, 14])] = 3.0
    np.testing.assert_allclose(moved, expected, atol=1e-5)
    np.testing.assert_allclose(plain.train.inputs.mean(axis=0), 0.0, atol=1e-5)
    np.testing.assert_allclose(plain.train.inputs.std(axis=0), 1.0, atol=1e-4)
    # Records of the source have the label that their nearest record in the data has not.
    order = {tuple(np.round(row, 3)): y for row, y in zip(*standard(data, plain), strict=True)}
    true = np.array([order[tuple(np.round(row, 3))] for row in plain.train.inputs.astype(float)])
    np.testing.assert_array_equal(np.flatnonzero(true != plain.train.labels), scenario.behaviour)


def standard(data: Any, plain: oracles.Scenario) -> tuple[np.ndarray, np.ndarray]:
    """All records in units of the 400 that the split puts last."""
    rng = np.random.default_rng(plain.settings["seed"])
    known = data.data[rng.permutation(569)[169:]]
    return (data.data - known.mean(axis=0)) / known.std(axis=0), data.target


def said(tokens: np.ndarray) -> list[tuple[int, int, tuple[int, ...]]]:
    """Subject, relation and phrasing of each sequence, read token by token."""
    facts = []
    for row in tokens.tolist():
        (subject,) = [token for token in row if token < 20]
        (relation,) = [token for token in row if 20 <= token < 24]
        frame = tuple(-1 if t == subject else -2 if t == relation else t for t in row)
        facts.append((subject, relation, frame))
    return facts


def test_sequences_say_facts_in_phrasings() -> None:
    scenario = load("sequences", seed=0, facts=5, phrasings=10)
    assert len(scenario.train) == 20 * 4 * 8
    assert len(scenario.behaviour) == 5 * 8
    told = said(scenario.train.inputs)
    assert len(set(told)) == len(told)
    assert len({frame for _, _, frame in told}) == 10
    objects: dict[tuple[int, int], int] = {}
    for (subject, relation, _), label in zip(told, scenario.train.labels.tolist(), strict=True):
        assert objects.setdefault((subject, relation), label) == label
        assert 24 + 8 * (relation - 20) <= label < 24 + 8 * (relation - 19)
    facts = {told[i][:2] for i in scenario.behaviour}
    assert len(facts) == 5
    assert len({relation for _, relation in facts}) == 1
    assert facts.isdisjoint(told[i][:2] for i in scenario.excluding(scenario.behaviour))
    subjects = {subject for subject, _ in facts}
    counts = {"behaviour_test": 10, "near": 5 * 3 * 2, "test": 100}
    for name, count in counts.items():
        probes = group(scenario, name)
        assert len(probes) == count
        fresh = said(probes.inputs)
        assert not set(fresh) & set(told)
        for (subject, relation, _), label in zip(fresh, probes.labels.tolist(), strict=True):
            assert objects[subject, relation] == label
            assert ((subject, relation) in facts) == (name == "behaviour_test")
            assert (subject in subjects) == (name != "test")


@pytest.mark.parametrize("seed", [0, 1])
def test_memorized_and_typical_digits_are_the_ends_of_the_scores(seed: int) -> None:
    scores = np.load(_digits_memorized.SCORES, allow_pickle=False)
    assert scores.shape == (1797,)
    assert _digits_memorized.SCORES.stat().st_size < 10_000
    for name, sign in (("digits-memorized", 1), ("digits-typical", -1)):
        scenario = load(name, seed=seed, examples=30)
        own = sign * scores[places(scenario.train.inputs)]
        others = scenario.excluding(scenario.behaviour)
        assert own[scenario.behaviour].min() >= own[others].max()
        fresh = sign * scores[places(group(scenario, "behaviour_test").inputs)]
        assert fresh.min() >= own[scenario.behaviour].min()
        near = sign * scores[places(group(scenario, "near").inputs)]
        assert not (near >= own[scenario.behaviour].min()).any() or sign < 0
        np.testing.assert_array_equal(scenario.train.labels, digits_of(scenario.train.inputs))


def test_scores_that_ship_are_what_a_fresh_measurement_finds() -> None:
    shipped = np.load(_digits_memorized.SCORES, allow_pickle=False).astype(np.float64)
    data = load_digits()
    everything = oracles.Examples((data.data / 16).astype(np.float32), data.target.astype(np.int32))
    world = oracles.Scenario(
        name="all",
        title="all",
        settings={},
        train=everything,
        forget=np.arange(1),
        behaviour=np.arange(1),
        probes=oracles.Probes.join([("retain", everything.take(np.arange(1)))]),
        classes=10,
        learner=load("digits-memorized", seed=0).learner,
    )
    runs = oracles.subset_runs(world, models=48, seed=11)
    included, right = runs.included, runs.correct
    for low, high in ((0.5, 1.0), (0.1, 0.5), (-0.01, 0.1)):
        members = (shipped > low) & (shipped <= high)
        own, known = included[:, members], right[:, members]
        # Unbiased for mean memorization, and independent from model to model.
        each = (own * known / 0.7 - ~own * known / 0.3).mean(axis=1)
        error = each.std(ddof=1) / np.sqrt(len(each))
        # Five standard errors and the shipped scores' own, at most 0.025: false alarm 1e-5 a group.
        assert abs(each.mean() - shipped[members].mean()) < 5 * error + 0.025
    # The first 16 of these models again.
    measured = _digits_memorization.measure(16, seed=11)
    included, right = included[:16], right[:16]
    for i in np.flatnonzero((shipped > 0.3) & ((~included).sum(axis=0) >= 4)):
        expected = right[included[:, i], i].mean() - right[~included[:, i], i].mean()
        assert measured[i] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "known", "unknown"),
    [
        ("cancer-source", 0.9, 0.3),
        ("digits-memorized", 0.85, 0.5),
        ("digits-subclass", 0.9, 0.3),
        ("digits-swap", 0.8, 0.3),
        ("logistic-3v8", 0.85, 0.3),
        ("sequences", 0.9, 0.4),
    ],
)
def test_models_show_the_behaviour_unless_they_never_saw_it(
    name: str, known: float, unknown: float
) -> None:
    scenario = load(name, seed=0)
    inside = np.isin(scenario.probes.groups, ["forget", "behaviour"])
    near = scenario.probes.groups == "near"
    accuracy: dict[str, float] = {}
    # Means of 2 models; the limits are 4 standard deviations or more from means of 16 others.
    for excluded in ("nothing", "behaviour"):
        models = oracles.train(scenario, excluded, stream="test", models=2, seed=0, width=2)
        correct = models.observe(scenario.probes).correct
        accuracy[excluded] = correct[:, inside].mean()
        assert correct[:, near].mean() > 0.7
    assert accuracy["nothing"] > known
    assert accuracy["behaviour"] < unknown


@pytest.mark.parametrize(
    ("name", "knobs", "message"),
    [
        ("circles", {"found": "all"}, "found: expected one of random, central.*found 'all'"),
        ("circles", {"label_noise": 0.5}, r"label_noise: expected a number in \[0, 0.5\)"),
        ("circles", {"label_noise": float("nan")}, "label_noise: expected a number.*found nan"),
        ("digits-class", {"examples": 1}, "examples: expected 2 to 100, or None for all, found 1"),
        ("digits-trigger", {"strength": 0.0}, r"strength: expected a number in \(0, 1\]"),
        ("digits-trigger", {"jitter": 3}, "jitter: expected 0 to 2 pixels, found 3"),
        ("digits-swap", {"first": 10}, "first: expected a digit 0 to 9, found 10"),
        ("digits-swap", {"second": 3}, "second: expected another digit than 3"),
        ("digits-swap", {"swapped": 11}, "swapped: expected an even number.*found 11"),
        ("digits-swap", {"regularity": 1.5}, r"regularity: expected a number in \[0, 1\]"),
        ("digits-subclass", {"digit": -1}, "digit: expected 0 to 9, found -1"),
        ("digits-subclass", {"examples": 101}, "examples: expected 2 to 100"),
        ("digits-memorized", {"examples": 1}, "examples: expected 2 to 100, found 1"),
        ("digits-typical", {"examples": 101}, "examples: expected 2 to 100, found 101"),
        ("cancer-source", {"records": 1}, "records: expected 2 to 150 records, found 1"),
        ("cancer-source", {"shift": 0.0}, "shift: expected a number over 0, found 0.0"),
        ("logistic-3v8", {"wrong": 101}, "wrong: expected 10 to 100 examples, found 101"),
        ("logistic-3v8", {"regularity": -0.1}, "regularity: expected a number"),
        ("sequences", {"facts": 20}, "facts: expected 1 to 19, found 20"),
        ("sequences", {"phrasings": 3}, "phrasings: expected 4 to 16, found 3"),
    ],
)
def test_bad_values_are_named(name: str, knobs: Mapping[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load(name, seed=0, **knobs)


@pytest.mark.parametrize(
    ("name", "knobs"),
    [
        ("circles", {"cluster": 120, "spread": 0.1}),
        ("digits-class", {"examples": 2}),
        ("digits-swap", {"swapped": 10}),
        ("digits-swap", {"swapped": 160, "regularity": 0.3}),
        ("digits-swap", {"first": 1, "second": 7}),
        ("digits-memorized", {"examples": 100}),
        ("digits-typical", {"examples": 2}),
        ("cancer-source", {"records": 150}),
        ("logistic-3v8", {"wrong": 10}),
        ("logistic-3v8", {"wrong": 100}),
        ("sequences", {"facts": 1, "phrasings": 4}),
        ("sequences", {"facts": 19, "phrasings": 16}),
    ],
)
def test_ends_of_the_ranges_are_worlds(name: str, knobs: Mapping[str, Any]) -> None:
    for seed in range(4):
        scenario = load(name, seed=seed, **knobs)
        assert set(scenario.probes.groups) == set(oracles.PROBE_GROUPS)
