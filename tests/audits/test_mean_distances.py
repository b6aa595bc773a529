"""Distance of means in an audit: a row a reference, beside the verdict, drawn by its seed."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from audits import Audit, GroupMedians, ObservedReferences, audit, read_certificate, verify
from estimators import mean_distance
from tests.audits.conftest import World

FAR = {"forget": 12.0, "behaviour": 12.0}


def audited(world: World, models: int = 60, seed: int = 0) -> Audit:
    references = ObservedReferences(world(1, models=models), world(2, FAR, models=models))
    submission = world(3, {"test": 0.7}, models=models)
    return audit(submission, references, observables=(GroupMedians(),), seed=seed)


def estimates(found: Audit) -> dict[str, float | None]:
    return {row.reference: row.estimate for row in found.mean_distances}


@pytest.fixture(scope="module")
def found(world: World) -> Audit:
    return audited(world)


def test_every_reference_has_its_distance_over_all_probes(found: Audit) -> None:
    ours = found.observations["submission"].margins
    wanted = {
        name: mean_distance(ours, found.observations[name].margins, seed=0).estimate
        for name in ("untraining", "unlearning")
    }
    assert estimates(found) == wanted
    assert wanted["unlearning"] > 3.0 * abs(wanted["untraining"]) > 0.0


def test_halves_are_drawn_by_the_seed_of_the_audit(world: World, found: Audit) -> None:
    assert estimates(audited(world)) == estimates(found)
    assert estimates(audited(world, seed=1)) != estimates(found)


def test_terminal_table_and_report_say_it(found: Audit, tmp_path: Path) -> None:
    near, far = (estimates(found)[name] for name in ("untraining", "unlearning"))
    assert near is not None
    assert far is not None
    words = " ".join(str(found).split())
    assert (
        "distance of mean margins over all probes (about 0 for a match): "
        f"untraining {near:+.1f}, unlearning {far:+.1f}" in words
    )
    table = found.to_dataframe().dropna(subset=["mean_distance"])
    columns = ["first", "second", "observable", "mean_distance"]
    assert table[columns].to_numpy().tolist() == [
        ["submission", "untraining", "all", near],
        ["submission", "unlearning", "all", far],
    ]
    found.report(tmp_path / "out")
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "Mean margins of all probes at once" in text
    assert f"{far:+.1f}" in text


def test_certificate_holds_it_and_is_verified(found: Audit, tmp_path: Path) -> None:
    found.report(tmp_path)
    assert verify(tmp_path) == []
    path = tmp_path / "certificate.json"
    content = json.loads(path.read_text())
    rows = content["predicate"]["mean_distances"]
    assert {row["reference"]: row["estimate"] for row in rows} == estimates(found)
    rows[0]["estimate"] += 0.5
    path.write_text(json.dumps(content))
    (difference,) = verify(tmp_path)
    assert difference.startswith("predicate.mean_distances[0].estimate: certified ")
    # Version 2 was written without it before.
    del content["predicate"]["mean_distances"]
    path.write_text(json.dumps(content))
    assert read_certificate(path).predicate.version == 2


@pytest.mark.parametrize("observables", [None, (GroupMedians(),)])
def test_an_audit_without_a_seed_can_be_verified(
    world: World, tmp_path: Path, observables: tuple[GroupMedians] | None
) -> None:
    references = ObservedReferences(world(1), world(2, FAR))
    audit(world(3), references, observables=observables).report(tmp_path / "out")
    assert verify(tmp_path / "out") == []


def test_few_models_and_models_that_do_not_differ_have_none(world: World) -> None:
    assert set(estimates(audited(world, models=3)).values()) == {None}
    assert None not in estimates(audited(world, models=4)).values()
    one = world(1, models=1)
    same = replace(one, logits=np.repeat(one.logits, 8, axis=0))
    references = ObservedReferences(same, same)
    flat = audit(same, references, observables=(GroupMedians(),), seed=0)
    assert set(estimates(flat).values()) == {None}
    assert "untraining not known, unlearning not known" in " ".join(str(flat).split())
