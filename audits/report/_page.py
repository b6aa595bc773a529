"""A page of sections, and its two forms: the reports of single models and of logs are such pages.

As in the report of an audit, numbers become words before they come here, and both forms are written
from the same words.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from audits.report._html import rendered
from audits.report._markdown import claims_text, escape, pairs_text, table_text
from audits.report._tables import Pairs, Table
from oracles.storage.files import write_bytes_atomic


@dataclass(frozen=True)
class Measure:
    """One reference at a glance: what was measured against it, and what follows."""

    reference: str
    name: str
    number: str
    finding: str
    says: str


@dataclass(frozen=True)
class Section:
    """A part of the page; what it holds stands in the order of the fields."""

    title: str
    said: tuple[str, ...] = ()
    pairs: Pairs = ()
    tables: tuple[Table, ...] = ()
    claims: Pairs = ()
    code: Pairs = ()
    cannot: bool = False


@dataclass(frozen=True)
class Page:
    """Everything that a report says, figure included."""

    title: str
    scenario: str
    headline: str
    scope: str
    figure: Markup
    caption: str
    measures: tuple[Measure, ...]
    warnings: tuple[str, ...]
    sections: tuple[Section, ...]


def write_page(page: Page, record: dict[str, Any], directory: Path, name: str) -> None:
    """Writes ``report.html``, ``report.md`` and, last, the record as ``name``.

    All three are made before the first is written, each under a temporary name, then renamed.

    Args:
        page: the report.
        record: every number as JSON values; a number that is not finite becomes null.
        directory: where to; made when it is not there.
        name: of the record's file.

    Raises:
        OSError: as the file system does.
    """
    numbers = json.dumps(_finite(record), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    files = {
        "report.html": rendered("page.html.j2", page=page),
        "report.md": markdown(page),
        name: numbers,
    }
    for file, text in files.items():
        # Names of files need not be Unicode, and those in logs may hold half a character.
        write_bytes_atomic(directory / file, text.encode(errors="replace"))


def markdown(page: Page) -> str:
    """The page as Markdown, without its figure; whatever came from users stands in it escaped."""
    parts = [
        f"# {escape(page.headline)}",
        f"{escape(page.title)}. {escape(page.scope)}",
        *(f"> **Warning.** {escape(text)}" for text in page.warnings),
        "\n".join(
            f"- Against the {of.name}: {of.number}: **{of.finding}**, {escape(of.says)}"
            for of in page.measures
        ),
        "The figure is in `report.html`.",
    ]
    for section in page.sections:
        parts += [f"## {section.title}", *map(escape, section.said)]
        parts += [pairs_text(section.pairs)] if section.pairs else []
        parts += map(table_text, section.tables)
        parts += claims_text(section.claims)
        parts += [pairs_text(section.code)] if section.code else []
    return "\n\n".join(parts) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(of) for key, of in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(of) for of in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
