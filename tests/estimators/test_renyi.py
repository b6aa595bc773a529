import numpy as np
import pytest
from scipy import integrate, stats

from estimators.curves._renyi import (
    GaussianPlugin,
    HistogramPlugin,
    _discrete_divergence,
    _normal_divergence,
    binary_divergence,
    renyi_divergence,
)
from tests.estimators.pairs import limit

ORDERS = np.array([0.5, 1.0, 2.0, 8.0])


def plain_divergence(p: stats.rv_continuous, q: stats.rv_continuous, order: float) -> float:
    def inside(x: float) -> float:
        log = p.logpdf(x) - q.logpdf(x)
        return p.pdf(x) * (log if order == 1 else np.exp((order - 1) * log))

    value = integrate.quad(inside, -40, 40, points=[0, 1], limit=400)[0]
    return value if order == 1 else np.log(value) / (order - 1)


@pytest.mark.parametrize("order", [0.5, 1.0, 1.5, 2.0])
def test_normal_formula_agrees_with_the_integral(order: float) -> None:
    draw = np.random.default_rng(1)
    p, q = draw.normal(0.5, 0.8, (200, 1)), draw.normal(0, 1, (200, 1))
    plain = plain_divergence(
        stats.norm(p.mean(), p.std(ddof=1)), stats.norm(q.mean(), q.std(ddof=1)), order
    )
    assert _normal_divergence(p, q, order)[0] == pytest.approx(plain, rel=1e-6)


def test_normal_formula_at_its_ends() -> None:
    draw = np.random.default_rng(3)
    wide, narrow = 3 * draw.normal(size=(100, 1)), draw.normal(size=(100, 1))
    assert np.isinf(_normal_divergence(wide, narrow, 2.0)[0])
    assert np.isfinite(_normal_divergence(narrow, wide, 2.0)[0])
    constant = np.ones((100, 1))
    assert _normal_divergence(constant, constant, 2.0)[0] == 0
    assert np.isinf(_normal_divergence(constant, narrow, 2.0)[0])
    # Equal variances: order times the squared shift, halved (Mironov 2017, proposition 7).
    shifted = narrow + 2 * narrow.std(ddof=1)
    assert _normal_divergence(shifted, narrow, 3.0)[0] == pytest.approx(3 * 4 / 2)


@pytest.mark.parametrize("order", ORDERS)
def test_coins(order: float) -> None:
    a, b = np.array([0.9, 0.2, 0.5, 1.0, 0.3]), np.array([0.2, 0.9, 0.5, 0.5, 0.0])
    found = binary_divergence(a, b, order)
    plain = _discrete_divergence(np.array([0.9, 0.1]), np.array([0.2, 0.8]), order)
    assert found[0] == pytest.approx(plain, rel=1e-6)
    assert found[1] == 0
    assert found[2] == 0
    assert found[3] == pytest.approx(np.log(2), rel=1e-6)
    assert found[4] > 0.3
    grid = np.linspace(0, 1, 41)
    surface = binary_divergence(grid[:, None], grid, order)
    assert (np.diff(surface, axis=0) >= -1e-9).all()
    assert (np.diff(surface, axis=1) <= 1e-9).all()


@pytest.mark.parametrize("mu", [0.0, 1.0, -3.0])
def test_the_bound_holds_for_all_orders_and_both_directions_at_once(mu: float) -> None:
    repeats, alpha, draw = 1_000, 0.1, np.random.default_rng(103)
    p, q = draw.normal(mu, 1, (50, repeats)), draw.normal(0, 1, (80, repeats))
    result = renyi_divergence(p, q, order=ORDERS, plugin=HistogramPlugin(5), confidence=1 - alpha)
    held = (result.confidence_interval.low <= ORDERS[:, None] * mu**2 / 2).all(axis=0)
    # 3 standard errors: a false alarm in 740 seeds were the level exact.
    assert held.mean() >= 1 - limit(repeats, alpha)
    if mu:
        assert result.confidence_interval.low[2].mean() > 0.03


def test_the_bound_holds_with_ties_against_the_exact_discrete_divergence() -> None:
    a, b = np.array([0.6, 0.3, 0.1]), np.array([0.2, 0.3, 0.5])
    repeats, draw = 1_000, np.random.default_rng(107)
    p = draw.choice(3, size=(60, repeats), p=a).astype(float)
    q = draw.choice(3, size=(60, repeats), p=b).astype(float)
    result = renyi_divergence(p, q, order=2.0, plugin=HistogramPlugin(3), confidence=0.9)
    truth = max(_discrete_divergence(a, b, 2.0), _discrete_divergence(b, a, 2.0))
    assert (result.confidence_interval.low <= truth).mean() >= 0.9
    # With as many bins as letters the plug-in is consistent.
    assert np.median(result.estimate) == pytest.approx(truth, rel=0.15)


def test_plugins_near_the_truth_and_honest_about_it() -> None:
    draw = np.random.default_rng(109)
    p, q = draw.normal(1, 1, (4000, 20)), draw.normal(0, 1, (4000, 20))
    normal = renyi_divergence(p, q, order=2.0, plugin=GaussianPlugin())
    assert normal.estimate.mean() == pytest.approx(1.0, abs=0.1)
    assert "normal laws" in str(normal)
    bins = renyi_divergence(p, q, order=2.0, plugin=HistogramPlugin(20))
    assert 0.7 < bins.estimate.mean() < 1.1
    assert "biased upward" in bins.warnings[0]
    # Laplace noise: the normal model is off, and the check says so.
    other = renyi_divergence(
        draw.laplace(1, 1, (4000, 5)),
        draw.laplace(0, 1, (4000, 5)),
        order=8.0,
        plugin=GaussianPlugin(),
    )
    assert "normality is refused" in other.warnings[0]
    assert other.estimate.min() > 1.0 >= other.confidence_interval.low.max()


def test_shapes_and_small_samples() -> None:
    few = renyi_divergence(
        np.ones((2, 3, 2)), np.zeros((2, 3, 2)), order=ORDERS, plugin=HistogramPlugin()
    )
    assert few.estimate.shape == (4, 3, 2)
    assert few.undetermined.all()
    assert len(few.to_dataframe()) == 24
    same = renyi_divergence(np.ones(50), np.ones(50), order=2.0, plugin=HistogramPlugin())
    assert same.estimate < 1e-12
    assert same.confidence_interval.low == 0
    assert not same.undetermined


def test_refuses_bad_input() -> None:
    with pytest.raises(ValueError, match="bins: expected at least 2, found 1"):
        HistogramPlugin(1)
    for bad in (0.0, -1.0, 2000.0, [], float("nan")):
        with pytest.raises(ValueError, match="order: expected numbers in"):
            renyi_divergence(np.ones(3), np.ones(3), order=bad, plugin=GaussianPlugin())
    with pytest.raises(ValueError, match="expected at least 2 models each, found 1 and 3"):
        renyi_divergence(np.ones(1), np.ones(3), order=2.0, plugin=GaussianPlugin())
