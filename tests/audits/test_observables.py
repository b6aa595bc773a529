"""What an audit looks at: single examples, the worst of them, a learned score, own functions."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audits import (
    EachExample,
    GroupMedians,
    LearnedWitness,
    ObservedReferences,
    OwnObservable,
    WorstExample,
    audit,
    observable_of,
    read_certificate,
    verify,
)
from audits.verdict._blocks import blocks_of
from audits.verdict._columns import Observables
from audits.verdict._observables import OBSERVABLES, check_observables, settings_of
from estimators import delta_lower_bound
from oracles import Observations

GROUPS = ("forget",) * 16 + ("behaviour",) * 16 + ("test",) * 8


def seen(seed: int, models: int, **raised: float) -> Observations:
    """Models with independent margins; examples named by ``forget_3=4.0`` are raised."""
    rng = np.random.default_rng(seed)
    groups = np.array(GROUPS)
    ids = np.array([f"{group}_{k}" for k, group in enumerate(GROUPS)])
    margins = rng.normal(size=(models, len(groups)))
    margins[:, groups == "forget"] -= 1.0
    for name, by in raised.items():
        margins[:, ids == name] += by
    logits = np.stack([margins, np.zeros_like(margins)], axis=2).astype(np.float32)
    return Observations(logits, np.zeros(len(groups), np.int32), groups, ids)


@pytest.fixture(scope="module")
def references() -> ObservedReferences:
    everything = {f"forget_{k}": 6.0 for k in range(16)}
    return ObservedReferences(seen(1, 160), seen(2, 160, **everything))


def test_a_single_example_that_medians_do_not_see_is_named(references: ObservedReferences) -> None:
    submission = seen(3, 160, forget_5=4.0)
    blind = audit(submission, references, observables=(GroupMedians(),), seed=0)
    assert blind.verdict == "untraining"
    assert blind.worst_examples[:1] == ()
    found = audit(submission, references, seed=0)
    assert found.verdict == "neither"
    named = found.worst_examples[0]
    assert (named.reference, named.example, named.others) == ("untraining", "forget_5", 0)
    assert named.lower > 0.2
    assert named.median_first - named.median_second == pytest.approx(4.0, abs=0.6)
    assert "example forget_5: its margin alone tells the submission from" in str(found)
    rows = {row.observable: row for row in found.untraining.by_observable}
    assert rows["margin of example forget_5"].example == "forget_5"
    assert rows["greatest deviation of an example of forget"].lower > 0.2
    assert rows["learned witness"].lower > 0.2
    assert rows["median margin on forget"].lower == 0.0


def test_what_is_like_the_reference_is_still_called_so(references: ObservedReferences) -> None:
    found = audit(seen(4, 160), references, tolerance=0.25, seed=0)
    assert found.verdict == "untraining"
    assert found.untraining.upper <= 0.25
    # It differs from the other reference at every example of S: one is named, the rest counted.
    (named,) = found.worst_examples
    assert (named.reference, named.others) == ("unlearning", 15)
    kinds = {row.observable.split(" of ")[0] for row in found.untraining.by_observable}
    assert kinds == {
        "median margin on forget",
        "median margin on behaviour",
        "median margin on test",
        "margin",
        "greatest deviation",
        "learned witness",
    }


# Of 40 audits of a true match at level 0.025 a bound, 4 or more differ with probability 0.003.
def test_learned_observables_keep_the_level() -> None:
    wrong = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        first, second = seen(1000 + seed, 64), seen(2000 + seed, int(rng.integers(40, 90)))
        (block,) = blocks_of((WorstExample(), LearnedWitness()), first, second, seed)
        lower = delta_lower_bound(block.first, block.second, epsilon=0.0, confidence=0.975)
        wrong += bool((lower.bound[-1] > 0.0).any())
    assert wrong < 4


def test_models_set_aside_are_in_no_bound_of_what_they_chose() -> None:
    first, second = seen(1, 80), seen(2, 120)
    blocks = blocks_of((GroupMedians(), WorstExample(0.25), LearnedWitness(0.1)), first, second, 7)
    sizes = [(len(block.first), len(block.second)) for block in blocks]
    assert sizes == [(80, 120), (72, 90)]
    # What the models set aside show changes the function; what the others show does not.
    order = np.random.default_rng([7, 2, 1]).permutation(120)
    kinds = (WorstExample(0.25),)
    before = blocks_of(kinds, first, second, 7)[0].first
    for rows, same in ((order[:30], False), (order[30:], True)):
        changed = second.logits.copy()
        changed[rows, :, 0] *= 1.5
        other = Observations(changed, second.labels, second.groups, second.ids)
        after = blocks_of(kinds, first, other, 7)[0].first
        assert np.array_equal(before, after) == same


def test_too_few_models_to_set_aside_are_said(references: ObservedReferences) -> None:
    found = audit(seen(5, 20), references, seed=0)
    (said,) = [text for text in found.warnings if "was not looked at" in text]
    assert said.startswith("The linear score of all margins")
    assert not any(row.observable == "learned witness" for row in found.untraining.by_observable)
    assert any("greatest deviation" in row.observable for row in found.untraining.by_observable)


def test_examples_are_drawn_where_there_are_many() -> None:
    few = EachExample(most=4)
    first, second = few.columns(seen(1, 3), 5), few.columns(seen(2, 6), 5)
    assert first.names == second.names
    assert len(first.names) == 8
    assert [group for group in first.groups] == ["forget"] * 4 + ["behaviour"] * 4
    assert few.columns(seen(1, 3), 6).names != first.names
    everything = EachExample().columns(seen(1, 3), 5)
    assert len(everything.names) == 32
    values = seen(1, 3).margins[:, :32]
    np.testing.assert_array_equal(everything.values, values)


def test_a_function_of_your_own(references: ObservedReferences, tmp_path: Path) -> None:
    def greatest(logits: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> float:
        del labels
        return float(logits[groups == "test", 0].max())

    own = OwnObservable("greatest logit on test", greatest)
    found = audit(seen(6, 160), references, observables=(GroupMedians(), own), seed=0)
    assert "greatest logit on test" in found.declaration.observables
    found.report(tmp_path / "out")
    (said,) = verify(tmp_path / "out")
    assert "cannot be run again" in said
    assert "greatest logit on test" in said
    infinite = OwnObservable("none", lambda logits, labels, groups: float("nan"))
    with pytest.raises(ValueError, match="observable 'none': expected finite numbers"):
        audit(seen(6, 20), references, observables=(infinite,), seed=0)


def test_an_audit_with_its_observables_is_verified(
    references: ObservedReferences, tmp_path: Path
) -> None:
    looked_at = (GroupMedians(), EachExample(most=5), WorstExample(share=0.2), LearnedWitness())
    found = audit(seen(7, 96), references, observables=looked_at, seed=11)
    found.report(tmp_path / "out")
    declared = read_certificate(tmp_path / "out" / "certificate.json").predicate.declaration
    assert declared.seed == 11  # pyright: ignore[reportAttributeAccessIssue]
    assert tuple(declared.looked_at) == tuple(map(settings_of, looked_at))  # pyright: ignore[reportAttributeAccessIssue]
    assert verify(tmp_path / "out") == []
    other = audit(seen(7, 96), references, observables=looked_at, seed=12)
    assert other.declaration.observables != found.declaration.observables
    assert "seed 11" in found.declaration.bounds


@pytest.mark.parametrize("name", OBSERVABLES)
def test_every_observable_has_words_settings_and_columns(name: str) -> None:
    kind = observable_of(name)
    assert kind.words()
    assert observable_of(settings_of(kind)) == kind
    (block,) = blocks_of((kind,), seen(1, 64), seen(2, 80), 3)
    assert len(block.names) == len(set(block.names)) == len(block.examples)
    assert block.first.shape[1] == block.second.shape[1] == len(block.names)
    assert np.isfinite(block.first).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("each-exampel", "observable: expected one of .* did you mean 'each-example'"),
        ("each-example:least=3", "observable each-example: expected settings most, found 'least'"),
        (
            "each-example:most=many",
            "observable each-example: most: expected a number, found 'many'",
        ),
        ("each-example:most=0", "most: expected at least 1, found 0"),
        ("worst-example:share=1.5", r"share: expected a number in \(0, 1\), found 1.5"),
        ("group-medians:share=1", "observable group-medians: expected settings none"),
    ],
)
def test_what_is_no_observable_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        observable_of(text)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ((), ValueError, "expected one that needs no learning"),
        ((WorstExample(),), ValueError, "expected one that needs no learning"),
        ((GroupMedians(), GroupMedians()), ValueError, "found 'group-medians' twice"),
        (("each-example",), TypeError, "observables: expected observables such as EachExample"),
    ],
)
def test_observables_as_users_give_them(
    given: Sequence[Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        check_observables(given)


def test_columns_can_be_chosen() -> None:
    columns: Observables = GroupMedians().columns(seen(1, 4), 0)
    some = columns.only([2, 0])
    assert some.names == ("median margin on test", "median margin on forget")
    np.testing.assert_array_equal(some.values, columns.values[:, [2, 0]])
