"""The committed tables: every study's, whole, with the command that made it, and readable again."""

import json
from typing import Any

import pytest

from indist._tables import csv_bytes
from indist.figures import FIGURES
from indist.studies import STUDIES, Study, read_rows
from tests.indist.helpers import DOCS

RESULTS = DOCS / "results"


@pytest.mark.parametrize("name", list(STUDIES))
def test_a_study_has_its_table_and_what_made_it(name: str) -> None:
    about = json.loads((RESULTS / f"{name}.json").read_text())
    command = about["command"].split()
    assert command[:3] == ["indist", "study", name]
    assert "--quick" not in command, "the committed tables are those of the full settings"
    assert "/" not in about["command"]
    for key in ("settings", "indist", "jax", "backend"):
        assert about[key]


def study_of(name: str) -> Study[Any]:
    """The study with the settings of its committed table."""
    settings = json.loads((RESULTS / f"{name}.json").read_text())["settings"]
    return STUDIES[name](**{k: tuple(v) if isinstance(v, list) else v for k, v in settings.items()})


@pytest.mark.parametrize("name", list(STUDIES))
def test_a_table_read_as_rows_is_written_as_it_was(name: str) -> None:
    path, study = RESULTS / f"{name}.csv", study_of(name)
    rows = study.typed(read_rows(path))
    assert {type(row) for row in rows} <= set(study.kinds)
    assert csv_bytes(study.table(rows)) == path.read_bytes()


@pytest.mark.parametrize("name", list(STUDIES))
def test_a_table_gives_the_same_answer_again(name: str) -> None:
    rows, study = read_rows(RESULTS / f"{name}.csv"), study_of(name)
    answer = study.answer(rows)
    assert answer
    assert all(len(sentence) > 20 for sentence in answer)
    shown = study.shown(rows)
    assert shown
    for lines in shown.values():
        assert lines
        assert len({tuple(line) for line in lines}) == 1, "a table has one set of headings"
    stored = json.loads((RESULTS / f"{name}.json").read_text()).get("answer")
    assert stored is None or tuple(stored) == answer


def test_the_ledger_holds_all_twelve_claims() -> None:
    rows = read_rows(RESULTS / "claims.csv")
    assert {int(str(row["claim"]).rstrip("abcdefg")) for row in rows} == set(range(1, 13))
    assert {row["finding"] for row in rows} <= {"supported", "refuted", "undetermined"}
    for row in rows:
        assert str(row["command"]).startswith("indist ") or row["claim"] == "12c"


def test_a_published_score_that_prefers_the_bad_is_named() -> None:
    """What docs/scores.md rests on: some score reads doing nothing as better than unlearning."""
    rows = [row for row in read_rows(RESULTS / "score-nulls.csv") if "finding" in row]
    assert {row["models"] for row in rows} == {64, 128, 256, 512}
    asked = [row for row in rows if row["question"] == "unlearning"]
    wrong = {row["score"] for row in asked if row["identity_auc_high"] < 0.5}
    assert "logistic" in wrong
    assert "audit" in {row["score"] for row in asked if row["finding"] == "tells"}


@pytest.mark.parametrize("name", list(FIGURES))
def test_a_figure_lies_beside_its_numbers(name: str) -> None:
    picture = (DOCS / "figures" / f"{name}-page.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert read_rows(DOCS / "figures" / f"{name}.csv")
