"""The report of one model: it repeats the audit, says what it cannot, and lets nothing in."""

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audits import ObservedReferences, SingleAudit, audit_single
from audits.report import _page
from audits.report._figures import MARKS
from audits.report._folder import record_bytes
from audits.single._page import places, record
from oracles import Observations
from tests.audits.conftest import World
from tests.audits.pages import NASTY, Page, check_self_contained

FORGOTTEN = {"forget": -3.0}
HIDDEN = FORGOTTEN | {"behaviour": -8.0}
FILES = ["observations", "report.html", "report.md", "single.json"]


@pytest.fixture(scope="module")
def found(world: World) -> SingleAudit:
    refs = ObservedReferences(world(1, FORGOTTEN), world(2, HIDDEN))
    return audit_single(world(3, FORGOTTEN, models=1), refs)


def written(audit: SingleAudit, folder: Path) -> tuple[str, str, Any]:
    audit.report(folder)
    assert sorted(path.name for path in folder.iterdir()) == FILES

    def refuse(token: str) -> None:
        raise AssertionError(token)

    numbers = json.loads((folder / "single.json").read_text("utf-8"), parse_constant=refuse)
    return (folder / FILES[1]).read_text("utf-8"), (folder / FILES[2]).read_text("utf-8"), numbers


def test_pages_say_what_was_found_and_what_cannot_be(found: SingleAudit, tmp_path: Path) -> None:
    html, markdown, _ = written(found, tmp_path / "new" / "folder")
    check_self_contained(html)
    page = Page(html)
    assert page.tags.count("h1") == page.tags.count("main") == page.tags.count("svg") == 1
    assert len(html.encode()) < 500_000
    for text in (page.text, markdown):
        for words in (
            "The submitted model is consistent with models never trained on the forget set. It is "
            "inconsistent with models never trained on the behaviour.",
            "What cannot be concluded from one model",
            "Any ε or δ, or that the algorithm is certified.",
            "That an inconsistent model still holds what it should have forgotten.",
            "0 of 30 held out",
            "median margin on behaviour",
        ):
            assert words in text
        # No number is ever given for either.
        assert not re.search(r"(ε|δ|epsilon|delta)\s*(=|of|is|at most)?\s*[0-9]", text)
        assert "certificate.json" not in text
        assert not {"None", "nan", "inf"} & set(text.split())


def test_every_number_is_in_the_file(found: SingleAudit, tmp_path: Path) -> None:
    _, _, numbers = written(found, tmp_path)
    assert (numbers["format"], numbers["version"]) == ("indist-single", 2)
    for name in ("untraining", "unlearning"):
        test, stored = getattr(found, name), numbers[name]
        for field in ("models", "pvalue", "level", "finding", "outside_pvalue"):
            assert stored[field] == getattr(test, field)
        assert stored["outside"] == sum(test.outside.tolist())
        assert [one["value"] for one in stored["groups"]] == [one.value for one in test.groups]
    assert found.ratio is not None
    assert numbers["ratio"]["value"] == found.ratio.value
    assert numbers["ratio"]["unlearning"]["high"] == found.ratio.unlearning.high
    assert numbers["models"] == {"submission": 1, "untraining": 60, "unlearning": 60}
    seen = found.observations
    assert numbers["provenance"]["digests"] == {name: of.digest for name, of in seen.items()}
    assert set(numbers["provenance"]["versions"]) == {"indist", "python", "numpy", "scipy"}
    assert set(numbers["provenance"]["seeds"]) == set(seen)
    assert len(numbers["examples"]) == 12
    for k, row in enumerate(numbers["examples"]):
        own = seen["submission"].margins[0, k]
        others = seen["unlearning"].margins[:, k]
        assert (row["id"], row["margin"]) == (seen["submission"].ids[k], own)
        assert (row["unlearning_low"], row["unlearning_high"]) == (min(others), max(others))
        less, more = sum(x <= own for x in others), sum(x >= own for x in others)
        assert row["pvalue_unlearning"] == min(1.0, 2 * (1 + min(less, more)) / 61)


def test_probes_are_shown_from_the_farthest_on(found: SingleAudit, tmp_path: Path) -> None:
    _, markdown, _ = written(found, tmp_path)
    table = found.to_dataframe()
    outside = table[table["outside_untraining"] | table["outside_unlearning"]]
    assert "such probes that lie farthest outside; all probes are in single.json" in markdown
    gaps = {
        row.id: max(
            row.untraining_low - row.margin, row.margin - row.untraining_high,
            row.unlearning_low - row.margin, row.margin - row.unlearning_high,
        )
        for row in outside.itertuples()
    }  # fmt: skip
    expected = sorted(gaps, key=lambda one: -gaps[one])
    rows = re.findall(r"^\| ([a-z]+/\d+) \|", markdown, re.MULTILINE)
    assert rows == expected
    # Three probes of the behaviour, on which the unlearning reference gives other answers.
    assert "| behaviour | 3 | 0 | 3 |" in markdown


def test_the_figure_is_drawn_from_the_audit(found: SingleAudit) -> None:
    axes = places(found).axes[0]
    drawn = [line.get_xydata() for line in axes.lines]
    for j in range(4):
        own = found.observables["submission"].values[0, j]
        assert any(np.array_equal(xy[:, 0], [own, own]) for xy in drawn)
        for name in ("untraining", "unlearning"):
            values = np.sort(found.observables[name].values[:, j])
            strips = [xy[::3, 0] for xy in drawn if len(xy) == 3 * 60]
            assert any(np.allclose(strip, values, atol=1e-12) for strip in strips)
            medians = [xy for xy in drawn if np.array_equal(xy[:, 0], [np.median(values)])]
            assert medians
    # Readable without colour: three markers, as many as there are populations.
    assert len({MARKS[name].marker for name in ("submission", "untraining", "unlearning")}) == 3


def test_more_than_a_hundred_models_are_drawn_as_hundredths(world: World) -> None:
    refs = ObservedReferences(world(1, models=250), world(2, models=102))
    drawn = places(audit_single(world(3, models=1), refs)).axes[0].lines
    lengths = {len(line.get_xdata()) for line in drawn if len(line.get_xdata()) > 2}
    assert lengths == {3 * 101}
    # Its ends are the least and the greatest model.
    values = np.median(refs.untraining.margins[:, :3], axis=1)
    ends = [
        (line.get_xdata()[0], line.get_xdata()[-2]) for line in drawn if len(line.get_xdata()) > 2
    ]
    assert any(np.allclose(pair, (values.min(), values.max())) for pair in ends)


@pytest.mark.parametrize(
    ("shifts", "models", "headline", "claim"),
    [
        (
            ({}, {}),
            60,
            "It is consistent with models never trained on the behaviour.",
            "Which of the two references it is like.",
        ),
        (
            (HIDDEN, HIDDEN),
            60,
            "It is inconsistent with models never trained on the behaviour.",
            "That an inconsistent model still holds what it should have forgotten.",
        ),
        (
            ({}, {}),
            20,
            "It cannot be told whether it is consistent with models never trained on the behaviour",
            "Anything from a test that is undecided.",
        ),
        (
            ({}, {}),
            3,
            "It cannot be told whether it is consistent with models never trained on the behaviour",
            "Anything from a test that is undecided.",
        ),
    ],
)
def test_every_finding_is_reported(
    world: World, tmp_path: Path, shifts: Any, models: int, headline: str, claim: str
) -> None:
    refs = ObservedReferences(*(world(k, by, models=models) for k, by in enumerate(shifts, 1)))
    html, markdown, numbers = written(audit_single(world(3, models=1), refs), tmp_path)
    for text in (Page(html).text, markdown):
        assert headline in text
        assert claim in text
    assert (numbers["ratio"] is None) == (models == 3)
    assert ("Four models of each reference are needed" in markdown) == (models == 3)


def test_what_users_wrote_is_escaped(found: SingleAudit, tmp_path: Path) -> None:
    half = NASTY + "\ud800"
    seen = {
        name: Observations(
            of.logits, of.labels, of.groups, np.array([f"{NASTY}{k}" for k in range(len(of.ids))])
        )
        for name, of in found.observations.items()
    }
    provenance = replace(
        found.provenance,
        submission=half,
        method=NASTY,
        scenario=NASTY,
        title=NASTY,
        settings={NASTY: NASTY},
        digests={NASTY: NASTY},
        seeds={NASTY: NASTY},
        versions={NASTY: NASTY},
    )
    html, markdown, numbers = written(
        replace(found, provenance=provenance, observations=seen, warnings=(NASTY,)), tmp_path
    )
    check_self_contained(html)
    assert "<script" not in html
    assert Page(html).text.count(NASTY) > 10
    assert "<script" not in markdown
    for line in markdown.splitlines():
        if line.startswith("|"):
            # Populations, groups, observables, probes: no cell was split.
            assert len(re.findall(r"(?<!\\)\|", line)) - 1 in (3, 4, 5, 7)
    assert numbers["provenance"]["submission"] == NASTY + "?"


def test_a_copy_of_a_reference_model_is_warned_of(world: World, tmp_path: Path) -> None:
    refs = ObservedReferences(world(1), world(2))
    one = refs.unlearning
    copied = Observations(one.logits[7:8], one.labels, one.groups, one.ids)
    audit = audit_single(copied, refs)
    html, markdown, _ = written(audit, tmp_path)
    said = "The submitted model equals a model of the unlearning reference to the last bit"
    assert len(audit.warnings) == 1
    for text in (Page(html).text, markdown, " ".join(str(audit).split())):
        assert f"{said}: a copy is no draw of its own" in text
    assert audit_single(world(3, models=1), refs).warnings == ()


def test_the_same_audit_gives_the_same_bytes(found: SingleAudit, tmp_path: Path) -> None:
    assert written(found, tmp_path / "a") == written(found, tmp_path / "b")


def test_a_report_that_cannot_be_made_leaves_the_old_one(
    found: SingleAudit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = written(found, tmp_path)

    def fail(page: _page.Page) -> str:
        raise RuntimeError("no markdown")

    monkeypatch.setattr(_page, "markdown", fail)
    with pytest.raises(RuntimeError, match="no markdown"):
        replace(found, confidence=0.5).report(tmp_path)
    monkeypatch.undo()
    assert sorted(path.name for path in tmp_path.iterdir()) == FILES
    assert (tmp_path / "report.html").read_text("utf-8") == before[0]
    with pytest.raises(ValueError, match="expected a folder to write the report to, found a file"):
        found.report(tmp_path / "report.md")


def test_numbers_that_are_not_finite_are_null(found: SingleAudit) -> None:
    assert found.ratio is not None
    odd = replace(found, ratio=replace(found.ratio, pvalue_untraining=math.inf))
    assert json.loads(record_bytes(record(odd)))["ratio"]["pvalue_untraining"] is None
