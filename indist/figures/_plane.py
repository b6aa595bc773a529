"""The distance plane: every unlearner between the two references, in boxes of confidence."""

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from audits.report.palette import BOTH, INK, MUTED, PAPER, UNLEARNING, UNTRAINING, drawing
from indist.figures._page import PAGE, SMALL, TEXT, tidy
from indist.studies._rows import Record
from indist.studies.illustrations._sources import Work

_COLOURS = {"untraining": UNTRAINING, "unlearning": UNLEARNING, "both": BOTH}
_MARKERS = {"untraining": "s", "unlearning": "^", "both": "D", "neither": "o", "inconclusive": "x"}
_LABEL, _NEAR, _BUNCH = 6.0, 4.0, 0.05
"""Size of names and their distance from points, in points; points this near share a name."""
_LIMITS = (-0.03, 1.03)
_Coordinates = tuple[float, float]
_Box = tuple[float, float, float, float]
_PREFERRED = ("digits-trigger", "circles", "digits-swap")


def numbers(work: Work) -> list[Record]:
    """The study `algorithms` in up to three scenarios: those rows that were audited.

    Returns:
        ``scenario``, ``method``, ``verdict``, ``models``, and ``distance``, ``lower``, ``upper``
        ``_to_T`` and ``_to_B``.
    """
    bounds = [f"{number}_to_{r}" for r in "TB" for number in ("distance", "lower", "upper")]
    rows = [row for row in work.study("algorithms") if "verdict" in row]
    there = dict.fromkeys([*_PREFERRED, *(row["scenario"] for row in rows)])
    chosen = [name for name in there if any(row["scenario"] == name for row in rows)][:3]
    names = ("scenario", "method", "verdict", "models", *bounds)
    return [{k: row[k] for k in names} for row in rows if row["scenario"] in chosen]


@drawing()
def draw(rows: list[Record], width: float) -> Figure:
    """A plane a scenario on a page, the first scenario's alone in a column."""
    scenarios = list(dict.fromkeys(row["scenario"] for row in rows))
    if width < PAGE:
        scenarios = scenarios[:1]
    left, gap = 0.42, 0.22
    side = (width - left - 0.1 - gap * (len(scenarios) - 1)) / len(scenarios)
    height = side + 0.86
    figure = Figure(figsize=(width, height))
    for place, scenario in enumerate(scenarios):
        corner = (left + place * (side + gap)) / width, 0.62 / height
        axes = figure.add_axes((*corner, side / width, side / height))
        tidy(axes)
        own = [row for row in rows if row["scenario"] == scenario]
        _plane(axes, own, side)
        axes.set_title(
            f"{scenario}, {own[0]['models']:.0f} models", color=INK, fontsize=TEXT, pad=4
        )
        axes.set_xlabel("distance to T = A(D∖S)", color=INK, fontsize=TEXT)
        if place == 0:
            axes.set_ylabel("distance to A(D∖B)", color=INK, fontsize=TEXT)
        axes.tick_params(labelleft=place == 0)
    handles = [
        axes.plot([], [], marker, ms=4, color=_COLOURS.get(v, MUTED), label=v)[0]
        for axes in figure.axes[:1]
        for v, marker in _MARKERS.items()
        if any(row["verdict"] == v for row in rows)
    ]
    figure.legend(
        handles=handles, loc="lower center", ncols=len(handles) if width >= PAGE else 3,
        frameon=False, fontsize=SMALL, labelcolor=INK, handletextpad=0.1, columnspacing=1.0,
        borderpad=0.0, labelspacing=0.2,
    )  # fmt: skip
    return figure


def _plane(axes: Axes, rows: list[Record], side: float) -> None:
    """Boxes and points; ``side`` is the width and height of the axes in inches."""
    axes.plot([0, 1], [0, 1], color=MUTED, lw=0.5, ls=(0, (1, 2)), zorder=1)
    for row in rows:
        known = row["verdict"] in _COLOURS
        colour = _COLOURS.get(row["verdict"], MUTED)
        corner = row["lower_to_T"], row["lower_to_B"]
        size = row["upper_to_T"] - corner[0], row["upper_to_B"] - corner[1]
        axes.add_patch(
            Rectangle(corner, *size, fc="none", ec=colour, lw=0.8 if known else 0.4,
                      alpha=0.9 if known else 0.35, zorder=3 if known else 2)
        )  # fmt: skip
        axes.plot(
            [row["distance_to_T"]], [row["distance_to_B"]], _MARKERS[row["verdict"]],
            ms=4.5 if known else 3.5, color=colour, mew=0.6, zorder=5 if known else 4,
            mec=PAPER if row["verdict"] != "inconclusive" else colour, clip_on=False,
        )  # fmt: skip
    axes.set(xlim=_LIMITS, ylim=_LIMITS)
    ticks = [0, 0.5, 1]
    axes.set_xticks(ticks, ["0", "0.5", "1"])
    axes.set_yticks(ticks, ["0", "0.5", "1"])
    points = [(row["distance_to_T"], row["distance_to_B"]) for row in rows]
    for (x, y), place, words in _labels(rows, points, side):
        axes.annotate(
            words, (x, y), xytext=(place[0] * _NEAR, place[1] * _NEAR), textcoords="offset points",
            ha=("right", "center", "left")[place[0] + 1],
            va=("top", "center", "bottom")[place[1] + 1], color=INK, fontsize=_LABEL, zorder=6,
        )  # fmt: skip


def _labels(
    rows: list[Record], points: list[_Coordinates], side: float
) -> list[tuple[_Coordinates, tuple[int, int], str]]:
    """Names where there is room for them: of single points, and of bunches with their number.

    The verdicts that say something come first; a name without room is left to the CSV file.
    """
    unit = (_LIMITS[1] - _LIMITS[0]) / (72 * side)
    order = sorted(range(len(rows)), key=lambda i: (rows[i]["verdict"] not in _COLOURS, points[i]))
    left = set(order)
    chosen: list[tuple[_Coordinates, tuple[int, int], str]] = []
    boxes: list[_Box] = [(x, y, x, y) for x, y in points]
    for i in order:
        if i not in left:
            continue
        bunch = [j for j in order if j in left and math.dist(points[i], points[j]) < _BUNCH]
        bunch = [j for j in bunch if rows[j]["verdict"] == rows[i]["verdict"]]
        left -= set(bunch)
        words = rows[min(bunch)]["method"] + (f" + {len(bunch) - 1}" if len(bunch) > 1 else "")
        reach = 0.56 * _LABEL * len(words) * unit, 1.1 * _LABEL * unit
        for place in ((1, -1), (1, 1), (-1, -1), (-1, 1), (0, -1), (0, 1)):
            box = _box(points[i], place, reach, unit)
            inside = min(box[:2]) > _LIMITS[0] and max(box[2:]) < _LIMITS[1]
            if inside and not any(_meet(box, other) for other in boxes):
                boxes.append(box)
                chosen.append((points[i], place, words))
                break
    return chosen


def _box(at: _Coordinates, place: tuple[int, int], reach: _Coordinates, unit: float) -> _Box:
    x, y = (c + step * 0.8 * _NEAR * unit for c, step in zip(at, place, strict=True))
    left = x - reach[0] * (0.5 - 0.5 * place[0])
    low = y - reach[1] * (0.5 - 0.5 * place[1])
    return left, low, left + reach[0], low + reach[1]


def _meet(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
