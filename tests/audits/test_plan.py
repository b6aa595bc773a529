import numpy as np
import pytest

from audits._plan import _duration, _size, models_for_half_width, models_for_tolerance, plan
from indist import oracles
from tests.audits.decisions import decisions, normal, shift_of


# 60 repeats of a share of 0.9: below 0.78 with probability 0.002, and beyond it the plan's own
# rounding, two digits up.
@pytest.mark.parametrize(("epsilon", "tolerance"), [(0.0, 0.25), (1.0, 0.15)])
def test_the_models_planned_call_a_match_as_often_as_said(epsilon: float, tolerance: float) -> None:
    models = models_for_tolerance(tolerance, epsilon, 0.025, 4, seed=0)
    rng = np.random.default_rng(1)
    p, q = normal(rng, models, 60, 0.0), normal(rng, models, 60, 0.0)
    assert decisions(p, q, epsilon, tolerance, 0.025).count("match") >= 0.78 * 60
    fewer = round(0.7 * models)
    p, q = normal(rng, fewer, 60, 0.0), normal(rng, fewer, 60, 0.0)
    # Far fewer do not reach it: the plan is not wasteful.
    assert decisions(p, q, epsilon, tolerance, 0.025).count("match") <= 0.85 * 60


def test_the_models_planned_know_a_distance_as_well_as_said() -> None:
    from estimators import delta_lower_bound, delta_upper_bound

    models = models_for_half_width(0.2, 0.0, 0.025, 4, seed=0)
    rng = np.random.default_rng(2)
    widths: list[float] = []
    for distance in (0.0, 0.2, 0.5):
        shift = shift_of(distance, 0.0)
        p, q = normal(rng, models, 40, shift), normal(rng, models, 40, 0.0)
        low = delta_lower_bound(p, q, epsilon=0.0, confidence=1 - 0.025 / 4).bound.max(axis=1)
        high = delta_upper_bound(p, q, epsilon=0.0, confidence=0.975).bound.max(axis=1)
        widths.append(float(np.median(high - low)) / 2)
    assert 0.15 < max(widths) <= 0.215


def test_a_plan_scales_with_its_models() -> None:
    world = oracles.scenarios.load("circles", seed=0)
    small, large = (plan(world, tolerance=t, epsilon=0.0, seed=0) for t in (0.4, 0.2))
    assert large.models > 2 * small.models
    for one in (small, large):
        assert one.disk == 4 * one.models * (one.cost.parameters + one.cost.logits)
        assert one.memory == one.cost.memory + 8 * one.models * one.cost.logits
        assert one.seconds >= 4 * one.models * one.cost.seconds
    assert f"{large.models:,}" in str(large)
    assert large.to_dataframe()["models"].item() == large.models


def test_goals_out_of_reach_or_absurd_are_refused() -> None:
    world = oracles.scenarios.load("circles", seed=0)
    with pytest.raises(ValueError, match="expected either a tolerance or a half-width"):
        plan(world, tolerance=0.2, half_width=0.1, seed=0)
    with pytest.raises(ValueError, match=r"tolerance: expected a number in \(0, 1\), found 1"):
        plan(world, tolerance=1.0, seed=0)
    with pytest.raises(ValueError, match=r"half_width: expected a number in \(0, 1\), found -1"):
        plan(world, half_width=-1.0, seed=0)


def test_words() -> None:
    assert [_duration(s) for s in (9.0, 300.0, 7200.0)] == [
        "about 9 s",
        "about 5 min",
        "about 2.0 h",
    ]
    assert [_size(n) for n in (4_410_000, 3_200_000_000)] == ["about 4.41 MB", "about 3.2 GB"]
