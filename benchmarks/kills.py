"""Commands killed at random moments: what they leave, and whether they end alike when run again.

    python benchmarks/kills.py [--kills 200] [--seed 0] [--minutes 60]

``indist references``, ``demo`` and ``audit`` on a few models each are ended by SIGKILL or SIGTERM
after a random part of the time that they take undisturbed, every other time counted from when they
begin to write. Of what then lies in the folder each
file under its final name must be whole: JSON reads, arrays have the digests that their manifests
state, and a result has all files that it names. The folder of an audit is also tried with an older
result in it, which must be whole as it was, or gone. Then the command runs again, with ``--resume``
where it has that: the folder must hold the same bytes as undisturbed, and nothing else.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from audits import CertificateError, SubmissionError, verify  # noqa: E402
from audits.report._folder import RECORDS, file_digests  # noqa: E402
from benchmarks.bounds import table  # noqa: E402
from oracles.storage._folder import LocalFolder  # noqa: E402
from oracles.storage.locks import LOCK  # noqa: E402
from oracles.storage.shards import read_manifest, read_shards  # noqa: E402

START = "import sys; sys.argv[0] = 'indist'; from indist._cli import main; main()"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
MODELS = ("--models", "12")
# A command that a signal asked to end, and that has not after so many seconds, ignores it.
PATIENCE = 60.0


@dataclass(frozen=True)
class Job:
    """A command, how it is continued, and a result that lies in its folder before, if any."""

    name: str
    words: tuple[str, ...]
    again: tuple[str, ...] = ()
    before: str | None = None


def start(words: tuple[str, ...], folder: Path) -> "subprocess.Popen[bytes]":
    """The command, writing to a folder."""
    return subprocess.Popen(
        [sys.executable, "-c", START, *words, "-o", str(folder)],
        env=ENVIRONMENT,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def finish(words: tuple[str, ...], folder: Path) -> str:
    """Runs the command to its end; what it says on standard error where it fails."""
    with start(words, folder) as process:
        _, said = process.communicate()
    return said.decode() if process.returncode else ""


def contents(folder: Path) -> dict[str, str]:
    """The files of a folder, those that a command may write anew each time by their numbers."""
    found = file_digests(folder)
    for name in found:
        if name.endswith("manifest.json"):
            # Shards are listed as they were made; their digests are those of the models.
            content = json.loads((folder / name).read_text())
            found[name] = json.dumps(content, sort_keys=True)
        elif name.endswith(".png"):
            found[name] = "a picture"
    return found


def faults(folder: Path, old: dict[str, str] | None) -> list[str]:
    """What is half-written under a final name.

    Args:
        folder: what the killed command has left.
        old: files of the result that lay there before.
    """
    found: list[str] = []
    names = file_digests(folder) if folder.exists() else {}
    for name in names:
        path = folder / name
        parts = Path(name).parts
        if any(part.startswith(".") for part in parts):
            continue
        if path.suffix == ".json":
            try:
                json.loads(path.read_bytes())
            except ValueError:
                found.append(f"{name} is no JSON")
        if path.name == "manifest.json":
            for shard in read_shards(LocalFolder(path.parent), read_manifest(path.parent)):
                try:
                    shard.arrays()
                except ValueError as error:
                    found.append(str(error))
        if path.name in RECORDS:
            try:
                found += [f"{name}: {text}" for text in verify(path)]
            except (CertificateError, SubmissionError) as error:
                found.append(str(error))
    if old is not None:
        shown = {name for name in names if not name.startswith(".")}
        new = [name for name in shown if names[name] != old.get(name)]
        kept = [name for name in shown if names[name] == old.get(name)]
        # Files that are the same in both, as those of the references are, say nothing.
        kept = [name for name in kept if not name.startswith("observations/un")]
        kept = [name for name in kept if not name.startswith("observations/or")]
        if new and kept:
            found.append(f"{new[0]} of the new result beside {kept[0]} of the old one")
    return found


def jobs(work: Path) -> list[Job]:
    """The commands, after what they need was made."""
    refs, one, two = work / "refs", work / "one", work / "two"
    made = [
        (("references", "circles", *MODELS), refs),
        (("unlearn", "circles", "--method", "finetune", "--references", str(refs)), one),
        (("unlearn", "circles", "--method", "neggrad", "--references", str(refs)), two),
        (("audit", str(two), "--references", str(refs), "--seed", "0"), work / "old"),
    ]
    for words, folder in made:
        if said := finish(words, folder):
            raise SystemExit(said)
    audit = ("audit", str(one), "--references", str(refs), "--force", "--seed", "0")
    return [
        Job("references", ("references", "circles", *MODELS, "--chunk", "4"), ("--resume",)),
        Job("audit", audit),
        Job("audit over another", audit, before=str(work / "old")),
        Job("demo", ("demo", "--scenario", "circles", *MODELS)),
    ]


def main() -> None:
    """Kills, checks, runs again, and prints how often what was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=60.0, help="begin no kill after these")
    asked = parser.parse_args()
    rng, counts, wrong = np.random.default_rng(asked.seed), Counter[tuple[str, str, str]](), []
    with tempfile.TemporaryDirectory() as scratch:
        work, begun = Path(scratch), time.monotonic()
        # Compiled programs are kept: most of the time is theirs, and nothing is written in it.
        ENVIRONMENT["JAX_COMPILATION_CACHE_DIR"] = str(work / "cache")
        ENVIRONMENT["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
        whole: dict[str, tuple[dict[str, str], float, dict[str, str] | None]] = {}
        todo = jobs(work)
        for job in todo:
            folder, at = work / "whole" / job.name.replace(" ", "-"), time.monotonic()
            if said := finish(job.words, folder):
                raise SystemExit(said)
            old = file_digests(Path(job.before)) if job.before else None
            whole[job.name] = contents(folder), time.monotonic() - at, old
        for kill in range(asked.kills):
            if time.monotonic() - begun > 60.0 * asked.minutes:
                break
            job = todo[kill % len(todo)]
            name = ("SIGKILL", "SIGTERM")[kill // len(todo) % 2]
            want, seconds, old = whole[job.name]
            folder = work / "killed"
            shutil.rmtree(folder, ignore_errors=True)
            if job.before:
                shutil.copytree(job.before, folder)
            # The writing of an audit is short: every other kill waits for it.
            late = kill // (2 * len(todo)) % 2 == 0
            after = float(rng.uniform(0.0, 0.3)) if late else float(rng.uniform(0.2, 1.0))
            end = one_kill(job, folder, name, after * seconds, until_written=late)
            found = [end] if end.startswith("ignored") else []
            found += faults(folder, old)
            if said := finish((*job.words, *job.again), folder):
                found.append(f"does not run again: {said.strip().splitlines()[-1]}")
            elif (got := contents(folder)) != want:
                odd = sorted(key for key in {*got, *want} if got.get(key) != want.get(key))
                found.append(f"ends otherwise: {', '.join(odd[:3])}")
            counts[job.name, name, end] += 1
            wrong += [f"kill {kill}, {job.name} by {name}: {text}" for text in found]
    rows = [(*key, f"{count}") for key, count in sorted(counts.items())]
    table(("command", "signal", "after it", "kills"), rows)
    print(f"{sum(counts.values())} kills, {len(wrong)} faults")
    print("\n".join(wrong))
    sys.exit(bool(wrong))


def written(folder: Path) -> bool:
    """Whether the command has begun to write: the lock is there."""
    return (folder / LOCK).exists()


def one_kill(job: Job, folder: Path, name: str, seconds: float, *, until_written: bool) -> str:
    """Runs a command and ends it after so many seconds; what it has left, in words.

    Args:
        job: the command.
        folder: where it writes.
        name: of the signal.
        seconds: from its start, or
        until_written: from when it begins to write.
    """
    with start(job.words, folder) as process:
        while until_written and process.poll() is None and not written(folder):
            time.sleep(0.002)
        try:
            process.communicate(timeout=seconds)
            return "it had ended"
        except subprocess.TimeoutExpired:
            process.send_signal(signal.Signals[name])
        try:
            process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            return f"ignored for {PATIENCE:.0f} seconds"
    if any(path.name.startswith(".") for path in folder.rglob("*")):
        return "something hidden was left"
    return "only whole files" if folder.exists() else "no folder yet"


if __name__ == "__main__":
    main()
