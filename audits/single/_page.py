"""The report of one submitted model: its place among the models of each reference."""

from collections.abc import Mapping
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from audits._provenance import compared, digest_pairs, seed_pairs, version_pairs
from audits.report import numbers
from audits.report._blocks import Block, Claims, Drawing, Listing, Pairs, Table
from audits.report._figures import MARKS, canvas, legend, point
from audits.report._page import Glance, Page, Section, write_page
from audits.report._svg import svg
from audits.report._words import POPULATIONS, REFERENCES, WHO, group_name
from audits.report.palette import GRID, INK, MUTED, PAPER, drawing
from audits.single._findings import SingleFindings
from audits.single._results import ErrorRate, LikelihoodRatio, RankTest

FILE = "single.json"
# A reader looks at a few probes; the file holds all of them.
_PROBES = 20
# More marks than these a strip run into each other.
_MARKS = 101
_REASONS = {
    "consistent": ", which is no proof of likeness",
    "inconsistent": ", as few of its own models would deviate so far",
    "undecided": ", as it holds too few models to decide",
}


def write_single(audit: SingleFindings, directory: Path) -> None:
    """Writes ``report.html``, ``report.md`` and ``single.json`` of one submitted model.

    Args:
        audit: what to report; its numbers are shown, and none is computed.
        directory: where to; made when it is not there.

    Raises:
        OSError: as the file system does.
    """
    write_page(page(audit), directory, {FILE: record(audit)})


def page(audit: SingleFindings) -> Page:
    """The audit of one model in words, tables and a figure."""
    tests = (audit.untraining, audit.unlearning)
    return Page(
        title=f"One model: {audit.provenance.submission}",
        scenario=audit.provenance.scenario or "",
        headline=audit.headline,
        scope=(
            "Were the model one of a reference's own, it would be equally likely to stand at any "
            "place among them: the test is of that and exact at every number of models. "
            "“Inconsistent” is wrong of either reference with probability at most "
            f"{numbers.plain(round(100 * (1 - audit.confidence), 6))}\N{NO-BREAK SPACE}% in all; "
            "“consistent” is no proof of likeness. One model says nothing of the distribution that "
            "its algorithm makes."
        ),
        figure=_places(audit),
        glances=tuple(map(_glance, tests)),
        warnings=audit.warnings,
        sections=(
            Section("What was compared", (Listing(compared(audit.provenance)), _who(audit))),
            Section(
                "Its place in each group of probes",
                (
                    "The p-values pay for having looked at all groups. The test above looks at all "
                    "groups at once and is the one that decides.",
                    *map(_groups, tests),
                ),
            ),
            Section(
                "The two references against each other: the likelihood ratio",
                _ratio(audit.ratio),
            ),
            Section("Example by example", (*map(_outside, tests), *_examples(audit))),
            Section("What was declared beforehand", (Listing(_declared(audit)),)),
            Section(
                "What cannot be concluded from one model", (Claims(_cannot(audit)),), cannot=True
            ),
            Section(
                "How to recompute it",
                (
                    f"All numbers are in {FILE}. Nothing here is drawn at random: the same "
                    "submission and references, as these SHA-256 digests fix them, give the same "
                    "numbers again.",
                    Listing(
                        (
                            *seed_pairs(audit.provenance),
                            *version_pairs(audit.provenance.versions),
                        )
                    ),
                    Listing(digest_pairs(audit.provenance), code=True),
                ),
            ),
        ),
    )


def _places(audit: SingleFindings) -> Drawing:
    image = svg(
        places(audit),
        name="places",
        title="Median margin on each group of probes: each reference’s models, and the submitted "
        "one",
        description="; ".join(
            f"{test.reference}: {test.finding}, {numbers.equation(test.pvalue)}"
            for test in (audit.untraining, audit.unlearning)
        ),
    )
    return Drawing(
        image,
        "Each stroke is a model of a reference, or of more than a hundred models every hundredth; "
        "the marker is their median. The line through both strips is the submitted model. The "
        "margin is the log-odds of a probe’s label; on probes of the behaviour the label is the "
        "one that shows the behaviour.",
    )


def record(audit: SingleFindings) -> dict[str, Any]:
    """Every number of the audit, as ``single.json`` holds it."""
    tests = {of.reference: _test(of) for of in (audit.untraining, audit.unlearning)}
    return {
        "format": "indist-single",
        "version": 1,
        "sentence": audit.sentence,
        "confidence": audit.confidence,
        **tests,
        "ratio": None if audit.ratio is None else asdict(audit.ratio),
        "observables": {
            name: {"names": of.names, "values": of.values.tolist()}
            for name, of in audit.observables.items()
        },
        "examples": audit.to_dataframe().to_dict(orient="records"),
        "warnings": audit.warnings,
        "models": {name: of.models for name, of in audit.observations.items()},
        "provenance": asdict(audit.provenance),
    }


def _test(of: RankTest) -> dict[str, Any]:
    # Which probes are outside is said with the examples.
    fields = {name: value for name, value in vars(of).items() if name != "outside"}
    return fields | {
        "groups": [asdict(one) for one in of.groups],
        "outside": int(of.outside.sum()),
        "outside_expected": of.outside_expected,
    }


@drawing()
def places(audit: SingleFindings) -> Figure:
    """The references' models by median margin on each probe group, the submitted one among them."""
    own = audit.observables["submission"]
    step, gap = 19.0, 17.0
    pitch = 2 * step + gap
    figure, axes = canvas(92 + pitch * len(own.groups), left=96.0, bottom=84.0, right=14.0, top=8.0)
    axes.axvline(0, color=MUTED, lw=1, ls=(0, (4, 3)))
    for j in range(len(own.groups)):
        for k, name in enumerate(REFERENCES):
            _strip(axes, audit.observables[name].values[:, j], pitch * j + step * k, name)
        x, y = float(own.values[0, j]), pitch * j + step / 2
        axes.plot([x, x], [y - step, y + step], color=INK, lw=1.4, zorder=5, clip_on=False)
        point(axes, x, y, "submission", size=6.5)
    centres = [pitch * j + step / 2 for j in range(len(own.groups))]
    axes.set_yticks(centres, [group_name(name) for name in own.groups], color=INK)
    for edge in centres[1:]:
        axes.axhline(edge - pitch / 2, color=GRID, lw=0.7)
    axes.set_ylim(centres[-1] + pitch / 2, centres[0] - pitch / 2)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0, labelsize=11)
    axes.set_xlabel("median margin (log-odds of the label)", color=INK, fontsize=12)
    legend(figure, ["submission", *REFERENCES])
    return figure


def _strip(axes: Axes, values: np.ndarray, y: float, name: str) -> None:
    """A stroke for each model or each of as many quantiles, and a marker at the median."""
    marks = np.quantile(values, np.linspace(0.0, 1.0, min(len(values), _MARKS)))
    mark = MARKS[name]
    # One path, broken between the strokes, is a tenth of the file that as many paths would be.
    xs = np.stack([marks, marks, np.full_like(marks, np.nan)], axis=1).ravel()
    ys = np.tile([y - 5.5, y + 5.5, np.nan], len(marks))
    axes.plot(xs, ys, color=mark.colour, lw=0.8, alpha=0.6)
    axes.plot(
        [float(np.median(values))], [y], mark.marker, color=mark.colour, markersize=8.5,
        markeredgecolor=PAPER, markeredgewidth=1.2, zorder=4,
    )  # fmt: skip


def _glance(test: RankTest) -> Glance:
    least = numbers.pvalue(1.0 / (test.models + 1))
    return Glance(
        reference=test.reference,
        heading=f"Against the {POPULATIONS[test.reference]}",
        number=numbers.equation(test.pvalue),
        finding=test.finding,
        reason=(
            f"{_REASONS[test.finding]}. Exact rank test among its {numbers.count(test.models)} "
            f"models, never below {least}; the level is {numbers.plain(round(test.level, 10))}."
        ),
    )


def _who(audit: SingleFindings) -> Table:
    rows = tuple(
        (
            POPULATIONS[name],
            "the model handed in" if name == "submission" else WHO[name],
            numbers.count(of.models),
        )
        for name, of in audit.observations.items()
    )
    columns = ("population", "who they are", "models")
    return Table("The model and those it was ranked among", columns, rows, kind="people")


def _groups(of: RankTest) -> Table:
    rows = tuple(
        (
            one.observable,
            numbers.near(one.value, 2),
            numbers.interval(one.low, one.high, 2),
            f"{numbers.count(one.below)} / {numbers.count(one.above)}",
            numbers.pvalue(one.pvalue),
        )
        for one in of.groups
    )
    return Table(
        f"Among the {numbers.count(of.models)} models of the {POPULATIONS[of.reference]}",
        ("observable", "submitted", "least to greatest", "at or below / at or above", "p"),
        rows,
    )


def _ratio(ratio: LikelihoodRatio | None) -> tuple[Block, ...]:
    if ratio is None:
        return ("Four models of each reference are needed to fit and to check it: not found.",)
    towards = (
        f"towards the {POPULATIONS[ratio.towards]}" if ratio.towards else "towards neither of them"
    )
    value = f"{numbers.near(ratio.value, 2)} nats, {towards} (above 0 is towards untraining)"
    errors = tuple(
        (
            f"errs on models of the {POPULATIONS[name]}",
            f"{_rate(rate, ratio.confidence)}; of these and the submitted model, the share that "
            f"points at least as far the other way: {numbers.pvalue(pvalue)}",
        )
        for name, rate, pvalue in (
            ("untraining", ratio.untraining, ratio.pvalue_untraining),
            ("unlearning", ratio.unlearning, ratio.pvalue_unlearning),
        )
    )
    return (
        "How much more probable the model’s median margins are among models without the forget set "
        "than among models without the behaviour, were both normal and the groups independent. "
        "That is not taken on trust: it was fitted on every other model of each reference, and its "
        "errors were counted on the rest. A model that is neither gets a ratio too.",
        Listing((("ln of the ratio", value), *errors)),
    )


def _rate(of: ErrorRate, confidence: float) -> str:
    ends = numbers.interval(100 * of.low, 100 * of.high, 1)
    return (
        f"{numbers.count(of.errors)} of {numbers.count(of.models)} held out, "
        f"{numbers.level(confidence)} interval {ends}\N{NO-BREAK SPACE}%"
    )


def _outside(of: RankTest) -> str:
    return (
        f"The model is outside the range of the {POPULATIONS[of.reference]}’s "
        f"{numbers.count(of.models)} models on {numbers.count(int(of.outside.sum()))} of "
        f"{numbers.count(len(of.outside))} probes, where one of them would be on about "
        f"{of.outside_expected:.3g} ({numbers.equation(of.outside_pvalue)})."
    )


def _examples(audit: SingleFindings) -> tuple[Table, ...]:
    """How many probes of each group lie outside, and those that lie farthest."""
    rows = audit.to_dataframe().to_dict("records")
    counts = tuple(
        (
            group_name(group),
            numbers.count(sum(row["group"] == group for row in rows)),
            *(
                numbers.count(sum(row["group"] == group and row[f"outside_{of}"] for row in rows))
                for of in REFERENCES
            ),
        )
        for group in dict.fromkeys(str(row["group"]) for row in rows)
    )
    by_group = Table(
        "Probes on which the model is outside the range of all models of a reference",
        ("group", "probes", *(POPULATIONS[of] for of in REFERENCES)),
        counts,
    )
    far = sorted((row for row in rows if _beyond(row) > 0.0), key=_beyond, reverse=True)
    if not far:
        return (by_group,)
    shown = tuple(
        (
            str(row["id"]),
            group_name(str(row["group"])),
            numbers.near(row["margin"], 2),
            *chain.from_iterable(
                (
                    numbers.interval(row[f"{of}_low"], row[f"{of}_high"], 2),
                    numbers.pvalue(row[f"pvalue_{of}"]),
                )
                for of in REFERENCES
            ),
        )
        for row in far[:_PROBES]
    )
    farthest = Table(
        f"The {numbers.count(len(shown))} of {numbers.count(len(far))} such probes that lie "
        f"farthest outside; all probes are in {FILE}",
        (
            "probe",
            "group",
            "margin",
            *chain.from_iterable((f"{of}: range", f"{of}: p") for of in REFERENCES),
        ),
        shown,
    )
    return by_group, farthest


def _beyond(row: Mapping[Any, Any]) -> float:
    """How far a probe's margin lies outside the farther range; not above 0 within both."""
    margin = float(row["margin"])
    return max(max(row[f"{of}_low"] - margin, margin - row[f"{of}_high"]) for of in REFERENCES)


def _declared(audit: SingleFindings) -> Pairs:
    return (
        (
            "confidence",
            f"{numbers.level(audit.confidence)} for both references together; each is tested at "
            f"the level {numbers.plain(round(audit.untraining.level, 10))}",
        ),
        ("observables", "; ".join(audit.observables["submission"].names)),
        (
            "statistic",
            "the greatest deviation over the observables, each in its standard deviations over the "
            "reference’s models and the submitted one",
        ),
        (
            "rule",
            "inconsistent when the p-value is at most the level; undecided when no p-value could "
            "be; consistent otherwise",
        ),
    )


def _cannot(audit: SingleFindings) -> Pairs:
    tests = (audit.untraining, audit.unlearning)
    findings = {of.finding for of in tests}
    found = [
        (
            "Any ε or δ, or that the algorithm is certified.",
            "Both speak of the distribution of what the algorithm makes, and one model is one draw "
            "from it. They take many independent runs: hand in several models for an audit.",
        ),
        (
            "That the algorithm’s other models are like this one.",
            "Another seed may give a model at another place. That the model is consistent with a "
            "reference does not make its algorithm an untraining or an unlearning one.",
        ),
    ]
    if "consistent" in findings:
        found.append(
            (
                "That the model is like a reference it is consistent with.",
                "It is not unusual there in the declared observables. Too weak a look finds "
                "nothing unusual either, and models that were never retrained may pass.",
            )
        )
    if findings == {"consistent"}:
        found.append(
            (
                "Which of the two references it is like.",
                "It is consistent with both. The likelihood ratio says which of them makes such a "
                "model more often, and how often that is wrong; it does not say that it is either.",
            )
        )
    if "inconsistent" in findings:
        found.append(
            (
                "That an inconsistent model still holds what it should have forgotten.",
                "It is unusual among models that never saw the data, in some direction. The tables "
                "show where it lies and on which side; whether that is harm is another question.",
            )
        )
    if "undecided" in findings:
        found.append(
            (
                "Anything from a test that is undecided.",
                "With so few reference models no model at all could be found inconsistent.",
            )
        )
    return (
        *found,
        (
            "That a single probe was remembered.",
            "The p-values of probes are exact for each alone and pay for no choice among them: of "
            "many probes some lie outside by chance, about as many as said above.",
        ),
        (
            "Anything about what was not looked at.",
            "The model was seen at the references’ probes only, in one scenario.",
        ),
        (
            "That the model is what its maker says.",
            "The digests fix what was audited, not how it came to be. A model chosen among several "
            "for its audit is not one draw, and the tests do not hold for it.",
        ),
    )
