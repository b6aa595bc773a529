"""Hockey-stick and trade-off curves of one unlearner against both references, with bands."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from audits.report.palette import INK, MUTED, UNLEARNING, UNTRAINING, drawing
from indist.figures._page import PAGE, SMALL, TEXT, tidy
from indist.studies._rows import Record
from indist.studies.illustrations._curves import METHOD, SCENARIO
from indist.studies.illustrations._curves import numbers as numbers

_MARKS = {
    "untraining": ("against T = A(D∖S), 95 %", UNTRAINING, "s", "-"),
    "unlearning": ("against A(D∖B), 95 %", UNLEARNING, "^", "-"),
}


@drawing()
def draw(rows: list[Record], width: float) -> Figure:
    """Two panels: divergence against ε, and the trade-off of errors."""
    wide = width >= PAGE
    height = 2.35 if wide else 4.3
    figure = Figure(figsize=(width, height))
    grid = figure.add_gridspec(
        *((1, 2) if wide else (2, 1)), left=0.42 / width, right=1 - 0.1 / width,
        bottom=0.62 / height, top=1 - 0.2 / height, wspace=0.2, hspace=0.42,
    )  # fmt: skip
    panels: tuple[tuple[str, str, str], ...] = (
        ("hockey-stick", "ε", "divergence δ(ε)"),
        ("trade-off", "type I error", "least type II error"),
    )
    for place, (kind, x, y) in enumerate(panels):
        axes = figure.add_subplot(grid[place])
        tidy(axes, grid="y")
        for reference in _MARKS:
            own = [r for r in rows if r["curve"] == kind and r["reference"] == reference]
            _curve(axes, own, reference)
        if kind == "trade-off":
            axes.plot([0, 1], [1, 0], color=MUTED, lw=0.9, ls=(0, (4, 3)))
            axes.annotate(
                "alike", (0.72, 0.28), xytext=(3, 3), textcoords="offset points", color=MUTED,
                fontsize=SMALL, style="italic",
            )  # fmt: skip
        axes.set(xlim=(0, max(row["x"] for row in rows if row["curve"] == kind)), ylim=(0, 1.02))
        axes.set_xlabel(x, color=INK, fontsize=TEXT, labelpad=1)
        axes.set_ylabel(y, color=INK, fontsize=TEXT)
        axes.set_title(
            f"{METHOD} on {SCENARIO}" if place == 0 else "", color=MUTED, fontsize=SMALL,
            loc="left", pad=3,
        )  # fmt: skip
    figure.legend(
        *figure.axes[0].get_legend_handles_labels(), loc="lower center", ncols=2, frameon=False,
        fontsize=SMALL, labelcolor=INK, borderpad=0.0,
    )  # fmt: skip
    return figure


def _curve(axes: Axes, rows: list[Record], reference: str) -> None:
    words, colour, marker, line = _MARKS[reference]
    x, y, low, high = ([row[name] for row in rows] for name in ("x", "y", "low", "high"))
    axes.fill_between(x, low, high, color=colour, alpha=0.17, lw=0)
    axes.plot(
        x, y, line, color=colour, lw=1.4, marker=marker, ms=3.2, markevery=max(1, len(x) // 9),
        label=words, clip_on=False,
    )  # fmt: skip
