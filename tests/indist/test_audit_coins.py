"""``indist audit --coins``: from a draw to a verified report, and what it refuses to do."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indist import oracles
from tests.indist.helpers import run


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("drawn")
    names = [f"page {k}" for k in range(80)]
    oracles.draw_coins(names, found=0.5, seed=2).save(where / "design")
    design = oracles.load_design(where / "design")
    scores = 3.0 * design.coins[0] + np.random.default_rng(0).normal(size=80)
    lines: list[dict[str, Any]] = [
        {"candidate": name, "margin": value}
        for name, value in zip(names, scores.tolist(), strict=True)
    ]
    lines += [{"candidate": f"t{k}", "margin": 1.0, "group": "test"} for k in range(40)]
    (where / "scores.jsonl").write_text("\n".join(map(json.dumps, lines)))
    table = ["candidate,in_training", *(f"{name},{k % 2}" for k, name in enumerate(names))]
    (where / "sets.csv").write_text("\n".join(table))
    return where


def words_of(done: Any) -> str:
    return " ".join(done.output.split())


def test_from_scores_to_a_verified_report(drawn: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = run("audit", drawn / "scores.jsonl", "--coins", drawn / "design", "-o", out)
    assert done.exit_code == 0, done.output
    said = words_of(done)
    assert said.startswith("Not untraining: ε is at least ")
    assert "The models are right on 100.0 % of 40 test examples" in said
    assert f"Report: {out / 'report.html'}" in done.output
    checked = run("verify", out)
    assert checked.exit_code == 0, checked.output
    assert "commitment, from the coins and settings that open it" in words_of(checked)
    again = run("audit", drawn / "scores.jsonl", "--coins", drawn / "design", "-o", out)
    assert again.exit_code == 0, again.output


def test_two_published_sets(drawn: Path, tmp_path: Path) -> None:
    words = ("--assume-exchangeable", "--coins", drawn / "sets.csv", "--confidence", 0.9)
    done = run("audit", drawn / "scores.jsonl", *words, "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert words_of(done).startswith("If both sets are exchangeable: nothing found against untra")
    held = json.loads((tmp_path / "out" / "coin-audit.json").read_text())
    assert held["settings"]["confidence"] == 0.9
    assert run("verify", tmp_path / "out").exit_code == 0


def membership_log(path: Path, forget: np.ndarray, holdout: np.ndarray) -> Path:
    sides = {
        name: {
            "agg_value": 0.5,
            "value_by_index": {str(k): {"score": x} for k, x in enumerate(values.tolist())},
        }
        for name, values in (("forget", forget), ("holdout", holdout))
    }
    path.write_text(json.dumps({"mia_min_k": {"auc": 0.5, "agg_value": 0.5} | sides}))
    return path


def test_a_log_brings_its_own_sets(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    likely = rng.normal(2.0, size=40), rng.normal(5.0, size=40)
    log = membership_log(tmp_path / "MINE_EVAL.json", *likely)
    fair = rng.normal(5.0, size=40), rng.normal(5.0, size=40)
    retain = membership_log(tmp_path / "RETAIN_EVAL.json", *fair)
    words = ("--assume-exchangeable", "--retain-model", retain)
    done = run("audit", log, *words, "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert words_of(done).startswith("If both sets are exchangeable: not untraining: ε is at least")
    assert run("verify", tmp_path / "out").exit_code == 0
    turned = run(
        "audit", retain, "--assume-exchangeable", "--retain-model", log, "-o", tmp_path / "b"
    )
    assert words_of(turned).startswith("The two sets are not exchangeable")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--coins", "DESIGN", "--references", "x"), "found --references and --coins"),
        (("--coins", "DESIGN", "--looks", "3"), "--looks: expected with --references only"),
        (("--coins", "DESIGN", "--metric", "loss"), "--metric: expected with --untraining only"),
        (("--coins", "DESIGN", "--seed", "1"), "--seed: expected without --coins"),
        (("--coins", "DESIGN", "--confidence", ".9"), "--confidence: expected none with --coins"),
        (("--coins", "DESIGN", "--cluster", "2"), "--cluster: expected with --assume-exchangeable"),
        (("--coins", "DESIGN", "--retain-model", "x"), "--retain-model: expected with --assume-"),
        (("--coins", "SEALED"), "expected the folder of a design, found the file"),
        (("--coins", "NOTHING"), "NOTHING/design.json: cannot be read"),
        (
            ("--coins", "DESIGN", "--baseline", "SCORES"),
            "sealed in the design before the coins were drawn (none)",
        ),
        (
            ("--assume-exchangeable", "--coins", "SETS", "--baseline", "SCORES"),
            "--baseline: expected without --assume-exchangeable",
        ),
        (("--assume-exchangeable", "--coins", "DESIGN"), "design: expected a file"),
        (("--assume-exchangeable",), "unknown format .jsonl"),
        (("--assume-exchangeable", "--coins", "SCORES"), "line 1: expected a column candidate"),
    ],
)
def test_what_does_not_belong_together_is_refused(
    words: tuple[str, ...], message: str, drawn: Path, tmp_path: Path
) -> None:
    known = {
        "DESIGN": drawn / "design",
        "SCORES": drawn / "scores.jsonl",
        "SEALED": drawn / "design" / "coins.json",
        "SETS": drawn / "sets.csv",
    }
    out = tmp_path / "out"
    done = run("audit", drawn / "scores.jsonl", *(known.get(w, w) for w in words), "-o", out)
    assert done.exit_code == 2, done.output
    assert message in words_of(done)
    assert not out.exists()


def test_a_baseline_is_sealed_when_coins_are_drawn(drawn: Path, tmp_path: Path) -> None:
    (tmp_path / "pages.csv").write_text("\n".join(["candidate", *(f"page {k}" for k in range(80))]))
    rng = np.random.default_rng(5)
    rows = [f"page {k},{x}" for k, x in enumerate(rng.normal(size=80).tolist())]
    (tmp_path / "others.csv").write_text("\n".join(["candidate,margin", *rows]))
    words = ("--baseline", tmp_path / "others.csv", "--observable", "margin", "--seed", 1)
    done = run("coins", "draw", tmp_path / "pages.csv", "-o", tmp_path / "design", *words)
    assert done.exit_code == 0, done.output
    told = ("--coins", tmp_path / "design", "--baseline", tmp_path / "others.csv")
    done = run("audit", drawn / "scores.jsonl", *told, "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert run("verify", tmp_path / "out").exit_code == 0
    inside = run("audit", drawn / "scores.jsonl", *told, "-o", tmp_path / "design", "--force")
    assert "expected another folder than the design's" in words_of(inside)


def test_a_folder_with_another_result_is_refused_before_anything_is_read(
    drawn: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    done = run("audit", tmp_path / "no.csv", "--coins", drawn / "design", "-o", tmp_path)
    assert done.exit_code == 2
    assert "holds other files" in words_of(done)
