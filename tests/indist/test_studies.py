"""Studies: a row a cell, the same table again from the same folder, and what cannot be run said."""

import json
from pathlib import Path

import pytest

from indist import oracles
from indist.studies import Algorithms, Sandwich
from indist.studies._cells import finished_cell
from indist.studies._methods import every_method
from indist.studies.algorithms._algorithms import UnfitRow

FEW = {"models": 3, "scenarios": ("circles",), "methods": ("identity", "retrain")}


def test_a_table_goes_on_where_it_stopped(tmp_path: Path) -> None:
    rows = Algorithms(**FEW).run(tmp_path)
    first = next(rows)
    rows.close()
    cell = tmp_path / "cells" / "circles" / "identity.json"
    stamp = cell.stat().st_mtime_ns
    again = list(Algorithms(**FEW).run(tmp_path))
    assert again[0] == first
    assert cell.stat().st_mtime_ns == stamp
    assert [row.method for row in again] == ["identity", "retrain"]
    made = Algorithms(**FEW).table(again)
    assert list(made["learner"]) == ["its own", "its own"]
    assert made["retain_submission"].between(0, 1).all()
    assert (made["lower_to_T"] <= made["distance_to_T"]).all()
    assert made["not_applicable"].isna().all()
    with pytest.raises(ValueError, match=r"identity\.json: was made with other settings"):
        next(Algorithms(**FEW | {"tolerance": 0.1}).run(tmp_path))


def test_a_method_that_does_not_fit_says_why(tmp_path: Path) -> None:
    study = Algorithms(models=2, scenarios=("digits-class",), methods=("langevin",))
    (row,) = study.run(tmp_path)
    assert row.not_applicable == "learner langevin: expected a scenario of 2 classes, found 10"


@pytest.mark.parametrize("content", ["", "{}", '{"row": 3, "settings_digest": "x"}'])
def test_a_damaged_cell_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "cell.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"cell\.json: expected a finished cell; remove it"):
        finished_cell(path, {}, dict)


def test_certified_claims_beside_what_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 8 models no claim is caught; that all rows are there is what is tested."""
    every = oracles.unlearners.UNLEARNERS
    few = {name: every[name] for name in ("identity", "langevin", "descent-to-delete")}
    monkeypatch.setattr(oracles.unlearners, "UNLEARNERS", few)
    rows = list(Sandwich(models=8).run(tmp_path))
    assert len({row.method for row in rows}) == len(rows) / 3 == 2
    by = {(row.method, row.claim): row for row in rows}
    for (method, claim), row in by.items():
        assert row.claimed_epsilon >= 0
        if claim == "epsilon divided by ten":
            assert row.claimed_epsilon == by[method, "as it is"].claimed_epsilon / 10
    stored = json.loads((tmp_path / "cells" / "langevin" / "as it is.json").read_text())
    assert stored["row"] == by["langevin", "as it is"].record()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scenarios": ("circle",)}, "scenario: expected one of .*circles.*found 'circle'"),
        ({"methods": ("scrubb",)}, "method: expected one of identity.*found 'scrubb'"),
        ({"models": 0}, "models: expected at least 1, found 0"),
    ],
)
def test_bad_settings_of_the_study_of_algorithms(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Algorithms(**settings)  # pyright: ignore[reportArgumentType]


def test_oracles_are_among_the_methods() -> None:
    assert "retrain-behaviour" in every_method()


def test_a_record_of_no_row_is_refused() -> None:
    with pytest.raises(ValueError, match="row: expected the columns of this study, found verdict"):
        Algorithms().answer([{"verdict": "both"}])


def test_a_row_lacks_no_column() -> None:
    with pytest.raises(ValueError, match="UnfitRow: expected the column scenario, found none"):
        UnfitRow.of({"method": "scrub"})


def test_rows_and_their_records_say_the_same() -> None:
    row = UnfitRow(scenario="circles", method="scrub", learner="its own", not_applicable="why")
    study = Algorithms()
    assert UnfitRow.of(row.record()) == row
    assert study.typed([row, row.record()]) == [row, row]
    assert study.answer([row]) == study.answer([row.record()])
