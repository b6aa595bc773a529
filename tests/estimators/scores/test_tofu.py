import numpy as np
import pytest
from scipy import stats

from estimators.scores._tofu import forget_quality, truth_ratio


def test_truth_ratio_agrees_with_the_plain_means() -> None:
    draw = np.random.default_rng(3)
    wrong, right = -draw.exponential(size=(2, 3, 4)), -draw.exponential(size=(2, 3))
    arithmetic, geometric = truth_ratio(wrong, right), truth_ratio(wrong, right, mean="geometric")
    for k in range(2):
        for q in range(3):
            p = [np.exp(value) for value in wrong[k, q]]
            assert arithmetic[k, q] == pytest.approx(sum(p) / 4 / np.exp(right[k, q]))
            assert geometric[k, q] == pytest.approx(np.prod(p) ** 0.25 / np.exp(right[k, q]))
    assert (geometric < arithmetic).all()


def ratios(models: int, seed: int, own: float = 0.0, shift: float = 0.0) -> np.ndarray:
    """Questions differ greatly; models by noise and by a level of their own."""
    question = np.random.default_rng(1).normal(0, 1.5, 120)
    draw = np.random.default_rng(seed)
    level = own * draw.normal(size=(models, 1))
    return np.exp(question + shift + level + 0.2 * draw.normal(size=(models, 120)))


def test_pvalues_are_scipys() -> None:
    ours, theirs = ratios(2, 3), ratios(3, 4)
    found = forget_quality(ours, theirs, cluster=1)
    assert found.ks[1, 2] == pytest.approx(stats.ks_2samp(ours[1], theirs[2]).pvalue)
    gap = np.log(ours[1]) - np.log(theirs[2])
    assert found.paired[1, 2] == pytest.approx(stats.wilcoxon(gap, method="approx").pvalue)
    assert found.null_ks.shape == (3,)
    table = found.to_dataframe()
    assert table["median p"][0] == pytest.approx(np.median(found.ks))
    assert "3 retain models" in str(found)


def test_the_classic_test_is_blind_where_the_paired_one_sees() -> None:
    # A shift of a tenth of a question's spread, and of one noise deviation within a question.
    found = forget_quality(ratios(4, 5, shift=0.15), ratios(4, 6), cluster=1)
    assert found.ks.min() > 0.3
    assert found.paired.max() < 1e-3


def test_one_retain_model_is_one_draw() -> None:
    # Retain models that differ by their seeds reject one another in the paired test.
    found = forget_quality(ratios(1, 7, own=0.2), ratios(10, 8, own=0.2), cluster=1)
    assert found.rejected > 0.5
    single = forget_quality(ratios(1, 7), ratios(1, 8), cluster=1)
    assert single.warnings == ("a single retain model has no null: train more",)
    assert "undetermined" in str(single)
    same = forget_quality(ratios(1, 7), ratios(1, 7))
    assert same.ks[0, 0] == same.paired[0, 0] == 1


def test_authors_are_the_draws_of_the_paired_test() -> None:
    # Models of one law, each with an effect of its own on every author: of 300 paired tests at .05
    # those over 20 authors reject 15 but for chance, 30 or more with probability 2e-4; those over
    # questions reject most.
    draw = np.random.default_rng(9)
    rejected = np.zeros(2, dtype=int)
    for _ in range(300):
        effects = np.repeat(draw.normal(size=(2, 20)), 20, axis=1)
        ours, theirs = np.exp(effects + 0.5 * draw.normal(size=(2, 400)))
        for place, cluster in enumerate((None, 1)):
            found = forget_quality(ours[None], theirs[None], cluster=cluster)
            rejected[place] += found.paired[0, 0] <= 0.05
    assert rejected[0] < 30
    assert rejected[1] > 150


def test_too_few_authors_leave_the_share_undetermined() -> None:
    found = forget_quality(ratios(1, 7), ratios(3, 8))
    assert (found.questions, found.draws) == (120, 6)
    assert np.isnan(found.rejected)
    assert found.warnings == (
        "fewer than 10 independent draws: what the paired test rejects says little",
    )
    assert "120 questions in 6 independent draws" in str(found)
    assert forget_quality(ratios(1, 7)[:, :110], ratios(3, 8)[:, :110]).draws == 110


def test_refuses_bad_input() -> None:
    with pytest.raises(ValueError, match="cluster: expected a divisor of 120 questions, found 7"):
        forget_quality(ratios(1, 7), ratios(1, 8), cluster=7)
    with pytest.raises(ValueError, match="submission: expected truth ratios above 0, found 0"):
        forget_quality(np.zeros((1, 3)), np.ones((1, 3)))
    with pytest.raises(ValueError, match="expected log-probabilities of at most 0"):
        truth_ratio(np.ones((1, 2, 3)), np.zeros((1, 2)))
    with pytest.raises(ValueError, match="perturbed and paraphrased: expected"):
        truth_ratio(np.zeros((1, 2)), np.zeros((1, 2)))
