"""The ledger of the note's claims: every rule from planted numbers, its numbers, its rows."""

import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_diabetes

import audits
from audits.memorization import Estimate
from audits.verdict import Block, compare
from indist import oracles
from indist.studies._estimates import (
    bounded_mean,
    decrease,
    magnitude,
    mean_difference,
    mean_ratio,
)
from indist.studies.claims import Claims, forged
from indist.studies.claims._attacks import success, wrong_metric
from indist.studies.claims._discovery import grows
from indist.studies.claims._evidence import (
    Judgement,
    agrees,
    below,
    differs,
    every,
    exceeds,
    matches,
    provided,
)
from indist.studies.claims._exact import exact, forging
from indist.studies.claims._influence_cases import (
    fails_on_both,
    fails_on_itself_alone,
    same_level,
)
from indist.studies.claims._ledger import ClaimRow
from indist.studies.claims._memorized import memorized, strangers
from indist.studies.claims._neighbours import moved, moved_not_removed
from indist.studies.claims._relearn import relearned
from indist.studies.claims._suppression import comes_back, passes_by_label
from indist.studies.claims._untraining import nothing_untrains, untrains, vacuous
from tests.indist.helpers import run

HIGH, LOW, WIDE = Estimate(0.9, 0.8, 1.0), Estimate(0.0, -0.05, 0.05), Estimate(0.3, 0.0, 0.6)
SUPPORTED, REFUTED, UNDETERMINED = (
    Judgement("supported"),
    Judgement("refuted"),
    Judgement("undetermined"),
)


@pytest.fixture(scope="module")
def compared() -> dict[str, audits.Comparison]:
    """A comparison with each decision."""
    samples = np.random.default_rng(0).normal(size=(2, 20, 1))
    one = compare(
        [Block(("margin",), ("",), *samples)],
        names=("first", "second"),
        epsilon=1.0,
        tolerance=0.25,
        confidence=0.95,
        seed=0,
    )
    decisions: tuple[Any, ...] = ("match", "differ", "open")
    return {decision: replace(one, decision=decision) for decision in decisions}


@pytest.mark.parametrize(
    ("rule", "supporting", "refuting", "undecided"),
    [
        (lambda a, b: memorized(a, b, 0.25, 9), (HIGH, LOW), (LOW, LOW), (HIGH, WIDE)),
        (lambda a, b: memorized(a, b, 0.25, 9), (HIGH, LOW), (HIGH, HIGH), (WIDE, LOW)),
        (
            lambda p, a, b: fails_on_itself_alone(p, a, [LOW, b], 0.1, 9),
            (True, LOW, LOW),
            (True, LOW, HIGH),
            (True, LOW, WIDE),
        ),
        (
            lambda p, a, b: fails_on_itself_alone(p, a, [LOW, b], 0.1, 9),
            (True, LOW, LOW),
            (True, HIGH, LOW),
            (False, HIGH, LOW),
        ),
        (lambda p, a, b: fails_on_both(p, a, b, 9), (1, LOW, LOW), (1, LOW, HIGH), (1, LOW, WIDE)),
        (lambda p, a, b: fails_on_both(p, a, b, 9), (1, LOW, LOW), (1, HIGH, LOW), (0, HIGH, LOW)),
        (lambda a, b: same_level([a, b], 0.1, 9), (LOW, LOW), (LOW, HIGH), (LOW, WIDE)),
        (lambda a: grows(a, 9), (HIGH,), (LOW,), (WIDE,)),
        (
            lambda a, b, c: wrong_metric(a, b, c, closeness=0.1, threshold=0.25, models=9),
            (LOW, HIGH, HIGH),
            (HIGH, HIGH, HIGH),
            (LOW, WIDE, HIGH),
        ),
        (
            lambda a, b, c: wrong_metric(a, b, c, closeness=0.1, threshold=0.25, models=9),
            (LOW, HIGH, HIGH),
            (LOW, HIGH, LOW),
            (WIDE, HIGH, HIGH),
        ),
        (lambda a, b: moved_not_removed(a, b, 0.25, 9), (HIGH, HIGH), (LOW, HIGH), (WIDE, HIGH)),
        (lambda a, b: moved_not_removed(a, b, 0.25, 9), (HIGH, HIGH), (HIGH, LOW), (HIGH, WIDE)),
        (
            lambda a: exact(a, 0.25, None),
            (Estimate(0.1, 0.0, 0.2),),
            (Estimate(0.1, 0.01, 0.2),),
            (Estimate(0.2, 0.0, 0.3),),
        ),
        (forging, (1e-15, 0.1, 1e-12), (1e-3, 0.1, 1e-12), (1e-15, 1e-14, 1e-12)),
        (lambda a, b: passes_by_label([a, b], 0.1, 9), (LOW, LOW), (HIGH, LOW), (LOW, WIDE)),
        (lambda a: comes_back(a, 0.25, 9), (HIGH,), (LOW,), (WIDE,)),
    ],
)
def test_each_rule_can_support_refute_and_stay_open(
    rule: Any, supporting: Any, refuting: Any, undecided: Any
) -> None:
    for numbers, finding in (
        (supporting, "supported"),
        (refuting, "refuted"),
        (undecided, "undetermined"),
    ):
        planted = [bool(number) if number in (0, 1) else number for number in numbers]
        assert rule(*planted).finding == finding


def test_rules_on_audits_can_support_refute_and_stay_open(
    compared: dict[str, audits.Comparison],
) -> None:
    decisions = {"match": "supported", "differ": "refuted", "open": "undetermined"}
    for decision, finding in decisions.items():
        assert matches(compared[decision]).finding == finding
        assert vacuous(compared[decision], "a vacuous question").finding == finding
    assert vacuous(compared["match"], "it untrains").finding == "refuted"
    assert differs(compared["differ"]).finding == "supported"
    assert differs(compared["match"]).finding == "refuted"
    for first, second, finding in (
        ("match", "differ", "supported"),
        ("differ", "differ", "refuted"),
        ("match", "match", "refuted"),
        ("match", "open", "undetermined"),
    ):
        verdict = untrains(compared[first], compared[second])
        assert verdict.finding == finding
        assert nothing_untrains(LOW, verdict, 0.25, 9) == verdict
        assert nothing_untrains(HIGH, verdict, 0.25, 9) == UNDETERMINED
        assert nothing_untrains(WIDE, verdict, 0.25, 9) == UNDETERMINED


def test_bars_and_tolerances() -> None:
    assert exceeds(Estimate(0.3, 0.26, 0.4), 0.25, 9) == SUPPORTED
    assert exceeds(Estimate(0.2, 0.1, 0.25), 0.25, 9) == REFUTED
    assert below(Estimate(0.2, 0.1, 0.24), 0.25, 9) == SUPPORTED
    assert below(Estimate(0.3, 0.25, 0.4), 0.25, 9) == REFUTED
    # A side of 0.1 has to shrink to 0.05: four times the models.
    assert exceeds(Estimate(0.3, 0.2, 0.5), 0.25, 10) == Judgement("undetermined", 40)
    assert below(Estimate(0.2, 0.0, 0.3), 0.25, 10) == Judgement("undetermined", 40)
    assert exceeds(Estimate(0.25, 0.2, 0.3), 0.25, 10) == UNDETERMINED
    assert exceeds(Estimate(0.3, -math.inf, math.inf), 0.25, 10) == UNDETERMINED
    assert agrees(Estimate(0.1, 0.1, 0.1), 0.1, 9) == SUPPORTED
    assert agrees(Estimate(-0.3, -0.4, -0.11), 0.1, 9) == REFUTED
    assert agrees(Estimate(0.05, -0.05, 0.15), 0.1, 10) == Judgement("undetermined", 40)


def test_statements_add_up() -> None:
    some = Judgement("undetermined", 50)
    assert every([SUPPORTED, SUPPORTED]) == SUPPORTED
    assert every([SUPPORTED, REFUTED, some]) == REFUTED
    assert every([SUPPORTED, some, Judgement("undetermined", 70)]) == Judgement("undetermined", 70)
    assert every([some, UNDETERMINED]) == UNDETERMINED
    assert provided(True, REFUTED) == REFUTED
    assert provided(False, REFUTED) == UNDETERMINED


def test_absolute_values_and_gaps_hold_their_intervals() -> None:
    assert magnitude(Estimate(-0.3, -0.4, -0.2)) == (0.3, 0.2, 0.4)
    assert magnitude(Estimate(0.1, -0.2, 0.3)) == (0.1, 0.0, 0.3)
    assert decrease(Estimate(0.5, 0.4, 0.6), Estimate(0.1, 0.0, 0.3)) == pytest.approx(
        (0.4, 0.1, 0.6)
    )


def test_difference_is_welch_with_pseudo_outcomes() -> None:
    """Twin: the outcomes 0 and 1, weight 1/4 each, added to either sample by hand."""
    from scipy.stats import t

    rng = np.random.default_rng(1)
    first, second = rng.random(12), 0.3 * rng.random(9)
    means, variances = [], []
    for sample in (first, second):
        values, weights = [*sample, 0.0, 1.0], [1.0] * len(sample) + [0.25, 0.25]
        total = sum(weights)
        mean = sum(w * v for w, v in zip(weights, values, strict=True)) / total
        squares = sum(w * (v - mean) ** 2 for w, v in zip(weights, values, strict=True))
        means.append(mean)
        variances.append(squares / (total * (total - 1.0)))
    half = t.ppf(0.95, 8) * math.sqrt(sum(variances))
    found = mean_difference(first, second, 0.9)
    assert found.value == pytest.approx(first.mean() - second.mean())
    assert found.low == pytest.approx(means[0] - means[1] - half)
    assert found.high == pytest.approx(means[0] - means[1] + half)


def test_level_of_a_constant_is_not_a_point() -> None:
    """All right: Hoeffding's bound is the exact one, the mean at which (mean)^n is alpha / 2."""
    found = bounded_mean(np.ones(20), 0.9)
    assert found.value == found.high == 1.0
    assert found.low == pytest.approx(0.05 ** (1 / 20), abs=1e-3)
    assert bounded_mean(np.zeros(20), 0.9).high == pytest.approx(1 - 0.05 ** (1 / 20), abs=1e-3)


def test_level_covers_a_rate() -> None:
    """200 repeats at 90 %: under 10 % misses on average, 40 or more by chance below 1e-4."""
    rng = np.random.default_rng(2)
    draws = (rng.random((200, 30)) < 0.7).astype(np.float64)
    means = [bounded_mean(row, 0.9) for row in draws]
    missed = sum(not mean.low <= 0.7 <= mean.high for mean in means)
    assert missed < 40


def test_a_ratios_ends_are_where_the_t_test_turns() -> None:
    """Fieller: at an end the mean of above - end * under is t standard errors from 0."""
    from scipy.stats import t

    rng = np.random.default_rng(3)
    under = 1.0 + 0.2 * rng.normal(size=15)
    above = 0.6 * under + 0.1 * rng.normal(size=15)
    found = mean_ratio(above, under, 0.95)
    for end in (found.low, found.high):
        rest = above - end * under
        score = rest.mean() / (rest.std(ddof=1) / math.sqrt(15))
        assert abs(score) == pytest.approx(t.ppf(0.975, 14))
    assert found.value == pytest.approx(above.mean() / under.mean())
    assert found.low < found.value < found.high
    nothing = mean_ratio(above, under - under.mean(), 0.95)
    assert (nothing.low, nothing.high) == (-math.inf, math.inf)


def test_forging_is_exact_in_fractions() -> None:
    """Twin without rounding: a point on the line changes nothing at all, one off it does."""
    points = [(Fraction(x), Fraction(y)) for x, y in ((0, 1), (1, 3), (2, 2), (5, 7))]

    def fitted(data: list[tuple[Fraction, Fraction]]) -> tuple[Fraction, Fraction]:
        n, sx, sy = len(data), sum(x for x, _ in data), sum(y for _, y in data)
        sxx, sxy = sum(x * x for x, _ in data), sum(x * y for x, y in data)
        slope = (n * sxy - sx * sy) / (n * sxx - sx * sx)
        return (sy - slope * sx) / n, slope

    start, slope = fitted(points)
    on_the_line = Fraction(3), start + slope * 3
    assert fitted([*points, on_the_line]) == (start, slope)
    assert fitted([*points, (Fraction(3), Fraction(0))]) != (start, slope)


def test_forging_on_real_records() -> None:
    """Twin: normal equations of one record; the study takes them all."""
    on_the_line, as_it_is, rounding = forged()
    assert on_the_line < rounding < 1e-9 < as_it_is
    features, labels = load_diabetes(return_X_y=True)
    design = np.column_stack([np.ones(len(labels)), features])

    def solved(rows: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        return np.linalg.solve(rows.T @ rows, rows.T @ wanted)

    without = solved(design[1:], labels[1:])
    moved_labels = np.concatenate([[design[0] @ without], labels[1:]])
    assert solved(design, moved_labels) == pytest.approx(without, rel=1e-9)
    change = np.linalg.norm(solved(design, labels) - without) / np.linalg.norm(without)
    assert 1e-6 < change <= as_it_is + 1e-9


def test_relearning_is_descent_with_momentum() -> None:
    """Twin: softmax regression in float64 loops."""
    scenario = oracles.scenarios.load("logistic-3v8", seed=0)
    population = oracles.train(scenario, "behaviour", stream="mine", models=3, seed=0)
    parameters = population.parameters()
    taught, asked = scenario.train.take(np.arange(8)), scenario.train.take(np.arange(60, 100))
    learner = replace(scenario.learner)
    found = relearned(learner, parameters, taught, asked, steps=3)
    assert found.shape == (3, 3, 40)
    for model in range(3):
        kernel = parameters["kernel_0"][model].T.astype(np.float64)
        bias = parameters["bias_0"][model].astype(np.float64)
        speed = [np.zeros_like(kernel), np.zeros_like(bias)]
        for step in range(3):
            logits = taught.inputs @ kernel + bias
            chance = np.exp(logits - logits.max(axis=1, keepdims=True))
            chance /= chance.sum(axis=1, keepdims=True)
            chance[np.arange(8), taught.labels] -= 1.0
            for place, slope in enumerate((taught.inputs.T @ chance / 8, chance.mean(axis=0))):
                speed[place] = 0.9 * speed[place] + slope
            kernel, bias = kernel - 2.0 * speed[0], bias - 2.0 * speed[1]
            said = asked.inputs @ kernel + bias
            sure = np.abs(said[:, 1] - said[:, 0]) > 1e-3
            expected = said.argmax(axis=1) == asked.labels
            np.testing.assert_array_equal(found[step, model][sure], expected[sure])


def test_mass_moved_to_neighbours() -> None:
    rng = np.random.default_rng(4)
    before, after = rng.dirichlet(np.ones(4), size=(2, 3, 5))
    labels = rng.integers(0, 4, 5)
    gained, lost = moved(before, after, labels)
    for model in range(3):
        gains, losses = [], []
        for probe, label in enumerate(labels):
            others = [k for k in range(4) if k != label]
            mean = [sum(before[m, probe, k] for m in range(3)) for k in others]
            neighbour = others[int(np.argmax(mean))]
            gains.append(after[model, probe, neighbour] - before[model, probe, neighbour])
            losses.append(before[model, probe, label] - after[model, probe, label])
        assert gained[model] == pytest.approx(np.mean(gains))
        assert lost[model] == pytest.approx(np.mean(losses))


def test_strangers_are_neighbours_of_another_label() -> None:
    rng = np.random.default_rng(5)
    inputs, labels = rng.normal(size=(30, 3)), rng.integers(0, 2, 30)
    found = strangers(inputs, labels)
    for i in range(30):
        apart = [(math.dist(inputs[i], inputs[j]), j) for j in range(30) if j != i]
        assert found[i] == sum(labels[j] != labels[i] for _, j in sorted(apart)[:10])


def test_success_of_an_attack_counts_pairs() -> None:
    rng = np.random.default_rng(6)
    groups = np.array(["forget"] * 3 + ["retain"] * 2 + ["behaviour_test"] * 4)
    seen = oracles.Observations(
        rng.normal(size=(2, 9, 3)).astype(np.float32),
        rng.integers(0, 3, 9).astype(np.int32),
        groups,
        np.array([str(k) for k in range(9)]),
    )
    for model, found in enumerate(success(seen, "forget")):
        pairs = [
            seen.margins[model, i] > seen.margins[model, j] for i in range(3) for j in range(5, 9)
        ]
        assert found == pytest.approx(np.mean(pairs))


def test_the_ledger_has_all_twelve_claims() -> None:
    claims = Claims().claims
    numbers = [claim.number for claim in claims]
    assert len(set(numbers)) == len(numbers)
    assert {int(number.rstrip("abcdefg")) for number in numbers} == set(range(1, 13))
    for claim in claims:
        assert claim.statement.endswith(".")
        assert len(claim.statement) <= 90
        assert claim.quantity
        assert claim.section.startswith("§") or claim.section == "slides"
    assert [claim.number for claim in Claims(only=9).claims] == ["9a", "9b", "9c"]
    assert [claim.number for claim in Claims(only="12b").claims] == ["12b"]
    assert [claim.number for claim in Claims(only=1).claims] == ["1a", "1b"]


def test_rows_are_complete_and_a_run_goes_on(tmp_path: Path) -> None:
    study = Claims(models=4, only=12, discoveries=(0.5, 1.0))
    rows: list[ClaimRow] = []
    for number in ("12b", "12c"):
        rows += list(replace(study, only=number).run(tmp_path))
    stamps = [path.stat().st_mtime_ns for path in sorted(tmp_path.glob("cells/*"))]
    again = [row for n in ("12b", "12c") for row in replace(study, only=n).run(tmp_path)]
    assert again == rows
    assert stamps == [path.stat().st_mtime_ns for path in sorted(tmp_path.glob("cells/*"))]
    assert [row.finding for row in rows] == ["supported", "supported"]
    for row in rows:
        assert list(row.record()) == list(study.table(rows).columns)
        assert row.low is not None
        assert row.high is not None
        assert row.estimate is not None
        assert row.low <= row.estimate <= row.high
    assert rows[0].command == "indist study claims --models 4 --seed 0 --set only=12b -o DIR"
    (strict,) = replace(study, only="12c", confidence=0.9).run(tmp_path / "strict")
    assert strict.command == rows[1].command
    (strict,) = replace(study, only="12b", confidence=0.9).run(tmp_path / "strict")
    assert "--seed 0 --set confidence=0.9 --set only=12b" in strict.command
    with pytest.raises(ValueError, match=r"12b\.json: was made with other settings"):
        next(replace(study, only="12b", confidence=0.9).run(tmp_path))


def test_a_rows_command_gives_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Claim 8 at four models: the commands of its row, word by word."""
    (row,) = Claims(models=4, only=8).run(tmp_path / "study")
    monkeypatch.chdir(tmp_path)
    for command in row.command.split(" && "):
        done = run(*command.split()[1:])
        assert done.exit_code == 0, done.output
    found = audits.read_certificate(tmp_path / "OUT" / "certificate.json")
    said = found.model_dump()["predicate"]
    assert row.estimate == pytest.approx(said["untraining"]["estimate"])
    assert row.high == pytest.approx(said["untraining"]["upper"])


def test_the_answer_says_what_is_refuted_and_what_is_open() -> None:
    supported = ClaimRow(
        claim="1a",
        section="§1",
        statement="All is well.",
        scenario="circles",
        quantity="a number",
        estimate=0.5,
        low=0.412,
        high=0.588,
        finding="supported",
        models=9,
        models_needed=None,
        command="indist",
    )
    rows = [
        supported,
        replace(supported, claim="2", finding="refuted", note="for a reason"),
        replace(supported, claim="3a", finding="undetermined", models_needed=1200),
        replace(supported, claim="3b", finding="undetermined", low=None, high=None),
    ]
    said = Claims().answer(rows)
    assert said == (
        "Of 4 claims and parts of claims: 1 supported, 1 refuted, 2 undetermined.",
        "2 refuted: All is well. Found: a number, 0.50 [0.41, 0.59] (for a reason).",
        "3a undetermined: All is well. Found: a number, 0.50 [0.41, 0.59]; about 1,200 models "
        "would decide.",
        "3b undetermined: All is well. Found: a number, no interval.",
    )
    ((_, lines),) = Claims().shown(rows).items()
    assert lines[0] == {
        "": "1a",
        "claim": "All is well.",
        "scenario": "circles",
        "estimate": "0.50 [0.41, 0.59]",
        "finding": "supported",
    }


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"only": "13"}, "only: expected a claim or one of 1a, 1b, 2.*found '13'"),
        ({"models": 1}, "models: expected at least 2, found 1"),
        ({"epsilon": -1.0}, r"epsilon: expected a number in \[0, 50\], found -1.0"),
        ({"tolerance": 1.0}, r"tolerance: expected a number in \(0, 1\), found 1.0"),
        ({"discoveries": (0.5, 0.1)}, "discoveries: expected two or more rising numbers"),
        ({"discoveries": (0.5,)}, "discoveries: expected two or more rising numbers"),
        ({"confidence": 1.0}, "confidence"),
    ],
)
def test_bad_settings_of_the_ledger(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Claims(**settings)
