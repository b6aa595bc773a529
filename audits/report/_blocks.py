"""What stands in the sections of a page: paragraphs, lists, claims, tables, drawings, commands.

Numbers have become words before they come here. A block is written as HTML by the macro of its name
in the templates, and as Markdown by `audits.report._markdown`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from markupsafe import Markup

Pairs = tuple[tuple[str, str], ...]
"""Names and what they are, in the order of the page."""


@dataclass(frozen=True)
class Listing:
    """Names and what they are, perhaps under a heading; ``code`` is set in letters of one width."""

    pairs: Pairs
    heading: str = ""
    code: bool = False


@dataclass(frozen=True)
class Shown:
    """An example that is shown: a picture, which Markdown has none of, or words; and a caption."""

    caption: str
    words: str = ""
    image: Markup | None = None


@dataclass(frozen=True)
class Claims:
    """Claims or questions, what is to be said to each, and the examples that some speak of."""

    pairs: Pairs
    shown: Mapping[str, tuple[Shown, ...]] = field(default_factory=dict[str, tuple[Shown, ...]])


@dataclass(frozen=True)
class Table:
    """A table of text: the first cell of each row names it, and a last row may sum them up.

    Its kind says what the cells hold: ``numbers``, ``people`` with their number last, or ``words``.
    Examples that rows are of are shown under their names, in HTML alone.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: tuple[str, ...] = ()
    kind: str = "numbers"
    shown: Mapping[str, tuple[Shown, ...]] = field(default_factory=dict[str, tuple[Shown, ...]])


@dataclass(frozen=True)
class Command:
    """A line to type."""

    text: str


@dataclass(frozen=True)
class Drawing:
    """A figure and what it shows; Markdown has neither."""

    image: Markup
    caption: str


@dataclass(frozen=True)
class Drawings:
    """Figures side by side under a heading."""

    heading: str
    drawings: tuple[Drawing, ...]


@dataclass(frozen=True)
class Beside:
    """A figure with a list at its side."""

    drawing: Drawing
    listing: Listing


Block = str | Listing | Claims | Table | Command | Drawings | Beside
"""What a section holds; a text is a paragraph."""
