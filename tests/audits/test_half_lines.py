import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from audits.verdict._compare import plug_in
from audits.verdict._half_lines import counts_below, divergence, masses_below
from estimators import delta_upper_bound


def slow_divergence(p: np.ndarray, q: np.ndarray, factor: float) -> tuple[float, float]:
    """Every open and closed half-line, one at a time."""
    best = [0.0, 0.0]
    for t in np.concatenate([p, q]):
        for event in (np.less, np.less_equal, np.greater, np.greater_equal):
            a, b = event(p, t).mean(), event(q, t).mean()
            best = [max(best[0], a - factor * b), max(best[1], b - factor * a)]
    return best[0], best[1]


samples = arrays(np.float64, st.integers(1, 12), elements=st.integers(-3, 3).map(float))


@settings(derandomize=True, deadline=None)
@given(samples, samples, st.floats(0.0, 2.0))
def test_plug_in_agrees_with_its_slow_twin_ties_included(
    p: np.ndarray, q: np.ndarray, epsilon: float
) -> None:
    found = plug_in(p[:, None], q[:, None], np.array([0.0, epsilon]), 1)
    expected = slow_divergence(p, q, math.exp(epsilon))
    assert found.curve.forward[1] == pytest.approx(expected[0], abs=1e-12)
    assert found.curve.backward[1] == pytest.approx(expected[1], abs=1e-12)
    assert found.each[0] == max(found.curve.forward[1], found.curve.backward[1])


def test_plug_in_is_the_estimate_of_the_upper_bound() -> None:
    rng = np.random.default_rng(0)
    p, q = rng.normal(size=(70, 3)), rng.normal(0.5, 2.0, size=(50, 3))
    epsilons = np.array([0.0, 0.5, 2.0])
    found, bound = plug_in(p, q, epsilons, 1), delta_upper_bound(p, q, epsilon=epsilons)
    np.testing.assert_allclose(found.each, bound.estimate[1], atol=1e-12)
    np.testing.assert_allclose(np.maximum(*found.curve), bound.estimate.max(axis=1), atol=1e-12)


def test_plug_in_is_the_greatest_over_weighted_masses_of_each_column() -> None:
    rng = np.random.default_rng(2)
    p, q = rng.normal(size=(41, 5)), rng.normal(0.3, 1.5, size=(37, 5))
    p[:, ::2], q[:, ::2] = np.round(p[:, ::2]), np.round(q[:, ::2])
    grid = np.linspace(0.0, 3.0, 7)
    weights = [np.full((1, len(sample)), 1.0 / len(sample)) for sample in (p, q)]
    columns = [
        divergence(*masses, np.exp(grid)[:, None]) for masses in masses_below((p, q), weights)
    ]
    forward, backward = (np.stack(side) for side in zip(*columns, strict=True))
    found = plug_in(p, q, grid, 2)
    np.testing.assert_array_equal(found.curve.forward, forward.max(axis=0))
    np.testing.assert_array_equal(found.curve.backward, backward.max(axis=0))
    np.testing.assert_array_equal(found.each, np.maximum(forward, backward)[:, 2])
    ones = [np.ones((1, len(sample)), dtype=np.int64) for sample in (p, q)]
    for below_p, below_q, masses in zip(
        *counts_below(p, q), masses_below((p, q), ones), strict=True
    ):
        kept = below_p + below_q > 0
        np.testing.assert_array_equal([below_p[kept], below_q[kept]], np.concatenate(masses))


def test_masses_under_weights_are_those_of_repeated_models() -> None:
    rng = np.random.default_rng(1)
    p, q = rng.integers(0, 5, size=(9, 2)).astype(float), rng.normal(size=(7, 2))
    counts = [rng.integers(0, 4, size=(3, len(sample))) for sample in (p, q)]
    for j, masses in enumerate(masses_below((p, q), counts)):
        thresholds = np.unique(np.concatenate([p[:, j], q[:, j]]))
        for sample, count, mass in zip((p, q), counts, masses, strict=True):
            expected = [
                [(np.repeat(sample[:, j], row) <= t).sum() for t in thresholds] for row in count
            ]
            np.testing.assert_array_equal(mass, expected)


def test_divergence_of_a_distribution_from_itself_is_zero() -> None:
    masses = np.linspace(0, 1, 11)
    assert divergence(masses, masses, 1.0) == (0.0, 0.0)
