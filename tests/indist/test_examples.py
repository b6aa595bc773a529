"""The examples of audits by coins: scripts that import no indist, and tables that it reads."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from indist import audits, oracles

EXAMPLES = Path(__file__).parents[2] / "examples/coins"
SCRIPTS = ("digits", "people")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the candidates of both examples, and coins for them."""
    path = tmp_path_factory.mktemp("coins")
    ran(path, "candidates.py")
    for name, file in (("digits", "digits.csv"), ("people", "people.jsonl")):
        read = oracles.read_candidates(path / file)
        design = oracles.draw_coins(read.names, seed=0, details=read.details)
        design.save(path / f"{name}-coins")
    return path


def ran(folder: Path, script: str, *words: str) -> None:
    subprocess.run([sys.executable, str(EXAMPLES / script), *words], cwd=folder, check=True)


@pytest.mark.parametrize("name", ["candidates", *SCRIPTS])
def test_they_import_no_indist(name: str) -> None:
    text = (EXAMPLES / f"{name}.py").read_text()
    assert not any(floor in text for floor in ("indist", "estimators", "oracles", "audits"))


def test_candidates_are_read(folder: Path) -> None:
    digits, people = (oracles.load_design(folder / f"{name}-coins") for name in SCRIPTS)
    assert len(digits.candidates) == len(people.candidates) == 200
    assert set(digits.details) == {"label"}
    assert people.details["text"][0].startswith(f"{people.candidates[0]} ")


def test_a_table_as_the_script_writes_it_is_audited(folder: Path, tmp_path: Path) -> None:
    """A stand-in for the network: margins that are higher where a candidate was in."""
    with (folder / "digits-coins/training.csv").open() as file:
        rows = list(csv.DictReader(file))
    draw = np.random.default_rng(0)
    margins = [4.0 * (row["in_training"] == "1") + draw.normal() for row in rows]
    lines = [f"{row['candidate']},,{margin}" for row, margin in zip(rows, margins, strict=True)]
    lines += [f"{row},test,{margin}" for row, margin in ((1437, 1.0), (1438, -1.0))]
    path = tmp_path / "scores.csv"
    path.write_text("\n".join(["candidate,group,margin", *lines]))
    audit = audits.audit_coins(path, folder / "digits-coins")
    assert [question.finding for question in audit.questions] == ["convicted", "convicted"]
    assert [(one.group, one.accuracy, one.examples) for one in audit.utility] == [("test", 0.5, 2)]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind"), [("digits", "csv"), ("people", "jsonl")])
def test_scripts_convict_fine_tuning_and_not_retraining(name: str, kind: str, folder: Path) -> None:
    """Coins and seeds are literal; retraining is convicted in .04 of draws of coins at most."""
    pytest.importorskip("torch")
    found: dict[str, list[str]] = {}
    for method in ("finetune", "retrain", "retrain-behaviour"):
        ran(folder, f"{name}.py", method)
        audit = audits.audit_coins(folder / f"{method}.{kind}", folder / f"{name}-coins")
        found[method] = [question.finding for question in audit.questions]
    assert found == {
        "finetune": ["convicted", "convicted"],
        "retrain": ["nothing found", "convicted"],
        "retrain-behaviour": ["nothing found", "nothing found"],
    }
