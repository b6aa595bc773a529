"""What a stored population survives: crashes at any write, damage, a full disk, odd places."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indist import oracles
from oracles.engines import Local
from oracles.populations._make import make_shards
from oracles.populations._training import Training
from oracles.storage._folder import LocalFolder, open_folder
from oracles.storage.shards import Span, StoreError, missing_spans
from tests.oracles.conftest import quick

ROOT = Path(__file__).parents[2]
LIFE = """
import sys
from indist import oracles
from tests.oracles.conftest import quick
scenario = quick(oracles.scenarios.load("digits-trigger", seed=0), steps=300)
oracles.train(scenario, "forget", stream="s", models=120, seed=0, directory=sys.argv[1],
              resume=True, chunk=8)
"""
CROWDED = """
import resource, sys
from indist import oracles
from tests.oracles.conftest import quick
scenario = quick(oracles.scenarios.load("circles", seed=0))
oracles.train(scenario, "forget", stream="s", models=2, seed=0, directory=sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    oracles.train(scenario, "forget", stream="s", models=64, seed=0, directory=sys.argv[1],
                  resume=True, chunk=64)
except oracles.StoreError as error:
    print(error)
"""


class Crash(Exception):
    """The power fails."""


class Fragile(LocalFolder):
    """A folder in which the power fails at the n-th write, before, during or after it."""

    left = 0
    moment = "before"

    def child(self, name: str) -> "Fragile":
        return Fragile(self.path / name)

    def write(self, name: str, data: bytes) -> None:
        Fragile.left -= 1
        if Fragile.left:
            super().write(name, data)
            return
        if Fragile.moment == "during":
            self.path.mkdir(parents=True, exist_ok=True)
            (self.path / f".{name}.0.part").write_bytes(data[: len(data) // 2])
        if Fragile.moment == "after":
            super().write(name, data)
        raise Crash


class Counted(Training):
    """A training that counts the blocks it is asked for."""

    blocks: list[int] = []

    def arguments(self, models: np.ndarray) -> Any:
        Counted.blocks.append(int(models[0]))
        return super().arguments(models)


def make(scenario: oracles.Scenario, models: int, folder: Any, chunk: int = 8) -> Any:
    task = Counted(scenario, "forget", "resampled", "s", 0, 4)
    made = make_shards(
        task, models=models, directory=folder, resume=True, engine=Local(), chunk=chunk
    )
    return oracles.Population(
        made.recipe, scenario.learner, scenario.probes, made.shards, made.folder
    )


@pytest.fixture(scope="module")
def digest(circles: oracles.Scenario) -> str:
    return oracles.train(circles, "forget", stream="s", models=24, seed=0).digest


@pytest.mark.parametrize("moment", ["before", "during", "after"])
@pytest.mark.parametrize("write", range(1, 8))
def test_a_crash_at_any_write_loses_at_most_the_chunk_in_flight(
    circles: oracles.Scenario, digest: str, tmp_path: Path, write: int, moment: str
) -> None:
    # 24 models in chunks of 8: the manifest, then three times a shard and the manifest.
    Fragile.left, Fragile.moment = write, moment
    with pytest.raises(Crash):
        make(circles, 24, Fragile(tmp_path))
    Fragile.left, Counted.blocks = 0, []
    made = make(circles, 24, LocalFolder(tmp_path))
    assert made.digest == digest
    # Writes 2, 4 and 6 are the shards; one that was written is found, listed or not.
    lost = 3 - (write - (moment != "after")) // 2
    # Two devices of four models: a chunk is one block, two where it is filled up.
    assert len(Counted.blocks) == lost
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".part")]


@pytest.mark.parametrize("kills", [2, pytest.param(14, marks=pytest.mark.slow)])
def test_a_run_killed_at_random_moments_ends_with_the_same_bits(tmp_path: Path, kills: int) -> None:
    rng = np.random.default_rng(0)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    seen: list[int] = []
    for _ in range(kills):
        process = subprocess.Popen(
            [sys.executable, "-c", LIFE, str(tmp_path)],
            env=environment,
            cwd=ROOT,
            stderr=subprocess.DEVNULL,
        )
        before, deadline = len(list(tmp_path.glob("*.safetensors"))), time.monotonic() + 60
        while len(list(tmp_path.glob("*.safetensors"))) == before and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        time.sleep(float(rng.uniform(0.0, 0.3)))
        process.send_signal(signal.SIGKILL)
        process.wait()
        seen.append(len(list(tmp_path.glob("*.safetensors"))))
    assert seen == sorted(seen)
    scenario = quick(oracles.scenarios.load("digits-trigger", seed=0), steps=300)
    rest: dict[str, Any] = {"stream": "s", "models": 120, "seed": 0}
    continued = oracles.train(scenario, "forget", directory=tmp_path, resume=True, chunk=8, **rest)
    assert continued.digest == oracles.train(scenario, "forget", **rest).digest


def test_a_full_disk_is_said_and_nothing_is_lost(circles: oracles.Scenario, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CROWDED, str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "cannot be written (File too large); finished models are kept, and --resume" in (
        done.stdout
    )
    assert resource.getrlimit(resource.RLIMIT_FSIZE) != (20_000, 20_000)
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".part")]
    kept = oracles.load_population(tmp_path, circles.learner, circles.probes)
    assert kept.models == 2
    whole = oracles.train(
        circles, "forget", stream="s", models=64, seed=0, directory=tmp_path, resume=True
    )
    assert whole.digest == oracles.train(circles, "forget", stream="s", models=64, seed=0).digest


def damage(folder: Path, start: int) -> Path:
    """Flips a bit in the shard that begins with a model."""
    shards = json.loads((folder / "manifest.json").read_text())["shards"]
    (entry,) = [shard for shard in shards if shard["start"] == start]
    path = folder / entry["file"]
    data = bytearray(path.read_bytes())
    data[-3] ^= 4
    path.write_bytes(bytes(data))
    return path


def test_damage_is_left_out_or_repaired(tmp_path: Path) -> None:
    world = oracles.scenarios.load("circles", seed=0)
    whole = oracles.references(world, models=12, seed=0, directory=tmp_path, chunk=4)
    path = damage(tmp_path / "untraining", 4)
    with pytest.raises(StoreError, match=rf"{path.name} \(models 4 to 7\): its numbers differ"):
        oracles.load_references(tmp_path).untraining.observe(world.probes)
    rest = oracles.load_references(tmp_path, leave_out_damaged=True)
    assert rest.untraining.ids.tolist() == [0, 1, 2, 3, 8, 9, 10, 11]
    assert rest.original.models == 12
    every = oracles.references(world, models=12, seed=0).untraining.observe(world.probes).logits
    np.testing.assert_array_equal(
        rest.untraining.observe(world.probes).logits, np.delete(every, range(4, 8), axis=0)
    )
    damaged = oracles.repair(tmp_path)
    assert [shard.span for shard in damaged] == [Span(4, 8)]
    assert oracles.repair(tmp_path) == []
    with pytest.raises(StoreError, match="models 4 to 7 are missing; add --resume"):
        oracles.load_references(tmp_path)
    again = oracles.references(world, models=12, seed=0, directory=tmp_path, resume=True, chunk=4)
    assert again.untraining.digest == whole.untraining.digest


def test_folders_behind_urls(circles: oracles.Scenario, digest: str) -> None:
    url = "memory://run/here"
    made = make(circles, 16, url)
    assert make(circles, 24, url).digest == digest
    assert made.models == 16
    read = oracles.load_population(url, circles.learner, circles.probes)
    assert (read.digest, str(read.directory), read.directory.name) == (digest, url, "here")
    folder = open_folder(url)
    folder.child("more").write("a", b"abc")
    assert folder.names()[-2:] == ["manifest.json", "more"]
    with pytest.raises(OSError, match="3 bytes are more than the 2 expected"):
        folder.child("more").read("a", limit=2)
    folder.child("more").remove("a")
    assert not folder.child("more").exists("a")
    assert open_folder("memory://nowhere").names() == []
    with pytest.raises(ValueError, match="nosuch://x: Protocol not known"):
        open_folder("nosuch://x")


def test_missing_spans_cover_what_is_not_held() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        models, chunk = (int(n) for n in rng.integers(1, 30, 2))
        edges = np.unique(rng.integers(0, models + 1, 6))
        spans = [Span(int(a), int(b)) for a, b in zip(edges[:-1:2], edges[1::2], strict=False)]
        found = missing_spans(spans, models, chunk)
        assert all(0 < stop - start <= chunk for start, stop in found)
        covered = sorted(k for span in [*spans, *found] for k in range(*span))
        assert covered == list(range(models))


def test_bad_sizes(circles: oracles.Scenario) -> None:
    for name in ("chunk", "width"):
        options: dict[str, Any] = {name: 0}
        with pytest.raises(ValueError, match=f"{name}: expected at least 1, found 0"):
            oracles.train(circles, "forget", stream="s", models=2, seed=0, **options)


@pytest.mark.parametrize("held", ["x", [1], None])
def test_manifests_that_say_something_else_of_the_scenario_are_refused(
    tmp_path: Path, held: Any
) -> None:
    world = oracles.scenarios.load("circles", seed=0)
    oracles.references(world, models=1, seed=0, directory=tmp_path / "refs")
    oracles.subset_runs(world, models=1, seed=0, directory=tmp_path / "runs")
    for name, place in (("refs/references.json", "scenario"), ("runs/manifest.json", "recipe")):
        path = tmp_path / name
        content = json.loads(path.read_text())
        content[place]["settings" if place == "scenario" else "scenario"] = held
        path.write_text(json.dumps(content))
    with pytest.raises(oracles.StoreError, match="field scenario.settings: expected an object"):
        oracles.load_references(tmp_path / "refs")
    with pytest.raises(oracles.StoreError, match="holds runs of another scenario"):
        oracles.load_runs(tmp_path / "runs", world)
