import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from audits.verdict._compare import plug_in_curves
from audits.verdict._half_lines import divergence, masses_below
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
    found = plug_in_curves(p[:, None], q[:, None], np.array([epsilon]))
    expected = slow_divergence(p, q, math.exp(epsilon))
    assert found.forward[0, 0] == pytest.approx(expected[0], abs=1e-12)
    assert found.backward[0, 0] == pytest.approx(expected[1], abs=1e-12)


def test_plug_in_is_the_estimate_of_the_upper_bound() -> None:
    rng = np.random.default_rng(0)
    p, q = rng.normal(size=(70, 3)), rng.normal(0.5, 2.0, size=(50, 3))
    epsilons = np.array([0.0, 0.5, 2.0])
    found = plug_in_curves(p, q, epsilons)
    bound = delta_upper_bound(p, q, epsilon=epsilons)
    np.testing.assert_allclose(np.maximum(*found), bound.estimate, atol=1e-12)


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
