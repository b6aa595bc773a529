"""The colours of all drawings, safe for the colour-blind, and the settings to draw them under.

Reports, figures for papers and the documentation share them, so that a reference has one colour
wherever it is drawn.
"""

from typing import Any

from matplotlib import style

__all__ = [
    "BOTH",
    "GRID",
    "INK",
    "MUTED",
    "ORIGINAL",
    "PAPER",
    "UNLEARNING",
    "UNTRAINING",
    "VARIABLES",
    "drawing",
]

# Okabe and Ito's colour-blind safe palette for data; greys for the rest. On the page each becomes
# a CSS variable, so that the same drawing serves light, dark and paper.
INK, MUTED, GRID, PAPER = "#1c2127", "#59626d", "#d5d9de", "#fefefd"
UNTRAINING, UNLEARNING, ORIGINAL, BOTH = "#0072b2", "#d55e00", "#cc79a7", "#009e73"
VARIABLES = {
    INK: "ink",
    MUTED: "muted",
    GRID: "line",
    PAPER: "paper",
    UNTRAINING: "untraining",
    UNLEARNING: "unlearning",
    ORIGINAL: "original",
    BOTH: "both",
}
"""The CSS variable that each colour becomes on a page."""

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "indist",
    "font.family": ["sans-serif"],
    "font.size": 11.0,
}


def drawing() -> Any:
    """The settings to draw under: matplotlib's own with few changes, and none of the user's."""
    return style.context(_STYLE, after_reset=True)
