"""The note's Figure 1, measured: what models think of each point of the plane."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D

from audits.report.palette import INK, MUTED, PAPER, UNLEARNING, UNTRAINING, drawing
from indist.figures._page import PAGE, SMALL
from indist.studies._rows import Record
from indist.studies.illustrations._decision_fields import POINT, SIDE, X, Y
from indist.studies.illustrations._decision_fields import numbers as numbers

_POPULATIONS = {
    "original": "original O = A(D)",
    "untraining": "untraining T = A(D∖S)",
    "unlearning": "unlearning A(D∖B)",
}


@drawing()
def draw(rows: list[Record], width: float) -> Figure:
    """A panel a population: mean probability of a circle, and the line where it is one half."""
    names = list(dict.fromkeys(row["population"] for row in rows if row["population"] != POINT))
    columns = 4 if width >= PAGE else 2
    lines = -(-len(names) // columns)
    side = (width - 0.1) / columns
    room = 0.62
    height = lines * (side + 0.2) + room
    figure = Figure(figsize=(width, height))
    grid = figure.add_gridspec(
        lines, columns, left=0.01, right=0.99, top=1 - 0.2 / height, bottom=room / height,
        hspace=0.25 / side, wspace=0.05,
    )  # fmt: skip
    images: list[AxesImage] = []
    for place, name in enumerate(names):
        axes = figure.add_subplot(grid[place // columns, place % columns])
        images.append(_panel(axes, [row for row in rows if row["population"] == name]))
        for group, marker, colour in (("forget", "o", UNTRAINING), ("behaviour", "^", UNLEARNING)):
            own = [row for row in rows if row.get("group") == group]
            axes.plot(
                [row["x"] for row in own], [row["y"] for row in own], marker, ms=2.6, mew=0.4,
                color=colour, mec=PAPER,
            )  # fmt: skip
        verdict = next(row.get("verdict") for row in rows if row["population"] == name)
        words = _POPULATIONS.get(name, f"{name}: {verdict}" if verdict else name)
        axes.set_title(words, color=INK, fontsize=SMALL, pad=2.5)
    bar = figure.add_axes((0.03, 0.36 / height, 0.40, 0.07 / height))
    figure.colorbar(images[0], cax=bar, orientation="horizontal", ticks=[0, 0.5, 1])
    bar.tick_params(labelsize=SMALL, length=2, colors=MUTED, labelcolor=INK)
    bar.set_xlabel("probability of a circle", color=INK, fontsize=SMALL, labelpad=1)
    figure.legend(
        handles=[
            Line2D([], [], ls="none", marker="o", color=UNTRAINING, label="forget set S"),
            Line2D([], [], ls="none", marker="^", color=UNLEARNING, label="rest of it, B∖S"),
            Line2D([], [], color=INK, lw=1.2, label="one half"),
        ],
        loc="lower right", ncols=1 if width < PAGE else 3, frameon=False, fontsize=SMALL,
        labelcolor=INK, markerscale=0.6, labelspacing=0.2, handletextpad=0.3, borderpad=0.1,
        columnspacing=1.2,
    )  # fmt: skip
    return figure


def _panel(axes: Axes, rows: list[Record]) -> AxesImage:
    field = np.array([row["circle"] for row in rows]).reshape(SIDE, SIDE)
    extent = (float(X[0]), float(X[-1]), float(Y[0]), float(Y[-1]))
    image = axes.imshow(
        field, origin="lower", extent=extent, cmap="cividis_r", vmin=0, vmax=1, alpha=0.75,
        interpolation="bilinear", aspect="equal",
    )  # fmt: skip
    axes.contour(X, Y, field, levels=[0.5], colors=[INK], linewidths=1.2)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color(MUTED)
        spine.set_linewidth(0.5)
    return image
