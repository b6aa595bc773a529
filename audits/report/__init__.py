"""An audit as pages to read: one self-contained HTML file, and Markdown beside it."""

from pathlib import Path
from typing import TYPE_CHECKING

from audits.llm._page import write_logs
from audits.single._page import write_single
from audits.verdict._candidates import candidates_plane, write_candidates
from audits.verdict._html import html
from audits.verdict._markdown import markdown
from audits.verdict._page import content
from oracles.storage.files import write_text_atomic

if TYPE_CHECKING:
    from audits.verdict._audit import Audit

__all__ = ["candidates_plane", "write_candidates", "write_logs", "write_report", "write_single"]


def write_report(audit: "Audit", directory: Path) -> None:
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
