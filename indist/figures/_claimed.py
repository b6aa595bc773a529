"""What certified unlearners claim, beside what can be measured of it."""

from matplotlib.figure import Figure

from audits.report.palette import INK, MUTED, UNLEARNING, UNTRAINING, drawing
from indist.figures._page import SMALL, TEXT, tidy
from indist.studies._rows import Record
from indist.studies._sandwich import VARIANTS
from indist.studies.illustrations._sources import Work


def numbers(work: Work) -> list[Record]:
    """The study `sandwich`.

    Returns:
        ``method``, ``claim``, ``models``, ``claimed_epsilon``, ``claimed_delta``,
        ``measured_epsilon`` (a lower bound at 95 % confidence), ``finding``.
    """
    names = (
        "method", "claim", "models", "claimed_epsilon", "claimed_delta", "measured_epsilon",
        "finding",
    )  # fmt: skip
    return [{name: row[name] for name in names} for row in work.study("sandwich")]


@drawing()
def draw(rows: list[Record], width: float) -> Figure:
    """A line a method and claim: from the measured lower bound to the claim, red where crossed."""
    methods = list(dict.fromkeys(row["method"] for row in rows))
    step, gap = 0.125, 0.1
    block = step * len(VARIANTS) + gap
    height = block * len(methods) + 0.78
    figure = Figure(figsize=(width, height))
    left = 1.12
    axes = figure.add_axes(
        (left / width, 0.7 / height, (width - left - 0.12) / width, block * len(methods) / height)
    )
    tidy(axes, grid="x")
    for row in rows:
        variant = VARIANTS.index(row["claim"])
        y = block * methods.index(row["method"]) + step * (variant + 0.5) + gap / 2
        bad = row["finding"] == "contradicted"
        colour = UNLEARNING if bad else UNTRAINING
        ends = row["measured_epsilon"], row["claimed_epsilon"]
        axes.plot(ends, [y, y], color=colour, lw=0.9, ls="-" if bad else ":", zorder=2)
        axes.plot([ends[0]], [y], ">", ms=4, color=INK, zorder=3, clip_on=False)
        axes.plot(
            [ends[1]], [y], ("o", "D", "s")[variant], ms=3.8, color=colour, mew=0.9,
            mfc=colour if bad else "white", zorder=4, clip_on=False,
        )  # fmt: skip
    axes.set_xscale("symlog", linthresh=0.1, linscale=0.5)
    most = max(max(row["claimed_epsilon"], row["measured_epsilon"]) for row in rows)
    axes.set(xlim=(0, 1.5 * most), ylim=(block * len(methods), 0))
    ticks = [tick for tick in (0, 0.1, 1, 10, 100, 1000) if tick <= 1.5 * most]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_yticks([block * (i + 0.5) for i in range(len(methods))], methods, color=INK)
    axes.tick_params(axis="y", length=0, pad=7)
    for i in range(1, len(methods)):
        axes.axhline(block * i, color=MUTED, lw=0.3)
    axes.set_xlabel("ε at the claimed δ", color=INK, fontsize=TEXT, labelpad=1)
    handles = [
        axes.plot([], [], ">", ms=4, color=INK, ls="none", label="measured, at least")[0],
        *(
            axes.plot(
                [], [], marker, ms=3.8, color=UNTRAINING, mfc="white", ls="none",
                label=f"claim, {words}",
            )[0]
            for marker, words in zip("oDs", ("as it is", "ε / 10", "noise left out"), strict=True)
        ),
        axes.plot([], [], "o-", ms=3.8, lw=0.9, color=UNLEARNING, label="contradicted")[0],
    ]  # fmt: skip
    figure.legend(
        handles=handles, loc="lower center", ncols=3 if width > 4 else 2, frameon=False,
        fontsize=SMALL, labelcolor=INK, labelspacing=0.2, columnspacing=1.0, handletextpad=0.2,
        borderpad=0.0,
    )  # fmt: skip
    return figure
