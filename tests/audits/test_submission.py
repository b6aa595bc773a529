"""What strangers hand in: read when right, and refused in one clear sentence when not."""

import io
import json
import pickle
import struct
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from audits import Limits, ObservedReferences, SubmissionError, audit, formats, load
from oracles import Observations
from tests.audits.conftest import World

PROBES = [
    {"id": "forget/0", "group": "forget", "label": 0},
    {"id": "forget/1", "group": "forget", "label": 1},
    {"id": "test/0", "group": "test", "label": 2},
]


def manifest(**changes: Any) -> dict[str, Any]:
    content = {"format": "indist-observations", "version": 1, "probes": PROBES} | changes
    return {key: value for key, value in content.items() if value is not None}


def logits(models: int = 5) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(models, 3, 4)).astype(np.float32)


def written(folder: Path, array: Any = None, about: Any = None, kind: str = "npz") -> Path:
    array = logits() if array is None else array
    path = folder / f"mine.{kind}"
    if kind == "npz":
        np.savez(path, logits=array)
    else:
        save_file({"logits": array}, path)
    (folder / "mine.json").write_text(json.dumps(manifest() if about is None else about))
    return path


def observed(submission: Any) -> Observations:
    assert isinstance(submission.content, Observations)
    return submission.content


@pytest.mark.parametrize("kind", ["npz", "safetensors"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_an_array_with_its_manifest_is_read(tmp_path: Path, kind: str, dtype: type) -> None:
    given = logits().astype(dtype)
    found = load(written(tmp_path, given, manifest(name="x", method="scrub", seeds=7), kind))
    assert (found.name, found.models, found.method, found.seeds) == ("x", 5, "scrub", 7)
    np.testing.assert_array_equal(observed(found).logits, given.astype(np.float32))
    assert observed(found).logits.dtype == np.float32
    assert list(observed(found).ids) == ["forget/0", "forget/1", "test/0"]
    assert repr(found) == "Submission('x', 5 models, method scrub)"


def test_compressed_and_column_major_arrays_are_read(tmp_path: Path) -> None:
    path = written(tmp_path)
    np.savez_compressed(path, logits=np.asfortranarray(logits()))
    np.testing.assert_array_equal(observed(load(path)).logits, logits())


@pytest.mark.parametrize("kind", [np.float64, np.float16])
def test_the_digest_is_of_what_is_saved(tmp_path: Path, kind: type[np.floating]) -> None:
    numbers = (3.0 * np.random.default_rng(5).normal(size=(4, 3, 2))).astype(kind)
    made = Observations(
        numbers, np.array([0, 1, 1]), np.array(["forget"] * 3), np.array(["a", "b", "c"])
    )
    made.save(tmp_path / "seen")
    read = load(tmp_path / "seen.safetensors").content
    assert isinstance(read, Observations)
    assert read.logits.dtype == np.float32
    assert np.array_equal(read.logits, numbers.astype(np.float32))
    assert json.loads((tmp_path / "seen.json").read_text())["digest"] == read.digest


def test_numbers_that_the_file_cannot_hold_are_not_saved(tmp_path: Path) -> None:
    numbers = np.full((2, 1, 2), 1e300)
    made = Observations(numbers, np.array([0]), np.array(["forget"]), np.array(["a"]))
    with pytest.raises(ValueError, match=r"infinity in model 0 at probe 'a' \(in float32\)"):
        made.save(tmp_path / "seen")
    assert not list(tmp_path.iterdir())


def test_what_observations_save_is_read(world: World, tmp_path: Path) -> None:
    world(0).save(tmp_path / "seen", name="seen", seeds=3)
    found = load(tmp_path / "seen.safetensors")
    assert observed(found).digest == world(0).digest
    assert found.seeds == 3


def test_a_submission_is_audited_by_probe_id(world: World, tmp_path: Path) -> None:
    seen = world(4)
    order = np.random.default_rng(1).permutation(len(seen.ids))
    about = {
        "format": "indist-observations",
        "version": 1,
        "probes": [
            {"id": str(seen.ids[k]), "group": str(seen.groups[k]), "label": int(seen.labels[k])}
            for k in order
        ],
        "method": "scrub",
    }
    path = tmp_path / "mine.npz"
    np.savez(path, logits=seen.logits[:, order])
    path.with_suffix(".json").write_text(json.dumps(about))
    found = audit(load(path), ObservedReferences(world(1), world(2)), seed=0)
    assert found.provenance.digests["submission"] == seen.digest
    assert (found.provenance.submission, found.provenance.method) == ("mine", "scrub")


BAD_MANIFESTS = {
    "format": (manifest(format="x"), r"mine.json: field format: expected 'indist-observations'"),
    "no format": (manifest(format=None), r"field format: expected .* found 'None'"),
    "later version": (
        manifest(version=2),
        r"field version: expected 1, found 2; a newer indist may read it",
    ),
    "version of another type": (manifest(version=True), r"field version: expected 1, found True"),
    "no version": (manifest(version=None), r"field version: expected 1, found None"),
    "unknown field": (
        manifest(colour="red"),
        r"mine.json: field colour: expected only known fields, found this one",
    ),
    "no probes": (manifest(probes=None), r"field probes: expected, found none"),
    "no probe": (manifest(probes=[]), r"field probes: expected at least 1 item"),
    "person": (
        manifest(probes=[*PROBES[:2], PROBES[2] | {"person": "a\u202e"}]),
        r"mine.json: person 'a.*': expected a name of printable characters",
    ),
    "long person": (
        manifest(probes=[*PROBES[:2], PROBES[2] | {"person": 1001 * "x"}]),
        r"field probes.2.person: expected at most 1000 characters",
    ),
    "long text": (
        manifest(probes=[*PROBES[:2], PROBES[2] | {"text": 1001 * "x"}]),
        r"field probes.2.text: expected at most 1000 characters",
    ),
    "unknown field of a probe": (
        manifest(probes=[*PROBES[:2], PROBES[2] | {"x": 1}]),
        r"field probes.2.x: expected only known fields",
    ),
    "group": (
        manifest(probes=[*PROBES[:2], PROBES[2] | {"group": "tset"}]),
        r"field probes.2.group: expected one of forget, behaviour, .*, test, found 'tset'",
    ),
    "label": (
        manifest(probes=[*PROBES[:2], PROBES[2] | {"label": "2"}]),
        r"field probes.2.label: expected a valid integer, found '2'",
    ),
    "negative label": (
        manifest(probes=[*PROBES[:2], PROBES[2] | {"label": -1}]),
        r"field probes.2.label: .* greater than or equal to 0, found -1",
    ),
    "label beyond the classes": (
        manifest(probes=[*PROBES[:2], PROBES[2] | {"label": 4}]),
        r"field probes.2.label: expected 0 to 3 as the array has 4 classes, found 4",
    ),
    "repeated id": (
        manifest(probes=[*PROBES[:2], PROBES[0]]),
        r"field probes.2.id: expected unique ids, found 'forget/0' twice",
    ),
    "fewer probes": (
        manifest(probes=PROBES[:2]),
        r"mine.npz: array 'logits': expected 2 probes as its manifest lists, found 3",
    ),
    "seeds": (manifest(seeds=[1, 2]), r"field seeds: expected 5, one a model, found 2"),
    "repeated seeds": (
        manifest(seeds=[1, 2, 3, 4, 1]),
        r"field seeds: expected another seed for each model, found 1 twice",
    ),
    "digest": (manifest(digest="0" * 64), r"field digest: expected that of the array and probes"),
    "a list": ([1], r"expected a JSON object, found list"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_MANIFESTS)
def test_manifests_that_are_wrong(tmp_path: Path, case: str) -> None:
    about, message = BAD_MANIFESTS[case]
    with pytest.raises(SubmissionError, match=message) as caught:
        load(written(tmp_path, about=about))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected JSON, found something else or a truncated file"),
        ('{"format": ', "expected JSON, found something else or a truncated file"),
        (b"\xff\xfe\x00", "expected JSON, found something else"),
        ('{"version": 1, "version": 1}', "field 'version': expected once, found more often"),
        ('{"version": NaN}', "expected finite numbers, found NaN"),
        ("[" * 100_000, "expected JSON"),
        ('{"version": ' + "9" * 5000 + "}", "expected JSON"),
    ],
)
def test_manifests_that_are_no_json(tmp_path: Path, text: str | bytes, message: str) -> None:
    path = written(tmp_path)
    raw = text.encode() if isinstance(text, str) else text
    path.with_suffix(".json").write_bytes(raw)
    with pytest.raises(SubmissionError, match=message):
        load(path)


@pytest.mark.parametrize("kind", ["npz", "safetensors"])
@pytest.mark.parametrize(
    ("array", "message"),
    [
        (
            np.zeros((5, 3), np.float32),
            r"expected shape \[models, probes, classes\], found \[5, 3\]",
        ),
        (np.zeros((5, 3, 4, 1), np.float32), r"expected shape .*, found \[5, 3, 4, 1\]"),
        (np.zeros((0, 3, 4), np.float32), r"expected 1 to 1000000 models, found 0"),
        (np.zeros((5, 3, 1), np.float32), r"expected 2 to 200000 classes, found 1"),
        (np.zeros((5, 3, 4), np.int64), r"expected .*numbers.*, found [iI](nt)?64"),
        (
            np.full((5, 3, 4), np.nan, np.float32),
            r"expected finite .*, found nan in model 0 at probe 'forget/0' \(5 of",
        ),
        (np.full((5, 3, 4), 1e300), r"expected finite float32 numbers, found inf in model 0"),
    ],
)
def test_arrays_that_are_wrong(tmp_path: Path, kind: str, array: np.ndarray, message: str) -> None:
    with pytest.raises(SubmissionError, match=rf"mine\.{kind}: array 'logits': {message}"):
        load(written(tmp_path, array, kind=kind))


def test_one_model_that_is_not_finite_is_named(tmp_path: Path) -> None:
    array = logits()
    array[3, 1, 2] = -np.inf
    with pytest.raises(
        SubmissionError, match=r"found -inf in model 3 at probe 'forget/1' \(1 of 5 models"
    ):
        load(written(tmp_path, array))


class Bomb:
    """Unpickling this raises an alarm."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("a pickle was read",))


def test_pickled_arrays_are_never_read(tmp_path: Path) -> None:
    path = written(tmp_path)
    np.savez(path, logits=np.array([Bomb()], dtype=object))
    with pytest.raises(SubmissionError, match="found pickled objects, never read here"):
        load(path)


@pytest.mark.parametrize("suffix", [".pkl", ".pt", ".pth"])
def test_pickles_are_never_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"models{suffix}"
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(SubmissionError, match="is a pickle, which can run code when read"):
        load(path)


def test_a_pickle_under_another_name_is_never_read(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(SubmissionError, match="expected a whole .npz file"):
        load(path)


def test_other_arrays_beside_the_logits_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path)
    np.savez(path, logits=logits(), more=logits())
    with pytest.raises(
        SubmissionError, match="expected one array named 'logits', found 'logits', 'more'"
    ):
        load(path)
    save_file({"other": logits()}, tmp_path / "mine.safetensors")
    with pytest.raises(SubmissionError, match="expected one array named 'logits', found 'other'"):
        load(tmp_path / "mine.safetensors")


@pytest.mark.parametrize("kind", ["npz", "safetensors"])
@pytest.mark.parametrize("kept", [0, 4, 40, 0.5, 0.99])
def test_truncated_files_are_refused(tmp_path: Path, kind: str, kept: float) -> None:
    path = written(tmp_path, kind=kind)
    data = path.read_bytes()
    path.write_bytes(data[: int(kept * len(data)) if isinstance(kept, float) else kept])
    with pytest.raises(SubmissionError, match=rf"mine\.{kind}: expected "):
        load(path)


def test_damaged_bytes_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)
    with pytest.raises(SubmissionError, match="expected a whole .npz file"):
        load(path)


def test_huge_headers_are_refused_before_they_are_read(tmp_path: Path) -> None:
    path = written(tmp_path, kind="safetensors")
    path.write_bytes(struct.pack("<Q", 2**40) + b"{}")
    with pytest.raises(SubmissionError, match=r"expected a whole safetensors file, found 10 bytes"):
        load(path)
    path.write_bytes(struct.pack("<Q", 2000) + b" " * 3000)
    with pytest.raises(SubmissionError, match="a header of at most 1000 bytes, found 2000"):
        load(path, limits=Limits(header_bytes=1000))


def test_huge_arrays_are_refused_before_they_are_read(tmp_path: Path) -> None:
    path = written(tmp_path)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (10**6, 10**4, 1000)}
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("logits.npy", header.getvalue() + bytes(10**6))
    with pytest.raises(SubmissionError, match=r"expected at most 4294967296 bytes of numbers"):
        load(path)


def test_more_bytes_than_the_shape_holds_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path)
    plain = io.BytesIO()
    np.save(plain, logits())
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("logits.npy", plain.getvalue() + b"more")
    with pytest.raises(SubmissionError, match="expected 240 bytes by its header, found more"):
        load(path)


def test_damaged_lzma_members_are_refused(tmp_path: Path) -> None:
    path, plain = written(tmp_path), io.BytesIO()
    np.save(plain, logits())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("logits.npy", plain.getvalue())
    data = bytearray(path.read_bytes())
    data[60] ^= 255
    path.write_bytes(data)
    with pytest.raises(SubmissionError, match="'logits': expected it stored or deflated, found"):
        load(path)


NO_HEADERS = {
    "unfinished text": b"{'descr': '''",
    "unfinished tuple": b"{'descr': (",
    "nested": b"(" * 5000,
    "no type": b"{'descr': (), 'fortran_order': False, 'shape': (5, 3, 4)}",
    "long number": b"{'descr': '<f4', 'fortran_order': False, 'shape': (0x%s, 3, 4)}"
    % (b"f" * 5000),
    "many axes": b"{'descr': '<f4', 'fortran_order': False, 'shape': (%s)}" % (b"99," * 3000),
}


@pytest.mark.parametrize("name", NO_HEADERS)
def test_headers_that_are_none_are_refused(tmp_path: Path, name: str) -> None:
    text = NO_HEADERS[name]
    path = written(tmp_path)
    with zipfile.ZipFile(path, "w") as archive:
        header = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text
        archive.writestr("logits.npy", header + bytes(240))
    with pytest.raises(SubmissionError, match=r"'logits': expected a whole .npy header"):
        load(path)


def test_long_headers_are_refused_before_they_are_read(tmp_path: Path) -> None:
    path, length = written(tmp_path), 200 * 2**20
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("logits.npy", "w") as member,
    ):
        member.write(b"\x93NUMPY\x02\x00" + struct.pack("<I", length))
        for _ in range(length // 2**20):
            member.write(b" " * 2**20)
    tracemalloc.start()
    try:
        with pytest.raises(SubmissionError, match=r"'logits': expected a whole .npy header"):
            load(path, limits=Limits(array_bytes=1000, header_bytes=1000))
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_places_beyond_any_file_are_refused(tmp_path: Path) -> None:
    # A zip64 directory whose one member begins at 2⁶⁴ − 1.
    path = written(tmp_path)
    data = path.read_bytes()
    start = data.rindex(b"PK\x01\x02")
    directory = bytearray(data[start:])
    name, end = 46 + len("logits.npy"), directory.rindex(b"PK\x05\x06")
    extra = struct.pack("<HHQ", 1, 8, 2**64 - 1)
    directory[30:32] = struct.pack("<H", len(extra))
    directory[42:46] = b"\xff" * 4
    entry = bytes(directory[:name]) + extra
    tail = bytearray(directory[end:])
    tail[12:16] = struct.pack("<I", len(entry))
    path.write_bytes(data[:start] + entry + tail)
    with pytest.raises(SubmissionError, match="expected a whole .npz file"):
        load(path)


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ({"models": 4}, "expected 1 to 4 models, found 5"),
        ({"probes": 2}, "expected 1 to 2 probes, found 3"),
        ({"classes": 3}, "expected 2 to 3 classes, found 4"),
        ({"array_bytes": 239}, "expected at most 239 bytes of numbers, found 240"),
        ({"header_bytes": 9}, r"mine.json: expected at most 9 bytes of JSON, found"),
    ],
)
@pytest.mark.parametrize("kind", ["npz", "safetensors"])
def test_limits_hold(tmp_path: Path, kind: str, limit: dict[str, int], message: str) -> None:
    with pytest.raises(SubmissionError, match=message):
        load(written(tmp_path, kind=kind), limits=Limits(**limit))


def test_limits_are_positive() -> None:
    with pytest.raises(ValueError, match="models: expected at least 1, found 0"):
        Limits(models=0)


@pytest.mark.parametrize(
    "header",
    [
        b"[]",
        b"{}{",
        b'{"logits": 1}',
        b'{"logits": {"dtype": "F32", "shape": [5, -3, 4], "data_offsets": [0, 240]}}',
        b'{"logits": {"dtype": "F32", "shape": [5, 3, 4], "data_offsets": [0, 239]}}',
        b'{"logits": {"dtype": "F32", "shape": [5, 3, 4], "data_offsets": "x"}}',
        b'{"logits": {"dtype": "I8", "shape": [5, 3, 4], "data_offsets": [0, 60]}}',
        b'{"logits": {"dtype": "F32", "shape": [5, 3, 4], "data_offsets": [240, 480]}}',
    ],
)
def test_safetensors_headers_that_lie_are_refused(tmp_path: Path, header: bytes) -> None:
    path = written(tmp_path, kind="safetensors")
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(240))
    with pytest.raises(SubmissionError, match=r"^[^\n]+$"):
        load(path)


@settings(
    derandomize=True,
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.binary(max_size=200), st.sampled_from(["npz", "safetensors"]))
def test_arbitrary_bytes_are_refused_in_one_sentence(
    tmp_path: Path, data: bytes, kind: str
) -> None:
    path = written(tmp_path, kind=kind)
    path.write_bytes(data)
    with pytest.raises(SubmissionError, match=r"^[^\n]+$"):
        load(path)


def test_paths_that_are_no_submission(tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match=r"none: not found; expected a population folder"):
        load(tmp_path / "none")
    with pytest.raises(SubmissionError, match=r"holds no manifest.json; expected a population"):
        load(tmp_path)
    (tmp_path / "a.csv").write_text("")
    with pytest.raises(SubmissionError, match=r"a.csv: expected a line of column names"):
        load(tmp_path / "a.csv")
    written(tmp_path)
    (tmp_path / "mine.json").unlink()
    with pytest.raises(SubmissionError, match=r"expected its manifest mine.json beside it"):
        load(tmp_path / "mine.npz")
    (tmp_path / "references.json").write_text("{}")
    with pytest.raises(SubmissionError, match="is a folder of references; expected a submission"):
        load(tmp_path)


def observations(ids: list[str], groups: list[str], labels: list[int]) -> Observations:
    return Observations(
        np.zeros((2, len(ids), 3), np.float32),
        np.array(labels, np.int32),
        np.array(groups),
        np.array(ids),
    )


@pytest.mark.parametrize(
    ("given_probes", "message"),
    [
        ((["a"], ["forget"], [0]), r"expected all 2 probes of the references, found none with id"),
        (
            (["a", "b", "c", "d"], ["forget"] * 4, [0, 1, 0, 0]),
            r"expected the 2 probes of the references only, found also 'c' \(and 1 more\)",
        ),
        ((["b", "a"], ["test", "forget"], [1, 0]), r"probe 'b': expected group 'forget', found"),
        ((["b", "a"], ["forget", "forget"], [2, 0]), r"probe 'b': expected label 1, found 2"),
    ],
)
def test_probes_that_are_not_the_references(
    given_probes: tuple[list[str], list[str], list[int]], message: str
) -> None:
    reference = observations(["a", "b"], ["forget", "forget"], [0, 1])
    with pytest.raises(SubmissionError, match=f"submission: .*{message}"):
        audit(observations(*given_probes), ObservedReferences(reference, reference), seed=0)


def test_a_folder_of_mixed_files_is_no_submission(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    save_file({"weight": np.ones((2, 3))}, tmp_path / "model.safetensors")
    (tmp_path / "notes.txt").write_text("of the model")
    assert load(".").name == tmp_path.name
    for name in ("other.npz", "other.csv"):
        (tmp_path / name).write_bytes(b"")
        with pytest.raises(SubmissionError, match="holds no manifest.json; expected "):
            load(".")
        (tmp_path / name).unlink()
    for read in (load, formats.read, formats.sniff):
        with pytest.raises(SubmissionError, match="path: expected a path, found an empty text"):
            read("")
