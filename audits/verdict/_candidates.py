"""Several audits against the same references in one distance plane."""

import io
from collections.abc import Mapping
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from audits.report._figures import canvas
from audits.report.numbers import plain
from audits.report.palette import INK, UNLEARNING, UNTRAINING, drawing
from audits.verdict._figures import Box, regions
from audits.verdict._findings import AuditFindings
from oracles.storage.files import write_bytes_atomic

_SHADES = {"untraining": UNTRAINING, "unlearning": UNLEARNING}
# Size of a name's letters, as a share of an axis.
_LETTER, _LINE = 0.02, 0.07
_TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


@drawing()
def candidates_plane(results: Mapping[str, AuditFindings]) -> Figure:
    """Where each of several candidates lies between the references, with its box of confidence.

    Args:
        results: audits by the candidate's name, all of one declaration and against the same
            references.
    """
    first = next(iter(results.values()))
    figure, axes = canvas(372.0, left=50.0, bottom=44.0, right=12.0, top=10.0)
    figure.set_facecolor("white")
    boxes = [_confidence_box(result) for result in results.values()]
    names = [_name_box(name, *box) for name, box in zip(results, boxes, strict=True)]
    regions(axes, first.declaration.tolerance, boxes + names)
    estimates: list[float] = []
    for (name, result), (left, low, right, high) in zip(results.items(), boxes, strict=True):
        colour = _SHADES.get(result.verdict, INK)
        axes.add_patch(
            Rectangle(
                (left, low), right - left, high - low, facecolor="none", edgecolor=colour,
                lw=1.6, clip_on=False, zorder=5,
            )
        )  # fmt: skip
        x, y = result.untraining.estimate, result.unlearning.estimate
        axes.plot([x], [y], "o", color=colour, markersize=7, clip_on=False, zorder=6)
        # Candidates in one corner are named below one another.
        level = sum(abs(x - estimate) < 0.3 for estimate in estimates)
        estimates.append(x)
        axes.annotate(
            name,
            (right if right > 0.9 else (left + right) / 2, low if low > 0.15 else high),
            xytext=(0, (-12 - 14 * level) if low > 0.15 else 8),
            textcoords="offset points",
            ha="right" if right > 0.9 else "center",
            color=colour,
            fontsize=10.5,
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


def _name_box(name: str, left: float, low: float, right: float, high: float) -> Box:
    """About where a candidate's name stands beside its box: left, low, right and high."""
    width = _LETTER * len(name)
    start = right - width if right > 0.9 else (left + right - width) / 2
    bottom = low - _LINE if low > 0.15 else high
    return start, bottom, start + width, bottom + _LINE


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
