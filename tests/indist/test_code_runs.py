"""Code runs only where the caller names it: no file runs for lying there, or for being named."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from indist import oracles
from oracles import StoreError

ROOT = Path(__file__).parents[2]
# Modules that libraries of ours look for and go on without.
SOUGHT = ("jax_cuda12_plugin", "jax_cuda13_plugin", "jax_rocm60_plugin", "numexpr", "bottleneck")
COMMANDS = (
    ("formats",),
    ("scenarios",),
    ("unlearners",),
    ("verify", "x.json"),
    ("ingest", "t.csv", "-o", "out"),
)
START = "import sys; sys.argv[0] = 'indist'; from indist._cli import main; main()"
WORLD = """
title = "a class of nine points"
data = { kind = "npz", path = "points.npz", inputs = "x", labels = "y" }
behaviour = { label = 2 }
forget = { discovery = 0.5 }
[learner]
make = "MAKE"
"""
OWN = """
from pathlib import Path
from oracles.learners import make
Path("ran").touch()
def factory(train, classes):
    return make("logistic", train, classes, steps=5)
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-c", START, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_no_file_of_the_current_folder_is_imported(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    for name in SOUGHT:
        (tmp_path / f"{name}.py").write_text(f"open('ran-{name}', 'w').close()\n")
    (tmp_path / "t.csv").write_text("model,probe,group,margin\n0,a,forget,1\n")
    done = run(tmp_path, *command)
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("ran-*")), done.stderr


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a user works, with data and a factory of their own."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 30)
    np.savez("points.npz", x=rng.normal(size=(90, 2)).astype(np.float32), y=labels)
    Path("own_code.py").write_text(OWN)
    return tmp_path


def references_of(file: str, make: str) -> Path:
    """References made in the scenario of a file that names a learner."""
    Path(file).write_text(WORLD.replace("MAKE", make))
    scenario = oracles.scenarios.load(file, seed=0)
    oracles.references(scenario, models=2, seed=0, directory="refs")
    sys.modules.pop("own_code", None)
    Path("ran").unlink(missing_ok=True)
    return Path("refs")


@pytest.mark.usefixtures("folder")
def test_code_that_a_scenario_file_names_runs_only_where_the_caller_names_it() -> None:
    refs = references_of("world.toml", "own_code:factory")
    with pytest.raises(StoreError, match="own_code:factory is code, which is run only when you"):
        oracles.load_references(refs)
    with pytest.raises(StoreError, match="add --learner own_code:factory"):
        oracles.load_references(refs, learner="other_code:factory")
    assert not Path("ran").exists()
    assert oracles.load_references(refs, learner="own_code:factory").original.models == 2
    assert Path("ran").exists()
    assert str(Path.cwd()) not in sys.path


@pytest.mark.usefixtures("folder")
def test_the_command_line_runs_no_code_that_a_folder_names() -> None:
    refs = references_of("world.toml", "own_code:factory")
    done = run(Path.cwd(), "audit", "refs/original", "--references", str(refs), "-o", "out")
    assert done.returncode == 2
    assert "add --learner own_code:factory" in " ".join(done.stderr.split())
    assert not Path("ran").exists()
    named = ("--learner", "own_code:factory")
    done = run(Path.cwd(), "audit", "refs/original", "--references", "refs", "-o", "out", *named)
    assert done.returncode == 0, done.stderr


def test_scenario_files_and_data_elsewhere_are_read_only_where_the_caller_names_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = str(folder / "world.toml")
    references_of(file, "logistic")
    inner = folder / "inner"
    inner.mkdir()
    monkeypatch.chdir(inner)
    with pytest.raises(StoreError, match=r"world.toml lies outside this folder .* --scenario "):
        oracles.load_references(folder / "refs")
    assert oracles.load_references(folder / "refs", scenario=file).original.models == 2
    asked = ("audit", "../refs/original", "--references", "../refs", "-o", "out")
    done = run(inner, *asked)
    assert done.returncode == 2
    assert f"add --scenario {file}" in " ".join(done.stderr.split())
    done = run(inner, *asked, "--scenario", file)
    assert done.returncode == 0, done.stderr


def test_data_that_lead_out_of_the_folder_are_named_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = folder / "inner"
    inner.mkdir()
    monkeypatch.chdir(inner)
    Path("world.toml").write_text(
        WORLD.replace("MAKE", "logistic").replace("points.npz", "../points.npz")
    )
    scenario = oracles.scenarios.load("world.toml", seed=0)
    oracles.references(scenario, models=2, seed=0, directory="refs")
    with pytest.raises(StoreError, match=r"'../points.npz': expected it in the folder of the sce"):
        oracles.load_references("refs")
    assert oracles.load_references("refs", scenario="world.toml").untraining.models == 2
