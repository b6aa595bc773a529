"""Logs of language-model benchmarks: read when right, and refused in one sentence when not."""

import copy
import json
import math
import re
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from audits import Limits, SubmissionError, formats, llm, load
from tests.audits.llm import files


def value(scores: Any, metric: str, at: int) -> float:
    """A metric at an example, whatever the fingerprint of its text."""
    (found,) = (v for name, v in scores[metric].items() if name.split()[0] == str(at))
    return found


def test_tofu_is_read(tmp_path: Path) -> None:
    content = files.tofu(0)
    found = llm.read_tofu(files.written(tmp_path / "eval_log_aggregated.json", content))
    assert found.benchmark == "TOFU"
    assert found.warnings == ()
    assert found.primary == (
        "forget/ln_truth_ratio_arithmetic",
        "forget/ln_truth_ratio_geometric",
        "forget/avg_gt_loss",
        "forget/rougeL_recall",
    )
    names = {"forget": "eval_log_forget", "world_facts": "eval_real_world_wo_options"}
    for split, file in names.items():
        logged = content[f"{file}.json"]
        for at in (0, 7, 39):
            own = value(found.scores, f"{split}/avg_gt_loss", at)
            assert own == logged["avg_gt_loss"][str(at)]
            right = math.exp(-logged["avg_paraphrased_loss"][str(at)])
            wrong = [math.exp(-loss) for loss in logged["average_perturb_loss"][str(at)]]
            arithmetic = sum(wrong) / len(wrong) / right
            geometric = math.prod(wrong) ** (1 / len(wrong)) / right
            for way, ratio in (("arithmetic", arithmetic), ("geometric", geometric)):
                ln_ratio = value(found.scores, f"{split}/ln_truth_ratio_{way}", at)
                assert ln_ratio == pytest.approx(math.log(ratio), abs=1e-12)
    assert repr(found).endswith("TOFU, 20 metrics on up to 40 examples)")


def test_the_older_lists_of_tofu_are_read(tmp_path: Path) -> None:
    content = files.tofu(0)
    new = llm.read_tofu(files.written(tmp_path / "new.json", content))
    (old,) = llm.load(files.written(tmp_path / "old.json", files.with_lists(content)))
    assert (old.benchmark, old.scores, old.primary) == ("TOFU", new.scores, new.primary)


def test_the_least_of_tofus_lists_is_read(tmp_path: Path) -> None:
    forget = {
        "avg_gt_loss": [1.0],
        "rougeL_recall": [0.5],
        "average_perturb_loss": [[2.0, 3.0]],
        "avg_paraphrased_loss": [1.5],
    }
    path = files.written(tmp_path / "log.json", {"eval_log_forget.json": forget})
    (found,) = llm.load(path)
    assert found.scores["forget/ln_truth_ratio_geometric"] == {"0": -1.0}
    assert found.scores["forget/avg_gt_loss"] == {"0": 1.0}


@pytest.mark.parametrize("older", [False, True])
def test_the_file_of_one_split_of_tofu_is_told_by_its_name(tmp_path: Path, older: bool) -> None:
    content = files.tofu(0)
    whole = llm.read_tofu(files.written(tmp_path / "whole.json", content))
    written = files.with_lists(content) if older else content
    splits = {"eval_log_forget.json": "forget", "eval_real_author_wo_options.json": "real_authors"}
    for file, split in splits.items():
        (found,) = llm.load(files.written(tmp_path / file, written[file]))
        assert found.benchmark == "TOFU"
        assert found.scores == {
            metric: values
            for metric, values in whole.scores.items()
            if metric.startswith(f"{split}/")
        }
    renamed = files.written(tmp_path / "mine.json", written["eval_log_forget.json"])
    with pytest.raises(
        SubmissionError,
        match=r"mine.json: is TOFU's log of one split, and its name alone says of which: expected "
        r"one of eval_log_forget.json, eval_log.json, ",
    ):
        llm.load(renamed)


def test_forget_quality_is_the_published_one(tmp_path: Path) -> None:
    mine, retain = files.tofu(0, shift=0.2), files.tofu(1)
    logs = [
        llm.read_tofu(files.written(tmp_path / f"{name}.json", content))
        for name, content in (("mine", mine), ("retain", retain))
    ]
    # The lines of TOFU's aggregate_eval_stat.py, whose ratio is the other way up.
    ratios = []
    for content in (mine, retain):
        logged = content["eval_log_forget.json"]
        paraphrased = np.array(list(logged["avg_paraphrased_loss"].values()))
        perturbed = np.array(list(logged["average_perturb_loss"].values())).mean(axis=-1)
        ratios.append(np.exp(perturbed - paraphrased))
    published = ks_2samp(*ratios).pvalue
    found = llm.compare(logs[:1], untraining=logs[1:], seed=0)
    (geometric,) = (
        one
        for one in found.comparisons[0].metrics
        if one.metric == "forget/ln_truth_ratio_geometric"
    )
    assert geometric.ks == ((pytest.approx(published, rel=1e-12),),)


def test_other_questions_are_never_paired(tmp_path: Path) -> None:
    other = files.tofu(1)
    for at, text in other["eval_log_forget.json"]["generated_text"].items():
        other["eval_log_forget.json"]["generated_text"][at] = [*text[:2], f"another {at}"]
    logs = [
        llm.read_tofu(files.written(tmp_path / f"{name}.json", content))
        for name, content in (("mine", files.tofu(0)), ("other", other))
    ]
    with pytest.raises(
        SubmissionError,
        match=r"other.json: metric 'forget/ln_truth_ratio_arithmetic': expected the 40 examples of "
        r".*mine.json, found 80 in one of the two only, such as '0 ",
    ):
        llm.compare(logs[:1], untraining=logs[1:], seed=0)


def test_a_truth_ratio_that_its_losses_deny_is_warned_of(tmp_path: Path) -> None:
    content = files.tofu(0)
    content["eval_log_forget.json"]["truth_ratio"]["3"] *= 1.01
    found = llm.read_tofu(files.written(tmp_path / "x.json", content))
    assert len(found.warnings) == 1
    assert "eval_log_forget.json: 1 of 40 logged truth ratios are not those" in found.warnings[0]


def test_open_unlearning_is_read(tmp_path: Path) -> None:
    content = files.open_unlearning(0)
    content["forget_Q_A_Prob"]["value_by_index"]["4"] = None
    content["extraction_strength"]["value_by_index"]["5"]["score"] = None
    found = llm.read_open_unlearning(files.written(tmp_path / "TOFU_EVAL.json", content))
    assert found.attack == "mia_min_k"
    assert found.summary["privleak"] == -12.5
    assert "forget_quality" not in found.summary
    assert set(found.scores["forget_Q_A_Prob/avg_loss"]) == {str(at) for at in range(30) if at != 4}
    assert len(found.scores["extraction_strength/score"]) == 29
    wrong = content["forget_Q_A_PERT_Prob"]["value_by_index"]["2"]
    mean = sum(wrong["prob"]) / 5
    assert value(found.scores, "forget_Q_A_PERT_Prob/prob", 2) == pytest.approx(mean)
    right = content["forget_Q_A_PARA_Prob"]["value_by_index"]["2"]["prob"]
    arithmetic = value(found.scores, "forget/ln_truth_ratio_arithmetic", 2)
    assert arithmetic == pytest.approx(math.log(mean / right))
    # The logged ratio is the geometric one, but for the 1e-10 that its script adds below.
    logged = value(found.scores, "forget_truth_ratio/score", 2)
    geometric = value(found.scores, "forget/ln_truth_ratio_geometric", 2)
    assert geometric == pytest.approx(math.log(logged), abs=1e-7)
    assert found.primary == (
        "forget/ln_truth_ratio_arithmetic",
        "forget/ln_truth_ratio_geometric",
        "forget_Q_A_Prob/avg_loss",
        "forget_Q_A_ROUGE/rougeL_recall",
        "extraction_strength/score",
        "mia_min_k/forget",
    )


@pytest.mark.parametrize(("split", "prefix"), [("real_authors", "ra"), ("world_facts", "wf")])
def test_truth_ratios_of_other_splits(tmp_path: Path, split: str, prefix: str) -> None:
    base = files.open_unlearning(0)
    content = {
        f"{prefix}_Q_A_Prob": base["forget_Q_A_PARA_Prob"],
        f"{prefix}_Q_A_PERT_Prob": base["forget_Q_A_PERT_Prob"],
    }
    found = llm.read_open_unlearning(files.written(tmp_path / "x.json", content))
    whole = llm.read_open_unlearning(files.written(tmp_path / "y.json", base))
    for way in ("arithmetic", "geometric"):
        own = found.scores[f"{split}/ln_truth_ratio_{way}"]
        assert own == whole.scores[f"forget/ln_truth_ratio_{way}"]


def test_a_summary_has_no_examples(tmp_path: Path) -> None:
    path = files.written(tmp_path / "MUSE_SUMMARY.json", {"privleak": -3.0, "extraction": 0.1})
    (found,) = llm.load(path)
    assert found.scores == {}
    assert found.summary == {"privleak": -3.0, "extraction": 0.1}
    assert repr(found).endswith("open-unlearning, summary only)")
    with pytest.raises(SubmissionError, match="SUMMARY.json: no interval possible: the log holds"):
        llm.compare([found], untraining=[found], seed=0)


def test_muse_is_read(tmp_path: Path) -> None:
    found = llm.read_muse(files.muse(tmp_path / "npo", 0))
    assert (found.name, found.benchmark, found.attack) == ("npo", "MUSE", "Min-40%")
    assert found.primary == ("verbmem_f/rougeL", "knowmem_f/rougeL", "Min-40%/forget")
    logged = json.loads((tmp_path / "npo" / "privleak" / "log.json").read_text())
    for split in ("forget", "retain", "holdout"):
        own = [value(found.scores, f"PPL/zlib/{split}", at) for at in range(25)]
        assert own == [row["PPL/zlib"] for row in logged[split]]
    logged = json.loads((tmp_path / "npo" / "knowmem_r" / "log.json").read_text())
    assert value(found.scores, "knowmem_r/rouge1", 3) == logged[3]["rouge1"]


def test_the_older_layout_of_muse_is_read(tmp_path: Path) -> None:
    new = files.muse(tmp_path / "new", 0)
    read = {
        metric: json.loads((new / metric / "log.json").read_text())
        for metric in ("knowmem_f", "knowmem_r", "verbmem_f", "privleak")
    }
    old = tmp_path / "old"
    files.written(old / "knowmem" / "forget" / "history.json", read["knowmem_f"])
    files.written(old / "knowmem" / "retain" / "history.json", read["knowmem_r"])
    files.written(old / "verbmem" / "forget" / "history.json", read["verbmem_f"])
    for file, split in (("forget", "forget"), ("retain2", "retain"), ("holdout", "holdout")):
        rows = [
            {"data_file": "x", "text": row.pop("text"), "ppl": row}
            for row in copy.deepcopy(read["privleak"][split])
        ]
        files.written(old / "privleak" / f"{file}.json", rows)
    expected = llm.read_muse(new).scores
    found: dict[str, Any] = {}
    for part in ("knowmem", "verbmem", "privleak"):
        found |= llm.read_muse(old / part).scores
    assert found == expected


def test_the_table_of_muse_is_read(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text('name,verbmem_f,privleak\ntarget,57.9,-99.8\n"npo, gdr",0.1,\n')
    found = llm.load(path)
    assert [one.name for one in found] == ["target", "npo, gdr"]
    assert [dict(one.summary) for one in found] == [
        {"verbmem_f": 57.9, "privleak": -99.8},
        {"verbmem_f": 0.1},
    ]
    with pytest.raises(SubmissionError, match="out.csv: no interval possible"):
        llm.compare(found[:1], untraining=found[1:], seed=0)


PARTS = {
    "verbmem_f/log.json": "the generated answers of one metric",
    "verbmem_f/agg.json": "means of one metric over its examples",
    "knowmem_r/log.json": "the generated answers of one metric",
    "privleak/log.json": "its membership scores",
    "privleak/auc.json": "the AUCs of its membership attacks",
}


@pytest.mark.parametrize("file", PARTS)
def test_a_file_of_muses_folder_is_named_and_the_folder_asked_for(
    tmp_path: Path, file: str
) -> None:
    folder = files.muse(tmp_path / "npo", 0, examples=3)
    message = (
        f"{file}: is one file of MUSE's log of a model, {PARTS[file]}: expected the folder of that "
        f"model, such as {folder}, with some of verbmem_f/log.json, "
    )
    with pytest.raises(SubmissionError, match=re.escape(message)):
        llm.load(folder / file)


def test_a_file_of_muses_folder_is_known_by_its_name_too(tmp_path: Path) -> None:
    for name, content in (
        ("history.json", []),
        ("agg.json", {"rougeL": 0.3}),
        ("verbmem_f/log.json", {"rougeL": [0.1]}),
        ("auc.json", {"forget": 0.5}),
    ):
        path = files.written(tmp_path / "npo" / name, content)
        with pytest.raises(SubmissionError, match=f"{name}: is one file of MUSE's log of a model"):
            llm.load(path)


@pytest.mark.parametrize("read", [formats.read, load])
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("history.json", "one file of MUSE's log of a language model, the generated answers of"),
        ("agg.json", "one file of MUSE's log of a language model, means of one metric over its"),
        ("TOFU_EVAL.json", "a log of a language model, .*: indist audit LOG --untraining LOGS"),
        ("eval_log_forget.json", "a log of a language model, which is compared with other logs"),
    ],
)
def test_a_log_given_as_models_is_told(
    tmp_path: Path, read: Callable[[Path], Any], name: str, message: str
) -> None:
    path = files.written(tmp_path / name, {"mean_rougeL": 0.5})
    with pytest.raises(SubmissionError, match=f"{name}: is by its name {message}"):
        read(path)


def test_a_file_of_muses_older_folder_is_named(tmp_path: Path) -> None:
    rows = [{"prompt": "a", "gt": "b", "rougeL": 0.5}]
    path = files.written(tmp_path / "knowmem" / "forget" / "history.json", rows)
    with pytest.raises(SubmissionError, match=re.escape(f"such as {tmp_path / 'knowmem'}, with")):
        llm.load(path)
    rows = [{"text": "a", "ppl": {"PPL": 1.0}}]
    path = files.written(tmp_path / "privleak" / "retain2.json", rows)
    with pytest.raises(SubmissionError, match="membership scores of one split: expected the") as of:
        llm.load(path)
    assert f"such as {tmp_path / 'privleak'}, with" in str(of.value)


def test_texts_among_the_numbers_of_a_summary_are_skipped(tmp_path: Path) -> None:
    noted = {"forget_quality": 0.4, "model": "phi", "ok": True, "nested": [1], "privleak": math.nan}
    (found,) = llm.load(files.written(tmp_path / "TOFU_SUMMARY.json", noted))
    assert found.summary == {"forget_quality": 0.4}
    content = files.open_unlearning(0)
    content["forget_Q_A_Prob"]["agg_value"] = "n/a"
    content |= {"config": {"forget": "forget10", "value_by_index": None}, "note": "x"}
    (found,) = llm.load(files.written(tmp_path / "TOFU_EVAL.json", content))
    assert "forget_Q_A_Prob" not in found.summary
    assert len(found.scores["forget_Q_A_Prob/avg_loss"]) == 30
    run = RUN | {"AUS": math.nan, "note": "x"}
    (found,) = llm.load(files.written(tmp_path / "run.json", run))
    assert "AUS" not in found.summary
    path = tmp_path / "out.csv"
    path.write_text("name,verbmem_f,note,privleak\na,1.5,first run,nan\n")
    assert llm.load(path)[0].summary == {"verbmem_f": 1.5}


@pytest.mark.parametrize(
    "odd", [math.nan, math.inf, True, {"x": 1}, [[1.0]], [], [0.5, math.nan], "n/a", 10**400]
)
def test_what_is_no_number_in_an_example_is_left_out(tmp_path: Path, odd: Any) -> None:
    content = files.open_unlearning(0)
    content["forget_Q_A_Prob"]["value_by_index"]["4"]["prob"] = odd
    for one in content["forget_Q_A_ROUGE"]["value_by_index"].values():
        one |= {"odd": odd if odd != 10**400 else "x", "checked": True}
    (found,) = llm.load(files.written(tmp_path / "TOFU_EVAL.json", content))
    assert len(found.scores["forget_Q_A_Prob/prob"]) == 29
    assert len(found.scores["forget_Q_A_Prob/avg_loss"]) == 30
    assert found.warnings == (
        f"{found.path}: examples without a finite number are left out: forget_Q_A_Prob/prob at 1.",
    )


def test_what_is_no_score_in_muses_rows_is_left_out(tmp_path: Path) -> None:
    folder = files.muse(tmp_path / "npo", 0)
    whole = llm.read_muse(folder).scores
    content = json.loads((folder / "privleak" / "log.json").read_text())
    for row in content["forget"]:
        row |= {"tokens": [1, 2], "source": "news", "short": False}
    files.written(folder / "privleak" / "log.json", content)
    assert llm.read_muse(folder).scores == whole


RUN = {
    "unlearner": "NegGrad",
    "dataset": "adult",
    "parameters": {"epochs": 1, "ref_data": "forget"},
    "RunTime": 1.5,
    "sklearn.metrics.accuracy_score.test.unlearned": 0.8,
    "part_info.forget": {"size": 5, "classes_dist": {"0": 1.0}},
}


@pytest.mark.parametrize(
    "text", ["{0},{0},", "{0},{0},\n", "[{0}, {0}]"], ids=["appended", "newline", "list"]
)
def test_erasure_is_read_as_it_appends(tmp_path: Path, text: str) -> None:
    path = tmp_path / "run.json"
    path.write_text(text.replace("{0}", json.dumps(RUN, indent=4)))
    found = llm.load(path)
    assert [one.name for one in found] == ["NegGrad", "NegGrad"]
    assert found[0].summary == {
        "RunTime": 1.5,
        "sklearn.metrics.accuracy_score.test.unlearned": 0.8,
    }
    assert "no interval possible" in found[0].warnings[0]
    with pytest.raises(SubmissionError, match="run.json: no interval possible"):
        llm.compare(found[:1], untraining=found[1:], seed=0)


def test_load_tells_formats_by_content(tmp_path: Path) -> None:
    contents = {"TOFU": files.tofu(0), "open-unlearning": files.open_unlearning(0), "ERASURE": RUN}
    for benchmark, content in contents.items():
        (found,) = llm.load(files.written(tmp_path / "renamed.json", content))
        assert found.benchmark == benchmark
    (found,) = llm.load(files.muse(tmp_path / "npo", 0))
    assert found.benchmark == "MUSE"


def test_patterns_name_several_logs(tmp_path: Path) -> None:
    for name in "ba":
        files.written(tmp_path / name / "TOFU_EVAL.json", files.open_unlearning(0, examples=3))
    pattern = str(tmp_path / "*" / "*.json")
    names = [
        found.path.parent.name
        for found in llm.load_all([pattern, tmp_path / "b" / "TOFU_EVAL.json"])
    ]
    assert names == ["a", "b", "b"]
    with pytest.raises(
        SubmissionError,
        match=r"none\*.json: expected a log or a pattern that fits 1 to 1000000 of them, found 0",
    ):
        llm.load_all([tmp_path / "none*.json"])
    with pytest.raises(SubmissionError, match=r"fits 1 to 1 of them, found 2"):
        llm.load_all([pattern], limits=Limits(models=1))


@settings(derandomize=True, deadline=None)
@given(st.floats(0, 300), st.lists(st.floats(0, 300), min_size=1, max_size=6))
def test_truth_ratios_are_ordered_and_agree_for_one_answer(
    right: float, wrong: list[float]
) -> None:
    ratio = llm.ln_truth_ratio(right, wrong)
    assert ratio.geometric <= ratio.arithmetic + 1e-9
    assert ratio.arithmetic <= right - min(wrong) + 1e-9
    one = llm.ln_truth_ratio(right, wrong[:1])
    assert one.arithmetic == pytest.approx(one.geometric, abs=1e-9)


def without(content: Any, *path: str) -> Any:
    """A copy without what lies at the end of a path of keys."""
    content = copy.deepcopy(content)
    inner = content
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return content


def replaced(content: Any, new: Any, *path: str) -> Any:
    """A copy with something else at the end of a path of keys."""
    content = copy.deepcopy(content)
    inner = content
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = new
    return content


TOFU, EVAL = files.tofu(0, examples=3), files.open_unlearning(0, examples=3)
LOSSES = ("eval_log_forget.json", "avg_paraphrased_loss")
HOSTILE: dict[str, tuple[Any, str]] = {
    "no format": ("x", r"unknown format; expected TOFU's"),
    "empty": ({}, r"expected 1 to 1000000 entries, found 0"),
    "no losses": (
        without(TOFU, *LOSSES),
        r"field eval_log_forget.json.avg_paraphrased_loss: expected, found none",
    ),
    "no forget split": (
        without(TOFU, "eval_log_forget.json"),
        r"field eval_log_forget.json: expected, found none",
    ),
    "a list of losses": (
        replaced(TOFU, [1.0], *LOSSES),
        r"average_perturb_loss: expected the examples of avg_paraphrased_loss, found others",
    ),
    "lists of two lengths": (
        replaced(files.with_lists(TOFU), [1.0], *LOSSES),
        r"eval_log_forget.json.avg_paraphrased_loss: expected 3 entries as in 'avg_gt_loss', "
        r"found 1",
    ),
    "an empty list of losses": (
        replaced(TOFU, [], *LOSSES),
        r"avg_paraphrased_loss: expected 1 to 1000000 entries, found 0",
    ),
    "losses that are a number": (
        replaced(TOFU, 1.0, *LOSSES),
        r"avg_paraphrased_loss: expected a JSON object, found float",
    ),
    "other examples": (
        without(TOFU, *LOSSES, "1"),
        r"average_perturb_loss: expected the examples of avg_paraphrased_loss, found others",
    ),
    "a word": (
        replaced(TOFU, "x", *LOSSES, "1"),
        r"avg_paraphrased_loss.1: expected a finite number, found 'x'",
    ),
    "a truth value": (replaced(TOFU, True, *LOSSES, "1"), r"a finite number, found True"),
    "null": (replaced(TOFU, None, *LOSSES, "1"), r"a finite number, found None"),
    "too great": (replaced(TOFU, 10**400, *LOSSES, "1"), r"found 'too great a number'"),
    "no wrong answers": (
        replaced(TOFU, [], "eval_log_forget.json", "average_perturb_loss", "1"),
        r"average_perturb_loss.1: expected at least one number, found none",
    ),
    "a nest": (
        replaced(TOFU, [[1.0]], "eval_log_forget.json", "average_perturb_loss", "1"),
        r"average_perturb_loss.1.0: expected a finite number, found list",
    ),
    "texts that are none": (
        replaced(TOFU, 3, "eval_log_forget.json", "generated_text"),
        r"generated_text: expected a JSON object, found int",
    ),
    "no examples": (
        replaced(EVAL, {}, "forget_Q_A_Prob", "value_by_index"),
        r"field forget_Q_A_Prob.value_by_index: expected 1 to 1000000 entries, found 0",
    ),
    "an example that is none": (
        replaced(EVAL, 3, "forget_Q_A_Prob", "value_by_index", "1"),
        r"field forget_Q_A_Prob.value_by_index.1: expected a JSON object, found int",
    ),
    "an attack without scores": (
        replaced(EVAL, {}, "mia_min_k", "holdout", "value_by_index"),
        r"field mia_min_k.holdout.value_by_index: expected 1 to",
    ),
    "not a number": (
        replaced(TOFU, math.nan, *LOSSES, "1"),
        r"loss.1: expected a finite number, found nan",
    ),
    "flat and of nobody": (
        {"accuracy": 0.5, "note": "mine"},
        r"none of open-unlearning's metrics \(forget_quality, .*mmlu\*\); expected TOFU's",
    ),
    "nothing but nulls": ({"a": None, "b": {"agg_value": None}}, r"expected at least one metric"),
    "newlines in names": (
        replaced(EVAL, "x", "forget_Q_A_Prob", "value_by_index", "a\nb" * 30),
        r"value_by_index.a\\nba\\nba[^\n]{,60}: expected a JSON object, found str",
    ),
    "an unlearner alone": ({"unlearner": "x"}, r"field 0: expected an unlearner and its metrics"),
    "a list of numbers": ([1], r"unknown format; expected TOFU's .*, found list"),
    "an empty list": ([], r"unknown format; expected TOFU's .*, found list"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_logs_that_are_wrong(tmp_path: Path, case: str) -> None:
    content, message = HOSTILE[case]
    with pytest.raises(SubmissionError, match=message) as caught:
        llm.load(files.written(tmp_path / "log.json", content))
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "log.json"))


@pytest.mark.parametrize("end", ["", ","])
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected (JSON|1 to)"),
        ('{"unlearner": ', "expected JSON, found something else or a truncated file"),
        (b"\xff\xfe\x00", "expected JSON, found something else"),
        ('{"unlearner": "x", "unlearner": "x"}', "once, found"),
        ('{"unlearner": "x", "AUS": NaN}', "expected an unlearner and its metrics, found none"),
        ('{"unlearner": "x", "AUS": 1e999}', "expected an unlearner and its metrics, found none"),
        ("[" * 100_000, "expected JSON"),
        ('{"unlearner": "x", "AUS": ' + "9" * 5000 + "}", "expected JSON"),
    ],
)
def test_logs_that_are_no_json(tmp_path: Path, text: str | bytes, message: str, end: str) -> None:
    path = tmp_path / "log.json"
    path.write_bytes((text.encode() if isinstance(text, str) else text) + end.encode())
    with pytest.raises(SubmissionError, match=message):
        llm.load(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a line of distinct column names"),
        ("name\nx\n", "expected a line of distinct column names"),
        ("a,b\n1,2\n", "expected a line of distinct column names"),
        ("name,a,a\nx,1,2\n", "expected a line of distinct column names"),
        ("name,a\n", "expected 1 to 1000000 lines of values, found 0"),
        ("name,a\nx\n", "field 0: expected 2 columns, found 1"),
        ("name,a\nx,y\n", "expected a number in some column, found none"),
        ("name,a\nx,nan\n", "expected a number in some column, found none"),
        (b"\xff\xfe,\n", "expected comma-separated text in UTF-8"),
        ('name,a\n"x', "expected comma-separated text"),
        ("name," + "a" * 200_000, "expected comma-separated text"),
    ],
)
def test_tables_that_are_wrong(tmp_path: Path, text: str | bytes, message: str) -> None:
    path = tmp_path / "out.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(SubmissionError, match=message):
        llm.load(path)


MUSE_ROWS = [{"text": "a", "Min-40%": 1.0}]


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("privleak/log.json", [], "log.json: expected a JSON object, found list"),
        ("privleak/log.json", {"forget": 1}, "field forget: expected a list of examples"),
        ("privleak/log.json", {"forget": []}, "field forget: expected 1 to 1000000 entries"),
        ("privleak/log.json", {"forget": [1]}, "field forget.0: expected a JSON object, found int"),
        (
            "privleak/log.json",
            {"forget": [*MUSE_ROWS, {"text": "b"}]},
            "field 1.Min-40%: expected a finite number, found None",
        ),
        ("privleak/log.json", {"other": MUSE_ROWS}, "expected a folder with some of verbmem_f"),
        ("verbmem_f/log.json", [{}], "field 0.rougeL: expected a finite number, found None"),
        ("forget/history.json", {}, "history.json: expected a list of examples, found dict"),
        (
            "retain2.json",
            [{"text": "a", "ppl": {"PPL": 1}}, {"text": "b", "ppl": {"PPL": "x"}}],
            "field 1.PPL: expected a finite",
        ),
        ("retain2.json", [{"text": "a", "ppl": {"PPL": "x"}}], "attacks on retain, found none"),
        ("holdout.json", [{"text": "a", "ppl": 3}], "attacks on holdout, found none"),
        ("elsewhere.json", [], "expected a folder with some of .*; found none of them"),
    ],
)
def test_folders_that_are_wrong(tmp_path: Path, file: str, content: Any, message: str) -> None:
    files.written(tmp_path / file, content)
    with pytest.raises(SubmissionError, match=message):
        llm.load(tmp_path)


def test_paths_that_are_wrong(tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match="none.json: cannot be read"):
        llm.load(tmp_path / "none.json")
    (tmp_path / "model.pth").write_bytes(b"x")
    with pytest.raises(SubmissionError, match=r"model.pth: unknown format .pth; expected TOFU's"):
        llm.load(tmp_path / "model.pth")


@pytest.mark.parametrize(
    ("content", "limit", "message"),
    [
        (TOFU, {"probes": 2}, "expected 1 to 2 entries, found "),
        (EVAL, {"probes": 2}, "expected 1 to 2 entries, found "),
        ([RUN, RUN, RUN], {"probes": 2}, "expected 1 to 2 entries, found 3"),
        (TOFU, {"header_bytes": 99}, "expected at most 99 bytes of JSON, found"),
    ],
)
def test_limits_hold(tmp_path: Path, content: Any, limit: dict[str, int], message: str) -> None:
    with pytest.raises(SubmissionError, match=message):
        llm.load(files.written(tmp_path / "x.json", content), limits=Limits(**limit))


@pytest.mark.parametrize("name", ["x.json", "x.csv", "run.json"])
def test_huge_files_are_refused_before_they_are_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with path.open("wb") as file:
        file.truncate(2**31)
        file.seek(2**31 - 1)
        file.write(b"," if name == "run.json" else b"x")
    tracemalloc.start()
    try:
        with pytest.raises(SubmissionError, match=r"expected at most 67108864 bytes of"):
            llm.load(path)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
JSON = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


def places(content: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values in JSON."""
    items = (
        content.items()
        if isinstance(content, dict)
        else enumerate(content)
        if isinstance(content, list)
        else ()
    )
    return [path, *(place for key, inner in items for place in places(inner, (*path, key)))]


def spoiled(content: Any, data: st.DataObject) -> str:
    """The content with up to two values replaced by any others, and perhaps cut short."""
    content = copy.deepcopy(content)
    for _ in range(data.draw(st.integers(0, 2))):
        path = data.draw(st.sampled_from(places(content)))
        new = data.draw(JSON)
        if not path:
            content = new
            continue
        inner = content
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = new
    text = json.dumps(content)
    cut = data.draw(st.none() | st.integers(0, len(text)))
    return text[:cut]


FUZZ = settings(
    derandomize=True,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def read_or_refuse(read: Callable[[], object]) -> None:
    said = ""
    try:
        read()
    except SubmissionError as error:
        said = str(error)
    assert "\n" not in said


@pytest.mark.parametrize("name", ["tofu", "eval", "erasure", "summary"])
@FUZZ
@given(data=st.data())
def test_any_json_is_read_or_refused(name: str, data: st.DataObject, tmp_path: Path) -> None:
    content = {"tofu": TOFU, "eval": EVAL, "erasure": [RUN, RUN], "summary": {"a": 1.0}}[name]
    path = tmp_path / "log.json"
    path.write_text(spoiled(content, data) + data.draw(st.sampled_from(["", ",", "\n"])))
    read_or_refuse(lambda: llm.load(path))
    for reader in (llm.read_tofu, llm.read_open_unlearning, llm.read_erasure):
        read_or_refuse(lambda reader=reader: reader(path))


MUSE_FILES = ("verbmem_f/log.json", "privleak/log.json", "forget/history.json", "retain2.json")


@FUZZ
@given(data=st.data(), file=st.sampled_from(MUSE_FILES))
def test_any_folder_is_read_or_refused(data: st.DataObject, file: str, tmp_path: Path) -> None:
    row = {"gt": "a", "rougeL": 0.1, "rougeL_recall": 0.1, "rouge1": 0.1, "rouge1_recall": 0.1}
    content = {
        "verbmem_f/log.json": [row, row],
        "privleak/log.json": {"forget": MUSE_ROWS, "holdout": MUSE_ROWS},
        "forget/history.json": [row],
        "retain2.json": [{"text": "a", "ppl": {"PPL": 1.0}}],
    }[file]
    folder = tmp_path / file.replace("/", "-")
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(spoiled(content, data))
    read_or_refuse(lambda: llm.load(folder))


@FUZZ
@given(text=st.text() | st.text(alphabet="name,a1.\n\"'e- "))
@example(text="name,a\nx,1e999\n")
@example(text='name,a\n"x""y",1\n')
@example(text="name,a\r\nx,1\r\n")
def test_any_table_is_read_or_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_bytes(text.encode(errors="surrogatepass"))
    read_or_refuse(lambda: llm.load(path))
