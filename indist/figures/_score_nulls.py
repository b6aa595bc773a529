"""Published scores of perfect and bad unlearners, at several numbers of models."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from audits.report.palette import INK, MUTED, ORIGINAL, UNLEARNING, UNTRAINING, drawing
from indist.figures._page import PAGE, SMALL, TEXT, tidy
from indist.studies._rows import Record
from indist.studies.illustrations._sources import Work

_FAMILIES = 6
_UNLEARNERS = {
    "perfect": ("perfect unlearner", UNTRAINING, "s", "-"),
    "identity": ("nothing done", ORIGINAL, "o", "--"),
    "retrain": ("retrained on D∖S", UNLEARNING, "^", "-"),
}
_QUESTION = "unlearning"


def numbers(work: Work) -> list[Record]:
    """The study `score-nulls`, of the question whether a model was unlearned.

    Returns:
        ``score``, ``family``, ``models``, ``question``, ``finding``, and ``_low``, ``_median``,
        ``_high`` (2.5, 50 and 97.5 %) of the score of a perfect unlearner, of doing nothing
        (``identity``) and of ``retrain``, perfect for the other question.
    """
    names = ["score", "family", "models", "question", "finding"]
    names += [
        f"{unlearner}_{part}" for unlearner in _UNLEARNERS for part in ("low", "median", "high")
    ]
    rows = [row for row in work.study("score-nulls") if "finding" in row]
    return [{k: row[k] for k in names} for row in rows if row["question"] == _QUESTION]


@drawing()
def draw(rows: list[Record], width: float) -> Figure:
    """A panel for the first score of each family: ranges of 95 % of the simulations."""
    first: dict[str, str] = {}
    for row in rows:
        first.setdefault(row["family"], row["score"])
    chosen = list(first.values())[:_FAMILIES]
    columns = 3 if width >= PAGE else 2
    lines = -(-len(chosen) // columns)
    height = 1.35 * lines + 0.62
    figure = Figure(figsize=(width, height))
    grid = figure.add_gridspec(
        lines, columns, left=0.4 / width, right=1 - 0.08 / width, bottom=0.62 / height,
        top=1 - 0.24 / height, wspace=0.28 if width >= PAGE else 0.36, hspace=0.42,
    )  # fmt: skip
    for place, score in enumerate(chosen):
        axes = figure.add_subplot(grid[place // columns, place % columns])
        own = sorted((r for r in rows if r["score"] == score), key=lambda r: r["models"])
        _panel(axes, own)
        axes.set_title(score, color=INK, fontsize=SMALL, pad=3, loc="left")
        below = place + columns >= len(chosen)
        axes.tick_params(labelbottom=below)
        if below:
            axes.set_xlabel("models on each side", color=INK, fontsize=TEXT, labelpad=1)
    figure.legend(
        *figure.axes[0].get_legend_handles_labels(), loc="lower center",
        ncols=3 if width >= PAGE else 2, frameon=False, fontsize=SMALL, labelcolor=INK,
        columnspacing=1.2, handletextpad=0.4, borderpad=0.0, labelspacing=0.2,
    )  # fmt: skip
    return figure


def _panel(axes: Axes, rows: list[Record]) -> None:
    tidy(axes, grid="y")
    x = [row["models"] for row in rows]
    for unlearner, (words, colour, marker, line) in _UNLEARNERS.items():
        low, y, high = (
            [row[f"{unlearner}_{part}"] for row in rows] for part in ("low", "median", "high")
        )
        axes.fill_between(x, low, high, color=colour, alpha=0.15, lw=0)
        axes.plot(x, y, line, color=colour, marker=marker, ms=3.4, lw=1.1, label=words)
    axes.set_xscale("log")
    axes.set_xticks(x, [f"{size:.0f}" for size in x])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.tick_params(colors=MUTED, labelcolor=INK)
