"""How far on the way, as a picture: intervals of progress from the original to each reference."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from audits.report._figures import MARKS, canvas, group_lines, legend, point
from audits.report._words import REFERENCES
from audits.report.numbers import plain
from audits.report.palette import MUTED, drawing
from audits.verdict._results import ProgressRow

_ENDS = (-0.35, 1.55)
"""What is drawn of the line; what lies beyond ends in an arrow."""
_TICKS = (0.0, 0.5, 1.0, 1.5)


@drawing()
def progress_figure(rows: Sequence[ProgressRow]) -> Figure:
    """Progress from the original to each reference, a line a group and reference.

    Args:
        rows: of an audit; those that start elsewhere, or have no interval, are not drawn.
    """
    mine = [row for row in rows if row.start == "original" and row.low is not None]
    groups = list(dict.fromkeys(row.group for row in mine))
    step, gap = 15.0, 12.0
    pitch = step * len(REFERENCES) + gap
    figure, axes = canvas(74 + pitch * len(groups), left=96.0, bottom=66.0, right=14.0, top=8.0)
    for tick in (0.0, 0.5, 1.0):
        axes.axvline(tick, color=MUTED, lw=1, ls=(0, (1, 2)) if tick == 0.5 else (0, (4, 3)))
    for row in mine:
        assert row.low is not None
        assert row.high is not None
        y = pitch * groups.index(row.group) + step * REFERENCES.index(row.reference)
        colour = MARKS[row.reference].colour
        low, high = max(row.low, _ENDS[0]), min(row.high, _ENDS[1])
        if low < high:
            axes.plot([low, high], [y, y], color=colour, lw=2, solid_capstyle="butt")
        for end, beyond, mark in (
            (_ENDS[0], row.low < _ENDS[0], "<"),
            (_ENDS[1], row.high > _ENDS[1], ">"),
        ):
            if beyond:
                axes.plot([end], [y], mark, color=colour, markersize=6, clip_on=False, zorder=6)
        if row.estimate is not None and _ENDS[0] <= row.estimate <= _ENDS[1]:
            point(axes, row.estimate, y, row.reference, size=6.0)
    group_lines(axes, groups, step=step, lines=len(REFERENCES), gap=gap)
    axes.set_xlim(*_ENDS)
    axes.set_xticks(_TICKS, ["0\noriginal", "½", "1\nreference", plain(_TICKS[-1])])
    legend(figure, list(REFERENCES))
    return figure
