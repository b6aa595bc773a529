import numpy as np
import pytest
from scipy import stats
from scipy.optimize import linprog

from estimators.curves._auc import auc
from estimators.curves._privacy_profile import privacy_profile
from estimators.curves._tradeoff_curve import convex_minorant, tradeoff_curve
from tests.estimators.pairs import limit


def gaussian_tradeoff(alpha: np.ndarray, mu: float) -> np.ndarray:
    return stats.norm.cdf(stats.norm.isf(alpha) - mu)


def plain_minorant(a: np.ndarray, b: np.ndarray, at: float) -> float:
    """The best mixture of tests at a type I error, as a linear programme."""
    a, b = np.append(a, [0, 1]), np.append(b, [1, 0])
    return linprog(
        b, A_ub=a[None], b_ub=[at], A_eq=np.ones((1, a.size)), b_eq=[1], method="highs"
    ).fun


def test_minorant_is_the_best_mixture_of_tests() -> None:
    draw = np.random.default_rng(1)
    for _ in range(10):
        a, b = draw.random((2, 12)).round(1)
        grid = np.array([0, 0.13, 0.5, 0.77, 1])
        plain = [plain_minorant(a, b, x) for x in grid]
        np.testing.assert_allclose(convex_minorant(a, b, grid), plain, atol=1e-9)


def test_estimate_is_the_conjugate_of_the_hockey_stick() -> None:
    draw = np.random.default_rng(2)
    p, q = draw.normal(0, 1, 60).round(1), draw.normal(1, 1.5, 80).round(1)
    curve = tradeoff_curve(p, q, alpha=np.linspace(0, 1, 2001))
    for epsilon in (0.0, 0.5, 1.5):
        delta = privacy_profile(q, p, epsilon=np.array([epsilon])).forward[0]
        # delta = max over alpha of 1 - beta - e^eps alpha; the grid of alpha misses the corner.
        gained = (1 - curve.beta - np.exp(epsilon) * curve.alpha).max()
        assert delta - np.exp(epsilon) / 2000 <= gained <= delta + 1e-12


@pytest.mark.parametrize(("n", "m"), [(20, 20), (50, 200)])
@pytest.mark.parametrize("mu", [0.0, 1.0, -1.0, 4.0])
def test_band_covers_the_whole_curve(n: int, m: int, mu: float) -> None:
    repeats, alpha, draw = 400, 0.1, np.random.default_rng(41)
    p, q = draw.normal(0, 1, (n, repeats)), draw.normal(mu, 1, (m, repeats))
    curve = tradeoff_curve(p, q, confidence=1 - alpha, alpha=np.linspace(0, 1, 21))
    truth = gaussian_tradeoff(curve.alpha, abs(mu))[:, None]
    ends = curve.confidence_interval
    held = ((ends.low <= truth) & (truth <= ends.high)).all(axis=0)
    # 3 standard errors: a false alarm in 740 seeds were the level exact.
    assert held.mean() >= 1 - limit(repeats, alpha)
    assert (np.diff(curve.beta, axis=0) <= 1e-12).all()
    assert (curve.beta <= 1 - curve.alpha[:, None] + 1e-12).all()


def test_band_covers_with_ties_and_either_orientation() -> None:
    # P = Bernoulli(0.3), Q = Bernoulli(0.6): the corner is (0.3, 0.4) whatever the labels.
    repeats, alpha, draw = 1_000, 0.1, np.random.default_rng(43)
    p = (draw.random((40, repeats)) < 0.3).astype(float)
    q = (draw.random((60, repeats)) < 0.6).astype(float)
    for sign in (1, -1):
        curve = tradeoff_curve(sign * p, sign * q, confidence=1 - alpha, alpha=np.array([0.3, 0.6]))
        truth = np.array([[0.4], [0.4 * 0.4 / 0.7]])
        ends = curve.confidence_interval
        held = ((ends.low <= truth + 1e-12) & (truth <= ends.high + 1e-12)).all(axis=0)
        assert held.mean() >= 1 - limit(repeats, alpha)


def test_the_area_over_the_curve_is_no_auc() -> None:
    draw = np.random.default_rng(47)
    p, q = draw.normal(size=(100, 200)), draw.normal(size=(100, 200))
    curve = tradeoff_curve(p, q)
    area = 1 - np.trapezoid(curve.beta, curve.alpha, axis=0)
    assert area.mean() > 0.55
    assert abs(auc(p, q).estimate.mean() - 0.5) < 0.01
    assert "biased downward" in curve.warnings[0]


def test_shapes_table_and_refusals() -> None:
    curve = tradeoff_curve(np.zeros((9, 2, 2)), np.ones((9, 2, 2)))
    assert curve.beta.shape == (101, 2, 2)
    assert curve.beta.max() == 0
    assert len(curve.to_dataframe()) == 404
    assert "trade-off" in str(curve)
    narrow = tradeoff_curve(np.zeros(9), np.ones(9), confidence=0.5)
    assert narrow.confidence_interval.high[10] < curve.confidence_interval.high[10, 0, 0]
    for bad in (0.5, [], [1.5], [float("nan")]):
        with pytest.raises(ValueError, match="alpha: expected a 1-D array"):
            tradeoff_curve(np.ones(3), np.ones(3), alpha=bad)
