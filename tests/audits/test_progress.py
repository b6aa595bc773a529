"""Progress in an audit: a row a group and reference, beside the verdict."""

from pathlib import Path

import pytest

from audits import GroupMedians, ObservedReferences, audit, verify
from tests.audits.conftest import World

FAR = {"forget": 12.0, "behaviour": 12.0}
HALF = {"forget": 6.0, "behaviour": 9.0}


def test_progress_of_each_group_to_each_reference(world: World, tmp_path: Path) -> None:
    # The original shows the behaviour, models without S or B do not.
    away = {"forget": 0.0, "behaviour": 12.0}
    references = ObservedReferences(
        world(1, away, models=80), world(2, models=80), world(4, FAR, models=80)
    )
    found = audit(world(3, HALF, models=80), references, observables=(GroupMedians(),), seed=0)
    rows = {(row.reference, row.group): row for row in found.progress if row.start == "original"}
    assert len(rows) == 8
    assert rows["untraining", "forget"].estimate == pytest.approx(0.5, abs=0.05)
    assert rows["unlearning", "behaviour"].estimate == pytest.approx(0.25, abs=0.05)
    assert rows["untraining", "behaviour"].estimate is None
    for key, place in ((("untraining", "forget"), 0.5), (("unlearning", "behaviour"), 0.25)):
        low, high = rows[key].low, rows[key].high
        assert low is not None
        assert high is not None
        assert low <= place <= high
        assert not rows[key].nearer
    assert all(row.estimate is None for row in found.progress if row.group in ("near", "test"))
    words = " ".join(str(found).split())
    assert "progress (original 0, it 1) forget" in words
    assert "from untraining (0) to unlearning (1), median margins: behaviour 0." in words
    assert "nothing to make progress on: forget, near, test" in words
    found.report(tmp_path / "out")
    assert verify(tmp_path / "out") == []
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "## How far on the way" in text
    # Where the original is not known there is the way between the references alone.
    unknown = ObservedReferences(references.untraining, references.unlearning)
    silent = audit(world(3, HALF, models=80), unknown, observables=(GroupMedians(),), seed=0)
    assert {row.start for row in silent.progress} == {"untraining"}
    assert "progress (original" not in str(silent)


def test_few_models_have_no_interval(world: World) -> None:
    references = ObservedReferences(world(1, models=6), world(2, models=6), world(4, FAR, models=6))
    found = audit(world(3, models=6), references, observables=(GroupMedians(),), seed=0)
    assert all(row.low is None and row.high is None for row in found.progress)
    assert not any(row.nearer for row in found.progress)
