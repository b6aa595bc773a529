from itertools import product
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.verdict._results import Decision, Separation
from audits.verdict._rule import decide, separate, verdict_of

DECISIONS = get_args(Decision)


@pytest.mark.parametrize(
    ("untraining", "unlearning", "expected"),
    [
        ("match", "differ", "untraining"),
        ("differ", "match", "unlearning"),
        ("match", "match", "both"),
        ("differ", "differ", "neither"),
        ("open", "match", "inconclusive"),
        ("match", "open", "inconclusive"),
        ("differ", "open", "inconclusive"),
        ("open", "open", "inconclusive"),
    ],
)
@pytest.mark.parametrize("separation", ["separated", "unresolved"])
def test_table(
    untraining: Decision, unlearning: Decision, expected: str, separation: Separation
) -> None:
    assert verdict_of(untraining, unlearning, separation) == expected


def test_references_that_coincide_leave_no_verdict_that_tells_them_apart() -> None:
    found = {pair: verdict_of(*pair, "coincide") for pair in product(DECISIONS, repeat=2)}
    assert found.pop(("match", "match")) == "both"
    assert found.pop(("differ", "differ")) == "neither"
    assert set(found.values()) == {"inconclusive"}


def test_at_the_tolerance_itself_an_upper_bound_matches_and_a_lower_one_does_not_differ() -> None:
    assert decide(0.0, 0.2, 0.2) == "match"
    assert decide(0.2, 0.5, 0.2) == "open"
    assert decide(0.0, 0.2000001, 0.2) == "open"


def test_bounds_that_contradict_each_other_decide_nothing() -> None:
    assert decide(0.3, 0.1, 0.2) == "open"


bound = st.floats(0.0, 1.0)


@settings(derandomize=True, deadline=None)
@given(bound, bound, st.floats(0.01, 0.99), st.floats(0.0, 0.5))
def test_wider_bounds_never_decide_more(
    low: float, high: float, tolerance: float, slack: float
) -> None:
    low, high = min(low, high), max(low, high)
    tight = decide(low, high, tolerance)
    wide = decide(max(0.0, low - slack), min(1.0, high + slack), tolerance)
    assert wide in ("open", tight)


def test_separation_names_what_the_references_say_of_the_question() -> None:
    assert [separate(d) for d in ("match", "differ", "open")] == [
        "coincide",
        "separated",
        "unresolved",
    ]
