import numpy as np
import pytest
from dp_accounting import get_epsilon_gaussian
from dp_accounting.pld.privacy_loss_mechanism import GaussianPrivacyLoss
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from estimators.exact._gaussian_dp import gaussian_dp
from estimators.exact._gaussian_fit import gaussian_fit
from estimators.exact._gaussian_profile import gaussian_delta, gaussian_epsilon
from tests.estimators.pairs import limit, margin


def test_profile_agrees_with_dp_accounting() -> None:
    for mu in (0.1, 0.5, 1.0, 3.0):
        for epsilon in (0.0, 0.5, 2.0):
            reference = GaussianPrivacyLoss(1.0 / mu).get_delta_for_epsilon(epsilon)
            assert gaussian_delta(mu, epsilon) == pytest.approx(reference, abs=1e-10)
        for delta in (1e-6, 0.01, 0.05):
            reference = get_epsilon_gaussian(1.0 / mu, delta)
            assert gaussian_epsilon(mu, delta) == pytest.approx(reference, abs=1e-6)


@given(st.floats(0, 8), st.floats(0, 5))
@settings(derandomize=True, max_examples=80, deadline=None)
def test_profile_is_monotone_and_inverts(mu: float, epsilon: float) -> None:
    delta = gaussian_delta(mu, epsilon)
    assert 0 <= delta <= 1
    assert gaussian_delta(mu + 0.1, epsilon) >= delta
    assert gaussian_delta(mu, epsilon + 0.1) <= delta
    if 1e-9 < delta < 1:
        assert gaussian_epsilon(mu, delta) == pytest.approx(epsilon, abs=1e-4)


def test_profile_at_its_ends() -> None:
    assert gaussian_delta(0.0, 0.0) == 0
    assert gaussian_delta(np.inf, 3.0) == pytest.approx(1.0)
    assert gaussian_epsilon(0.0, 0.01) == 0
    assert gaussian_delta(1e-7, 0.0) == pytest.approx(1e-7 / np.sqrt(2 * np.pi), rel=1e-6)


@pytest.mark.parametrize(
    ("n", "m", "mu"),
    [
        (2, 2, 0.0),
        (2, 2, -1.0),
        (20, 20, 0.0),
        (20, 20, 1.0),
        (100, 30, -1.0),
        (100, 30, 5.0),
        (300, 300, 0.0),
        (300, 300, -5.0),
    ],
)
def test_coverage_under_the_model_with_the_sign(n: int, m: int, mu: float) -> None:
    repeats, alpha, draw = 1_000, 0.05, np.random.default_rng(67)
    p, q = draw.normal(3 + 2 * mu, 2, (n, repeats)), draw.normal(3, 2, (m, repeats))
    result = gaussian_dp(p, q, confidence=1 - alpha)
    ends = result.confidence_interval
    held = ((ends.low <= mu) & (mu <= ends.high)).mean()
    # 3 standard errors on either side: a false alarm in 370 seeds, as the interval is exact.
    assert abs(held - (1 - alpha)) <= margin(repeats, alpha)
    low, high = (result.estimate < mu).mean(), (result.estimate > mu).mean()
    assert min(low, high) > 0.5 - 3 * np.sqrt(0.25 / repeats)


def test_an_absolute_value_would_never_cover_the_null() -> None:
    draw = np.random.default_rng(71)
    p, q = draw.normal(size=(100, 1000)), draw.normal(size=(100, 1000))
    result = gaussian_dp(p, q)
    assert abs(result.estimate.mean()) < 4 * np.sqrt(2 / 100 / 1000)
    assert np.abs(result.estimate).mean() > 0.1
    least = result.delta_interval(0.0).low
    assert (least > 0).mean() <= limit(1000)


def test_swapping_the_samples_only_changes_the_sign() -> None:
    draw = np.random.default_rng(73)
    p, q = draw.normal(1, 1, (50, 3)), draw.normal(0, 1, (70, 3))
    one, other = gaussian_dp(p, q), gaussian_dp(q, p)
    np.testing.assert_allclose(one.estimate, -other.estimate, atol=1e-9)
    np.testing.assert_allclose(
        one.confidence_interval.low, -other.confidence_interval.high, atol=1e-9
    )
    first, second = one.delta_interval([0.0, 1.0]), other.delta_interval([0.0, 1.0])
    np.testing.assert_allclose(first.low, second.low, atol=1e-9)
    assert first.low.shape == (2, 3)


def test_the_check_refuses_about_its_level_of_true_shifts() -> None:
    repeats, draw = 2_000, np.random.default_rng(79)
    for n, m in ((20, 50), (300, 300)):
        fit = gaussian_fit(draw.normal(9, 3, (n, repeats)), draw.normal(0, 3, (m, repeats)))
        # Bonferroni makes it less than 5 %; 3 standard errors and Royston's approximation.
        assert 0.03 < (~fit.fits).mean() < 0.07


@pytest.mark.parametrize(
    ("name", "p", "q"),
    [
        ("scale", stats.norm(0, 2), stats.norm(0, 1)),
        ("Laplace", stats.laplace(1), stats.laplace(0)),
        ("uniform", stats.uniform(0.3, 1), stats.uniform(0, 1)),
        ("skewed", stats.expon(0.5), stats.expon(0)),
    ],
)
def test_the_check_finds_other_laws(name: str, p: object, q: object) -> None:
    draw = np.random.default_rng(83)
    one, two = p.rvs((300, 60), random_state=draw), q.rvs((300, 60), random_state=draw)
    result = gaussian_dp(one, two)
    assert result.fits.mean() < 0.05, name
    assert "the check refuses" in result.warnings[0]
    assert (result.delta_interval(0.5).low[~result.fits] == 0).all()
    assert (result.delta_interval(0.5).high[~result.fits] == 1).all()


def test_without_the_model_the_interval_is_wrong_and_says_so() -> None:
    # A far atom: total variation 0.1, while the shift claims far less, with confidence.
    draw = np.random.default_rng(89)
    p, q = draw.normal(size=(400, 200)), draw.normal(size=(400, 200))
    p[:40] = 50 * np.sign(draw.normal(size=(40, 200)))
    result = gaussian_dp(p, q)
    ends = result.confidence_interval
    claimed = gaussian_delta(np.maximum(np.abs(ends.low), np.abs(ends.high)), 1.0)
    assert (claimed < 0.1).all()
    assert not result.fits.any()
    assert (result.delta_interval(1.0).high == 1).all()


def test_too_little_data_is_undetermined() -> None:
    flat = gaussian_dp(np.ones((30, 2)), np.ones((30, 2)))
    assert flat.undetermined.all()
    assert not flat.fits.any()
    assert np.isinf(flat.confidence_interval.high).all()
    assert "undetermined" in str(flat)
    one = gaussian_dp(np.ones(1), np.zeros(1))
    assert one.undetermined
    assert "cannot be checked" in one.warnings[0]
    assert gaussian_fit(np.ones((6000, 1)), np.ones((6000, 1))).pvalue == 0
    large = np.random.default_rng(97).normal(size=(2, 6000, 3))
    assert gaussian_fit(*large).fits.any()


def test_confidence_matters() -> None:
    draw = np.random.default_rng(101)
    p, q = draw.normal(size=50), draw.normal(size=50)
    wide, narrow = gaussian_dp(p, q, confidence=0.99), gaussian_dp(p, q, confidence=0.5)
    assert wide.confidence_interval.low < narrow.confidence_interval.low
    assert narrow.confidence_interval.high < wide.confidence_interval.high
    assert "gaussian" in str(wide).lower()
