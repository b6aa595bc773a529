import numpy as np
import pytest

from estimators.checks import check_labels
from estimators.scores._corrective import corrective_accuracy
from estimators.scores._membership import modified_entropy, svc_attack


def test_counts_clean_labels_not_the_poisons() -> None:
    # Labels 3 and 5 swapped in training: a model that still swaps them is right on nothing.
    clean = np.array([3, 5, 3, 5])
    predicted = np.array([[5, 3, 5, 3], [3, 5, 5, 5]])
    assert list(corrective_accuracy(predicted, clean)) == [0.0, 0.75]


def test_refuses_bad_input() -> None:
    with pytest.raises(ValueError, match=r"clean: expected classes \[4\], found"):
        corrective_accuracy(np.zeros((2, 4), dtype=int), np.zeros(3, dtype=int))


@pytest.mark.parametrize("mark", [-100, -1])
def test_marks_of_what_has_no_label_are_no_classes(mark: int) -> None:
    # They counted as classes that a model can have right or wrong.
    wrong = f"expected classes of at least 0, found {mark}: leave out what has no label"
    with pytest.raises(ValueError, match=f"clean: {wrong}"):
        corrective_accuracy(np.array([[0, 1, 1]]), np.array([0, 1, mark]))
    with pytest.raises(ValueError, match=f"predicted: {wrong}"):
        corrective_accuracy(np.array([[0, 1, mark]]), np.array([0, 1, 1]))
    probabilities, labels = np.full((2, 3, 2), 0.5), np.array([0, 1, mark])
    with pytest.raises(ValueError, match=f"labels: {wrong}"):
        modified_entropy(probabilities, labels)
    with pytest.raises(ValueError, match=f"labels: {wrong}"):
        svc_attack(probabilities, labels, np.array(["forget", "retain", "test"]))


def test_one_rule_for_labels() -> None:
    assert check_labels(np.array([0, 2], dtype=np.uint8), "y", (2,), classes=3).tolist() == [0, 2]
    with pytest.raises(TypeError, match="y: expected whole numbers, found dtype float64"):
        check_labels([0.0, 1.0], "y", (2,))
    with pytest.raises(ValueError, match="y: expected classes 0 to 1, found 2"):
        check_labels([0, 2], "y", (2,), classes=2)
