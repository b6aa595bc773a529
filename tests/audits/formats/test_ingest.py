"""From any format to an observation array on disk, as the command line does it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audits import SubmissionError, formats, load
from indist import oracles
from indist._cli._formats import formats as list_formats
from indist._cli._ingest import ingest
from oracles import Learner, Observations, Probes
from tests.audits.formats import samples
from tests.audits.formats.samples import MARGINS, SAMPLES

OPTIONS: dict[str, Any] = dict.fromkeys(("format", "mapping", "references", "learner", "scenario"))


def test_formats_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    list_formats()
    shown = capsys.readouterr().out
    for name in (*formats.FORMATS, "population", "observations", "influence-pairs", "memorization"):
        assert name in shown
    assert "[torch]" in " ".join(shown.split())


def test_observations_are_written_as_indist_reads_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = samples.wide_parquet(tmp_path)
    samples.mapping(
        path,
        probes=samples.probes(),
        scalar="margin",
        name="theirs",
        method="scrub",
        seeds=[3, 1, 4, 2],
    )
    ingest(path, tmp_path / "out" / "mine", **OPTIONS)
    assert "theirs: 4 models at 3 probes (2 forget, 1 retain)" in capsys.readouterr().out
    found = load(tmp_path / "out" / "mine.safetensors")
    assert isinstance(found.content, Observations)
    np.testing.assert_array_equal(found.content.margins.astype(np.float32), MARGINS)
    assert (found.name, found.method, found.seeds) == ("theirs", "scrub", [3, 1, 4, 2])
    assert found.margins_only
    said = json.loads((tmp_path / "out" / "mine.json").read_text())
    said["probes"][1]["label"] = 1
    (tmp_path / "out" / "mine.json").write_text(json.dumps(said))
    with pytest.raises(SubmissionError, match="field margins_only: expected two classes and lab"):
        load(tmp_path / "out" / "mine.safetensors")


def test_models_that_are_left_out_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.npz"
    array = MARGINS.copy()
    array[1, 0] = np.nan
    np.savez(path, retrained_confs=array)
    with pytest.raises(SubmissionError, match="found nan in model 1"):
        ingest(path, tmp_path / "mine", **OPTIONS)
    assert not list(tmp_path.glob("mine*"))
    samples.mapping(path, leave_out_not_finite=True)
    ingest(path, tmp_path / "mine", **OPTIONS)
    assert "left out: 1 model whose numbers are not finite" in capsys.readouterr().out
    assert load(tmp_path / "mine.safetensors").models == 3


def test_models_need_references(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, learner: Learner, probes: Probes
) -> None:
    path = SAMPLES["safetensors"][1](tmp_path)
    with pytest.raises(SubmissionError, match="holds 2 models; expected --references"):
        ingest(path, tmp_path / "mine", **OPTIONS)

    class Given:
        def __init__(self) -> None:
            self.probes, self.scenario = probes, self
            self.learner = learner

    monkeypatch.setattr(oracles, "load_references", lambda path, learner, scenario: Given())
    ingest(path, tmp_path / "mine", **(OPTIONS | {"references": "refs"}))
    assert load(tmp_path / "mine.safetensors").models == 2


def test_published_scores_are_made_a_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs, scores = np.array([7, 3]), np.array([0.5, 0.25])
    np.savez(tmp_path / "pairs.npz", tr_idx=pairs, tt_idx=pairs + 1, infl=scores, mem=2 * scores)
    ingest(tmp_path / "pairs.npz", tmp_path / "out", **OPTIONS)
    said = capsys.readouterr().out
    assert "2 pairs of a training example and a test example with their scores, and no" in said
    assert str(tmp_path / "out.csv") in said
    assert (tmp_path / "out.csv").read_text() == (
        "train,test,influence,memorization\n7,8,0.5,1.0\n3,4,0.25,0.5\n"
    )
    np.savez(tmp_path / "mem.npz", tr_mem=scores, tr_labels=pairs)
    ingest(tmp_path / "mem.npz", tmp_path / "mem", **OPTIONS)
    assert (tmp_path / "mem.csv").read_text() == "train,label,memorization\n0,7,0.5\n1,3,0.25\n"
    np.savez(tmp_path / "wrong.npz", tr_idx=pairs, tt_idx=pairs, infl=3 * scores, mem=scores)
    with pytest.raises(SubmissionError, match="array 'infl': expected"):
        ingest(tmp_path / "wrong.npz", tmp_path / "wrong", **OPTIONS)
    assert not (tmp_path / "wrong.csv").exists()
