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

# Greys for all that is no data. On the page each colour becomes a CSS variable, so that the same
# drawing serves light, dark and paper.
INK = "#1c2127"
"""Text and axes."""
MUTED = "#59626d"
"""What is said by the way."""
GRID = "#d5d9de"
"""Lines that guide the eye."""
PAPER = "#fefefd"
"""The ground."""

# Okabe and Ito's colour-blind safe palette, for data.
UNTRAINING = "#0072b2"
"""Models that never saw the forget set."""
UNLEARNING = "#d55e00"
"""Models that never saw the behaviour."""
ORIGINAL = "#cc79a7"
"""Models before anything was taken out."""
BOTH = "#009e73"
"""What is like both references."""
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
