"""What several tests of `indist` share."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from typer.testing import CliRunner

from indist._cli._app import app
from indist.studies import Study

DOCS = Path(__file__).parents[2] / "docs"


def run(*words: object) -> Any:
    """The ``indist`` command with these words: its exit code and output."""
    return CliRunner().invoke(app, [str(word) for word in words])


def module_of(path: Path, name: str | None = None) -> ModuleType:
    """A module that lies outside every package, such as a script of the documentation."""
    spec = importlib.util.spec_from_file_location(name or path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def assert_goes_on(study: Study[Any], folder: Path, rows: list[Any], *cells: str) -> None:
    """A second run gives the same rows, and makes none of these cells anew."""
    paths = [folder / "cells" / cell for cell in cells]
    stamps = [path.stat().st_mtime_ns for path in paths]
    assert list(study.run(folder)) == rows
    assert [path.stat().st_mtime_ns for path in paths] == stamps
