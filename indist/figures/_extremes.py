"""The most and the least memorized images of a training set."""

import numpy as np
from jaxtyping import Float, Int
from matplotlib.figure import Figure

from audits.report.numbers import interval, near
from audits.report.palette import INK, MUTED, drawing
from indist.figures._page import PAGE, SMALL, TEXT


@drawing()
def extremes(
    images: Float[np.ndarray, "n 8 8"],
    labels: Int[np.ndarray, " n"],
    digits: Int[np.ndarray, " n"],
    memorization: Float[np.ndarray, " n"],
    low: Float[np.ndarray, " n"],
    high: Float[np.ndarray, " n"],
    *,
    width: float = PAGE,
) -> Figure:
    """Two rows of images: those most surely memorized, and those most surely not.

    Chosen by the ends of the intervals, not by estimates, of which the extremes are noise: the
    greatest lower ends, the least upper ends.

    Args:
        images: in [0, 1], white on black.
        labels: what each was trained as.
        digits: what each shows, or -1 where that is not known.
        memorization: estimates; missing ones are left out.
        low: lower ends of their intervals.
        high: upper ends.
        width: of the figure, in inches: eight images a row on a page, four in a column.

    Returns:
        The figure.
    """
    known = np.flatnonzero(np.isfinite(memorization))
    count = 8 if width >= PAGE else 4
    surest, unlikeliest = _extremes(known, low, high, count)
    figure = Figure(figsize=(width, 2.62))
    grid = figure.add_gridspec(
        2, count, left=0.52 / width, right=0.995, top=0.995, bottom=0.175, hspace=0.55, wspace=0.12
    )
    for row, (words, chosen) in enumerate(
        (("most\nmemorized", surest), ("least\nmemorized", unlikeliest))
    ):
        for place, example in enumerate(chosen):
            axes = figure.add_subplot(grid[row, place])
            axes.imshow(1.0 - images[example], cmap="gray", vmin=0, vmax=1)
            axes.set_xticks([])
            axes.set_yticks([])
            for spine in axes.spines.values():
                spine.set_color(MUTED)
                spine.set_linewidth(0.5)
            shows = "" if digits[example] < 0 else f"a {digits[example]}, "
            axes.text(
                0.5, -0.05, f"{shows}labelled {labels[example]}", transform=axes.transAxes,
                ha="center", va="top", color=INK, fontsize=SMALL,
            )  # fmt: skip
            value, least, most = (float(column[example]) for column in (memorization, low, high))
            numbers = f"{near(value, 2)}\n{interval(least, most, 2)}"
            axes.text(
                0.5, -0.20, numbers, transform=axes.transAxes, ha="center", va="top", color=INK,
                fontsize=SMALL, linespacing=1.15,
            )  # fmt: skip
            if place == 0:
                axes.set_ylabel(words, color=INK, fontsize=TEXT, labelpad=4)
    return figure


def _extremes(
    known: Int[np.ndarray, " k"], low: np.ndarray, high: np.ndarray, count: int
) -> tuple[Int[np.ndarray, " m"], Int[np.ndarray, " m"]]:
    most = known[np.argsort(-low[known], kind="stable")][:count]
    least = known[np.argsort(high[known], kind="stable")][:count]
    return most, least
