"""The paper's figures: from committed numbers at both widths, and from small populations."""

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from indist import figures
from indist.figures._plane import _labels
from indist.studies.illustrations import _decision_fields
from tests.indist.helpers import DOCS, run

CHEAP = ("plane", "claimed")
"""Those whose numbers are read from finished studies."""


@pytest.fixture
def work(tmp_path: Path) -> figures.Work:
    return figures.Work(tmp_path / "work", 4, 0, DOCS / "results")


@pytest.mark.parametrize("name", CHEAP)
def test_files_of_a_figure(name: str, work: figures.Work, tmp_path: Path) -> None:
    ((made, paths),) = figures.make([name], tmp_path, work)
    assert made == name
    kinds = {f"{name}-{w}.{k}" for w in ("column", "page") for k in ("pdf", "svg", "png")}
    assert {path.name for path in paths} == kinds | {f"{name}.csv"}
    assert all(path.stat().st_size > 500 for path in paths)
    first = {path: path.read_bytes() for path in paths}
    list(figures.make([name], tmp_path, work))
    assert {path: path.read_bytes() for path in paths} == first


@pytest.mark.parametrize("name", list(figures.FIGURES))
def test_a_figure_is_as_wide_as_asked_and_cuts_nothing_off(name: str) -> None:
    """Drawn from the committed numbers: as wide as asked, nothing written outside the picture."""
    rows = figures.read_rows(DOCS / "figures" / f"{name}.csv")
    for width in figures.WIDTHS.values():
        drawn = figures.FIGURES[name].draw(rows, width)
        assert drawn.get_size_inches()[0] == pytest.approx(width)
        drawn.canvas.draw()
        box = drawn.get_tightbbox()
        assert box.x0 > -0.02, "words cut off on the left"
        assert box.x1 < width + 0.02, "words cut off on the right"
        assert box.y0 > -0.02, "words cut off below"
        assert box.y1 < drawn.get_size_inches()[1] + 0.02, "words cut off above"


def test_numbers_of_small_populations(work: figures.Work, monkeypatch: pytest.MonkeyPatch) -> None:
    """At 4 models: rows are complete, and made from populations kept for the next figure."""
    monkeypatch.setattr(_decision_fields, "METHODS", ("neggrad",))
    rows = figures.FIGURES["decision-fields"].numbers(work)
    fields = [row for row in rows if "circle" in row]
    assert len({row["population"] for row in fields}) == 4
    assert all(0 <= row["circle"] <= 1 for row in fields)
    kept = sorted((work.folder / "populations").rglob("*.safetensors"))
    stamps = [path.stat().st_mtime_ns for path in kept]
    again = figures.FIGURES["decision-fields"].numbers(work)
    assert again == rows
    assert [path.stat().st_mtime_ns for path in kept] == stamps


def test_labels_do_not_overlap() -> None:
    rng = np.random.default_rng(0)
    points = [tuple(p) for p in rng.uniform(0, 1, (30, 2)).tolist()]
    rows = [{"method": f"method-{i}", "verdict": "neither"} for i in range(30)]
    placed = _labels(rows, points, 2.0)
    assert 3 < len(placed) <= 30
    for (first, _, _), (second, _, _) in itertools.combinations(placed, 2):
        assert first != second
    alone = _labels(rows[:1], [(0.5, 0.5)], 2.0)
    assert alone == [((0.5, 0.5), (1, -1), "method-0")]
    together = _labels(rows[:2], [(0.5, 0.5), (0.51, 0.5)], 2.0)
    assert [words for _, _, words in together] == ["method-0 + 1"]


def test_an_unknown_figure_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    done = run("figures", "plane", "plan", "-o", tmp_path / "out")
    assert done.exit_code == 2
    assert "figure: expected one of decision-fields" in done.stderr
    assert not (tmp_path / "out").exists()


def test_the_command_writes_the_numbers_beside_the_figure(tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = run("figures", "claimed", "-o", out, "--results", DOCS / "results")
    assert done.exit_code == 0, done.stderr
    numbers = pd.read_csv(out / "claimed.csv")
    assert set(numbers["claim"]) == {"as it is", "epsilon divided by ten", "noise left out"}
    assert "claimed: What certified unlearners claim" in done.stdout
