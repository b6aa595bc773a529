from typing import Any

import numpy as np
import pytest

from audits import GroupMedians, LearnedWitness
from audits._plan import _duration, _size, models_for_half_width, models_for_tolerance, plan
from audits.verdict._blocks import columns_of
from estimators import delta_lower_bound, pooled_delta_upper_bound, within_tolerance
from indist import oracles
from tests.audits.decisions import normal, shift_of


# 60 repeats of a share of 0.9: below 0.78 with probability 0.002, and beyond it the plan's own
# rounding, two digits up.
@pytest.mark.parametrize(("epsilon", "tolerance"), [(0.0, 0.25), (1.0, 0.15)])
def test_the_models_planned_call_a_match_as_often_as_said(epsilon: float, tolerance: float) -> None:
    models = models_for_tolerance(tolerance, epsilon, 0.025, 4, seed=0)
    assert models is not None
    rng = np.random.default_rng(1)
    p, q = normal(rng, models, 60, 0.0), normal(rng, models, 60, 0.0)
    settings: dict[str, Any] = {"epsilon": epsilon, "tolerance": tolerance, "confidence": 0.975}
    called = within_tolerance(p, q, **settings)
    assert called.mean() >= 0.78
    # It is the decision of the bound of an audit, sample by sample.
    for sample in range(8):
        bound = pooled_delta_upper_bound(
            p[:, sample], q[:, sample], epsilon=epsilon, confidence=0.975, at=(tolerance,)
        ).bound
        assert called[sample] == (bound <= tolerance)
    fewer = round(0.7 * models)
    p, q = normal(rng, fewer, 60, 0.0), normal(rng, fewer, 60, 0.0)
    # Far fewer do not reach it: the plan is not wasteful.
    assert within_tolerance(p, q, **settings).mean() <= 0.85


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
    assert small.models is not None
    assert large.models is not None
    assert large.models > 2 * small.models
    for found in (small, large):
        (row,), cost = found.needed, found.cost
        assert row.submitted == row.references
        assert row.disk == 4 * row.references * (cost.parameters + cost.logits)
        assert row.memory == cost.memory + 8 * row.references * cost.logits
        assert found.seconds >= 4 * row.references * cost.seconds
    assert f"{large.models:,}" in str(large)
    assert large.to_dataframe()["submitted"].item() == large.models


def test_more_references_need_fewer_submitted_models_and_too_few_none() -> None:
    world = oracles.scenarios.load("circles", seed=0)
    few, equal, many = plan(world, tolerance=0.3, reference_models=(20, 80, 320), seed=0).needed
    assert few.submitted is None
    assert equal.submitted is not None
    assert many.submitted is not None
    assert many.submitted < equal.submitted
    assert many.difference is not None
    assert equal.difference is not None
    assert many.difference <= equal.difference
    # At the number said a difference is shown, and at one fewer it is not.
    level = 0.0125 / columns_of(world.probes.groups)
    low = [
        float(
            delta_lower_bound(
                np.zeros(models), np.ones(320), epsilon=1.0, confidence=1.0 - level
            ).bound
        )
        for models in (many.difference - 1, many.difference)
    ]
    assert low[0] <= 0.3 < low[1]
    fewer = plan(
        world, tolerance=0.3, reference_models=80, observables=(GroupMedians(),), seed=0
    ).models
    assert fewer is not None
    assert fewer < equal.submitted
    with pytest.raises(ValueError, match="expected one that needs no learning"):
        plan(world, tolerance=0.3, observables=(LearnedWitness(),), seed=0)
    with pytest.raises(ValueError, match="reference_models: expected with a tolerance only"):
        plan(world, half_width=0.2, reference_models=64, seed=0)
    with pytest.raises(ValueError, match="reference_models: expected at least 2, found 1"):
        plan(world, tolerance=0.2, reference_models=1, seed=0)


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
