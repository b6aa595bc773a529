"""Training with differential privacy: when untraining has nothing left to do."""

from matplotlib.figure import Figure

from audits.report.palette import INK, MUTED, UNLEARNING, UNTRAINING, drawing
from indist.figures._page import PAGE, SMALL, TEXT, tidy
from indist.studies._rows import Record
from indist.studies.illustrations._private_training import TOLERANCE
from indist.studies.illustrations._private_training import numbers as numbers

_MARKS = {
    "T": ("original to T = A(D∖S)", UNTRAINING, "s"),
    "B": ("original to A(D∖B)", UNLEARNING, "^"),
}


@drawing()
def draw(rows: list[Record], width: float) -> Figure:
    """Distance of the original to both references against the noise, and accuracy below."""
    lines = 1 if width >= PAGE else 2
    height, bottom = 2.35 + 0.13 * lines, 0.49 + 0.13 * lines
    figure = Figure(figsize=(width, height))
    grid = figure.add_gridspec(
        2, 1, left=0.52 / width, right=1 - 0.1 / width, bottom=bottom / height,
        top=1 - 0.1 / height,
        height_ratios=(3, 1), hspace=0.18,
    )  # fmt: skip
    above, below = figure.add_subplot(grid[0]), figure.add_subplot(grid[1])
    sigma = [row["sigma"] for row in rows]
    for reference, (words, colour, marker) in _MARKS.items():
        y, low, high = (
            [row[f"{name}_to_{reference}"] for row in rows]
            for name in ("distance", "lower", "upper")
        )
        above.fill_between(sigma, low, high, color=colour, alpha=0.17, lw=0)
        above.plot(sigma, y, color=colour, marker=marker, ms=4, lw=1.3, label=words, clip_on=False)
    above.axhline(TOLERANCE, color=MUTED, lw=0.9, ls=(0, (4, 3)), label=f"tolerance {TOLERANCE:g}")
    above.set(ylim=(0, 1.02))
    above.set_ylabel("distance", color=INK, fontsize=TEXT)
    below.plot(
        sigma, [100 * row["test"] for row in rows], color=INK, marker="o", ms=3, lw=1, clip_on=False
    )
    below.set_ylabel("right on\ntest, %", color=INK, fontsize=SMALL, linespacing=1.0)
    below.set_ylim(45, 102)
    below.set_yticks([50, 100])
    for axes in (above, below):
        tidy(axes, grid="y")
        axes.set_xscale("log")
        axes.minorticks_off()
        axes.set_xticks(
            sigma,
            [f"{row['sigma']:g}\n(ε {row['claimed_epsilon']:.2g})" for row in rows],
        )
        axes.tick_params(labelbottom=axes is below)
    below.set_xlabel(
        "noise σ in clipping norms (ε it guarantees for S)", color=INK, fontsize=TEXT,
        labelpad=1,
    )  # fmt: skip
    handles, labels = above.get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="lower center", ncols=3 if lines == 1 else 2, frameon=False,
        fontsize=SMALL, labelcolor=INK, columnspacing=1.0, handletextpad=0.4, borderpad=0.0,
        labelspacing=0.2,
    )  # fmt: skip
    return figure
