"""Grades in the table of algorithms: how far off, and which pairs are in order."""

import math

import pytest

from indist.studies.algorithms._graded import Graded, ordered_pairs, shown_grade

NOTHING = Graded(None, None, None)


@pytest.mark.parametrize(
    ("grade", "off"),
    [
        (Graded(0.5, 0.4, 0.7), (0.5, 0.3, 0.6)),
        (Graded(0.9, 0.8, 1.3), (0.1, 0.0, 0.3)),
        # Too far is as far off as too near.
        (Graded(1.6, 1.5, 1.8), (0.6, 0.5, 0.8)),
        (NOTHING, (math.inf, 0.0, math.inf)),
        (Graded(0.5, None, None), (math.inf, 0.0, math.inf)),
    ],
)
def test_how_far_off(grade: Graded, off: tuple[float, float, float]) -> None:
    assert grade.off == pytest.approx(off)


def test_pairs_are_ordered_where_intervals_lie_apart_and_within_a_scenario() -> None:
    near, far, wide = Graded(0.9, 0.8, 1.0), Graded(0.1, 0.0, 0.2), Graded(0.5, 0.1, 0.95)
    scenarios = ["one", "one", "one", "other"]
    grades = [(near, NOTHING), (far, far), (wide, near), (far, far)]
    pairs, ordered = ordered_pairs(scenarios, grades)
    assert pairs == 3
    assert ordered == {"untraining": 1, "unlearning": 1, "either": 2}
    assert ordered_pairs([], []) == (0, {"untraining": 0, "unlearning": 0, "either": 0})


def test_grades_are_shown_with_their_interval_or_not_at_all() -> None:
    assert shown_grade(Graded(0.5, 0.411, 0.588)) == "0.50 [0.41, 0.59]"
    assert shown_grade(NOTHING) == ""
