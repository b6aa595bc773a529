import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from estimators.exact._binomial_pair import (
    critical_scores,
    joint_lower,
    joint_upper,
    lower_quantile,
    region_border,
    rejection,
    upper_quantile,
)


def plain_lower(x: int, n: int, y: int, m: int, c: float, alpha: float, weight: float) -> float:
    """The infimum over a fine grid of the border, one number at a time, without cells."""
    cap, level = critical_scores(alpha, weight)
    other = np.sqrt(1 - weight**2)
    best = np.inf
    for z_q in np.linspace((level - weight * cap) / other, cap, 2_000):
        z_p = (level - other * z_q) / weight
        p = stats.beta.ppf(stats.norm.sf(z_p), x, n - x + 1) if x else 0.0
        q = stats.beta.isf(stats.norm.sf(z_q), y + 1, m - y) if y < m else 1.0
        best = min(best, p - c * q)
    return best


@pytest.mark.parametrize(("n", "m"), [(1, 1), (5, 9), (12, 12), (30, 8)])
@pytest.mark.parametrize("kappa", [0.05, 0.25, 1.0])
def test_violations_counted_exactly_never_exceed_the_level(n: int, m: int, kappa: float) -> None:
    x, y = np.arange(n + 1)[:, None], np.arange(m + 1)[None]
    factors = np.array([0.0, 0.5, 1.0, np.e, 20.0])
    for alpha in (0.05, 0.4):
        for weight in (None, 0.3, 0.95):
            low = joint_lower(x, n, y, m, factors, 1 - alpha, weight, kappa=kappa)
            high = joint_upper(x, n, y, m, factors, 1 - alpha, weight, kappa=kappa)
            for p in np.linspace(0, 1, 23):
                for q in np.linspace(0, 1, 23):
                    law = stats.binom.pmf(x, n, p) * stats.binom.pmf(y, m, q)
                    truth = (p - factors * q)[:, None, None]
                    assert ((low > truth) * law).sum((1, 2)).max() <= alpha + 1e-12
                    assert ((high < truth) * law).sum((1, 2)).max() <= alpha + 1e-12


@pytest.mark.parametrize(
    ("x", "n", "y", "m", "c"),
    [(40, 100, 20, 100, 1.0), (7, 50, 0, 200, 3.0), (0, 10, 3, 10, 1.0), (9, 10, 10, 10, 2.0)],
)
def test_agrees_with_the_plain_search_of_the_border(
    x: int, n: int, y: int, m: int, c: float
) -> None:
    weight = 0.6
    plain = plain_lower(x, n, y, m, c, 0.05, weight)
    found = joint_lower(x, n, y, m, [c], 0.95, weight, cells=4096)[0]
    coarse = joint_lower(x, n, y, m, [c], 0.95, weight, cells=64)[0]
    assert coarse <= found <= plain + 1e-9
    assert found == pytest.approx(plain, abs=2e-3)


def test_kappa_one_is_a_pair_of_clopper_pearson_bounds_or_a_little_better() -> None:
    x, n, y, m = 60, 100, 30, 120
    pair = stats.binomtest(x, n).proportion_ci(0.95).low
    pair -= 2 * stats.binomtest(y, m).proportion_ci(0.95).high
    ours = joint_lower(x, n, y, m, [2.0], 0.95, kappa=1.0, cells=2048)[0]
    assert pair <= ours <= pair + 0.03
    assert joint_lower(x, n, y, m, [2.0], 0.95)[0] > ours + 0.005


@pytest.mark.parametrize("alpha", [1e-10, 1e-4, 0.05, 0.5])
@pytest.mark.parametrize("weight", [0.05, 0.5, 0.7071, 0.9987])
def test_region_has_exactly_its_size_under_independent_normals(alpha: float, weight: float) -> None:
    cap, level = critical_scores(alpha, weight)
    assert rejection(cap, level, weight) == pytest.approx(alpha, rel=1e-6)
    # Outside reference: two correlated normals in place of a score and the weighted sum.
    other = np.sqrt(1 - weight**2)
    b = np.linspace(-10, cap, 200_001)
    inside = np.minimum(cap, (level - other * b) / weight)
    mass = np.trapezoid(stats.norm.pdf(b) * special.ndtr(-inside), b) + special.ndtr(-cap)
    assert mass == pytest.approx(alpha, rel=1e-5)


def test_every_border_point_lies_in_a_cell_below_its_corner() -> None:
    weight = 0.4
    cap, level = critical_scores(0.05, weight)
    border = region_border(0.05, weight, cells=16)
    z_q = np.linspace((level - weight * cap) / np.sqrt(1 - weight**2), cap, 1001)
    z_p = (level - np.sqrt(1 - weight**2) * z_q) / weight
    assert (
        ((z_p[:, None] <= border.z_p + 1e-12) & (z_q[:, None] <= border.z_q + 1e-12))
        .any(axis=1)
        .all()
    )


@pytest.mark.parametrize("n", [1, 10, 1_000, 1_000_000])
def test_quantiles_invert_the_binomial_tails_and_round_outward(n: int) -> None:
    x = np.unique(np.geomspace(1, n, 50).astype(int))
    z = np.linspace(-1, 6, 29)[:, None]
    low, high = lower_quantile(x, n, z), upper_quantile(n - x, n, z)
    np.testing.assert_allclose(stats.binom.sf(x - 1, n, low), special.ndtr(-z) + 0 * x, rtol=2e-3)
    assert (stats.binom.sf(x - 1, n, low) <= special.ndtr(-z) * (1 + 1e-9)).all()
    assert (stats.binom.cdf(n - x, n, high) <= special.ndtr(-z) * (1 + 1e-9)).all()
    assert (lower_quantile(0, n, z) == 0).all()
    assert (upper_quantile(n, n, z) == 1).all()


@given(
    n=st.integers(1, 60),
    m=st.integers(1, 60),
    share_x=st.floats(0, 1),
    share_y=st.floats(0, 1),
    c=st.floats(0, 30),
)
@settings(derandomize=True, deadline=None, max_examples=30)
def test_bounds_surround_the_estimate_and_move_with_the_counts(
    n: int, m: int, share_x: float, share_y: float, c: float
) -> None:
    x, y = int(share_x * n), int(share_y * m)
    low = joint_lower(x, n, y, m, [c], 0.9)[0]
    high = joint_upper(x, n, y, m, [c], 0.9)[0]
    assert -c <= low <= x / n - c * y / m <= high <= 1
    if x < n:
        assert joint_lower(x + 1, n, y, m, [c], 0.9)[0] >= low
    if y < m:
        assert joint_lower(x, n, y + 1, m, [c], 0.9)[0] <= low
    assert joint_lower(x, n, y, m, [c], 0.99)[0] <= low
    assert joint_lower(x, n, y, m, [c + 1], 0.9)[0] <= low


def test_one_call_on_many_counts_equals_many_calls() -> None:
    rng = np.random.default_rng(11)
    x, y = rng.integers(0, 21, (4, 3)), rng.integers(0, 31, (4, 3))
    factors, weights = np.array([1.0, 2.0, 5.0]), np.array([0.5, 0.7, 0.7])
    for bound in (joint_lower, joint_upper):
        whole = bound(x, 20, y, 30, factors, 0.95, weights)
        assert whole.shape == (3, 4, 3)
        for e in range(3):
            for at in np.ndindex(4, 3):
                one = bound(x[at], 20, y[at], 30, factors[e], 0.95, weights[e])
                assert one.shape == (1,)
                assert one[0] == whole[(e, *at)]


def test_bad_input_is_refused() -> None:
    with pytest.raises(TypeError, match="x: expected integer counts, found dtype float64"):
        joint_lower(1.5, 3, 1, 3, [1.0], 0.95)
    with pytest.raises(ValueError, match=r"x: expected counts in \[0, 3\], found 4 to 4"):
        joint_lower(4, 3, 1, 3, [1.0], 0.95)
    with pytest.raises(ValueError, match=r"y: expected counts in \[0, 3\], found -1 to 2"):
        joint_upper(1, 3, [2, -1], 3, [1.0], 0.95)
    with pytest.raises(ValueError, match="trials of x: expected at least 1, found 0"):
        joint_lower(0, 0, 1, 3, [1.0], 0.95)
    with pytest.raises(ValueError, match="factor: expected non-negative numbers"):
        joint_lower(1, 3, 1, 3, [-1.0], 0.95)
    with pytest.raises(ValueError, match="confidence: expected a level alpha in"):
        joint_lower(1, 3, 1, 3, [1.0], 1.0)
    with pytest.raises(ValueError, match="weight_p: expected numbers in"):
        joint_lower(1, 3, 1, 3, [1.0], 0.95, 1.0)
    with pytest.raises(ValueError, match="kappa: expected a number in"):
        joint_lower(1, 3, 1, 3, [1.0], 0.95, kappa=0.0)
