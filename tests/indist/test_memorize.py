"""``indist memorize``: its tables and figures, more models, and mistakes."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from audits.memorization import MemorizationStudy
from estimators.influence._simultaneous import bonferroni
from indist import _tables, figures, oracles
from tests.indist.helpers import run

TABLES = {
    "memorization": "example label group n_in n_out memorization low high soft soft_low soft_high "
    "out_of_sample_accuracy",
    "self_cross": "example group memorization low high others_count others others_low others_high "
    "fresh_count fresh fresh_low fresh_high",
    "influence_by_group": "source target sources targets influence low high",
    "influence_pairs": "source target source_group target_group source_label target_label "
    "influence low high",
}
PICTURES = ("histogram", "self_cross", "heat_map")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, pd.DataFrame]:
    """The folder, what the terminal said, and the first table before models were added."""
    folder = tmp_path_factory.mktemp("memorize") / "circles"
    scenario = oracles.scenarios.load("circles", seed=0)
    runs = oracles.subset_runs(scenario, models=50, seed=0, directory=folder / "runs")
    done = run("memorize", "circles", "-o", folder, "--models", 60, "--resume")
    assert done.exit_code == 0, done.output
    return folder, done.output, MemorizationStudy(runs, 0.95).memorization_table()


@pytest.fixture(scope="module")
def measured(made: tuple[Path, str, pd.DataFrame]) -> MemorizationStudy:
    scenario = oracles.scenarios.load("circles", seed=0)
    return MemorizationStudy(oracles.load_runs(made[0] / "runs", scenario), 0.95)


def test_the_terminal_says_what_was_found(made: tuple[Path, str, pd.DataFrame]) -> None:
    for words in (
        "Memorization, subset(0.7): 60 models",
        "of 640 examples are shown to be memorized above 0.25 (false discovery rate 5 %)",
        "mean over forget set S (20): ",
        "mean over rest of the behaviour, B∖S (20): ",
        "mean over other examples, D∖B (600): ",
        "undetermined: 0 examples",
        "No picture of the most memorized examples",
    ):
        assert words in made[1]


@pytest.mark.parametrize("name", TABLES)
def test_tables_have_their_columns_and_finite_numbers(
    name: str, made: tuple[Path, str, pd.DataFrame]
) -> None:
    table = pd.read_csv(made[0] / f"{name}.csv")
    assert " ".join(table.columns) == TABLES[name]
    assert len(table) == {"influence_by_group": 18, "influence_pairs": len(table)}.get(name, 640)
    numbers = table.select_dtypes("number").to_numpy()
    assert np.isfinite(numbers).all()
    for low in [column for column in table.columns if column.endswith("low")]:
        assert (table[low] <= table[low.removesuffix("low") + "high"]).all()


@pytest.mark.parametrize("name", PICTURES)
def test_figures_are_written_for_print_web_and_slides(
    name: str, made: tuple[Path, str, pd.DataFrame]
) -> None:
    starts = {"pdf": b"%PDF-", "svg": b"<?xml", "png": b"\x89PNG", "csv": b""}
    for kind, start in starts.items():
        data = (made[0] / "figures" / f"{name}.{kind}").read_bytes()
        assert len(data) > 1000
        assert data.startswith(start)
    # Type 3 fonts are refused by many venues.
    assert b"/Type3" not in (made[0] / "figures" / f"{name}.pdf").read_bytes()
    assert not list((made[0] / "figures").glob("*.part"))


def test_influence_is_that_of_a_count_written_out(measured: MemorizationStudy) -> None:
    runs = measured.runs
    source, target = (np.flatnonzero(runs.groups == name) for name in ("forget", "behaviour_test"))
    share = runs.correct[:, target].mean(axis=1)
    each = [share[runs.included[:, i]].mean() - share[~runs.included[:, i]].mean() for i in source]
    found = measured.mean_influence("forget", "behaviour_test")
    assert found.value == pytest.approx(np.mean(each), abs=1e-12)
    assert found.low < found.value < found.high
    fresh = measured.self_cross_table().set_index("example")["fresh"]
    np.testing.assert_allclose(fresh[source], each, atol=1e-12)


def test_influence_on_the_own_group_leaves_the_source_out(measured: MemorizationStudy) -> None:
    runs = measured.runs
    members = np.flatnonzero(runs.groups == "behaviour")
    table = measured.self_cross_table().set_index("example")["others"]
    for i in members[:3]:
        share = runs.correct[:, members[members != i]].mean(axis=1)
        inside = runs.included[:, i]
        assert table[i] == pytest.approx(share[inside].mean() - share[~inside].mean(), abs=1e-12)


def test_listed_pairs_have_intervals_that_hold_for_all_pairs_at_once(
    measured: MemorizationStudy,
) -> None:
    runs = replace(measured.runs)
    correct = measured.runs.correct.copy()
    correct[:, [0, 700]] = measured.runs.included[:, [3]]
    vars(runs)["correct"] = correct
    found = MemorizationStudy(runs, 0.95)
    pairs, every = found.pairs_table(), found.pairs
    assert set(zip(pairs["source"], pairs["target"], strict=True)) >= {(3, 0), (3, 700)}
    assert (pairs["source"] != pairs["target"]).all()
    assert pairs["influence"].abs().is_monotonic_decreasing
    chosen = np.zeros(every.estimate.shape, dtype=bool)
    chosen[pairs["source"], pairs["target"]] = True
    ends = bonferroni(every.arms.where(chosen), 0.95, every.estimate.size)
    listed = pairs.sort_values(["source", "target"])
    np.testing.assert_allclose(listed["low"], ends.low, atol=1e-9)
    np.testing.assert_allclose(listed["high"], ends.high, atol=1e-9)


def test_a_group_that_hardly_varies_gets_a_wider_interval_not_none(
    measured: MemorizationStudy,
) -> None:
    runs = replace(measured.runs)
    vars(runs)["correct"] = np.ones_like(measured.runs.correct)
    found = MemorizationStudy(runs, 0.95).mean_influence("retain", "test")
    assert found.low < 0 < found.high
    assert abs(found.value) < 1e-12


def test_resuming_adds_models(made: tuple[Path, str, pd.DataFrame]) -> None:
    before, after = made[2], pd.read_csv(made[0] / "memorization.csv")
    assert (before["n_in"] + before["n_out"] == 50).all()
    assert (after["n_in"] + after["n_out"] == 60).all()
    assert (after["n_in"] >= before["n_in"]).all()
    done = run("memorize", "circles", "-o", made[0], "--models", 60)
    assert done.exit_code == 2
    assert "add --resume" in " ".join(done.output.split())


def test_images_get_their_picture(tmp_path: Path) -> None:
    words = ("--models", 12, "--discovery", 1, "--set", "steps=20", "--set", "hidden=8")
    done = run("memorize", "digits-random-labels", "-o", tmp_path, *words)
    assert done.exit_code == 0, done.output
    svg = (tmp_path / "figures" / "extremes.svg").read_text()
    labels = re.findall(r"a (\d), labelled (\d)", svg)
    assert len(labels) == 16
    table = pd.read_csv(tmp_path / "figures" / "extremes.csv")
    wrong = table["shows"] != table["label"]
    assert (table.loc[wrong, "group"] == "forget").all()
    assert wrong.sum() == 65
    # With 12 models some examples are in all: their numbers are missing, not 0.
    table = pd.read_csv(tmp_path / "memorization.csv")
    empty = (table["n_in"] == 0) | (table["n_out"] == 0)
    assert empty.any()
    assert (table["memorization"].isna() == empty).all()
    assert f"undetermined: {empty.sum()} examples" in done.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("circle",), "scenario: expected one of cancer-source, circles"),
        (("circles", "--inclusion", "1"), "inclusion: expected a number in (0, 1), found 1"),
        (("circles", "--confidence", "95"), "confidence: expected a number in (0, 1)"),
        (("circles", "--discovery", "0"), "discovery: expected a number in (0, 1]"),
        (("circles", "--set", "wide=1"), "expected knobs seed,"),
        (("circles", "--models", "0"), "Invalid value"),
    ],
)
def test_mistakes_get_one_sentence_and_exit_code_2(
    words: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    done = run("memorize", *words, "-o", tmp_path / "out")
    assert done.exit_code == 2, done.output
    assert message in " ".join(done.output.split())
    assert not (tmp_path / "out").exists()


def test_one_model_says_nothing_and_is_kept(tmp_path: Path) -> None:
    done = run("memorize", "circles", "-o", tmp_path, "--models", 1)
    assert done.exit_code == 2
    assert "expected enough that some include an example" in " ".join(done.output.split())
    assert (tmp_path / "runs" / "manifest.json").exists()


def test_parquet_says_the_same_as_csv(tmp_path: Path) -> None:
    table = pd.DataFrame({"name": ["a", "b"], "number": [0.1, np.nan]})
    written = _tables.write_table(table, tmp_path / "table")
    pd.testing.assert_frame_equal(pd.read_csv(written[0]), table)
    if not _tables.parquet_available():
        assert len(written) == 1
        pytest.skip("pyarrow is not installed")
    pd.testing.assert_frame_equal(pd.read_parquet(written[1]), table)


def test_undetermined_cells_are_named(tmp_path: Path) -> None:
    numbers = np.array([[0.001, np.nan]])
    figure = figures.heat_map(
        numbers, numbers - 0.002, numbers + 0.002, ["forget"], ["forget", "test"], confidence=0.95
    )
    paths = figures.save(figure, tmp_path / "map", pd.DataFrame({"a": [1]}))
    assert [path.suffix for path in paths] == [".pdf", ".svg", ".png", ".csv"]
    assert "unde-" in paths[1].read_text()
