"""The report of language-model logs: paired differences to each kind of reference model."""

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from audits._provenance import version_pairs
from audits.llm._findings import LLMFindings
from audits.llm._results import MetricComparison, ReferenceComparison
from audits.report import numbers
from audits.report._blocks import Claims, Drawing, Listing, Pairs, Table
from audits.report._figures import MARKS, legend, panel, point
from audits.report._page import Glance, Page, Section, write_page
from audits.report._svg import svg
from audits.report._words import POPULATIONS
from audits.report.palette import INK, MUTED, drawing

FILE = "logs.json"
_WIDTH = 380.0
_FITS = {
    "untraining only": "The logs fit models never trained on the forget set, and do not fit models "
    "never trained on the behaviour.",
    "unlearning only": "The logs fit models never trained on the behaviour, and do not fit models "
    "that only missed the forget set.",
    "both": "The logs fit models never trained on the forget set, and models never trained on the "
    "behaviour as well.",
    "neither": "The logs fit neither models never trained on the forget set nor models never "
    "trained on the behaviour.",
    "undecided": "It is undecided which kind of reference the logs fit.",
}
_REASONS = {
    "consistent": ", which is no proof of likeness",
    "inconsistent": ", as chance alone would seldom put them so far apart",
    "undecided": ", as no p-value could reach the level",
}


def write_logs(audit: LLMFindings, directory: Path) -> None:
    """Writes ``report.html``, ``report.md`` and ``logs.json`` of a comparison of logs.

    Args:
        audit: what to report; its numbers are shown, and none is computed.
        directory: where to; made when it is not there.

    Raises:
        OSError: as the file system does.
    """
    write_page(page(audit), directory, {FILE: record(audit)})


def page(audit: LLMFindings) -> Page:
    """The comparison in words, tables and a figure."""
    names = list(dict.fromkeys(log.name for log in audit.logs["submission"]))
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return Page(
        title=f"Logs of {names[0]}{more}",
        scenario="",
        headline=audit.headline,
        scope=(
            f"{_FITS[audit.fit]} An inconsistency is wrong with probability at most "
            f"{numbers.plain(round(100 * (1 - audit.confidence), 6))}\N{NO-BREAK SPACE}% in all. "
            "A test that finds nothing proves no likeness, and nothing here bounds how far apart "
            "the distributions of models are."
        ),
        figure=_forest(audit),
        glances=tuple(map(_glance, audit.comparisons)),
        warnings=audit.warnings,
        sections=(
            Section("Which reference the logs fit", _fit(audit)),
            Section(
                "Paired differences",
                (
                    "Intervals and p-values in these tables are over examples, each metric for "
                    "itself and the models held fixed. They say nothing of another training seed; "
                    "the tests above do where there are several reference models.",
                    *map(_differences, audit.comparisons),
                ),
            ),
            *_leaks(audit),
            Section("What was compared", (_compared(audit),)),
            Section("What was declared beforehand", (Listing(_declared(audit)),)),
            Section(
                "What cannot be concluded from these logs", (Claims(_cannot(audit)),), cannot=True
            ),
            Section(
                "How to recompute it",
                (
                    f"All numbers are in {FILE}. The same logs, as these SHA-256 digests of their "
                    "scores fix them, and the same seed give the same numbers again.",
                    Listing(
                        (
                            ("seed of resampling, flips and relabellings", str(audit.seed)),
                            *version_pairs(audit.versions),
                        )
                    ),
                    Listing(
                        tuple(
                            (f"{name}: {log.name}", log.digest)
                            for name, logs in audit.logs.items()
                            for log in logs
                        ),
                        code=True,
                    ),
                ),
            ),
        ),
    )


def _forest(audit: LLMFindings) -> Drawing:
    image = svg(
        forest(audit),
        name="forest",
        title="Paired differences of the submitted models to each kind of reference",
        description="The numbers are in the tables of paired differences that follow.",
    )
    return Drawing(
        image,
        "Points are mean differences, submitted less reference, over the same examples; lines are "
        f"their {numbers.level(audit.confidence)} bootstrap intervals over examples, these models "
        "given. Each metric has a scale of its own. A pale bar is how far from 0 as many fresh "
        "reference models may lie by their training seeds, were they normal; with one reference "
        "model that is unknown and there is none.",
    )


def record(audit: LLMFindings) -> dict[str, Any]:
    """Every number of the comparison, as ``logs.json`` holds it."""
    return {
        "format": "indist-logs",
        "version": 1,
        "fit": audit.fit,
        "sentence": audit.sentence,
        "confidence": audit.confidence,
        "cluster": audit.cluster,
        "seed": audit.seed,
        "comparisons": [asdict(of) for of in audit.comparisons],
        "logs": {
            name: [
                {
                    "name": log.name,
                    "path": str(log.path),
                    "benchmark": log.benchmark,
                    "digest": log.digest,
                }
                for log in logs
            ]
            for name, logs in audit.logs.items()
        },
        "warnings": audit.warnings,
        "versions": dict(audit.versions),
    }


@drawing()
def forest(audit: LLMFindings) -> Figure:
    """A panel for each metric: the difference to each reference with its interval."""
    references = [of.reference for of in audit.comparisons]
    metrics = [one.metric for one in audit.comparisons[0].metrics]
    row, head, foot, below = 17.0, 24.0, 26.0, 62.0
    pitch = head + row * len(references) + foot
    height = pitch * len(metrics) + below
    figure = Figure(figsize=(_WIDTH / 72, height / 72))
    for place, metric in enumerate(metrics):
        top = pitch * place + head
        axes = panel(
            figure, left=14.0, bottom=height - top - row * len(references), right=14.0, top=top
        )
        axes.spines["left"].set_visible(False)
        axes.set_title(_drawn(metric), loc="left", fontsize=11, color=INK, parse_math=False)
        axes.axvline(0, color=MUTED, lw=1, ls=(0, (4, 3)))
        shown = [0.0]
        for y, of in enumerate(audit.comparisons):
            one = of.metrics[place]
            colour = MARKS[of.reference].colour
            half = one.seed_half_width
            if math.isfinite(half):
                axes.add_patch(Rectangle((-half, y - 0.4), 2 * half, 0.8, fc=colour, alpha=0.15))
                shown += [-half, half]
            ends = [one.low, one.high]
            if all(map(math.isfinite, ends)):
                axes.plot(ends, [y, y], color=colour, lw=2, marker="|", ms=8, mew=1.6)
                shown += ends
            point(axes, one.difference, y, of.reference, size=6.5)
            shown.append(one.difference)
        edge = 0.05 * (max(shown) - min(shown)) or 1.0
        axes.set_xlim(min(shown) - edge, max(shown) + edge)
        axes.set_ylim(len(references) - 0.5, -0.5)
        axes.set_yticks([])
        axes.locator_params(axis="x", nbins=5)
    figure.text(
        0.5,
        (below - 16.0) / height,
        "submitted less reference, mean over examples",
        ha="center",
        color=INK,
        fontsize=12,
    )
    legend(figure, [*references])
    return figure


def _drawn(metric: str) -> str:
    """A metric's name in letters that the figure's font has; the tables hold it as it is."""
    plain = "".join(c if c.isascii() and c.isprintable() else "?" for c in metric)
    return plain if len(plain) <= 48 else f"{plain[:47]}…"


def _glance(comparison: ReferenceComparison) -> Glance:
    tests = {
        "examples": "Paired test over examples with one reference model, which is one draw",
        "seeds": f"Permutation test of {comparison.submitted} against {comparison.models} models",
    }
    return Glance(
        reference=comparison.reference,
        heading=f"Against the {POPULATIONS[comparison.reference]}",
        number=numbers.equation(comparison.pvalue),
        finding=comparison.finding,
        reason=(
            f"{_REASONS[comparison.finding]}. {tests[comparison.noise]}; the level is "
            f"{numbers.plain(round(comparison.level, 10))}, and p is never below "
            f"{numbers.pvalue(comparison.least_pvalue)}."
        ),
    )


def _fit(audit: LLMFindings) -> tuple[str, ...]:
    if audit.fit != "undecided":
        return (
            _FITS[audit.fit],
            "To fit is that a test which could have rejected did not. It is no likeness.",
        )
    given = {of.reference for of in audit.comparisons}
    lacks = [
        f"No logs of the {POPULATIONS[name]} were given."
        for name in ("untraining", "unlearning")
        if name not in given
    ]
    lacks += [
        f"Of the {POPULATIONS[of.reference]} one model was given, whose training seed is one draw."
        for of in audit.comparisons
        if of.noise == "examples"
    ]
    lacks += [
        f"Against the {POPULATIONS[of.reference]} the test is undecided: too few models."
        for of in audit.comparisons
        if of.noise == "seeds" and of.finding == "undecided"
    ]
    return (
        f"{_FITS['undecided']} That takes several models of both kinds of reference, and tests "
        "that could decide.",
        *lacks,
    )


def _differences(of: ReferenceComparison) -> Table:
    rows = tuple(_row(one) for one in of.metrics)
    columns = (
        "metric", "examples", "submitted", "reference", "difference", "interval",
        "p: sign flips", "p: Wilcoxon", "p: KS, least", "seeds ±",
    )  # fmt: skip
    return Table(f"Against the {POPULATIONS[of.reference]}", columns, rows)


def _row(one: MetricComparison) -> tuple[str, ...]:
    digits = _digits(one)
    finite = math.isfinite(one.low) and math.isfinite(one.high)
    half = one.seed_half_width
    draws = "" if one.clusters == one.examples else f" in {numbers.count(one.clusters)}"
    return (
        one.metric,
        f"{numbers.count(one.examples)}{draws}",
        numbers.near(one.mean_submission, digits),
        numbers.near(one.mean_reference, digits),
        numbers.near(one.difference, digits),
        numbers.interval(one.low, one.high, digits) if finite else "none: one draw",
        _bare(one.sign_flip),
        _bare(one.wilcoxon),
        _bare(min(map(min, one.ks))),
        numbers.up(half, digits) if math.isfinite(half) else "unknown",
    )


def _bare(pvalue: float) -> str:
    """Under a heading that says what it is."""
    return numbers.equation(pvalue).removeprefix("p ").removeprefix("= ")


def _digits(one: MetricComparison) -> int:
    """Enough decimals for two digits of the interval's width, and never fewer than three."""
    width = one.high - one.low
    if not math.isfinite(width) or width <= 0.0:
        width = abs(one.difference)
    return 3 if width == 0.0 else min(12, max(3, 1 - math.floor(math.log10(width))))


def _leaks(audit: LLMFindings) -> tuple[Section, ...]:
    rows: list[tuple[str, str]] = []
    for of in audit.comparisons:
        leak = of.privleak
        if leak is None:
            continue
        finite = math.isfinite(leak.low) and math.isfinite(leak.high)
        ends = numbers.interval(leak.low, leak.high, 1) if finite else "none: one draw"
        value = (
            "undetermined, as the reference’s AUC is 0"
            if leak.value is None
            else f"{numbers.near(leak.value, 1)}\N{NO-BREAK SPACE}%, interval over texts {ends}"
        )
        aucs = "; ".join(
            f"{side} {', '.join(numbers.near(auc) for auc in found)}"
            for side, found in (("submitted", leak.submission), ("reference", leak.reference))
        )
        rows.append((f"against the {POPULATIONS[of.reference]}", f"{value}. AUC: {aucs}"))
    if not rows:
        return ()
    attack = next(of.privleak.attack for of in audit.comparisons if of.privleak)
    said = (
        f"By the attack {attack}: how far the AUC of forget against holdout texts lies from that "
        "of the reference models given, in percent of theirs. No constant from a table is used."
    )
    return (Section("PrivLeak", (said, Listing(tuple(rows)))),)


def _compared(audit: LLMFindings) -> Table:
    rows = tuple(
        (log.name, name, log.benchmark, str(log.path))
        for name, logs in audit.logs.items()
        for log in logs
    )
    columns = ("model", "given as", "benchmark", "read from")
    return Table("The logs, one model each", columns, rows, kind="words")


def _declared(audit: LLMFindings) -> Pairs:
    return (
        (
            "confidence",
            f"{numbers.level(audit.confidence)} for all inconsistencies together, and for each "
            "interval",
        ),
        ("metrics", "; ".join(one.metric for one in audit.comparisons[0].metrics)),
        (
            "draws",
            "each example is one"
            if audit.cluster == 1
            else f"{numbers.count(audit.cluster)} consecutive examples are one",
        ),
        (
            "tests",
            "with one reference model: sign flips of paired differences, Bonferroni’s correction "
            "over metrics; with several: whole models exchanged, the greatest difference over "
            "metrics and the AUC of PrivLeak",
        ),
    )


def _cannot(audit: LLMFindings) -> Pairs:
    found = [
        (
            "Any ε or δ, or that the models are alike.",
            "No test here bounds a distance. That nothing was found may be for want of models, of "
            "examples or of a metric that would show it.",
        )
    ]
    if any(of.noise == "examples" for of in audit.comparisons):
        found.append(
            (
                "That another reference model would say the same.",
                "One reference model was given for a kind of reference. Its training seed is one "
                "draw: models of one recipe differ too, and by how much is unknown here.",
            )
        )
    if all(of.reference != "unlearning" for of in audit.comparisons):
        found.append(
            (
                "Whether the models unlearned the behaviour.",
                "Only models without the forget set were given to compare with. They may show the "
                "behaviour themselves, from examples that nobody handed over.",
            )
        )
    if len(audit.logs["submission"]) == 1:
        found.append(
            (
                "That the algorithm’s other models are like this one.",
                "One submitted model is one draw from what the algorithm makes.",
            )
        )
    return (
        *found,
        (
            "Anything that these metrics do not see.",
            "Models may agree in the mean of a metric and differ in all else.",
        ),
        (
            "That the logs are what their makers say.",
            "The digests fix which scores were compared, not which model wrote them, nor that it "
            "was asked the same questions where a log holds no text.",
        ),
        (
            "That the best of many comparisons is right.",
            "The confidence is for one comparison whose metrics were fixed before looking.",
        ),
    )
