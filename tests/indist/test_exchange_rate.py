"""Exchange rates on planted curves, detectors on planted data, and what rows answer."""

from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import binom

from audits.memorization import Estimate
from audits.resampling import drawn_shares
from indist import oracles
from indist.studies._observed import GROUPS
from indist.studies.efficiency._detectors import (
    Detection,
    alike_in_loss,
    detection,
    handed,
    near,
    near_in_features,
    near_in_inputs,
    nested,
    planted,
)
from indist.studies.efficiency._exchange import (
    Exchange,
    equal_discovery,
    exchanged,
    monotone,
    shown_exchange,
)
from indist.studies.efficiency._exchange_rate import ExchangeRate, MeasuredArm
from indist.studies.efficiency._fronts import Measured
from indist.studies.efficiency._rows import ArmRow, ComparisonRow, Gaps, Preferred
from tests.indist.helpers import assert_goes_on

GAMMAS = np.array([0.0, 0.25, 0.5, 0.75, 0.9])


def test_a_planted_curve_is_inverted() -> None:
    """1 − γ² at the grid, straight between; flat parts give the least γ."""
    line = (1 - GAMMAS**2)[None]
    for wanted, expected in (
        (1 - 0.25**2, 0.25),
        ((line[0, 2] + line[0, 3]) / 2, 0.625),
        (1.0, 0.0),
        (1.5, 0.0),
        (line[0, 4], 0.9),
        (line[0, 4] - 1e-9, np.inf),
    ):
        found = equal_discovery(GAMMAS, line, np.array([wanted]))
        assert found == pytest.approx([expected])
    steps = np.array([[1.0, 1.0, 0.4, 0.4, 0.1]])
    assert equal_discovery(GAMMAS, steps, np.array([0.4])) == pytest.approx([0.5])
    assert equal_discovery(GAMMAS, steps, np.array([1.0])) == pytest.approx([0.0])
    both = equal_discovery(GAMMAS, np.concatenate([line, steps]), np.array([0.0, 0.7]))
    assert both == pytest.approx([np.inf, 0.375])


def test_a_line_is_made_monotone_as_its_max_min_form_says() -> None:
    values = np.random.default_rng(0).normal(size=(20, 6))
    for row, fitted in zip(values, monotone(values), strict=True):
        for i in range(6):
            best = min(max(np.mean(row[a : b + 1]) for b in range(i, 6)) for a in range(i + 1))
            assert fitted[i] == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize(
    ("equal", "draws", "finding", "shown"),
    [
        (0.8, [0.7, 0.8, 0.9], "worth more", "+0.30 [+0.20, +0.40]"),
        (0.2, [0.1, 0.2, 0.3], "worth less", "-0.30 [-0.40, -0.20]"),
        (0.5, [0.4, 0.5, 0.6], "undetermined", "+0.00 [-0.10, +0.10]"),
        (0.9, [0.8, 0.9, np.inf], "worth more", "+0.40 [+0.30, no γ < 1]"),
        (np.inf, [0.8, np.inf, np.inf], "worth more", "no γ < 1 [+0.30, no γ < 1]"),
        (np.inf, [np.inf, np.inf, np.inf], "beyond discovery", "none: no γ < 1 matches"),
    ],
)
def test_what_an_exchange_rate_says(
    equal: float, draws: list[float], finding: str, shown: str
) -> None:
    rate, worth = exchanged(0.5, equal, np.array(draws), 0.05)
    assert worth == finding
    assert all(number is None or np.isfinite(number) for number in rate)
    assert shown_exchange(rate) == shown


def test_exchange_rates_cover_the_planted_one() -> None:
    """150 studies at 90 %: the curve is 1 − γ at the grid, the method's rate 0.4, so γ = 0.6.

    A percentile bootstrap of 40 models may fall a little short. Were it wrong in one of eight, more
    than 36 would be with probability 5e-5: the test's false-alarm rate at most.
    """
    rng = np.random.default_rng(1)
    wrong, draws, models = 0, 400, 40
    for _ in range(150):
        lines, many = [], []
        for level in (*(1 - GAMMAS), 0.4):
            rates = level + rng.normal(size=models) * 0.2
            lines.append(rates.mean())
            many.append(drawn_shares(models, draws, rng) @ rates)
        middle, drawn = np.array(lines)[None], np.stack(many, axis=1)
        rate, _ = exchanged(
            0.5,
            equal_discovery(GAMMAS, monotone(middle[:, :-1]), middle[:, -1])[0],
            equal_discovery(GAMMAS, monotone(drawn[:, :-1]), drawn[:, -1]),
            0.1,
        )
        assert rate.low is not None
        assert rate.high is not None
        wrong += not rate.low <= 0.1 <= rate.high
    assert binom.sf(36, 150, 1 / 8) < 1e-4
    assert wrong <= 36


def test_parts_of_b_are_nested() -> None:
    behaviour = np.arange(100, 140)
    parts = [nested(behaviour, share, 3) for share in (0.1, 0.25, 1.0)]
    assert [len(part) for part in parts] == [4, 10, 40]
    assert set(parts[0]) < set(parts[1]) < set(parts[2]) == set(behaviour)


def test_what_is_handed_over_may_lie_outside_b() -> None:
    plain = oracles.scenarios.load("circles", seed=0)
    found = np.sort(np.append(plain.behaviour[:3], 5))
    world = handed(plain, found)
    assert np.array_equal(world.forget, found)
    assert world.probes is plain.probes
    assert set(world.behaviour) == {5, *plain.behaviour}


def planted_line() -> tuple[oracles.Examples, np.ndarray, np.ndarray]:
    """B: 20 points one apart, and clean ones: 1 far away, 5 among them of another label."""
    points = np.concatenate([np.arange(20), [100.0], np.arange(5) + 0.5])
    labels = np.array([1] * 21 + [0] * 5, dtype=np.int32)
    train = oracles.Examples(points[:, None].astype(np.float32), labels)
    return train, np.arange(20), np.array([4, 6, 8, 10])


def test_near_takes_what_lies_within_reach_and_has_the_label() -> None:
    """Members of S lie 2 apart, so that 2 is the reach: 2 to 12, and none of the others."""
    train, _, forget = planted_line()
    expected = np.arange(2, 13)
    learner = oracles.scenarios.load("circles", seed=0).learner
    assert np.array_equal(near_in_inputs(train, forget, learner, None), expected)
    # The quantile 0.9 of distances 1, 1, 3 is 2.6: 4 + 2.6 and 9 − 2.6 reach 2 to 11.
    uneven = near(train.inputs.astype(np.float64), train.labels, np.array([4, 5, 8]))
    assert np.array_equal(uneven, np.arange(2, 11))
    alone = near(train.inputs, train.labels, np.array([7]))
    assert np.array_equal(alone, [7])


def test_features_are_those_of_the_last_hidden_layer() -> None:
    """Weights 1 and 0: of two inputs only the first is felt, and both layers keep it as it is."""
    points, _, forget = planted_line()
    noise = np.random.default_rng(2).normal(size=(26, 1)).astype(np.float32) * 50
    train = oracles.Examples(np.concatenate([points.inputs, noise], axis=1), points.labels)
    plain = oracles.scenarios.load("circles", seed=0)
    module = oracles.MLP((3, 1, 2))
    first = np.zeros((3, 2))
    first[0, 0] = 1.0
    params = {
        "kernel_0": jnp.array(first, dtype=jnp.float32),
        "bias_0": jnp.zeros(3),
        "kernel_1": jnp.ones((1, 3)),
        "bias_1": jnp.ones(1),
        "kernel_2": jnp.ones((2, 1)),
        "bias_2": jnp.zeros(2),
    }
    learner = oracles.Learner(module, plain.learner.optimiser, steps=1, batch=1)
    found = near_in_features(train, forget, learner, params)
    assert np.array_equal(found, np.arange(2, 13))
    flat = oracles.Learner(oracles.MLP((2,)), plain.learner.optimiser, steps=1, batch=1)
    with pytest.raises(ValueError, match="features: expected an MLP with a hidden layer, found"):
        near_in_features(train, forget, flat, params)


def test_losses_between_those_of_s_of_its_labels() -> None:
    """One weight on one input: the loss of label 1 is ln(1 + e^(−x)), of label 0 ln(1 + e^x)."""
    train, _, forget = planted_line()
    plain = oracles.scenarios.load("circles", seed=0)
    learner = oracles.Learner(oracles.MLP((2,)), plain.learner.optimiser, steps=1, batch=1)
    params = {"kernel_0": jnp.array([[0.0], [0.1]]), "bias_0": jnp.zeros(2)}
    # S is 4, 6, 8, 10: losses from 0.31 to 0.51, of which the middle 0.9 leaves out 4 and 10.
    losses = np.log1p(np.exp(-0.1 * np.arange(20)))
    low, high = np.quantile(losses[forget], [0.05, 0.95])
    inside = np.flatnonzero((losses >= low) & (losses <= high))
    found = alike_in_loss(train, forget, learner, params)
    assert np.array_equal(found, np.union1d(inside, forget))
    assert np.array_equal(inside, np.arange(5, 10))


def test_about_the_share_covered_of_b_is_found() -> None:
    """Members of B are alike, so recall is about 0.9 whatever B is: mean over 200 random S.

    Recall within a draw varies by about 0.1, its mean by 0.007; the band asserted is six of those
    and what leaving one out of S and the step of the quantile add.
    """
    rng = np.random.default_rng(3)
    recalls: list[float] = []
    for _ in range(200):
        points = rng.normal(size=(150, 2))
        forget = np.arange(30)
        found = near(points, np.zeros(150, dtype=np.int64), forget)
        recalls.append((len(found) - 30) / 120)
    assert 0.84 < np.mean(recalls) < 0.96


def test_an_oracle_meets_its_precision_and_recall() -> None:
    plain = oracles.scenarios.load("digits-trigger", seed=0)
    forget = nested(plain.behaviour, 0.1, 0)
    for precision, recall in ((1.0, 1.0), (0.5, 1.0), (0.75, 0.5)):
        found = planted(plain, forget, precision=precision, recall=recall, seed=0)
        right = detection(plain, forget, found)
        assert right.recall == pytest.approx(recall)
        assert right.precision == pytest.approx(precision, abs=0.01)
        assert right.added == round(54 * recall / precision)
        assert set(plain.train.labels[found]) == {0}
    few, many = (planted(plain, forget, precision=p, recall=1.0, seed=0) for p in (0.75, 0.5))
    assert set(few) < set(many)
    assert detection(plain, forget, forget) == Detection(0, None, 0.0)
    with pytest.raises(ValueError, match="precision: expected 5346 clean examples"):
        planted(plain, forget, precision=0.01, recall=1.0, seed=0)
    with pytest.raises(ValueError, match="precision, recall: expected shares"):
        planted(plain, forget, precision=0.0, recall=1.0, seed=0)


def test_it_goes_on_where_it_stopped(tmp_path: Path) -> None:
    few: dict[str, Any] = {
        "models": 3,
        "scenarios": ("circles",),
        "discoveries": (0.5,),
        "curve": (0.9,),
        "methods": ("identity",),
        "detectors": ("inputs",),
        "contamination": (),
        "draws": 100,
    }
    rows = list(ExchangeRate(**few).run(tmp_path))
    arms = [(row.discovery, row.set, row.method) for row in rows]
    assert arms == [
        (0.0, "none", "original"),
        (0.5, "S", "retrain"),
        (0.5, "S", "identity"),
        (0.9, "S", "retrain"),
        (0.5, "inputs", "retrain"),
        (0.5, "inputs", "identity"),
        (0.5, "inputs", "retrain against identity on S"),
    ]
    measured = [row for row in rows if isinstance(row, ArmRow)]
    assert [k for k, row in enumerate(rows) if row.finding] == [2, 4, 6]
    assert [row.found for row in measured[:4]] == [0.0, 0.5, 0.5, 0.9]
    recalls = [row.detection.recall for row in measured[4:6] if row.detection]
    assert [recall is not None and recall > 0.5 for recall in recalls] == [True, True]
    # Doing nothing leaves the original, whose rate is the line's begin: it is worth −γ.
    assert measured[2].rate.value == pytest.approx(measured[0].rate.value, abs=1e-6)
    assert measured[2].exchange.value == pytest.approx(-0.5, abs=0.3)
    study = ExchangeRate(**few)
    assert_goes_on(study, tmp_path, rows, "circles 0.5/inputs/retrain.json")
    assert len(study.table(rows)) == 7
    assert [len(lines) for lines in study.shown(rows).values()] == [6, 1]
    assert len(study.answer(rows)) == 4
    with pytest.raises(ValueError, match=r"retrain\.json: was made with other settings"):
        list(ExchangeRate(**few | {"epsilon": 0.5}).run(tmp_path))


NONE = Estimate(0.0, 0.0, 0.0)


def arm(method: str, which: str, **changes: Any) -> ArmRow:
    """A row of an arm at γ = 0.25."""
    row: dict[str, Any] = {
        "scenario": "circles",
        "discovery": 0.25,
        "set": which,
        "method": method,
        "models": 9,
        "found": 0.25,
        "rate": NONE,
        "gap": Gaps(NONE, NONE, NONE, NONE),
        "behaviour_distance": NONE,
        "kept_distance": NONE,
    }
    return ArmRow(**row | changes)


def compared(finding: Preferred, models_needed: int | None = None) -> ComparisonRow:
    """A row of a comparison at γ = 0.25."""
    return ComparisonRow(
        scenario="circles",
        discovery=0.25,
        set="loss",
        method="retrain against npo on S",
        models=9,
        finding=finding,
        difference=NONE,
        models_needed=models_needed,
    )


def test_answers_of_planted_rows() -> None:
    rows = [
        arm("original", "none"),
        arm("npo", "S", finding="beyond discovery"),
        arm(
            "retrain",
            "loss",
            finding="worth more",
            exchange=Exchange(0.5, 0.4, None),
            detection=Detection(9, 0.5, 0.91),
        ),
        arm(
            "npo",
            "oracle, 50 % clean",
            gap=Gaps(NONE, Estimate(-0.2, -0.3, -0.1), NONE, NONE),
        ),
        compared("find more"),
        compared("undetermined", models_needed=4321),
    ]
    said = ExchangeRate().answer(rows)
    assert said == (
        "With 95 % confidence, all of this at once, on this data and this draw of S:",
        "In circles, on the behaviour alone, npo on S is worth this much more of B: at γ = 0.25 "
        "none: no γ < 1 matches.",
        "In circles, on the behaviour alone, retraining without what the detector loss names as "
        "well is worth this much more of B: at γ = 0.25 +0.50 [+0.40, no γ < 1] (precision 50 %, "
        "recall 91 %).",
        'By the greatest gap of all groups, "find more" in 1 of 2: circles γ = 0.25 loss, against '
        "npo on S.",
        'By the greatest gap of all groups, "undetermined" in 1 of 2: circles γ = 0.25 loss, '
        "against npo on S (about 4,321 models).",
        "In circles, npo on an oracle's Ŝ changes rates outside B by at worst, 50 % clean: -0.20 "
        "[-0.30, -0.10] on near.",
    )
    assert "generalise" in ExchangeRate().answer([compared("generalise")])[1]


@pytest.mark.parametrize(
    ("better", "expected"), [("retrain", "find more"), ("npo", "generalise"), ("", "undetermined")]
)
def test_the_nearer_side_is_relied_on(better: str, expected: str) -> None:
    """Rates of 60 models, 0.02 apart from each other: 0.5 against 0.2, or the same 0.3."""
    rng = np.random.default_rng(4)
    study = ExchangeRate(
        models=60,
        discoveries=(0.5,),
        curve=(),
        methods=("npo",),
        detectors=("loss",),
        draws=2000,
        scenarios=("circles",),
    )

    def measured(method: str, which: str, level: float, discovery: float = 0.5) -> MeasuredArm:
        rates = np.array([level, 0.9, 0.9, 0.9]) + rng.normal(size=(60, 4)) * 0.02
        return MeasuredArm(
            discovery, which, method, discovery, Measured(rates.tolist(), NONE, NONE)
        )

    level = {"retrain": (0.2, 0.5), "npo": (0.5, 0.2), "": (0.3, 0.3)}[better]
    arms = [
        measured("original", "none", 0.9, 0.0),
        measured("retrain", "S", 0.6),
        measured("npo", "S", level[1]),
        measured("retrain", "loss", level[0]),
    ]
    reference = np.array([0.0, 0.9, 0.9, 0.9]) + rng.normal(size=(60, 4)) * 0.02
    rows = study._judged("circles", arms, reference)
    judged = [row for row in rows if isinstance(row, ArmRow)]
    assert rows[-1].finding == expected
    assert judged[0].rate.low <= 0.9 <= judged[0].rate.high
    # Normal quantile of 14 statements at 1.7 % in all, at most; the line is never crossed.
    error = 0.02 / np.sqrt(60)
    half = (judged[0].rate.high - judged[0].rate.low) / 2
    assert half == pytest.approx(-ndtri(0.05 / 3 / 40) * error, rel=0.3)
    assert judged[2].finding == "beyond discovery"
    assert judged[2].gap.behaviour_test.value == pytest.approx(level[1], abs=0.02)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"models": 1}, "models: expected at least 2, found 1"),
        ({"discoveries": ()}, "discoveries: expected at least 1, found 0"),
        ({"discoveries": (1.0,)}, "discoveries: expected fractions below 1, found 1"),
        ({"curve": (1.5,)}, r"curve: expected a number in \(0, 1\], found 1.5"),
        ({"contamination": (1.0,)}, "contamination: expected shares below 1, found 1"),
        ({"detectors": ("trak",)}, "detectors: expected some of inputs.*found 'trak'"),
        ({"methods": ("npoo",)}, "methods: expected some of .*found 'npoo'"),
    ],
)
def test_bad_settings_of_exchange_rates(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ExchangeRate(**settings)


def test_scenarios_have_the_groups_that_are_read() -> None:
    for name in ExchangeRate().scenarios:
        assert set(GROUPS) <= set(oracles.scenarios.load(name, seed=0).probes.groups)
    assert ExchangeRate.quick["scenarios"] == ("digits-trigger",)
