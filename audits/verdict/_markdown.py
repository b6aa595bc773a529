"""The report as Markdown: the same words and tables, without the figures."""

import re

from audits.verdict._page import Content
from audits.verdict._tables import Pairs, Table

_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_SPECIAL = re.compile(r"([\\`*_{}\[\]|~])")
# What begins a list, a heading or an underline when it begins a line.
_LEADING = re.compile(r"^(\d+(?=[.)])|(?=[#+=-]))")


def escape(text: str) -> str:
    r"""Text that Markdown shows as it is: one line, no markup, no HTML.

    Args:
        text: any text, from anywhere.

    Returns:
        The same text in Markdown.

    Example:
        >>> print(escape("# <b>*a|b*"))
        \# &lt;b&gt;\*a\|b\*
    """
    return _LEADING.sub(r"\1\\", within(text))


def within(text: str) -> str:
    """The same for text that does not begin a line."""
    plain = re.sub(r"[&<>]", lambda match: _HTML[match[0]], " ".join(text.split()))
    return _SPECIAL.sub(r"\\\1", plain)


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


def pairs_text(pairs: Pairs) -> str:
    """A list of names and what they are."""
    return "\n".join(f"- {escape(name)}: {within(value)}" for name, value in pairs)


def claims_text(pairs: Pairs) -> list[str]:
    """A paragraph for each claim, which begins it."""
    return [
        f"**{within(claim)}{'' if claim.endswith(('.', '?')) else '.'}** {within(text)}"
        for claim, text in pairs
    ]


def table_text(table: Table) -> str:
    """A table under its caption."""
    rows = [[within(cell) for cell in table.columns], ["---"] * len(table.columns)]
    rows += [[within(cell) for cell in row] for row in table.rows]
    if table.total:
        rows.append([f"**{within(cell)}**" if cell else "" for cell in table.total])
    lines = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"*{within(table.caption)}*\n\n{lines}"
