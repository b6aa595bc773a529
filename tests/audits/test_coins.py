"""Audits by coins: whom they convict, what they read, what they say, and that it is recomputed."""

import csv
import json
import math
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audits import (
    CoinSettings,
    SubmissionError,
    audit_coins,
    audit_sets,
    coin_scores,
    verification,
    verify,
)
from audits._reading import Limits
from audits.coins._table import read_coin_table
from oracles import CoinDesign, Observations, draw_coins, load_design
from tests.audits.pages import Page

RNG = np.random.default_rng


def design(m: int = 120, **settings: Any) -> CoinDesign:
    return draw_coins([f"page {k}" for k in range(m)], found=0.5, seed=3, **settings)


def remembered(drawn: CoinDesign, where: np.ndarray | bool = True, shift: float = 3.0) -> Any:
    """Scores that follow the coins of some candidates."""
    noise = RNG(11).normal(size=drawn.coins.shape)
    return noise + shift * (drawn.coins & where)


@pytest.mark.parametrize(
    ("trace", "found"),
    [
        ("of all", ("convicted", "convicted")),
        ("of those not found", ("nothing found", "convicted")),
        ("of none", ("nothing found", "nothing found")),
    ],
)
def test_each_question_looks_at_its_own_coins(trace: str, found: tuple[str, str]) -> None:
    drawn = design()
    where = {"of all": True, "of those not found": ~drawn.found, "of none": False}[trace]
    audit = audit_coins(remembered(drawn, where), drawn)
    assert audit.untraining is not None
    assert audit.unlearning is not None
    assert (audit.untraining.finding, audit.unlearning.finding) == found
    assert audit.untraining.result.confidence_level == pytest.approx(0.975)
    assert (audit.untraining.bound > 20.0) == (trace == "of all")


def test_both_questions_together_seldom_convict_a_law_that_no_coin_enters() -> None:
    """At most .05 for both; .095 is three standard errors of 200 above, .00135 false alarms."""
    rng, wrong, repeats = RNG(1), 0, 200
    few = CoinSettings(delta=0.0).record() | {
        "weights": {"centres": [0.0], "clips": [1.0], "main": 0.9, "turned": 0.05}
    }
    for k in range(repeats):
        drawn = draw_coins([str(j) for j in range(24)], found=0.5, seed=k, settings=few)
        audit = audit_coins(rng.normal(size=24), drawn)
        wrong += any(question.bound > 0.0 for question in audit.questions)
    assert wrong / repeats <= 0.05 + 3.0 * math.sqrt(0.05 * 0.95 / repeats)


def test_where_all_were_found_both_questions_are_one() -> None:
    drawn = draw_coins([str(k) for k in range(80)], found=1.0, seed=1)
    audit = audit_coins(remembered(drawn), drawn)
    assert audit.untraining is not None
    assert audit.unlearning is not None
    assert audit.untraining.bound == audit.unlearning.bound > 0.0
    assert audit.untraining.result.confidence_level == 0.95
    nobody = draw_coins([str(k) for k in range(80)], found=[False] * 80, seed=1)
    assert audit_coins(remembered(nobody), nobody).untraining is None


def test_too_few_coins_are_undetermined() -> None:
    drawn = draw_coins(["a", "b", "c", "d"], found=1.0, seed=1)
    audit = audit_coins(remembered(drawn), drawn)
    assert {question.finding for question in audit.questions} == {"undetermined"}
    assert "too few coins" in audit.headline


def sealed(baseline: np.ndarray) -> tuple[CoinDesign, np.ndarray]:
    """A design that has sealed a baseline before its coins were drawn."""
    names = tuple(design().candidates)
    digest = coin_scores(baseline, names, ("score",), models=None).digest
    return design(settings={"baseline": digest}), baseline


def test_a_baseline_takes_what_examples_have_of_themselves_away() -> None:
    of_example = 50.0 * RNG(2).normal(size=120)
    drawn, others = sealed(of_example + RNG(4).normal(size=(8, 120)))
    scores = of_example + 2.0 * drawn.coins[0] + RNG(3).normal(size=120)
    assert all(one.bound == 0.0 for one in audit_coins(scores, design()).questions)
    with_others = audit_coins(scores, drawn, baseline=others)
    assert all(one.bound > 5.0 for one in with_others.questions)
    assert with_others.baseline is not None


def test_a_baseline_that_varies_more_than_the_scores_takes_little_away() -> None:
    drawn, others = sealed(20.0 * RNG(4).normal(size=(2, 120)))
    scores = remembered(drawn)
    alone, beside = audit_coins(scores, design()), audit_coins(scores, drawn, baseline=others)
    for one, other in zip(alone.questions, beside.questions, strict=True):
        assert other.bound > 0.8 * one.bound


def test_numbers_at_the_edge_of_their_range_are_subtracted() -> None:
    drawn, others = sealed(np.where(RNG(4).random((2, 120)) < 0.5, 1.7e308, -1.7e308))
    audit = audit_coins(1e308 * np.sign(remembered(drawn) - 1.5), drawn, baseline=others)
    assert all(math.isfinite(one.bound) for one in audit.questions)


def test_a_baseline_is_the_one_that_was_sealed_or_refused() -> None:
    """The original cannot have been: it was trained by coins that were drawn afterwards."""
    hard = 5.0 * RNG(2).normal(size=120)
    drawn, others = sealed(hard + RNG(4).normal(size=120))
    retrained = hard + 0.3 * RNG(5).normal(size=120)
    original = retrained + 1.0 * drawn.coins[0] + 0.3 * RNG(6).normal(size=120)
    assert all(one.bound == 0.0 for one in audit_coins(retrained, drawn, baseline=others).questions)
    for given, words in ((original, "sealed in the design before"), (None, "found none")):
        with pytest.raises(SubmissionError, match=words):
            audit_coins(retrained, drawn, baseline=given)
    with pytest.raises(SubmissionError, match=re.escape("drawn (none), found")):
        audit_coins(retrained, design(), baseline=original)


def test_a_model_handed_in_again_is_no_other_model() -> None:
    """Copies of one model refute no great δ, whatever K and its design are."""
    shared = design(models=10, shared=True, settings={"delta": 0.3})
    copies = np.repeat(remembered(shared), 10, axis=0)
    assert all(one.bound == 0.0 for one in audit_coins(copies, shared).questions)


def test_tables_name_the_models_whose_coins_they_were_trained_by(tmp_path: Path) -> None:
    drawn = design(models=12)
    scores = np.round(remembered(drawn), 6)
    whole = audit_coins(scores, drawn).questions[0].bound
    assert whole > 20.0
    table = write_table(tmp_path / "all.csv", drawn, scores)
    assert audit_coins(table, drawn).questions[0].bound == pytest.approx(whole)
    each = []
    for k in range(12):
        path = write_table(tmp_path / f"model{k}.csv", drawn, scores[k : k + 1])
        lines = path.read_text().splitlines()
        path.write_text("\n".join([lines[0], *(f"{k},{line[2:]}" for line in lines[1:])]))
        each.append(path)
    shuffled = sorted(each)
    assert audit_coins(shuffled, drawn).questions[0].bound == pytest.approx(whole)
    renamed = table.read_text().replace("\n11,", "\n12,")
    (tmp_path / "renamed.csv").write_text(renamed)
    with pytest.raises(SubmissionError, match=r"named 0 to 11 in column model.*found '12'"):
        audit_coins(tmp_path / "renamed.csv", drawn)
    no_names = [line.split(",", 1)[1] for line in each[0].read_text().splitlines()]
    for k in range(12):
        (tmp_path / f"no{k}.csv").write_text("\n".join(no_names))
    with pytest.raises(SubmissionError, match="in column model"):
        audit_coins([tmp_path / f"no{k}.csv" for k in range(12)], drawn)


def test_files_of_one_submission_have_the_same_examples(tmp_path: Path) -> None:
    drawn = design(models=2, shared=True)
    scores = remembered(drawn)
    first = write_table(tmp_path / "a.csv", drawn, scores)
    text = first.read_text()
    (tmp_path / "b.csv").write_text(text[: text.rindex("0,t49")])
    with pytest.raises(
        SubmissionError, match=r"50 test examples\), found margin, 49 test examples"
    ):
        audit_coins([first, tmp_path / "b.csv"], drawn)


def test_too_great_a_delta_is_named_as_the_reason() -> None:
    drawn = design(settings={"delta": 0.03})
    audit = audit_coins(remembered(drawn), drawn)
    assert "Undetermined of untraining at δ = 0.03, which is too great for" in audit.headline
    assert any("each question has the level 0.025" in text for text in audit.warnings)
    everyone = draw_coins([str(k) for k in range(80)], found=1.0, seed=1, settings={"delta": 0.03})
    found = audit_coins(remembered(everyone), everyone)
    assert found.questions[0].finding == "convicted"
    assert not any("can show nothing" in text for text in found.warnings)


def test_models_with_coins_of_their_own() -> None:
    drawn = design(models=6)
    audit = audit_coins(remembered(drawn), drawn)
    assert audit.models == 6
    assert audit.unlearning is not None
    assert audit.unlearning.result.at(0.4) > 0.0
    # The same coins for all, said once or as often as there are models, are one design.
    with pytest.raises(SubmissionError, match="expected 6 models"):
        audit_coins(remembered(drawn)[:5], drawn)
    alike = design(models=3, shared=True)
    noise = RNG(8).normal(size=(3, 120))
    audit = audit_coins(noise + 3.0 * alike.coins, alike)
    assert audit.unlearning is not None
    assert audit.unlearning.result.shared


def observed(drawn: CoinDesign, margins: np.ndarray, extra: int = 50) -> Observations:
    """Margins as logits of two classes, candidates in another order, with test probes."""
    order = RNG(6).permutation(len(drawn.candidates))
    tests = np.where(np.arange(extra) < 0.8 * extra, 2.0, -2.0)
    columns = np.concatenate([margins[:, order], np.tile(tests, (len(margins), 1))], axis=1)
    logits = np.stack([columns, np.zeros_like(columns)], axis=2)
    return Observations(
        logits,
        np.zeros(columns.shape[1], dtype=np.int64),
        np.array(["forget"] * len(order) + ["test"] * extra),
        np.array([drawn.candidates[k] for k in order] + [f"t{k}" for k in range(extra)]),
    )


def write_table(path: Path, drawn: CoinDesign, scores: np.ndarray, kind: str = "margin") -> Path:
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["model", "candidate", kind, "group", "other"])
        for model, line in enumerate(scores):
            rows = zip(drawn.candidates, line.tolist(), strict=True)
            table.writerows([model, name, repr(value), "", "x"] for name, value in rows)
            table.writerows(
                [model, f"t{k}", 1.0 if k < 40 else -1.0, "test", ""] for k in range(50)
            )
    return path


def test_every_form_of_the_same_scores_is_the_same_audit(tmp_path: Path) -> None:
    drawn = design()
    scores = np.round(remembered(drawn), 6)
    seen = observed(drawn, scores)
    seen.save(tmp_path / "seen")
    lines = [
        json.dumps({"candidate": name, "loss": -value, "prompt": {"any": [1]}})
        for name, value in zip(drawn.candidates, scores[0].tolist(), strict=True)
    ]
    (tmp_path / "log.jsonl").write_text("\n".join(lines) + "\n\n")
    forms: list[Any] = [
        scores[0],
        scores,
        scores[:, :, None],
        seen,
        tmp_path / "seen.safetensors",
        write_table(tmp_path / "table.csv", drawn, scores),
        tmp_path / "log.jsonl",
        [tmp_path / "log.jsonl"],
    ]
    found = [audit_coins(form, drawn) for form in forms]
    bounds = [[one.bound for one in audit.questions] for audit in found]
    assert bounds == [pytest.approx(bounds[0])] * len(forms)
    with_tests = [audit.utility for audit in found if audit.utility]
    assert len(with_tests) == 3
    assert {(one.right, one.examples) for (one,) in with_tests} == {((40,), 50)}
    # Clopper and Pearson, for 40 of 50.
    (one,) = with_tests[0]
    assert (one.low, one.high) == (pytest.approx(0.6628, abs=1e-3), pytest.approx(0.8997, abs=1e-3))


def test_losses_are_turned_around_and_probabilities_become_log_odds(tmp_path: Path) -> None:
    drawn = design()
    margins = remembered(drawn)
    one = audit_coins(margins, drawn).questions[0].bound
    shares = 1.0 / (1.0 + np.exp(-margins))
    table = write_table(tmp_path / "p.csv", drawn, shares, "probability")
    text = table.read_text().replace(",-1.0,test", ",0.2,test")
    table.write_text(text)
    assert audit_coins(table, drawn).questions[0].bound == pytest.approx(one)
    seen = observed(drawn, margins)
    losses = design(settings={"observables": ["loss"]})
    assert audit_coins(seen, losses).questions[0].bound > 0.0


def test_declared_observables_must_be_there(tmp_path: Path) -> None:
    drawn = design(settings={"observables": ["margin", "margin of neighbours"]})
    path = tmp_path / "table.csv"
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["candidate", "margin", "margin of neighbours"])
        scores = remembered(drawn)[0].tolist()
        table.writerows(zip(drawn.candidates, scores, scores, strict=True))
    assert audit_coins(path, drawn).scores.values.shape == (1, 120, 2)
    with pytest.raises(SubmissionError, match="expected a table with columns margin, margin of"):
        audit_coins(observed(drawn, remembered(drawn)), drawn)
    with pytest.raises(SubmissionError, match="120 candidates and 2 observables"):
        audit_coins(remembered(drawn), drawn)
    one = design(settings={"observables": ["entropy"]})
    with pytest.raises(SubmissionError, match="expected a column 'entropy', as the design"):
        audit_coins(path, one)


Damage = Callable[[list[str]], list[str]]
DAMAGES: list[tuple[Damage, str]] = [
    (lambda lines: lines[:-1], "expected a line for candidate 'page 9', found none"),
    (lambda lines: [*lines, lines[1]], "line 12: expected each model and candidate once, found"),
    (lambda lines: [*lines, "stranger,1.0"], "line 12: expected a candidate of the design, or gro"),
    (lambda lines: [*lines[:-1], "page 9,nan"], "line 11: expected a finite number in column marg"),
    (lambda lines: [*lines[:-1], "page 9,"], "line 11: expected a finite number in column margin"),
    (lambda lines: [*lines[:-1], "page 9,1,2"], "line 11: expected 2 cells, as the header has, fo"),
    (lambda lines: ["candidate,words", *lines[1:]], "expected one of the columns margin, score, p"),
    (lambda lines: ["candidate,candidate", *lines[1:]], "line 1: expected columns, each once"),
    (lambda lines: lines[:1], "expected a line for each model and candidate, found none"),
    (lambda lines: [*lines[:-1], '"page 9,1'], "expected a CSV table, found none"),
    (lambda lines: [*lines[:-1], "\x00page 9,1"], "line 11: expected a candidate of the design"),
]


@pytest.mark.parametrize(("damage", "words"), DAMAGES, ids=[words[:30] for _, words in DAMAGES])
def test_a_wrong_table_is_refused_by_line_and_column(
    damage: Damage, words: str, tmp_path: Path
) -> None:
    names = [f"page {k}" for k in range(10)]
    lines = ["candidate,margin", *(f"{name},{k}.5" for k, name in enumerate(names))]
    path = tmp_path / "table.csv"
    path.write_text("\n".join(damage(lines)) + "\n")
    with pytest.raises(SubmissionError) as error:
        read_coin_table(path, names, ("score",), Limits())
    assert words in str(error.value)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"candidate": "a", "loss": 1}\n[1]\n', "line 2: expected a JSON object, found list"),
        ('{"candidate": "a", "loss": 1}\n{"x"\n', "line 2: expected a JSON object, found '{"),
        ('{"candidate": ["a"], "loss": 1}\n', "line 1: expected a name in column candidate"),
        ('{"candidate": "a", "loss": true}\n', "line 1: expected a finite number in column loss"),
        ('{"candidate": "a", "loss": "1e999"}\n', "line 1: expected a finite number"),
        ('{"candidate": "a", "loss": 1, "margin": 1}\n', "found margin, loss"),
    ],
)
def test_a_wrong_log_is_refused_by_line(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(text)
    with pytest.raises(SubmissionError) as error:
        read_coin_table(path, ["a"], ("score",), Limits())
    assert words in str(error.value)


def test_examples_of_test_need_to_say_whether_they_are_right(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    rows = [{"candidate": "a", "loss": 1}, {"candidate": "t", "loss": 2, "group": "test"}]
    path.write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(SubmissionError, match="line 2: expected a column right, 1 or 0"):
        read_coin_table(path, ["a"], ("score",), Limits())
    rows[1]["right"] = True
    path.write_text("\n".join(map(json.dumps, rows)))
    assert read_coin_table(path, ["a"], ("score",), Limits()).examples == {"test": 1}


@pytest.mark.parametrize("extreme", [1e15, -1e300])
def test_a_score_that_hides_all_others_is_warned_of(extreme: float) -> None:
    drawn = design(settings={"observables": ["margin"]})
    scores, far = remembered(drawn)[0], int(np.argmin(drawn.found))
    assert not any("so far out" in warning for warning in audit_coins(scores, drawn).warnings)
    scores[far] = extreme
    audit = audit_coins(scores, drawn)
    assert audit.unlearning is not None
    assert audit.unlearning.finding == "nothing found"
    told = [warning for warning in audit.warnings if "so far out" in warning]
    assert told == [
        f"The margin of candidate {drawn.candidates[far]!r} by model 0, {extreme:.3g}, is so far "
        "out that what the others say is lost beside it: a conviction may be missed."
    ]
    assert "model 0" in audit.unlearning.result.warnings[0]
    both = audit_coins(np.stack([scores, 2.0 * scores]), replace(drawn, models=2)).warnings
    assert "(so it is in 1 more column of scores)" in both[-1]


def test_one_tested_example_is_in_the_singular() -> None:
    drawn = draw_coins(["page 0", "page 1"], found=np.array([True, False]), seed=3)
    audit = audit_coins([1.0, 2.0], drawn)
    assert "over coins, training and unlearning: 1 tested example and one model" in str(
        audit.sentences
    )
    with pytest.raises(SubmissionError, match="expected scores of 2 candidates and 1 observable,"):
        audit_coins(np.ones((1, 2, 2)), drawn)


def test_ties_hide_nothing() -> None:
    """Most scores being the same but for rounding, there is nothing that could be lost."""
    drawn = design()
    scores = np.where(np.arange(len(drawn.candidates)) < 9, 7.0, 0.1 + 0.2)
    scores[::2] = np.where(scores[::2] == 7.0, 7.0, 0.3)
    assert not any("so far out" in warning for warning in audit_coins(scores, drawn).warnings)


def test_two_sets_are_warned_of_a_score_that_hides_all_others() -> None:
    scores = np.append(np.linspace(3.0, 4.0, 60), np.linspace(0.0, 1.0, 60))
    scores[0] = 1e200
    assert "of candidate 'f0' by model 0" in audit_sets(scores, **sets_of(60, 60)).warnings[-1]


def sets_of(m: int, n: int) -> dict[str, list[str]]:
    return {"forget": [f"f{k}" for k in range(m)], "holdout": [f"h{k}" for k in range(n)]}


def test_two_published_sets_convict_only_by_assumption() -> None:
    scores = np.append(RNG(7).normal(3.0, size=40), RNG(8).normal(size=60))
    audit = audit_sets(scores, **sets_of(40, 60))
    assert audit.unlearning is None
    assert audit.headline.startswith("If both sets are exchangeable: not untraining: ε is at least")
    assert any("Nothing was found out about whether" in text for text in audit.warnings)
    checked = audit_sets(scores, **sets_of(40, 60), retain_model=RNG(9).normal(size=100))
    assert checked.untraining is not None
    assert checked.untraining.finding == "convicted"
    assert checked.warnings == ()
    # One model shows nothing at a level of .009, even at δ = 0, of so few examples.
    few = CoinSettings(confidence=0.99)
    weak = audit_sets(
        scores[38:42], **sets_of(2, 2), retain_model=RNG(9).normal(size=4), settings=few
    )
    assert any("Nothing was found out about whether" in text for text in weak.warnings)
    strict = audit_sets(scores, **sets_of(40, 60), retain_model=scores, settings=few)
    assert strict.untraining is not None
    assert strict.untraining.finding == "assumption refuted"
    # Sets that differ for a model that never saw either refute the assumption.
    refuted = audit_sets(scores, **sets_of(40, 60), retain_model=scores + RNG(10).normal(size=100))
    assert refuted.untraining is not None
    assert refuted.untraining.finding == "assumption refuted"
    assert refuted.untraining.bound == 0.0
    assert refuted.headline.startswith("The two sets are not exchangeable")


def test_examples_that_were_chosen_together_count_as_one() -> None:
    """Twenty questions on each of twenty authors: by question they err, by author they do not."""
    rng = RNG(12)
    wrong = {1: 0, 10: 0}
    sets = sets_of(60, 60)
    few = CoinSettings(weights=CoinSettings.of({"weights": _ONE}).weights)
    repeats = 60
    for _ in range(repeats):
        scores = np.repeat(rng.normal(size=12), 10) + 0.1 * rng.normal(size=120)
        for cluster in wrong:
            found = audit_sets(scores, **sets, cluster=cluster, settings=few)
            wrong[cluster] += found.questions[0].bound > 0.0
    assert wrong[1] > 0.2 * repeats
    assert wrong[10] <= repeats * (0.05 + 3.0 * math.sqrt(0.05 * 0.95 / repeats))


_ONE = {"centres": [0.0], "clips": [1.0], "main": 0.9, "turned": 0.05}


@pytest.mark.parametrize(
    ("sets", "words"),
    [
        ({"forget": [], "holdout": ["a"]}, "found none in one of them"),
        ({"forget": ["a"], "holdout": ["a"]}, "found 'a' twice"),
        (sets_of(3, 4) | {"cluster": 2}, "forget: expected a multiple of 2 examples"),
    ],
)
def test_wrong_sets_are_refused(sets: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        audit_sets(np.zeros(1), **sets)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    where = tmp_path_factory.mktemp("coins")
    drawn = design(60)
    audit = audit_coins(observed(drawn, remembered(drawn)), drawn)
    audit.report(where / "coins")
    scores = np.append(RNG(7).normal(3.0, size=40), RNG(8).normal(size=60))
    sets = audit_sets(scores, **sets_of(40, 60), retain_model=RNG(9).normal(size=100), cluster=2)
    sets.report(where / "sets")
    return {"coins": where / "coins", "sets": where / "sets"}


@pytest.mark.parametrize("kind", ["coins", "sets"])
def test_a_report_is_a_whole_page_and_is_recomputed(folders: dict[str, Path], kind: str) -> None:
    folder = folders[kind]
    assert sorted(path.name for path in folder.iterdir()) == [
        "coin-audit.json",
        "report.html",
        "report.md",
    ]
    assert "svg" in Page((folder / "report.html").read_text()).tags
    found = verification(folder)
    assert found.differences == ()
    said = " ".join(str(found).split())
    assert "finding, bounds and p-values of every question" in said


def changed(folder: Path, to: Path, *path: str | int, value: Any) -> Path:
    shutil.copytree(folder, to / "changed")
    record = to / "changed" / "coin-audit.json"
    content = json.loads(record.read_text())
    part = content
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    record.write_text(json.dumps(content))
    return record


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("questions", "untraining", "epsilon"), 99.0, "questions.untraining.epsilon: certified"),
        (("questions", "unlearning", "finding"), "nothing found", "questions.unlearning.finding"),
        (("headline",), "Nothing found.", "headline: certified 'Nothing found.'"),
        (("scores", "digest"), "0" * 64, "scores.digest"),
        (("scores", "values", 0, 0, 0), 1e3, "scores.digest"),
        (("utility", 0, "accuracy"), 1.0, "utility[0].accuracy: certified 1.0"),
        (("more",), 1, "more: certified 1, recomputed nothing"),
        (("settings", "delta"), 0.001, "settings.delta: certified 0.001"),
    ],
)
def test_a_changed_value_is_found(
    folders: dict[str, Path], tmp_path: Path, path: Any, value: Any, words: str
) -> None:
    found = verify(changed(folders["coins"], tmp_path, *path, value=value))
    assert any(words in text for text in found), found


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("opened", "nonce"), "0" * 64, "field commitment: expected that of this design"),
        (("opened", "coins", 0), "0" * 60, "field commitment"),
        (("opened", "coins", 0), "01", "expected 60 digits"),
        (("design", "settings", "confidence"), 0.5, "field commitment"),
        (("design", "candidates", 0, "found"), 1, "found"),
        (("design",), None, "."),
        (("scores", "values"), "none", "field scores.values"),
        (("scores", "values"), [[[1.0]]], "expected scores of 60 candidates"),
        (("version",), 2, "a newer indist may read it"),
        (("scores", "right", "test"), [], "coin-audit.json: "),
        (("scores", "right", "test"), [60], "right: expected 0 to 50 test examples for each of 1"),
        (("cluster",), True, "cluster"),
    ],
)
def test_what_opens_no_commitment_is_refused(
    folders: dict[str, Path], tmp_path: Path, path: Any, value: Any, words: str
) -> None:
    record = changed(folders["coins"], tmp_path, *path, value=value)
    with pytest.raises(SubmissionError, match="coin-audit.json") as error:
        verify(record)
    assert words in str(error.value)


def test_a_design_on_disk_is_opened_by_the_audit(tmp_path: Path) -> None:
    drawn = design()
    drawn.save(tmp_path / "design")
    scores = remembered(load_design(tmp_path / "design"))
    assert audit_coins(scores, tmp_path / "design").design is not None
    sealed = tmp_path / "design" / "coins.json"
    content = json.loads(sealed.read_text())
    flipped = content["coins"][0].replace("0", "x").replace("1", "0").replace("x", "1")
    sealed.write_text(json.dumps(content | {"coins": [flipped]}))
    with pytest.raises(SubmissionError, match="field commitment"):
        audit_coins(scores, tmp_path / "design")


def test_words_hold_back() -> None:
    drawn = design()
    convicted = str(audit_coins(remembered(drawn), drawn))
    said = " ".join(convicted.split())
    assert "averaged over the coins’ forget sets" in said
    assert "says of no single one that it was remembered" in said
    assert "never says that models match a reference" in said
    assert "a model that was destroyed is not convicted either" in said
    nothing = " ".join(str(audit_coins(RNG(5).normal(size=120), drawn)).split())
    assert "nothing was found, which is no upper bound" in nothing
    assert "match" not in nothing.replace("never says that models match", "")
