"""One writer a folder, and nothing left behind by those that were killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from indist import oracles
from oracles.storage.files import write_bytes_atomic
from oracles.storage.locks import LOCK, FolderInUseError, locked, sweep

ROOT = Path(__file__).parents[2]
HOLD = """
import sys
from collections.abc import Iterator
from pathlib import Path
from oracles.storage.locks import locked
with locked(Path(sys.argv[1]), shared=sys.argv[2] == "shared"):
    print("held", flush=True)
    sys.stdin.read()
"""
LEFT = (".manifest.json.0123abcd.part", ".report-a1_b2c3d")
OTHERS = (".part", ".mine.part", ".movie.mkv.part", ".report-mine", "report-a1_b2c3d", "a.part")


@pytest.fixture
def holder(tmp_path: Path, request: pytest.FixtureRequest) -> "Iterator[subprocess.Popen[str]]":
    """Another process that writes to the folder."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path), getattr(request, "param", "alone")],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_writer_is_told_who_the_first_is(
    tmp_path: Path, holder: "subprocess.Popen[str]"
) -> None:
    message = rf"{tmp_path}: process {holder.pid} on \S+ writes to it; wait for it or give another"
    left = tmp_path / LEFT[0]
    left.write_bytes(b"half of what the first is writing")
    for shared in (False, True):
        with pytest.raises(FolderInUseError, match=message), locked(tmp_path, shared=shared):
            raise AssertionError
    circles = oracles.scenarios.load("circles", seed=0)
    with pytest.raises(FolderInUseError, match=message):
        oracles.references(circles, models=2, seed=0, directory=tmp_path, resume=True)
    with pytest.raises(FolderInUseError, match=message):
        oracles.train(
            circles, "forget", stream="s", models=2, seed=0, directory=tmp_path, resume=True
        )
    assert left.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([LOCK, left.name])


def test_a_lock_ends_with_its_process_however_that_ends(
    tmp_path: Path, holder: "subprocess.Popen[str]"
) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / LOCK).exists()
    with locked(tmp_path):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("holder", ["shared"], indirect=True)
def test_processes_of_one_job_share(tmp_path: Path, holder: "subprocess.Popen[str]") -> None:
    (tmp_path / LEFT[0]).touch()
    with locked(tmp_path, shared=True):
        pass
    with pytest.raises(FolderInUseError), locked(tmp_path):
        raise AssertionError
    # It may be what another of them is writing.
    assert (tmp_path / LEFT[0]).exists()
    holder.communicate("")
    with locked(tmp_path):
        pass
    assert not list(tmp_path.iterdir())


def test_what_is_left_is_cleared_away_and_nothing_else(tmp_path: Path) -> None:
    names = (*LEFT, *OTHERS)
    for folder in (tmp_path, tmp_path / "a" / "b", tmp_path / "held"):
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            (folder / name).mkdir() if "report" in name else (folder / name).touch()
    (tmp_path / "held" / LOCK).touch()
    (tmp_path / ".report-linked__").symlink_to(tmp_path / "a")

    def held(folder: Path) -> set[str]:
        return {path.name for path in folder.iterdir()} & set(names)

    with locked(tmp_path):
        assert held(tmp_path) == set(OTHERS)
    assert held(tmp_path / "a" / "b") == set(names)
    sweep(tmp_path, nested=True)
    assert held(tmp_path / "a" / "b") == set(OTHERS)
    assert held(tmp_path / "held") == set(names)
    assert (tmp_path / ".report-linked__").is_symlink()


def test_the_names_are_those_that_writers_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", die)
    monkeypatch.setattr(Path, "unlink", die)
    with pytest.raises(KeyboardInterrupt):
        write_bytes_atomic(tmp_path / "manifest.json", b"{}")
    monkeypatch.undo()
    assert len(list(tmp_path.iterdir())) == 1
    sweep(tmp_path)
    assert not list(tmp_path.iterdir())


def test_where_nothing_can_be_written_there_is_no_lock(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", Path("/proc/nope")):
        with locked(folder):
            pass


def test_a_folder_made_for_nothing_goes_again(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="wrong"), locked(tmp_path / "new"):
        raise ValueError("wrong")
    assert not (tmp_path / "new").exists()
    with locked(tmp_path / "new"):
        (tmp_path / "new" / "file").touch()
    assert (tmp_path / "new" / "file").exists()
    with locked(tmp_path):
        pass
    assert tmp_path.exists()


def test_a_part_of_one_process_keeps_out_another(tmp_path: Path) -> None:
    with locked(tmp_path):
        message = f"process {os.getpid()} on "
        with pytest.raises(FolderInUseError, match=message), locked(tmp_path):
            raise AssertionError
    assert not list(tmp_path.iterdir())
