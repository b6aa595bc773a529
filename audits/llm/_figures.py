"""The figure of a report on logs, drawn from the numbers of the comparison and nothing else."""

import math

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from audits.llm._findings import LLMFindings
from audits.report._figures import MARKS, WIDTH, legend, panel, point
from audits.report.palette import INK, MUTED, drawing


@drawing()
def forest(audit: LLMFindings) -> Figure:
    """A panel for each metric: the difference to each reference with its interval."""
    references = [comparison.reference for comparison in audit.comparisons]
    metrics = [compared.metric for compared in audit.comparisons[0].metrics]
    row, head, foot, below = 17.0, 24.0, 26.0, 62.0
    pitch = head + row * len(references) + foot
    height = pitch * len(metrics) + below
    figure = Figure(figsize=(WIDTH / 72, height / 72))
    for place, metric in enumerate(metrics):
        top = pitch * place + head
        axes = panel(
            figure, left=14.0, bottom=height - top - row * len(references), right=14.0, top=top
        )
        axes.spines["left"].set_visible(False)
        axes.set_title(_drawable(metric), loc="left", fontsize=11, color=INK, parse_math=False)
        axes.axvline(0, color=MUTED, lw=1, ls=(0, (4, 3)))
        shown = [0.0]
        for y, comparison in enumerate(audit.comparisons):
            compared = comparison.metrics[place]
            colour = MARKS[comparison.reference].colour
            half = compared.seed_half_width
            if math.isfinite(half):
                axes.add_patch(Rectangle((-half, y - 0.4), 2 * half, 0.8, fc=colour, alpha=0.15))
                shown += [-half, half]
            ends = [compared.low, compared.high]
            if all(map(math.isfinite, ends)):
                axes.plot(ends, [y, y], color=colour, lw=2, marker="|", ms=8, mew=1.6)
                shown += ends
            point(axes, compared.difference, y, comparison.reference, size=6.5)
            shown.append(compared.difference)
        edge = 0.05 * (max(shown) - min(shown)) or 1.0
        axes.set_xlim(min(shown) - edge, max(shown) + edge)
        axes.set_ylim(len(references) - 0.5, -0.5)
        axes.set_yticks([])
        axes.locator_params(axis="x", nbins=5)
    figure.text(
        0.5,
        (below - 16.0) / height,
        "submitted less reference, mean over examples",
        ha="center",
        color=INK,
        fontsize=12,
    )
    legend(figure, [*references])
    return figure


def _drawable(metric: str) -> str:
    """A metric's name in letters that the figure's font has; the tables hold it as it is."""
    plain = "".join(c if c.isascii() and c.isprintable() else "?" for c in metric)
    return plain if len(plain) <= 48 else f"{plain[:47]}…"
