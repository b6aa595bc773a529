"""What stands in the sections of a page: names with what they are, and tables of text."""

from dataclasses import dataclass

Pairs = tuple[tuple[str, str], ...]
"""Names and what they are, in the order of the page."""


@dataclass(frozen=True)
class Table:
    """A table of text: the first cell of each row names it, and a last row may sum them up.

    Its kind says what the cells hold: ``numbers``, ``people`` with their number last, or ``words``.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: tuple[str, ...] = ()
    kind: str = "numbers"
