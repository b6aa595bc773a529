"""What the figures share: widths, type sizes, the house style of axes, and a mark for each group.

Groups differ in marker or place as well as in colour, so that a copy in grey says the same.
"""

from collections.abc import Iterable
from typing import NamedTuple

from matplotlib.axes import Axes

from audits.report.palette import GRID, INK, MUTED, UNLEARNING, UNTRAINING

COLUMN, PAGE = 3.3, 6.9
"""Widths in inches of one column and of a page of two."""
TEXT, SMALL = 8.0, 7.0
"""Type sizes in points: labels, and whatever stands beside them."""


class Mark(NamedTuple):
    """How a group of training examples looks, and its name in words."""

    words: str
    colour: str
    marker: str


MARKS = {
    "forget": Mark("forget set S", UNTRAINING, "o"),
    "behaviour": Mark("rest of the behaviour, B∖S", UNLEARNING, "^"),
    "retain": Mark("other examples, D∖B", INK, "s"),
}


def present(groups: Iterable[str]) -> list[str]:
    """Those groups of training examples that there are, in the order of `MARKS`."""
    found = set(groups)
    return [name for name in MARKS if name in found]


def tidy(axes: Axes, *, grid: str | None = None) -> None:
    """The house style: two spines, small grey ticks, a light grid along ``grid`` if any."""
    axes.set_facecolor("none")
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(MUTED)
        spine.set_linewidth(0.7)
    axes.tick_params(colors=MUTED, labelsize=SMALL, labelcolor=INK, length=2.5, width=0.7)
    if grid:
        axes.grid(axis=grid, color=GRID, lw=0.5)  # pyright: ignore[reportArgumentType]
        axes.set_axisbelow(True)
