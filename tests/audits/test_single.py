"""One submitted model: ranks that are exact, a ratio that is calibrated, words that hold back."""

import math

import numpy as np
import pytest

from audits import ObservedReferences, SubmissionError
from audits.single._audit import _beyond, audit_single, likelihood_ratio, rank_pvalue
from oracles import Observations
from tests.audits.conftest import World

FORGOTTEN = {"forget": -3.0}


def references(world: World, models: int = 60) -> ObservedReferences:
    hidden = FORGOTTEN | {"behaviour": -8.0}
    return ObservedReferences(world(1, FORGOTTEN, models=models), world(2, hidden, models=models))


def slow_pvalue(submitted: np.ndarray, reference: np.ndarray) -> float:
    """One model and one observable at a time."""
    pool = [list(submitted), *(list(row) for row in reference)]
    statistics = []
    for row in pool:
        deviations = []
        for j, x in enumerate(row):
            column = [other[j] for other in pool]
            mean = math.fsum(column) / len(pool)
            variance = math.fsum((y - mean) ** 2 for y in column) / len(pool)
            deviations.append(abs(x - mean) / math.sqrt(variance))
        statistics.append(max(deviations))
    least = statistics[0] * (1 - 1e-9)
    return sum(one >= least for one in statistics) / len(pool)


@pytest.mark.parametrize("seed", range(5))
def test_rank_pvalue_agrees_with_its_slow_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    submitted, reference = rng.normal(seed / 2, 1, size=3), rng.normal(size=(12, 3))
    assert rank_pvalue(submitted, reference) == slow_pvalue(submitted, reference)


def test_rank_pvalue_is_exact_whatever_the_law() -> None:
    # Skewed, heavy-tailed and dependent observables; under exchangeability p is uniform on k / 20.
    # Each share has a standard deviation of at most 0.0080: 5 of them, over 19 levels, are
    # exceeded with probability below 1.1e-5.
    rng = np.random.default_rng(7)
    draws, models = 3_900, 19
    shared = rng.standard_t(2, size=(draws, models + 1, 1))
    worlds = shared + np.exp(rng.normal(size=(draws, models + 1, 3)))
    pvalues = np.array([rank_pvalue(world[0], world[1:]) for world in worlds])
    for k in range(1, models + 1):
        level = k / (models + 1)
        deviation = math.sqrt(level * (1 - level) / draws)
        assert abs(np.mean(pvalues <= level + 1e-9) - level) < 5 * deviation


def test_rank_pvalue_counts_ties_against_the_submitted_model() -> None:
    # Three values at 0 and one at 4: the four deviations are 1, 1, 1 and 3.
    assert rank_pvalue(np.array([0.0]), np.array([[0.0], [0.0], [4.0]])) == 1.0
    assert rank_pvalue(np.array([4.0]), np.zeros((3, 1))) == 0.25
    # Nothing varies: nothing can be said.
    assert rank_pvalue(np.array([1.0]), np.ones((9, 1))) == 1.0
    assert rank_pvalue(np.array([1.0]), np.zeros((1, 1))) == 1.0


def test_a_model_like_one_reference_is_inconsistent_with_the_other(world: World) -> None:
    found = audit_single(world(3, FORGOTTEN, models=1), references(world))
    assert found.untraining.finding == "consistent"
    assert found.unlearning.finding == "inconsistent"
    assert found.unlearning.pvalue == pytest.approx(1 / 61)
    assert found.unlearning.level == pytest.approx(0.025)
    assert repr(found) == (
        "SingleAudit('submission', untraining consistent, unlearning inconsistent)"
    )
    said = found.sentence
    assert "is consistent with models never trained on the forget set (exact rank test" in said
    assert "is inconsistent with models never trained on the behaviour (exact rank test" in said
    assert "p = 0.016, never below 0.016; farthest in the median margin on behaviour" in said
    assert "no epsilon, no delta and no likeness follow from it" in said
    for word in ("matches", "certif", "distributed like"):
        assert word not in said.lower()


def test_the_level_holds_over_both_references_together(world: World) -> None:
    # One model of a world where both references are alike: at confidence 0.8 and 19 models each,
    # either test is at level 0.1, so any inconsistency has probability at most 0.2. Of 100, 42 or
    # more have probability below 1e-6.
    wrong = 0
    for seed in range(100):
        refs = ObservedReferences(
            world(3 * seed, models=19, probes=1), world(3 * seed + 1, models=19, probes=1)
        )
        found = audit_single(world(3 * seed + 2, models=1, probes=1), refs, confidence=0.8)
        wrong += "inconsistent" in (found.untraining.finding, found.unlearning.finding)
    assert 2 <= wrong < 42


def test_too_few_models_cannot_decide_and_are_said_to(world: World) -> None:
    found = audit_single(world(3, FORGOTTEN, models=1), references(world, models=38))
    assert found.unlearning.finding == "undecided"
    assert found.unlearning.pvalue == pytest.approx(1 / 39)
    assert (
        "It cannot be told whether the submitted model is consistent with models never trained on "
        "the behaviour"
    ) in found.sentence
    assert "the level 0.025 is out of reach with fewer than 39 models" in found.sentence
    enough = audit_single(world(3, FORGOTTEN, models=1), references(world, models=39))
    assert enough.unlearning.finding == "inconsistent"


def test_being_consistent_with_both_decides_nothing(world: World) -> None:
    refs = ObservedReferences(world(1), world(2))
    found = audit_single(world(3, models=1), refs)
    assert found.untraining.finding == found.unlearning.finding == "consistent"
    assert "it is not decided which it is like" in found.sentence


def test_ranks_of_each_group_are_counted(world: World) -> None:
    submitted, refs = world(3, FORGOTTEN, models=1), references(world)
    found = audit_single(submitted, refs)
    for group in found.unlearning.groups:
        columns = refs.unlearning.groups == group.observable.removeprefix("median margin on ")
        own = np.median(submitted.margins[0, columns])
        others = [np.median(row[columns]) for row in refs.unlearning.margins]
        assert group.value == pytest.approx(own)
        assert (group.low, group.high) == (pytest.approx(min(others)), pytest.approx(max(others)))
        assert group.below == sum(x <= own for x in others)
        assert group.above == sum(x >= own for x in others)
        least = min(group.below, group.above)
        assert group.pvalue == pytest.approx(min(1.0, 4 * 2 * (least + 1) / 61))


def test_probes_beyond_a_reference_are_named(world: World) -> None:
    submitted, refs = world(3, FORGOTTEN, models=1), references(world)
    found = audit_single(submitted, refs)
    table = found.to_dataframe()
    assert list(table["id"]) == list(submitted.ids)
    for name in ("untraining", "unlearning"):
        margins = getattr(refs, name).margins
        beyond = [
            x < column.min() or x > column.max()
            for x, column in zip(submitted.margins[0], margins.T, strict=True)
        ]
        assert list(table[f"outside_{name}"]) == beyond
        # The same count for every reference model, among the others and the submitted one.
        pool = np.concatenate([submitted.margins, margins])
        counts = []
        for place, row in enumerate(pool):
            others = np.delete(pool, place, axis=0)
            counts.append(sum((row < others.min(axis=0)) | (row > others.max(axis=0))))
        expected = np.mean([count >= counts[0] for count in counts])
        assert getattr(found, name).outside_pvalue == pytest.approx(expected)
    behaviour = table["group"] == "behaviour"
    assert table.loc[behaviour, "outside_unlearning"].all()


def test_the_pvalue_of_a_probe_counts_both_sides(world: World) -> None:
    submitted, refs = world(3, FORGOTTEN, models=1), references(world, models=9)
    table = audit_single(submitted, refs).to_dataframe()
    for name in ("untraining", "unlearning"):
        for x, column, p in zip(
            submitted.margins[0],
            getattr(refs, name).margins.T,
            table[f"pvalue_{name}"],
            strict=True,
        ):
            sides = sum(y <= x for y in column), sum(y >= x for y in column)
            assert p == pytest.approx(min(1.0, 2 * (min(sides) + 1) / 10))


def test_the_pvalue_of_a_probe_holds_its_level(world: World) -> None:
    # Of 200 exchangeable models among 19, each probe's p is at most 0.2 with probability 0.2: 75 or
    # more have probability below 1e-6, 14 or fewer below 1e-6.
    small = 0
    for seed in range(200):
        pool = world(seed, models=20, probes=1)
        parts = [
            Observations(pool.logits[rows], pool.labels, pool.groups, pool.ids)
            for rows in (slice(0, 1), slice(1, 20))
        ]
        found = audit_single(parts[0], ObservedReferences(parts[1], parts[1]))
        small += found.to_dataframe()["pvalue_untraining"][0] <= 0.2
    assert 14 < small < 75


def test_the_headline_is_the_findings_alone(world: World) -> None:
    found = audit_single(world(3, FORGOTTEN, models=1), references(world))
    assert found.headline == (
        "The submitted model is consistent with models never trained on the forget set. It is "
        "inconsistent with models never trained on the behaviour."
    )


def test_where_the_numbers_came_from_is_kept(world: World) -> None:
    one, refs = world(3, models=1), references(world)
    provenance = audit_single(one, refs).provenance
    assert provenance.digests == {
        "submission": one.digest,
        "untraining": refs.untraining.digest,
        "unlearning": refs.unlearning.digest,
    }
    assert set(provenance.versions) == {"indist", "python", "numpy", "scipy"}


def test_a_model_that_ties_with_another_is_not_beyond_all() -> None:
    pool = np.array([[0.0, 1.0, 5.0], [0.0, 2.0, 5.0], [3.0, 2.0, 5.0]])
    expected = [[False, True, False], [False, False, False], [True, False, False]]
    np.testing.assert_array_equal(_beyond(pool), expected)


def slow_ratio(x: np.ndarray, first: np.ndarray, second: np.ndarray) -> float:
    """ln of a product of normal densities over another."""
    total = 0.0
    for j, value in enumerate(x):
        for sign, reference in ((1, first), (-1, second)):
            column = reference[:, j]
            mean, spread = column.mean(), column.std(ddof=1)
            density = math.exp(-((value - mean) ** 2) / (2 * spread**2)) / spread
            total += sign * math.log(density)
    return total


def test_the_ratio_is_fitted_on_one_half_and_calibrated_on_the_other() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(41, 2)), rng.normal(1.0, 1.5, size=(30, 2))
    x = np.array([0.3, -0.4])
    found = likelihood_ratio(x, first, second, confidence=0.9)
    assert found is not None
    halves = first[::2], second[::2]
    assert found.value == pytest.approx(slow_ratio(x, *halves))
    assert found.towards == "untraining"
    scores = [[slow_ratio(row, *halves) for row in side[1::2]] for side in (first, second)]
    assert found.untraining.errors == sum(score < 0 for score in scores[0])
    assert found.unlearning.errors == sum(score > 0 for score in scores[1])
    assert (found.untraining.models, found.unlearning.models) == (20, 15)
    assert found.pvalue_untraining == pytest.approx(
        (1 + sum(score <= found.value for score in scores[0])) / 21
    )
    assert found.pvalue_unlearning == pytest.approx(
        (1 + sum(score >= found.value for score in scores[1])) / 16
    )
    rate = found.untraining
    assert rate.low <= rate.errors / rate.models <= rate.high


def test_the_ratio_turns_with_its_references() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(20, 2)), rng.normal(2.0, 1.0, size=(20, 2))
    there = likelihood_ratio(np.zeros(2), first, second, confidence=0.95)
    back = likelihood_ratio(np.zeros(2), second, first, confidence=0.95)
    assert there is not None
    assert back is not None
    assert there.value == pytest.approx(-back.value)
    assert there.untraining == back.unlearning
    assert there.pvalue_untraining == back.pvalue_unlearning


def test_the_error_of_the_ratio_is_that_of_fresh_models() -> None:
    # Unit normals 2 apart, known to the fit but for noise: each errs on 16 %. Of 500 held out, an
    # exact 99.9 % interval misses the rate of the fitted rule with probability at most 1e-3.
    rng = np.random.default_rng(2)
    first, second = rng.normal(size=(1000, 1)), rng.normal(2.0, 1.0, size=(1000, 1))
    found = likelihood_ratio(np.zeros(1), first, second, confidence=0.999)
    assert found is not None
    for rate in (found.untraining, found.unlearning):
        assert rate.low <= 0.1587 <= rate.high
        assert rate.high - rate.low < 0.12


def test_too_few_models_fit_no_ratio(world: World) -> None:
    few = ObservedReferences(world(1, models=3), world(2, models=3))
    found = audit_single(world(3, models=1), few)
    assert found.ratio is None
    assert "likelihood" not in found.sentence


def test_models_without_any_spread_have_a_finite_ratio() -> None:
    found = likelihood_ratio(np.zeros(1), np.zeros((4, 1)), np.ones((4, 1)), confidence=0.95)
    assert found is not None
    assert math.isfinite(found.value)
    assert found.towards == "untraining"
    assert found.untraining.errors == found.unlearning.errors == 0


def test_the_ratio_is_said_with_its_errors(world: World) -> None:
    found = audit_single(world(3, FORGOTTEN, models=1), references(world))
    assert found.ratio is not None
    assert found.ratio.towards == "untraining"
    assert "points to untraining (its ln is +" in found.sentence
    assert "of 30 held-out models never trained on the forget set (" in found.sentence
    assert "says nothing of models that are neither" in found.sentence
    assert "outside the range of its 60 models on" in str(found)


@pytest.mark.parametrize("models", [2, 5])
def test_several_models_are_refused(world: World, models: int) -> None:
    with pytest.raises(SubmissionError, match=rf"expected one model, found {models}; an audit of"):
        audit_single(world(3, models=models), references(world))


def test_what_does_not_fit_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match=r"confidence: expected a number in \(0, 1\), found 1.0"):
        audit_single(world(3, models=1), references(world), confidence=1.0)
    with pytest.raises(SubmissionError, match="probes: expected all 12 probes"):
        audit_single(world(3, models=1, probes=2), references(world))


def test_probes_in_another_order_change_nothing(world: World) -> None:
    one, refs = world(3, FORGOTTEN, models=1), references(world)
    order = np.random.default_rng(0).permutation(len(one.ids))
    turned = Observations(
        one.logits[:, order], one.labels[order], one.groups[order], one.ids[order]
    )
    assert audit_single(turned, refs).sentence == audit_single(one, refs).sentence
