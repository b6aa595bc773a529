import numpy as np
import pytest

from estimators.scores._competition import (
    competition,
    competition_epsilon,
    final_score,
    forgetting_quality,
)


def plain_rule_epsilon(fpr: float, fnr: float, delta: float) -> float:
    if fpr == 0 and fnr == 0:
        return np.inf
    if fpr == 0 or fnr == 0:
        return np.nan
    found = [0.0]
    if 1 - delta - fpr > 0:
        found.append(np.log(1 - delta - fpr) - np.log(fnr))
    if 1 - delta - fnr > 0:
        found.append(np.log(1 - delta - fnr) - np.log(fpr))
    return max(found)


def plain_epsilon(submission: np.ndarray, reference: np.ndarray, delta: float = 1e-5) -> float:
    """The published rules, one by one."""
    pos, neg = submission, reference
    if np.median(reference) > np.median(submission):
        pos, neg = reference, submission
    spans = np.ptp(pos), np.ptp(neg)
    if min(spans) / max(spans) < 0.01:
        return 50.0
    found = []
    low, high = min(pos.min(), neg.min()), max(pos.max(), neg.max())
    for t in np.linspace(low, high, int(np.ceil((high - low) * 100))):
        found.append(plain_rule_epsilon((neg >= t).mean(), (pos < t).mean(), delta))
    if spans[0] >= spans[1]:
        pos, neg = neg, pos
    width = min(spans)
    for right in np.linspace(pos.min() + width - 2, pos.max() + 2, 400):
        for left in np.linspace(right - width - 2, right - width + 2, 400):
            fpr = ((neg >= left) & (neg <= right)).mean()
            fnr = 1 - ((pos >= left) & (pos <= right)).mean()
            if abs(fnr) < 1e-12:
                fnr = 0.0
            found.append(plain_rule_epsilon(fpr, fnr, delta))
    return min(float(np.nanmax(found)), 50.0)


@pytest.mark.parametrize(
    ("shift", "scale", "n", "m"),
    [(0.0, 1.0, 12, 12), (0.0, 0.2, 20, 20), (0.7, 6.0, 15, 9)],
)
def test_agrees_with_the_plain_rules(shift: float, scale: float, n: int, m: int) -> None:
    draw = np.random.default_rng(3)
    ours, theirs = draw.normal(shift, scale, (n, 1)), draw.normal(0, 1, (m, 1))
    found = competition_epsilon(ours, theirs)[0]
    assert found == pytest.approx(plain_epsilon(ours[:, 0], theirs[:, 0]))
    assert competition_epsilon(theirs, ours)[0] == pytest.approx(found)


# Each pair has one best rule, at an edge of what is tried: positive at the greatest value alone;
# up to the least right threshold, two below the peaked side's end; and in the narrowest interval.
EDGES = {
    "t is included": (
        [1.0] * 10 + [0.0] * 2 + [0.996] * 8,
        [1.0] + [0.0] * 2 + [0.996] * 17,
    ),
    "the right end is included": (
        [-2.0] * 15 + [-2.3, -2.2, -1.0, -0.5, 0.0],
        [-2.0] + [-1.995] * 16 + [-4.0, -1.5, 3.0],
    ),
    "narrow intervals are tried": (
        [*np.linspace(0.0, 1.02, 18), -1.0, 2.0],
        [0.5] + [-0.02] * 9 + [1.04] * 8 + [-2.0, 3.5],
    ),
}


@pytest.mark.parametrize("edge", EDGES)
def test_rules_at_the_edges_agree_with_the_plain_ones(edge: str) -> None:
    ours, theirs = (np.array(side) for side in EDGES[edge])
    found = competition_epsilon(ours[:, None], theirs[:, None])[0]
    assert found == pytest.approx(plain_epsilon(ours, theirs))


def test_perfect_separation_and_a_peaked_side_count_fifty() -> None:
    draw = np.random.default_rng(5)
    theirs = draw.normal(size=(30, 3))
    ours = np.stack([draw.normal(20, 1, 30), draw.normal(0, 0.001, 30), draw.normal(size=30)], 1)
    epsilon = competition_epsilon(ours, theirs)
    assert list(epsilon[:2]) == [50.0, 50.0]
    assert epsilon[2] < np.log(29)
    # Beyond the last bin nothing is earned.
    assert forgetting_quality(ours[:, :2], theirs[:, :2]) == 0


def test_several_thresholds_are_no_error() -> None:
    # The published code asserts on an array of them.
    draw = np.random.default_rng(7)
    assert competition_epsilon(draw.normal(size=(20, 2)), draw.normal(size=(20, 2))).shape == (2,)


def test_bins_earn_halves() -> None:
    draw = np.random.default_rng(11)
    ours, theirs = draw.normal(0.5, 1, (40, 25)), draw.normal(size=(40, 25))
    total = 0.0
    for e in competition_epsilon(ours, theirs):
        for k in range(2 * int(np.ceil(np.log(39)))):
            if k / 2 <= e < (k + 1) / 2:
                total += 0.5**k
    result = competition(ours, theirs, seed=0)
    assert result.estimate == pytest.approx(total / 25)
    assert result.ceiling_epsilon == pytest.approx(np.log((1 - 1e-5 - 1 / 40) * 40))
    assert result.epsilon[result.epsilon < 50].max() <= result.ceiling_epsilon
    assert result.confidence_interval.low < result.estimate < result.confidence_interval.high


def interval_coverage(n: int, repeats: int) -> float:
    draw = np.random.default_rng(13)

    def population(mean: float) -> np.ndarray:
        # Models differ in what all examples share, too.
        return draw.normal(mean, 1, (n, 8)) + 0.5 * draw.normal(size=(n, 1))

    truth = np.mean([forgetting_quality(population(0.7), population(0)) for _ in range(120)])
    held = 0
    for seed in range(repeats):
        ends = competition(population(0.7), population(0), seed=seed).confidence_interval
        held += bool(ends.low <= truth <= ends.high)
    return held / repeats


def test_interval_holds_the_mean_over_fresh_models() -> None:
    # At a coverage of 0.9, 30 or fewer of 40 have probability 0.005.
    assert interval_coverage(32, 40) > 30 / 40


@pytest.mark.slow
def test_interval_coverage_at_full_size() -> None:
    # At a coverage of 0.9, 168 or fewer of 200 have probability 0.005.
    assert interval_coverage(128, 200) > 168 / 200


def null_and_shifted(models: int) -> tuple[float, float]:
    draw = np.random.default_rng(17)
    reference = draw.normal(size=(models, 60))
    same, other = draw.normal(size=(models, 60)), draw.normal(3, 1, (models, 60))
    return float(forgetting_quality(same, reference)), float(forgetting_quality(other, reference))


def test_a_perfect_unlearner_is_far_below_one() -> None:
    null, shifted = null_and_shifted(64)
    assert shifted < 0.06 < 0.12 < null < 0.3


@pytest.mark.slow
@pytest.mark.parametrize("models", [64, 128, 256, 512])
def test_a_perfect_unlearner_is_far_below_one_at_full_size(models: int) -> None:
    null, shifted = null_and_shifted(models)
    assert shifted < 0.06 < 0.12 < null < 0.3


def test_final_score_is_the_product_of_ratios() -> None:
    found = final_score(
        0.5,
        retain=(np.array([0.8, 1.0]), np.array([1.0])),
        test=(np.array([0.5]), np.array([0.4, 0.6, 0.5])),
    )
    assert found == pytest.approx(0.5 * 0.9 * 1.0)
    with pytest.raises(ValueError, match="test: expected a reference accuracy above 0, found 0"):
        final_score(0.5, retain=(np.ones(1), np.ones(1)), test=(np.ones(1), np.zeros(1)))


def test_examples_without_a_rule_are_left_out_and_named() -> None:
    draw = np.random.default_rng(19)
    ours, theirs = draw.normal(size=(12, 2)), draw.normal(size=(12, 2))
    ours[:, 1] = theirs[:, 1] = 1.0
    result = competition(ours, theirs, seed=1)
    assert list(result.unusable) == [False, True]
    assert result.warnings[0] == "examples left out, without a usable rule: 1"
    assert result.examples()["epsilon"].isna().tolist() == [False, True]
    with pytest.raises(ValueError, match="expected an example with a rule"):
        forgetting_quality(np.ones((5, 1)), np.ones((5, 1)))


def test_table_seed_and_pairs() -> None:
    draw = np.random.default_rng(23)
    ours, theirs = draw.normal(size=(20, 4)), draw.normal(size=(20, 4))
    first, again = competition(ours, theirs, seed=2), competition(ours, theirs, seed=2)
    assert str(first) == str(again)
    assert "seed 2" in str(first)
    assert "forgetting quality" in first._repr_html_()
    assert "rows paired" in competition(ours, theirs, seed=2, paired=True).method
    few = competition(ours[:3], theirs, seed=2)
    assert few.undetermined
    assert "undetermined" in str(few)


def test_refuses_bad_input() -> None:
    ones = np.ones((5, 2))
    with pytest.raises(ValueError, match="reference: expected finite numbers, found nan"):
        competition_epsilon(ones, ones * np.nan)
    with pytest.raises(ValueError, match="expected the same examples, found 2 and 1"):
        competition_epsilon(ones, ones[:, :1])
    with pytest.raises(ValueError, match=r"submission: expected \[models, examples\]"):
        competition_epsilon(ones[:, 0], ones)
    with pytest.raises(ValueError, match="submission: expected at least 3 models, found 2"):
        competition(ones[:2], ones, seed=0)
    with pytest.raises(ValueError, match="expected at least 3 models, found 2"):
        forgetting_quality(np.arange(6.0).reshape(2, 3), np.arange(6.0).reshape(2, 3) ** 2)
    with pytest.raises(ValueError, match="delta: expected numbers in"):
        competition_epsilon(ones, ones, delta=1.0)
    draw = np.random.default_rng(29)
    with pytest.raises(ValueError, match="paired: expected as many models on both sides"):
        competition(draw.normal(size=(5, 2)), draw.normal(size=(6, 2)), seed=0, paired=True)


def test_a_final_score_is_of_rates() -> None:
    ones = np.ones(2), np.ones(2)
    for quality in (float("nan"), float("inf"), 1.5, -0.1):
        with pytest.raises(ValueError, match=r"quality: expected a number in \[0, 1\], found "):
            final_score(quality, retain=ones, test=ones)
    for name in ("retain", "test"):
        for wrong, words in (
            (np.array([np.nan]), "expected finite numbers, found nan"),
            (np.array([90.0]), r"expected numbers in \[0, 1\], found 90"),
            (np.array([]), "expected at least 1 models, found 0"),
        ):
            for pair in ((wrong, ones[0]), (ones[0], wrong)):
                with pytest.raises(ValueError, match=f"{name}: {words}"):
                    final_score(0.5, **({"retain": ones, "test": ones} | {name: pair}))
