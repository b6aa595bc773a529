import numpy as np
import pytest
from scipy import stats

from estimators.exact._bands import (
    Band,
    band_probability,
    dkw_band,
    equal_local_level_band,
    local_level,
)
from tests.estimators.pairs import margin

BANDS = {"equal local level": equal_local_level_band, "DKW": dkw_band}


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.4])
@pytest.mark.parametrize("n", [1, 2, 20, 200, 3000])
def test_the_local_level_spends_all_of_alpha_and_no_more(n: int, alpha: float) -> None:
    level = local_level(n, alpha)
    assert alpha / (2 * n) <= level <= alpha / 2
    # Thinned boundaries are not exact in alpha, but never above.
    assert 1 - alpha - 1e-12 <= band_probability(n, level) <= 1 - alpha + 1e-3
    if n > 1:
        assert band_probability(n, level * 1.001) < 1 - alpha


@pytest.mark.parametrize("n", [1, 7, 300, 2500])
@pytest.mark.parametrize("name", BANDS)
def test_shape_of_the_band(name: str, n: int) -> None:
    band = BANDS[name](n, 0.05)
    share = np.arange(n + 1) / n
    assert band.low[0] == 0
    assert band.high[-1] == 1
    assert (np.diff(band.low) >= 0).all()
    assert (np.diff(band.high) >= 0).all()
    assert (band.low <= share).all()
    assert (share <= band.high).all()
    np.testing.assert_allclose(band.low, 1 - band.high[::-1], atol=1e-12)


def test_limits_are_clopper_pearson_limits_at_the_local_level() -> None:
    n, alpha = 30, 0.1
    level, k = local_level(n, alpha), np.arange(1, n + 1)
    exact = stats.beta.ppf(level, k, n - k + 1)
    np.testing.assert_allclose(equal_local_level_band(n, alpha).low[1:], exact, rtol=1e-8)


def test_tighter_than_dkw_in_the_tails_and_a_little_looser_in_the_middle() -> None:
    ours, simple = equal_local_level_band(1000, 0.05), dkw_band(1000, 0.05)
    width = (ours.high - ours.low) / (simple.high - simple.low)
    assert width[0] < 0.2
    assert width[500] < 1.25


def holds(band: Band, draws: np.ndarray, values: np.ndarray, law: np.ndarray) -> np.ndarray:
    """Whether the band holds at every half-line, for each row of draws from a discrete law."""
    rank = np.searchsorted(values, draws)
    counts = np.stack([(rank == i).sum(axis=1) for i in range(values.size)], axis=1).cumsum(axis=1)
    truth = law.cumsum()
    inside = (band.low[counts] <= truth + 1e-12) & (truth - 1e-12 <= band.high[counts])
    return inside.all(axis=1)


@pytest.mark.parametrize("name", BANDS)
@pytest.mark.parametrize("n", [20, 200])
def test_coverage_with_and_without_ties(name: str, n: int) -> None:
    alpha, repeats = 0.1, 4_000
    draw = np.random.default_rng(11)
    band = BANDS[name](n, alpha)
    uniforms = np.sort(draw.random((repeats, n)), axis=1)
    ranks = np.arange(1, n + 1)
    held = (band.low[ranks] <= uniforms) & (uniforms <= band.high[ranks - 1])
    share = held.all(axis=1).mean()
    # 3 standard errors: a false alarm in 740 seeds where the level is exact.
    error = margin(repeats, alpha)
    assert share >= 1 - alpha - error
    if name == "equal local level":
        assert share <= 1 - alpha + error
    law = np.array([0.02, 0.4, 0.01, 0.5, 0.07])
    draws = draw.choice(5, size=(repeats, n), p=law)
    assert holds(band, draws, np.arange(5), law).mean() >= 1 - alpha - error
