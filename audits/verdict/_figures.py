"""The report's figures, drawn from the numbers of an audit and nothing else.

Bounds are boxes or bands, and what was declared is dashed or dotted.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from audits.report._figures import MARKS, SMALL, canvas, group_lines, legend, point
from audits.report.numbers import plain
from audits.report.palette import BOTH, GRID, INK, MUTED, UNLEARNING, UNTRAINING, drawing
from audits.verdict._findings import AuditFindings
from audits.verdict._results import Comparison, Declaration, GroupSummary

Box = tuple[float, float, float, float]
"""Left, low, right and high end, in the units of the axes."""


def _clearest(candidates: list[tuple[float, float]], boxes: list[Box]) -> tuple[float, float]:
    """The candidate furthest from every box; the first one in a tie."""

    def room(place: tuple[float, float]) -> float:
        x, y = place
        gaps = (
            np.hypot(max(left - x, x - right, 0.0), max(low - y, y - high, 0.0))
            for left, low, right, high in boxes
        )
        # Beyond this much room more is no better, and the first candidate is the tidiest.
        return min(min(gaps), 0.15)

    return max(candidates, key=room)


def regions(axes: Axes, tolerance: float, boxes: list[Box]) -> None:
    """Tints and names the four parts into which the tolerance divides the plane.

    Args:
        axes: of the plane.
        tolerance: where it is divided.
        boxes: what is drawn in it, to be kept clear of the names.
    """
    t = tolerance
    for corner, width, height, colour, alpha in (
        ((0.0, t), t, 1 - t, UNTRAINING, 0.11),
        ((t, 0.0), 1 - t, t, UNLEARNING, 0.11),
        ((0.0, 0.0), t, t, BOTH, 0.16),
    ):
        axes.add_patch(Rectangle(corner, width, height, facecolor=colour, alpha=alpha, lw=0))
    axes.axvline(t, color=MUTED, lw=1, ls=(0, (4, 3)))
    axes.axhline(t, color=MUTED, lw=1, ls=(0, (4, 3)))
    wide, high = t >= 0.2, t <= 0.8
    spread = np.minimum(t + (1 - t) * np.linspace(0.92, 0.25, 7), max(0.88, (1 + t) / 2)).tolist()
    names = {
        "untraining": ([(t / 2, s) for s in spread], 0 if wide else 90, UNTRAINING),
        "unlearning": ([(s, t / 2) for s in spread[1:]], 0 if high else 90, UNLEARNING),
        "both": ([(t / 2, t / 2), (t / 2, t / 6), (t / 2, t * 5 / 6)], 0, BOTH),
        "neither": ([(s, r) for s in spread[1:] for r in spread], 0, MUTED),
    }
    for name, (candidates, rotation, colour) in names.items():
        x, y = _clearest(candidates, boxes)
        offset, led = (0.0, 0.0), False
        if t < 0.035 and name in ("untraining", "unlearning"):
            offset = (11, 0) if name == "untraining" else (0, 11)
        if t > 0.96 and name in ("untraining", "unlearning"):
            offset = (0, -11) if name == "untraining" else (-11, 0)
        # Names that do not fit into their corner stand beside it.
        if t < 0.12 and name == "both":
            x, y, offset, led = t, t, (22, 18), True
        if t > 0.86 and name == "neither":
            x, y, offset, led = t, t, (-26, -18), True
        axes.annotate(
            name,
            (x, y),
            xytext=offset,
            textcoords="offset points",
            ha="center",
            va="center",
            rotation=rotation,
            rotation_mode="anchor",
            color=colour,
            fontsize=11,
            style="italic",
            zorder=3,
            arrowprops={"arrowstyle": "-", "color": colour, "lw": 0.8, "shrinkB": 0, "shrinkA": 2}
            if led
            else None,
        )


def _box(axes: Axes, first: Comparison, second: Comparison, population: str) -> None:
    mark = MARKS[population]
    corner = (first.lower, second.lower)
    size = (first.upper - first.lower, second.upper - second.lower)
    axes.add_patch(
        Rectangle(corner, *size, facecolor=mark.colour, alpha=0.10, lw=0, clip_on=False, zorder=4)
    )
    axes.add_patch(
        Rectangle(
            corner,
            *size,
            facecolor="none",
            edgecolor=mark.colour,
            lw=1.5,
            ls=mark.line,
            clip_on=False,
            zorder=5,
        )
    )
    point(axes, first.estimate, second.estimate, population)


@drawing()
def distance_plane(audit: AuditFindings) -> Figure:
    """Where the submission lies between the references: the verdict as a picture.

    The submission is a box of confidence: the verdict is the name of the region that holds all of
    it, and a box across a line is undecided.
    """
    declared = audit.declaration
    between = audit.references
    pairs = [("submission", audit.untraining, audit.unlearning)]
    if audit.original is not None:
        pairs.append(("original", *audit.original))
    figure, axes = canvas(422.0, left=50.0, bottom=104.0, right=10.0, top=10.0)
    boxes: list[Box] = [(x.lower, y.lower, x.upper, y.upper) for _, x, y in pairs]
    boxes += [(x.estimate, y.estimate, x.estimate, y.estimate) for _, x, y in pairs]
    boxes += [(0.0, between.lower, 0.0, between.upper), (between.lower, 0.0, between.upper, 0.0)]
    regions(axes, declared.tolerance, boxes)
    ends = [between.lower, between.upper]
    for name, xs, ys in (("untraining", [0, 0], ends), ("unlearning", ends, [0, 0])):
        cap = "_" if name == "untraining" else "|"
        axes.plot(
            xs, ys, color=MARKS[name].colour, lw=3, marker=cap, ms=9, mew=1.6, clip_on=False,
            zorder=5, solid_capstyle="butt",
        )  # fmt: skip
    point(axes, 0.0, between.estimate, "untraining")
    point(axes, between.estimate, 0.0, "unlearning")
    for name, first, second in reversed(pairs):
        _box(axes, first, second, name)
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    ticks = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    axes.set_xticks(ticks, [plain(tick) for tick in ticks])
    axes.set_yticks(ticks, [plain(tick) for tick in ticks])
    axes.set_xlabel("distance to the untraining reference", color=INK, fontsize=12)
    axes.set_ylabel("distance to the unlearning reference", color=INK, fontsize=12)
    tolerance = Line2D(
        [], [], color=MUTED, lw=1, ls=(0, (4, 3)), label=f"tolerance {plain(declared.tolerance)}"
    )
    legend(figure, [name for name, *_ in pairs] + ["untraining", "unlearning"], [tolerance])
    return figure


@drawing()
def hockey_stick_curve(comparison: Comparison, direction: str, declaration: Declaration) -> Figure:
    """One direction of the hockey-stick divergence against ε, with its pointwise band.

    Args:
        comparison: of the submission with a reference, which gives colour and marker.
        direction: ``forward`` or ``backward``, as in `Curve`.
        declaration: the ε and the tolerance to mark.
    """
    mark = MARKS[comparison.second]
    curve = comparison.curve
    value, low, high = (getattr(curve, f"{direction}{part}") for part in ("", "_low", "_high"))
    figure, axes = canvas(254.0, left=48.0, bottom=44.0, right=10.0, top=18.0)
    axes.grid(axis="y", color=GRID, lw=0.7)
    axes.set_axisbelow(True)
    axes.fill_between(curve.epsilon, low, high, color=mark.colour, alpha=0.17, lw=0)
    for edge in (low, high):
        axes.plot(curve.epsilon, edge, color=mark.colour, lw=0.8, alpha=0.75)
    axes.plot(
        curve.epsilon,
        value,
        color=mark.colour,
        lw=2,
        marker=mark.marker,
        markersize=4.5,
        markevery=max(1, len(value) // 10),
        clip_on=False,
        zorder=5,
    )
    end = max(float(curve.epsilon[-1]), declaration.epsilon)
    axes.axhline(declaration.tolerance, color=MUTED, lw=1.1, ls=(0, (1, 2)))
    axes.axvline(declaration.epsilon, color=MUTED, lw=1.1, ls=(0, (4, 3)))
    # The tolerance is named at the end where the band leaves it room.
    above = (low <= declaration.tolerance + 0.1) & (high >= declaration.tolerance)
    third = len(value) // 3
    left = bool(above[-third:].any() and not above[:third].any())
    axes.annotate(
        f"tolerance δ = {plain(declaration.tolerance)}",
        (float(curve.epsilon[0]) if left else end, declaration.tolerance),
        xytext=(4 if left else 0, 4),
        textcoords="offset points",
        ha="left" if left else "right",
        color=MUTED,
        fontsize=SMALL,
    )
    late = declaration.epsilon > 0.6 * end
    axes.annotate(
        f"declared ε = {plain(declaration.epsilon)}",
        (declaration.epsilon, 1),
        xytext=(0, 3),
        textcoords="offset points",
        ha="right" if late else "left",
        color=MUTED,
        fontsize=SMALL,
    )
    axes.set(xlim=(float(curve.epsilon[0]), end), ylim=(0, 1))
    ticks = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    axes.set_yticks(ticks, [plain(tick) for tick in ticks])
    axes.xaxis.set_major_formatter(lambda tick, _: plain(round(float(tick), 6)))
    axes.set_xlabel("ε", color=INK, fontsize=12)
    axes.set_ylabel("divergence δ", color=INK, fontsize=12)
    return figure


@drawing()
def group_margins(groups: tuple[GroupSummary, ...]) -> Figure:
    """The median margin on each probe group: its median and 5 to 95 % range over models."""
    names = list(dict.fromkeys(row.group for row in groups))
    populations = [name for name in MARKS if any(row.population == name for row in groups)]
    step, gap = 13.0, 15.0
    pitch = step * len(populations) + gap
    height = 92 + pitch * len(names)
    figure, axes = canvas(height, left=96.0, bottom=84.0, right=14.0, top=8.0)
    axes.axvline(0, color=MUTED, lw=1, ls=(0, (4, 3)))
    for row in groups:
        mark = MARKS[row.population]
        y = pitch * names.index(row.group) + step * populations.index(row.population)
        axes.plot([row.margin_low, row.margin_high], [y, y], color=mark.colour, lw=2)
        point(axes, row.margin, y, row.population, size=6.0)
    group_lines(axes, names, step=step, lines=len(populations), gap=gap)
    axes.set_xlabel("median margin (log-odds of the label)", color=INK, fontsize=12)
    legend(figure, populations)
    return figure
