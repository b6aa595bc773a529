"""A folder holds one result: another is refused from Python too, unless it is to be replaced."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest

from audits import ObservedReferences, audit, audit_coins, audit_single, llm, score
from audits.report._folder import RECORDS
from audits.scores import _measures, _scoreboard
from oracles import draw_coins
from tests.audits.conftest import World
from tests.audits.llm.files import log


class Result(Protocol):
    def report(self, directory: Path | str, *, replace: bool = False) -> None: ...


COINS = draw_coins([str(k) for k in range(40)], found=1.0, seed=0)
FEW = {"groups": ("forget", "test"), "probes": 2}


def log_of(name: str, seed: int) -> llm.LLMLog:
    return log(name, {"loss": np.random.default_rng(seed).normal(size=30)})


@pytest.fixture(scope="module")
def results(world: World) -> dict[str, Callable[[int], Result]]:
    """What makes a result of each kind from a seed, by the name of its record."""
    refs = ObservedReferences(*(world(k, models=12, **FEW) for k in (1, 2)))
    retain = [log_of(f"t{k}", 20 + k) for k in range(3)]
    return {
        "certificate.json": lambda seed: audit(world(seed, models=12, **FEW), refs, seed=0),
        "single.json": lambda seed: audit_single(world(seed, models=1, **FEW), refs),
        "logs.json": lambda seed: llm.compare([log_of("m", seed)], untraining=retain, seed=0),
        "scores.json": lambda seed: score(world(seed, models=12, **FEW), refs, seed=0),
        "coin-audit.json": lambda seed: audit_coins(
            np.random.default_rng(seed).normal(size=40), COINS
        ),
    }


@pytest.fixture(autouse=True)
def _one_score(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tuple(recipe for recipe in _measures.RECIPES if recipe.name == "accuracy")
    monkeypatch.setattr(_scoreboard, "RECIPES", kept)


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", RECORDS)
def test_another_result_of_the_same_kind_is_refused(
    results: dict[str, Callable[[int], Result]], tmp_path: Path, kind: str
) -> None:
    first, other = (results[kind](seed) for seed in (3, 4))
    first.report(tmp_path)
    before = contents(tmp_path)
    message = rf"already holds another result \({kind}\); .*in Python, replace=True\)"
    with pytest.raises(ValueError, match=message):
        other.report(tmp_path)
    assert contents(tmp_path) == before
    first.report(tmp_path)
    results[kind](3).report(tmp_path)
    assert contents(tmp_path) == before
    other.report(tmp_path, replace=True)
    assert contents(tmp_path) != before


@pytest.mark.parametrize("kind", RECORDS)
def test_a_result_of_another_kind_and_other_files_are_refused_before_pages_are_drawn(
    results: dict[str, Callable[[int], Result]],
    tmp_path: Path,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held = RECORDS[RECORDS.index(kind) - 1]
    results[held](3).report(tmp_path / "held")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").touch()
    before = contents(tmp_path)
    new = results[kind](3)

    def draw(*_: Any, **__: Any) -> None:
        raise AssertionError("drawn before the folder was looked at")

    for module in (
        "verdict._write.write_report",
        "single._page.write_page",
        "llm._page.write_page",
        "coins._page.write_page",
    ):
        monkeypatch.setattr(f"audits.{module}", draw)
    with pytest.raises(ValueError, match=rf"already holds another result \({held}\)"):
        new.report(tmp_path / "held")
    with pytest.raises(ValueError, match=r"holds other files; .*\(in Python, replace=True\)"):
        new.report(tmp_path / "mine")
    assert contents(tmp_path) == before
