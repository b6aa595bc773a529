import numpy as np
import pytest
from scipy import stats

from estimators.curves._total_variation import total_variation
from estimators.exact._gaussian_profile import gaussian_delta
from tests.estimators.pairs import limit


@pytest.mark.parametrize("decimals", [1, 8])
def test_estimate_is_the_statistic_of_kolmogorov_and_smirnov(decimals: int) -> None:
    draw = np.random.default_rng(1)
    p, q = draw.normal(0.3, 1, (40, 5)).round(decimals), draw.normal(0, 1, (70, 5)).round(decimals)
    found = total_variation(p, q).estimate
    reference = [stats.ks_2samp(a, b).statistic for a, b in zip(p.T, q.T, strict=True)]
    np.testing.assert_allclose(found, reference, atol=1e-12)


@pytest.mark.parametrize("mu", [0.0, 1.0, -1.0])
def test_coverage(mu: float) -> None:
    draw, repeats, alpha = np.random.default_rng(2), 200, 0.1
    result = total_variation(
        draw.normal(mu, 1, (60, repeats)), draw.normal(0, 1, (60, repeats)), confidence=1 - alpha
    )
    truth = float(gaussian_delta(abs(mu), 0.0))
    ends = result.confidence_interval
    missed = ((ends.low > truth) | (ends.high < truth)).mean()
    # 3 standard errors above the level: under 1 false alarm in 740 seeds.
    assert missed <= limit(repeats, alpha)


def test_shapes_and_table() -> None:
    result = total_variation(np.ones((40, 2, 2)), np.zeros((40, 2, 2)))
    assert result.estimate.shape == (2, 2)
    assert (result.estimate == 1).all()
    assert (result.confidence_interval.low > 0.7).all()
    assert "total variation over half-lines" in str(result)
    assert len(result.to_dataframe()) == 4
