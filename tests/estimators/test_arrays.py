"""What comes in as an array: no masks, no integers that float64 merges, one door for all."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import estimators
from estimators import scores
from estimators.checks import check_array

HIDDEN = np.ma.array([1.0, 99.0, 2.0], mask=[False, True, False])
PLAIN = np.array([0.0, 1.5])
TABLE, EXAMPLES = np.zeros((4, 3)), np.array([True, False, True])
GROUPS = np.array(["forget", "retain", "test"])
PROBABILITIES = np.full((2, 3, 2), 0.5)


def masked(values: Any) -> Any:
    return np.ma.array(values, mask=np.zeros(np.shape(values), dtype=bool))


ENTRANCES: dict[str, Callable[[], Any]] = {
    "auc": lambda: estimators.auc(HIDDEN, PLAIN),
    "auc, second side": lambda: estimators.auc(PLAIN, HIDDEN),
    "tpr_at_fpr": lambda: estimators.tpr_at_fpr(HIDDEN, PLAIN, fpr=0.1),
    "delta_lower_bound": lambda: estimators.delta_lower_bound(HIDDEN, PLAIN, epsilon=0.0),
    "epsilon": lambda: estimators.delta_lower_bound(PLAIN, PLAIN, epsilon=masked([0.0, 1.0])),
    "alpha": lambda: estimators.tradeoff_curve(PLAIN, PLAIN, alpha=masked([0.0, 1.0])),
    "one-run scores": lambda: estimators.one_run_epsilon(HIDDEN, EXAMPLES),
    "one-run members": lambda: estimators.one_run_epsilon(np.zeros(3), masked(EXAMPLES)),
    "one-run counts": lambda: estimators.one_run_epsilon_from_counts(
        masked([2]), np.array([3]), examples=4
    ),
    "included": lambda: estimators.memorization(masked(TABLE > 0), TABLE),
    "outcome": lambda: estimators.memorization(TABLE > 0, masked(TABLE)),
    "set members": lambda: estimators.set_memorization(
        np.eye(4, 3) > 0, TABLE, members=masked([0, 1])
    ),
    "datamodeling score": lambda: estimators.linear_datamodeling_score(
        masked(np.zeros((40, 2))), np.zeros((40, 2))
    ),
    "klom": lambda: scores.klom_value(masked(TABLE), TABLE),
    "difference of means": lambda: scores.mean_difference(masked(TABLE), TABLE),
    "compared": lambda: scores.compared(HIDDEN, PLAIN, name="x"),
    "member": lambda: scores.auc_per_model(TABLE, masked(EXAMPLES)),
    "shadow models": lambda: scores.lira_scores(TABLE, TABLE, masked(TABLE > 0)),
    "groups": lambda: scores.tow_value(TABLE, TABLE, groups=masked(GROUPS)),
    "labels": lambda: scores.modified_entropy(PROBABILITIES, masked([0, 1, 1])),
    "clean labels": lambda: scores.corrective_accuracy(
        TABLE.astype(np.int64), masked(np.zeros(3, dtype=np.int64))
    ),
    "accuracies": lambda: scores.indiscernibility(masked([0.5, 0.6])),
    "percentages": lambda: scores.sape(masked([0.5]), np.array([0.5])),
    "tokens": lambda: scores.min_k_score(-np.ones((1, 2, 3)), masked([1, 2])),
    "matched": lambda: scores.extraction_strength(masked(np.ones((1, 1, 2), dtype=bool))),
    "overlaps": lambda: scores.subset_guessing_epsilon(masked([1, 1]), batches=2),
}


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_no_masked_array_comes_in(entrance: str) -> None:
    with pytest.raises(ValueError, match="expected an array without a mask, found a masked array"):
        ENTRANCES[entrance]()


def test_masks_within_lists_are_found() -> None:
    for values in ([1.0, np.ma.masked], [HIDDEN, HIDDEN], ([HIDDEN],)):
        with pytest.raises(ValueError, match="samples: expected an array without a mask"):
            check_array(values, "samples")


def test_neighbouring_integers_do_not_merge() -> None:
    first, second = np.full(300, 2**60 + 1), np.full(300, 2**60 + 2)
    for events in (estimators.DiscreteEvents(), estimators.HalfLines()):
        with pytest.raises(ValueError, match=r"p: expected numbers .* found 1152921504606846977"):
            estimators.delta_upper_bound(first, second, epsilon=0.0, events=events)
    with pytest.raises(ValueError, match="outcome: expected numbers that float64 holds"):
        estimators.memorization(np.eye(3, dtype=bool), np.full((3, 3), -(2**53) - 1))
    with pytest.raises(ValueError, match="submission: expected numbers that float64 holds"):
        scores.klom_value(np.full((2, 2), 2**63, dtype=np.uint64), np.zeros((2, 2)))


@pytest.mark.parametrize(
    "values",
    [
        [2**53 + 1],
        [-(2**53) - 1],
        [2**63, -1],
        [2**60 + 1, 0.5],
        [2**70],
        pd.DataFrame({"a": [2**60 + 1, 1], "b": [0.5, 0.5]}),
        np.longdouble(1.0) + np.finfo(np.longdouble).eps,
    ],
)
def test_what_float64_cannot_hold_is_refused(values: Any) -> None:
    if np.asarray(values).dtype == np.longdouble and np.finfo(np.longdouble).nmant <= 52:
        pytest.skip("long doubles are doubles here")
    with pytest.raises(ValueError, match="p: expected numbers that float64 holds"):
        check_array(values, "p")


def test_what_float64_holds_passes_unchanged() -> None:
    for values in ([2**53, -(2**53)], [2**53, 0.5], np.array([1e300, np.inf]), ["a"], 3, []):
        assert np.array_equal(check_array(values, "p"), np.asarray(values))
    array = np.arange(3)
    assert check_array(array, "p") is array
