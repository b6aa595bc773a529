import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep

from estimators import (
    AgrestiCaffo,
    ExactDifference,
    Newcombe,
    PseudoCountWelch,
    Welch,
    cross_influence,
    memorization,
    models_needed,
    set_memorization,
)
from estimators.influence._exact_difference import score_statistics
from estimators.influence._exceeding import exceedance_pvalues
from estimators.influence._inclusion import Arms
from estimators.influence._simultaneous import bonferroni

KINDS = ("0/1", "soft", "margin")


def population(
    models: int, n: int, targets: int, kind: str, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    included = rng.random((models, n)) < 0.7
    push = 0.5 * included[:, np.arange(targets) % n]
    outcome: np.ndarray
    if kind == "0/1":
        outcome = rng.random((models, targets)) < 0.4 + push
    elif kind == "soft":
        outcome = np.clip(rng.beta(0.5, 0.3, (models, targets)) * (0.5 + push), 0, 1)
    else:
        outcome = rng.normal(100.0, 3.0, (models, targets)) + 10 * push
    return included, outcome


def plain(included: np.ndarray, outcome: np.ndarray, kind: str, confidence: float) -> np.ndarray:
    """Estimate, low and high of one pair, number by number."""
    arms = [
        [float(c) for m, c in zip(included, outcome, strict=True) if m],
        [float(c) for m, c in zip(included, outcome, strict=True) if not m],
    ]
    mean = [math.fsum(arm) / len(arm) for arm in arms]
    estimate = mean[0] - mean[1]
    if kind == "0/1":
        z = stats.norm.isf((1 - confidence) / 2)
        more = [(sum(arm) + 1, len(arm) + 2) for arm in arms]
        centre = more[0][0] / more[0][1] - more[1][0] / more[1][1]
        error = math.sqrt(sum(x / n * (1 - x / n) / n for x, n in more))
        return np.array([estimate, max(centre - z * error, -1), min(centre + z * error, 1)])
    weight = 0.5 if kind == "soft" else 0.0
    centre = variance = 0.0
    for arm, sign in zip(arms, (1, -1), strict=True):
        n = len(arm) + weight
        m = (math.fsum(arm) + weight / 2) / n
        squares = math.fsum((c - m) ** 2 for c in arm)
        squares += weight / 2 * (m * m + (1 - m) ** 2)
        centre += sign * m
        variance += squares / (n - 1) / n
    t = stats.t.isf((1 - confidence) / 2, min(len(arms[0]), len(arms[1])) - 1)
    low, high = centre - t * math.sqrt(variance), centre + t * math.sqrt(variance)
    if kind == "soft":
        low, high = max(low, -1.0), min(high, 1.0)
    return np.array([estimate, low, high])


@pytest.mark.parametrize("kind", KINDS)
def test_all_pairs_agree_with_the_plain_twin(kind: str) -> None:
    included, outcome = population(53, 5, 7, kind, 3)
    result = cross_influence(included, outcome, confidence=0.9)
    ends = result.confidence_interval
    for i in range(5):
        for j in range(7):
            found = [result.estimate[i, j], ends.low[i, j], ends.high[i, j]]
            expected = plain(included[:, i], outcome[:, j], kind, 0.9)
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    assert not result.undetermined.any()
    assert result.confidence_level == 0.9


@pytest.mark.parametrize("kind", KINDS)
def test_memorization_is_the_diagonal(kind: str) -> None:
    included, outcome = population(61, 9, 9, kind, 5)
    own, pairs = memorization(included, outcome), cross_influence(included, outcome)
    np.testing.assert_allclose(own.estimate, np.diag(pairs.estimate), rtol=1e-12, atol=1e-12)
    for end in ("low", "high"):
        own_end, end_of_pairs = (getattr(r.confidence_interval, end) for r in (own, pairs))
        np.testing.assert_allclose(own_end, np.diag(end_of_pairs), rtol=1e-11, atol=1e-11)
    i = 4
    expected = plain(included[:, i], outcome[:, i], kind, 0.95)
    assert own.confidence_interval.low[i] == pytest.approx(expected[1], abs=1e-12)


def test_a_tiny_table_by_hand() -> None:
    # With the example 3 of 4 models are right, without it 1 of 2.
    included = np.array([[1], [1], [1], [1], [0], [0]])
    right = np.array([[1], [0], [1], [1], [1], [0]])
    result = memorization(included, right)
    assert result.estimate[0] == 0.25
    assert (result.arms.n_in[0], result.arms.n_out[0]) == (4, 2)
    assert (result.arms.mean_in[0], result.arms.mean_out[0]) == (0.75, 0.5)
    assert result.estimand == "subset(0.67)"
    # Agresti and Caffo's rates: (3 + 1) / 6 and (1 + 1) / 4.
    ends = memorization(included, right, method=AgrestiCaffo()).confidence_interval
    error = math.sqrt((4 / 6) * (2 / 6) / 6 + 0.5 * 0.5 / 4)
    assert ends.low[0] == pytest.approx(4 / 6 - 0.5 - 1.959963984540054 * error, abs=1e-12)
    # Soft: sums 3 and 1 and the weights 0.25 of a 0 and a 1 in each arm.
    soft = memorization(included, right, method=PseudoCountWelch()).confidence_interval
    m, k = 3.25 / 4.5, 1.25 / 2.5
    variance = (3.25 - 4.5 * m * m) / (4.5 * 3.5) + (1.25 - 2.5 * k * k) / (2.5 * 1.5)
    # One degree of freedom: the t quantile at 0.975 is tan(0.475 pi).
    half = math.tan(0.475 * math.pi) * math.sqrt(variance)
    assert soft.high[0] == pytest.approx(min(m - k + half, 1.0), abs=1e-12)


@pytest.mark.parametrize(
    ("method", "name"), [(Newcombe(), "newcomb"), (AgrestiCaffo(), "agresti-caffo")]
)
def test_agrees_with_statsmodels_table_by_table(method: Any, name: str) -> None:
    n, m = 23, 11
    x, y = np.indices((n + 1, m + 1)).reshape(2, -1)
    arms = Arms(np.full(x.shape, n), np.full(x.shape, m), x / n, y / m, None, None, "0/1")
    ends = method.limits(arms, 0.9)
    for k in range(x.size):
        low, high = confint_proportions_2indep(x[k], n, y[k], m, method=name, alpha=0.1)
        assert ends.low[k] == pytest.approx(max(low, -1), abs=1e-12)
        assert ends.high[k] == pytest.approx(min(high, 1), abs=1e-12)


def test_unpooled_error_agrees_with_scipy_and_is_a_little_wider_than_welch() -> None:
    included, outcome = population(80, 6, 6, "margin", 7)
    ends = memorization(included, outcome).confidence_interval
    for i in range(6):
        inside, outside = outcome[included[:, i], i], outcome[~included[:, i], i]
        test: Any = stats.ttest_ind(inside, outside, equal_var=False)
        welch = test.confidence_interval(0.95)
        t = stats.t.isf(0.025, min(inside.size, outside.size) - 1)
        half = t * (inside.mean() - outside.mean()) / test.statistic
        assert (ends.high[i] - ends.low[i]) / 2 == pytest.approx(half, rel=1e-10)
        assert 1.0 <= 2 * half / (welch.high - welch.low) < 1.05


def test_exact_score_agrees_with_the_likelihood_maximised_by_search() -> None:
    n, m = 7, 5
    for difference in (-0.6, -0.1, 0.0, 0.3, 0.8):
        found = score_statistics(n, m, difference)
        q = np.linspace(max(0.0, -difference), min(1.0, 1.0 - difference), 40_001)
        p = np.clip(q + difference, 0, 1)
        for x in range(n + 1):
            for y in range(m + 1):
                with np.errstate(divide="ignore"):
                    chance = stats.binom.logpmf(x, n, p) + stats.binom.logpmf(y, m, q)
                at = chance.argmax()
                error = np.sqrt(p[at] * (1 - p[at]) / n + q[at] * (1 - q[at]) / m)
                gap = x / n - y / m - difference
                expected = gap / error if error > 1e-4 else 0.0
                assert found[x, y] == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize(("n", "m"), [(1, 1), (4, 2), (14, 6), (9, 12)])
def test_exact_interval_misses_no_more_than_its_level_counted_exactly(n: int, m: int) -> None:
    x, y = np.indices((n + 1, m + 1))
    arms = Arms(np.full(x.shape, n), np.full(x.shape, m), x / n, y / m, None, None, "0/1")
    for step in (0.05, 0.013):
        ends = ExactDifference(step).limits(arms, 0.9)
        estimate = arms.mean_in - arms.mean_out
        assert (ends.low <= estimate).all()
        assert (estimate <= ends.high).all()
        for p in np.linspace(0, 1, 31):
            for q in np.linspace(0, 1, 31):
                law = stats.binom.pmf(x, n, p) * stats.binom.pmf(y, m, q)
                assert (law * (ends.low > p - q + 1e-12)).sum() <= 0.05 + 1e-12
                assert (law * (ends.high < p - q - 1e-12)).sum() <= 0.05 + 1e-12


def test_exact_interval_is_close_to_newcombe_and_closed_form_at_the_corner() -> None:
    n, m = 42, 18
    corner = Arms(np.array([n]), np.array([m]), np.ones(1), np.ones(1), None, None, "0/1")
    ends = ExactDifference(0.005).limits(corner, 0.95)
    # All right in both arms: 0.025 = (1 - D)^m where those with the example are right for sure.
    assert 0 <= ends.high[0] - (1 - 0.025 ** (1 / m)) <= 0.02
    x, y = np.indices((n + 1, m + 1))
    arms = Arms(np.full(x.shape, n), np.full(x.shape, m), x / n, y / m, None, None, "0/1")
    exact, hybrid = ExactDifference().limits(arms, 0.95), Newcombe().limits(arms, 0.95)
    widths = [(e.high - e.low).mean() for e in (exact, hybrid)]
    assert 1.0 < widths[0] / widths[1] < 1.15


def test_exact_counts_and_extreme_outcomes() -> None:
    rng = np.random.default_rng(11)
    included, right = rng.random((3001, 3)) < 0.7, rng.random((3001, 40)) < 0.999
    arms = cross_influence(included, right).arms
    for i in range(3):
        expected = right[included[:, i]].sum(axis=0)
        np.testing.assert_array_equal(arms.counts()[0][i], expected)
        np.testing.assert_array_equal(arms.counts()[1][i], right.sum(axis=0) - expected)
    all_right = memorization(included, np.ones((3001, 3)))
    assert (all_right.estimate == 0).all()
    assert (all_right.confidence_interval.high > 0.001).all()
    assert (all_right.confidence_interval.low < -0.0005).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_memory_budget_changes_nothing(kind: str) -> None:
    included, outcome = population(40, 33, 41, kind, 13)
    whole = cross_influence(included, outcome)
    for budget in (1, 10_000, 30_000):
        parts = cross_influence(included, outcome, memory_budget=budget)
        for a, b in (
            (whole.estimate, parts.estimate),
            (whole.confidence_interval.low, parts.confidence_interval.low),
            (whole.confidence_interval.high, parts.confidence_interval.high),
        ):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def test_float32_outcomes_differ_by_rounding_alone() -> None:
    included, outcome = population(500, 20, 30, "soft", 17)
    single = cross_influence(included, outcome.astype(np.float32))
    double = cross_influence(included, outcome)
    np.testing.assert_allclose(single.estimate, double.estimate, atol=1e-6)
    np.testing.assert_allclose(
        single.confidence_interval.low, double.confidence_interval.low, atol=1e-5
    )


@given(seed=st.integers(0, 2**20), kind=st.sampled_from(KINDS))
@settings(derandomize=True, max_examples=25, deadline=None)
def test_symmetries(seed: int, kind: str) -> None:
    included, outcome = population(30, 6, 6, kind, seed)
    result = memorization(included, outcome)
    ends, unknown = result.confidence_interval, result.undetermined
    close: dict[str, Any] = {"rtol": 1e-9, "atol": 1e-9}
    # Models that leave an example out in the place of those that include it.
    other = memorization(~included, outcome)
    np.testing.assert_array_equal(other.undetermined, unknown)
    np.testing.assert_allclose(other.estimate, -result.estimate, **close)
    np.testing.assert_allclose(other.confidence_interval.low, -ends.high, **close)
    np.testing.assert_allclose(other.confidence_interval.high, -ends.low, **close)
    # The order of models says nothing; that of examples comes out as it goes in.
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(30), rng.permutation(6)
    moved = memorization(included[rows][:, columns], outcome[rows][:, columns])
    np.testing.assert_allclose(moved.estimate, result.estimate[columns], **close)
    np.testing.assert_allclose(moved.confidence_interval.low, ends.low[columns], **close)
    pairs = cross_influence(included, outcome)
    swapped = cross_influence(included[:, columns], outcome[:, columns[:3]])
    np.testing.assert_allclose(
        swapped.estimate, pairs.estimate[np.ix_(columns, columns[:3])], **close
    )
    # More confidence is wider; the estimate is inside; simultaneous intervals are wider still.
    wider = memorization(included, outcome, confidence=0.999).confidence_interval
    joint = result.simultaneous(0.95).confidence_interval
    assert (wider.low <= ends.low).all()
    assert (wider.high >= ends.high).all()
    assert ((ends.low <= result.estimate) & (result.estimate <= ends.high)).all()
    assert ((joint.low <= result.estimate) & (result.estimate <= joint.high)).all()


def test_pvalues_agree_with_a_grid_of_rates() -> None:
    n, m = 28, 12
    x, y = (v.ravel() for v in np.indices((n + 1, m + 1)))
    arms = Arms(np.full(x.shape, n), np.full(x.shape, m), x / n, y / m, None, None, "0/1")
    for above in (-0.3, 0.0, 0.25, 0.8):
        found = exceedance_pvalues(arms, above)
        q = np.linspace(max(0.0, -above), min(1.0, 1.0 - above), 4001)
        for k in range(0, x.size, 5):
            both = stats.binom.sf(x[k] - 1, n, np.clip(q + above, 0, 1))
            best = (both * stats.binom.cdf(y[k], m, q)).max()
            expected = best * (1 - math.log(best))
            assert expected - 1e-12 <= found[k] <= expected * (1 + 1e-3) + 1e-12
    # The joint limits invert the same p-values: half of the level at the limit, in cells.
    ends = bonferroni(arms, 0.9, 1)
    for k in range(0, x.size, 31):
        if ends.low[k] > -1:
            one = arms.where(np.arange(x.size) == k)
            assert 0.03 < exceedance_pvalues(one, float(ends.low[k]))[0] <= 0.05 * (1 + 1e-6)


@pytest.mark.parametrize("above", [0.0, 0.25])
def test_pvalues_exceed_no_level_counted_exactly(above: float) -> None:
    n, m = 14, 6
    x, y = np.indices((n + 1, m + 1))
    arms = Arms(np.full(x.shape, n), np.full(x.shape, m), x / n, y / m, None, None, "0/1")
    pvalue = exceedance_pvalues(arms, above)
    for p in np.linspace(0, 1, 41):
        for q in np.linspace(max(p - above, 0.0), 1, 11):
            law = stats.binom.pmf(x, n, p) * stats.binom.pmf(y, m, q)
            for level in (1e-4, 0.01, 0.05, 0.3):
                assert law[pvalue <= level].sum() <= level + 1e-12


def test_far_tails_do_not_lose_the_maximum() -> None:
    n, m = 2800, 1200
    rates = np.array([1.0, 0.9]), np.array([0.995, 0.4])
    arms = Arms(np.array([n, n]), np.array([m, m]), *rates, None, None, "0/1")
    q = np.linspace(0, 1, 200_001)
    for k, (x, y) in enumerate(((2800, 1194), (2520, 480))):
        with np.errstate(divide="ignore"):
            best = (stats.binom.logsf(x - 1, n, q) + stats.binom.logcdf(y, m, q)).max()
        found = exceedance_pvalues(arms, 0.0)[k]
        assert found == pytest.approx(max(math.exp(best) * (1 - best), 0.0), rel=1e-2, abs=1e-280)


def test_too_few_models_are_undetermined() -> None:
    included = np.array([[1, 0, 1, 1], [1, 0, 0, 1], [1, 0, 1, 0], [1, 0, 0, 0]], dtype=bool)
    right = np.array([[1, 0, 1, 1], [1, 1, 0, 1], [0, 0, 1, 0], [1, 1, 0, 1]])
    result = memorization(included, right)
    np.testing.assert_array_equal(result.undetermined, [True, True, False, False])
    ends = result.confidence_interval
    assert (ends.low[:2] == -1).all()
    assert (ends.high[:2] == 1).all()
    assert np.isfinite(result.estimate).all()
    table = result.to_dataframe()
    assert table["memorization"].isna().tolist() == [True, True, False, False]
    assert "2 of 4 are undetermined" in result.warnings[0]
    assert "undetermined" in str(result)
    listed = result.exceeding(-0.5, false_discovery_rate=0.9)
    assert not listed.exceeds[:2].any()
    assert listed.pvalue[0] == 1
    assert result.simultaneous().confidence_interval.high[0] == 1
    pairs = cross_influence(included, right[:, :2])
    assert pairs.undetermined.tolist() == [[True] * 2, [True] * 2, [False] * 2, [False] * 2]
    assert len(pairs.to_dataframe()) == 8
    one = memorization(np.array([[1], [0], [0]]), np.array([[0.5], [7.0], [1.0]]))
    assert one.undetermined.all()
    assert one.confidence_interval.high[0] == np.inf
    assert set_memorization(included, right, [0, 2]).undetermined
    assert np.isnan(set_memorization(included, right, [0, 2]).to_dataframe()["estimate"]).all()


def test_what_a_result_says() -> None:
    included, right = population(90, 12, 12, "0/1", 19)
    result = memorization(included, right, estimand="loo")
    assert result.estimand == "loo"
    assert "Agresti and Caffo" in result.method
    assert "memorization, loo, 12 examples from 90 models" in str(result)
    assert "<table" in result._repr_html_()
    assert list(result.to_dataframe()) == [
        "example",
        "memorization",
        "low",
        "high",
        "n_in",
        "n_out",
    ]
    soft = cross_influence(included, population(90, 12, 12, "soft", 19)[1])
    assert soft.estimand.startswith("soft subset(0.")
    assert "weight 0.5" in soft.method
    assert list(soft.to_dataframe()) == ["source", "target", "influence", "low", "high"]
    margin = memorization(included, population(90, 12, 12, "margin", 19)[1])
    assert margin.estimand.startswith("unbounded subset(0.")
    assert "normal" in " ".join(margin.assumptions)
    joint = result.simultaneous(0.9)
    assert joint.confidence_level == 0.9
    assert "12 at once" in joint.method
    assert not any("normal" in text for text in joint.assumptions)
    assert any("normal" in text for text in margin.simultaneous().assumptions)
    listed = result.exceeding(0.1)
    frame = listed.to_dataframe()
    assert list(frame) == ["example", "estimate", "pvalue", "adjusted"]
    assert frame["pvalue"].is_monotonic_increasing
    assert len(frame) == listed.exceeds.sum()
    assert (listed.adjusted >= listed.pvalue).all()
    more = result.exceeding(0.1, dependence="positive")
    assert (more.adjusted <= listed.adjusted).all()
    assert "false discovery rate of 0.05" in str(listed)


def test_a_set_of_one_is_the_example_itself() -> None:
    included, outcome = population(70, 8, 8, "soft", 23)
    alone = set_memorization(included, outcome, [3])
    own = memorization(included, outcome)
    assert alone.estimate == pytest.approx(own.estimate[3], abs=1e-12)
    assert alone.confidence_interval.low == pytest.approx(own.confidence_interval.low[3], abs=1e-12)
    margin = population(70, 8, 8, "margin", 23)[1]
    alone, own = set_memorization(included, margin, [3]), memorization(included, margin)
    assert alone.confidence_interval.high == pytest.approx(own.confidence_interval.high[3])
    mask = np.arange(8) == 3
    assert set_memorization(included, margin, mask).estimate == alone.estimate
    whole = set_memorization(included, outcome, np.arange(8))
    assert whole.estimate == pytest.approx(memorization(included, outcome).estimate.mean())
    assert list(whole.to_dataframe()["of"]) == ["mean memorization", "members above 0.25"]
    assert whole.count_interval.low <= whole.count <= whole.count_interval.high


def test_models_needed_knows_the_worst_case() -> None:
    table = {
        0.5: (1537, 9604, 38415),
        0.7: (1830, 11433, 45732),
        0.9: (4269, 26677, 106708),
    }
    for inclusion, expected in table.items():
        found = [models_needed(w, inclusion=inclusion) for w in (0.05, 0.02, 0.01)]
        np.testing.assert_allclose(found, expected, atol=1)


def test_refuses_bad_input() -> None:
    included, right = population(20, 3, 3, "0/1", 29)
    with pytest.raises(ValueError, match="expected one row a model in both, found 20 and 19 rows"):
        memorization(included, right[1:])
    with pytest.raises(ValueError, match="a column for each of the 3 examples .* found 2 columns"):
        memorization(included, right[:, :2])
    with pytest.raises(ValueError, match=r"included: expected an array \[models, n\] .* \(20,\)"):
        memorization(included[:, 0], right)
    with pytest.raises(ValueError, match="outcome: expected an array .* not empty"):
        cross_influence(included, right[:, :0])
    with pytest.raises(ValueError, match="included: expected booleans or 0 and 1, found 0.5"):
        memorization(included * 0.5, right)
    with pytest.raises(TypeError, match="outcome: expected booleans or numbers, found dtype comp"):
        memorization(included, right * 1j)
    bad = right.astype(float)
    bad[7, 1] = np.nan
    with pytest.raises(
        ValueError, match=r"outcome: expected finite numbers, found nan .* \(7, 1\)"
    ):
        memorization(included, bad)
    with pytest.raises(ValueError, match="confidence: expected a number in"):
        memorization(included, right, confidence=1.5)
    with pytest.raises(ValueError, match="memory_budget: expected at least 1, found 0"):
        cross_influence(included, right, memory_budget=0)
    with pytest.raises(
        ValueError, match=r"method: expected one for outcomes that are \[0, 1\], fo"
    ):
        memorization(included, right * 0.5, method=Newcombe())
    with pytest.raises(ValueError, match="unbounded, found PseudoCountWelch, which is for 0/1 and"):
        memorization(included, right * 2.0, method=PseudoCountWelch())
    with pytest.raises(ValueError, match=r"weight: expected a number in \(0, 4\], found 0"):
        PseudoCountWelch(0.0)
    with pytest.raises(ValueError, match="step: expected a number in"):
        ExactDifference(0.5)
    big = population(300, 2, 2, "0/1", 31)
    with pytest.raises(ValueError, match="ExactDifference expected at most 256 models, found 300"):
        memorization(*big, method=ExactDifference())
    result = memorization(included, right)
    with pytest.raises(ValueError, match=r"above: expected a number in \[-1, 1\), found 1"):
        result.exceeding(1.0)
    with pytest.raises(ValueError, match="false_discovery_rate: expected a number in"):
        result.exceeding(0.1, false_discovery_rate=0.0)
    with pytest.raises(ValueError, match="above: expected a finite number, found inf"):
        memorization(included, right * 2.0, method=Welch()).exceeding(np.inf)
    with pytest.raises(ValueError, match="confidence: expected a number in"):
        result.simultaneous(0.0)
    for members, message in (
        (np.array([], dtype=int), "at least one example"),
        ([0, 3], r"indices in \[0, 2\], found 0 to 3"),
        ([1, 1], "each example once"),
        (np.array([True]), "a mask of 3 examples, found 1"),
    ):
        with pytest.raises(ValueError, match=message):
            set_memorization(included, right, members)
    for members in ([], [0.5]):
        with pytest.raises(TypeError, match="members: expected indices or a mask"):
            set_memorization(included, right, members)
    with pytest.raises(ValueError, match=r"half_width: expected a number in \(0, 1\), found 0"):
        models_needed(0.0)
    with pytest.raises(ValueError, match="rate_out: expected a number in"):
        models_needed(0.1, rate_out=1.5)
    with pytest.raises(ValueError, match="half_width: expected a width that can be reached"):
        models_needed(1e-9)
