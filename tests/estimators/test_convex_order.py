import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq

from estimators.exact._convex_order import mean_lower_limit, tail_bound


@pytest.mark.parametrize("k", [1, 3, 20, 150])
def test_bounds_the_binomial_tail_and_is_the_best_hinge(k: int) -> None:
    theta = np.array([0.02, 0.3, 0.5, 0.9])
    counts = np.arange(k + 1)
    for s in np.linspace(0.2, k, 7):
        found = tail_bound(s / k, k, theta)
        for value, chance in zip(found, theta, strict=True):
            law = stats.binom.pmf(counts, k, chance)
            hinges = [
                (law * np.maximum(counts - t, 0)).sum() / (s - t) for t in range(int(np.ceil(s)))
            ]
            assert value >= law[counts >= s - 1e-9].sum() - 1e-12
            assert value >= min([1.0, *hinges]) - 1e-12
            if s > k * chance + 2 * np.sqrt(k * chance * (1 - chance)):
                assert value <= 1.1 * min([1.0, *hinges])


@pytest.mark.parametrize("k", [2, 10, 60])
@pytest.mark.parametrize("alpha", [0.005, 0.025, 0.2])
def test_level_counted_exactly_for_bernoulli_kernels(k: int, alpha: float) -> None:
    counts = np.arange(k + 1)
    limits = mean_lower_limit(counts / k, k, alpha)
    for theta in np.linspace(0.01, 0.99, 45):
        assert stats.binom.pmf(counts, k, theta)[limits > theta].sum() <= alpha


def test_never_looser_than_the_exponential_bound_of_the_same_order() -> None:
    k, alpha = 80, 0.025
    for u in (0.1, 0.4, 0.75, 0.98):

        def exponent(theta: float, u: float = u) -> float:
            return u * np.log(u / theta) + (1 - u) * np.log((1 - u) / (1 - theta))

        chernoff = brentq(lambda t: exponent(t) - np.log(1 / alpha) / k, 1e-9, u - 1e-12)
        assert chernoff < mean_lower_limit(u, k, alpha) < u


def test_ends() -> None:
    for k in (1, 9, 400):
        limits = mean_lower_limit([0.0, 1.0], k, 0.05)
        assert limits[0] == 0.0
        assert limits[1] == pytest.approx(0.05 ** (1 / k), rel=1e-6)
        assert limits[1] <= 0.05 ** (1 / k)
