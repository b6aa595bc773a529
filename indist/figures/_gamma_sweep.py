"""The γ sweep: how far methods stay from A(D∖B) as more of the behaviour is found."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from audits.report.palette import BOTH, INK, MUTED, ORIGINAL, UNLEARNING, UNTRAINING, drawing
from indist.figures._page import PAGE, SMALL, TEXT, tidy
from indist.studies._rows import Record
from indist.studies.illustrations._sources import Work

_STYLES = (
    (UNTRAINING, "s", "-"),
    (UNLEARNING, "^", "-"),
    (BOTH, "D", "--"),
    (ORIGINAL, "o", "-"),
    (INK, "v", ":"),
)
_SCALES = {"distance": "distance to A(D∖B)", "rate": "behaviour rate less\nthat of A(D∖B)"}
_COLUMNS = ("scenario", "found", "method", "discovery", "models")


def numbers(work: Work) -> list[Record]:
    """The study `discovery`, where S is a random part of B.

    Returns:
        ``scenario``, ``found``, ``method``, ``discovery`` (γ), ``models``; ``distance``, the
        hockey-stick divergence at ε = 1, and ``rate``, how far the share of fresh instances that
        show the behaviour lies from that of A(D∖B); each with ``_lower`` and ``_upper``.
    """
    bounds = [f"{scale}{part}" for scale in _SCALES for part in ("", "_lower", "_upper")]
    rows = [row for row in work.study("discovery") if row["found"] == "random"]
    return [{name: row[name] for name in (*_COLUMNS, *bounds)} for row in rows]


@drawing()
def draw(rows: list[Record], width: float) -> Figure:
    """Both scales; a panel a scenario on a page, the first scenario's alone in a column."""
    scenarios = list(dict.fromkeys(row["scenario"] for row in rows))
    if width < PAGE:
        scenarios = scenarios[:1]
    methods = list(dict.fromkeys(row["method"] for row in rows))
    height = 3.4
    figure = Figure(figsize=(width, height))
    grid = figure.add_gridspec(
        2, len(scenarios), left=0.66 / width, right=1 - 0.1 / width,
        bottom=(0.62 if width >= PAGE else 0.74) / height,
        top=1 - 0.22 / height, wspace=0.12, hspace=0.14,
    )  # fmt: skip
    for column, scenario in enumerate(scenarios):
        for line, (scale, words) in enumerate(_SCALES.items()):
            axes = figure.add_subplot(grid[line, column])
            own = [row for row in rows if row["scenario"] == scenario]
            _curves(axes, own, methods, scale)
            axes.tick_params(labelbottom=line == 1, labelleft=column == 0)
            if line == 0:
                axes.set_title(f"{scenario}, {own[0]['models']:.0f} models", color=INK,
                               fontsize=TEXT, pad=4)  # fmt: skip
            else:
                axes.set_xlabel("γ, share of B that was found", color=INK, fontsize=TEXT)
            if column == 0:
                axes.set_ylabel(words, color=INK, fontsize=TEXT)
    figure.legend(
        *figure.axes[0].get_legend_handles_labels(), loc="lower center",
        ncols=len(methods) if width >= PAGE else 3, frameon=False, fontsize=SMALL, labelcolor=INK,
        columnspacing=1.2, handletextpad=0.4, borderpad=0.0, labelspacing=0.2,
    )  # fmt: skip
    return figure


def _curves(axes: Axes, rows: list[Record], methods: list[str], scale: str) -> None:
    tidy(axes, grid="y")
    for method, (colour, marker, line) in zip(methods, _STYLES, strict=False):
        own = sorted((r for r in rows if r["method"] == method), key=lambda r: r["discovery"])
        x = [row["discovery"] for row in own]
        y, low, high = ([row[f"{scale}{part}"] for row in own] for part in ("", "_lower", "_upper"))
        axes.fill_between(x, low, high, color=colour, alpha=0.12, lw=0)
        axes.plot(
            x, y, line, color=colour, marker=marker, ms=3.6, lw=1.2, label=method, clip_on=False
        )
    axes.set_xscale("log")
    axes.set_ylim(-0.02, 1.04)
    ticks = sorted({row["discovery"] for row in rows})
    axes.set_xticks(ticks, [f"{tick:.2g}" for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.axhline(0, color=MUTED, lw=0.5)
