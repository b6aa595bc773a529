"""The checks that all floors use: what passes, and the words of each refusal."""

import numpy as np
import pytest

from estimators.checks import check_counts, check_grid, check_within


@pytest.mark.parametrize(
    ("interval", "inside", "outside"),
    [("(0, 1)", 0.5, 0.0), ("[0, 1)", 0.0, 1.0), ("(0, 1]", 1.0, 0.0), ("[-1, 1]", -1.0, 1.5)],
)
def test_ends_count_as_they_are_written(interval: str, inside: float, outside: float) -> None:
    check_within(interval, share=inside, shares=np.array([inside, inside]), none=np.array([]))
    for bad in (outside, float("nan")):
        with pytest.raises(ValueError, match="share: expected a number in "):
            check_within(interval, share=bad)
    with pytest.raises(ValueError, match=r"shares: expected numbers in .*, found .* to "):
        check_within(interval, shares=np.array([inside, outside]))


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
