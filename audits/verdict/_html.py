"""The report as one self-contained page: no script, no network, readable on paper."""

from typing import TYPE_CHECKING, Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from audits.report._svg import svg
from audits.verdict._figures import distance_plane, group_margins, hockey_stick_curve
from audits.verdict._names import DIRECTIONS, POPULATIONS
from audits.verdict._page import Content
from audits.verdict._results import Comparison

if TYPE_CHECKING:
    from audits.verdict._audit import Audit


class _Drawing(NamedTuple):
    image: Markup
    caption: str


class _Curves(NamedTuple):
    name: str
    drawings: tuple[_Drawing, ...]


def html(audit: "Audit", content: Content) -> str:
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


def rendered(template: str, **context: Any) -> str:
    """A template of this package, filled in: whatever is no `Markup` is escaped."""
    environment = Environment(
        loader=PackageLoader("audits.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(context)


def _plane(audit: "Audit", content: Content) -> Markup:
    places = "; ".join(
        f"distance to the {of.name} {of.estimate}, bounds {of.bounds}" for of in content.distances
    )
    return svg(
        distance_plane(audit),
        name="plane",
        title="The distance plane",
        description=f"Verdict: {content.verdict}. The submission: {places}.",
    )


def _margins(audit: "Audit") -> Markup:
    return svg(
        group_margins(audit.groups),
        name="margins",
        title="Median margin of each population on each group of probes",
        description="The numbers are in the second table that follows.",
    )


def _curves(audit: "Audit", name: str, of: Comparison) -> _Curves:
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
