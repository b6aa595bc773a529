"""The note's Figure 1, measured: what models think of each point of the plane."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D

import audits
import oracles
from audits.report.palette import INK, MUTED, PAPER, UNLEARNING, UNTRAINING, drawing
from indist.figures._page import PAGE, SMALL
from indist.figures._work import Row, Work

METHODS = ("finetune", "neggrad", "scrub", "npo", "ssd")
_POPULATIONS = {
    "original": "original O = A(D)",
    "untraining": "untraining T = A(D∖S)",
    "unlearning": "unlearning A(D∖B)",
}
_SIDE = 33
# Round steps, so that the numbers beside the figure are short.
_X, _Y = np.arange(_SIDE) / 10 - 0.1, np.arange(_SIDE) / 10 - 1.6
_POINT = "training example"


def numbers(work: Work) -> list[Row]:
    """A row a grid point and population, and one a training example of B.

    Returns:
        ``population``, ``verdict`` (of an audit at ε = 1 and tolerance 0.2; none for references),
        ``x``, ``y``, ``circle`` (mean over models of the probability of a circle), ``group`` (of a
        training example).
    """
    refs = work.references("circles")
    grid = np.stack(np.meshgrid(_X, _Y), axis=-1).reshape(-1, 2)
    plane = oracles.Probes.join(
        [("test", oracles.Examples(grid.astype(np.float32), np.zeros(len(grid), np.int32)))]
    )
    shown = {name: (getattr(refs, name), "") for name in _POPULATIONS}
    for method in METHODS:
        made = work.unlearned(refs, method)
        shown[method] = made, audits.audit(made, refs).verdict
    rows: list[Row] = []
    for name, (population, verdict) in shown.items():
        logits = population.observe(plane).logits.astype(np.float64)
        circle = (1 / (1 + np.exp(logits[..., 1] - logits[..., 0]))).mean(axis=0)
        rows += [
            {"population": name, "verdict": verdict, "x": x, "y": y, "circle": p}
            for (x, y), p in zip(
                np.round(grid, 1).tolist(), np.round(circle, 3).tolist(), strict=True
            )
        ]
    world = refs.scenario
    for group, members in (
        ("forget", world.forget),
        ("behaviour", np.setdiff1d(world.behaviour, world.forget)),
    ):
        rows += [
            {"population": _POINT, "x": float(x), "y": float(y), "group": group}
            for x, y in world.train.inputs[members]
        ]
    return rows


@drawing()
def draw(rows: list[Row], width: float) -> Figure:
    """A panel a population: mean probability of a circle, and the line where it is one half."""
    names = list(dict.fromkeys(row["population"] for row in rows if row["population"] != _POINT))
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


def _panel(axes: Axes, rows: list[Row]) -> AxesImage:
    field = np.array([row["circle"] for row in rows]).reshape(_SIDE, _SIDE)
    extent = (float(_X[0]), float(_X[-1]), float(_Y[0]), float(_Y[-1]))
    image = axes.imshow(
        field, origin="lower", extent=extent, cmap="cividis_r", vmin=0, vmax=1, alpha=0.75,
        interpolation="bilinear", aspect="equal",
    )  # fmt: skip
    axes.contour(_X, _Y, field, levels=[0.5], colors=[INK], linewidths=1.2)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color(MUTED)
        spine.set_linewidth(0.5)
    return image
