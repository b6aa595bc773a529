"""The study of generalising unlearners: it goes on, its statistics, and what its answer says."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import oracles
from indist.studies._observed import GONE, label_rate
from indist.studies.algorithms._generalise import (
    BASELINES,
    CONTROLS,
    HELD_OUT,
    NEW,
    CellFinding,
    GeneralisationRow,
    Generalise,
    Loss,
    finding,
    models_needed,
)
from indist.studies.algorithms._null_band import distance, null_distances, over_sign
from oracles import Observations
from tests.indist.helpers import assert_goes_on


def test_a_table_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every method does nothing here: what it does is tested with the unlearners."""
    unlearn = oracles.unlearn

    def nothing(world: Any, original: Any, *, method: str, seed: int) -> Any:
        assert method in oracles.unlearners.UNLEARNERS
        return unlearn(world, original, method="identity", seed=seed)

    monkeypatch.setattr(oracles, "unlearn", nothing)
    study = Generalise(models=4, scenarios=("circles",), discoveries=(0.5,))
    rows = list(study.run(tmp_path))
    assert [row.method for row in rows] == [*CONTROLS, *BASELINES, *NEW]
    assert_goes_on(study, tmp_path, rows, "circles/0.5.json")
    for row in rows:
        assert row.lower <= row.distance <= row.upper
        assert row.loss.low <= row.loss.high
        # O is its own scale, and what does nothing is O.
        assert row.graded is not None
        assert row.graded.value == pytest.approx(1.0)
    assert len(study.shown(rows)) == 1
    assert "was not measured on all held-out" in study.answer(rows)[0]
    with pytest.raises(ValueError, match=r"0\.5\.json: was made with other settings"):
        next(Generalise(models=5, scenarios=("circles",), discoveries=(0.5,)).run(tmp_path))


def _slow_distance(first: Any, second: Any, epsilon: float) -> float:
    """Every half-line, every observable, both directions: loops."""
    best = 0.0
    for p, q in zip(first.T, second.T, strict=True):
        for cut in [-np.inf, *p, *q]:
            for a, b in ((p, q), (q, p)):
                for side in (lambda x, c=cut: x <= c, lambda x, c=cut: x > c):
                    best = max(best, side(a).mean() - np.exp(epsilon) * side(b).mean())
    return best


def test_distances_against_loops() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(9, 2)), rng.normal(size=(7, 2)) + 1
    for epsilon in (0.0, 1.0):
        slow = _slow_distance(first, second, epsilon)
        assert distance(first, second, epsilon) == pytest.approx(slow, abs=1e-12)


def test_the_null_band_is_that_of_random_halves() -> None:
    """Closed form: of 1 + 1 models every split is total; of equal models none is any distance."""
    assert null_distances(np.zeros((1, 1)), np.ones((1, 1)), 0.0, 0).tolist() == [1.0] * 500
    assert not null_distances(np.zeros((4, 2)), np.zeros((4, 2)), 0.0, 0).any()
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(2, 5, 1))
    pooled = np.concatenate([first, second])
    order = np.random.default_rng(3).random((500, 10)).argsort(axis=1)
    made = null_distances(first, second, 0.5, 3)
    for split in (0, 17):
        mine = order[split] < 5
        assert made[split] == pytest.approx(_slow_distance(pooled[mine], pooled[~mine], 0.5))


def _seen(fresh: Any, others: Any) -> Observations:
    """Two classes: probability of the label on fresh behaviour probes, and on precision probes."""
    rates = np.concatenate([fresh, others], axis=1)
    groups = ["behaviour_test"] * fresh.shape[1] + ["near", "retain", "test"]
    return Observations(
        np.log(np.stack([rates, 1 - rates], axis=2)).astype(np.float32),
        np.zeros(len(groups), dtype=np.int32),
        np.array(groups),
        np.array([f"p{k}" for k in range(len(groups))]),
    )


def test_rates_against_planted_probabilities() -> None:
    planted = np.array([[0.2, 0.4], [0.9, 0.7]])
    made = label_rate(_seen(planted, np.full((2, 3), 0.8)), GONE)
    np.testing.assert_allclose(made, [0.3, 0.8], atol=1e-6)


def test_what_the_bootstrap_says_of_planted_methods() -> None:
    """60 models: one new method is at A(D∖B), one where O is, one has lost the near probes.

    The bounds hold together with probability 0.95; planted gaps are over 10 standard errors.
    """
    rng = np.random.default_rng(0)

    def population(level: float, near: float = 0.9) -> Observations:
        fresh = np.clip(level + 0.02 * rng.normal(size=(60, 4)), 0.01, 0.99)
        others = np.tile([near, 0.9, 0.9], (60, 1)) - 0.01 * rng.random((60, 3))
        return _seen(fresh, others)

    levels = {"identity": 0.9, "potion": 0.3, "rem": 0.6, "npo": 0.2}
    observed = {"original": population(0.9), "unlearning": population(0.1)}
    observed |= {name: population(level) for name, level in levels.items()}
    observed["influence-expanded"] = population(0.1)
    observed["matched-stopping"] = population(0.9)
    observed["prototype-subtraction"] = population(0.1, near=0.2)
    study = Generalise(models=60)
    names = [name for name in observed if name not in ("original", "unlearning")]
    made = study._graded(observed, names)
    exact, same, lost = (made[n] for n in ("influence-expanded", "matched-stopping", NEW[0]))
    assert exact.graded is not None
    assert same.graded is not None
    assert exact.graded.value == pytest.approx(0.0, abs=0.02)
    assert exact.graded.low <= exact.graded.value <= exact.graded.high
    assert exact.nearer_than == "potion, rem, npo"
    assert exact.farther_than == ""
    assert exact.loss.high <= 0.05
    assert same.graded.value == pytest.approx(1.0, abs=0.02)
    assert same.farther_than == "potion, rem, npo"
    assert lost.loss.near == 1.0
    assert lost.loss.low > 0.05


def test_without_a_difference_there_is_no_scale() -> None:
    same = _seen(np.full((5, 2), 0.5), np.full((5, 3), 0.9))
    observed = {"original": same, "unlearning": same, **dict.fromkeys((*BASELINES, *NEW), same)}
    study = Generalise(models=5)
    made = study._graded(observed, [*BASELINES, *NEW])
    assert made[NEW[0]].graded is None
    assert made[NEW[0]].nearer_than == made[NEW[0]].farther_than == ""


def test_over_sign() -> None:
    reference = np.linspace(-1, 1, 101)
    shifted = [over_sign(reference + shift, reference) for shift in (-2.0, 0.0, 2.0)]
    assert shifted == ["over", "level", "under"]


ROW = GeneralisationRow(
    scenario="digits-swap",
    discovery=0.1,
    models=100,
    method="influence-expanded",
    distance=0.1,
    lower=0.0,
    upper=0.3,
    band=0.2,
    null_distance=0.1,
    rate=0.5,
    nearer_than="potion",
    farther_than="",
    loss=Loss(near=0.01, retain=0.0, test=0.0, low=-0.01, high=0.03),
    on_S="level",
    finding="undetermined",
)


def lossy(**ends: float) -> dict[str, Loss]:
    """Changes of the row's precision loss."""
    return {"loss": ROW.loss._replace(**ends)}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, "success"),
        ({"distance": 0.3}, "undetermined"),
        ({"distance": 0.3, "nearer_than": "potion, rem, npo"}, "closer"),
        ({"distance": 0.3, "nearer_than": "potion, rem, npo", **lossy(high=0.1)}, "undetermined"),
        ({"distance": 0.3, "farther_than": "npo"}, "not"),
        (lossy(low=0.06, high=0.2), "not"),
        (lossy(high=0.1), "undetermined"),
        ({"method": "npo", "distance": 0.3}, "not"),
        ({"method": "retrain"}, "success"),
    ],
)
def test_findings(change: dict[str, Any], found: CellFinding) -> None:
    assert finding(replace(ROW, **change), 0.05) == found


def test_models_needed() -> None:
    """By hand: the gap to the band is half of that to the bound, so four times as many."""
    assert models_needed(replace(ROW, distance=0.4, lower=0.0, band=0.2), 0.05) == 400
    assert models_needed(replace(ROW, **lossy(near=0.04, high=0.07)), 0.05) == 900
    assert models_needed(ROW, 0.05) is None


def _rows(**change: Any) -> list[GeneralisationRow]:
    rows: list[GeneralisationRow] = []
    for name in HELD_OUT:
        for gamma in (0.1, 0.25, 0.5):
            row = replace(ROW, scenario=name, discovery=gamma)
            if name == HELD_OUT[1] and gamma == 0.1:
                row = replace(row, **change)
            rows.append(replace(row, finding=finding(row, 0.05)))
    return rows


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "influence-expanded generalises: a success in all 4 cells"),
        (
            {"distance": 0.5, "lower": 0.3},
            "influence-expanded does not generalise on .* digits-subclass at γ = 0.1 "
            r"\(distance 0.50 \[0.30, 0.30\], band 0.20",
        ),
        (lossy(low=0.06, high=0.2), "influence-expanded does not generalise on"),
        (
            {"distance": 0.4},
            "influence-expanded is undetermined on .*; about 400 models would decide",
        ),
    ],
)
def test_the_answer_says_what_the_rows_imply(change: dict[str, Any], said: str) -> None:
    sentences = Generalise().answer(_rows(**change))
    assert re.match(said, sentences[1])


def test_cells_at_larger_discovery_are_not_asked() -> None:
    rows = [
        replace(row, distance=1.0, lower=0.9, finding="not") if row.discovery == 0.5 else row
        for row in _rows()
    ]
    assert Generalise().answer(rows)[1].startswith("influence-expanded generalises")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scenarios": ("circle",)}, "scenario: expected one of digits-trigger.*found 'circle'"),
        ({"discoveries": (0.0,)}, r"discoveries: expected numbers in \(0, 1\], found 0.0"),
        ({"models": 0}, "models: expected at least 1, found 0"),
        ({"margin": 0.0}, "margin: expected a number over 0, found 0.0"),
    ],
)
def test_bad_settings_of_generalisation(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Generalise(**settings)
