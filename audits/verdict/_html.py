"""The report as one self-contained page: no script, no network, readable on paper."""

from typing import NamedTuple

from markupsafe import Markup

from audits.report._html import rendered
from audits.report._svg import svg
from audits.report._words import POPULATIONS
from audits.verdict._content import DIRECTIONS, Content
from audits.verdict._figures import distance_plane, group_margins, hockey_stick_curve
from audits.verdict._findings import AuditFindings
from audits.verdict._results import Comparison


class _Drawing(NamedTuple):
    image: Markup
    caption: str


class _Curves(NamedTuple):
    name: str
    drawings: tuple[_Drawing, ...]


def html(audit: AuditFindings, content: Content) -> str:
    """The page, figures included.

    Args:
        audit: the numbers behind the figures.
        content: the same audit in words and tables.

    Returns:
        A complete HTML document; whatever came from users stands in it escaped.
    """
    return rendered(
        "report.html.j2",
        content=content,
        plane=_plane(audit, content),
        curves=tuple(
            _curves(audit, name, of)
            for name, of in (("untraining", audit.untraining), ("unlearning", audit.unlearning))
        ),
        margins=_margins(audit) if audit.groups else "",
    )


def _plane(audit: AuditFindings, content: Content) -> Markup:
    places = "; ".join(
        f"distance to the {of.name} {of.estimate}, bounds {of.bounds}" for of in content.distances
    )
    return svg(
        distance_plane(audit),
        name="plane",
        title="The distance plane",
        description=f"Verdict: {content.verdict}. The submission: {places}.",
    )


def _margins(audit: AuditFindings) -> Markup:
    return svg(
        group_margins(audit.groups),
        name="margins",
        title="Median margin of each population on each group of probes",
        description="The numbers are in the second table that follows.",
    )


def _curves(audit: AuditFindings, name: str, of: Comparison) -> _Curves:
    drawings = tuple(
        _Drawing(
            svg(
                hockey_stick_curve(of, direction, name, audit.declaration),
                name=f"{name}-{direction}",
                title=f"Hockey-stick divergence from the {POPULATIONS[name]}: {words}",
                description="A falling curve of the divergence δ against ε, with its band.",
            ),
            words.capitalize(),
        )
        for direction, words in DIRECTIONS.items()
    )
    return _Curves(POPULATIONS[name], drawings)
