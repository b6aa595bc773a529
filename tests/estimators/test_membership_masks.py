"""Membership is true and false: 0 and 1 mean the same, and nothing else is taken for either."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import estimators
from estimators import scores
from estimators.checks import check_mask

MEMBER = np.arange(20) < 10
DRAW = np.random.default_rng(4)
SCORES = DRAW.normal(size=(6, 20)) + 0.4 * MEMBER
OTHERS = DRAW.normal(size=(6, 20))
INCLUDED = DRAW.random((40, 20)) < 0.5
SHADOWS = DRAW.normal(size=(40, 20)) + 2.0 * INCLUDED
HALVES = np.tile([[True, False], [False, True]], (6, 1))
POINTS = DRAW.normal(size=(12, 4)) + HALVES[:, :1]
MATCHED = DRAW.random((2, 3, 5)) < 0.7

USES: dict[str, tuple[np.ndarray, Callable[[Any], Any]]] = {
    "auc_per_model": (MEMBER, lambda mask: scores.auc_per_model(SCORES, mask)),
    "tpr_per_model": (MEMBER, lambda mask: scores.tpr_per_model(SCORES, mask, fpr=0.2)),
    "privleak_value": (MEMBER, lambda mask: scores.privleak_value(SCORES, OTHERS, member=mask)),
    "privleak": (
        MEMBER,
        lambda mask: scores.privleak(SCORES, OTHERS, member=mask, seed=0).confidence_interval.low,
    ),
    "lira_scores": (INCLUDED, lambda mask: scores.lira_scores(SCORES, SHADOWS, mask)),
    "guess_overlaps": (
        HALVES,
        lambda mask: scores.guess_overlaps(POINTS, mask, POINTS, mask),
    ),
    "extraction_strength": (MATCHED, scores.extraction_strength),
    "one_run_epsilon": (MEMBER, lambda mask: estimators.one_run_epsilon(SCORES[0], mask).bound),
    "memorization": (INCLUDED, lambda mask: estimators.memorization(mask, SHADOWS > 0).estimate),
    "datamodel": (INCLUDED, lambda mask: estimators.datamodel(mask, SHADOWS).coefficients),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.float32])
def test_zero_and_one_mean_false_and_true(use: str, kind: type[np.generic]) -> None:
    mask, score = USES[use]
    np.testing.assert_array_equal(score(mask.astype(kind)), score(mask))


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("wrong", [2, -1, 0.5, np.nan])
def test_nothing_else_is_a_membership(use: str, wrong: float) -> None:
    mask, score = USES[use]
    numbers = mask.astype(np.float64)
    numbers.flat[0] = wrong
    with pytest.raises(ValueError, match=f"expected booleans or 0 and 1, found {wrong}"):
        score(numbers)


def test_the_shared_check() -> None:
    assert check_mask([1, 0], "member", (2,)).tolist() == [True, False]
    with pytest.raises(TypeError, match="member: expected booleans or 0 and 1, found dtype <U1"):
        check_mask(["a"], "member", (1,))
    with pytest.raises(ValueError, match=r"member: expected booleans \[3\], found \[2\]"):
        check_mask([True, False], "member", (3,))


def test_an_integer_mask_is_no_index() -> None:
    # The mask was taken for indices, and its negation for others: the area was below 0.
    found = scores.auc_per_model(SCORES, MEMBER.astype(int))
    assert ((found >= 0.0) & (found <= 1.0)).all()
