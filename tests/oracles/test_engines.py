"""The same bits from every engine, whatever dies on the way."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indist import oracles
from oracles.engines import Distributed, Local, Ray, engine
from oracles.populations._make import make_shards
from oracles.populations._training import Training
from oracles.storage.shards import Shard, StoreError, digest_shards
from tests.oracles.conftest import quick

ROOT = Path(__file__).parents[2]
RUN = """
import sys, jax
from indist import oracles
from oracles.engines import engine
chosen = engine(sys.argv[1])
from tests.oracles.conftest import quick
scenario = quick(oracles.scenarios.load("circles", seed=0))
made = oracles.references(
    scenario, models=10, seed=0, directory=sys.argv[2], engine=chosen, chunk=4
)
print(jax.local_device_count(), made.original.digest, made.unlearning.digest)
"""


@dataclass(frozen=True, eq=False)
class Mortal(Training):
    """A training that kills its worker once, in the middle of a chunk, and keeps a diary."""

    diary: Path = Path()

    def arguments(self, models: np.ndarray) -> Any:
        with (self.diary / "blocks").open("a") as file:
            file.write(f"{models[0]}\n")
        if models[0] == 12:
            try:
                (self.diary / "killed").touch(exist_ok=False)
            except FileExistsError:
                pass
            else:
                os.kill(os.getpid(), signal.SIGKILL)
        return super().arguments(models)


@dataclass(frozen=True, eq=False)
class Failing(Training):
    """A training that cannot go on."""

    def arguments(self, models: np.ndarray) -> Any:
        raise StoreError("the disk is full")


def shards(task: Training, **options: Any) -> tuple[Shard, ...]:
    return make_shards(task, **options)[0]


def task(kind: type[Training], scenario: oracles.Scenario, *more: Any) -> Training:
    return kind(scenario, "forget", "resampled", "s", 0, 4, *more)


def launch(kind: str, folder: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", RUN, kind, str(folder)],
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def said(process: subprocess.Popen[str]) -> list[str]:
    try:
        out, error = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, error
    return out.split()


@pytest.fixture(scope="module")
def digests(circles: oracles.Scenario) -> list[str]:
    made = oracles.references(circles, models=10, seed=0)
    return [made.original.digest, made.unlearning.digest]


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """A real Ray cluster on this machine, a worker a core."""
    ray = pytest.importorskip("ray")
    Ray().connect(ray)
    yield
    ray.shutdown()


@pytest.mark.parametrize("devices", [1, 4])
def test_any_number_of_devices(devices: int, digests: list[str], tmp_path: Path) -> None:
    flags = f"--xla_force_host_platform_device_count={devices}"
    process = launch("local", tmp_path, XLA_FLAGS=flags)
    assert said(process) == [str(devices), *digests]


def test_each_core_is_a_device_unless_said_otherwise(digests: list[str], tmp_path: Path) -> None:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    devices, *made = said(launch("local", tmp_path / "alone", XLA_FLAGS=""))
    assert (int(devices), made) == (cores, digests)
    process = launch("local", tmp_path / "one", XLA_FLAGS="", JAX_NUM_CPU_DEVICES="1")
    assert said(process) == ["1", *digests]


def test_two_processes_of_a_distributed_job(digests: list[str], tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    flags = "--xla_force_host_platform_device_count=1"
    job = {
        "JAX_COORDINATOR_ADDRESS": f"127.0.0.1:{port}",
        "JAX_NUM_PROCESSES": "2",
        "XLA_FLAGS": flags,
    }
    pair = [launch("distributed", tmp_path, JAX_PROCESS_ID=str(rank), **job) for rank in (0, 1)]
    assert [said(process) for process in pair] == [["1", *digests]] * 2
    again = oracles.load_population(tmp_path / "original", *_seen(tmp_path))
    assert again.digest == digests[0]


def _seen(folder: Path) -> tuple[oracles.Learner, oracles.Probes]:
    scenario = quick(oracles.scenarios.load("circles", seed=0))
    return scenario.learner, scenario.probes


@pytest.mark.usefixtures("cluster")
def test_a_worker_killed_in_mid_chunk_is_replaced(
    circles: oracles.Scenario, tmp_path: Path
) -> None:
    want = shards(task(Training, circles), models=24, directory=None, resume=False, engine=Local())
    mortal = task(Mortal, circles, tmp_path)
    made = shards(mortal, models=24, directory=tmp_path / "p", resume=False, engine=Ray(), chunk=8)
    assert (tmp_path / "killed").exists()
    assert digest_shards(made) == digest_shards(want)
    blocks = sorted(map(int, (tmp_path / "blocks").read_text().split()))
    # Only the chunk that died, models 8 to 15, was begun twice.
    assert blocks == [0, 4, 8, 8, 12, 12, 16, 20]


@pytest.mark.usefixtures("cluster")
def test_without_a_folder_models_come_back_through_ray(circles: oracles.Scenario) -> None:
    made = oracles.train(circles, "forget", stream="s", models=3, seed=0, engine="ray")
    assert made.digest == oracles.train(circles, "forget", stream="s", models=3, seed=0).digest


@pytest.mark.usefixtures("cluster")
def test_unlearning_through_ray(circles: oracles.Scenario, tmp_path: Path) -> None:
    original = oracles.train(
        circles, "nothing", stream="original", models=5, seed=0, directory=tmp_path
    )
    made = [
        oracles.unlearn(circles, original, method="neggrad", seed=1, engine=kind)
        for kind in ("local", "ray")
    ]
    assert made[0].digest == made[1].digest


@pytest.mark.usefixtures("cluster")
def test_an_error_in_a_worker_is_the_callers(circles: oracles.Scenario) -> None:
    with pytest.raises(StoreError, match="^the disk is full$"):
        shards(task(Failing, circles), models=2, directory=None, resume=False, engine=Ray())


def test_a_used_folder_is_refused_whatever_the_engine(
    circles: oracles.Scenario, tmp_path: Path
) -> None:
    oracles.references(circles, models=2, seed=0, directory=tmp_path)
    for kind in ("local", "ray"):
        with pytest.raises(StoreError, match="already holds references; add --resume"):
            oracles.references(circles, models=2, seed=0, directory=tmp_path, engine=kind)
        with pytest.raises(StoreError, match="already holds a population; add --resume"):
            oracles.train(
                circles,
                "nothing",
                stream="original",
                models=2,
                seed=0,
                directory=tmp_path / "original",
                engine=kind,
            )


def test_a_distributed_job_needs_a_folder(circles: oracles.Scenario) -> None:
    with pytest.raises(StoreError, match="expected a folder that all processes see"):
        shards(
            task(Training, circles), models=2, directory=None, resume=False, engine=Distributed()
        )


@pytest.mark.parametrize("scheme", ["ray://", ""])
def test_a_cluster_that_is_not_there_is_said_at_once(
    monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    ray = pytest.importorskip("ray")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        where = f"{scheme}127.0.0.1:{probe.getsockname()[1]}"

    def never(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(ray, "init", never)
    monkeypatch.setenv("RAY_ADDRESS", where)
    message = rf"engine ray: no cluster at {where} \(.*[Rr]efused\)$"
    with pytest.raises(ValueError, match=message):
        (Ray(where) if scheme else Ray()).connect(ray)


@pytest.mark.parametrize("error", [TimeoutError(), ConnectionError("x\ny"), Exception("gone")])
def test_whatever_ray_raises_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    ray = pytest.importorskip("ray")

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(ray, "init", fail)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    reason = str(error).partition("\n")[0] or "TimeoutError"
    with pytest.raises(ValueError, match=rf"no cluster at this machine \({reason}\)$"):
        Ray().connect(ray)


@pytest.mark.usefixtures("cluster")
def test_a_cluster_that_goes_is_a_sentence(
    circles: oracles.Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = pytest.importorskip("ray")

    def gone(*_: object, **__: object) -> None:
        raise ray.exceptions.RaySystemError("the head died")

    monkeypatch.setattr(ray, "wait", gone)
    with pytest.raises(StoreError, match=r"cluster is gone \(.*the head died\); finished models"):
        oracles.train(
            circles, "forget", stream="s", models=4, seed=0, directory=tmp_path, engine="ray"
        )


def test_engines_by_name() -> None:
    assert engine("local") == Local()
    assert engine("ray") == Ray()
    assert engine("ray://head:10001") == Ray("ray://head:10001")
    assert engine(Ray()) == Ray()
    message = "engine: expected local, ray, ray://HOST:PORT or distributed, found 'spark'"
    with pytest.raises(ValueError, match=re.escape(message)):
        engine("spark")
