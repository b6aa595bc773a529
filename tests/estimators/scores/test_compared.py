import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score, roc_curve

from estimators.scores._calibrate import calibrate
from estimators.scores._compared import auc_per_model, compared, mean_difference, tpr_per_model


def test_means_and_intervals_are_those_of_t() -> None:
    draw = np.random.default_rng(3)
    ours, theirs = draw.normal(0.6, 0.1, 12), draw.normal(0.4, 0.2, 9)
    result = compared(ours, theirs, name="attack")
    plain = stats.ttest_1samp(ours, 0).confidence_interval(0.95)
    assert result.submission_interval.low == pytest.approx(plain.low)
    assert result.submission_interval.high == pytest.approx(plain.high)
    error = np.sqrt(ours.var(ddof=1) / 12 + theirs.var(ddof=1) / 9)
    assert result.confidence_interval.high == pytest.approx(
        ours.mean() - theirs.mean() + stats.t.isf(0.025, 8) * error
    )
    pairs = compared(ours[:9], theirs, name="attack", paired=True)
    plain = stats.ttest_rel(ours[:9], theirs).confidence_interval(0.95)
    assert pairs.confidence_interval.low == pytest.approx(plain.low)
    assert list(result.to_dataframe()["mean of"]) == ["submission", "reference", "difference"]


def test_a_single_model_is_undetermined_and_constants_are_named() -> None:
    single = compared(np.array([0.4]), np.array([0.5, 0.6]), name="attack")
    assert single.undetermined
    assert "undetermined" in str(single)
    constant = compared(np.ones(5), np.array([0.5, 0.6]), name="attack")
    assert constant.warnings == ("all models of a side agree: its interval proves nothing",)


def test_the_bar_is_the_reference_and_not_one_half() -> None:
    # The forgotten examples are easier than the held-out ones, for models that never saw them too.
    draw = np.random.default_rng(5)
    member = np.arange(60) < 30
    easier = 1.0 * member

    def attacks(models: int) -> np.ndarray:
        return auc_per_model(draw.normal(size=(models, 60)) + easier, member)

    ours, retrained = attacks(40), attacks(80)
    result = compared(ours, retrained, name="AUC")
    assert result.submission_interval.low > 0.6
    ends = result.confidence_interval
    assert ends.low < 0 < ends.high
    original = auc_per_model(draw.normal(size=(40, 60)) + 2 * easier, member)
    found = calibrate(mean_difference, ours, {"untraining": retrained}, original=original, seed=0)
    assert found.tells.all()
    assert not found.beyond.any()


def test_rates_agree_with_scikit_learn() -> None:
    draw = np.random.default_rng(7)
    member = np.arange(50) % 3 == 0
    scores = (draw.normal(size=(5, 50)) + member).round(1)
    areas, rates = auc_per_model(scores, member), tpr_per_model(scores, member, fpr=0.1)
    for row, area, rate in zip(scores, areas, rates, strict=True):
        assert area == pytest.approx(roc_auc_score(member, row))
        fpr, tpr, _ = roc_curve(member, row, drop_intermediate=False)
        assert rate == pytest.approx(tpr[fpr <= 0.1].max())


def test_refuses_bad_input() -> None:
    ones = np.ones((2, 3))
    with pytest.raises(ValueError, match="member: expected members and non-members"):
        auc_per_model(ones, np.ones(3, dtype=bool))
    with pytest.raises(ValueError, match=r"member: expected booleans \[3\], found"):
        auc_per_model(ones, np.ones(2, dtype=bool))
    with pytest.raises(ValueError, match="fpr: expected a number in"):
        tpr_per_model(ones, np.array([True, False, False]), fpr=1.0)
    with pytest.raises(ValueError, match="paired: expected as many models"):
        compared(np.ones(2), np.ones(3), name="x", paired=True)
