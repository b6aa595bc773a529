import numpy as np
import pytest
from scipy import stats

from estimators.exact._gaussian_profile import gaussian_delta, gaussian_epsilon
from estimators.lower._bounds import delta_lower_bound, epsilon_lower_bound
from estimators.lower._gaussian_method import GaussianDP
from estimators.lower._rank_grid import RankGrid
from tests.estimators.pairs import limit, margin


@pytest.mark.parametrize(("n", "m"), [(20, 20), (50, 200)])
@pytest.mark.parametrize("mu", [0.0, 0.5, -2.0])
def test_valid_under_the_model(n: int, m: int, mu: float) -> None:
    draw, repeats, alpha = np.random.default_rng(3), 1_000, 0.05
    p, q = 5 + 3 * draw.normal(mu, 1, (n, repeats)), 5 + 3 * draw.normal(0, 1, (m, repeats))
    found = delta_lower_bound(p, q, epsilon=np.array([0.0, 1.0]), method=GaussianDP()).bound
    missed = (found > gaussian_delta(abs(mu), np.array([0.0, 1.0]))[:, None] + 1e-12).mean(axis=1)
    # 3 standard errors above the level: under 1 false alarm in 740 seeds for each number.
    assert (missed <= limit(repeats, alpha)).all()
    if mu == -2.0:
        kept = found[0] > 0
        assert 0.9 < kept.mean() < 0.99
        # Under the model it spends all of its level: the check and the bound hardly interfere.
        assert (missed > alpha - margin(repeats, alpha, errors=4)).all()


def test_far_tighter_than_the_rank_grid_when_the_model_is_true() -> None:
    draw = np.random.default_rng(5)
    p, q = draw.normal(1, 1, (500, 8)), draw.normal(0, 1, (500, 8))
    ours = epsilon_lower_bound(p, q, delta=1e-5, method=GaussianDP()).bound
    free = epsilon_lower_bound(p, q, delta=1e-5, method=RankGrid()).bound
    assert np.median(ours) > 1.5 * np.median(free)
    assert np.median(ours) > 0.8 * gaussian_epsilon(1.0, 1e-5)


def test_refuses_what_the_check_sees() -> None:
    draw = np.random.default_rng(7)
    p = np.stack([draw.normal(0, 2, 300), draw.laplace(1, 1, 300), draw.normal(1, 1, 300)], axis=1)
    q = np.stack([draw.normal(0, 1, 300), draw.laplace(0, 1, 300), draw.normal(0, 1, 300)], axis=1)
    result = delta_lower_bound(p, q, epsilon=0.0, method=GaussianDP())
    assert (result.bound[:2] == 0).all()
    assert result.bound[2] > 0.2
    assert "refuses the Gaussian model for 2 of 3" in result.warnings[0]
    assert "checked, not proved" in result.assumptions[1]
    few = delta_lower_bound(p[:10], q, epsilon=0.0, method=GaussianDP())
    assert few.undetermined.all()
    assert "cannot be checked" in few.warnings[0]


def test_wrong_without_the_model_where_the_check_has_little_power() -> None:
    # Randomised response blurred: epsilon is at most 1, tails alike, and 60 models show little.
    draw, repeats, high = np.random.default_rng(11), 400, np.e / (1 + np.e)
    p = np.where(draw.random((60, repeats)) < high, 1.0, -1.0) + draw.normal(size=(60, repeats))
    q = np.where(draw.random((60, repeats)) < high, -1.0, 1.0) + draw.normal(size=(60, repeats))
    found = epsilon_lower_bound(p, q, delta=1e-5, method=GaussianDP())
    # Blurring only lowers epsilon; the Gaussian bound says far more, in most data sets.
    assert (found.bound > 1.0).mean() > 0.5
    valid = epsilon_lower_bound(p[:, :20], q[:, :20], delta=1e-5, method=RankGrid())
    assert (valid.bound > 1.0).sum() <= 4


def test_bound_on_the_size_of_mu_is_folded_not_signed() -> None:
    # With |t| for a statistic the bound must be of |t|'s own law: 5 %, not 10 %, on the null.
    draw, repeats = np.random.default_rng(13), 2_000
    found = delta_lower_bound(
        draw.normal(size=(30, repeats)),
        draw.normal(size=(30, repeats)),
        epsilon=0.0,
        method=GaussianDP(),
    )
    share = (found.bound > 0).mean()
    assert abs(share - 0.05) < margin(repeats, errors=4) + 0.005


def test_agrees_with_the_law_of_t() -> None:
    draw = np.random.default_rng(17)
    p, q = draw.normal(1, 1, (40, 6)), draw.normal(0, 1, (30, 6))
    method = GaussianDP(level=0.001)
    shift = method._least_shift(p, q, 0.1)
    t = np.abs(stats.ttest_ind(p, q).statistic)
    root = np.sqrt(40 * 30 / 70)
    chance = stats.nct.sf(t, 68, shift * root) + stats.nct.cdf(-t, 68, shift * root)
    np.testing.assert_allclose(chance[shift > 0], 0.1, atol=1e-8)


def test_delta_zero_and_bad_settings() -> None:
    draw = np.random.default_rng(19)
    p, q = draw.normal(3, 1, (100, 1)), draw.normal(0, 1, (100, 1))
    assert epsilon_lower_bound(p, q, delta=0.0, method=GaussianDP()).bound == 50
    for level in (0.0, 0.9, float("nan")):
        with pytest.raises(ValueError, match="level: expected a number in"):
            GaussianDP(level=level)
