"""Text, lists, claims and tables as Markdown, with whatever came from users escaped."""

import re

from audits.report._blocks import Beside, Block, Claims, Command, Drawings, Listing, Shown, Table

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


def block_texts(block: Block) -> list[str]:
    """A block in parts that stand apart from one another; figures have none."""
    match block:
        case str():
            return [escape(block)]
        case Listing():
            heading = [f"{escape(block.heading)}:"] if block.heading else []
            return [
                *heading,
                "\n".join(f"- {escape(name)}: {within(text)}" for name, text in block.pairs),
            ]
        case Claims():
            return [
                f"**{within(claim)}{'' if claim.endswith(('.', '?')) else '.'}** {within(text)}"
                f"{shown_texts(block.shown.get(claim, ()))}"
                for claim, text in block.pairs
            ]
        case Table():
            return [f"*{within(block.caption)}*", _rows(block)]
        case Command():
            return [f"```\n{block.text}\n```"]
        case Drawings():
            return []
        case Beside():
            return block_texts(block.listing)


def shown_texts(shown: tuple[Shown, ...]) -> str:
    """Words of examples after what is said of them, as a sentence each; pictures have none."""
    return "".join(
        f" {f'{within(example.caption)}: ' if example.caption else ''}“{within(example.words)}”."
        for example in shown
        if example.words
    )


def _rows(table: Table) -> str:
    rows = [[within(cell) for cell in table.columns], ["---"] * len(table.columns)]
    rows += [[within(cell) for cell in row] for row in table.rows]
    if table.total:
        rows.append([f"**{within(cell)}**" if cell else "" for cell in table.total])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
