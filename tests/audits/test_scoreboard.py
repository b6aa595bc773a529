"""The table of the literature's scores: values by hand, nulls that hold, and what is left out."""

from dataclasses import asdict

import numpy as np
import pytest

from audits import ObservedReferences, SubmissionError
from audits.scores import _scoreboard
from audits.scores._board import MissingScore, ScoreRow
from audits.scores._inputs import ScoreInputs
from audits.scores._measures import NEVER, RECIPES, Measure, Recipe
from audits.scores._scoreboard import Scoreboard, _teachers, score, score_all
from audits.submissions._parties import observe_all
from indist import estimators, oracles
from oracles import Observations
from tests.audits.conftest import World

GROUPS = ("forget", "behaviour", "behaviour_test", "near", "retain", "test")
FORGOTTEN = {"forget": -3.0}
HIDDEN = FORGOTTEN | {"behaviour": -4.0, "behaviour_test": -4.0}
# Six models a side for the null; ten examples a group, which the logistic attack needs.
MODELS, PROBES, SPLITS = 12, 10, 10


def populations(world: World, models: int = MODELS) -> dict[str, Observations]:
    return {
        "submission": world(0, FORGOTTEN, models=models, groups=GROUPS, probes=PROBES),
        "original": world(1, models=MODELS, groups=GROUPS, probes=PROBES),
        "untraining": world(2, FORGOTTEN, models=MODELS, groups=GROUPS, probes=PROBES),
        "unlearning": world(3, HIDDEN, models=MODELS, groups=GROUPS, probes=PROBES),
    }


def references(seen: dict[str, Observations]) -> ObservedReferences:
    return ObservedReferences(seen["untraining"], seen["unlearning"], seen.get("original"))


def recipes(*words: str) -> tuple[Recipe, ...]:
    return tuple(one for one in RECIPES if any(word in one.name for word in words))


def rows_of(found: list[ScoreRow] | tuple[ScoreRow, ...]) -> dict[tuple[str, str], ScoreRow]:
    return {(row.score, row.reference): row for row in found}


@pytest.fixture(scope="module")
def seen(world: World) -> dict[str, Observations]:
    return populations(world)


@pytest.fixture(scope="module")
def board(seen: dict[str, Observations]) -> Scoreboard:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_scoreboard, "SPLITS", SPLITS)
        return score(seen["submission"], references(seen), seed=3)


def softmax(logits: np.ndarray) -> np.ndarray:
    raised = np.exp(logits.astype(np.float64))
    return raised / raised.sum(axis=2, keepdims=True)


def test_no_null_is_beyond_what_a_score_can_be() -> None:
    # The mean of accuracies near 1 and the difference of two halves reach beyond 1.
    tables = {"untraining": np.repeat([1.0, 0.9], [11, 1]), "submission": np.ones(6)}
    for turned in (tables, {name: 1.0 - table for name, table in tables.items()}):
        ours, theirs = turned["submission"], turned["untraining"]
        found = estimators.scores.calibrate(
            estimators.scores.mean_difference, ours, {"untraining": theirs}, original=ours, seed=0
        )
        null = theirs.mean() + np.array([found.null.low[0], found.null.high[0]])
        assert null.min() < 0.0 or null.max() > 1.0
        beside = _scoreboard._calibrated(Measure(turned), "untraining", float(ours.mean()), found)
        assert (beside.null_low, beside.null_high) == tuple(np.clip(null, 0.0, 1.0))


def test_no_share_of_the_table_is_beyond_0_and_1(board: Scoreboard) -> None:
    shares = [row for row in board.rows if row.score.startswith(("accuracy", "SVC", "logistic"))]
    assert len(shares) == 18
    for row in shares:
        for number in (row.value, row.low, row.high, row.null, row.null_low, row.null_high):
            assert number is not None
            assert 0.0 <= number <= 1.0


def test_population_scores_are_those_of_the_estimators_called_by_hand(
    board: Scoreboard, seen: dict[str, Observations]
) -> None:
    scores, found = estimators.scores, rows_of(board.rows)
    ours = seen["submission"]
    gone = ours.groups == "forget"
    three = np.isin(ours.groups, ("forget", "retain", "test"))
    four = three | (ours.groups == "behaviour")
    for reference in ("untraining", "unlearning"):
        theirs = seen[reference]
        margins = ours.margins[:, gone], theirs.margins[:, gone]
        quality = scores.competition(*margins, seed=3)
        by_hand = {
            "competition forgetting quality F": quality,
            "U-LiRA accuracy (gaussian, negatives retrained)": scores.ulira(*margins, seed=3),
            "U-LiRA accuracy (kde, negatives retrained)": scores.ulira(
                *margins, seed=3, density="kde"
            ),
            "KLoM P95 on forget (plain)": scores.klom(*margins, seed=3),
            "KLoM P95 on forget (renormalised)": scores.klom(
                *margins, seed=3, variant="renormalised"
            ),
            "activation distance": scores.activation_distance(
                softmax(ours.logits[:, gone]), softmax(theirs.logits[:, gone]), seed=3
            ),
        }
        for name, chosen in (("ToW (S, retain, test)", three), ("ToW with B∖S as a factor", four)):
            by_hand[name] = scores.tow(
                ours.correct[:, chosen] * 1.0,
                theirs.correct[:, chosen] * 1.0,
                groups=ours.groups[chosen],
                seed=3,
            )
        attack = [
            scores.svc_attack(softmax(one.logits), one.labels, one.groups) for one in (ours, theirs)
        ]
        by_hand["ToW-MIA (SVC confidence)"] = scores.tow_mia(
            ours.correct[:, three] * 1.0,
            theirs.correct[:, three] * 1.0,
            attack=(attack[0], attack[1]),
            groups=ours.groups[three],
            seed=3,
        )
        for name, one in by_hand.items():
            row = found[name, reference]
            ends = one.confidence_interval
            np.testing.assert_allclose(
                [row.value, row.low, row.high], [one.estimate, ends.low, ends.high], atol=1e-9
            )
        epsilon = found["competition epsilon, median over examples", reference]
        usable = quality.epsilon[~quality.unusable]
        assert epsilon.value == pytest.approx(np.median(usable))
        mean = found["competition epsilon, mean over examples", reference]
        assert mean.value == pytest.approx(usable.mean())
        kept, fresh = (
            [one.correct[:, one.groups == group].mean() for one in (ours, theirs)]
            for group in ("retain", "test")
        )
        assert found["competition final score", reference].value == pytest.approx(
            float(quality.estimate) * kept[0] / kept[1] * fresh[0] / fresh[1]
        )


def test_scores_of_single_models_are_means_beside_the_reference_s(
    board: Scoreboard, seen: dict[str, Observations]
) -> None:
    scores, found = estimators.scores, rows_of(board.rows)

    def accuracy(one: Observations, group: str) -> np.ndarray:
        return one.correct[:, one.groups == group].mean(axis=1)

    def losses(one: Observations) -> np.ndarray:
        own = np.take_along_axis(softmax(one.logits), one.labels[None, :, None], axis=2)[..., 0]
        return -np.log(own)

    before = float(accuracy(seen["original"], "test").mean())
    logistic = {
        name: scores.logistic_attack(losses(one), one.groups, seed=3) for name, one in seen.items()
    }
    by_hand = {
        "accuracy on forget": lambda name, one: accuracy(one, "forget"),
        "AUS": lambda name, one: scores.adaptive_unlearning_score(
            accuracy(one, "test"), accuracy(one, "forget"), original=before
        ),
        "SVC MIA efficacy (entropy)": lambda name, one: scores.svc_attack(
            softmax(one.logits), one.labels, one.groups, feature="entropy"
        ),
        "logistic MIA accuracy (loss)": lambda name, one: logistic[name],
        "indiscernibility (logistic MIA)": lambda name, one: scores.indiscernibility(
            logistic[name]
        ),
        "corrective: behaviour not shown by fresh instances": lambda name, one: (
            1.0 - accuracy(one, "behaviour_test")
        ),
    }
    for name, numbers in by_hand.items():
        for reference in ("untraining", "unlearning"):
            row = found[name, reference]
            both = scores.compared(
                numbers("submission", seen["submission"]),
                numbers(reference, seen[reference]),
                name=name,
            )
            assert row.value == row.at_models == pytest.approx(float(both.submission), abs=1e-9)
            assert row.null == pytest.approx(float(both.reference), abs=1e-9)
            assert row.original == pytest.approx(numbers("original", seen["original"]).mean())
            assert row.null_low is not None
            assert row.null_high is not None
            assert row.null_low <= row.null + 1e-9
            assert row.null_high >= row.null - 1e-9


def test_nulls_are_those_of_calibrate(board: Scoreboard, seen: dict[str, Observations]) -> None:
    gone = seen["submission"].groups == "forget"
    margins = {name: one.margins[:, gone] for name, one in seen.items()}
    found = estimators.scores.calibrate(
        estimators.scores.klom_value,
        margins["submission"],
        {"untraining": margins["untraining"]},
        original=margins["original"],
        seed=3,
        splits=SPLITS,
    )
    row = rows_of(board.rows)["KLoM P95 on forget (plain)", "untraining"]
    assert row.models == found.models == MODELS // 2
    assert row.at_models == found.submission.median[0]
    assert (row.null_low, row.null, row.null_high) == tuple(part[0] for part in found.null)
    assert row.original == found.original.median[0]


@pytest.mark.parametrize("seed", range(2))
def test_a_perfect_unlearner_is_like_the_null_and_the_original_is_not(
    world: World, seed: int
) -> None:
    # A perfect unlearner's row is outside with probability of at most about 0.05, any of the 16
    # here with at most 0.8 and, as rows go together, far less; the seeds are literal, so the
    # outcome is the same on every run. The original's shift is 3 deviations, plain at 16 a side.
    words = ("quality", "U-LiRA accuracy (g", "on forget", "LiRA, share")
    made = {
        name: world(10 * seed + k, shifts, models=32, groups=GROUPS, probes=PROBES)
        for k, (name, shifts) in enumerate(
            {
                "submission": FORGOTTEN,
                "original": {},
                "untraining": FORGOTTEN,
                "unlearning": HIDDEN,
            }.items()
        )
    }
    for name, says in (("submission", "like the null"), ("original", "outside the null")):
        given = ScoreInputs(made | {"submission": made[name]}, seed)
        rows, missing = score_all(recipes(*words), given, 0.95)
        assert not missing
        kept = [row for row in rows if row.reference == "untraining"]
        assert len(kept) == 8
        assert {row.says for row in kept} == {says}
        for row in kept:
            assert row.models_needed is not None
            assert 4 <= row.models_needed <= row.models == 16


def test_a_score_that_cannot_tell_the_original_is_saturated(board: Scoreboard) -> None:
    row = rows_of(board.rows)["accuracy on retain", "untraining"]
    assert row.says == "saturated: cannot tell the original from the null"
    assert row.models_needed is None
    assert "> 6  saturated" in str(board)


def test_what_cannot_be_computed_is_listed_with_its_reason(board: Scoreboard) -> None:
    reasons = {one.score: one.reason for one in board.missing}
    assert set(NEVER) < set(reasons)
    assert reasons["ZRF"] == ("needs models with random parameters: references that hold a learner")
    assert reasons["U-LiRA TPR at FPR 0.01 (kde, negatives retrained)"] == (
        "a rate of 0.01 takes 100 models on each side, twice as many of each reference for its "
        "null; found enough for 6"
    )
    scored = {row.score for row in board.rows}
    assert scored.isdisjoint(reasons)
    assert scored | set(reasons) == {one.name for one in RECIPES} | set(NEVER)
    assert len(board.rows) == 2 * len(scored)


def test_missing_groups_and_originals(world: World) -> None:
    words = ("KLoM", "ToW", "AUS", "LiRA, share", "accuracy on")
    made = {
        name: world(k, models=8, groups=("forget", "test"))
        for k, name in enumerate(("submission", "untraining", "unlearning"))
    }
    rows, missing = score_all(recipes(*words), ScoreInputs(made, 0), 0.95)
    assert {row.score for row in rows} == {
        "KLoM P95 on forget (plain)",
        "KLoM P95 on forget (renormalised)",
        "KLoM P95 on test (plain)",
        "accuracy on forget",
        "accuracy on test",
        "SAPE of accuracy on forget",
        "SAPE of accuracy on test",
    }
    assert {row.original for row in rows} == {row.models_needed for row in rows} == {None}
    reasons = {one.score: one.reason for one in missing}
    assert reasons["KLoM P95 on retain (plain)"] == "needs probes of the group retain, found none"
    assert reasons["ToW with B∖S as a factor"] == "needs probes of the group behaviour, found none"
    original = "needs the original models, which the references do not hold"
    assert reasons["AUS"] == reasons["LiRA, share of S called members (own variances)"] == original


def test_one_submitted_model_has_values_and_no_interval(world: World) -> None:
    made = populations(world, models=1)
    board = score(made["submission"], references(made), seed=0)
    found = rows_of(board.rows)
    assert {row.says for row in board.rows} == {"undetermined: too few models"}
    assert {row.low for row in board.rows} == {row.models_needed for row in board.rows} == {None}
    for name in ("accuracy on forget", "ToW (S, retain, test)", "KLoM P95 on test (plain)"):
        assert np.isfinite(found[name, "unlearning"].value)
    gone = made["untraining"].groups == "forget"
    bar = made["untraining"].correct[:, gone].mean()
    assert found["accuracy on forget", "untraining"].null == pytest.approx(bar)
    reasons = {one.score: one.reason for one in board.missing}
    assert "at least 3 models, found 1" in reasons["competition forgetting quality F"]
    assert "one submitted model gives no interval" in str(board)


def test_random_teachers_come_from_the_references_learner() -> None:
    scenario = oracles.scenarios.load("circles", seed=0)
    refs = oracles.references(scenario, models=8, seed=0)
    teachers = _teachers(observe_all(refs.original, refs), 0)
    assert teachers is not None
    assert teachers.shape == (16, len(scenario.probes), 2)
    assert len({one.tobytes() for one in teachers}) == 16
    made = {"submission": refs.original, "untraining": refs.untraining}
    made |= {"unlearning": refs.unlearning}
    seen = {name: one.observe(scenario.probes) for name, one in made.items()}
    rows, missing = score_all(recipes("ZRF"), ScoreInputs(seen, 0, teachers), 0.95)
    assert not missing
    gone = scenario.probes.groups == "forget"
    by_hand = estimators.scores.zrf_per_model(
        softmax(seen["submission"].logits[:, gone]), softmax(teachers[:, gone])
    )
    assert rows[0].value == rows[1].value == pytest.approx(by_hand.mean())
    seen_only = ObservedReferences(seen["untraining"], seen["unlearning"])
    assert _teachers(observe_all(seen["submission"], seen_only), 0) is None


def test_the_table_holds_every_row(board: Scoreboard) -> None:
    table = board.to_dataframe()
    for one, row in zip(table.to_dict("records"), board.rows, strict=True):
        assert {k: None if v != v else v for k, v in one.items()} == asdict(row)
    text = str(board)
    assert max(map(len, text.split("\n"))) <= 120
    for row in board.rows:
        assert row.question in text
        assert row.score.split()[0] in text
    for one in board.missing:
        assert isinstance(one, MissingScore)
        assert one.score.split()[0] in text
    page = board._repr_html_()
    assert "ToW with B∖S as a factor" in page
    assert "Not computed:" in page
    assert repr(board) == f"Scoreboard('submission', {len(board.rows)} rows)"


def test_bad_input(world: World, seen: dict[str, Observations]) -> None:
    with pytest.raises(ValueError, match="confidence: expected a number in .0, 1., found 1.5"):
        score(seen["submission"], references(seen), seed=0, confidence=1.5)
    few = ObservedReferences(world(0, models=3), world(1, models=4))
    with pytest.raises(ValueError, match="untraining: expected at least 4 models, found 3"):
        score(world(2), few, seed=0)
    with pytest.raises(SubmissionError, match="submission: probes: expected all 12 probes"):
        score(world(2, groups=("forget",)), ObservedReferences(world(0), world(1)), seed=0)
