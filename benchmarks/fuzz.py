"""Damaged files of every kind that is read: how many are read, refused, or worse.

    python benchmarks/fuzz.py [--files 5000] [--seed 0]

Right files of each kind are damaged at random and read in this process as the command line reads
them, with its limits. Formats whose models run in a process of their own (PyTorch's and ONNX's)
take about a second each, and get one file in fifty; without PyTorch its stand-in of the tests reads
them. A damaged file is to be read or refused in one sentence: the script fails when one ends in
another error. Counted as well are files that took over 10 seconds, or 512 MiB more than before.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from indist import audits, oracles
from tests.audits.formats import pth, samples
from tests.audits.formats.damage import KINDS, NUMBERS, Files, damaged
from tests.audits.llm import files as logs

GOLDEN = Path(__file__).resolve().parents[1] / "tests/audits/golden/certificate-1.json"
REFUSALS = (audits.SubmissionError, audits.CertificateError, oracles.StoreError)
GUESTS = ("checkpoint zip", "state dicts", "ruli", "onnx")
SECONDS, BYTES = 10.0, 2**29
COLUMNS = ("read", "refused", "traceback", "over 10 s", "over 512 MiB")
# What stands in the place of a value of JSON.
VALUES: list[Any] = [
    None, True, -1, 0, 2**53 + 1, 10**400, 1.5, "", "order", "x" * 2000, "\u202e", [], {}, [[1]],
    {"x": 1}, "nan",
]  # fmt: skip


class Kind(NamedTuple):
    """A kind of file.

    Attributes:
        make: writes a right one into a folder, and returns its path.
        read: reads it as the command line does.
        share: how often it comes, beside the others.
    """

    make: Callable[[Path], Path]
    read: Callable[[Path], object]
    share: float = 1.0


def of_format(name: str) -> Kind:
    """One of the formats that ``indist formats`` lists."""
    learner, probes = samples.net_learner(), samples.net_probes()

    def read(path: Path) -> None:
        audits.formats.sniff(path)
        content = audits.formats.read(path, samples.SAMPLES[name][0])
        if isinstance(content.seen, audits.formats.Runnable):
            content.seen.observe(probes, learner)

    return Kind(samples.SAMPLES[name][1], read, 0.02 if name in GUESTS else 1.0)


def observations(folder: Path) -> Path:
    """An array of logits with its manifest."""
    labels, groups = np.array([0, 1, 2, 0, 1]), np.array(["forget", "retain"]).repeat([2, 3])
    ids = np.array([f"p{k}" for k in range(5)])
    seen = oracles.Observations(samples.LOGITS, labels.astype(np.int32), groups, ids)
    seen.save(folder / "mine", name="mine", method="scrub", seeds=[1, 2])
    return folder / "mine.safetensors"


def packed_observations(folder: Path) -> Path:
    """The same array as NumPy packs it."""
    observations(folder)
    np.savez_compressed(folder / "mine.npz", logits=samples.LOGITS)
    (folder / "mine.safetensors").unlink()
    return folder / "mine.npz"


def references(folder: Path) -> Path:
    """A folder of references, with their manifests and shards."""
    world = oracles.scenarios.load("circles", seed=0)
    oracles.references(world, models=2, seed=0, directory=folder / "refs")
    return folder / "refs"


def read_references(path: Path) -> None:
    """Reads the references and observes one of them, and one as a submission."""
    found = oracles.load_references(path)
    audits.load(path / "untraining").observe(found.probes, learner=found.scenario.learner)


def certificate(folder: Path) -> Path:
    """A certificate of version 1."""
    path = folder / "certificate.json"
    path.write_bytes(GOLDEN.read_bytes())
    return path


def published(folder: Path) -> Path:
    """Published memorization scores of examples."""
    draw = np.random.default_rng(0)
    np.savez(folder / "scores.npz", tr_mem=draw.random(40), tr_labels=draw.integers(0, 5, 40))
    return folder / "scores.npz"


def samples_csv(folder: Path) -> Path:
    """Samples of one population, for ``indist certify``."""
    table = np.random.default_rng(0).normal(size=(6, 2))
    lines = ["a,b", *(",".join(map(repr, row)) for row in table.tolist())]
    (folder / "p.csv").write_text("\n".join(lines) + "\n")
    return folder / "p.csv"


def samples_npy(folder: Path) -> Path:
    """The same as NumPy writes it."""
    np.save(folder / "p.npy", np.random.default_rng(0).normal(size=(6, 2)))
    return folder / "p.npy"


def of_log(content: Callable[[], Any], name: str) -> Kind:
    """A log of a language-model benchmark."""
    return Kind(lambda folder: logs.written(folder / name, content()), audits.llm.load)


def kinds() -> dict[str, Kind]:
    """Every kind of file that is read, by name."""
    return {
        **{name: of_format(name) for name in samples.SAMPLES},
        "observations": Kind(observations, audits.load),
        "observations, .npz": Kind(packed_observations, audits.load),
        "references": Kind(references, read_references, 0.1),
        "certificate": Kind(certificate, audits.read_certificate),
        "memorization scores": Kind(published, audits.read_memorization),
        "samples, .csv": Kind(samples_csv, audits.read_samples),
        "samples, .npy": Kind(samples_npy, audits.read_samples),
        "log of TOFU": of_log(lambda: logs.tofu(1, examples=4), "eval_log_aggregated.json"),
        "log of open-unlearning": of_log(
            lambda: logs.open_unlearning(1, examples=4), "TOFU_EVAL.json"
        ),
        "log of MUSE": Kind(lambda folder: logs.muse(folder, 1, examples=4), audits.llm.load),
    }


def drawn(files: Files, rng: np.random.Generator) -> Files:
    """The files with one to three things damaged."""
    for _ in range(1 if rng.random() < 0.6 else int(rng.integers(2, 4))):
        data = rng.bytes(int(rng.integers(0, 9)))
        if rng.random() < 0.5:
            data = NUMBERS[int(rng.integers(len(NUMBERS)))]
        kind, value = KINDS[int(rng.integers(len(KINDS)))], VALUES[int(rng.integers(len(VALUES)))]
        files = damaged(files, kind, int(rng.integers(10**6)), float(rng.random()), data, value)
    return files


def peak() -> int:
    """The most bytes that this process has held."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def outcome(read: Callable[[Path], object], path: Path) -> str:
    """What comes of reading a file, in a word."""
    try:
        read(path)
    except REFUSALS as error:
        if "\n" in str(error) or len(str(error)) > 1000:
            print(f"{path}: {str(error)[:500]!r}")
            return "traceback"
        return "refused"
    except Exception:
        traceback.print_exc()
        print(f"in {path}")
        return "traceback"
    return "read"


def show(name: str, counts: Counter[tuple[str, str]]) -> None:
    """A line of the table: a kind's counts, or those of all."""
    of = {key: n for key, n in counts.items() if name in (key[0], "all")}
    row = [sum(n for (_, end), n in of.items() if end == column) for column in COLUMNS]
    cells = (f"{number:14,}" for number in (sum(row[:3]), *row))
    print(f"{name:24}" + "".join(cells), flush=True)


def main() -> int:
    """Damages and reads files, prints the counts, and returns 1 where one ended in an error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=5000, help="damaged files in all")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    if not pth.REAL:
        # For the processes that read PyTorch's files.
        os.environ["PYTHONPATH"] = str(pth.STANDINS)
    rng, made, counts = np.random.default_rng(asked.seed), kinds(), Counter[tuple[str, str]]()
    shares = np.array([kind.share for kind in made.values()])
    places = rng.choice(len(made), size=asked.files, p=shares / shares.sum())
    print(f"{'':24}" + "".join(f"{column:>14}" for column in ("files", *COLUMNS)))
    with tempfile.TemporaryDirectory(prefix="indist-fuzz-") as root:
        for number, (name, kind) in enumerate(made.items()):
            right = Path(root) / f"{number}"
            right.mkdir()
            path = kind.make(right).relative_to(right)
            if (places == number).any():
                kind.read(right / path)
            files = {
                str(one.relative_to(right)): one.read_bytes()
                for one in right.rglob("*")
                if one.is_file()
            }
            for place in range(int((places == number).sum())):
                folder = Path(root) / f"{number}-{place}"
                for inside, data in drawn(files, rng).items():
                    (folder / inside).parent.mkdir(parents=True, exist_ok=True)
                    (folder / inside).write_bytes(data)
                held, start = peak(), time.monotonic()
                counts[name, outcome(kind.read, folder / path)] += 1
                counts[name, "over 10 s"] += time.monotonic() - start > SECONDS
                counts[name, "over 512 MiB"] += peak() - held > BYTES
            show(name, counts)
    show("all", counts)
    return int(any(n for (_, end), n in counts.items() if end == "traceback"))


if __name__ == "__main__":
    sys.exit(main())
