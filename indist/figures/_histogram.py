"""How memorization is spread over the training examples, with what is known of it for sure."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from audits.memorization import Estimate
from audits.report.numbers import level, near
from audits.report.palette import INK, MUTED, drawing
from indist.figures._page import MARKS, PAGE, SMALL, TEXT, present, tidy

_BIN = 0.05


@drawing()
def histogram(
    memorization: Float[np.ndarray, " n"],
    low: Float[np.ndarray, " n"],
    high: Float[np.ndarray, " n"],
    groups: np.ndarray,
    means: Mapping[str, Estimate],
    *,
    confidence: float,
) -> Figure:
    """Histograms by group with the group's mean, and the share of examples above each level.

    The bars, on a logarithmic scale, are of estimates, which noise spreads a little. The bands on
    the right are of the truth: where all intervals hold at once, at least the share of examples
    whose lower end is above a level is above it, and at most that of those whose upper end is.

    Args:
        memorization: estimates; missing ones are left out.
        low: lower ends of intervals that all hold at once.
        high: upper ends of the same.
        groups: ``forget``, ``behaviour`` or ``retain`` for each.
        means: mean of each group with its interval.
        confidence: of the bands and of the intervals of the means.

    Returns:
        The figure, a page wide.
    """
    known = np.isfinite(memorization)
    names = present(groups[known])
    room = 0.42 + 0.86 * len(names)
    figure = Figure(figsize=(PAGE, room))
    grid = figure.add_gridspec(
        len(names), 2, left=0.075, right=0.985, bottom=0.36 / room, top=1 - 0.17 / room,
        hspace=0.5, wspace=0.27,
    )  # fmt: skip
    start = np.floor(min(float(memorization[known].min()), 0.0) / _BIN) * _BIN
    bins = np.linspace(start, 1.0, round((1.0 - start) / _BIN) + 1)
    counts = {name: np.histogram(memorization[known & (groups == name)], bins)[0] for name in names}
    # From half an example, so that a bar of one is seen, to where a mean stands clear of all bars.
    tallest = max(int(count.max()) for count in counts.values())
    limits = 0.5, 0.5 * (2.0 * tallest) ** 1.45
    ticks = [10**k for k in range(7) if 10**k <= 2 * tallest]
    for row, name in enumerate(names):
        own = known & (groups == name)
        bars, curve = (figure.add_subplot(grid[row, column]) for column in (0, 1))
        _bars(bars, counts[name], bins, name, means[name])
        bars.set(yscale="log", ylim=limits)
        bars.set_yticks(ticks, [f"{tick:,}" for tick in ticks])
        bars.yaxis.set_minor_locator(NullLocator())
        _above(curve, memorization[own], low[own], high[own], name)
        for axes in (bars, curve):
            axes.set_xlim(bins[0], 1.0)
            axes.tick_params(labelbottom=row == len(names) - 1)
        if row == 0:
            curve.set_title(
                f"bands hold all at once, {level(confidence)}", color=MUTED, fontsize=SMALL,
                loc="right", pad=3,
            )  # fmt: skip
        if row == len(names) - 1:
            bars.set_xlabel("memorization (estimate)", color=INK, fontsize=TEXT)
            curve.set_xlabel("memorization", color=INK, fontsize=TEXT)
    middle = (1 - 0.17 / room + 0.36 / room) / 2
    for x, words in ((0.004, "examples"), (0.497, "examples above it")):
        figure.text(x, middle, words, rotation=90, ha="left", va="center", color=INK, fontsize=TEXT)
    return figure


def _bars(axes: Axes, count: np.ndarray, bins: np.ndarray, name: str, mean: Estimate) -> None:
    mark = MARKS[name]
    tidy(axes)
    axes.bar(
        bins[:-1], count, _BIN, align="edge", color=mark.colour, alpha=0.75, edgecolor="white",
        lw=0.4,
    )  # fmt: skip
    words = f"{mark.words} ({int(count.sum()):,})"
    axes.set_title(words, loc="left", color=INK, fontsize=TEXT, pad=2)
    if not np.isfinite(mean.value):
        return
    place = axes.get_xaxis_transform()
    for xs, mark, size in (((mean.low, mean.high), "|", 5.0), ((mean.value,), "o", 2.8)):
        axes.plot(
            xs, [0.86] * len(xs), color=INK, marker=mark, ms=size, lw=1.1, mew=0.9, transform=place
        )
    left = mean.high > 0.8
    axes.annotate(
        f"mean {near(mean.value)}", (mean.low if left else mean.high, 0.86), xycoords=place,
        xytext=(-5 if left else 5, 0), textcoords="offset points", va="center",
        ha="right" if left else "left", color=INK, fontsize=SMALL,
    )  # fmt: skip


def _above(axes: Axes, values: np.ndarray, low: np.ndarray, high: np.ndarray, name: str) -> None:
    mark = MARKS[name]
    tidy(axes, grid="y")
    grid = np.linspace(-1.0, 1.0, 2001)
    sure, here, maybe = (_share_above(numbers, grid) for numbers in (low, values, high))
    axes.fill_between(grid, sure, maybe, color=mark.colour, alpha=0.2, lw=0)
    for edge in (sure, maybe):
        axes.plot(grid, edge, color=mark.colour, lw=0.5, alpha=0.7)
    axes.plot(grid, here, color=mark.colour, lw=1.4)
    axes.set_ylim(0, 1.03)
    axes.set_yticks([0, 0.5, 1], ["0", "50 %", "100 %"])


def _share_above(values: np.ndarray, grid: np.ndarray) -> np.ndarray:
    return 1.0 - np.searchsorted(np.sort(values), grid, side="right") / values.size
