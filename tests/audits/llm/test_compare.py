"""What logs allow to be said: exact tests, known answers, and words that hold back."""

import itertools
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp, wilcoxon
from sklearn.metrics import roc_auc_score

from audits import SubmissionError, llm
from audits.llm._examples import clusters, paired_test, percentiles, resamplings
from audits.llm._models import least_pvalue, model_test, references_needed, seed_half_width
from tests.audits.llm import files
from tests.audits.llm.files import log


def flips(differences: np.ndarray) -> float:
    """The sign-flip test, one flip of all signs at a time."""
    observed = abs(differences.sum())
    signs = itertools.product((1, -1), repeat=len(differences))
    sums = [abs(sum(s * d for s, d in zip(sign, differences, strict=True))) for sign in signs]
    return sum(total >= observed - 1e-12 for total in sums) / len(sums)


@pytest.mark.parametrize("seed", range(4))
def test_few_sign_flips_are_enumerated(seed: int) -> None:
    differences = np.random.default_rng(seed).normal(0.5, 1.0, size=9)
    found = paired_test(differences, np.arange(9), confidence=0.9, rng=np.random.default_rng(0))
    assert found.sign_flip == pytest.approx(flips(differences))
    expected: Any = wilcoxon(differences)
    assert found.wilcoxon == pytest.approx(expected.pvalue)
    assert found.difference == pytest.approx(differences.mean())
    assert found.low <= found.difference <= found.high


def test_clusters_are_flipped_and_drawn_whole() -> None:
    rng = np.random.default_rng(3)
    differences = np.repeat(rng.normal(size=12), 5) + 0.01 * rng.normal(size=60)
    labels = clusters([str(at) for at in range(60)], 5)
    found = paired_test(differences, labels, confidence=0.95, rng=np.random.default_rng(0))
    sums = differences.reshape(12, 5).sum(axis=1)
    assert found.sign_flip == pytest.approx(flips(sums))
    alone = paired_test(differences, np.arange(60), confidence=0.95, rng=np.random.default_rng(0))
    # The mean of 12 draws, each five times: an interval wider by about the root of 5, and by what
    # twelve draws need more than sixty.
    ratio = (found.high - found.low) / (alone.high - alone.low)
    assert 1.9 < ratio < 3.2


def test_clusters_are_blocks_of_indices() -> None:
    ids = ["0 aa", "19 bb", "20 cc", "41 dd"]
    np.testing.assert_array_equal(clusters(ids, 20), [0, 0, 1, 2])
    np.testing.assert_array_equal(clusters(["x", "y"], 1), [0, 1])
    with pytest.raises(ValueError, match="cluster: expected 1 where examples are not numbered"):
        clusters(["x", "y"], 20)


def test_the_sign_flip_test_holds_its_level() -> None:
    # Heavy tails, symmetric: each p-value is exact in level at 1 / 20. Of 400, 45 or more have
    # probability below 1e-6.
    rng = np.random.default_rng(5)
    rejected = 0
    for draw in rng.standard_t(1.5, size=(400, 8)):
        found = paired_test(draw, np.arange(8), confidence=0.9, rng=rng)
        rejected += found.sign_flip <= 0.05
    assert rejected < 45
    # 12 of 256 flips: a level of 0.047, of which 3 or fewer have probability below 1e-5.
    assert rejected > 3


def test_the_bootstrap_interval_covers() -> None:
    # An interval of the mean of 60 normals, nominally 90 %. Of 150, fewer than 111 have probability
    # below 1e-6.
    rng = np.random.default_rng(6)
    covered = 0
    for draw in rng.normal(size=(150, 60)):
        drawn = np.concatenate([(c @ draw) / 60 for (c,) in resamplings([60], rng, width=60)])
        low, high = percentiles(drawn, 0.9, 60)
        covered += low <= 0.0 <= high
    assert 111 <= covered < 150


def slow_model_test(submitted: np.ndarray, reference: np.ndarray) -> float:
    """Every choice of who is submitted, one at a time."""
    pool = np.concatenate([submitted, reference])
    scaled = (pool - pool.mean(axis=0)) / pool.std(axis=0)

    def distance(chosen: tuple[int, ...]) -> float:
        rest = [j for j in range(len(pool)) if j not in chosen]
        return max(
            abs(np.mean([scaled[i, c] for i in chosen]) - np.mean([scaled[i, c] for i in rest]))
            for c in range(pool.shape[1])
        )

    observed = distance(tuple(range(len(submitted))))
    choices = list(itertools.combinations(range(len(pool)), len(submitted)))
    return sum(distance(one) >= observed - 1e-12 for one in choices) / len(choices)


@pytest.mark.parametrize(("k", "m"), [(1, 2), (1, 7), (2, 3), (3, 3), (4, 2)])
def test_the_model_test_agrees_with_its_slow_twin(k: int, m: int) -> None:
    rng = np.random.default_rng(10 * k + m)
    submitted, reference = rng.normal(1.0, 1.0, size=(k, 3)), rng.normal(size=(m, 3))
    found = model_test(submitted, reference, rng)
    assert found.pvalue == pytest.approx(slow_model_test(submitted, reference))
    assert found.least <= found.pvalue + 1e-12


def test_the_model_test_is_exact_whatever_the_law() -> None:
    # Skewed, dependent statistics, one submitted model among ten: p is uniform on k / 10. Each
    # share has a standard deviation of at most 0.013: 5 of them are exceeded at any of nine levels
    # with probability below 6e-6.
    rng = np.random.default_rng(8)
    worlds = np.exp(rng.normal(size=(1500, 10, 2))) + rng.exponential(size=(1500, 10, 1))
    pvalues = np.array([model_test(world[:1], world[1:], rng).pvalue for world in worlds])
    for k in range(1, 10):
        deviation = math.sqrt(k / 10 * (1 - k / 10) / len(worlds))
        assert abs(np.mean(pvalues <= k / 10 + 1e-9) - k / 10) < 5 * deviation


def test_what_does_not_vary_says_nothing() -> None:
    rng = np.random.default_rng(0)
    found = model_test(np.ones((1, 2)), np.ones((9, 2)), rng)
    assert found == (1.0, 0.1)
    # A statistic that all share leaves the others' test as it is.
    column = rng.normal(size=(8, 1))
    both = np.concatenate([column, np.full((8, 1), 0.3)], axis=1)
    assert model_test(both[:1], both[1:], rng) == model_test(column[:1], column[1:], rng)


def test_least_pvalues_are_reached() -> None:
    assert least_pvalue(1, 19) == pytest.approx(0.05)
    assert least_pvalue(3, 3) == pytest.approx(2 / 20)
    assert least_pvalue(50, 50) == 1e-4
    assert references_needed(1, 0.025) == 39
    assert references_needed(1, 1e-9) is None
    apart = np.array([[9.0], [9.1], [9.2]])
    found = model_test(apart, apart - 9.0, np.random.default_rng(0))
    assert found.pvalue == pytest.approx(found.least)


def test_fresh_models_lie_within_the_seeds_half_width() -> None:
    # A 90 % prediction interval for the mean of two normals from five. Of 4,000 draws the share
    # has a standard deviation of 0.0047: 5 of them are exceeded with probability below 6e-7.
    rng = np.random.default_rng(9)
    inside = 0
    for draw in rng.normal(3.0, 2.0, size=(4000, 7)):
        inside += abs(draw[:2].mean() - draw[2:].mean()) <= seed_half_width(draw[2:], 2, 0.9)
    assert abs(inside / 4000 - 0.9) < 5 * 0.0047
    assert seed_half_width(np.ones(1), 1, 0.9) == math.inf


scores = st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=12).map(np.array)


@settings(derandomize=True, deadline=None)
@given(scores, scores)
def test_the_auc_counts_pairs(forget: np.ndarray, holdout: np.ndarray) -> None:
    pairs = [(f > h) + 0.5 * (f == h) for f in forget for h in holdout]
    found = llm.membership_auc(forget, holdout)
    np.testing.assert_allclose(found, [sum(pairs) / len(pairs)])
    labels = [0] * len(forget) + [1] * len(holdout)
    # open-unlearning's lines, whose AUC is the other way round; MUSE scores minus the loss.
    pooled = np.concatenate([forget, holdout])
    np.testing.assert_allclose(found, 1 - roc_auc_score(labels, pooled))
    np.testing.assert_allclose(found, roc_auc_score(labels, -pooled))


def test_the_auc_of_resampled_texts_is_that_of_repeated_ones() -> None:
    rng = np.random.default_rng(1)
    forget, holdout = rng.normal(size=7), rng.integers(-1, 2, size=6).astype(float)
    counts = rng.integers(0, 4, size=(5, 7)), rng.integers(0, 4, size=(5, 6))
    found = llm.membership_auc(forget, holdout, *counts)
    for value, first, second in zip(found, *counts, strict=True):
        repeated = np.repeat(forget, first), np.repeat(holdout, second)
        assert value == pytest.approx(llm.membership_auc(*repeated)[0])


def membership(name: str, seed: int, shift: float) -> llm.LLMLog:
    rng = np.random.default_rng(seed)
    return log(
        name,
        {
            "Min-40%/forget": rng.normal(shift, 1.0, 60),
            "Min-40%/holdout": rng.normal(0.0, 1.0, 50),
        },
        "Min-40%",
    )


def test_privleak_takes_the_given_models_as_its_reference() -> None:
    mine, retain = membership("mine", 0, -1.0), [membership(f"r{k}", k, 0.0) for k in (1, 2)]
    found = llm.compare([mine], untraining=retain, seed=0).comparisons[0].privleak
    assert found is not None

    def auc(of: llm.LLMLog) -> float:
        forget, holdout = (list(of.scores[f"Min-40%/{s}"].values()) for s in ("forget", "holdout"))
        return float(np.mean([f > h for f in forget for h in holdout]))

    reference = (auc(retain[0]) + auc(retain[1])) / 2
    assert found.submission == (pytest.approx(auc(mine)),)
    assert found.reference == tuple(pytest.approx(auc(one)) for one in retain)
    assert found.value == pytest.approx(100 * (auc(mine) - reference) / reference)
    assert found.low < found.value < found.high < 0.0


def test_privleak_without_a_reference_is_undetermined() -> None:
    mine, retain = membership("mine", 0, -1.0), membership("retain", 1, -99.0)
    found = llm.compare([mine], untraining=[retain], seed=0)
    leak = found.comparisons[0].privleak
    assert leak is not None
    assert leak.value is None
    assert "PrivLeak by Min-40% against untraining: undetermined, its AUC is 0" in str(found)


def test_privleak_of_open_unlearning_is_its_published_one(tmp_path: Path) -> None:
    contents = files.open_unlearning(0, shift=0.5), files.open_unlearning(1)
    logs = [
        llm.read_open_unlearning(files.written(tmp_path / f"{at}.json", content))
        for at, content in enumerate(contents)
    ]
    found = llm.compare(logs[:1], untraining=logs[1:], seed=0).comparisons[0].privleak
    assert found is not None
    score, ref = (1 - content["mia_min_k"]["agg_value"] for content in contents)
    assert found.value == pytest.approx((score - ref) / (ref + 1e-10) * 100)


def level(seed: int, mean: float, examples: int = 40) -> dict[str, Any]:
    """A metric on examples that are the same for all models."""
    hard = np.random.default_rng(77).normal(size=examples)
    return {"loss": hard + mean + 0.1 * np.random.default_rng(seed).normal(size=examples)}


def models(name: str, count: int, mean: float, first: int) -> list[llm.LLMLog]:
    """Models whose means differ by training seeds, with a standard deviation of 0.2."""
    seeds = np.random.default_rng(first).normal(mean, 0.2, size=count)
    return [log(f"{name}{k}", level(first + k, by)) for k, by in enumerate(seeds)]


def test_one_reference_model_is_one_draw() -> None:
    found = llm.compare(models("mine", 1, 2.0, 100), untraining=models("r", 1, 0.0, 200), seed=0)
    (only,) = found.comparisons
    assert (only.noise, only.finding, found.fit) == ("examples", "inconsistent", "undecided")
    assert only.metrics[0].seed_half_width == math.inf
    assert found.sentence.startswith(
        "The submitted model is inconsistent with this model never trained on the forget set "
        "beyond example noise (paired test over examples, p = 0.0001, never below 0.0001); one "
        "training seed is one draw, and another such model might be as far."
    )


def test_one_reference_model_that_is_near_proves_nothing() -> None:
    mine = log("mine", level(1, 0.0))
    found = llm.compare([mine], untraining=[log("retain", level(2, 0.0))], seed=0)
    assert found.comparisons[0].finding == "consistent"
    assert "is not told apart from this model never trained" in found.sentence
    assert "other such models may lie elsewhere" in found.sentence


def test_the_noise_of_seeds_is_not_that_of_examples() -> None:
    # Two models of one algorithm, apart by their seeds: every paired test over examples rejects,
    # and the test over models does not.
    retain = models("r", 40, 0.0, 200)
    found = llm.compare([log("mine", level(1, 0.3))], untraining=retain, seed=0)
    (only,) = found.comparisons
    assert only.metrics[0].sign_flip < 0.001
    assert (only.noise, only.finding) == ("seeds", "consistent")
    assert abs(only.metrics[0].difference) < only.metrics[0].seed_half_width
    assert "is consistent with models never trained on the forget set (permutation test of 1 " in (
        found.sentence
    )


def test_several_seeds_decide_between_two_references() -> None:
    found = llm.compare(
        models("mine", 4, 2.0, 100),
        untraining=models("t", 4, 2.0, 200),
        unlearning=models("u", 4, 0.0, 300),
        confidence=0.9,
        seed=0,
    )
    assert [of.level for of in found.comparisons] == [pytest.approx(0.05)] * 2
    assert found.comparisons[1].pvalue == pytest.approx(2 / 70)
    assert found.fit == "untraining only"
    assert "The submitted models are inconsistent with models never trained on the behaviour" in (
        found.sentence
    )
    assert "this is no certificate" in found.sentence
    assert "epsilon" not in found.sentence
    swapped = llm.compare(
        models("mine", 4, 2.0, 100),
        untraining=models("u", 4, 0.0, 300),
        unlearning=models("t", 4, 2.0, 200),
        confidence=0.9,
        seed=0,
    )
    assert swapped.fit == "unlearning only"


def test_too_few_seeds_are_undecided_and_say_how_many_would_do() -> None:
    found = llm.compare(models("mine", 1, 5.0, 100), untraining=models("r", 5, 0.0, 200), seed=0)
    (only,) = found.comparisons
    assert only.finding == "undecided"
    assert only.pvalue == pytest.approx(1 / 6)
    assert found.sentence.startswith(
        "Whether the submitted model is like models never trained on the forget set cannot be told "
        "(permutation test of 1 against 5 models, p = 0.17, never below 0.17): the level 0.05 is "
        "out of reach with fewer than 19 reference models."
    )


def test_too_few_examples_are_undecided() -> None:
    mine, retain = log("mine", level(1, 5.0, 4)), log("r", level(2, 0.0, 4))
    found = llm.compare([mine], untraining=[retain], seed=0)
    assert found.comparisons[0].finding == "undecided"
    assert "with so few independent examples the level 0.05 is out of reach" in found.sentence
    assert found.warnings[-1] == (
        "Fewer than 10 independent examples: their intervals would be too short and are "
        "undetermined."
    )
    few = llm.compare([log("m", level(1, 5.0, 12))], untraining=[log("r", level(2, 0, 12))], seed=0)
    assert few.warnings[-1] == (
        "Fewer than 20 independent examples: intervals are too short where these are skewed."
    )


def test_a_single_cluster_bounds_nothing() -> None:
    mine, retain = log("mine", level(1, 5.0, 10)), log("r", level(2, 0.0, 10))
    found = llm.compare([mine], untraining=[retain], cluster=20, seed=0)
    (one,) = found.comparisons[0].metrics
    assert (one.clusters, one.sign_flip, one.low, one.high) == (1, 1.0, -math.inf, math.inf)


def test_metrics_pay_for_their_number() -> None:
    rng = np.random.default_rng(0)
    own = {name: rng.normal(size=9) for name in "abc"}
    retain = {name: values + rng.normal(0.6, 1.0, size=9) for name, values in own.items()}
    found = llm.compare([log("mine", own)], untraining=[log("r", retain)], seed=0)
    (only,) = found.comparisons
    each = [flips(own[name] - retain[name]) for name in "abc"]
    assert [one.sign_flip for one in only.metrics] == [pytest.approx(p) for p in each]
    assert only.pvalue == pytest.approx(min(1.0, 3 * min(each)))
    assert only.least_pvalue == pytest.approx(3 * 2 / 2**9)
    declared = llm.compare([log("mine", own)], untraining=[log("r", retain)], metrics=["b"], seed=0)
    assert declared.comparisons[0].pvalue == pytest.approx(each[1])


def test_numbers_are_those_of_the_logs() -> None:
    submissions, retain = models("mine", 2, 1.0, 100), models("r", 3, 0.0, 200)
    found = llm.compare(submissions, untraining=retain, seed=0)
    (one,) = found.comparisons[0].metrics
    own, other = (
        np.array([list(of.scores["loss"].values()) for of in logs])
        for logs in (submissions, retain)
    )
    assert one.mean_submission == pytest.approx(own.mean())
    assert one.mean_reference == pytest.approx(other.mean())
    assert one.difference == pytest.approx(own.mean() - other.mean())
    assert np.shape(one.ks) == (2, 3)
    expected: Any = ks_2samp(own[1], other[2])
    assert one.ks[1][2] == pytest.approx(expected.pvalue)


def test_examples_in_another_order_change_nothing() -> None:
    mine, retain = models("mine", 1, 0.1, 100), models("r", 1, 0.0, 200)
    turned = {"loss": dict(reversed(mine[0].scores["loss"].items()))}
    other = llm.LLMLog("mine", Path("mine"), "TOFU", turned, {}, ("loss",))
    found = llm.compare(mine, untraining=retain, seed=0).comparisons[0]
    again = llm.compare([other], untraining=retain, seed=0).comparisons[0]
    assert again.pvalue == pytest.approx(found.pvalue, abs=0.02)
    assert again.metrics[0].difference == pytest.approx(found.metrics[0].difference)
    assert again.metrics[0].wilcoxon == pytest.approx(found.metrics[0].wilcoxon)


def test_a_seed_repeats_everything() -> None:
    mine, retain = models("mine", 1, 0.1, 100), models("r", 1, 0.0, 200)
    first, again = (str(llm.compare(mine, untraining=retain, seed=3)) for _ in range(2))
    assert first == again


def test_copies_are_warned_of() -> None:
    mine = log("mine", level(1, 0.0))
    copied = llm.LLMLog("copy", Path("copy"), "TOFU", mine.scores, {}, ("loss",))
    found = llm.compare([mine], untraining=[copied], seed=0)
    assert found.comparisons[0].pvalue == 1.0
    assert (
        "copy holds the same numbers as mine: copies are not independent models"
        in (found.warnings[0])
    )


def test_questions_on_one_author_are_warned_of(tmp_path: Path) -> None:
    logs = [
        llm.read_tofu(files.written(tmp_path / f"{seed}.json", files.tofu(seed))) for seed in (0, 1)
    ]
    found = llm.compare(logs[:1], untraining=logs[1:], cluster=1, seed=0)
    assert any("TOFU asks 20 questions on each author" in text for text in found.warnings)
    blocks = llm.compare(logs[:1], untraining=logs[1:], cluster=20, seed=0)
    assert not any("TOFU asks" in text for text in blocks.warnings)
    assert {one.clusters for one in blocks.comparisons[0].metrics} == {2}


def test_headlines_are_the_findings_alone() -> None:
    mine, retain = log("mine", level(1, 2.0)), [log(f"r{k}", level(k, 0.0)) for k in (2, 3)]
    found = llm.compare([mine], untraining=retain[:1], unlearning=retain, seed=0)
    assert found.headline == (
        "The submitted model is inconsistent with this model never trained on the forget set "
        "beyond example noise. Whether it is like models never trained on the behaviour cannot be "
        "told."
    )
    assert found.logs == {
        "submission": (mine,), "untraining": tuple(retain[:1]), "unlearning": tuple(retain),
    }  # fmt: skip


def test_the_answer_is_printed(tmp_path: Path) -> None:
    logs = [llm.read_muse(files.muse(tmp_path / name, at)) for at, name in enumerate("ab")]
    found = llm.compare(logs[:1], untraining=logs[1:], seed=0)
    said = str(found)
    assert " ".join(said.split()).startswith(found.sentence)
    assert max(map(len, said.splitlines())) <= 100
    assert "verbmem_f/rougeL" in said
    assert "PrivLeak by Min-40% against untraining: " in " ".join(said.split())
    assert repr(found) == "LLMAudit('undecided', 1 reference)"
    table = found.to_dataframe()
    assert list(table["metric"]) == ["verbmem_f/rougeL", "knowmem_f/rougeL", "Min-40%/forget"]
    assert set(table["reference"]) == {"untraining"}


def test_what_does_not_fit_is_refused() -> None:
    mine, retain = log("mine", level(1, 0.0)), log("r", level(2, 0.0))
    with pytest.raises(ValueError, match=r"confidence: expected a number in \(0, 1\), found 0.0"):
        llm.compare([mine], untraining=[retain], confidence=0.0, seed=0)
    with pytest.raises(ValueError, match="cluster: expected at least 1, found 0"):
        llm.compare([mine], untraining=[retain], cluster=0, seed=0)
    with pytest.raises(ValueError, match="submissions: expected at least one log, found none"):
        llm.compare([], untraining=[retain], seed=0)
    with pytest.raises(ValueError, match="untraining: expected at least one log, found none"):
        llm.compare([mine], untraining=[], seed=0)
    with pytest.raises(ValueError, match=r"metrics: expected distinct names, found \[\]"):
        llm.compare([mine], untraining=[retain], metrics=[], seed=0)
    with pytest.raises(ValueError, match=r"metric \(--metric\): expected one of .*, found 'x'"):
        llm.compare([mine], untraining=[retain], metrics=["x"], seed=0)
    other = log("other", {"rouge": [1.0, 2.0]})
    with pytest.raises(SubmissionError, match="mine: expected a metric that all logs share"):
        llm.compare([mine], untraining=[other], seed=0)
    with pytest.raises(SubmissionError, match="r: metric 'loss': expected the 3 examples of mine"):
        llm.compare([log("mine", {"loss": [1.0, 2.0, 3.0]})], untraining=[retain], seed=0)


def test_a_metric_equal_in_all_files_is_no_difference() -> None:
    # The mean of three equal numbers is not always the number: 0.1 gives 0.10000000000000002.
    values = np.random.default_rng(0).choice([0.1, 0.3, 0.7, 1.1, 6.3], size=400)
    logs = [log(name, {"loss": values}) for name in "abcd"]
    assert (np.mean([values] * 3, axis=0) != values).any()
    (only,) = llm.compare(logs[:3], untraining=logs[3:], seed=0).comparisons
    (one,) = only.metrics
    assert (only.finding, only.pvalue) == ("consistent", 1.0)
    assert (one.difference, one.low, one.high, one.wilcoxon) == (0.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize("cluster", [1, 5])
@pytest.mark.parametrize("references", [1, 8])
def test_differences_below_rounding_are_none(cluster: int, references: int) -> None:
    # Probabilities, two metrics: one that differs by rounding, and a constant that does.
    rng = np.random.default_rng(1)
    base = rng.uniform(0.0, 1.0, size=60)
    logs = [
        log(f"m{k}", {"prob": base + 1.4e-17 * k * (base < 0.06), "flat": [0.1 + 1.4e-17 * k] * 60})
        for k in range(8 + references)
    ]
    found = llm.compare(logs[:8], untraining=logs[8:], cluster=cluster, seed=0)
    (only,) = found.comparisons
    assert only.pvalue == 1.0
    assert "inconsistent" not in found.headline
    for one in only.metrics:
        assert (one.sign_flip, one.wilcoxon, one.difference) == (1.0, 1.0, 0.0)
        assert np.min(one.ks) == 1.0


def test_differences_that_cancel_within_a_cluster_are_none() -> None:
    own = np.zeros(120)
    other = np.tile([0.1, 0.2, -0.3], 40)
    assert np.bincount(np.arange(120) // 3, other).any()
    found = llm.compare(
        [log("mine", {"loss": own})], untraining=[log("r", {"loss": other})], cluster=3, seed=0
    )
    assert found.comparisons[0].pvalue == 1.0


def test_small_differences_that_are_real_stay() -> None:
    rng = np.random.default_rng(2)
    base = rng.gamma(4.0, 0.5, size=60)
    mine, retain = log("mine", {"loss": base + 1e-9}), log("r", {"loss": base})
    (only,) = llm.compare([mine], untraining=[retain], seed=0).comparisons
    assert only.finding == "inconsistent"
    assert only.metrics[0].difference == pytest.approx(1e-9, rel=1e-3)


def test_privleak_ends_where_it_can() -> None:
    rng = np.random.default_rng(8)
    forget, holdout = rng.normal(size=49), rng.normal(size=47)
    retain = log("r", {"Min-40%/forget": forget, "Min-40%/holdout": holdout}, "Min-40%")
    mine = log("m", {"Min-40%/forget": forget - 9.0, "Min-40%/holdout": holdout}, "Min-40%")
    leak = llm.compare([mine], untraining=[retain], seed=0).comparisons[0].privleak
    assert leak is not None
    assert (leak.value, leak.low, leak.high) == (-100.0, -100.0, -100.0)
    same = llm.compare([retain], untraining=[retain], seed=0).comparisons[0].privleak
    assert same is not None
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)


def test_different_benchmarks_are_called_so() -> None:
    mine, retain = log("mine", level(1, 0.0)), log("r", level(2, 0.0))
    other = replace(retain, benchmark="open-unlearning")
    with pytest.raises(
        SubmissionError,
        match="r: expected a log of TOFU as mine is, found one of open-unlearning: different ben",
    ):
        llm.compare([mine], untraining=[other], seed=0)


def test_warnings_of_one_kind_are_one(tmp_path: Path) -> None:
    paths: list[Path] = []
    for seed in range(6):
        content = files.tofu(seed)
        for file in ("eval_log_forget.json", "eval_log.json"):
            for at in range(seed + 1):
                content[file]["truth_ratio"][str(at)] *= 1.01
        paths.append(files.written(tmp_path / f"{seed}" / "eval_log_aggregated.json", content))
    logs = llm.load_all(paths)
    found = llm.compare(logs[:3], untraining=logs[3:], seed=0)
    (only,) = (text for text in found.warnings if "logged truth ratios" in text)
    assert only.startswith(f"{paths[0]}: eval_log_forget.json: 1 of 40 logged truth ratios are not")
    assert only.endswith("the losses are used. 11 more such warnings, of 6 logs in all.")
    copies = llm.compare(logs[:3], untraining=logs[:3], seed=0)
    assert sum("holds the same numbers" in text for text in copies.warnings) == 1


def test_ordinary_logs_print_no_warnings_of_libraries(tmp_path: Path) -> None:
    # Outside pytest, whose filters hid them: counts with few distinct values.
    script = (
        "from tests.audits.llm.files import log\n"
        "from audits import llm\n"
        "own, other = [0.0] * 30, [0.0] * 29 + [1.0]\n"
        "for name in ('a', 'ab'):\n"
        "    logs = [log(one, {'x': other}) for one in name]\n"
        "    print(llm.compare([log('m', {'x': own})], untraining=logs, seed=0))\n"
    )
    root = Path(__file__).resolve().parents[3]
    run = subprocess.run(
        [sys.executable, "-W", "default::RuntimeWarning", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    assert run.stderr == ""


def test_numbers_whose_squares_are_none_are_refused() -> None:
    mine, retain = log("mine", {"x": [1.0, 1e200]}), log("r", {"x": [1.0, 2.0]})
    with pytest.raises(SubmissionError, match=r"metric 'x': expected numbers up to 1e\+140, found"):
        llm.compare([mine], untraining=[retain], seed=0)
