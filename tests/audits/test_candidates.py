"""Names in the plane of several submissions: within it, and apart from each other."""

from itertools import combinations, product
from types import SimpleNamespace
from typing import Any

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Annotation, Text

from audits.report._figures import canvas
from audits.report.palette import drawing
from audits.verdict._candidates import candidates_plane
from audits.verdict._figures import regions
from audits.verdict._findings import AuditFindings

FAR, NEAR = (0.72, 1.0), (0.0, 0.22)
# Lower and upper bounds at about 16, 64 and 256 models, far and near.
BOUNDS = {16: ((0.0, 1.0), (0.0, 0.49)), 64: (FAR, NEAR), 256: ((0.944, 1.0), (0.0, 0.04))}
# Of three kinds of submissions, and of several in one corner with two that lie side by side.
KINDS = {
    "demo": {"identity": "ff", "retrain": "nf", "retrain-behaviour": "fn"},
    "crowded": {
        "identity": "ff", "finetune": "ff", "neggrad": "ff", "retrain": "nf", "retrain-again": "nf",
        "retrain-behaviour": "fn", "a-name-that-is-long": "fn", "both": "nn", "w" * 60: "nn",
    },
}  # fmt: skip


def imagined(bounds: tuple[float, float]) -> Any:
    low, high = bounds
    return SimpleNamespace(lower=low, upper=high, estimate=1.0 if high == 1.0 else high / 4)


def imagined_audit(**fields: Any) -> AuditFindings:
    """Findings with these fields alone."""
    found = object.__new__(AuditFindings)
    for name, value in fields.items():
        object.__setattr__(found, name, value)
    return found


@pytest.mark.parametrize(
    ("models", "kind", "tolerance"), list(product(BOUNDS, KINDS, (0.02, 0.1, 0.2, 0.3)))
)
def test_names_stand_in_the_plane_and_apart(models: int, kind: str, tolerance: float) -> None:
    ends = dict(zip("fn", BOUNDS[models], strict=True))
    results: dict[str, Any] = {
        name: imagined_audit(
            untraining=imagined(ends[first]),
            unlearning=imagined(ends[second]),
            declaration=SimpleNamespace(tolerance=tolerance),
            verdict="inconclusive",
            progress=(),
        )
        for name, (first, second) in KINDS[kind].items()
    }
    figure = candidates_plane(results)
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    (axes,) = figure.axes
    plane = axes.get_window_extent(renderer)
    texts = [part for part in axes.get_children() if isinstance(part, Annotation)]
    extents = {
        text.get_text(): text.get_window_extent(renderer)
        for text in texts
        if text.get_text().rstrip("…")[:20] in {name[:20] for name in results}
    }
    assert len(extents) == len(results)
    for extent in extents.values():
        assert plane.x0 - 0.5 <= extent.x0 < extent.x1 <= plane.x1 + 0.5
        assert plane.y0 - 0.5 <= extent.y0 < extent.y1 <= plane.y1 + 0.5
    for one, other in combinations(extents.values(), 2):
        across = min(one.x1, other.x1) - max(one.x0, other.x0)
        along = min(one.y1, other.y1) - max(one.y0, other.y0)
        # Letters do not fill the whole height of their line.
        assert across <= 0 or along <= 0.25 * one.height


@pytest.mark.parametrize(
    "tolerance", [0.005, 0.03, 0.04, 0.1, 0.12, 0.19, 0.2, 0.5, 0.8, 0.9, 0.97]
)
@pytest.mark.parametrize("height", [422.0, 372.0])
def test_names_of_regions_stand_in_them(tolerance: float, height: float) -> None:
    with drawing():
        bottom = 104.0 if height == 422.0 else 44.0
        figure, axes = canvas(height, left=50.0, bottom=bottom, right=11.0, top=10.0)
        regions(axes, tolerance, [(0.0, 0.9, 0.1, 1.0)])
        axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
        renderer = FigureCanvasAgg(figure).get_renderer()
        figure.draw(renderer)
        names = [part for part in axes.get_children() if isinstance(part, Annotation)]
        assert len(names) == 4
        for name in names:
            # Without the line that leads to a name beside its region.
            extent = Text.get_window_extent(name, renderer)
            (left, low), (right, high) = axes.transAxes.inverted().transform(extent.get_points())
            assert min(left, low) >= 0.0
            assert max(right, high) <= 1.0
            for start, end in ((left, right), (low, high)):
                assert end <= tolerance + 0.002 or start >= tolerance - 0.002
