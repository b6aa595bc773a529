"""A page of sections, and its two forms: one self-contained HTML file, and Markdown beside it.

All reports are such pages. Both forms are written from the same words, so they cannot disagree.
"""

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from audits.report._blocks import Beside, Block, Drawing, Drawings, Shown
from audits.report._markdown import block_texts, escape, shown_texts, within
from oracles.storage.files import printable, write_bytes_atomic


@dataclass(frozen=True)
class Track:
    """Where an interval and a tolerance lie between 0 and 1, to be drawn as a line."""

    low: float
    high: float
    estimate: float
    tolerance: float


@dataclass(frozen=True, kw_only=True)
class Glance:
    """What was measured against one reference, and what follows, at a glance.

    Attributes:
        reference: ``untraining`` or ``unlearning``, for its colour.
        heading: what was measured, against which reference.
        number: what it came to.
        finding: what follows, in a word.
        reason: why it does, from the punctuation after the finding on.
        estimate: the estimate behind the number, where there is one.
        track: the number as a drawing, where it is an interval within [0, 1].
        shown: the example that the reason names.
    """

    reference: str
    heading: str
    number: str
    finding: str
    reason: str
    estimate: str = ""
    track: Track | None = None
    shown: tuple[Shown, ...] = ()


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        title: its heading.
        blocks: what it holds, in order.
        cannot: whether it says what cannot be concluded, and is to stand out.
        drawn: whether it is about its figures alone, which Markdown does not have.
    """

    title: str
    blocks: tuple[Block, ...]
    cannot: bool = False
    drawn: bool = False


@dataclass(frozen=True, kw_only=True)
class Page:
    """Everything that a report says, figures included.

    Attributes:
        title: what the report is of.
        scenario: the scenario it is in, where there is one.
        headline: the finding in a sentence.
        scope: what the headline means, and how sure it is.
        next_step: what would help, where something would.
        verdict: the finding in a word, where there is one.
        warnings: what a reader should know.
        warned_after: whether it stands after the findings, rather than before them.
        figure: the finding as a picture.
        glances: one for each reference.
        terms: what the numbers of the glances mean, where that needs saying.
        sections: the rest.
    """

    title: str
    scenario: str
    headline: str
    scope: str
    next_step: str = ""
    verdict: str = ""
    warnings: tuple[str, ...]
    warned_after: bool = False
    figure: Drawing
    glances: tuple[Glance, ...]
    terms: str = ""
    sections: tuple[Section, ...]


def write_page(page: Page, directory: Path) -> None:
    """Writes ``report.html`` and ``report.md``.

    Both are made before the first is written, each under a temporary name, then renamed. The HTML
    file needs no script and no network, and is the same for the same page.

    Args:
        page: the report.
        directory: where to; made when it is not there.

    Raises:
        OSError: as the file system does.
    """
    files = {"report.html": html(page), "report.md": markdown(page)}
    for name, text in files.items():
        # Names of files need not be Unicode, and those in logs may hold half a character.
        write_bytes_atomic(directory / name, text.encode(errors="replace"))


def html(page: Page) -> str:
    """The page as HTML; whatever is no `Markup` is escaped."""
    environment = Environment(
        loader=PackageLoader("audits.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["kind"] = lambda x: "str" if isinstance(x, str) else type(x).__name__
    return printable(environment.get_template("page.html.j2").render(page=page))


def markdown(page: Page) -> str:
    """The page as Markdown, without its figures; whatever came from users stands in it escaped."""
    verdict = f"Verdict: **{page.verdict}**. " if page.verdict else ""
    blocks = [block for section in page.sections for block in section.blocks]
    warnings = [f"> **Warning.** {escape(text)}" for text in page.warnings]
    several = any(isinstance(block, Drawings | Beside) for block in blocks)
    parts = [
        f"# {escape(page.headline)}",
        f"{escape(page.title)}. {verdict}{escape(page.scope)}",
        *([f"What would help: {within(page.next_step)}"] if page.next_step else []),
        *([] if page.warned_after else warnings),
        "\n".join(map(_glance, page.glances)),
        *([escape(page.terms)] if page.terms else []),
        *(warnings if page.warned_after else []),
        f"The {'figures are' if several else 'figure is'} in `report.html`.",
    ]
    for section in page.sections:
        if not section.drawn:
            parts.append(f"## {section.title}")
            parts += [text for block in section.blocks for text in block_texts(block)]
    return printable("\n\n".join(parts) + "\n")


def _glance(glance: Glance) -> str:
    estimate = f" (estimate {glance.estimate})" if glance.estimate else ""
    reason = glance.reason if glance.reason.endswith(".") else f"{glance.reason}."
    found = f"**{glance.finding}**{within(reason)}{shown_texts(glance.shown)}"
    return f"- {glance.heading}: {glance.number}{estimate}: {found}"
