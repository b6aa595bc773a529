"""The figure of an audit by coins: what was shown of each question, and what could have been."""

from matplotlib.figure import Figure

from audits.coins._findings import CoinFindings
from audits.report import numbers
from audits.report._figures import MARKS, SMALL, canvas
from audits.report.palette import GRID, INK, MUTED, PAPER, drawing


@drawing()
def bounds(audit: CoinFindings) -> Figure:
    """A bar from 0 to the bound for each question, and a ring at the most it could have been."""
    pitch, questions = 46.0, audit.questions
    figure, axes = canvas(58 + pitch * len(questions), left=86.0, bottom=50.0, right=18.0, top=8.0)
    widest = max(1.0, *(one.result.ceiling for one in questions))
    for place, one in enumerate(questions):
        mark = MARKS[one.question]
        axes.plot([0, one.result.ceiling], [place, place], color=GRID, lw=1.2, zorder=1)
        axes.barh(place, one.bound, height=0.36, color=mark.colour, zorder=2)
        axes.plot(
            [one.result.ceiling], [place], "o", color=MUTED, markerfacecolor=PAPER, ms=7, zorder=3
        )
        said = f"ε ≥ {numbers.down(one.bound, 1)}" if one.bound > 0.0 else one.finding
        axes.text(0.0, place - 0.3, said, color=INK, fontsize=SMALL + 0.5, va="bottom")
    axes.set_yticks(range(len(questions)), [one.question for one in questions], color=INK)
    axes.set_ylim(len(questions) - 0.4, -0.75)
    axes.set_xlim(0.0, 1.04 * widest)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0, labelsize=11)
    delta = questions[0].result.delta
    axes.set_xlabel(f"lower bound on ε at δ = {delta:g}; ring: the most", color=INK, fontsize=12)
    return figure
