"""The study of coins: rows of small runs, what they rest on, and its sentences."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from estimators import coin_ceiling
from indist import audits, oracles
from indist.figures import FIGURES, Work
from indist.studies import Coins
from indist.studies.coins._coins import WORLDS
from indist.studies.coins._models import CoinModels
from indist.studies.coins._rows import Answered, Beside, CoinRow, EpochRow, Right, Spread, UnfitRow
from tests.indist.helpers import assert_goes_on

SMALL: dict[str, Any] = {
    "models": 2,
    "population": 0,
    "sizes": (1, 2),
    "epochs": (1,),
    "scenarios": ("digits-random-labels",),
    "methods": ("identity", "retrain", "retrain-behaviour", "finetune"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("coins")


@pytest.fixture(scope="module")
def rows(folder: Path) -> list[Any]:
    return list(Coins(**SMALL).run(folder))


def test_a_row_a_method_and_number_of_models_then_one_a_number_of_epochs(
    rows: list[Any], folder: Path
) -> None:
    told = [row for row in rows if isinstance(row, CoinRow)]
    assert [(row.method, row.models) for row in told] == [
        (method, size) for method in SMALL["methods"] for size in (1, 2)
    ]
    assert {(row.candidates, row.found) for row in told} == {(195, 98)}
    epochs = [row for row in rows if isinstance(row, EpochRow)]
    assert [(row.method, row.epochs) for row in epochs] == [("finetune", 0), ("finetune", 1)]
    cells = ("identity.json", "finetune.json", "finetune epochs=1.json")
    assert_goes_on(Coins(**SMALL), folder, rows, *(f"digits-random-labels/{c}" for c in cells))
    with pytest.raises(ValueError, match=r"identity\.json: was made with other settings"):
        next(replace(Coins(**SMALL), seed=1).run(folder))


def test_what_is_known_is_found(rows: list[Any]) -> None:
    """One false conviction in 20 of each kind of retraining; of this seed's two, none is one."""
    found = {(row.method, row.models): row for row in rows if isinstance(row, CoinRow)}
    for models in (1, 2):
        assert found["identity", models].finding == "not untraining, not unlearning"
        assert found["retrain", models].finding == "not unlearning"
        assert found["retrain-behaviour", models].finding == "nothing found"
    for row in found.values():
        assert 0.0 <= row.untraining.value <= row.untraining.ceiling
        assert row.unlearning.ceiling > row.untraining.ceiling
        assert row.untraining.alone <= row.models
        assert row.test.low <= row.test.value <= row.test.high
    ceiling = coin_ceiling(98, confidence=0.975)
    assert found["retrain", 1].untraining.ceiling == pytest.approx(ceiling)


def test_one_model_of_several_is_audited_as_a_design_of_one(rows: list[Any]) -> None:
    """A slow twin: a design of one model, drawn, trained and audited by itself."""
    scenario = oracles.scenarios.load("digits-random-labels", seed=0, wrong=0.15)
    worlds = oracles.coins(scenario, seed=0, models=1)
    made = worlds.unlearn(worlds.train(seed=0), method="identity", seed=1)
    audit = audits.audit_coins(made, worlds.design)
    row = rows[0]
    assert (row.method, row.models) == ("identity", 1)
    bounds = [question.bound for question in audit.questions]
    # Models trained side by side differ from one trained alone by rounding at most.
    assert [row.untraining.value, row.unlearning.value] == pytest.approx(bounds, rel=0.05)
    assert row.test.value == pytest.approx(
        next(one.accuracy for one in audit.utility if one.group == "test"), abs=0.02
    )


def test_epochs_begin_at_the_original(rows: list[Any]) -> None:
    start = next(row for row in rows if isinstance(row, EpochRow))
    original = next(row for row in rows if (row.method, row.models) == ("identity", 1))
    assert start.untraining.first == original.untraining.value
    assert start.untraining.least <= start.untraining.median <= start.untraining.greatest


def test_a_method_that_does_not_fit_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*given: Any, **named: Any) -> None:
        raise ValueError("rem: expected an MLP")

    monkeypatch.setattr(oracles.CoinScenarios, "unlearn", refused)
    monkeypatch.setattr(CoinModels, "originals", None)
    study = Coins(models=2, population=0, sizes=(1,), scenarios=("sequences",), methods=("rem",))
    (row,) = study.run(tmp_path)
    assert row == UnfitRow(
        scenario="sequences", method="rem", models=2, not_applicable="rem: expected an MLP"
    )
    assert study.typed([row.record()]) == [row]


def test_populations_stand_beside(folder: Path, rows: list[Any]) -> None:
    settings: dict[str, Any] = SMALL | {"population": 16, "methods": ("identity",)}
    beside = list(Coins(**settings).run(folder))
    told = [row for row in beside if isinstance(row, CoinRow)]
    assert [replace(row, population=None) for row in told] == [
        row for row in rows if isinstance(row, CoinRow) and row.method == "identity"
    ]
    # 16 models are too few to tell.
    assert {row.population for row in told} == {Beside("inconclusive", 16, 48)}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scenarios": ("circles",)}, "scenario: expected one of .*found 'circles'"),
        ({"methods": ("sisa",)}, "method: expected one of identity.*found 'sisa'"),
        ({"models": 1}, "models: expected at least 2, found 1"),
        ({"sizes": (11,)}, r"sizes: expected one of at most 10 models, found \(11,\)"),
        ({"sizes": (0,)}, r"sizes\[0\]: expected at least 1, found 0"),
        ({"epochs": (0,)}, r"epochs\[0\]: expected at least 1, found 0"),
    ],
)
def test_bad_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Coins(**settings)


def row_of(method: str, untraining: float, unlearning: float, **changes: Any) -> CoinRow:
    def answered(bound: float) -> Answered:
        return Answered(bound, 60.0, "convicted" if bound else "nothing found", int(bound > 0))

    usual: dict[str, Any] = {
        "scenario": "digits-trigger",
        "method": method,
        "models": 1,
        "candidates": 195,
        "found": 98,
        "untraining": answered(untraining),
        "unlearning": answered(unlearning),
        "finding": "not untraining",
        "retain": Right(1.0, 0.9, 1.0),
        "test": Right(0.95, 0.9, 1.0),
    }
    return CoinRow(**usual | changes)


def epoch_row(epochs: int, bound: float) -> EpochRow:
    bounds, shares = Spread(bound, bound, bound, bound), Spread(0.9, 0.8, 0.85, 1.0)
    return EpochRow(
        scenario="digits-random-labels", method="npo", models=10, candidates=195, found=98,
        epochs=epochs, untraining=bounds, unlearning=bounds, retain=shares, test=shares,
        finding="10 of 10",
    )  # fmt: skip


def test_the_answer_of_planted_rows() -> None:
    beside = Beside("neither", 128, 384)
    epochs = [epoch_row(0, 61.27), epoch_row(20, 4.0)]
    planted = [
        row_of("identity", 50.0, 60.0),
        row_of("retrain", 0.0, 60.0),
        row_of("retrain-behaviour", 0.0, 0.0),
        row_of("scrub", 20.0, 60.0, population=beside),
        row_of("ssd", 0.0, 60.0, population=beside, test=Right(0.9, 0.8, 1.0)),
        row_of("msg", 0.0, 0.0, population=Beside("inconclusive", 128, 384)),
        row_of("npo", 0.0, 0.0, test=Right(0.89, 0.8, 1.0)),
        row_of("npo", 5.0, 0.0, models=10),
        *epochs,
    ]
    assert Coins().answer([row.record() for row in planted]) == (
        "Convicted of not untraining, and of not unlearning, from one model, in how many "
        "scenarios: doing nothing 1 of 1 and 1 of 1; exact retraining on D∖S 0 of 1 and 1 of 1; "
        "exact retraining on D∖B 0 of 1 and 0 of 1.",
        "Of 4 pairs of an unlearner and a scenario these are convicted: from one model 1 of not "
        "untraining and 2 of not unlearning; from 10 models 1 of not untraining and 0 of not "
        "unlearning.",
        "In 3 of them nothing is found on untraining from one model, which is no upper bound; 2 of "
        "these lie at most 5 points below exact retraining in accuracy on test: 2 in "
        "digits-trigger.",
        "Of the 2 pairs whose audit by populations says not untraining, after 384 trainings, 1 is "
        "convicted of it from one model.",
        "In digits-random-labels the median bound on untraining of 10 models, each audited alone, "
        "goes from 61.2 to 4.0 by 20 epochs of npo.",
    )


def test_an_answer_of_one_of_each_is_in_the_singular() -> None:
    beside = Beside("neither", 128, 384)
    rows = [
        row_of("scrub", 0.0, 60.0, population=beside, test=Right(0.9, 0.8, 1.0)),
        epoch_row(0, 61.27),
        epoch_row(1, 4.0),
    ]
    _, counts, spared, against, epochs = Coins().answer(rows)
    assert counts.startswith("Of 1 pair of an unlearner and a scenario these are convicted: ")
    assert "; 1 of these lies at most 5 points" in spared
    assert "Of the 1 pair whose audit by populations says not untraining" in against
    assert epochs.endswith(" from 61.2 to 4.0 by 1 epoch of npo.")


def test_the_scenarios_are_known() -> None:
    assert set(WORLDS) <= set(oracles.scenarios.SCENARIOS)


def test_the_figure_draws_rows_of_the_study(tmp_path: Path) -> None:
    planted = [row_of("identity", 50.0, 60.0), epoch_row(0, 50.0), epoch_row(1, 40.0)]
    Coins().table(planted).to_csv(tmp_path / "coins.csv", index=False)
    made = FIGURES["coins"].numbers(Work(tmp_path / "work", 2, 0, tmp_path))
    assert [(row["epochs"], row["untraining_first"]) for row in made] == [(0, 50.0), (1, 40.0)]
    drawn = FIGURES["coins"].draw(made, 3.3)
    above, below = drawn.axes
    first = next(line for line in above.get_lines() if line.get_label() == "not untraining")
    assert np.allclose(np.asarray(first.get_ydata()), [50.0, 40.0])
    assert below.get_xlabel() == "epochs of unlearning"
