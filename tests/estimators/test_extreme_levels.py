"""Bounds at levels near 0: valid, smooth in the level and in the number of models."""

import numpy as np
import pytest
from scipy import stats

import estimators
from estimators.exact._binomial_pair import critical_scores, rejection
from estimators.exact._difference import difference_lower

LEVELS = (1e-6, 1e-10, 1e-11, 1e-13, 1e-15)


@pytest.mark.parametrize("n", [200, 1000, 1500])
def test_the_bound_falls_smoothly_with_the_level(n: int) -> None:
    tied = np.ones(n), np.zeros(n)
    bounds = [
        float(estimators.delta_lower_bound(*tied, epsilon=0.0, confidence=1.0 - level).bound)
        for level in LEVELS
    ]
    steps = -np.diff(bounds) / -np.diff(np.log10(LEVELS))
    assert bounds[-1] > 0.8
    assert (steps > 0.0).all()
    assert steps.max() < 3.0 * steps.min()


def test_the_bound_grows_smoothly_with_the_models() -> None:
    bounds = [
        float(
            estimators.delta_lower_bound(
                np.ones(n), np.zeros(n), epsilon=0.0, confidence=1.0 - 1e-11
            ).bound
        )
        for n in (200, 500, 1000, 1300)
    ]
    assert (np.diff(bounds) > 0.0).all()
    assert bounds[0] == pytest.approx(0.87, abs=0.01)
    assert bounds[2] > 0.97


@pytest.mark.parametrize(("x", "y"), [(60, 0), (55, 2), (60, 20)])
@pytest.mark.parametrize("alpha", [1e-8, 1e-13, 1e-16])
def test_the_difference_against_all_counts(x: int, y: int, alpha: float) -> None:
    n, m = 60, 50
    low = difference_lower(x, n, y, m, alpha)

    def greatest(difference: float) -> float:
        q = np.linspace(0.0, 1.0 - difference, 400)[:, None]
        law_x = stats.binom.pmf(np.arange(n + 1), n, np.minimum(q + difference, 1.0))
        law_y = stats.binom.pmf(np.arange(m + 1), m, q)
        beyond = np.arange(n + 1)[:, None] * m - np.arange(m + 1) * n >= x * m - y * n
        return float(np.einsum("kx,xy,ky->k", law_x, beyond.astype(float), law_y).max())

    assert greatest(low) <= alpha * (1.0 + 1e-6) or low == 0.0
    assert greatest(low + 0.02) > alpha


@pytest.mark.parametrize("alpha", [1e-12, 1e-16, 1e-30])
def test_the_region_has_its_size_at_small_levels(alpha: float) -> None:
    # Against 60 digits its size was alpha less a share of 5e-9 to 1.1e-8 at all of these weights.
    for weight in (0.1, 0.5, 0.95):
        size = rejection(*critical_scores(alpha, weight), weight)
        assert alpha * (1.0 - 2e-8) < size < alpha
    with pytest.raises(ValueError, match=r"expected a level alpha in \[1e-30, 1\)"):
        critical_scores(1e-31, 0.5)


@pytest.mark.parametrize("models", [300, 1100])
def test_tied_data_are_bounded_at_any_level(models: int) -> None:
    p = (np.arange(models) % 7 > 2) * 1.0
    q = (np.arange(models) % 7 > 5) * 1.0
    upper = [
        float(estimators.delta_upper_bound(p, q, epsilon=0.0, confidence=1.0 - level).bound)
        for level in LEVELS
    ]
    lower = [
        float(estimators.delta_lower_bound(p, q, epsilon=0.0, confidence=1.0 - level).bound)
        for level in LEVELS
    ]
    truth = float(p.mean() - q.mean())
    assert (np.diff(upper) > 0.0).all()
    assert (np.diff(lower) <= 0.0).all()
    assert lower[0] < truth < upper[0]
