"""The parts of a report's figures: axes of one look, and a marker for each population.

Every figure can be read without colour: the populations differ in marker, and the references in
marker and line as well.
"""

from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from audits.report._words import POPULATION_NAMES, group_name
from audits.report.palette import GRID, INK, MUTED, ORIGINAL, PAPER, UNLEARNING, UNTRAINING

# Width of every figure, and size of its smaller letters, in points.
WIDTH = 380.0
SMALL = 10.5


class Mark(NamedTuple):
    """How a population is drawn: colour, marker with its fill, and kind of line."""

    colour: str
    marker: str
    fill: str
    line: str


MARKS = {
    "submission": Mark(INK, "o", INK, "-"),
    "original": Mark(ORIGINAL, "D", PAPER, "--"),
    "untraining": Mark(UNTRAINING, "s", UNTRAINING, "-"),
    "unlearning": Mark(UNLEARNING, "^", UNLEARNING, "-"),
}


def canvas(
    height: float, *, left: float, bottom: float, right: float, top: float
) -> tuple[Figure, Axes]:
    """A figure of ``height`` points and its axes, with margins in points."""
    figure = Figure(figsize=(WIDTH / 72, height / 72))
    return figure, panel(figure, left=left, bottom=bottom, right=right, top=top)


def panel(figure: Figure, *, left: float, bottom: float, right: float, top: float) -> Axes:
    """Axes within the margins given in points."""
    width, height = (72 * float(size) for size in figure.get_size_inches())
    box = (
        left / width,
        bottom / height,
        (width - left - right) / width,
        (height - bottom - top) / height,
    )
    axes = figure.add_axes(box)
    axes.set_facecolor("none")
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(MUTED)
    axes.tick_params(colors=MUTED, labelsize=SMALL, length=3)
    return axes


def point(axes: Axes, x: float, y: float, population: str, size: float = 8.0) -> None:
    """A population's marker."""
    mark = MARKS[population]
    axes.plot(
        [x],
        [y],
        mark.marker,
        markersize=size,
        color=mark.colour,
        markerfacecolor=mark.fill,
        markeredgewidth=1.6,
        clip_on=False,
        zorder=6,
    )


def group_lines(axes: Axes, groups: list[str], *, step: float, lines: int, gap: float) -> None:
    """Names of probe groups at the left, each before so many lines, with a rule between groups.

    Line k of group g lies at ``g * (step * lines + gap) + k * step``, the first at the top.

    Args:
        axes: of the figure.
        groups: the probe groups.
        step: from line to line.
        lines: of each group.
        gap: between groups.
    """
    pitch = step * lines + gap
    centres = [pitch * place + step * (lines - 1) / 2 for place in range(len(groups))]
    axes.set_yticks(centres, [group_name(name) for name in groups], color=INK, parse_math=False)
    for edge in centres[1:]:
        axes.axhline(edge - pitch / 2, color=GRID, lw=0.7)
    axes.set_ylim(pitch * len(groups) - gap / 2 - step / 2, -gap / 2 - step / 2)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0, labelsize=11)


def legend(figure: Figure, populations: list[str], extra: list[Line2D] | None = None) -> None:
    """The populations' markers with their names, at the foot of the figure."""
    handles = [
        Line2D(
            [],
            [],
            linestyle="none",
            marker=MARKS[name].marker,
            color=MARKS[name].colour,
            markerfacecolor=MARKS[name].fill,
            markeredgewidth=1.6,
            markersize=7,
            label=POPULATION_NAMES[name],
        )
        for name in populations
    ] + (extra or [])
    figure.legend(
        handles=handles,
        loc="lower center",
        ncols=2,
        frameon=False,
        fontsize=11,
        labelcolor=INK,
        handletextpad=0.4,
        columnspacing=1.6,
    )
