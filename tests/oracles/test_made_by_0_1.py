"""Folders that indist 0.1 made, with batches drawn on the host: read and audited, not added to."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from indist import audits, oracles
from oracles.storage.shards import StoreError
from tests.indist.helpers import run

MADE = Path(__file__).parent / "made_by_0_1"


@pytest.fixture
def circles() -> oracles.Scenario:
    return oracles.scenarios.load("circles", seed=0)


def test_references_and_submissions_are_read_and_audited(
    circles: oracles.Scenario, tmp_path: Path
) -> None:
    references = oracles.load_references(MADE / "references")
    assert references.original.models == 2
    logits = references.original.observe(circles.probes).logits
    assert logits is not None
    # What was stored is what its parameters say today.
    learner, params = circles.learner, references.original.parameters()
    first = {name: leaf[0] for name, leaf in params.items()}
    np.testing.assert_allclose(
        logits[0], learner.logits(first, circles.probes.inputs), rtol=0, atol=1e-4
    )
    folders = MADE / "finetune", "--references", MADE / "references"
    done = run("audit", *folders, "--seed", "0", "-o", tmp_path / "audit")
    assert done.exit_code == 0, done.output
    assert run("verify", tmp_path / "audit" / "certificate.json").exit_code == 0
    assert audits.load(MADE / "finetune").models == 2


def test_new_unlearning_from_old_originals(circles: oracles.Scenario) -> None:
    original = oracles.load_references(MADE / "references").original
    made = oracles.unlearn(circles, original, method="finetune", seed=1, epochs=1)
    assert made.recipe["randomness"] == 2
    assert "randomness" not in made.recipe["original"]


def test_nothing_can_be_added(circles: oracles.Scenario, tmp_path: Path) -> None:
    folder = tmp_path / "references"
    shutil.copytree(MADE / "references", folder)
    before = sorted(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    with pytest.raises(StoreError, match=r"made by indist 0\.1, .* nothing can be added"):
        oracles.references(circles, models=4, seed=0, directory=folder, resume=True)
    assert before == sorted(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_what_is_whole_is_resumed_with_nothing_to_add(
    circles: oracles.Scenario, tmp_path: Path
) -> None:
    folder = tmp_path / "references"
    shutil.copytree(MADE / "references", folder)
    for _ in range(2):
        made = oracles.references(circles, models=2, seed=0, directory=folder, resume=True)
        assert "randomness" not in made.original.recipe
    stored = oracles.load_references(MADE / "references").untraining
    assert made.untraining.digest == stored.digest
    assert run("references", "circles", "-o", folder, "--models", "2", "--repair").exit_code == 0


def test_what_is_damaged_is_not_dropped(tmp_path: Path) -> None:
    """It could not be made again."""
    folder = tmp_path / "references"
    shutil.copytree(MADE / "references", folder)
    shard = next((folder / "unlearning").glob("*.safetensors"))
    shard.write_bytes(shard.read_bytes()[:-1] + b"\xff")
    manifest = (folder / "unlearning" / "manifest.json").read_bytes()
    done = run("references", "circles", "-o", folder, "--models", "2", "--repair")
    assert done.exit_code == 2
    assert "cannot be made again; --leave-out-damaged goes on without" in " ".join(
        done.output.split()
    )
    assert "to be trained again" not in done.output
    assert (folder / "unlearning" / "manifest.json").read_bytes() == manifest


def test_runs_are_looked_at_again(circles: oracles.Scenario, tmp_path: Path) -> None:
    """Runs whose recipe says nothing of randomness, as those of 0.1."""
    folder = tmp_path / "runs"
    oracles.subset_runs(circles, models=3, seed=0, directory=folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["recipe"].pop("randomness") == 2
    (folder / "manifest.json").write_text(json.dumps(manifest))
    again = oracles.subset_runs(circles, models=3, seed=0, directory=folder, resume=True)
    assert (again.models, "randomness" in again.recipe) == (3, False)
    with pytest.raises(StoreError, match=r"made by indist 0\.1"):
        oracles.subset_runs(circles, models=4, seed=0, directory=folder, resume=True)
