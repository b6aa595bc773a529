"""The checks that all floors use: what passes, and the words of each refusal."""

from typing import Any

import numpy as np
import pytest

from estimators.checks import (
    check_all_within,
    check_array,
    check_confidence,
    check_counts,
    check_delta,
    check_epsilon,
    check_grid,
    check_numbers,
    check_within,
)


@pytest.mark.parametrize(
    ("interval", "inside", "outside"),
    [("(0, 1)", 0.5, 0.0), ("[0, 1)", 0.0, 1.0), ("(0, 1]", 1.0, 0.0), ("[-1, 1]", -1.0, 1.5)],
)
def test_ends_count_as_they_are_written(interval: str, inside: float, outside: float) -> None:
    check_within(interval, share=inside)
    check_all_within(interval, shares=np.array([inside, inside]), none=np.array([]))
    for bad in (outside, float("nan")):
        with pytest.raises(ValueError, match="share: expected a number in "):
            check_within(interval, share=bad)
    with pytest.raises(ValueError, match=r"shares: expected numbers in .*, found .* to "):
        check_all_within(interval, shares=np.array([inside, outside]))


def test_half_lines_are_said_in_words() -> None:
    with pytest.raises(ValueError, match="scale: expected a number over 0, found 0"):
        check_within("(0, inf)", scale=0)
    with pytest.raises(ValueError, match="scale: expected a number over 0, found inf"):
        check_within("(0, inf)", scale=float("inf"))
    with pytest.raises(ValueError, match="penalty: expected a number of at least 2, found 1"):
        check_within("[2, inf)", penalty=1)
    check_within("(0, inf]", scale=float("inf"))


def test_counts_and_grids() -> None:
    check_counts(models=1, splits=2)
    with pytest.raises(ValueError, match="splits: expected at least 2, found 1"):
        check_counts(least=2, splits=1)
    assert check_grid("[0, 1)", "delta", 0).shape == ()
    assert check_grid("[0, 1)", "delta", [0, 0.5]).dtype == np.float64
    for bad in ([], [[0.5]], 1.0, [0.5, np.nan]):
        with pytest.raises(ValueError, match=r"delta: expected numbers in \[0, 1\), a scalar or"):
            check_grid("[0, 1)", "delta", bad)


@pytest.mark.parametrize("wrong", ["1", True, None, 1j, {1: 2}, [0.5], [], ["0.5"]])
def test_one_number_is_no_text_truth_value_or_list(wrong: Any) -> None:
    with pytest.raises(TypeError, match="share: expected a number of at least 0, found "):
        check_within("[0, inf)", share=wrong)
    with pytest.raises(TypeError, match=r"confidence: expected a number in \(0, 1\), found "):
        check_confidence(wrong)


@pytest.mark.parametrize("wrong", ["1", True, None, 1j, {1: 2}, ["0.5"], [True]])
def test_numbers_of_a_grid_are_no_text_or_truth_values(wrong: Any) -> None:
    for check, name in ((check_epsilon, "epsilon"), (check_delta, "delta")):
        with pytest.raises(TypeError, match=f"{name}: expected numbers in .*, found "):
            check(wrong)


def test_arrays_name_what_is_wrong_with_them() -> None:
    for check in (check_array, check_numbers):
        with pytest.raises(ValueError, match="p: expected rows of one length, found several"):
            check([[1.0], [1.0, 2.0]], "p")
        with pytest.raises(ValueError, match="p: expected numbers that float64 holds"):
            check([10**20], "p")
        with pytest.raises(ValueError, match="found an integer of 332193 bits"):
            check(10**100_000, "p")
    with pytest.raises(ValueError, match="epsilon: expected rows of one length"):
        check_epsilon([1.0, [2.0, 3.0]])
    for wrong in ("a", None, {1: 2}, 1j):
        with pytest.raises(TypeError, match="p: expected real numbers, found dtype "):
            check_numbers(wrong, "p")
        with pytest.raises(TypeError, match="p: expected real numbers, found dtype "):
            check_all_within("[0, 1]", p=wrong)
    with pytest.raises(ValueError, match="p: expected finite numbers, found inf$"):
        check_numbers(np.inf, "p")
    assert check_numbers([True, 2], "p").dtype == np.float64
