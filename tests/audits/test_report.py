"""The report renders every kind of audit, computes nothing, and lets nothing in unescaped."""

import re
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from audits._provenance import Provenance
from audits.report import _page
from audits.report._markdown import escape
from audits.report._svg import svg
from audits.report.numbers import about, down, interval, level, pvalue, up
from audits.verdict._audit import Audit
from audits.verdict._figures import distance_plane, group_margins, hockey_stick_curve
from audits.verdict._page import write_report
from audits.verdict._results import (
    Comparison,
    Curve,
    Declaration,
    Forecast,
    GroupSummary,
    Nearest,
    ObservableDistance,
    OverUnlearned,
)
from oracles import Observations
from tests.audits.pages import NASTY, Page, check_self_contained

OBSERVABLES = tuple(
    f"median margin on {group}" for group in ("forget", "behaviour", "near", "retain", "test")
)
DECLARED = Declaration(
    epsilon=1.0,
    tolerance=0.2,
    confidence=0.95,
    observables=OBSERVABLES,
    events="half-lines of the 5 declared observables",
)


def gaussian_delta(mu: float, epsilon: np.ndarray) -> np.ndarray:
    mu = max(mu, 1e-6)
    return norm.cdf(mu / 2 - epsilon / mu) - np.exp(epsilon) * norm.cdf(-mu / 2 - epsilon / mu)


def comparison(
    first: str, second: str, mu: float, *, width: float = 0.06, models: int = 512
) -> Comparison:
    grid = np.linspace(0, 4, 33)
    forward = gaussian_delta(mu, grid)
    backward = gaussian_delta(0.8 * mu, grid)
    low, high = np.maximum(forward - width, 0), np.minimum(forward + width, 1)
    curve = Curve(
        epsilon=grid,
        forward=forward,
        forward_low=low,
        forward_high=high,
        backward=backward,
        backward_low=np.maximum(backward - width, 0),
        backward_high=np.minimum(backward + width, 1),
    )
    estimate = float(gaussian_delta(mu, np.array(DECLARED.epsilon)))
    lower, upper = max(estimate - width, 0.0), min(estimate + width, 1.0)
    decision = "match" if upper <= 0.2 else "differ" if lower > 0.2 else "open"
    towards = "match" if estimate <= 0.2 else "differ"
    rows = tuple(
        ObservableDistance(
            name, estimate * part, lower * part, upper * part, 1.234 - 3 * part, 1.3 + mu * part
        )
        for name, part in zip(OBSERVABLES, (0.8, 1.0, 0.3, 0.05, 0.1), strict=True)
    )
    return Comparison(
        first=first,
        second=second,
        confidence=0.975,
        estimate=estimate,
        lower=lower,
        upper=upper,
        decision=decision,
        by_observable=rows,
        curve=curve,
        models_first=models,
        models_second=models,
        forecast=Forecast(1730, 0.8, towards) if decision == "open" else None,
    )


def groups(populations: tuple[str, ...]) -> tuple[GroupSummary, ...]:
    rows = []
    margins = {"submission": -1.2, "original": 6.3, "untraining": -0.6, "unlearning": -5.5}
    for population in populations:
        for group, probes in (("forget", 24), ("behaviour", 24), ("behaviour_test", 60),
                              ("near", 40), ("retain", 200), ("test", 200)):  # fmt: skip
            centre = margins[population] if "forget" in group or "behav" in group else 4.4
            share = float(norm.cdf(centre / 2))
            rows.append(
                GroupSummary(
                    population=population,
                    group=group,
                    probes=probes,
                    models=512,
                    accuracy=share,
                    accuracy_low=max(0.0, share - 0.0123),
                    accuracy_high=min(1.0, share + 0.0123),
                    margin=centre,
                    margin_low=centre - 0.9,
                    margin_high=centre + 0.7,
                )
            )
    return tuple(rows)


# Shifts (to untraining, to unlearning, between the references) that give each verdict.
SHIFTS = {
    "untraining": (0.3, 3.5, 3.3),
    "unlearning": (3.4, 0.4, 3.3),
    "both": (0.3, 0.5, 0.4),
    "neither": (2.9, 5.0, 2.8),
    "inconclusive": (1.15, 3.0, 3.3),
}


POPULATIONS = ("submission", "original", "untraining", "unlearning")
SEEN = Observations(
    np.zeros((2, 1, 2), np.float32), np.zeros(1, np.int32), np.array(["forget"]), np.array(["a"])
)
PROVENANCE = Provenance(
    submission="finetune-v2",
    method="fine-tune",
    scenario="digits-trigger",
    title="digits with a trigger",
    sizes={"train": 1297, "behaviour": 60, "forget": 30, "probes": 500},
    settings={"discovery": 0.5, "seed": 0},
    digests={name: f"{i:02x}" * 32 for i, name in enumerate(POPULATIONS, 0xA1)},
    parameters={name: f"{i:02x}" * 32 for i, name in enumerate(POPULATIONS, 0xB1)},
    seeds={"submission": None, "original": 0, "untraining": 1, "unlearning": 2},
    versions={"indist": "0.1.0", "python": "3.11.9", "numpy": "2.4.6", "scipy": "1.16.0"},
)


def build(kind: str = "untraining", **changes: Any) -> Audit:
    """An audit as `audits.audit` would make it, with invented numbers."""
    to_untraining, to_unlearning, between = SHIFTS[kind]
    fields = {
        "verdict": kind,
        "separation": "coincide" if between < 1 else "separated",
        "declaration": DECLARED,
        "untraining": comparison("submission", "untraining", to_untraining),
        "unlearning": comparison("submission", "unlearning", to_unlearning),
        "references": comparison("untraining", "unlearning", between),
        "original": (
            comparison("original", "untraining", 3.1),
            comparison("original", "unlearning", 5.9),
        ),
        "nearest": Nearest("untraining", -0.412),
        "over_unlearned": OverUnlearned(False, 0.412, 0.513, "behaviour"),
        "groups": groups(POPULATIONS),
        "least_tolerance": 0.1432,
        "provenance": PROVENANCE,
        "warnings": (),
        "observations": dict.fromkeys(POPULATIONS, SEEN),
    }
    return Audit(**(fields | changes))


def written(audit: Audit, directory: Path) -> tuple[str, str]:
    write_report(audit, directory)
    return (directory / "report.html").read_text("utf-8"), (directory / "report.md").read_text(
        "utf-8"
    )


def bare(kind: str) -> Audit:
    """An audit with everything optional left out."""
    return build(
        kind,
        original=None,
        over_unlearned=None,
        nearest=Nearest(None, 0.01),
        groups=tuple(
            row
            for row in groups(("submission", "untraining", "unlearning"))
            if row.group != "behaviour"
        ),
        separation="unresolved",
        provenance=replace(
            PROVENANCE,
            method=None,
            scenario=None,
            title=None,
            sizes={},
            settings={},
            parameters={},
            seeds={},
        ),
    )


@pytest.mark.parametrize("verdict", SHIFTS)
@pytest.mark.parametrize("make", [build, bare])
def test_every_verdict_is_reported(verdict: str, make: Any, tmp_path: Path) -> None:
    audit = make(verdict)
    html, markdown = written(audit, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "report.html",
        "report.md",
    ]
    page = Page(html)
    for text in (page.text, markdown):
        assert audit.sentence in text
        assert audit.scope in text
        assert "What this audit cannot conclude" in text
        assert "indist verify" in text
        assert ("What would decide it" in text) == (verdict == "inconclusive")
        assert "None" not in text
        assert "nan" not in text.split()
    assert page.tags.count("h1") == 1
    assert page.tags.count("main") == 1
    # The plane, both directions against both references, the margins by group.
    assert page.tags.count("svg") == 6
    assert len(html.encode()) < 500_000


def test_the_page_needs_nothing_else(tmp_path: Path) -> None:
    check_self_contained(written(build(), tmp_path)[0])


def test_what_users_wrote_is_escaped(tmp_path: Path) -> None:
    audit = build()
    declared = replace(DECLARED, observables=(NASTY,), events=NASTY)
    row = replace(audit.untraining.by_observable[0], observable=NASTY)
    provenance = Provenance(
        submission=NASTY,
        method=NASTY,
        scenario=NASTY,
        title=NASTY,
        sizes={NASTY: 3},
        settings={NASTY: NASTY},
        digests={NASTY: NASTY},
        parameters={NASTY: NASTY},
        seeds={NASTY: NASTY},
        versions={NASTY: NASTY},
    )
    html, markdown = written(
        build(
            declaration=declared,
            provenance=provenance,
            untraining=replace(audit.untraining, by_observable=(row,)),
            groups=tuple(replace(row, group=f"{NASTY}{row.group}") for row in audit.groups),
            over_unlearned=OverUnlearned(True, 0.01, 0.04, NASTY),
            warnings=(NASTY,),
        ),
        tmp_path,
    )
    page = Page(html)
    assert "script" not in page.tags
    assert "<script" not in html
    assert NASTY in page.text
    assert "<script" not in markdown
    for line in markdown.splitlines():
        if line.startswith("|"):
            # Four columns of observables, five of groups, three of populations: no cell was split.
            assert len(re.findall(r"(?<!\\)\|", line)) - 1 in (3, 4, 5)


def test_the_same_audit_gives_the_same_bytes(tmp_path: Path) -> None:
    with matplotlib.rc_context({"font.size": 40, "axes.grid": True, "lines.linewidth": 9}):
        first = written(build("neither"), tmp_path / "a")
    assert first == written(build("neither"), tmp_path / "b")


def test_a_report_that_cannot_be_made_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = written(build("both"), tmp_path)

    def fail(page: _page.Page) -> str:
        raise RuntimeError("no markdown")

    monkeypatch.setattr(_page, "markdown", fail)
    with pytest.raises(RuntimeError, match="no markdown"):
        write_report(build("neither"), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.md"]
    assert (tmp_path / "report.html").read_text("utf-8") == before[0]


def test_it_repeats_the_audit_and_decides_nothing(tmp_path: Path) -> None:
    # The bounds say otherwise: a report that computed would contradict the audit.
    html, markdown = written(build("neither", verdict="both"), tmp_path)
    assert "Verdict: both" in Page(html).text
    assert "Verdict: **both**" in markdown


def test_coinciding_references_are_said_first(tmp_path: Path) -> None:
    html, markdown = written(build("both"), tmp_path)
    for text in (Page(html).text, markdown):
        assert text.index("The references coincide") < text.index("What was compared")
        assert "That the submission is one and not the other." in text


def test_an_open_audit_says_what_would_decide_it(tmp_path: Path) -> None:
    audit = build("inconclusive")
    assert "about 1,800 models a side" in written(audit, tmp_path)[1]
    open_ended = replace(audit.untraining, forecast=Forecast(None, 0.8, "match"))
    text = written(build("inconclusive", untraining=open_ended), tmp_path)[1]
    assert "no feasible number of models would decide" in text


def test_too_much_unlearning_is_reported(tmp_path: Path) -> None:
    audit = build("unlearning", over_unlearned=OverUnlearned(True, 0.12, 0.2315, "forget"))
    text = written(audit, tmp_path)[1]
    assert "Yes: the submission hides the behaviour more than models that never saw it" in text
    assert (
        "on the forget probes is estimated at 0.12 and at most 0.232; below ½ is too much" in text
    )


@pytest.mark.parametrize("tolerance", [0.005, 0.05, 0.3, 0.9])
@pytest.mark.parametrize("epsilon", [0.0, 3.5, 9.0])
def test_any_declaration_can_be_drawn(tolerance: float, epsilon: float) -> None:
    declared = replace(DECLARED, tolerance=tolerance, epsilon=epsilon)
    audit = build("neither", declaration=declared)
    plane = svg(distance_plane(audit), name="plane", title="t", description="d")
    for region in ("untraining", "unlearning", "both", "neither"):
        assert f">{region}</text>" in plane
    curve = hockey_stick_curve(audit.untraining, "forward", declared)
    assert f"declared ε = {epsilon:g}</text>" in svg(curve, name="c", title="t", description="d")


def test_figures_say_what_they_are_to_those_who_cannot_see_them() -> None:
    drawn = svg(group_margins(build().groups), name="m", title="<a>", description="b & c")
    assert '<title id="m-title">&lt;a&gt;</title>' in drawn
    assert '<desc id="m-desc">b &amp; c</desc>' in drawn
    assert 'aria-labelledby="m-title m-desc"' in drawn
    assert "<metadata" not in drawn
    assert "matplotlib.org" not in drawn


def test_reports_leave_pyplot_alone() -> None:
    code = "import sys, audits.verdict._page; assert 'matplotlib.pyplot' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


@given(st.floats(-1e3, 1e3), st.integers(0, 4), st.none() | st.floats(0, 1))
@settings(derandomize=True, deadline=None)
def test_bounds_round_outward(value: float, digits: int, limit: float | None) -> None:
    def number(text: str) -> Decimal:
        return Decimal(text.replace("\N{MINUS SIGN}", "-"))

    exact = Decimal(repr(value))
    low, high = number(down(value, digits, limit)), number(up(value, digits, limit))
    assert low <= exact <= high
    assert high - low <= Decimal(1).scaleb(-digits)


def test_rounding_does_not_change_what_was_decided() -> None:
    assert up(0.2, limit=0.2) == "0.200"
    assert up(0.1234, limit=0.1239) == "0.1234"
    assert down(0.20001, limit=0.2) == "0.20001"
    assert down(0.2, limit=0.2) == "0.200"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        # Only punctuation can be escaped: a backslash before a digit would be shown.
        ("0.12", "0\\.12"),
        ("12) a", "12\\) a"),
        ("- a", "\\- a"),
        ("1-2", "1-2"),
        ("a.b", "a.b"),
    ],
)
def test_what_begins_a_line_begins_no_list(text: str, shown: str) -> None:
    assert escape(text) == shown


def test_numbers_in_tables_are_as_they_are(tmp_path: Path) -> None:
    _, markdown = written(build(), tmp_path)
    assert re.search(r"\| 0\.\d{3} \| 0\.\d{3} to 0\.\d{3} \|", markdown)
    assert not re.search(r"\\\d", markdown)


def test_confidence_and_shares_are_not_overstated() -> None:
    assert level(0.999) == "99.9\N{NO-BREAK SPACE}%"
    assert interval(98.761, 98.769, 1) == "98.7 to 98.8"
    assert pvalue(0.04999) == "0.0500"
    assert about(401) == "about 410"
