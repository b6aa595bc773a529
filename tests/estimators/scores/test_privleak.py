import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from estimators.scores._compared import auc_per_model
from estimators.scores._privleak import (
    membership_auc,
    min_k_score,
    privleak,
    privleak_percent,
    privleak_value,
)

MEMBER = np.arange(40) < 20


def test_min_k_is_the_mean_of_the_least_likely_tokens() -> None:
    draw = np.random.default_rng(3)
    tokens, lengths = -draw.exponential(size=(2, 4, 9)), np.array([9, 5, 2, 1])
    found = min_k_score(tokens, lengths)
    for k in range(2):
        for j in range(4):
            kept = sorted(tokens[k, j, : lengths[j]])[: max(1, int(0.4 * lengths[j]))]
            assert found[k, j] == pytest.approx(sum(kept) / len(kept))


def test_losses_and_probabilities_are_no_log_probabilities() -> None:
    tokens = -np.ones((2, 3, 4))
    tokens[1, 2, 3] = 1e-6
    assert min_k_score(tokens, np.array([4, 4, 4])).max() == -1.0
    for wrong, found in ((-tokens, "1"), (np.full((2, 3, 4), 0.3), "0.3")):
        with pytest.raises(ValueError, match=f"expected numbers of at most 0, found {found}: hand"):
            min_k_score(wrong, np.array([4, 4, 4]))
    # What lies beyond a text's end is not looked at.
    tokens[:, :, 3] = 7.0
    assert min_k_score(tokens, np.array([3, 2, 1])).max() == -1.0


def test_privleak_agrees_with_the_plain_ratio() -> None:
    draw = np.random.default_rng(5)
    ours = draw.normal(size=(12, 40)) + 2.0 * MEMBER
    theirs = draw.normal(size=(9, 40)) - 0.2 * MEMBER
    # MUSE's own lines: held-out texts are labelled 1.
    areas = [np.mean([roc_auc_score(~MEMBER, row) for row in side]) for side in (ours, theirs)]
    result = privleak(ours, theirs, member=MEMBER, seed=0)
    assert result.estimate == pytest.approx(100 * (areas[0] / areas[1] - 1))
    assert result.confidence_interval.high < 0
    assert "PrivLeak" in str(result)
    single = privleak(ours[:1], theirs, member=MEMBER, seed=0)
    assert single.undetermined
    assert "undetermined" in str(single)


def test_what_remembers_all_has_minus_100() -> None:
    member = np.array([True, True, False, False])
    ours, theirs = np.array([[-1.0, -2, -3, -4]]), np.array([[-1.0, -4, -2, -3]])
    assert privleak_value(ours, theirs, member=member) == -100.0
    assert privleak_value(theirs, -ours, member=member) == -50.0
    assert privleak_value(-ours, theirs, member=member) == 100.0
    # So is the end of an interval that is clipped there.
    remembered = privleak(np.tile(ours, (6, 1)), np.full((6, 4), 2.0), member=member, seed=0)
    assert remembered.confidence_interval.low == -100.0


def test_one_auc_for_scores_and_for_losses() -> None:
    draw = np.random.default_rng(11)
    table = draw.integers(-4, 4, size=(5, 40)).astype(np.float64)
    losses = [membership_auc(-row[MEMBER], -row[~MEMBER])[0] for row in table]
    np.testing.assert_allclose(1.0 - auc_per_model(table, MEMBER), losses)


def test_no_leak_is_the_references_area_and_not_one_half() -> None:
    # The held-out texts are of another kind: retrained models have an AUC far from one half.
    draw = np.random.default_rng(7)
    ours, theirs = (draw.normal(size=(30, 40)) - 1.0 * MEMBER for _ in range(2))
    ends = privleak(ours, theirs, member=MEMBER, seed=0).confidence_interval
    assert ends.low < 0 < ends.high
    assert abs(ends.high - ends.low) < 60


def test_refuses_bad_input() -> None:
    with pytest.raises(ValueError, match="reference: expected a forget text less likely"):
        privleak_value(np.ones((1, 40)), 1.0 * MEMBER[None], member=MEMBER)
    tokens = -np.ones((1, 2, 3))
    with pytest.raises(ValueError, match="tokens: expected lengths from 1 to 3"):
        min_k_score(tokens, np.array([0, 3]))
    with pytest.raises(ValueError, match=r"share: expected a number in \(0, 1\], found 0"):
        min_k_score(tokens, np.array([1, 3]), share=0.0)
    with pytest.raises(ValueError, match="log_probabilities and tokens: expected"):
        min_k_score(tokens, np.array([1.0, 3.0]))


def test_resamples_without_a_value_leave_the_interval_unknown() -> None:
    draw = np.random.default_rng(5)
    ours = draw.normal(size=(6, 40))
    # Of three models in four every forget text is likelier than every held-out one.
    theirs = np.where(MEMBER, 10.0, 0.0) + draw.normal(size=(4, 40))
    theirs[0] = draw.normal(size=40)
    found = privleak(ours, theirs, member=MEMBER, seed=0)
    assert found.undetermined
    assert np.isfinite(found.estimate)
    assert (found.confidence_interval.low, found.confidence_interval.high) == (-100.0, np.inf)
    assert any("some resamples have no value" in text for text in found.warnings)


@pytest.mark.parametrize("side", ["forget", "holdout"])
def test_an_auc_takes_finite_scores_of_some_texts(side: str) -> None:
    given = {"forget": np.array([1.0, 3.0]), "holdout": np.array([2.0, 2.0])}
    masked = np.ma.array([1.0, 99.0], mask=[False, True])
    for wrong, words in (
        (np.array([1.0, np.nan]), r"expected finite numbers, found nan at index \(1,\)"),
        (np.array([]), r"expected a number for each text, found shape \(0,\)"),
        (masked, "expected an array without a mask"),
    ):
        with pytest.raises(ValueError, match=f"^{side}: {words}"):
            membership_auc(**given | {side: wrong})
    for counts, words in (
        (np.array([[1, -1]]), "expected numbers of at least 0"),
        (np.array([[0, 0]]), "expected numbers of at least 0, and one above 0 in each row"),
    ):
        with pytest.raises(ValueError, match=words):
            membership_auc(**given, **{f"{side}_counts": counts})


def test_privleak_is_of_rates() -> None:
    for own, reference, words in (
        (0.4, 0.0, r"reference: expected numbers in \(0, 1\], found 0"),
        (1.4, 0.5, r"own: expected numbers in \[0, 1\], found 1.4"),
        (float("nan"), 0.5, "own: expected finite numbers, found nan"),
        (0.5, float("inf"), "reference: expected finite numbers, found inf"),
        (np.ma.array([0.5], mask=[True]), np.array([0.5]), "own: expected an array without a mask"),
        (np.array([0.5]), np.array([0.0]), r"reference: expected numbers in \(0, 1\], found 0 to"),
    ):
        with pytest.raises(ValueError, match=f"^{words}"):
            privleak_percent(own, reference)
    assert privleak_percent(0.0, 0.3) == -100.0
    assert isinstance(privleak_percent(0.2, 0.4), float)
    np.testing.assert_array_equal(privleak_percent(np.array([0.2]), np.array([0.4])), [-50.0])
