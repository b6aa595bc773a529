"""An audit as plain text for a terminal, and as a table."""

import math
import textwrap
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from audits.verdict._results import Comparison
from audits.verdict._words import needed

if TYPE_CHECKING:
    from audits.verdict._audit import Audit

WIDTH = 100
_DECISIONS = {"match": "alike", "differ": "unlike", "open": "open"}


def terminal(audit: "Audit") -> str:
    """Verdict, what it means, the distances, what the models do, and what is still needed."""
    parts = [
        f"Verdict: {audit.verdict.upper()}",
        filled(audit.sentence),
        filled(audit.scope),
        _distances(audit),
        _accuracies(audit),
        "\n".join(filled(line, "- ") for line in _findings(audit)),
        *(filled(f"Warning: {text}") for text in audit.warnings),
    ]
    return "\n\n".join(part for part in parts if part)


def html(audit: "Audit") -> str:
    """The same for a notebook, in brief."""
    rows = table(audit)
    rows = rows[rows["observable"] == "all"].dropna(axis="columns")
    warnings = "".join(f"<p>Warning: {escape(text)}</p>" for text in audit.warnings)
    return (
        f"<div><p><strong>Verdict: {escape(audit.verdict)}</strong></p>"
        f"<p>{escape(audit.sentence)}</p><p>{escape(audit.scope)}</p>"
        f"{rows.to_html(index=False)}{warnings}</div>"
    )


def table(audit: "Audit") -> pd.DataFrame:
    """See `Audit.to_dataframe`."""
    rows = [row for comparison in audit.comparisons for row in _rows(comparison)]
    return pd.DataFrame(rows)


def _rows(of: Comparison) -> list[dict[str, Any]]:
    common: dict[str, Any] = {"first": of.first, "second": of.second}
    sizes = {"models_first": of.models_first, "models_second": of.models_second}
    rows = [(of, "all", of.decision, math.nan, math.nan)]
    rows += [
        (one, one.observable, None, one.median_first, one.median_second) for one in of.by_observable
    ]
    return [
        {
            **common,
            "observable": name,
            "estimate": one.estimate,
            "lower": one.lower,
            "upper": one.upper,
            "confidence": of.confidence,
            "decision": decision,
            "median_first": first,
            "median_second": second,
            **sizes,
        }
        for one, name, decision, first, second in rows
    ]


def _distances(audit: "Audit") -> str:
    lines = [("distance (delta at epsilon)", "estimate", "at least", "at most", "so they are")]
    for of in audit.comparisons:
        context = " (context)" if of.first == "original" else ""
        lines.append(
            (
                f"{of.first} - {of.second}{context}",
                f"{of.estimate:.3f}",
                f"{math.floor(of.lower * 1000) / 1000:.3f}",
                f"{math.ceil(of.upper * 1000) / 1000:.3f}",
                _DECISIONS[of.decision],
            )
        )
    return _aligned(lines)


def _accuracies(audit: "Audit") -> str:
    names = list(audit.observations)
    lines = [("share of probes given their label", *names)]
    for group in dict.fromkeys(row.group for row in audit.groups):
        found = {row.population: row.accuracy for row in audit.groups if row.group == group}
        lines.append((group, *(f"{100 * found[name]:.1f} %" for name in names)))
    return _aligned(lines)


def _findings(audit: "Audit") -> list[str]:
    sizes = {of.first: of.models_first for of in audit.comparisons}
    sizes |= {of.second: of.models_second for of in audit.comparisons}
    counted = ", ".join(f"{count:,} {name}" for name, count in sizes.items())
    found = [f"models: {counted}"]
    near = audit.nearest
    gap = (
        f"distance to untraining less distance to unlearning {near.difference:.3f}, "
        f"{100 * near.confidence:.6g} % interval {near.low:.3f} to {near.high:.3f}"
    )
    if near.low == near.high == 0.0:
        gap = "both distances are the same in every resampling; they may be at their greatest"
    found.append(f"nearer reference: {near.reference or 'undecided'} ({gap})")
    over = audit.over_unlearned
    if over is not None and over.flag:
        found.append(
            f"over-unlearned: the margin on the {over.group} probes lies below that of models that "
            f"never saw the behaviour (p = {over.pvalue:.2g})"
        )
    if audit.claimed is not None:
        found.append(f"claim ({audit.claimed.mechanism}): {audit.claimed.sentence}")
    if "open" in (audit.untraining.decision, audit.unlearning.decision):
        found.append(f"to decide what is open: {needed(audit.untraining, audit.unlearning)}")
    found.append(
        f"least tolerance that {sizes['submission']:,} models can meet: about "
        f"{audit.least_tolerance:.2g}"
    )
    return found


def _aligned(lines: list[tuple[str, ...]]) -> str:
    widths = [max(len(line[k]) for line in lines) for k in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            [
                line[0].ljust(widths[0]),
                *(c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True)),
            ]
        )
        for line in lines
    )


def filled(text: str, bullet: str = "") -> str:
    """A paragraph in lines of at most `WIDTH`."""
    return textwrap.fill(
        text, WIDTH, initial_indent=bullet, subsequent_indent=" " * len(bullet),
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
