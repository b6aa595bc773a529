"""``indist score``: what it prints, what it writes, and mistakes."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from audits.scores import _measures as _scoreboard_measures
from audits.scores import _scoreboard
from indist import oracles
from indist._cli._score import score


def scored(made: Path, output: Path | None, references: Path | None = None, **said: Any) -> None:
    options = {"seed": 5, "confidence": 0.9, "learner": None, "leave_out_damaged": False} | said
    score(made / "original", str(references or made), output=output, **options)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("score") / "circles"
    oracles.references(
        oracles.scenarios.load("circles", seed=0), models=8, seed=0, directory=folder
    )
    return folder


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tuple(
        one
        for one in _scoreboard_measures.RECIPES
        if one.name.startswith(("accuracy", "KLoM", "ZRF", "U-LiRA TPR"))
    )
    monkeypatch.setattr(_scoreboard, "RECIPES", kept)


def test_the_table_is_printed_and_written(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scored(made, tmp_path / "out")
    said = capsys.readouterr().out
    assert "Scores of original against both references; models: 8 submission" in said
    assert "null at 4 [90 %]" in said
    assert f"Scores: {tmp_path / 'out' / 'scores.csv'}" in said
    table = pd.read_csv(tmp_path / "out" / "scores.csv")
    about = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert len(table) == len(about["scores"]) == 16
    for row, written in zip(table.to_dict("records"), about["scores"], strict=True):
        assert row["score"] == written["score"]
        assert row["value"] == pytest.approx(written["value"], rel=1e-12)
    assert (about["seed"], about["confidence"]) == (5, 0.9)
    assert about["models"] == dict.fromkeys(
        ("submission", "original", "untraining", "unlearning"), 8
    )
    assert {"indist", "numpy", "scipy"} < set(about["versions"])
    assert "U-LiRA TPR at FPR 0.01 (kde, negatives retrained)" in {
        one["score"] for one in about["missing"]
    }
    assert not list((tmp_path / "out").glob(".*"))


def test_the_same_seed_gives_the_same_numbers_and_nothing_is_written_unasked(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scored(made, None)
    first = capsys.readouterr().out
    scored(made, None)
    assert capsys.readouterr().out == first
    assert "Scores: " not in first
    assert not list(tmp_path.iterdir())


def test_mistakes_are_sentences(made: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(ValueError, match="file: expected a folder to write the scores to"):
        scored(made, file)
    with pytest.raises(ValueError, match="confidence: expected a number in"):
        scored(made, tmp_path / "out", confidence=0.0)
    with pytest.raises(ValueError, match="expected references: references.json"):
        scored(made, None, references=tmp_path)
