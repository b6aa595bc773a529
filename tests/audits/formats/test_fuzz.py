"""Damage done to right files at random: each is read or refused in a sentence, and nothing else."""

import io
import json
import tracemalloc
import zipfile
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audits import Limits, SubmissionError, formats
from oracles import Learner, Probes
from tests.audits.formats.samples import SAMPLES

pytestmark = pytest.mark.usefixtures("torch")

# A few times what the samples hold.
LIMITS = Limits(array_bytes=2**20, header_bytes=2**16, models=1000, probes=1000, classes=100)
# Damaged files of a few kilobytes; most is pyarrow's and zipfile's own.
MOST_BYTES = 2**25

Files = dict[str, bytes]

NUMBERS = [b"0", b"-1", b"1", b"2", b"7", b"1000000000", b"99999999999999999999", b"1e308", b"nan"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["order", 2]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["split", "group", "rows", "id", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)
DAMAGE = st.tuples(
    st.sampled_from(["cut", "flip", "insert", "delete", "number", "swap", "remove", "map"]),
    st.integers(0, 10**6),
    st.floats(0, 1),
    st.binary(max_size=8) | st.sampled_from(NUMBERS),
    JSON,
)


def damaged(files: Files, kind: str, which: int, where: float, data: bytes, value: Any) -> Files:
    names = sorted(files)
    name = names[which % len(names)]
    if kind == "swap":
        other = names[int(where * (len(names) - 1))]
        return files | {name: files[other], other: files[name]}
    if kind == "remove":
        return {one: held for one, held in files.items() if one != name} or files
    if kind == "map":
        maps = [one for one in names if one.endswith("map.json")]
        if maps:
            said = value
            with suppress(ValueError):
                said = json.loads(files[maps[0]])
            if isinstance(said, dict) and said:
                said = said | {sorted(said)[which % len(said)]: value}
            return files | {maps[0]: json.dumps(said).encode()}
    return files | {name: bent(files[name], kind, which, where, data)}


def bent(raw: bytes, kind: str, which: int, where: float, data: bytes) -> bytes:
    """Bytes with one thing changed; members of an archive, with its sums made right again."""
    if raw[:4] == b"PK\x03\x04" and which % 4:
        inner: Files = {}
        try:
            with zipfile.ZipFile(io.BytesIO(raw)) as archive:
                inner = {name: archive.read(name) for name in archive.namelist()}
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
            return raw
        if not inner:
            return raw
        name = sorted(inner)[which % len(inner)]
        inner[name] = bent(inner[name], kind, which // 4, where, data)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for one, held in inner.items():
                archive.writestr(one, held)
        return buffer.getvalue()
    at = int(where * len(raw))
    if kind == "number":
        digits = [k for k, byte in enumerate(raw[:4000]) if chr(byte).isdigit()]
        at = digits[which % len(digits)] if digits else at
        return raw[:at] + data + raw[at + 1 :]
    if kind == "cut":
        return raw[:at]
    if kind == "flip":
        return raw[:at] + bytes(byte ^ 1 << which % 8 for byte in raw[at : at + 1]) + raw[at + 1 :]
    if kind == "delete":
        return raw[:at] + raw[at + 1 + which % 16 :]
    return raw[:at] + data + raw[at:]


def run(folder: Path, name: str, learner: Learner, probes: Probes, examples: int) -> None:
    kind, make = SAMPLES[name]
    right = folder / "right"
    right.mkdir()
    made = make(right)
    files = {
        str(one.relative_to(right)): one.read_bytes() for one in right.rglob("*") if one.is_file()
    }
    found = Counter[str]()
    tries = iter(range(10**9))

    @settings(
        derandomize=True,
        deadline=None,
        max_examples=examples,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(DAMAGE, min_size=1, max_size=3))
    def one(damages: list[Any]) -> None:
        given = files
        for damage in damages:
            given = damaged(given, *damage)
        place = folder / str(next(tries))
        for inside, data in given.items():
            (place / inside).parent.mkdir(parents=True, exist_ok=True)
            (place / inside).write_bytes(data)
        path = place / made.relative_to(right)
        before = tracemalloc.get_traced_memory()[0]
        if before:
            tracemalloc.reset_peak()
        try:
            formats.sniff(path)
            content = formats.read(path, kind, limits=LIMITS)
            if isinstance(content.seen, formats.Runnable):
                content.seen.observe(probes, learner)
            found["read"] += 1
        except SubmissionError as error:
            said = str(error)
            found["refused" if "\n" not in said and len(said) < 1000 else "rambling"] += 1
        # Where it is traced: in the long test.
        assert tracemalloc.get_traced_memory()[1] - before < MOST_BYTES

    one()
    assert not found["rambling"], found
    # Damage is mostly found, and not all by one check at the door.
    assert found["refused"] > examples // 3, found
    assert found["read"] or examples < 100, found


@pytest.mark.parametrize("name", SAMPLES)
def test_damaged_files_are_read_or_refused(
    tmp_path: Path, learner: Learner, probes: Probes, name: str
) -> None:
    run(tmp_path, name, learner, probes, 30)


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLES)
def test_many_damaged_files_are_read_or_refused(
    tmp_path: Path, learner: Learner, probes: Probes, name: str
) -> None:
    run(tmp_path, name, learner, probes, 500)


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLES)
def test_memory_stays_bounded(tmp_path: Path, learner: Learner, probes: Probes, name: str) -> None:
    tracemalloc.start()
    try:
        run(tmp_path, name, learner, probes, 60)
    finally:
        tracemalloc.stop()
