import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedShuffleSplit, cross_val_score
from sklearn.svm import SVC

from estimators.scores._membership import (
    adaptive_unlearning_score,
    indiscernibility,
    logistic_attack,
    modified_entropy,
    sape,
    svc_attack,
)

GROUPS = np.array(["forget"] * 8 + ["retain"] * 16 + ["test"] * 12)
FEATURES = ("confidence", "correctness", "entropy", "modified entropy", "softmax")


def predictions(models: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    labels = draw.integers(3, size=36)
    logits = draw.normal(size=(models, 36, 3))
    boost = np.where(GROUPS == "retain", 3.0, 1.0)
    logits += boost[:, None] * np.eye(3)[labels]
    e = np.exp(logits)
    return e / e.sum(axis=2, keepdims=True), labels


def plain_modified_entropy(p: np.ndarray, y: int) -> float:
    total = -(1 - p[y]) * np.log(p[y])
    for i, value in enumerate(p):
        if i != y:
            total -= value * np.log(1 - value)
    return float(total)


def test_modified_entropy_is_the_definition_and_depends_on_the_label() -> None:
    p, labels = predictions(2, 3)
    found = modified_entropy(p, labels)
    for k in range(2):
        for j in range(36):
            assert found[k, j] == pytest.approx(plain_modified_entropy(p[k, j], labels[j]))
    # The code in circulation: log p for log(1 - p), all columns for all labels.
    other = modified_entropy(p, (labels + 1) % 3)
    assert (np.abs(found - other) > 1e-6).all()


def test_modified_entropy_at_certainty_is_finite() -> None:
    p = np.array([[[1.0, 0.0], [1.0, 0.0]]])
    right, wrong = modified_entropy(p, np.array([0, 1]))[0]
    assert right == 0
    assert 1000 < wrong < np.inf


@pytest.mark.parametrize("feature", FEATURES)
def test_svc_attack_is_as_published(feature: str) -> None:
    p, labels = predictions(3, 5)
    found = svc_attack(p, labels, GROUPS, feature=feature)  # pyright: ignore[reportArgumentType]
    for k in range(3):
        own = p[k][np.arange(36), labels]
        plain = {
            "confidence": own[:, None],
            "correctness": (p[k].argmax(axis=1) == labels)[:, None] * 1.0,
            "entropy": -(p[k] * np.log(p[k])).sum(axis=1)[:, None],
            "modified entropy": np.array(
                [[plain_modified_entropy(p[k, j], labels[j])] for j in range(36)]
            ),
            "softmax": p[k],
        }[feature]
        members, others = plain[8:24][:12], plain[24:]
        machine = SVC(C=3.0, gamma="auto").fit(np.r_[members, others], np.r_[[1] * 12, [0] * 12])
        assert found[k] == pytest.approx(np.mean(machine.predict(plain[:8]) == 0))


def test_svc_attack_succeeds_on_what_looks_like_test_examples() -> None:
    p, labels = predictions(40, 7)
    like_test = svc_attack(p, labels, GROUPS)
    swapped = GROUPS.copy()
    swapped[:8], swapped[16:24] = "retain", "forget"
    assert like_test.mean() > 0.5 > svc_attack(p, labels, swapped).mean()


def test_logistic_attack_finds_a_known_gap_and_no_gap() -> None:
    draw = np.random.default_rng(9)
    groups = np.repeat(["forget", "test"], [200, 300])
    losses = draw.normal(size=(4, 500))
    losses[2:, :200] -= 2.0
    found = logistic_attack(losses, groups, seed=0)
    # The best accuracy at a shift of 2 is Phi(1) = 0.84; 10 shuffles of 40 held-out examples.
    assert np.abs(found[2:] - 0.841).max() < 0.09
    assert np.abs(found[:2] - 0.5).max() < 0.12
    np.testing.assert_array_equal(found, logistic_attack(losses, groups, seed=0))


def test_logistic_attack_is_the_starting_kits() -> None:
    draw = np.random.default_rng(10)
    groups = np.repeat(["forget", "test"], [30, 30])
    losses = draw.normal(size=(3, 60)) - 1.0 * (groups == "forget")
    # Of equal groups the draw is a shuffle, which the stratified shuffles see as an order.
    order = np.random.default_rng(4)
    kept = np.concatenate([order.permutation(30), 30 + order.permutation(30)])
    plain = [
        cross_val_score(
            LogisticRegression(),
            row[kept][:, None],
            groups[kept] == "forget",
            cv=StratifiedShuffleSplit(n_splits=10, random_state=4),
        ).mean()
        for row in losses
    ]
    np.testing.assert_allclose(logistic_attack(losses, groups, seed=4), plain)


def test_indices() -> None:
    np.testing.assert_allclose(indiscernibility(np.array([0.5, 1.0, 0.25])), [1, 0, 0.5])
    np.testing.assert_allclose(sape(np.array([1.0, 0.0, -2]), np.array([3.0, 0, 2])), [50, 0, 100])
    found = adaptive_unlearning_score(np.array([0.8]), np.array([0.5]), original=0.9)
    assert found == pytest.approx((1 - 0.1) / 1.3)


def test_refuses_bad_input() -> None:
    p, labels = predictions(1, 11)
    with pytest.raises(TypeError, match="labels"):
        modified_entropy(p, labels * 1.0)
    with pytest.raises(ValueError, match="probabilities: expected probabilities that sum to 1"):
        svc_attack(p * 0.5, labels, GROUPS)
    with pytest.raises(ValueError, match="labels: expected classes 0 to 2, found"):
        svc_attack(p, labels + 1, GROUPS)
    with pytest.raises(ValueError, match="expected an example in 'val', found none"):
        svc_attack(p, labels, GROUPS, test="val")
    with pytest.raises(ValueError, match="expected at least 10 examples in each, found 8"):
        logistic_attack(p[..., 0], GROUPS, seed=0)
    with pytest.raises(ValueError, match=r"attack: expected numbers in \[0, 1\]"):
        indiscernibility(np.array([1.5]))
    with pytest.raises(ValueError, match="original: expected a number in"):
        adaptive_unlearning_score(np.ones(1), np.ones(1), original=90.0)


def test_percentage_errors_are_of_finite_numbers() -> None:
    one = np.array([0.5])
    for wrong, words in (
        (np.array([np.nan]), "expected finite numbers, found nan"),
        (np.array([np.inf]), "expected finite numbers, found inf"),
        (np.array([1e305]), "expected numbers in "),
        (np.ma.array([0.5], mask=[True]), "expected an array without a mask"),
    ):
        for given, name in (((wrong, one), "first"), ((one, wrong), "second")):
            with pytest.raises(ValueError, match=f"^{name}: {words}"):
                sape(*given)
    with pytest.raises(ValueError, match=r"first and second: expected the same shape, .*\(3,\)"):
        sape(np.ones(2), np.ones(3))
    assert sape(np.array([1.0, 3.0]), np.array(1.0)).tolist() == [0.0, 50.0]
