"""Templates filled in: self-contained pages without a script, readable on paper."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


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
