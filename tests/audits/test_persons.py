"""Examples that belong to persons: a row a person, from a file to the report and back."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from audits import (
    EachExample,
    GroupMedians,
    ObservedReferences,
    SubmissionError,
    WorstExample,
    audit,
    formats,
    load,
    verify,
)
from audits.formats import Mapping, as_margins
from audits.verdict._blocks import columns_of
from audits.verdict._observables import rows_of
from oracles import Observations

# Six examples of S and four of the rest: Ada has two and one, Bob two of S, the others nobody.
GROUPS = np.array(["forget"] * 6 + ["behaviour"] * 4 + ["test"] * 2)
PERSONS = ["Ada", "Bob", "", "Ada", "Bob", "", "Ada", "", "", "", "", "Ada"]


def seen(seed: int, models: int = 8, *, persons: Any = PERSONS, ada: float = 0.0) -> Observations:
    """Models with independent margins, those of Ada's examples in S raised."""
    margins = np.random.default_rng(seed).normal(size=(models, len(GROUPS)))
    margins[:, [0, 3]] += ada
    logits = np.stack([margins, np.zeros_like(margins)], axis=2).astype(np.float32)
    ids = np.array([f"e{k}" for k in range(len(GROUPS))])
    whose = None if persons is None else np.array(persons)
    return Observations(logits, np.zeros(len(GROUPS), np.int32), GROUPS, ids, whose)


def test_a_person_has_a_row_in_each_group() -> None:
    one = seen(1)
    found = EachExample().columns(one, 0)
    assert found.names == (
        "mean margin of the 2 examples of person Ada in forget",
        "mean margin of the 2 examples of person Bob in forget",
        "margin of example e2",
        "margin of example e5",
        "mean margin of the 1 example of person Ada in behaviour",
        "margin of example e7",
        "margin of example e8",
        "margin of example e9",
    )
    assert found.examples == ("Ada", "Bob", "e2", "e5", "Ada", "e7", "e8", "e9")
    assert found.groups == ("forget",) * 4 + ("behaviour",) * 4
    # By hand, one model and column at a time.
    members = [[0, 3], [1, 4], [2], [5], [6], [7], [8], [9]]
    for model, row in enumerate(found.values):
        for value, probes in zip(row, members, strict=True):
            expected = sum(float(one.margins[model, k]) for k in probes) / len(probes)
            assert value == pytest.approx(expected, abs=1e-12)


def test_the_most_counts_rows() -> None:
    few = EachExample(most=2).columns(seen(1), 3)
    assert len(few.names) == 4
    assert set(few.names) <= set(EachExample().columns(seen(1), 3).names)
    assert len(EachExample(most=4).columns(seen(1), 3).names) == 8
    assert few.names == EachExample(most=2).columns(seen(2), 3).names
    assert columns_of(GROUPS) == 3 + (6 + 1) + (4 + 1) + 1
    assert columns_of(GROUPS, seen(1).persons) == 3 + (4 + 1) + (4 + 1) + 1


def test_without_persons_nothing_changes() -> None:
    plain, named = seen(1, persons=None), seen(1, persons=[""] * len(GROUPS))
    assert [row.probes for row in rows_of("forget", GROUPS, None)] == [(k,) for k in range(6)]
    for most in (3, 500):
        first, second = (EachExample(most).columns(one, 5) for one in (plain, named))
        assert first.names == second.names
        np.testing.assert_array_equal(first.values, second.values)


def test_a_person_who_differs_is_named_everywhere(tmp_path: Path) -> None:
    references = ObservedReferences(seen(1, 160), seen(2, 160, ada=6.0))
    observables = (GroupMedians(), EachExample(), WorstExample())
    found = audit(seen(3, 160, ada=3.0), references, observables=observables, seed=0)
    worst = found.untraining.worst_example(found.declaration.tolerance)
    assert worst is not None
    assert (worst.called, worst.of_person, worst.others) == ("person Ada", True, 0)
    assert worst.observable == "mean margin of the 2 examples of person Ada in forget"
    said = "person Ada: the mean margin of their examples in forget alone tells the"
    assert said in " ".join(str(found).split())
    assert "2 means of the examples of" not in found.scope
    assert "3 means of the examples of a person" in found.scope
    # The worst example is a single one still.
    rows = {row.observable: row for row in found.untraining.by_observable}
    assert "greatest deviation of an example of forget" in rows
    folder = tmp_path / "audit"
    found.report(folder)
    for name in ("report.html", "report.md"):
        text = " ".join((folder / name).read_text(encoding="utf-8").split())
        assert "beyond the tolerance; person Ada alone, by at least" in text
        assert "Person Ada" in text
        assert "margin of the 2 examples of person Ada in forget" in text
    assert verify(folder / "certificate.json") == []
    # Whose examples they are is in the digest.
    path = folder / "observations" / "submission.json"
    path.write_text(path.read_text().replace('"Bob"', '"Eve"'))
    with pytest.raises(
        SubmissionError, match="field digest: expected that of the array and probes"
    ):
        verify(folder / "certificate.json")


def test_others_are_counted_by_what_they_are() -> None:
    references = ObservedReferences(seen(1, 160), seen(2, 160))
    raised = seen(3, 160, ada=6.0)
    logits = raised.logits.copy()
    logits[:, [1, 2, 4, 5], 0] += 5.0
    found = audit(replace(raised, logits=logits), references, observables=(EachExample(),), seed=0)
    (worst, _) = found.worst_examples
    assert (worst.others, worst.other_persons) == (3, 2 - worst.of_person)
    said = "; one other person and 2 other examples are off, too"
    assert (said in " ".join(str(found).split())) == worst.of_person


def test_a_person_who_is_off_in_both_groups_is_counted_once() -> None:
    references = ObservedReferences(seen(1, 160), seen(2, 160))
    ada = np.flatnonzero(np.asarray(PERSONS) == "Ada")
    raised = seen(3, 160)
    logits = raised.logits.copy()
    logits[:, ada, 0] += 6.0
    found = audit(replace(raised, logits=logits), references, observables=(EachExample(),), seed=0)
    worst = found.untraining.worst_example(found.declaration.tolerance)
    assert worst is not None
    assert (worst.called, worst.others, worst.other_persons) == ("person Ada", 0, 0)


def test_whose_examples_they_are_is_for_the_references_to_say() -> None:
    named = ObservedReferences(seen(1), seen(2))
    plain = ObservedReferences(seen(1, persons=None), seen(2, persons=None))
    order = np.random.default_rng(0).permutation(len(GROUPS))
    told = audit(seen(3), named, seed=0).provenance.digests["submission"]
    for persons in (None, PERSONS):
        given = seen(3, persons=persons)
        assert audit(given, named, seed=0).provenance.digests["submission"] == told
        moved = Observations(
            given.logits[:, order],
            *(given.labels[order], given.groups[order], given.ids[order]),
            persons=None if given.persons is None else given.persons[order],
        )
        assert audit(moved, named, seed=0).provenance.digests["submission"] == told
    # One who merged all examples into one person would hide the single one that differs.
    merged = ["Ada"] * len(GROUPS)
    with pytest.raises(SubmissionError, match=r"'e1': expected person 'Bob' as in the references"):
        audit(seen(3, persons=merged), named, seed=0)
    said = r"'e0': expected no person .*, found person 'Ada'"
    with pytest.raises(SubmissionError, match=said) as e:
        audit(seen(3), plain, seed=0)
    assert str(e.value).endswith(
        "; references name persons where they are made from a scenario file with persons under its "
        "[probes] (docs/scenario-files.md): make such ones, or leave the person column out"
    )
    with pytest.raises(SubmissionError, match=r"expected person 'Bob'") as e:
        audit(seen(3, persons=merged), named, seed=0)
    assert "scenario file" not in str(e.value)
    assert as_margins(seen(1)).persons is not None


def table(folder: Path, **changes: Any) -> Path:
    frame = pd.DataFrame(
        {
            "model": np.repeat(["m0", "m1"], 3),
            "probe": ["a", "b", "c"] * 2,
            "group": ["forget", "forget", "test"] * 2,
            "margin": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
            "person": ["Ada", "", "Ada"] * 2,
            "text": ["of a", 'with "quotes",\tand\x1bmore', ""] * 2,
        }
    ).assign(**changes)
    path = folder / "t.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("kind", ["csv", "parquet", "nulls"])
def test_tables_name_persons_and_texts(kind: str, tmp_path: Path) -> None:
    path = table(tmp_path)
    if kind != "csv":
        frame = pd.read_csv(path, keep_default_na=False)
        if kind == "nulls":
            frame = frame.replace({"person": {"": None}, "text": {"": None}})
        path = tmp_path / "t.parquet"
        frame.to_parquet(path)
    found = formats.read(path).seen
    assert isinstance(found, Observations)
    assert found.persons is not None
    assert found.texts is not None
    assert list(found.persons) == ["Ada", "", "Ada"]
    assert list(found.texts) == ["of a", 'with "quotes", and\ufffdmore', ""]
    # Through the array that `indist ingest` makes, and without them in what an audit stores.
    found.save(tmp_path / "mine", margins_only=True)
    again = load(tmp_path / "mine.safetensors").content
    assert isinstance(again, Observations)
    assert again.digest == found.digest
    assert list(again.texts) == list(found.texts)


def test_a_mapping_names_them_where_the_table_does_not(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_text("model,a,b\nm0,1,2\nm1,3,4\n")
    probes = [
        {"id": "b", "group": "forget", "person": "Ada", "text": "of b"},
        {"id": "a", "group": "test"},
    ]
    said = {"scalar": "margin", "probes": probes}
    found = formats.read(path, mapping=Mapping.model_validate(said)).seen
    assert isinstance(found, Observations)
    assert (list(found.ids), list(found.persons)) == (["a", "b"], ["", "Ada"])
    assert list(found.texts) == ["", "of b"]
    both = table(tmp_path)
    frame = pd.read_csv(both, keep_default_na=False).drop(columns=["group", "text"])
    frame.to_csv(both, index=False)
    probes = [{"id": name, "group": "forget", "person": "Eve"} for name in "abc"]
    (tmp_path / "t.csv.map.json").write_text(
        json.dumps({"format": "indist-mapping", "version": 1, "probes": probes})
    )
    with pytest.raises(SubmissionError, match="field probes: expected no person, as the table has"):
        formats.read(both)
