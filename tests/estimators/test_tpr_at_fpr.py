import numpy as np
import pytest
from scipy import stats

from estimators.curves._tpr_at_fpr import tpr_at_fpr
from tests.estimators.pairs import Draw, limit, normal, values

RATES = np.array([0.01, 0.1, 0.5])


def plain_tpr(p: np.ndarray, q: np.ndarray, rate: float) -> float:
    """The greatest share of P above a threshold that at most the given share of Q exceeds."""
    bars = [t for t in [-np.inf, *q, np.inf] if np.mean(q > t) <= rate]
    return float(np.mean(p > min(bars)))


@pytest.mark.parametrize("decimals", [0, 6])
def test_estimate_agrees_with_the_plain_search(decimals: int) -> None:
    draw = np.random.default_rng(2)
    p, q = draw.normal(1, 1, (30, 20)).round(decimals), draw.normal(0, 1, (40, 20)).round(decimals)
    result = tpr_at_fpr(p, q, fpr=RATES)
    for i, rate in enumerate(RATES):
        plain = [plain_tpr(a, b, rate) for a, b in zip(p.T, q.T, strict=True)]
        np.testing.assert_allclose(result.estimate[i], plain)
    ends = result.confidence_interval
    assert (ends.low <= result.estimate).all()
    assert (result.estimate <= ends.high).all()


# Beyond its rate Q's threshold is the least value that few enough of Q exceed.
CASES: dict[str, tuple[Draw, Draw, np.ndarray]] = {
    "equal": (normal(0), normal(0), RATES),
    "shift": (normal(1), normal(0), stats.norm.sf(stats.norm.isf(RATES) - 1)),
    "far": (normal(6), normal(0), stats.norm.sf(stats.norm.isf(RATES) - 6)),
    "swapped order": (normal(-1), normal(0), stats.norm.sf(stats.norm.isf(RATES) + 1)),
    "heavy ties": (values(0.2, 0.3, 0.5), values(0.5, 0.4, 0.1), np.array([0, 0.5, 0.8])),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("n", "m"), [(20, 20), (50, 300), (1000, 200)])
def test_coverage(case: str, n: int, m: int) -> None:
    first, second, truth = CASES[case]
    repeats, alpha, draw = 1_000, 0.1, np.random.default_rng(31)
    result = tpr_at_fpr(
        first(draw, (n, repeats)), second(draw, (m, repeats)), fpr=RATES, confidence=1 - alpha
    )
    ends = result.confidence_interval
    missed = ((ends.low > truth[:, None]) | (ends.high < truth[:, None])).mean(axis=1)
    # 3 standard errors above the level, three rates: under 1 false alarm in 240 seeds.
    assert (missed <= limit(repeats, alpha)).all()


def test_tight_against_the_interval_with_known_threshold() -> None:
    n, draw = 1000, np.random.default_rng(37)
    result = tpr_at_fpr(draw.normal(1, 1, (n, 200)), draw.normal(size=(n, 200)), fpr=0.1)
    ends = result.confidence_interval
    tpr, slope = 0.3891, stats.norm.pdf(1.2816 - 1) / stats.norm.pdf(1.2816)
    ideal = 2 * 1.96 * np.sqrt(tpr * (1 - tpr) / n + slope**2 * 0.09 / n)
    assert (ends.high - ends.low).mean() < 1.3 * ideal


def test_small_samples_say_so() -> None:
    few = tpr_at_fpr(np.ones((30, 2)), np.zeros((30, 2)), fpr=0.001)
    assert few.confidence_interval.low.max() == 0
    assert not few.undetermined.any()
    none = tpr_at_fpr(np.ones((2, 2)), np.zeros((3, 2)), fpr=np.array([0.001, 0.5]))
    assert none.undetermined.shape == (2, 2)
    assert none.undetermined[1].all()
    assert (none.confidence_interval.low == 0).all()
    assert (none.confidence_interval.high[1] == 1).all()
    assert "undetermined" in str(none)


def test_zero_counts_and_shapes() -> None:
    p, q = np.zeros((60, 2, 3)), np.ones((60, 2, 3))
    result = tpr_at_fpr(p, q, fpr=0.1)
    assert result.estimate.shape == (2, 3)
    assert result.estimate.max() == 0
    assert 0 < result.confidence_interval.high.max() < 0.2
    swapped = tpr_at_fpr(q, p, fpr=0.1)
    assert swapped.estimate.min() == 1
    assert swapped.confidence_interval.low.min() > 0.8
    assert "tpr" in swapped.to_dataframe()
    loose = tpr_at_fpr(q, p, fpr=0.1, confidence=0.5)
    assert loose.confidence_interval.low.min() > swapped.confidence_interval.low.max()


@pytest.mark.parametrize("fpr", [0.0, 1.0, [], [[0.1]], float("nan")])
def test_refuses_bad_rates(fpr: object) -> None:
    with pytest.raises(ValueError, match="fpr: expected numbers in"):
        tpr_at_fpr(np.ones(3), np.ones(3), fpr=fpr)
