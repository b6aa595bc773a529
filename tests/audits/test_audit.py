from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import softmax

from audits import GroupMedians, ObservedReferences, SubmissionError, audit, audit_single
from audits.report.numbers import rounded_up
from audits.verdict._audit import Audit
from audits.verdict._columns import median_margins
from audits.verdict._groups import summarise
from audits.verdict._least_tolerance import least_tolerance, self_distances
from audits.verdict._over_unlearned import over_unlearned
from audits.verdict._sharing import SHARE
from estimators import delta_upper_bound
from oracles import PROBE_GROUPS, Observations
from tests.audits.conftest import World

FAR = {"forget": 6.0}
FARTHER = {"forget": -6.0}

# What else an audit looks at has its own tests, in test_observables.
medians = partial(audit, observables=(GroupMedians(),), seed=0)


@pytest.fixture(scope="module")
def references(world: World) -> ObservedReferences:
    return ObservedReferences(world(1, FAR), world(2), world(3, {"forget": 12.0}))


@pytest.fixture(scope="module")
def untrained(world: World, references: ObservedReferences) -> Audit:
    return medians(world(4, FAR), references, epsilon=1.0, tolerance=0.3)


def test_a_submission_like_one_reference_is_named_after_it(
    world: World, references: ObservedReferences, untrained: Audit
) -> None:
    assert untrained.verdict == "untraining"
    assert untrained.separation == "separated"
    assert untrained.nearest.reference == "untraining"
    swapped = ObservedReferences(references.unlearning, references.untraining)
    other = medians(world(4, FAR), swapped, epsilon=1.0, tolerance=0.3)
    assert other.verdict == "unlearning"
    assert other.nearest.reference == "unlearning"
    third = audit(world(6, FARTHER), references, epsilon=1.0, tolerance=0.3, seed=0)
    assert third.verdict == "neither"
    assert third.over_unlearned is not None
    assert third.over_unlearned.flag
    assert third.over_unlearned.group == "forget"


def test_each_bound_has_the_level_of_its_comparison(untrained: Audit) -> None:
    sharing = untrained.sharing
    assert sharing is not None
    level = 0.05 * (1.0 - SHARE) / (1.0 if sharing.shared else 2.0)
    assert untrained.untraining.confidence == untrained.unlearning.confidence == 1.0 - level
    assert untrained.references.confidence == 0.95
    assert untrained.original is not None
    assert [c.confidence for c in untrained.original] == [0.95, 0.95]
    assert [c.first for c in untrained.original] == ["original", "original"]


def test_references_that_coincide_are_reported_as_such(world: World) -> None:
    same = ObservedReferences(world(1, models=150), world(2, models=150))
    found = audit(world(3, models=150), same, epsilon=1.0, tolerance=0.2, seed=0)
    assert found.separation == "coincide"
    assert found.verdict == "both"
    assert found.sentence.startswith("The references coincide, so ")
    assert "vacuous" in found.sentence
    far = audit(world(3, FAR, models=150), same, epsilon=1.0, tolerance=0.2, seed=0)
    assert far.verdict == "neither"
    assert "vacuous" in far.sentence


def test_too_few_models_say_how_many_would_do_and_as_many_do(world: World) -> None:
    few = ObservedReferences(world(1, FAR, models=45), world(2, models=45))
    found = audit(world(3, FAR, models=45), few, epsilon=1.0, tolerance=0.2, seed=0)
    assert found.verdict == "inconclusive"
    assert found.untraining.decision == "open"
    assert found.unlearning.decision == "differ"
    assert found.untraining.forecast is not None
    assert found.untraining.forecast.towards == "match"
    needed = found.models_needed
    assert needed is not None
    assert 30 < needed < 1000
    assert f"about {rounded_up(needed):,} models a side" in found.sentence
    assert any("least tolerance within reach" in text for text in found.warnings)

    more = ObservedReferences(world(4, FAR, models=needed), world(5, models=needed))
    assert audit(world(6, FAR, models=needed), more, tolerance=0.2, seed=0).verdict == "untraining"


def test_one_submitted_model_decides_nothing(world: World, references: ObservedReferences) -> None:
    with pytest.raises(SubmissionError, match="at least 2 models, found 1; audit_single tests"):
        audit(world(7, models=1), references, seed=0)


def test_references_of_one_model_decide_nothing(world: World) -> None:
    alone = ObservedReferences(world(1, models=9), world(2, models=1))
    with pytest.raises(SubmissionError, match="unlearning: expected at least 2 models, found 1$"):
        audit(world(3, models=9), alone, seed=0)


def test_two_models_everywhere_decide_nothing(world: World) -> None:
    alone = ObservedReferences(world(1, models=2), world(2, models=2))
    found = audit(world(3, models=2), alone, seed=0)
    assert found.verdict == "inconclusive"
    assert found.least_tolerance == 1.0
    assert found.models_needed is None
    assert "fewer than 10 models a side do not tell how many it would take" in found.sentence
    assert found.next_step == "Make more models: 10 a side tell how many would decide it."


def test_copies_of_reference_models_are_pointed_out(references: ObservedReferences) -> None:
    found = audit(references.untraining, references, seed=0)
    assert found.warnings[0].startswith("60 submitted models equal models of the untraining")


def test_probabilities_given_as_logits_are_pointed_out(
    world: World, references: ObservedReferences
) -> None:
    def raised(seen: Observations) -> Observations:
        return replace(seen, logits=np.asarray(softmax(seen.logits, axis=2), dtype=np.float32))

    said = "look like probabilities: all are at least 0 and sum to 1 at every probe"
    found = audit(raised(world(9)), references, seed=0)
    assert [said in text for text in found.warnings].count(True) == 1
    assert found.warnings[0].startswith("The logits of the submission look like probabilities")
    every = ObservedReferences(raised(references.untraining), raised(references.unlearning))
    found = audit(raised(world(9)), every, seed=0)
    assert [said in text for text in found.warnings].count(True) == 3
    assert not any(said in text for text in audit(world(9), references, seed=0).warnings)
    single = audit_single(raised(world(9, models=1)), references)
    assert any(said in text for text in single.warnings)


def test_repeated_models_are_pointed_out(world: World, references: ObservedReferences) -> None:
    one = world(8)
    twice = replace(one, logits=np.concatenate([one.logits[:20]] * 2))
    found = audit(twice, references, seed=0)
    assert any("Only 20 of the 40 submitted models differ" in text for text in found.warnings)


def test_probes_are_put_in_order_by_id(
    world: World, references: ObservedReferences, untrained: Audit
) -> None:
    given = world(4, FAR)
    order = np.random.default_rng(0).permutation(len(given.ids))
    mixed = Observations(
        given.logits[:, order], given.labels[order], given.groups[order], given.ids[order]
    )
    # The same audit to the last digit: nothing in it is left to chance.
    again = medians(mixed, references, epsilon=1.0, tolerance=0.3)
    assert again.certificate() == untrained.certificate()


def test_any_object_with_two_references_will_do(world: World) -> None:
    found = audit(world(3), SimpleNamespace(untraining=world(1), unlearning=world(2)), seed=0)
    assert found.original is None
    assert set(found.observations) == {"submission", "untraining", "unlearning"}


def test_terminal_text_holds_the_whole_answer(untrained: Audit) -> None:
    text = str(untrained)
    assert text.startswith("Verdict: UNTRAINING\n\nThe submitted models are distributed like")
    assert '"Like" is within delta 0.3 at epsilon 1 for half-lines of the 4 declared' in text
    assert "at most 5 %" in " ".join(text.split())
    assert "submission - untraining" in text
    assert "nearer reference: untraining" in text
    assert max(map(len, text.splitlines())) <= 100


def test_table_has_a_row_for_each_comparison_and_observable(untrained: Audit) -> None:
    table = untrained.to_dataframe()
    assert len(table) == 5 * (1 + 4)
    whole = table[table["observable"] == "all"]
    assert list(whole["decision"][:2]) == ["match", "differ"]
    assert (table["lower"] <= table["upper"]).all()
    assert "untraining" in untrained._repr_html_()
    assert repr(untrained) == "Audit('untraining', 'submission')"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epsilon": -1.0}, r"epsilon: expected a number in \[0, 50\], found -1.0"),
        ({"epsilon": float("nan")}, r"epsilon: expected a number in \[0, 50\], found nan"),
        ({"tolerance": 0.0}, r"tolerance: expected a number in \(0, 1\), found 0.0"),
        ({"confidence": 1.0}, r"confidence: expected a number in \(0, 1\), found 1.0"),
    ],
)
def test_numbers_outside_their_range_are_refused(
    world: World, references: ObservedReferences, settings: dict[str, float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        audit(world(0), references, **settings)


def test_another_number_of_classes_is_refused(world: World, references: ObservedReferences) -> None:
    given = world(0)
    wide = replace(given, logits=np.concatenate([given.logits, given.logits], axis=2))
    with pytest.raises(SubmissionError, match="expected 2 classes as in the references, found 4"):
        audit(wide, references, seed=0)


def test_something_else_is_refused(references: ObservedReferences) -> None:
    with pytest.raises(TypeError, match="Submission"):
        audit(np.zeros((3, 4)), references, seed=0)  # pyright: ignore[reportArgumentType]


def test_observables_are_medians_of_margins_in_the_order_of_the_groups(world: World) -> None:
    seen = world(0, groups=tuple(reversed(PROBE_GROUPS)), models=7)
    found = median_margins(seen)
    assert found.groups == PROBE_GROUPS
    for column, group in zip(found.values.T, found.groups, strict=True):
        chosen = np.flatnonzero(seen.groups == group)
        expected = [np.median([seen.margins[k, i] for i in chosen]) for k in range(7)]
        np.testing.assert_allclose(column, expected)


def test_summaries_of_groups(world: World) -> None:
    seen = world(0, FAR, models=50)
    forget = summarise("submission", seen)[0]
    shares = seen.correct[:, seen.groups == "forget"].mean(axis=1)
    assert forget.accuracy == pytest.approx(shares.mean())
    assert forget.accuracy_low <= forget.accuracy <= forget.accuracy_high <= 1.0
    assert forget.margin_low < forget.margin < forget.margin_high
    assert (forget.probes, forget.models) == (3, 50)
    alone = summarise("submission", world(0, models=1))[0]
    assert (alone.accuracy_low, alone.accuracy_high) == (0.0, 1.0)


def test_accuracy_intervals_cover(world: World) -> None:
    # 95 % of 200 at n = 60: fewer than 180 have probability 0.002.
    truth = summarise("a", world(0, models=20_000))[0].accuracy
    found = [summarise("a", world(seed))[0] for seed in range(1, 201)]
    assert sum(row.accuracy_low <= truth <= row.accuracy_high for row in found) >= 180


def test_over_unlearning_is_not_flagged_for_its_own_reference() -> None:
    rng = np.random.default_rng(0)
    flags = [
        over_unlearned(
            *rng.normal(size=(2, 40, 3)), ("forget", "behaviour", "test"), confidence=0.95
        )
        for _ in range(200)
    ]
    # 5 % of 200: more than 20 have probability 0.001.
    assert sum(found is not None and found.flag for found in flags) <= 20


@pytest.mark.parametrize(("n", "m"), [(256, 32), (32, 256), (100, 100)])
def test_unequal_spreads_are_no_sign_of_over_unlearning(n: int, m: int) -> None:
    # A rank test rejects here in up to .2 of draws, although neither lies below the other.
    rng = np.random.default_rng(1)
    flags = [
        over_unlearned(
            rng.normal(size=(n, 2)) * (0.2 if n > m else 5.0),
            rng.normal(size=(m, 2)),
            ("forget", "behaviour"),
            confidence=0.95,
        )
        for _ in range(200)
    ]
    assert sum(found is not None and found.flag for found in flags) <= 20


def test_over_unlearning_is_found() -> None:
    rng = np.random.default_rng(2)
    margins, reference = rng.normal(size=(2, 100, 2))
    found = over_unlearned(margins - [0.0, 1.0], reference, ("forget", "behaviour"), confidence=0.9)
    assert found is not None
    assert found.flag
    assert found.group == "behaviour"
    assert 0.0 < found.auc < found.high < 0.5


def test_over_unlearning_needs_probes_of_the_behaviour() -> None:
    assert over_unlearned(np.zeros((3, 1)), np.zeros((3, 1)), ("test",), confidence=0.95) is None


def test_equal_margins_are_no_sign_of_over_unlearning() -> None:
    same = np.zeros((30, 1))
    found = over_unlearned(same, same, ("forget",), confidence=0.95)
    assert found is not None
    assert not found.flag
    assert found.auc == 0.5


def test_least_tolerance_is_about_the_upper_bound_of_a_match() -> None:
    rng = np.random.default_rng(1)
    found = [
        least_tolerance(
            self_distances(
                rng.normal(size=(200, 4)), epsilon=0.0, confidence=0.975, models=200, seed=k
            )
        )
        for k in range(4)
    ]
    p, q = rng.normal(size=(2, 200, 60, 4))
    bounds = np.asarray(delta_upper_bound(p, q, epsilon=0.0, confidence=0.975).bound).max(axis=1)
    assert np.median(found) == pytest.approx(np.median(bounds), rel=0.15)
    few = self_distances(np.zeros((3, 1)), epsilon=0.0, confidence=0.9, models=3, seed=0)
    assert least_tolerance(few) == 1.0


def test_a_calibrated_tolerance_is_met_and_said_to_be_one(
    world: World, references: ObservedReferences
) -> None:
    found = audit(world(4, FAR), references, tolerance="calibrated", seed=0)
    assert found.declaration.calibrated
    assert found.least_tolerance <= found.declaration.tolerance < 0.5
    assert round(100 * found.declaration.tolerance, 6) % 1 == 0
    assert found.verdict == "untraining"
    assert found.scope.endswith("it is about the least that so many models can meet.")


def test_too_few_models_cannot_calibrate_a_tolerance(world: World) -> None:
    few = ObservedReferences(world(1, models=3), world(2, models=3))
    with pytest.raises(ValueError, match="tolerance: expected more models to calibrate it on"):
        audit(world(3, models=3), few, tolerance="calibrated", seed=0)
