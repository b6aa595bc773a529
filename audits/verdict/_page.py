"""The report of an audit: one self-contained HTML file, and Markdown beside it."""

from pathlib import Path

from audits.report._markdown import claims_text, escape, pairs_text, table_text
from audits.verdict._content import Content, content
from audits.verdict._findings import AuditFindings
from audits.verdict._html import html
from oracles.storage.files import write_text_atomic


def write_report(audit: AuditFindings, directory: Path) -> None:
    """Writes ``report.html`` and ``report.md``, each under a temporary name and then renamed.

    The report shows the numbers of the audit, rounded outward, and computes none. The HTML file
    needs no script and no network, and is the same for the same audit.

    Args:
        audit: what to report.
        directory: where to; made when it is not there.

    Raises:
        OSError: as the file system does.
    """
    words = content(audit)
    page, text = html(audit, words), markdown(words)
    write_text_atomic(directory / "report.html", page)
    write_text_atomic(directory / "report.md", text)


def markdown(content: Content) -> str:
    """The report as one Markdown document.

    Args:
        content: the audit in words and tables.

    Returns:
        The text; whatever came from users stands in it escaped.
    """
    parts = [
        f"# {escape(content.sentence)}",
        f"{escape(content.title)}. Verdict: **{content.verdict}**. {escape(content.scope)}",
        *(f"> **Warning.** {escape(text)}" for text in content.warnings),
        "\n".join(
            f"- Distance to the {of.name}: {of.bounds} (estimate {of.estimate}): "
            f"**{of.decision}**, {of.says}."
            for of in content.distances
        ),
        escape(content.terms),
        "The figures are in `report.html`.",
    ]
    if content.deciding:
        parts += ["## What would decide it", *map(escape, content.deciding)]
    parts += ["## What was compared", pairs_text(content.compared)]
    parts += [escape(content.letters), table_text(content.people)]
    parts += ["## Where the difference lies", *map(table_text, content.observables)]
    if content.groups:
        parts += ["## What the models do", pairs_text(content.group_words)]
        parts += map(table_text, content.groups)
    parts += ["## What else was found", *claims_text(content.findings)]
    parts += ["## What was declared beforehand", pairs_text(content.declared)]
    parts += ["## What this audit cannot conclude", *claims_text(content.cannot)]
    parts += ["## How to recompute it", "```\nindist verify certificate.json\n```"]
    parts += ["SHA-256 of what was audited:", pairs_text(content.digests)]
    parts += ["Seeds and versions:", pairs_text(content.origins)]
    return "\n\n".join(parts) + "\n"
