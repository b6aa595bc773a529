"""Damage done to right files at random: each is read or refused in a sentence, and nothing else."""

import tracemalloc
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audits import Limits, SubmissionError, formats
from oracles import Learner, Probes
from tests.audits.formats.damage import KINDS, NUMBERS, damaged
from tests.audits.formats.samples import SAMPLES

pytestmark = pytest.mark.usefixtures("torch")

# A few times what the samples hold.
LIMITS = Limits(array_bytes=2**20, header_bytes=2**16, models=1000, probes=1000, classes=100)
# Damaged files of a few kilobytes; most is pyarrow's and zipfile's own.
MOST_BYTES = 2**25

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["order", 2]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["split", "group", "rows", "id", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)
DAMAGE = st.tuples(
    st.sampled_from(KINDS),
    st.integers(0, 10**6),
    st.floats(0, 1),
    st.binary(max_size=8) | st.sampled_from(NUMBERS),
    JSON,
)


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
