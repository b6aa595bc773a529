"""The class of all events of a noised release: smoothed divergence, margin, coverage."""

from itertools import product

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import beta, norm

from estimators.exact._binomial_pair import critical_scores
from estimators.exact._bounded_means import means_upper
from estimators.upper._smoothed_events import SmoothedEvents, smoothed_divergence

E1 = float(np.e)


def plain_divergence(p, q, scale, c):
    """The same integral by adaptive quadrature, split at every zero found on a fine grid."""

    def difference(x):
        return norm.pdf(x, p, scale).mean() - c * norm.pdf(x, q, scale).mean()

    low, high = min(p.min(), q.min()) - 9 * scale, max(p.max(), q.max()) + 9 * scale
    grid = np.linspace(low, high, 4001)
    sign = np.sign([difference(x) for x in grid])
    cuts = [low, *grid[1:][sign[1:] != sign[:-1]], high]
    parts = [quad(difference, a, b, limit=200)[0] for a, b in zip(cuts[:-1], cuts[1:], strict=True)]
    return sum(max(part, 0.0) for part in parts)


@pytest.mark.parametrize("scale", [0.2, 1.0])
@pytest.mark.parametrize("c", [1.0, E1])
def test_smoothed_divergence_matches_quadrature_and_is_not_below(scale, c):
    rng = np.random.default_rng(21)
    p, q = rng.normal(size=12), rng.normal(0.7, 1.5, size=9)
    found = smoothed_divergence(p, q, scale, np.array([c]))[0]
    plain = plain_divergence(p, q, scale, c)
    assert plain <= found <= plain + 2e-5


def test_smoothed_divergence_of_two_points_is_the_gaussian_mechanism():
    factor = np.exp([0.0, 0.5, 1.0, 2.0])
    for shift in (0.3, 1.0, 4.0):
        found = smoothed_divergence(np.array([shift]), np.array([0.0]), 1.0, factor)
        edge = np.log(factor) / shift
        truth = norm.cdf(shift / 2 - edge) - factor * norm.cdf(-shift / 2 - edge)
        assert (truth <= found).all()
        np.testing.assert_allclose(found, truth, atol=2e-5)


def test_smoothed_divergence_does_not_depend_on_place_or_unit():
    rng = np.random.default_rng(22)
    p, q = rng.normal(size=50), rng.normal(0.5, 1, size=60)
    factor = np.array([1.0, E1])
    base = smoothed_divergence(p, q, 0.3, factor)
    moved = smoothed_divergence(1e6 + 1000 * p, 1e6 + 1000 * q, 300.0, factor)
    np.testing.assert_allclose(moved, base, atol=1e-7)


def test_far_groups_do_not_overlap():
    found = smoothed_divergence(np.array([0.0, 1e8]), np.array([0.0, -1e8]), 1.0, np.array([1.0]))
    assert 0.5 <= found[0] <= 0.5 + 1e-4


def test_identical_samples_have_almost_no_smoothed_divergence():
    p = np.random.default_rng(23).normal(size=200)
    assert smoothed_divergence(p, p, 0.1, np.array([1.0, 5.0])).max() < 1e-4


def test_too_small_a_scale_is_refused():
    with pytest.raises(
        ValueError, match=r"scale: expected at least 1e-09 of the observable's range"
    ):
        smoothed_divergence(np.array([0.0, 1.0]), np.array([0.5]), 1e-12, np.array([1.0]))
    with pytest.raises(ValueError, match="scale: expected at least"):
        smoothed_divergence(np.array([1e308, -1e308]), np.array([0.5]), 1.0, np.array([1.0]))


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_scale_must_be_positive(scale):
    with pytest.raises(ValueError, match="scale: expected a number over 0"):
        SmoothedEvents(scale)


def plain_means_upper(x, n, y, m, c, alpha):
    """The supremum over a fine grid of the border, from e times the binomial p-values."""
    weight = np.sqrt(m / (n + m))
    cap, level = critical_scores(alpha, weight)
    other = np.sqrt(1 - weight**2)
    z_q = np.linspace((level - weight * cap) / other, cap, 4001)
    z_p = (level - other * z_q) / weight
    p = beta.isf(norm.sf(z_p) / E1, x + 1, n - x) if x < n else 1.0
    q = beta.ppf(norm.sf(z_q) / E1, y, m - y + 1) if y else 0.0
    return np.max(p - c * q)


@pytest.mark.parametrize(("n", "m", "c"), [(50, 30, 1.0), (50, 30, E1), (20, 400, 8.0)])
def test_joint_bound_of_two_means_matches_a_plain_search(n, m, c):
    rng = np.random.default_rng(26)
    x, y = rng.integers(0, n + 1, 12), rng.integers(0, m + 1, 12)
    x[:2], y[1:3] = [0, n], [0, m]
    found = means_upper(x, n, y, m, c, 0.95)[0]
    plain = [plain_means_upper(a, n, b, m, c, 0.05) for a, b in zip(x, y, strict=True)]
    assert (found >= np.array(plain) - 1e-9).all()
    np.testing.assert_allclose(found, plain, atol=0.004 * (1 + c) / 2)


def test_means_of_three_values_are_covered_exactly():
    # Variables in {0, 1/2, 1}: the law of the sums is known, so the error is a sum, not simulated.
    for n, m, c in [(5, 5, 1.0), (12, 6, E1)]:
        x, y = np.arange(2 * n + 1), np.arange(2 * m + 1)
        up, down = -(-x // 2), y // 2
        sums = np.meshgrid(up, down, indexing="ij")
        bound = means_upper(sums[0], n, sums[1], m, c, 0.95)[0]
        for one, two in product(np.linspace(0, 1, 6), repeat=2):
            for half in (0.0, 0.5, 1.0):
                laws = []
                for mean, size in ((one, n), (two, m)):
                    spread = half * min(mean, 1 - mean)
                    single = np.array([1 - mean - spread, 2 * spread, mean - spread])
                    law = np.ones(1)
                    for _ in range(size):
                        law = np.convolve(law, single)
                    laws.append(law)
                missed = np.outer(*laws)[bound < one - c * two - 1e-12].sum()
                assert missed <= 0.05


def test_bound_covers_the_noised_gaussian_shift():
    # N(1, 1) and N(0, 1) released with N(0, 0.5^2): a Gaussian shift of 1 / sqrt(1.25). The bound
    # is conservative: nominal 5 %, 0 measured; more than 11 of 100 has probability 0.4 % at 5 %.
    rng = np.random.default_rng(24)
    mu = 1 / np.sqrt(1.25)
    factor = np.exp([0.0, 1.0, 2.0])
    edge = np.log(factor) / mu
    truth = norm.cdf(mu / 2 - edge) - factor * norm.cdf(-mu / 2 - edge)
    found = SmoothedEvents(0.5).directed(
        rng.normal(1, 1, (100, 100)), rng.normal(0, 1, (100, 100)), factor, 0.95
    )
    assert ((found.upper < truth[:, None]).sum(axis=1) <= 11).all()
    assert (np.median(found.upper, axis=1) <= truth + [0.22, 0.27, 0.27]).all()


def test_bound_is_the_binomial_one_when_noise_does_not_mix_two_values():
    # Values 0 and 1000 with unit noise: the release is a coin, and its frontier has four corners.
    p, q = np.repeat([0.0, 1000.0], [30, 70]), np.repeat([0.0, 1000.0], [60, 40])
    found = SmoothedEvents(1.0).directed(p[:, None], q[:, None], np.array([1.0, E1]), 0.95)
    # At epsilon 0 the corner itself, but for the rounding of sums by one count on either side.
    best = means_upper(np.array([70]), 100, np.array([40]), 100, [1.0, E1], 0.95)
    worst = means_upper(np.array([72]), 100, np.array([39]), 100, 1.0, 0.95)
    assert (found.upper >= best).all()
    assert found.upper[0] <= worst[0]
    np.testing.assert_allclose(found.estimate[:, 0], [0.3, max(0, 0.7 - E1 * 0.4)], atol=2e-5)


def test_no_observables_give_an_empty_answer():
    found = SmoothedEvents(1.0).directed(np.empty((3, 0)), np.empty((4, 0)), np.array([1.0]), 0.9)
    assert found.estimate.shape == found.upper.shape == (1, 0)


def test_noise_makes_the_divergence_smaller():
    rng = np.random.default_rng(25)
    p, q = rng.normal(size=40), rng.normal(1, 1, size=40)
    found = [smoothed_divergence(p, q, h, np.array([1.0]))[0] for h in (0.05, 0.2, 1.0, 5.0)]
    assert (np.diff(found) < 0).all()
