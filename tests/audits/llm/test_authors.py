"""TOFU asks 20 questions on each author: authors, not questions, are the independent draws."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from audits import llm
from audits.llm._examples import clusters, draws_of, paired_test, percentiles, resamplings
from tests.audits.llm import files


def read(tmp_path: Path, examples: int, *, shift: float = 0.0) -> list[llm.LLMLog]:
    """Two models in the form of TOFU's own logs, and two in that of open-unlearning."""
    contents = (
        files.tofu(0, examples, shift), files.tofu(1, examples),
        files.open_unlearning(0, examples, shift), files.open_unlearning(1, examples),
    )  # fmt: skip
    return [
        llm.load(files.written(tmp_path / f"{place}.json", content))[0]
        for place, content in enumerate(contents)
    ]


def test_authors_are_the_draws_of_logs_of_tofu(tmp_path: Path) -> None:
    tofu, retain, opened, other = read(tmp_path, 200, shift=1.0)
    for mine, reference in ((tofu, retain), (opened, other)):
        found = llm.compare([mine], untraining=[reference], seed=0)
        assert found.cluster is None
        (of,) = found.comparisons
        assert {(one.draws, one.clusters, one.examples) for one in of.metrics} == {
            ("authors", 10, 200)
        }
        assert of.privleak is None or of.privleak.draws == "authors"
        assert "beyond author noise (paired test over authors, p = " in found.sentence
        assert not any("TOFU asks" in text for text in found.warnings)
        each = llm.compare([mine], untraining=[reference], cluster=1, seed=0)
        assert {one.draws for one in each.comparisons[0].metrics} == {"examples"}
        assert "beyond example noise (paired test over examples, p = " in each.sentence
        assert any("TOFU asks 20 questions on each author" in text for text in each.warnings)
        fives = llm.compare([mine], untraining=[reference], cluster=5, seed=0)
        assert {(one.draws, one.clusters) for one in fives.comparisons[0].metrics} == {
            ("clusters", 40)
        }


def test_questions_on_real_authors_and_facts_are_draws_of_their_own(tmp_path: Path) -> None:
    mine, retain, *_ = read(tmp_path, 40)
    metrics = [f"{split}/avg_gt_loss" for split in ("retain", "real_authors", "world_facts")]
    found = llm.compare([mine], untraining=[retain], metrics=metrics, seed=0)
    draws = [(one.draws, one.clusters) for one in found.comparisons[0].metrics]
    assert draws == [("authors", 2), ("examples", 40), ("examples", 40)]


def test_only_the_shape_of_tofu_has_authors(tmp_path: Path) -> None:
    tofu, _, opened, _ = read(tmp_path, 40)
    metric, ids = "forget/avg_gt_loss", [str(at) for at in range(40)]
    assert draws_of([tofu, tofu], metric, ids[::-1], None) == (20, "authors")
    assert draws_of([tofu, opened], "forget_Q_A_Prob/avg_loss", ids, None) == (20, "authors")
    assert draws_of([tofu], metric, ids[:30], None) == (1, "examples")
    assert draws_of([tofu], metric, [*ids[1:], "40"], None) == (1, "examples")
    assert draws_of([tofu], metric, ids, 20) == (20, "authors")
    assert draws_of([tofu], metric, ids, 4) == (4, "clusters")
    muse = llm.read_muse(files.muse(tmp_path / "muse", 0, examples=40))
    assert draws_of([muse], "verbmem_f/rougeL", ids, None) == (1, "examples")


def test_two_authors_are_too_few_for_an_interval(tmp_path: Path) -> None:
    mine, retain, opened, other = read(tmp_path, 40, shift=3.0)
    found = llm.compare([mine], untraining=[retain], seed=0)
    (of,) = found.comparisons
    assert (of.finding, of.draws) == ("undecided", "authors")
    assert all((one.low, one.high) == (-math.inf, math.inf) for one in of.metrics)
    assert "with so few independent authors the level 0.05 is out of reach" in found.sentence
    assert found.warnings[-1] == (
        "Fewer than 10 independent authors: their intervals would be too short and are "
        "undetermined."
    )
    assert str(found).count("undetermined") >= 2 * len(of.metrics)
    leaks = llm.compare([opened], untraining=[other], seed=0)
    said = " ".join(str(leaks).split())
    assert "interval over authors undetermined, with fewer than 10 draws" in said


def test_reports_say_that_authors_are_the_draws(tmp_path: Path) -> None:
    mine, retain, *_ = read(tmp_path, 200, shift=1.0)
    found = llm.compare([mine], untraining=[retain], seed=0)
    found.report(tmp_path / "report")
    said = (tmp_path / "report" / "report.md").read_text("utf-8")
    for words in (
        "Intervals and p-values in these tables are over authors",
        "each author of TOFU is one, with 20 consecutive questions",
        "| 200 in 10 authors |",
        "Paired test over authors with one reference model",
    ):
        assert words in said
    numbers = json.loads((tmp_path / "report" / "logs.json").read_text("utf-8"))
    assert numbers["cluster"] is None
    assert numbers["comparisons"][0]["metrics"][0]["draws"] == "authors"


def interval(rng: np.random.Generator, values: np.ndarray, size: int) -> tuple[float, float]:
    """Of the mean, as `paired_test` makes it, without its tests."""
    means = values.reshape(-1, size).mean(axis=1)
    count = len(means)
    drawn = [c @ means / count for (c,) in resamplings([count], rng, width=count)]
    return percentiles(np.concatenate(drawn), 0.95, count)


@pytest.mark.parametrize("authors", [10, 20])
def test_intervals_over_authors_cover_and_those_over_questions_do_not(authors: int) -> None:
    # Differences with an effect of their author: over questions 35 % of the intervals cover, over
    # authors 94.4 to 95 %. Of 200, 177 or fewer at 94.4 % have probability 9e-4, and 100 or more at
    # 35 % have 1e-5.
    rng = np.random.default_rng(authors)
    covered, values = np.zeros(2, dtype=int), np.zeros(0)
    for _ in range(200):
        effects = rng.normal(size=authors)
        values = np.repeat(effects, 20) + 0.5 * rng.normal(size=20 * authors)
        for place, size in enumerate((1, 20)):
            low, high = interval(rng, values, size)
            covered[place] += low <= 0.0 <= high
    assert covered[0] < 100
    assert covered[1] > 177
    # The interval is that of the whole comparison.
    labels = clusters([str(at) for at in range(len(values))], 20)
    test = paired_test(values, labels, confidence=0.95, rng=np.random.default_rng(0))
    again = interval(np.random.default_rng(0), values, 20)
    assert (test.low, test.high) == pytest.approx(again)


def test_few_draws_have_wider_tails_and_fewer_none() -> None:
    drawn = np.random.default_rng(0).normal(size=100_000)
    widths = {count: np.ptp(percentiles(drawn, 0.95, count)) for count in (10, 40, 400)}
    # Student's quantiles times the root of n / (n - 1), twice.
    assert widths[10] == pytest.approx(2 * 2.262 * math.sqrt(10 / 9), rel=0.02)
    assert widths[40] == pytest.approx(2 * 2.023 * math.sqrt(40 / 39), rel=0.02)
    assert widths[400] == pytest.approx(2 * 1.966 * math.sqrt(400 / 399), rel=0.02)
    assert percentiles(drawn, 0.95, 9) == (-math.inf, math.inf)
