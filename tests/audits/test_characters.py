"""Names of strangers reach terminals, pages and messages in characters that can be printed only."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audits import ObservedReferences, SubmissionError, audit, formats, llm, load
from indist._cli._ingest import ingest
from oracles import StoreError
from oracles.storage.files import printable
from tests.audits.conftest import World
from tests.audits.llm import files

# Red, title and bell of a terminal; embeddings and isolates of direction; a half character.
NASTY = "a\x1b[31m\x1b]0;t\x07b\u202egpj.\u2066c\u200fd\x9be"
HALF = NASTY + "\ud800"
BAD = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def check(*texts: str) -> None:
    for text in texts:
        assert not BAD.search(text), text
        assert "\ufffd" in text


def test_what_stands_in_the_place_of_such_characters() -> None:
    assert printable("a\tb\nc\rd\u2028e") == "a b\nc d e"
    assert printable(NASTY) == "a\ufffd[31m\ufffd]0;t\ufffdb\ufffdgpj.\ufffdc\ufffdd\ufffde"
    for plain in (
        "forget/ln_truth_ratio",
        "\u0645\u062b\u0627\u0644",
        "\u4f8b",
        "na\u00efve \U0001f9ea",
    ):
        assert printable(plain) == plain


def test_logs(tmp_path: Path) -> None:
    logs: list[llm.LLMLog] = []
    for seed in range(2):
        content = files.open_unlearning(seed)
        content[HALF] = content["forget_Q_A_Prob"]
        path = files.written(tmp_path / NASTY / f"{seed}.json", content)
        logs += [*llm.load(path), *llm.load(path)]
    found = llm.compare(logs[:2], untraining=logs[2:], metrics=[f"{printable(HALF)}/prob"], seed=0)
    assert "holds the same numbers as" in found.warnings[0]
    check(found.logs["submission"][0].name, str(found), found.warnings[0])
    found.report(tmp_path / "report")
    check(*((tmp_path / "report" / f"report.{kind}").read_text() for kind in ("md", "html")))
    with pytest.raises(SubmissionError, match="metric ") as caught:
        llm.compare(logs[:1], untraining=logs[2:], metrics=["x"], seed=0)
    check(str(caught.value))


def test_names_of_models_in_other_logs(tmp_path: Path) -> None:
    run = {"unlearner": HALF, "AUS": 1.0, f"AUS {HALF}": 2.0}
    (found,) = llm.load(files.written(tmp_path / "run.json", run))
    check(found.name, repr(found), *list(found.summary)[1:])
    (tmp_path / "x.csv").write_text(f"name,a\n{NASTY},1\n")
    check(llm.load(tmp_path / "x.csv")[0].name)


def test_metrics_that_become_one_are_refused(tmp_path: Path) -> None:
    content = files.open_unlearning(0)
    for end in ("\u202a", "\u202b"):
        content[f"x{end}"] = content["forget_Q_A_Prob"]
    with pytest.raises(SubmissionError, match="metrics that differ in printable characters"):
        llm.load(files.written(tmp_path / "x.json", content))


def test_submissions(tmp_path: Path, world: World) -> None:
    path = tmp_path / "mine.npz"
    seen = world(4)
    np.savez(path, logits=seen.logits)
    about: dict[str, Any] = {
        "format": "indist-observations",
        "version": 1,
        "name": NASTY,
        "method": NASTY,
        "probes": [
            {"id": str(i), "group": str(g), "label": int(label)}
            for i, g, label in zip(seen.ids, seen.groups, seen.labels, strict=True)
        ],
    }
    path.with_suffix(".json").write_text(json.dumps(about))
    given = load(path)
    check(given.name, str(given.method), repr(given))
    found = audit(given, ObservedReferences(world(1), world(2)), seed=0)
    check(found.provenance.submission, str(found.provenance.method))
    found.report(tmp_path / "report")
    check(*((tmp_path / "report" / f"report.{kind}").read_text() for kind in ("md", "html")))
    path.with_suffix(".json").write_text(json.dumps(about | {NASTY: 1}))
    with pytest.raises(SubmissionError, match="expected only known fields") as caught:
        load(path)
    check(str(caught.value))


def test_ingest_prints_no_such_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.csv"
    path.write_text("model,probe,group,margin\n0,a,forget,1\n")
    about = {"format": "indist-mapping", "version": 1, "name": NASTY}
    path.with_name("x.csv.map.json").write_text(json.dumps(about))
    check(formats.read(path).name)
    ingest(path, tmp_path / "out")
    check(capsys.readouterr().out)


def test_messages_of_stores() -> None:
    check(str(StoreError(f"{HALF}: cannot be read")), str(SubmissionError(HALF)))
