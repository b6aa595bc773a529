"""What the examples are that an audit names: pictures and words, escaped, and left out if asked."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from markupsafe import Markup

from audits import Audit, EachExample, ObservedReferences, audit, verify
from audits.report._blocks import Claims, Shown, Table
from audits.report._contents import picture, words
from audits.report._markdown import block_texts
from indist import oracles
from oracles import Observations
from tests.audits.pages import NASTY, Page, check_self_contained
from tests.audits.test_persons import GROUPS, seen

HOSTILE = f"{NASTY} \u202egnihton\u202c \x1b[31m\x00 </blockquote></figure> \u05d0\u05d1"


def drawn(image: Markup | None) -> np.ndarray:
    """The pixels of a picture, as their colours' levels 0 to 15."""
    assert image is not None
    page = Page(image)
    assert set(page.tags) == {"svg", "path"}
    columns, rows = map(int, re.findall(r'viewBox="0 0 (\d+) (\d+)"', image)[0])
    found = np.full((rows, columns, 3), -1)
    for colour, steps in re.findall(r'fill="#(...)" d="([^"]*)"', image):
        for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3(?!\d)", steps):
            part = found[int(y), int(x) : int(x) + int(width)]
            assert (part == -1).all()
            part[:] = [int(level, 16) for level in colour]
    assert (found >= 0).all()
    return found


@pytest.mark.parametrize("side", [8, 28])
def test_numbers_of_a_square_are_ink_on_paper(side: int) -> None:
    ink = np.random.default_rng(0).integers(0, 16, (side, side)) / 15
    image = picture(ink.ravel().astype(np.float32), name="x")
    expected = np.repeat(15 - np.round(15 * ink).astype(int)[:, :, None], 3, axis=2)
    np.testing.assert_array_equal(drawn(image), expected)


def test_pictures_in_colour_with_colours_first_or_last() -> None:
    image = np.random.default_rng(0).integers(0, 16, (32, 20, 3)) / 15
    expected = np.round(15 * image).astype(int)
    for given in (image, image.transpose(2, 0, 1), 17 * (15 * image).round().astype(np.int32)):
        np.testing.assert_array_equal(drawn(picture(given, name="x")), expected)
    grey = drawn(picture(image[:, :, :1], name="x"))
    np.testing.assert_array_equal(grey, np.repeat(expected[:, :, :1], 3, axis=2))
    np.testing.assert_array_equal(drawn(picture(image[:, :, 0], name="x")), grey)


def test_a_large_picture_becomes_a_small_one() -> None:
    large = np.zeros((100, 65, 3))
    large[:50] = 1.0
    found = drawn(picture(large, name="x"))
    assert found.shape == (25, 17, 3)
    # Rows of blocks of four: twelve are white, the thirteenth is half so.
    assert (found[:12] == 15).all()
    assert (found[13:] == 0).all()
    assert set(found[12].ravel().tolist()) <= {7, 8}
    # The worst that a page has to bear.
    noise = np.random.default_rng(0).random((224, 224, 3))
    assert len(picture(np.kron(noise[:32, :32], np.ones((7, 7, 1))), name="x") or "") < 36_000


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (np.float32([0.5, -1.25]), "coordinates 0.5, -1.25"),
        (np.arange(9) / 8, "9 numbers: 0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, ..."),
        (np.int32([4, 0, 11]), "tokens 4 0 11"),
        (np.arange(50), f"tokens {' '.join(map(str, range(40)))} ..."),
        (np.full(64, -0.5), "64 numbers: " + 8 * "-0.5, " + "..."),
        (np.full((8, 8), np.nan), "64 numbers: " + 8 * "nan, " + "..."),
        ("any text", "any text"),
    ],
)
def test_what_is_no_picture_becomes_words(given: Any, expected: str) -> None:
    assert picture(given, name="x") is None
    assert words(given) == expected


def test_names_in_pictures_are_escaped() -> None:
    image = picture(np.zeros(64), name=f'"><script>{NASTY}')
    assert set(Page(image or "").tags) == {"svg", "path"}


def test_words_in_markdown_and_pictures_in_html_alone() -> None:
    shown = {"Example a": (Shown("b", "*of* b"), Shown("c", image=Markup("<svg></svg>")))}
    (text,) = block_texts(Claims((("Example a", "It differs."), ("Else", "None.")), shown))[:1]
    assert text == r"**Example a.** It differs. b: “\*of\* b”."
    table = Table("t", ("name",), (("Example a",),), shown=shown)
    assert "of" not in "".join(block_texts(table))


def texts(**said: str) -> np.ndarray:
    return np.array([said.get(f"e{k}", "") for k in range(len(GROUPS))], dtype=object)


def with_texts(one: Observations, **said: str) -> Observations:
    return Observations(one.logits, one.labels, one.groups, one.ids, one.persons, texts(**said))


@pytest.fixture(scope="module")
def found() -> Audit:
    """Ada's two examples in S differ, and e2, which is nobody's."""
    untraining = with_texts(seen(1, 96), e0=HOSTILE, e1="Bob's secret")
    submission = with_texts(seen(3, 96, ada=4.0), e0="forged", e2="of the second")
    logits = submission.logits.copy()
    logits[:, 2, 0] += 4.0
    submission = Observations(
        logits,
        *(submission.labels, submission.groups, submission.ids),
        persons=submission.persons,
        texts=submission.texts,
    )
    references = ObservedReferences(untraining, seen(2, 96))
    return audit(submission, references, observables=(EachExample(),), seed=0)


def test_only_what_differs_is_held_and_the_references_say_what_it_is(found: Audit) -> None:
    assert sorted(found.contents) == ["e0", "e2"]
    assert found.contents["e2"] == "of the second"
    assert "forged" not in found.contents["e0"]
    assert "\x1b" not in found.contents["e0"]
    assert "\u202e" not in found.contents["e0"]
    assert "secret" not in found.certificate().to_json()
    assert "of the second" not in found.certificate().to_json()


def test_hostile_texts_are_shown_as_they_are(found: Audit, tmp_path: Path) -> None:
    found.report(tmp_path)
    html, markdown = ((tmp_path / f"report.{kind}").read_text("utf-8") for kind in ("html", "md"))
    check_self_contained(html)
    page = Page(html)
    assert "script" not in page.tags
    assert NASTY in page.text
    assert "</blockquote></figure> \u05d0\u05d1" in page.text
    for text in (html, markdown):
        assert not re.search("[\x00-\x09\x0b-\x1f\u202a-\u202e]", text)
        assert "secret" not in text
    assert "<script" not in markdown
    assert "of the second" in markdown
    # The first screen, the table against either reference, and what else was found.
    for text in ("of the second", "&lt;/blockquote&gt;"):
        assert html.count(text) >= 2
    assert page.text.count("person Ada") >= 2
    assert "With --redact it is written without them" in page.text
    assert verify(tmp_path / "certificate.json") == []


def test_redacted_reports_hold_no_contents(found: Audit, tmp_path: Path) -> None:
    for name, redact in (("shown", False), ("redacted", True)):
        found.report(tmp_path / name, redact=redact)
    for path in sorted((tmp_path / "redacted").rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            for secret in (b"of the second", b"alert(1)", b"forged", b"secret"):
                assert secret not in data, path
    for path in sorted((tmp_path / "shown" / "observations").iterdir()):
        assert b"of the second" not in path.read_bytes()
    html = (tmp_path / "redacted" / "report.html").read_text("utf-8")
    assert "blockquote>" not in html
    assert "Left out of this report, as was asked" in html
    assert "person Ada" in html
    first, second = (
        json.loads((tmp_path / name / "certificate.json").read_text())["predicate"]
        for name in ("shown", "redacted")
    )
    assert first["files"]["report.html"] != second["files"]["report.html"]
    assert first | {"files": {}} == second | {"files": {}}
    assert verify(tmp_path / "redacted" / "certificate.json") == []
    # One may take the place of the other, as all numbers are the same.
    found.report(tmp_path / "shown", replace=False, redact=True)
    assert "of the second" not in (tmp_path / "shown" / "report.html").read_text("utf-8")


class Native:
    """References that hold a scenario, and so the inputs of its probes."""

    original = None

    def __init__(self, scenario: oracles.Scenario) -> None:
        self.scenario, self.probes = scenario, scenario.probes
        self.untraining, self.unlearning = (made(scenario, seed) for seed in (1, 2))


def made(scenario: oracles.Scenario, seed: int, raised: int | None = None) -> Observations:
    probes = scenario.probes
    logits = np.random.default_rng(seed).normal(size=(96, len(probes), scenario.classes))
    if raised is not None:
        logits[:, raised, probes.labels[raised]] += 9.0
    return Observations(logits.astype(np.float32), probes.labels, probes.groups, probes.ids)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("digits-random-labels", "<svg"),
        ("circles", "coordinates "),
        ("sequences", "tokens "),
        ("cancer-source", "30 numbers: "),
    ],
)
def test_inputs_of_native_references_are_shown(name: str, expected: str, tmp_path: Path) -> None:
    scenario = oracles.scenarios.load(name, seed=0)
    references = Native(scenario)
    submission = made(scenario, 3, raised=1)
    # What the submission says of an example does not take the place of what it is.
    forged = np.array(["forged"] * len(scenario.probes), dtype=object)
    submission = replace(submission, texts=forged)
    found = audit(submission, references, observables=(EachExample(),), seed=0)
    assert list(found.contents) == ["forget/0001"]
    np.testing.assert_array_equal(found.contents["forget/0001"], scenario.probes.inputs[1])
    found.report(tmp_path)
    html, markdown = ((tmp_path / f"report.{kind}").read_text("utf-8") for kind in ("html", "md"))
    check_self_contained(html)
    assert f"labelled {scenario.probes.labels[1]}" in html
    if expected == "<svg":
        image = picture(scenario.probes.inputs[1], name="example forget/0001")
        # Three times against each reference: at a glance, in the table, and in what else was found.
        assert html.count(str(image)) == 6
        assert "labelled" not in markdown
    else:
        said = words(scenario.probes.inputs[1])
        assert said.startswith(expected)
        assert said in html
        assert said in markdown
