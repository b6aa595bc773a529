"""Plain text for a terminal: paragraphs of one width, and tables whose columns are aligned."""

import textwrap
from collections.abc import Collection, Sequence

WIDTH = 100


def filled(text: str, bullet: str = "") -> str:
    """A paragraph in lines of at most `WIDTH`, after a bullet if there is one.

    Example:
        >>> filled("Two words.", "- ")
        '- Two words.'
    """
    return textwrap.fill(
        text, WIDTH, initial_indent=bullet, subsequent_indent=" " * len(bullet),
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def aligned(lines: Sequence[Sequence[str] | str], left: Collection[int] = (0,)) -> str:
    """Rows of cells below one another, two spaces apart.

    Args:
        lines: rows of as many cells each; a line that is a string stands as it is, like a heading.
        left: the columns that are flush left; all others are flush right.

    Returns:
        The table as text, without spaces at the ends of its lines.

    Example:
        >>> print(aligned([("name", "models"), ("a", "7"), "beside it", ("long name", "12")]))
        name       models
        a               7
        beside it
        long name      12
    """
    rows = [line for line in lines if not isinstance(line, str)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]

    def drawn(row: Sequence[str]) -> str:
        cells = (
            cell.ljust(width) if place in left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        return "  ".join(cells).rstrip()

    return "\n".join(line if isinstance(line, str) else drawn(line) for line in lines)
