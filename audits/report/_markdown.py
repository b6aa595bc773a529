"""Text, lists and tables as Markdown, with whatever came from users escaped."""

import re

from audits.report._tables import Pairs, Table

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
