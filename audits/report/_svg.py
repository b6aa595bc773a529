"""A matplotlib figure as an SVG element that takes its colours and its type from the page."""

import io
import re

from markupsafe import Markup, escape
from matplotlib.figure import Figure

from audits.report.palette import VARIABLES, drawing

_CLUTTER = re.compile(r"<metadata>.*?</metadata>|<defs>\s*<style.*?</style>\s*</defs>", re.DOTALL)
_IDS = re.compile(r'(\bid="|url\(#|xlink:href="#)')
_FONTS = re.compile(r"((?:font-family:|font: (?:[a-z0-9]+ )*?[0-9.]+px) )[^;\"]*")


def svg(figure: Figure, *, name: str, title: str, description: str) -> Markup:
    """Draw ``figure`` as one ``<svg>`` element to stand inside an HTML page.

    Args:
        figure: what to draw, in the colours of this module.
        name: a word that no other figure on the page has; it keeps their ids apart.
        title: what the figure is, for those who cannot see it.
        description: what it shows, for the same readers.

    Returns:
        The element, safe to place unescaped: it scales with the page, holds real text and no
        date, script or address, and is the same for the same figure.
    """
    buffer = io.StringIO()
    with drawing():
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    text = buffer.getvalue()
    inner = re.sub(r"<!--.*?-->", "", text[text.index("<svg") :], flags=re.DOTALL)
    inner = _CLUTTER.sub("", inner[inner.index(">") + 1 :])
    inner = _IDS.sub(rf"\g<1>{name}-", inner)
    inner = _FONTS.sub(r"\g<1> sans-serif", inner)
    for colour, variable in VARIABLES.items():
        inner = inner.replace(colour, f"var(--{variable}, {colour})")
    width, height = (72 * size for size in figure.get_size_inches())
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="0 0 {width:g} {height:g}" role="img" stroke-linejoin="round" '
        f'aria-labelledby="{name}-title {name}-desc">'
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-desc">{escape(description)}</desc>'
    )
    return Markup(head + re.sub(r"\n\s*", "\n", inner).strip())
