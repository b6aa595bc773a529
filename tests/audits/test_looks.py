"""Declared looks, exploratory ones, and several submissions at once."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audits import (
    Audit,
    GroupMedians,
    ObservedReferences,
    audit,
    audit_all,
    read_certificate,
    verify,
)
from audits.verdict import looked_before, seed_before
from audits.verdict._looks import check_looks, look_at, next_look, shares
from estimators.exact._exact_test import rejected_counts
from oracles import Observations
from tests.audits.conftest import World

FAR = {"forget": 12.0}
MEDIANS = (GroupMedians(),)


@pytest.fixture(scope="module")
def references(world: World) -> ObservedReferences:
    return ObservedReferences(world(1, models=120), world(2, FAR, models=120))


@pytest.mark.parametrize("looks", range(1, 21))
def test_shares_grow_and_sum_to_one(looks: int) -> None:
    found = shares(looks)
    assert sum(found) == pytest.approx(1.0)
    assert list(found) == sorted(found)
    assert min(found) > 0.0


@pytest.mark.parametrize(
    ("looks", "error"),
    [
        ((128, 64), "each above the last"),
        ((128, 128), "each above the last"),
        ((1, 2), "at least 2"),
        ((0,), "at least 2"),
        ((64.0,), "whole number"),
        ((True,), "whole number"),
        (tuple(range(2, 40)), "at most 20"),
    ],
)
def test_looks_that_are_none_are_refused(looks: tuple[int, ...], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        check_looks(looks)
    for wrong in (128, "128"):
        with pytest.raises(TypeError, match=r"looks: expected numbers such as \(128, 256\)"):
            check_looks(wrong)  # pyright: ignore[reportArgumentType]


def test_look_that_so_many_models_allow() -> None:
    assert look_at(64, None) == (1, 64, 1.0)
    assert look_at(64, ()) == (0, 64, 1.0)
    assert look_at(64, (128, 256)) == (0, 64, 1.0)
    assert look_at(255, (128, 256)) == (1, 128, 0.25)
    assert look_at(999, (128, 256)) == (2, 256, 0.75)
    assert [next_look(models, (128, 256)) for models in (1, 129, 257)] == [1, 2, None]


def test_look_uses_the_first_models_and_its_part_of_alpha(
    world: World, references: ObservedReferences, tmp_path: Path
) -> None:
    given = world(3, models=120)
    looks = (64, 100, 200)
    found = audit(given, references, observables=MEDIANS, looks=looks, seed=0)
    assert found.declaration.look == 2
    assert found.untraining.models_first == 100
    assert found.waiting == 20
    assert "waiting: 20 submitted models wait for the next declared look" in str(found)
    assert np.array_equal(found.observations["submission"].logits, given.logits[:100])
    alpha = 0.05 * shares(3)[1]
    assert found.declaration.look_confidence == pytest.approx(1.0 - alpha)
    assert 1.0 - found.untraining.confidence <= alpha
    assert "the one at 100 of those declared at 64, 100 and 200 submitted models" in found.scope
    found.report(tmp_path / "out")
    certified = read_certificate(tmp_path / "out" / "certificate.json")
    assert certified.predicate.declaration.model_dump()["looks"] == list(looks)
    assert verify(tmp_path / "out") == []
    # The same models alone are the same look.
    alone = audit(world(3, models=120), references, observables=MEDIANS, looks=(64, 100), seed=0)
    assert alone.declaration.look == 2


@pytest.mark.parametrize("looks", [(), (128, 256)])
def test_undeclared_look_is_exploratory(
    world: World, references: ObservedReferences, looks: tuple[int, ...], tmp_path: Path
) -> None:
    found = audit(world(3, models=90), references, observables=MEDIANS, looks=looks, seed=0)
    single = audit(world(3, models=90), references, observables=MEDIANS, seed=0)
    assert found.sentence.startswith("In an exploratory look, which was not declared: ")
    assert "were this the only look" in found.scope
    assert (found.verdict, found.untraining.upper) == (single.verdict, single.untraining.upper)
    found.report(tmp_path / "out")
    assert verify(tmp_path / "out") == []
    text = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "exploratory" in text


def test_about_so_many_models_says_which_look_that_would_be(
    world: World, references: ObservedReferences
) -> None:
    few = world(3, models=40)
    found = audit(few, references, observables=MEDIANS, seed=0)
    assert found.verdict == "inconclusive"
    assert ", in an exploratory second look (none was declared)" in found.sentence
    assert found.next_step.startswith("Make about ")
    needed = found.models_needed
    assert needed is not None
    looks = (40, 2 * needed)
    declared = audit(few, references, observables=MEDIANS, looks=looks, seed=0)
    assert f"which is the declared look at {2 * needed:,}" in declared.sentence
    beyond = audit(few, references, observables=MEDIANS, looks=(30, 41), seed=0)
    assert "beyond the last declared look, at 41" in beyond.sentence


def test_folder_knows_of_an_earlier_look_at_the_same_models(
    world: World, references: ObservedReferences, tmp_path: Path
) -> None:
    given = world(3, models=120)
    folder = tmp_path / "out"

    def look(models: int, looks: tuple[int, ...] | None, **settings: float) -> bool:
        part = type(given)(given.logits[:models], given.labels, given.groups, given.ids)
        chosen = {"observables": MEDIANS, "looks": looks, "seed": 0} | settings
        return looked_before(audit(part, references, **chosen), folder)

    assert not look(60, None)
    part = type(given)(given.logits[:60], given.labels, given.groups, given.ids)
    audit(part, references, observables=MEDIANS, seed=0).report(folder)
    assert not look(60, None)
    assert look(120, None)
    assert look(60, None, tolerance=0.3)
    assert look(60, None, seed=1)
    assert look(120, (60, 120))
    other = audit(world(9, models=60), references, observables=MEDIANS, seed=0)
    assert not looked_before(other, folder)
    audit(part, references, observables=MEDIANS, looks=(60, 120), seed=0).report(
        folder, replace=True
    )
    assert not look(120, (60, 120))
    assert not look(120, (60, 120), seed=1)
    assert look(120, (60, 100))


def test_a_later_declared_look_takes_the_place_of_the_earlier_one(
    world: World, references: ObservedReferences, tmp_path: Path
) -> None:
    given, folder, looks = world(3, models=120), tmp_path / "out", (60, 120)

    def look(models: int, of: Observations = given, **settings: Any) -> Audit:
        part = Observations(of.logits[:models], of.labels, of.groups, of.ids)
        chosen: dict[str, Any] = {"observables": MEDIANS, "looks": looks, "seed": models} | settings
        return audit(part, chosen.pop("refs", references), **chosen)

    look(60).report(folder)
    others = ObservedReferences(references.untraining, world(77))
    for other in (
        look(120, world(9, models=120)),
        look(120, tolerance=0.3),
        look(120, looks=None),
        look(60, seed=1),
        look(120, refs=others),
    ):
        with pytest.raises(ValueError, match="already holds another result"):
            other.report(folder)
    later = look(120)
    (folder / "notes.txt").write_text("mine")
    later.report(folder)
    assert (folder / "notes.txt").read_text() == "mine"
    (folder / "notes.txt").unlink()
    assert verify(folder) == []
    later.report(folder)
    with pytest.raises(ValueError, match="already holds another result"):
        look(60).report(folder)


def test_any_look_errs_rarely_and_undeclared_looks_more_often() -> None:
    # 4,000 schedules of one binary observable just beyond the tolerance.
    rng, alpha, repeats = np.random.default_rng(0), 0.025, 4000
    p = np.cumsum(rng.random((128, repeats)) < 0.5002, axis=0)
    q = rng.binomial(128, 0.3, repeats)

    def called(models: int, level: float) -> np.ndarray:
        far = rejected_counts(128, models, 1.0, 0.2, level)
        near = rejected_counts(models, 128, 1.0, 0.2, level)
        x = p[models - 1]
        pairs = [(x, q, near), (models - x, 128 - q, near), (q, x, far)]
        pairs.append((128 - q, models - x, far))
        return np.all([first <= region[second] for first, second, region in pairs], axis=0)

    schedule = (32, 64, 128)
    declared = np.any(
        [called(n, alpha * share) for n, share in zip(schedule, shares(3), strict=True)], axis=0
    )
    assert declared.mean() <= alpha + 3.0 * math.sqrt(alpha * (1.0 - alpha) / repeats)
    undeclared = np.any([called(models, alpha) for models in range(16, 129, 16)], axis=0)
    assert undeclared.mean() > 1.3 * alpha


def test_several_submissions_compare_the_references_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audits.verdict import _judge

    references = ObservedReferences(
        world(1, models=60), world(2, FAR, models=60), world(4, FAR, models=60)
    )
    made: list[tuple[str, str]] = []
    real = _judge.compare

    def counted(*args: object, names: tuple[str, str], **settings: object) -> object:
        made.append(names)
        return real(*args, names=names, **settings)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(_judge, "compare", counted)
    given = {"a": world(3, models=60), "b": world(5, FAR, models=60), "c": world(6, models=50)}
    found = audit_all(given, references, observables=MEDIANS, seed=0)
    for pair in (("untraining", "unlearning"), ("original", "untraining")):
        assert made.count(pair) == 1
    seeds = {result.declaration.seed for result in found.values()}
    assert len(seeds) == 1
    for name, part in given.items():
        alone = audit(
            part, references, observables=MEDIANS, among=3, seed=found[name].declaration.seed
        )
        assert alone.verdict == found[name].verdict
        assert alone.stands == found[name].stands
        assert alone.references.lower == found[name].references.lower


def test_verdict_among_several_stands_where_a_third_of_alpha_gives_it(
    world: World, references: ObservedReferences, tmp_path: Path
) -> None:
    settings = {"observables": MEDIANS, "seed": 0}
    for models in (100, 120):
        part = world(3, models=models)
        found = audit(part, references, among=3, **settings)
        stricter = audit(part, references, confidence=1.0 - 0.05 / 3.0, **settings)
        same = found.verdict != "inconclusive" and found.verdict == stricter.verdict
        assert found.stands == same
    found.report(tmp_path / "out")
    assert verify(tmp_path / "out") == []
    assert "among 3 submissions audited at once" in " ".join(str(found).split())
    assert audit(part, references, **settings).stands is None


def test_seed_of_several_is_drawn_once_for_all(
    world: World, references: ObservedReferences, tmp_path: Path
) -> None:
    parts = {"a": world(3, models=40), "b": world(5, models=40)}
    settings: dict[str, Any] = {"observables": MEDIANS, "epsilon": 0.0}
    first, other = (audit_all(parts, references, **settings) for _ in range(2))
    seeds = [{found.declaration.seed for found in results.values()} for results in (first, other)]
    assert len(seeds[0]) == len(seeds[1]) == 1
    assert seeds[0] != seeds[1]
    # The same audit again takes the seed that is recorded; another does not.
    first["a"].report(tmp_path / "out")
    assert seed_before(other["a"], tmp_path / "out") == first["a"].declaration.seed
    assert seed_before(other["b"], tmp_path / "out") is None
    assert seed_before(other["a"], tmp_path / "nothing") is None
    stricter = audit(parts["a"], references, **settings, tolerance=0.3)
    assert seed_before(stricter, tmp_path / "out") is None


def test_several_need_one_and_declared_observables(references: ObservedReferences) -> None:
    with pytest.raises(ValueError, match="expected at least one, found none"):
        audit_all({}, references, seed=0)
    given = references.untraining
    with pytest.raises(ValueError, match="expected some beside looks or several"):
        audit(given, references, observables=None, looks=(16,))
    with pytest.raises(ValueError, match="among: expected at least 1"):
        audit(given, references, among=0, seed=0)
    # As of 0.1.0, several are audited as ever.
    assert audit_all({"a": given}, references, observables=None)["a"].stands is None
