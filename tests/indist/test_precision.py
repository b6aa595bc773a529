"""Fronts of gone against precision: planted points, simultaneous bounds, and what rows answer."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom, norm

from audits.memorization import Estimate
from audits.resampling import drawn_shares
from indist import estimators, oracles
from indist.studies._observed import GROUPS, label_rates
from indist.studies.efficiency import _precision
from indist.studies.efficiency._detectors import handed, nested
from indist.studies.efficiency._fronts import (
    Measured,
    Sign,
    area,
    folded,
    front,
    max_t,
    measured,
    points,
    sign_of,
    standing,
)
from indist.studies.efficiency._precision import Candidate, Precision
from indist.studies.efficiency._rows import AreaDifference, FrontArea, Reached, StrengthPoint
from tests.indist.helpers import assert_goes_on

NONE = Estimate(0.0, 0.0, 0.0)


def observations(logits: np.ndarray) -> oracles.Observations:
    """Two probes a group, every label 1."""
    groups = np.repeat(GROUPS, 2)
    ids = np.array([f"{k}" for k in range(8)])
    return oracles.Observations(logits.astype(np.float32), np.ones(8, np.int32), groups, ids)


def test_a_front_holds_what_no_point_beats() -> None:
    found = np.random.default_rng(0).integers(0, 5, (40, 2)) / 4
    for point, held in zip(found, front(found), strict=True):
        beaten = False
        for other in found:
            as_good = other[0] >= point[0] and other[1] >= point[1]
            beaten |= as_good and (other[0] > point[0] or other[1] > point[1])
        assert held == (not beaten)


def test_an_area_counts_each_cell_under_the_front_once() -> None:
    """The plane cut at all coordinates: a cell counts when a point lies above its upper corner."""
    found = np.random.default_rng(1).random((6, 2))
    x, y = (np.sort(np.append(0.0, found[:, k])) for k in (0, 1))
    total = 0.0
    for i in range(1, len(x)):
        for j in range(1, len(y)):
            if any(p[0] >= x[i] and p[1] >= y[j] for p in found):
                total += (x[i] - x[i - 1]) * (y[j] - y[j - 1])
    assert area(found) == pytest.approx(total, abs=1e-12)
    assert area(np.array([[0.0, 1.0]])) == 0.0
    assert area(np.array([[1.0, 1.0], [0.3, 0.9]])) == 1.0
    assert area(np.array([[0.2, 0.9], [0.7, 0.5]])) == pytest.approx(0.2 * 0.9 + 0.5 * 0.5)
    many = np.stack([found, found[::-1] / 2])
    assert area(many) == pytest.approx([total, total / 4])


def test_points_and_folded_intervals_by_hand() -> None:
    gaps = np.array([[0.6, -0.1, 0.05, 0.2], [-0.2, 0.0, 0.0, 0.0]])
    assert points(gaps) == pytest.approx(np.array([[0.4, 0.8], [0.8, 1.0]]))
    ends = folded(
        estimators.ConfidenceInterval(np.array([-0.3, 0.1, -0.5]), np.array([0.1, 0.4, -0.2]))
    )
    assert ends.low == pytest.approx([0.0, 0.1, 0.2])
    assert ends.high == pytest.approx([0.3, 0.4, 0.5])


def test_standing_of_boxes_by_hand() -> None:
    low = np.array([[0.8, 0.8], [0.1, 0.1], [0.2, 0.95], [0.75, 0.7]])
    high = np.array([[0.9, 0.9], [0.2, 0.2], [0.3, 0.99], [0.85, 0.85]])
    assert standing(low, high) == ["undetermined", "off", "on", "undetermined"]


def test_label_rates_against_loops() -> None:
    logits = np.random.default_rng(2).normal(size=(3, 8, 4)) * 3
    found = label_rates(observations(logits))
    for model in range(3):
        for group in range(4):
            rates = [
                np.exp(logits[model, probe, 1]) / np.exp(logits[model, probe]).sum()
                for probe in (2 * group, 2 * group + 1)
            ]
            assert found[model, group] == pytest.approx(np.mean(rates), abs=1e-6)


def test_divergences_look_at_their_own_groups() -> None:
    rng = np.random.default_rng(3)
    first, second = (rng.normal(size=(40, 8, 2)) for _ in range(2))
    first[:, :2, 1] += 50
    found = measured(observations(first), observations(second), epsilon=1.0)
    assert found.rates == label_rates(observations(first)).tolist()
    assert found.behaviour_distance.value == 1.0
    assert found.behaviour_distance.low > 0.4
    assert found.kept_distance.value < 0.4
    assert found.kept_distance.low == 0.0


def test_weights_count_each_model_as_often_as_it_was_drawn() -> None:
    weights = drawn_shares(5, 2000, np.random.default_rng(4))
    assert weights.shape == (2000, 5)
    assert weights.sum(axis=1) == pytest.approx(1.0)
    # Counts are Binomial(5, 1/5): mean 1 with standard deviation 0.9, 10,000 of them.
    assert 5 * weights.mean(axis=0) == pytest.approx(1.0, abs=0.1)
    assert (5 * weights).var() == pytest.approx(0.8, abs=0.06)


def test_max_t_has_the_length_of_independent_normals() -> None:
    """c is the normal quantile at (1 + 0.9^(1/6)) / 2; a draw that moves nothing has no length."""
    rng = np.random.default_rng(5)
    spread = np.array([1.0, 2.0, 0.1, 5.0, 1.0, 0.3])
    draws = np.column_stack([rng.normal(size=(20_000, 6)) * spread, np.zeros(20_000)])
    ends = max_t(np.zeros(7), draws, 0.9)
    expected = norm.ppf((1 + 0.9 ** (1 / 6)) / 2)
    assert ends.high[:6] / spread == pytest.approx(expected, rel=0.03)
    assert ends.low[6] == ends.high[6] == 0.0


def candidate(method: str, strength: str, rates: np.ndarray) -> Candidate:
    return Candidate(method, strength, Measured(rates.tolist(), NONE, NONE))


def planted(rng: np.random.Generator, models: int, centres: np.ndarray) -> list[Candidate]:
    """An original, and methods at strengths whose rates share what the originals do."""
    shared = rng.normal(size=(models, 4)) * 0.05
    names = ["original", "strong", "strong", "weak", "weak"]
    return [
        candidate(name, str(k), centre + shared + rng.normal(size=(models, 4)) * 0.05)
        for k, (name, centre) in enumerate(zip(names, centres, strict=True))
    ]


def test_boxes_areas_and_differences_hold_at_once() -> None:
    """Of 120 studies at 90 %, those with anything false: normal rates with known means.

    A bootstrap of 64 models may fall a little short. Were one study in eight wrong, more than 30
    would be with probability 6e-5: the test's false-alarm rate at most.
    """
    centres = np.array(
        [
            [0.9, 0.9, 0.9, 0.9],
            [0.5, 0.85, 0.9, 0.9],
            [0.2, 0.7, 0.9, 0.9],
            [0.7, 0.85, 0.9, 0.9],
            [0.5, 0.6, 0.9, 0.9],
        ]
    )
    truth = 1 - np.array([[0.9, 0], [0.5, 0.05], [0.2, 0.2], [0.7, 0.05], [0.5, 0.3]])
    areas = [0.1 + 0.4 * 0.95 + 0.3 * 0.8, 0.1 + 0.2 * 0.95 + 0.2 * 0.7]
    study = Precision(
        models=64, draws=400, confidence=0.9, scenarios=("circles",), discoveries=(0.5,)
    )
    rng = np.random.default_rng(6)
    wrong = 0
    for _ in range(120):
        reference = np.array([0.0, 0.9, 0.9, 0.9]) + rng.normal(size=(64, 4)) * 0.05
        rows = study._judged("circles", 0.5, planted(rng, 64, centres), reference)
        right = True
        for row, (gone, kept) in zip(rows[:5], truth, strict=True):
            assert isinstance(row, StrengthPoint)
            right &= row.gone.low <= gone <= row.gone.high
            right &= row.precision.low <= kept <= row.precision.high
        for row, value in zip(rows[5:7], areas, strict=True):
            assert isinstance(row, FrontArea)
            right &= row.area.low <= value <= row.area.high
        last = rows[7]
        assert isinstance(last, AreaDifference)
        right &= last.difference.low <= areas[0] - areas[1] <= last.difference.high
        assert last.finding == "larger"
        wrong += not right
    assert binom.sf(30, 120, 1 / 8) < 1e-4
    assert wrong <= 30


def test_shared_originals_cancel_in_differences() -> None:
    rng = np.random.default_rng(7)
    rates = 0.5 + rng.normal(size=(50, 4)) * 0.1
    candidates = [
        candidate(name, "1", rates - move)
        for name, move in (("original", 0.0), ("first", 0.1), ("second", 0.11))
    ]
    reference = np.full((50, 4), [0.0, 0.5, 0.5, 0.5]) + rng.normal(size=(50, 4)) * 0.01
    *_, area, difference = Precision(models=50, draws=400)._judged(
        "circles", 0.5, candidates, reference
    )
    assert isinstance(area, FrontArea)
    assert isinstance(difference, AreaDifference)
    ends = difference.difference
    assert ends.high - ends.low < (area.area.high - area.area.low) / 5


def test_a_part_of_the_rest_keeps_s_and_is_nested() -> None:
    plain = oracles.scenarios.load("circles", seed=0)
    world = handed(plain, nested(plain.behaviour, 0.25, 0))
    part, more = (_precision._with_part_of_rest(world, share, 0) for share in (0.1, 0.5))
    assert len(part.forget) == 10
    assert len(part.train) == 10 + 63
    for smaller in (part, more):
        assert np.array_equal(
            smaller.train.inputs[smaller.forget], world.train.inputs[world.forget]
        )
    places = {tuple(x) for x in more.train.inputs.tolist()}
    assert all(tuple(x) in places for x in part.train.inputs.tolist())
    # 300 + 300 + 40 examples less those of S; 30 of B among them, of which some are at hand.
    behaviour = {tuple(x) for x in plain.train.inputs[plain.behaviour].tolist()}
    assert {tuple(x) for x in part.train.inputs[part.behaviour].tolist()} <= behaviour
    assert _precision._with_part_of_rest(world, 1.0, 0).digest == world.digest


def test_it_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_precision, "SWEEPS", {"gradient-ascent": ("epochs", (1,))})
    few: dict[str, Any] = {"models": 3, "scenarios": ("circles",), "discoveries": (0.25,)}
    few |= {"draws": 50}
    rows = list(Precision(**few).run(tmp_path))
    assert list(map(type, rows)) == [StrengthPoint, StrengthPoint, FrontArea]
    study = Precision(**few)
    assert_goes_on(study, tmp_path, rows, "circles 0.25/gradient-ascent/epochs 1.json")
    assert list(study.table(rows)["method"]) == ["original", *["gradient-ascent"] * 2]
    assert len(study.shown(rows)) == 2
    with pytest.raises(ValueError, match=r"epochs 1\.json: was made with other settings"):
        list(Precision(**few | {"epsilon": 0.5}).run(tmp_path))


def test_a_part_of_r_is_gone_over_more_often(monkeypatch: pytest.MonkeyPatch) -> None:
    sweeps = {
        "npo": ("epochs", (2,)),
        "ssd": ("alpha", (3.0,)),
        "gradient-ascent": ("epochs", (1,)),
    }
    monkeypatch.setattr(_precision, "SWEEPS", sweeps)
    found = list(Precision(available=(1.0, 0.1))._sweep())
    assert [swept[:4] for swept in found] == [
        ("npo", "epochs 2", "npo", 1.0),
        ("npo, 10 % of R", "epochs 2", "npo", 0.1),
        ("ssd", "alpha 3", "ssd", 1.0),
        ("ssd, 10 % of R", "alpha 3", "ssd", 0.1),
        ("gradient-ascent", "epochs 1", "gradient-ascent", 1.0),
    ]
    assert [swept.settings.get("epochs") for swept in found] == [2, 20, None, None, 1]
    assert found[3].settings["alpha"] == 3.0


WHERE: dict[str, Any] = {"scenario": "circles", "discovery": 0.25, "models": 9}


def difference(method: str, finding: str, other: str, needed: int | None = None) -> AreaDifference:
    """A difference of areas at one scenario and γ."""
    about: dict[str, Any] = WHERE | {"finding": finding, "models_needed": needed}
    return AreaDifference(
        **about, method=method, strength=f"against {other}", other=other, difference=NONE
    )


def areas(*findings: Reached) -> list[FrontArea]:
    """Areas of a > b > c."""
    return [
        FrontArea(
            **WHERE, method=name, finding=finding, area=Estimate(value, value - 0.1, value + 0.1)
        )
        for name, value, finding in zip("abc", (0.8, 0.6, 0.4), findings, strict=True)
    ]


def test_answers_of_planted_rows() -> None:
    study = Precision()
    found = areas("reached", "undetermined", "not reached")
    first, second = (difference(a, "larger", b) for a, b in ("ab", "ac"))
    said = study.answer([*found, first, second, difference("c", "smaller", "b")])
    assert said[0].startswith("With 95 % confidence, all of this at once")
    assert said[1] == (
        "In circles at γ = 0.25, the front of a (0.80 [0.70, 0.90]) has a larger area than every "
        "other."
    )
    assert said[2] == (
        "In circles at γ = 0.25, gone and precision both at least 0.9: reached: a; "
        "not reached: c; undetermined: b."
    )
    said = study.answer([*found, difference("a", "undetermined", "b", 1234), second])
    assert "undetermined among a (0.80 [0.70, 0.90]) and b; about 1,234 models would" in said[1]


def test_the_smaller_of_two_turned_round_is_the_larger() -> None:
    found = areas("reached", "reached", "reached")
    differences = [difference(b, "smaller", "a") for b in "bc"]
    assert "front of a (" in Precision().answer([*found, *differences])[1]


def test_the_price_of_a_part_of_r_is_counted() -> None:
    found = areas("reached", "reached", "reached")
    differences = [difference("a", "larger", b) for b in "bc"]
    differences += [difference("a", sign, "a, 10 % of R") for sign in ("larger", "undetermined")]
    assert Precision().answer([*found, *differences])[-1] == (
        "The area with all of R, beside that with a part of it, is larger in 1, undetermined in 1 "
        "of 2 comparisons."
    )


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ((0.2, 0.1, 0.3), Sign("larger")),
        ((-0.2, -0.3, -0.1), Sign("smaller")),
        ((0.1, -0.1, 0.3), Sign("undetermined", 400)),
        ((0.0, -0.1, 0.1), Sign("undetermined")),
    ],
)
def test_a_difference_is_decided_by_its_interval(
    numbers: tuple[float, float, float], expected: Sign
) -> None:
    assert sign_of(Estimate(*numbers), 100) == expected


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"models": 1}, "models: expected at least 2, found 1"),
        ({"discoveries": (0.0,)}, r"discoveries: expected a number in \(0, 1\], found 0"),
        ({"available": (2.0,)}, r"available: expected a number in \(0, 1\], found 2"),
        ({"methods": ("scrub",)}, "methods: expected some of gradient-ascent.*found 'scrub'"),
    ],
)
def test_bad_settings_of_precision(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Precision(**settings)
