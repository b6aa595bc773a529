"""Mean influence of a group of training examples on a group of targets."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from audits.report.numbers import level, near, up
from audits.report.palette import INK, MUTED, drawing
from indist.figures._page import PAGE, SMALL, TEXT, tidy

_WORDS = {
    "forget": "forget set S",
    "behaviour": "rest of the\nbehaviour, B∖S",
    "retain": "other examples,\nD∖B",
    "behaviour_test": "fresh instances\nof the behaviour",
    "near": "look-alikes\noutside it",
    "test": "ordinary test\nexamples",
}


@drawing()
def heat_map(
    influence: Float[np.ndarray, "sources targets"],
    low: Float[np.ndarray, "sources targets"],
    high: Float[np.ndarray, "sources targets"],
    sources: Sequence[str],
    targets: Sequence[str],
    *,
    confidence: float,
) -> Figure:
    """Sources in rows, targets in columns; each cell's number with its half-width.

    Numbers are in thousandths: how many of 1,000 models more get a target right because one
    source was in training. Bold ones have an interval without 0.

    Args:
        influence: means over pairs; NaN where undetermined.
        low: lower ends of their intervals.
        high: upper ends.
        sources: group of each row.
        targets: group of each column.
        confidence: of each interval.

    Returns:
        The figure, a page wide.
    """
    room = 0.62 + 0.4 * len(sources)
    figure = Figure(figsize=(PAGE, room))
    bottom, height = 0.05 / room, 0.4 * len(sources) / room
    axes = figure.add_axes((0.155, bottom, 0.735, height))
    tidy(axes)
    values = 1000.0 * influence
    known = np.isfinite(values)
    # As wide as the intervals reach, so that what may be noise looks pale.
    ends = 1000.0 * np.stack([low, high])
    most = float(np.abs(ends[:, known]).max(initial=0.0)) or 1.0
    shades = Normalize(-most, most)
    image = axes.imshow(
        np.where(known, values, 0.0), cmap="PuOr_r", norm=shades, aspect="auto", alpha=0.85
    )
    half = 1000.0 * np.maximum(high - influence, influence - low)
    for row, column in np.ndindex(*values.shape):
        if not known[row, column]:
            text, bold = "unde-\ntermined", False
        else:
            value = float(values[row, column])
            sign = "+" if value > 0 else ""
            text = f"{sign}{near(value, 2)} ± {up(float(half[row, column]), 2)}"
            bold = bool(low[row, column] > 0 or high[row, column] < 0)
        strong = known[row, column] and abs(values[row, column]) > 0.62 * most
        axes.text(
            column, row, text, ha="center", va="center", fontsize=SMALL,
            color="white" if strong else INK, fontweight="bold" if bold else "normal",
        )  # fmt: skip
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xticks(range(len(targets)), [_WORDS[name] for name in targets], fontsize=SMALL)
    axes.set_yticks(range(len(sources)), [_WORDS[name] for name in sources], fontsize=SMALL)
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.tick_params(length=0)
    words = f"mean influence on one other target (bold: {level(confidence)} interval without 0)"
    axes.set_xlabel(words, color=INK, fontsize=TEXT, labelpad=4)
    axes.set_ylabel("of one example", color=INK, fontsize=TEXT, labelpad=4)
    # White lines part cells of one shade.
    axes.set_xticks(np.arange(len(targets) - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(len(sources) - 1) + 0.5, minor=True)
    axes.tick_params(which="minor", length=0)
    axes.grid(which="minor", color="white", lw=1.5)
    bar = figure.colorbar(image, cax=figure.add_axes((0.905, bottom, 0.014, height)))
    bar.outline.set_visible(False)  # pyright: ignore[reportCallIssue]
    bar.ax.tick_params(colors=MUTED, labelcolor=INK, labelsize=SMALL, length=2, width=0.6)
    bar.set_label("thousandths", color=INK, fontsize=SMALL, labelpad=2)
    return figure
