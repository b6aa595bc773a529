import numpy as np
import pytest

from audits.memorization._influence_case import _case, _side, influence_case
from indist import oracles


@pytest.mark.parametrize(
    ("name", "settings", "case"),
    [
        ("digits-random-labels", {}, "high self-influence, low cross-influence"),
        ("digits-class", {"discovery": 0.1}, "low self-influence, low cross-influence"),
        ("digits-trigger", {"discovery": 0.9}, "high self-influence, high cross-influence"),
    ],
)
def test_the_notes_three_cases_on_digits(name: str, settings: dict[str, float], case: str) -> None:
    """Section 5 of the note; every interval is far from the threshold at 40 models."""
    scenario = oracles.scenarios.load(name, seed=0, **settings)
    found = influence_case(oracles.references(scenario, models=40, seed=0))
    assert found.case == case
    assert found.separation == "separated"
    assert found.groups == oracles.PROBE_GROUPS
    assert "the references can be told apart" in str(found)
    rows = found.to_dataframe().set_index("group")
    assert (rows["low"] <= rows["influence of S"]).all()
    assert (rows["influence of S"] <= rows["high"]).all()
    # All of B always matters to B, whatever S does.
    assert rows.loc["forget", "low of B"] > 0.5


def test_influence_is_the_difference_of_mean_correctness() -> None:
    scenario = oracles.scenarios.load("circles", seed=0)
    refs = oracles.references(scenario, models=12, seed=0)
    found = influence_case(refs)
    for place, group in enumerate(found.groups):
        mean = [
            (seen.logits.argmax(axis=2) == seen.labels)[:, seen.groups == group].mean()
            for seen in (part.observe(scenario.probes) for part in (refs.original, refs.untraining))
        ]
        assert found.estimate[place] == pytest.approx(mean[0] - mean[1], abs=1e-12)
    assert found.models == (12, 12, 12)


def test_references_that_coincide_are_said_to() -> None:
    scenario = oracles.scenarios.load("circles", seed=0, discovery=1.0)
    refs = oracles.references(scenario, models=120, seed=0)
    found = influence_case(refs, epsilon=1.0, tolerance=0.3)
    assert found.separation == "coincide"
    assert "behaviour" not in found.groups


def test_a_case_is_named_only_when_both_sides_are_known() -> None:
    assert _side(0.3, 0.5, 0.25) == "high"
    assert _side(-0.1, 0.2, 0.25) == "low"
    assert _side(0.2, 0.3, 0.25) is None
    assert _case(None, "low") == _case("high", None) == "undetermined"
    assert _case("low", "high") == "low self-influence, high cross-influence"


def test_bad_threshold() -> None:
    scenario = oracles.scenarios.load("circles", seed=0)
    refs = oracles.references(scenario, models=2, seed=0)
    with pytest.raises(ValueError, match=r"threshold: expected a number in \(0, 1\), found 0"):
        influence_case(refs, threshold=0.0)
    found = influence_case(refs)
    assert found.case == "undetermined"
    assert np.isfinite(found.estimate).all()
