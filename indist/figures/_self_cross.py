"""What training on an example does to itself, and to others of its group: the note's cases."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from audits.memorization import Estimate
from audits.report.numbers import level, up
from audits.report.palette import GRID, INK, MUTED, PAPER, drawing
from indist.figures._page import COLUMN, MARKS, SMALL, TEXT, present, tidy


@drawing()
def self_cross(
    self_influence: Float[np.ndarray, " n"],
    cross_influence: Float[np.ndarray, " n"],
    groups: np.ndarray,
    sets: Mapping[str, tuple[Estimate, Estimate]],
    typical: tuple[float, float],
    *,
    threshold: float,
    confidence: float,
) -> Figure:
    """Self- against cross-influence: a point for each example, a box for each set.

    Both axes count examples: how much more often the example itself is right after training on it,
    and how many more others of its group are. One threshold serves both. The regions are the three
    cases of section 5 of "Is your algorithm unlearning or untraining?" (2026), for examples left
    out one at a time: where they stand in for each other, a set left out as a block can do more.

    Args:
        self_influence: memorization; missing ones are left out.
        cross_influence: on all others of its group together, in number of examples.
        groups: ``forget``, ``behaviour`` or ``retain`` for each.
        sets: mean self- and mean cross-influence of sets of examples, points or not, whose two
            intervals hold at once.
        typical: half-widths of a point's two intervals.
        threshold: where low becomes high.
        confidence: of each box, and of a point's intervals.

    Returns:
        The figure, a column wide.
    """
    known = np.isfinite(self_influence) & np.isfinite(cross_influence)
    figure = Figure(figsize=(COLUMN, 3.4))
    axes = figure.add_axes((0.165, 0.325, 0.815, 0.665))
    tidy(axes)
    for name in present(groups):
        own, mark = known & (groups == name), MARKS[name]
        axes.plot(
            self_influence[own], cross_influence[own], mark.marker, ms=2.8, mew=0.6, mfc="none",
            color=mark.colour, alpha=0.65, zorder=3, clip_on=False,
        )  # fmt: skip
    for name, (own, cross) in sets.items():
        _box(axes, own, cross, name)
    reach = [cross_influence[known], *(np.array(cross) for _, cross in sets.values()), [-0.3, 0.6]]
    numbers = np.concatenate(reach)
    least, most = float(numbers.min()), float(numbers.max())
    # Words stand below and above all data.
    axes.set(xlim=(-0.08, 1.06), ylim=(least - 0.5 * (most - least), most + 0.3 * (most - least)))
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    _regions(axes, threshold)
    axes.set_xlabel("self-influence (memorization)", color=INK, fontsize=TEXT)
    axes.set_ylabel("cross-influence, summed over others", color=INK, fontsize=TEXT)
    _legend(figure, present(sets), typical, confidence)
    return figure


def _box(axes: Axes, own: Estimate, cross: Estimate, name: str) -> None:
    mark = MARKS[name]
    corner, size = (own.low, cross.low), (own.high - own.low, cross.high - cross.low)
    axes.add_patch(
        Rectangle(corner, *size, facecolor=mark.colour, alpha=0.2, lw=0, zorder=4, clip_on=False)
    )
    axes.add_patch(
        Rectangle(
            corner, *size, facecolor="none", edgecolor=mark.colour, lw=0.9, zorder=5,
            clip_on=False,
        )
    )  # fmt: skip
    axes.plot(
        [own.value], [cross.value], mark.marker, ms=5, color=mark.colour, mec=PAPER, mew=0.7,
        zorder=6, clip_on=False,
    )  # fmt: skip


def _regions(axes: Axes, threshold: float) -> None:
    for line in (axes.axhline, axes.axvline):
        line(threshold, color=MUTED, lw=0.8, ls=(0, (4, 3)), zorder=1)
    axes.axhline(0, color=GRID, lw=0.8, zorder=0)
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    for x, y, text in (
        ((left + threshold) / 2, low, "low self,\nlow cross:\nuntraining\nchanges\nnothing"),
        ((threshold + right) / 2, low, "high self, low cross:\nuntraining takes S alone"),
        ((threshold + right) / 2, high, "high self, high cross:\nit takes others with S"),
    ):
        axes.annotate(
            text, (x, y), xytext=(0, 3 if y == low else -3), textcoords="offset points",
            ha="center", va="bottom" if y == low else "top", color=MUTED, fontsize=SMALL,
            style="italic", linespacing=1.1, zorder=2,
        )  # fmt: skip


def _legend(
    figure: Figure, names: list[str], typical: tuple[float, float], confidence: float
) -> None:
    handles = [
        Line2D(
            [], [], ls="none", marker=MARKS[name].marker, ms=5, color=MARKS[name].colour,
            mec=PAPER, mew=0.7, label=MARKS[name].words,
        )
        for name in names
    ]  # fmt: skip
    own, cross = (up(number, 2) for number in typical)
    title = (
        f"Filled: means of sets in {level(confidence)} boxes. Open: examples,\n"
        f"typically ± {own} (self) and ± {cross} (cross)."
    )
    figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0.0, 0.0), frameon=False,
        fontsize=SMALL, labelcolor=INK, title=title, title_fontsize=SMALL, alignment="left",
        borderpad=0.2, labelspacing=0.25, handletextpad=0.2,
    )  # fmt: skip
