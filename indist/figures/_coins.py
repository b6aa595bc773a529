"""One model against its coins: what is left to convict it of, by epochs of unlearning."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from audits.report.palette import INK, MUTED, UNLEARNING, UNTRAINING, drawing
from indist.figures._page import PAGE, SMALL, TEXT, tidy
from indist.studies._rows import Record
from indist.studies.illustrations._sources import Work

_QUESTIONS = {
    "unlearning": ("not unlearning", UNLEARNING, "^"),
    "untraining": ("not untraining", UNTRAINING, "s"),
}
_GROUPS = {"retain": (MUTED, "v", "--"), "test": (INK, "o", "-")}
_PARTS = ("first", "least", "greatest")


def numbers(work: Work) -> list[Record]:
    """The study `coins`, where single models are followed by epochs.

    Returns:
        ``scenario``, ``method``, ``models``, ``candidates``, ``epochs``; for both questions the
        bound on epsilon of the first model (``_first``) and the ``_least`` and ``_greatest`` of all
        models, each audited alone; the same of the shares right on ``retain`` and ``test``.
    """
    names = ["scenario", "method", "models", "candidates", "epochs"]
    names += [f"{number}_{part}" for number in (*_QUESTIONS, *_GROUPS) for part in _PARTS]
    rows = [row for row in work.study("coins") if row["part"] == "epochs"]
    return [{name: row[name] for name in names} for row in rows]


@drawing()
def draw(rows: list[Record], width: float) -> Figure:
    """A column of panels a method: bounds above, accuracy below; bands span all models."""
    methods = list(dict.fromkeys(row["method"] for row in rows))
    ticks = sorted({row["epochs"] for row in rows})
    lines = 1 if width >= PAGE else 2
    height, bottom = 3.0 + 0.13 * lines, 0.49 + 0.13 * lines
    figure = Figure(figsize=(width, height))
    grid = figure.add_gridspec(
        2, len(methods), left=0.54 / width, right=1 - 0.1 / width, bottom=bottom / height,
        top=1 - 0.24 / height, height_ratios=(2.4, 1), hspace=0.14, wspace=0.1,
    )  # fmt: skip
    top = 1.06 * max(row[f"{name}_greatest"] for row in rows for name in _QUESTIONS)
    low = min(row[f"{name}_least"] for row in rows for name in _GROUPS)
    for column, method in enumerate(methods):
        own = sorted((r for r in rows if r["method"] == method), key=lambda r: r["epochs"])
        above, below = figure.add_subplot(grid[0, column]), figure.add_subplot(grid[1, column])
        for name, (words, colour, marker) in _QUESTIONS.items():
            _curve(above, own, ticks, name, colour, marker, "-", words)
        for name, (colour, marker, line) in _GROUPS.items():
            _curve(below, own, ticks, name, colour, marker, line, f"right on {name}", 100.0)
        above.set_ylim(-0.03 * top, top)
        below.set_ylim(100 * low - 6, 103)
        above.set_title(method, color=INK, fontsize=TEXT, pad=4)
        for axes in (above, below):
            tidy(axes, grid="y")
            axes.set_xticks(range(len(ticks)), [f"{tick:.0f}" for tick in ticks])
            axes.tick_params(labelbottom=axes is below, labelleft=column == 0)
        below.set_xlabel("epochs of unlearning", color=INK, fontsize=TEXT, labelpad=1)
        if column == 0:
            above.set_ylabel("one model: ε at least", color=INK, fontsize=TEXT)
            below.set_ylabel("right, %", color=INK, fontsize=TEXT)
    pairs = [axes.get_legend_handles_labels() for axes in figure.axes[:2]]
    figure.legend(
        [handle for handles, _ in pairs for handle in handles],
        [label for _, labels in pairs for label in labels],
        loc="lower center", ncols=4 if lines == 1 else 2, frameon=False, fontsize=SMALL,
        labelcolor=INK, columnspacing=1.0, handletextpad=0.4, borderpad=0.0, labelspacing=0.2,
    )  # fmt: skip
    return figure


def _curve(
    axes: Axes,
    rows: list[Record],
    ticks: list[float],
    name: str,
    colour: str,
    marker: str,
    line: str,
    words: str,
    scale: float = 1.0,
) -> None:
    """The first model as a line, and from the least to the greatest of all models as a band."""
    # Epochs are drawn evenly spaced, as most happens in the first few.
    places = [ticks.index(row["epochs"]) for row in rows]
    first, least, greatest = ([scale * row[f"{name}_{part}"] for row in rows] for part in _PARTS)
    axes.fill_between(places, least, greatest, color=colour, alpha=0.17, lw=0)
    axes.plot(
        places, first, line, color=colour, marker=marker, ms=3.6, lw=1.2, label=words, clip_on=False
    )
