"""One exact upper bound over all observables: coverage, power, agreement with its decisions."""

import math

import numpy as np
import pytest

from estimators import (
    DiscreteEvents,
    IntervalUnions,
    SmoothedEvents,
    delta_upper_bound,
    pooled_delta_upper_bound,
)
from oracles.mechanisms import gaussian_mu


# Errors of 0.025 in 200 simulations: more than 13 with probability 5e-4, six cells.
@pytest.mark.parametrize(
    ("n", "m", "epsilon"),
    [(24, 24, 0.0), (40, 120, 1.0), (64, 64, 1.0)],
)
@pytest.mark.parametrize("tied", [False, True])
def test_a_bound_is_below_the_truth_as_seldom_as_said(
    n: int, m: int, epsilon: float, tied: bool
) -> None:
    rng = np.random.default_rng(n * 1000 + m + tied)
    truth, wrong = 0.205, 0
    shift = gaussian_mu(epsilon, truth)
    for _ in range(200):
        p, q = rng.normal(size=(n, 3)), rng.normal(size=(m, 3))
        if tied:
            # A binary observable with the same divergence, and two without any.
            rate = 0.25
            p[:, 0] = rng.random(n) < math.exp(epsilon) * rate + truth
            q[:, 0] = rng.random(m) < rate
            p[:, 1:], q[:, 1:] = np.round(p[:, 1:]), np.round(q[:, 1:])
        else:
            p[:, 0] += shift
        wrong += pooled_delta_upper_bound(p, q, epsilon=epsilon, confidence=0.975).bound < truth
    assert wrong <= 13


def test_fewer_models_than_with_joint_bounds_call_a_match_nine_times_in_ten() -> None:
    rng = np.random.default_rng(0)
    found: list[bool] = []
    joint: list[bool] = []
    for _ in range(100):
        p, q = rng.normal(size=(2, 95, 6))
        pooled = pooled_delta_upper_bound(p, q, epsilon=1.0, confidence=0.975, at=(0.2,))
        found.append(float(pooled.bound) <= 0.2)
        each = delta_upper_bound(p, q, epsilon=1.0, confidence=0.975)
        joint.append(float(each.bound.max()) <= 0.2)
    # 0.95 in truth: below 0.88 with probability 2e-3. The joint bound reaches it in 0.79.
    assert np.mean(found) >= 0.88
    assert np.mean(joint) <= 0.91


@pytest.mark.parametrize("seed", range(6))
def test_a_bound_is_on_the_grid_and_never_above_the_joint_one_moved_up_to_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, m = rng.integers(5, 80, 2)
    p, q = rng.normal(rng.uniform(0, 1.5), 1, (n, 4)), rng.normal(size=(m, 4))
    at = (0.123, 0.4567)
    result = pooled_delta_upper_bound(p, q, epsilon=np.array([0.0, 1.0]), at=at)
    joint = delta_upper_bound(p, q, epsilon=np.array([0.0, 1.0]))
    grid = np.unique(np.append(np.arange(1, 101) / 100, at))
    for bound, top in zip(result.bound, joint.bound.max(axis=1), strict=True):
        assert np.isclose(grid, bound).any()
        assert bound <= grid[np.searchsorted(grid, top)]
    np.testing.assert_array_equal(result.bound, np.maximum(result.forward, result.backward))
    swapped = pooled_delta_upper_bound(q, p, epsilon=np.array([0.0, 1.0]), at=at)
    np.testing.assert_array_equal(result.forward, swapped.backward)
    assert (result.estimate <= result.bound).all()
    # More numbers on the grid change no decision.
    finer = pooled_delta_upper_bound(p, q, epsilon=0.0, at=(*at, 0.2345))
    assert (finer.bound <= 0.123) == (result.bound[0] <= 0.123)


def test_every_counted_class_and_many_models() -> None:
    rng = np.random.default_rng(3)
    p, q = rng.integers(0, 4, (2, 60, 2)).astype(float)
    wider = [
        float(pooled_delta_upper_bound(p, q, epsilon=0.0, events=events).bound)
        for events in (IntervalUnions(1), DiscreteEvents())
    ]
    assert float(pooled_delta_upper_bound(p, q, epsilon=0.0).bound) <= wider[0] <= wider[1]
    p, q = rng.normal(size=(2, 1500, 2))
    many = float(pooled_delta_upper_bound(p, q, epsilon=0.0).bound)
    top = float(delta_upper_bound(p, q, epsilon=0.0).bound.max())
    assert top <= many <= top + 0.01


def test_one_model_a_side_says_nothing() -> None:
    result = pooled_delta_upper_bound(np.zeros(1), np.zeros(1), epsilon=1.0)
    assert result.bound >= 0.9


def test_what_is_refused() -> None:
    sample = np.zeros((5, 2))
    with pytest.raises(ValueError, match=r"at: expected numbers in \(0, 1\)"):
        pooled_delta_upper_bound(sample, sample, epsilon=0.0, at=(0.2, 1.0))
    with pytest.raises(ValueError, match="at least one observable"):
        pooled_delta_upper_bound(sample[:, :0], sample[:, :0], epsilon=0.0)
    with pytest.raises(TypeError, match="events: expected a counted class"):
        pooled_delta_upper_bound(sample, sample, epsilon=0.0, events=SmoothedEvents(0.1))
