"""The three cases of influence: what training on S did to S, and to everything else."""

import math

from matplotlib.figure import Figure

from audits.report.palette import INK, MUTED, UNTRAINING, drawing
from indist.figures._page import PAGE, SMALL, tidy
from indist.studies._rows import Record
from indist.studies.illustrations._influence_cases import numbers as numbers

_WORDS = {
    "forget": "on S itself",
    "behaviour": "on the rest, B∖S",
    "behaviour_test": "on fresh behaviour",
    "near": "on look-alikes",
    "retain": "on the retained",
    "test": "on test",
}


@drawing()
def draw(rows: list[Record], width: float) -> Figure:
    """A panel a scenario: influence of S on each group of probes, with intervals."""
    scenarios = list(dict.fromkeys(row["scenario"] for row in rows))
    groups = [group for group in _WORDS if any(row["group"] == group for row in rows)]
    wide = width >= PAGE
    height = 1.95 if wide else 1.45 * len(scenarios) + 0.45
    figure = Figure(figsize=(width, height))
    grid = figure.add_gridspec(
        *((1, len(scenarios)) if wide else (len(scenarios), 1)),
        left=1.13 / width, right=1 - 0.08 / width, bottom=0.42 / height, top=1 - 0.36 / height,
        wspace=0.1, hspace=0.55,
    )  # fmt: skip
    for place, scenario in enumerate(scenarios):
        axes = figure.add_subplot(grid[place])
        tidy(axes, grid="x")
        own = {row["group"]: row for row in rows if row["scenario"] == scenario}
        for y, group in enumerate(groups):
            row = own.get(group)
            if row is None:
                continue
            axes.plot([row["low"], row["high"]], [y, y], color=UNTRAINING, lw=2, alpha=0.5)
            filled = row["low"] > row["threshold"]
            axes.plot(
                [row["influence"]], [y], "o", ms=4.5, color=UNTRAINING, mew=1,
                mfc=UNTRAINING if filled else "white",
            )  # fmt: skip
        axes.axvline(own[groups[0]]["threshold"], color=MUTED, lw=0.9, ls=(0, (4, 3)))
        axes.axvline(0, color=MUTED, lw=0.6)
        axes.set(ylim=(len(groups) - 0.5, -0.5), xlim=(_least(rows), 1.04))
        axes.set_yticks(range(len(groups)), [_WORDS[group] for group in groups], color=INK)
        axes.tick_params(labelleft=place == 0 or not wide)
        first = own[groups[0]]
        case = first["case"].replace("-influence", "")
        axes.set_title(
            f"{scenario}, γ = {first['discovery']:g}\n{case}", color=INK, fontsize=SMALL,
            loc="left", pad=3,
        )  # fmt: skip
        if wide or place == len(scenarios) - 1:
            axes.set_xlabel("influence: right under O less under T", color=INK, fontsize=SMALL)
    return figure


def _least(rows: list[Record]) -> float:
    return min(-0.05, math.floor(20 * min(row["low"] for row in rows)) / 20)
