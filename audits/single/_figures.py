"""The figure of one model's report, drawn from the numbers of its audit and nothing else."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from audits.report._figures import MARKS, canvas, legend, point
from audits.report._words import REFERENCES, group_name
from audits.report.palette import GRID, INK, MUTED, PAPER, drawing
from audits.single._findings import SingleFindings

# More strokes than these run into each other.
_STROKES = 101


@drawing()
def places(audit: SingleFindings) -> Figure:
    """The references' models by median margin on each probe group, the submitted one among them."""
    submitted = audit.observables["submission"]
    step, gap = 19.0, 17.0
    pitch = 2 * step + gap
    figure, axes = canvas(
        92 + pitch * len(submitted.groups), left=96.0, bottom=84.0, right=14.0, top=8.0
    )
    axes.axvline(0, color=MUTED, lw=1, ls=(0, (4, 3)))
    for j in range(len(submitted.groups)):
        for k, name in enumerate(REFERENCES):
            _strip(axes, audit.observables[name].values[:, j], pitch * j + step * k, name)
        x, y = float(submitted.values[0, j]), pitch * j + step / 2
        axes.plot([x, x], [y - step, y + step], color=INK, lw=1.4, zorder=5, clip_on=False)
        point(axes, x, y, "submission", size=6.5)
    centres = [pitch * j + step / 2 for j in range(len(submitted.groups))]
    axes.set_yticks(centres, [group_name(name) for name in submitted.groups], color=INK)
    for edge in centres[1:]:
        axes.axhline(edge - pitch / 2, color=GRID, lw=0.7)
    axes.set_ylim(centres[-1] + pitch / 2, centres[0] - pitch / 2)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0, labelsize=11)
    axes.set_xlabel("median margin (log-odds of the label)", color=INK, fontsize=12)
    legend(figure, ["submission", *REFERENCES])
    return figure


def _strip(axes: Axes, values: np.ndarray, y: float, name: str) -> None:
    """A stroke for each model, or for each of `_STROKES` quantiles, and a marker at the median."""
    strokes = np.quantile(values, np.linspace(0.0, 1.0, min(len(values), _STROKES)))
    mark = MARKS[name]
    # One path, broken between the strokes, is a tenth of the file that as many paths would be.
    xs = np.stack([strokes, strokes, np.full_like(strokes, np.nan)], axis=1).ravel()
    ys = np.tile([y - 5.5, y + 5.5, np.nan], len(strokes))
    axes.plot(xs, ys, color=mark.colour, lw=0.8, alpha=0.6)
    axes.plot(
        [float(np.median(values))], [y], mark.marker, color=mark.colour, markersize=8.5,
        markeredgecolor=PAPER, markeredgewidth=1.2, zorder=4,
    )  # fmt: skip
