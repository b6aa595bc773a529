"""Several audits against the same references in one distance plane."""

import io
from collections.abc import Mapping
from itertools import chain
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.textpath import text_to_path

from audits.report._figures import WIDTH, canvas
from audits.report.numbers import near, plain
from audits.report.palette import INK, UNLEARNING, UNTRAINING, drawing
from audits.verdict._figures import Box, regions
from audits.verdict._findings import AuditFindings
from oracles.storage.files import write_bytes_atomic

_SHADES = {"untraining": UNTRAINING, "unlearning": UNLEARNING}
# Of a line of letters the height, and its distance from boxes and edges, as shares of an axis.
_LINE, _GAP = 0.047, 0.012
_SIZE = 10.5
"""Of the letters, in points."""
_LEFT, _RIGHT = 50.0, 12.0
"""Margins of the axes, in points."""
_MOST = 1.0 - 1.5 * _GAP
"""Names that end beyond here are set from their ends."""
_TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


@drawing()
def candidates_plane(results: Mapping[str, AuditFindings]) -> Figure:
    """Where each of several candidates lies between the references, with its box of confidence.

    Where both distances are at their greatest, the name says how far it is on the way from the
    original to the untraining reference, on S.

    Args:
        results: audits by the candidate's name, all of one declaration and against the same
            references.
    """
    first = next(iter(results.values()))
    figure, axes = canvas(372.0, left=_LEFT, bottom=44.0, right=_RIGHT, top=10.0)
    figure.set_facecolor("white")
    boxes = [_confidence_box(result) for result in results.values()]
    points = [
        (result.untraining.estimate, result.unlearning.estimate) for result in results.values()
    ]
    shown = [_shown(_called(name, result)) for name, result in results.items()]
    names = _name_boxes(shown, boxes, points, first.declaration.tolerance)
    regions(axes, first.declaration.tolerance, boxes + names)
    drawn = zip(results.values(), boxes, points, names, shown, strict=True)
    for result, (left, low, right, high), (x, y), (start, bottom, end, _), name in drawn:
        colour = _SHADES.get(result.verdict, INK)
        axes.add_patch(
            Rectangle(
                (left, low), right - left, high - low, facecolor="none", edgecolor=colour,
                lw=1.6, clip_on=False, zorder=5,
            )
        )  # fmt: skip
        axes.plot([x], [y], "o", color=colour, markersize=7, clip_on=False, zorder=6)
        axes.annotate(
            name,
            (end if end > _MOST else start, bottom),
            ha="right" if end > _MOST else "left",
            va="bottom",
            color=colour,
            fontsize=_SIZE,
            parse_math=False,
            zorder=7,
        )
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axes.set_xticks(_TICKS, [plain(tick) for tick in _TICKS])
    axes.set_yticks(_TICKS, [plain(tick) for tick in _TICKS])
    axes.set_xlabel("distance to models that never saw S", color=INK, fontsize=12)
    axes.set_ylabel("distance to models that never saw B", color=INK, fontsize=12)
    return figure


def _confidence_box(result: AuditFindings) -> Box:
    untraining, unlearning = result.untraining, result.unlearning
    return untraining.lower, unlearning.lower, untraining.upper, unlearning.upper


def _called(name: str, result: AuditFindings) -> str:
    """The name, and how far on the way, where distances no longer tell."""
    return (
        name if result.gone is None else f"{name}, {near(result.gone, 2)} of the way to untraining"
    )


def _name_boxes(
    names: list[str], boxes: list[Box], points: list[tuple[float, float]], tolerance: float
) -> list[Box]:
    """Where each candidate's name stands: within the plane, clear of points, lines and other names.

    A name stands below its box, or else above it, or else inside at its top, as near its point as
    the edges of the plane allow; names of candidates in one corner stand below one another.
    """
    taken: list[Box] = [(x - _GAP, y - _GAP, x + _GAP, y + _GAP) for x, y in points]
    # Lines across that a name would stand on.
    taken += [(0.0, tolerance, 1.0, tolerance)]
    taken += [(left, y, right, y) for left, low, right, high in boxes for y in (low, high)]
    found: list[Box] = []
    for name, (_, low, _, high), (x, _) in zip(names, boxes, points, strict=True):
        width = _width(name)
        start = max(_GAP, min(x - width / 2, 1.0 - _GAP - width))
        levels = range(1, len(names) + 1)
        bottoms = [low - _GAP - level * _LINE for level in levels]
        bottoms += [high + _GAP + (level - 1) * _LINE for level in levels]
        bottoms += [high - _GAP - level * _LINE for level in levels]
        places = [
            (start, bottom, start + width, bottom + _LINE)
            for bottom in bottoms
            if _GAP <= bottom <= 1.0 - _GAP - _LINE
        ]
        free = [place for place in places if not any(_meet(place, other) for other in taken)]
        found.append((free or places)[0])
        taken.append(found[-1])
    return found


def _shown(name: str) -> str:
    """As much of a name as fits into the plane."""
    lengths = range(len(name) - 1, 0, -1)
    candidates = chain([name], (f"{name[:length]}…" for length in lengths))
    return next((part for part in candidates if _width(part) <= 1.0 - 2.0 * _GAP), "…")


def _width(name: str) -> float:
    """Of a name as it is drawn, as a share of an axis."""
    font = FontProperties(family="sans-serif", size=_SIZE)
    points = text_to_path.get_text_width_height_descent(name, font, ismath=False)[0]
    return float(points) / (WIDTH - _LEFT - _RIGHT)


def _meet(one: Box, other: Box) -> bool:
    """Whether two boxes overlap by more than rounding."""
    left, low, right, high = one
    return (
        left < other[2] - 1e-9
        and other[0] < right - 1e-9
        and low < other[3] - 1e-9
        and other[1] < high - 1e-9
    )


def write_candidates(results: Mapping[str, AuditFindings], stem: Path) -> None:
    """Writes `candidates_plane` as ``stem.svg`` and ``stem.png``.

    Args:
        results: see `candidates_plane`.
        stem: path without a suffix.
    """
    figure = candidates_plane(results)
    for kind, options in (("svg", {"metadata": {"Date": None}}), ("png", {"dpi": 200})):
        buffer = io.BytesIO()
        with drawing():
            figure.savefig(buffer, format=kind, **options)  # pyright: ignore[reportArgumentType]
        write_bytes_atomic(stem.with_suffix(f".{kind}"), buffer.getvalue())
