"""``indist coins draw``: what it writes and says, for scenarios and for files of candidates."""

import json
import stat
from pathlib import Path

import numpy as np
import pytest

from indist import audits, estimators, oracles
from tests.indist.helpers import run


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pages") / "pages.csv"
    path.write_text("candidate,text\n" + "".join(f"page {k},some text\n" for k in range(50)))
    return path


def test_a_file_of_candidates(pages: Path, tmp_path: Path) -> None:
    out = tmp_path / "design"
    done = run("coins", "draw", pages, "-o", out, "--per-model", 2, "--found", 0.4, "--delta", 0.02)
    assert done.exit_code == 0, done.output
    design = oracles.load_design(out)
    assert (design.models, design.shared, design.seeded, design.scenario) == (2, False, False, None)
    assert design.coins.shape == (2, 50)
    assert 0 < design.found.sum() < 50
    assert design.settings["delta"] == 0.02
    assert design.details["text"] == ("some text",) * 50
    assert f"Commitment: {design.commitment}" in done.output
    assert "2 models, each with coins of its own" in done.output
    assert all(f"  - {sentence}" in done.output for sentence in oracles.TRAINER_KEEPS)
    assert all(f"{out / name}: " in done.output for name in ("design.json", "training.csv"))
    assert stat.S_IMODE((out / "coins.json").stat().st_mode) == 0o600
    sealed = json.loads((out / "coins.json").read_text())
    assert not any(secret in done.output for secret in (sealed["nonce"], *sealed["coins"]))
    again = run("coins", "draw", pages, "-o", out)
    assert again.exit_code == 2
    assert "holds other files; give a new folder" in " ".join(again.output.split())
    assert oracles.load_design(out).commitment == design.commitment


def test_a_column_found_and_shared_coins(tmp_path: Path) -> None:
    path = tmp_path / "pages.jsonl"
    path.write_text('{"candidate": "a", "found": true}\n{"candidate": "b", "found": false}\n')
    done = run("coins", "draw", path, "-o", tmp_path / "design", "--models", 3, "--seed", 1)
    assert done.exit_code == 0, done.output
    design = oracles.load_design(tmp_path / "design")
    assert (design.models, design.shared, design.seeded) == (3, True, True)
    assert design.found.tolist() == [True, False]
    assert "3 models, all with the same coins" in done.output
    assert "Drawn from a given seed" in done.output


def test_a_scenario_with_its_options(tmp_path: Path) -> None:
    out = tmp_path / "design"
    words = ("--discovery", 0.75, "--seed", 3, "--learner", "logistic", "--set-learner", "steps=9")
    done = run("coins", "draw", "circles", "-o", out, *words)
    assert done.exit_code == 0, done.output
    world = oracles.scenarios.load(
        "circles", seed=0, discovery=0.75, learner="logistic", learner_settings={"steps": 9}
    )
    design = oracles.load_design(out)
    assert design.commitment == oracles.coins(world, seed=3).design.commitment
    assert oracles.CoinScenarios(design, world).scenario(0).learner.steps == 9
    assert "40 candidates, 30 of them found; 1 model" in done.output
    assert "Training 1 model takes about" in " ".join(done.output.split())


@pytest.mark.parametrize("found", [0.4, 1.0])
@pytest.mark.parametrize(
    ("words", "shape"),
    [
        ((), (50,)),
        (("--observable", "a", "--observable", "b", "--main", 0.3, "--turned", 0.1), (1, 50, 2)),
        (("--per-model", 3, "--rank", 1, "--rank", 3, "--centre", 0, "--clip", 1), (3, 50)),
    ],
)
def test_what_could_be_shown_is_what_the_audit_says(
    pages: Path, tmp_path: Path, found: float, words: tuple[object, ...], shape: tuple[int, ...]
) -> None:
    out = tmp_path / "design"
    done = run("coins", "draw", pages, "-o", out, "--found", found, "--seed", 1, *words)
    assert done.exit_code == 0, done.output
    audit = audits.audit_coins(np.random.default_rng(0).normal(size=shape), out)
    for question in audit.questions:
        most = f"{question.result.ceiling:.3g}"
        said = f"Could show at best: not {question.question} for ε < {most}, δ = 0.01"
        assert said in done.output


def test_weights_and_ranks_are_sealed(pages: Path, tmp_path: Path) -> None:
    out = tmp_path / "design"
    words = ("--centre", 0, "--centre", -2, "--clip", 1, "--main", 0.6, "--turned", 0.05)
    done = run("coins", "draw", pages, "-o", out, "--models", 3, "--rank", 2, *words)
    assert done.exit_code == 0, done.output
    settings = audits.CoinSettings.of(oracles.load_design(out).settings)
    assert settings.ranks == (2,)
    assert settings.weights == estimators.CoinWeights((0.0, -2.0), (1.0,), 0.6, 0.05)


def test_a_draw_that_can_show_nothing_says_so(pages: Path, tmp_path: Path) -> None:
    done = run("coins", "draw", pages, "-o", tmp_path / "design", "--delta", 0.03)
    assert done.exit_code == 0, done.output
    assert "Can show nothing of untraining at δ = 0.03" in done.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("PAGES", "--models", 2, "--per-model", 2), "expected one of them, found both"),
        (("PAGES", "--learner", "mlp"), "--learner: expected a scenario, found a file"),
        (("PAGES", "--set", "steps=3"), "--set: expected a scenario, found a file"),
        (("PAGES", "--found", 2), "found: expected a number in (0, 1], found 2.0"),
        (("PAGES", "--delta", 1), "delta: expected a number in [0, 1), found 1.0"),
        (("PAGES", "--confidence", 1), "confidence: expected"),
        (("PAGES", "--per-model", 10**6), "models times candidates times observables: expected"),
        (("PAGES", "--observable", "loss", "--observable", "loss"), "found 'loss' twice"),
        (("PAGES", "--observable", "red \x1b[31m"), "observables: expected printable characters"),
        (("PAGES", "--observable", "group"), "observables: expected columns of numbers"),
        (("circles", "--observable", "candidate"), "observables: expected columns of numbers"),
        (("PAGES", "--confidence", 1.0 - 2.0**-53), "confidence: expected at most 1 - 2^-52"),
        (("PAGES", "--rank", 2), "ranks: expected different ones from 1 to 1, found (2,)"),
        (("circles", "--rank", 2), "ranks: expected different ones from 1 to 1, found (2,)"),
        (("PAGES", "--centre", 1), "expected 0 among the centres and 1 among the clips"),
        (("PAGES", "--main", 0), "main: expected a number in (0, 1), found 0.0"),
        (("circles", "--found", 0.5), "--found: expected a file of candidates"),
        (("nothing.csv",), "nothing.csv: cannot be read"),
        (("nothing",), "scenario: expected"),
    ],
)
def test_mistakes_write_nothing(
    words: tuple[object, ...], message: str, pages: Path, tmp_path: Path
) -> None:
    typed = [pages if word == "PAGES" else word for word in words]
    done = run("coins", "draw", *typed, "-o", tmp_path / "design")
    assert done.exit_code == 2, done.output
    assert message in " ".join(done.output.split())
    assert list(tmp_path.iterdir()) == []
