"""Loaders of users' data: what they read, and that damaged files give one sentence, never more."""

import gzip
import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from oracles import data
from oracles.storage.files import FileError

COUNT = 12
RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (COUNT, 5, 4), dtype=np.uint8)
LABELS = RNG.integers(0, 3, COUNT)
SHOWS = RNG.random(COUNT) < 0.5


def write_npz(folder: Path) -> data.Npz:
    np.savez_compressed(folder / "d.npz", x=PIXELS, y=LABELS, shows=SHOWS)
    return data.Npz(path="d.npz")


def idx_bytes(code: int, values: np.ndarray) -> bytes:
    head = bytes([0, 0, code, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    return head + values.tobytes()


def write_idx(folder: Path) -> data.Idx:
    (folder / "x").write_bytes(gzip.compress(idx_bytes(8, PIXELS), mtime=0))
    (folder / "y").write_bytes(idx_bytes(0x0C, LABELS.astype(">i4")))
    (folder / "shows").write_bytes(idx_bytes(8, SHOWS.astype(np.uint8)))
    return data.Idx(path=".", inputs="x", labels="y")


def png(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def write_arrow(folder: Path, shards: int = 2, **columns: Any) -> None:
    """A dataset as ``save_to_disk`` lays it out."""
    table = pa.table(columns)
    names = [f"data-{k:05d}-of-{shards:05d}.arrow" for k in range(shards)]
    for k, name in enumerate(names):
        start, stop = (table.num_rows * edge // shards for edge in (k, k + 1))
        with pa.ipc.new_stream(str(folder / name), table.schema) as writer:
            writer.write_table(table.slice(start, stop - start), max_chunksize=4)
    state = {"_data_files": [{"filename": name} for name in names], "_fingerprint": "0"}
    (folder / "state.json").write_text(json.dumps(state))


def write_hugging_face(folder: Path) -> data.HuggingFace:
    pictures = [{"bytes": png(pixels), "path": None} for pixels in PIXELS]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    write_arrow(
        folder,
        image=pa.array(pictures, kind),
        grid=pa.array(PIXELS.tolist(), pa.list_(pa.list_(pa.uint8()))),
        flat=pa.array(PIXELS.reshape(COUNT, -1).tolist(), pa.list_(pa.uint8(), 20)),
        label=LABELS,
        shows=SHOWS,
        text=["a"] * COUNT,
        ragged=[[1], [1, 2]] * (COUNT // 2),
        gaps=[1, None] * (COUNT // 2),
    )
    return data.HuggingFace(path=".")


WRITERS: dict[str, Callable[[Path], Any]] = {
    "npz": write_npz,
    "idx": write_idx,
    "huggingface": write_hugging_face,
}


@pytest.mark.parametrize("kind", WRITERS)
def test_reads_what_was_written(kind: str, tmp_path: Path) -> None:
    source = WRITERS[kind](tmp_path)
    found = source.read(tmp_path, ["shows"])
    assert found.examples.inputs.dtype == np.float32
    assert found.examples.labels.dtype == np.int32
    np.testing.assert_array_equal(found.examples.inputs, PIXELS)
    np.testing.assert_array_equal(found.examples.labels, LABELS)
    np.testing.assert_array_equal(found.columns["shows"], SHOWS)
    assert found.columns["shows"].dtype == bool
    halved = source.model_copy(update={"scale": 2.0}).read(tmp_path)
    np.testing.assert_array_equal(halved.examples.inputs, PIXELS / 2)


@pytest.mark.parametrize("column", ["grid", "flat"])
def test_hugging_face_lists_are_axes(column: str, tmp_path: Path) -> None:
    write_hugging_face(tmp_path)
    found = data.HuggingFace(path=".", inputs=column).read(tmp_path).examples.inputs
    assert found.shape == ((COUNT, 5, 4) if column == "grid" else (COUNT, 20))
    np.testing.assert_array_equal(found.reshape(COUNT, -1), PIXELS.reshape(COUNT, -1))


def test_hugging_face_pictures_in_colour(tmp_path: Path) -> None:
    colours = RNG.integers(0, 256, (3, 6, 7, 3), dtype=np.uint8)
    write_arrow(tmp_path, 1, image=[{"bytes": png(pixels)} for pixels in colours], label=[0, 1, 2])
    found = data.HuggingFace(path=".").read(tmp_path).examples.inputs
    np.testing.assert_array_equal(found, colours)


def write_cifar(folder: Path, files: int, before: int, seed: int = 0) -> list[list[int]]:
    """Rows of small labels and pixels, as lists of bytes."""
    rng = np.random.default_rng(seed)
    rows = [[*rng.integers(0, 10, before), *rng.integers(0, 256, 3072)] for _ in range(2 * files)]
    for k in range(files):
        pair = [int(byte) for row in rows[2 * k : 2 * k + 2] for byte in row]
        (folder / f"data_batch_{k + 1}.bin").write_bytes(bytes(pair))
    return rows


@pytest.mark.parametrize(("labels", "before"), [("label", 1), ("coarse", 2), ("fine", 2)])
def test_cifar_rows(labels: Any, before: int, tmp_path: Path) -> None:
    rows = write_cifar(tmp_path, 3, before)
    (tmp_path / "test_batch.bin").write_bytes(b"not read")
    found = data.CifarBinary(path=".", labels=labels).read(tmp_path).examples
    assert found.inputs.shape == (6, 32, 32, 3)
    place = 1 if labels == "fine" else 0
    assert found.labels.tolist() == [row[place] for row in rows]
    for example, height, width, colour in [(0, 0, 0, 0), (5, 31, 30, 2), (2, 7, 11, 1)]:
        expected = rows[example][before + 1024 * colour + 32 * height + width]
        assert found.inputs[example, height, width, colour] == expected


def test_idx_reads_every_number_type(tmp_path: Path) -> None:
    values = np.array([[1, 2], [3, 4]])
    (tmp_path / "y").write_bytes(idx_bytes(8, np.array([0, 1], np.uint8)))
    types = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
    for code, kind in types.items():
        (tmp_path / "x").write_bytes(idx_bytes(code, values.astype(kind)))
        found = data.Idx(path=".", inputs="x", labels="y").read(tmp_path).examples.inputs
        assert found.dtype == (np.int32 if code in (11, 12) else np.float32)
        np.testing.assert_array_equal(found, values)


def test_wide_whole_numbers_stay_whole_without_a_scale(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x=[[5, 70000]], y=[0])
    tokens = data.Npz(path="d.npz").read(tmp_path).examples.inputs
    assert tokens.dtype == np.int32
    assert tokens.tolist() == [[5, 70000]]
    assert data.Npz(path="d.npz", scale=2).read(tmp_path).examples.inputs.dtype == np.float32


def npz(folder: Path, **arrays: Any) -> Any:
    good = {"x": np.ones((3, 2)), "y": np.array([0, 1, 2]), "shows": np.ones(3, bool)}
    np.savez(folder / "d.npz", **{**good, **arrays})
    return data.Npz(path="d.npz")


def idx(folder: Path, content: bytes) -> Any:
    source = write_idx(folder)
    (folder / "x").write_bytes(content)
    return source


def hugging_face(folder: Path, **names: str) -> Any:
    write_hugging_face(folder)
    return data.HuggingFace(path=".", **names)


def damaged_picture(folder: Path, content: bytes) -> Any:
    write_arrow(folder, 1, image=[{"bytes": png(PIXELS[0])}, {"bytes": content}], label=[0, 1])
    return data.HuggingFace(path=".")


def state(folder: Path, content: object) -> Any:
    write_hugging_face(folder)
    (folder / "state.json").write_text(json.dumps(content))
    return data.HuggingFace(path=".")


def cifar(folder: Path, content: bytes, **names: Any) -> Any:
    (folder / "data_batch_1.bin").write_bytes(content)
    return data.CifarBinary(path=".", **names)


HUGE = struct.pack(">3I", 2**31, 2**31, 2**31)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda f: data.Npz(path="no.npz"), r"no\.npz: cannot be read \(No such file"),
        (lambda f: data.Npz(path="a\0b"), r"cannot be read \(embedded null byte"),
        (lambda f: npz(f, x=np.full((3, 2), np.nan)), r"'x': expected finite numbers, found nan"),
        (lambda f: npz(f, x=np.full((3, 2), 1e300)), r"'x': expected finite numbers, found inf"),
        (lambda f: npz(f, x=np.full((3, 2), 2**40)), r"'x': expected numbers from -2.14748e\+09"),
        (lambda f: npz(f, x=np.array([["a"]] * 3)), r"'x': expected real numbers, found <U1"),
        (lambda f: npz(f, x=np.array([[None]] * 3)), r"'x': expected numbers, found pickled"),
        (lambda f: npz(f, x=np.ones(3)), r"'x': expected shape \[examples, ...\], found \[3\]"),
        (lambda f: npz(f, y=np.array([0, -1, 2])), r"'y': expected numbers from 0 .* found -1"),
        (lambda f: npz(f, y=np.array([0, 1, 2**40])), r"'y': .*from 0 to 199999, found 1099511"),
        (lambda f: npz(f, y=np.ones(3)), r"'y': expected whole numbers, found float64"),
        (lambda f: npz(f, y=np.array([0, 1])), r"'y': expected 3, one for each example, found 2"),
        (lambda f: npz(f, shows=np.array([0, 1, 2])), r"'shows': expected numbers from 0 to 1"),
        (
            lambda f: npz(f).model_copy(update={"labels": "z"}),
            r"array 'z': expected, found only 'x', 'y', 'shows'",
        ),
        (
            lambda f: npz(f).model_copy(update={"labels": "x"}),
            r"array 'x': expected it used once, found it named as inputs too",
        ),
        (lambda f: idx(f, b"\x89PNG"), "x: expected an IDX file, found one that begins with '8950"),
        (lambda f: idx(f, b"\0\0"), "x: expected an IDX file, found one that begins with '0000'"),
        (lambda f: idx(f, b"\0\0\x08\x03\0\0"), "x: expected 3 axes, found the file truncated"),
        (lambda f: idx(f, b"\0\0\x08\x03" + HUGE), "x: expected at most 10000000 examples"),
        (
            lambda f: idx(f, b"\0\0\x08\x02" + struct.pack(">2I", 2**20, 2**20)),
            r"x: expected at most 4294967296 bytes of numbers, found 4398046511104",
        ),
        (
            lambda f: idx(f, gzip.compress(b"\0\0\x08\x02" + struct.pack(">2I", 2**10, 2**18))),
            r"x: expected 268435456 bytes of numbers, found it truncated",
        ),
        (
            lambda f: idx(f, gzip.compress(idx_bytes(8, PIXELS) + b"0")),
            r"x: expected 240 bytes of numbers by its header, found more",
        ),
        (lambda f: idx(f, idx_bytes(8, PIXELS)[:-1]), "x: expected 240 bytes .* found it truncat"),
        (lambda f: idx(f, gzip.compress(idx_bytes(8, PIXELS))[:-9]), "x: cannot be read"),
        (
            lambda f: idx(f, idx_bytes(13, np.full((COUNT, 2), np.nan, ">f4"))),
            r"x: expected finite numbers, found nan at index \[0, 0\]",
        ),
        (lambda f: cifar(f, b"0" * 3072), "data_batch_1.bin: expected rows of 3073 bytes, found 3"),
        (lambda f: cifar(f, b""), "data_batch_1.bin: expected rows of 3073 bytes, found 0"),
        (lambda f: cifar(f, b"\x0a" * 3073), r"'label': expected numbers from 0 to 9, found 10"),
        (lambda f: cifar(f, b"", inputs="*.txt"), r"expected files named \*.txt, found none"),
        (lambda f: data.CifarBinary(path="no"), r"no: cannot be read \(No such file"),
        (lambda f: data.CifarBinary(path="a\0b"), "cannot be read"),
        (lambda f: hugging_face(f, inputs="no"), r"arrow: column 'no': expected once, found colu"),
        (lambda f: hugging_face(f, inputs="text"), r"'text': expected numbers or pictures, found"),
        (lambda f: hugging_face(f, inputs="ragged"), r"lists of one length, found 1 to 2"),
        (lambda f: hugging_face(f, labels="gaps"), r"'gaps': expected no gaps, found \d"),
        (lambda f: hugging_face(f, labels="flat"), r"'flat': expected shape \[examples\], found"),
        (lambda f: damaged_picture(f, b"GIF89a"), "picture 1: expected PNG or JPEG, found it dam"),
        (
            lambda f: damaged_picture(f, png(PIXELS[0, :2])),
            r"picture 1: expected shape \[5, 4\] like the first, found \[2, 4\]",
        ),
        (
            lambda f: damaged_picture(f, png(np.zeros((5, 4, 4), np.uint8))),
            "picture 1: expected grey or RGB, found RGBA",
        ),
        (lambda f: state(f, {}), "state.json: expected the list of files that save_to_disk writes"),
        (lambda f: state(f, {"_data_files": [{"filename": "../a.arrow"}]}), "state.json: expected"),
        (lambda f: state(f, {"_data_files": [{"filename": "a.arrow"}]}), "a.arrow: cannot be read"),
        (
            lambda f: state(
                f, {"_data_files": [{"filename": "a.arrow"}], "_indices_data_files": [{}]}
            ),
            "found a selection of rows; call flatten_indices first",
        ),
    ],
)
def test_one_sentence_for_what_does_not_fit(
    write: Callable[[Path], Any], message: str, tmp_path: Path
) -> None:
    source = write(tmp_path)
    columns = ["shows"] if (tmp_path / "d.npz").exists() else []
    with pytest.raises(ValueError, match=message) as error:
        source.read(tmp_path, columns)
    assert str(tmp_path) in str(error.value)
    assert "\n" not in str(error.value)


def test_other_splits_and_columns_are_named(tmp_path: Path) -> None:
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["train"]}')
    with pytest.raises(ValueError, match="expected the folder of one split"):
        data.HuggingFace(path=".").read(tmp_path)
    write_cifar(tmp_path, 1, 1)
    with pytest.raises(ValueError, match="found column 'shows': CIFAR has none"):
        data.CifarBinary(path=".").read(tmp_path, ["shows"])


def test_pyarrow_is_named_when_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_hugging_face(tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(ValueError, match=r"Arrow files need pyarrow; install indist\[parquet\]"):
        source.read(tmp_path)


@pytest.mark.parametrize("kind", [*WRITERS, "cifar-binary"])
@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (data.DataLimits(examples=1), "expected (at most|1 to) 1 examples, found"),
        (data.DataLimits(array_bytes=100), "expected at most 100 bytes of numbers, found"),
        (data.DataLimits(classes=1), r"expected numbers from 0 to 0, found"),
    ],
)
def test_limits(kind: str, limits: data.DataLimits, message: str, tmp_path: Path) -> None:
    if kind == "cifar-binary":
        write_cifar(tmp_path, 2, 1)
        source: Any = data.CifarBinary(path=".")
    else:
        source = WRITERS[kind](tmp_path)
    with pytest.raises(ValueError, match=message):
        source.read(tmp_path, (), limits)


def test_limits_are_positive() -> None:
    with pytest.raises(ValueError, match="examples: expected at least 1, found 0"):
        data.DataLimits(examples=0)


def test_a_member_that_unpacks_to_more_is_not_unpacked(tmp_path: Path) -> None:
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        head, {"descr": "|u1", "fortran_order": False, "shape": (3, 2)}
    )
    with zipfile.ZipFile(tmp_path / "d.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", head.getvalue() + bytes(10**7))
        with archive.open("y.npy", "w") as member:
            np.lib.format.write_array(member, np.array([0, 1, 2]))
    with pytest.raises(ValueError, match="'x': expected 6 bytes by its header, found more"):
        data.Npz(path="d.npz").read(tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Any, dict[str, bytes]]]:
    """Each kind's source and the bytes of its files."""
    out: dict[str, tuple[Any, dict[str, bytes]]] = {}
    for kind, write in WRITERS.items():
        folder = tmp_path_factory.mktemp(kind)
        source = write(folder)
        out[kind] = source, {file.name: file.read_bytes() for file in folder.iterdir()}
    folder = tmp_path_factory.mktemp("cifar")
    write_cifar(folder, 1, 1)
    out["cifar-binary"] = (
        data.CifarBinary(path="."),
        {file.name: file.read_bytes() for file in folder.iterdir()},
    )
    return out


@pytest.mark.parametrize("kind", [*WRITERS, "cifar-binary"])
@settings(
    max_examples=150,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(draw=st.data())
def test_mutated_bytes_give_a_sentence_or_a_data_set(
    kind: str,
    draw: st.DataObject,
    whole: dict[str, tuple[Any, dict[str, bytes]]],
    tmp_path: Path,
) -> None:
    source, files = whole[kind]
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    victim = draw.draw(st.sampled_from(sorted(files)))
    changed = bytearray(files[victim])
    for _ in range(draw.draw(st.integers(1, 4))):
        place = draw.draw(st.integers(0, len(changed) - 1)) if changed else 0
        match draw.draw(st.sampled_from(["set", "cut", "insert", "head"])):
            case "set":
                changed[place : place + 1] = draw.draw(st.binary(min_size=1, max_size=8))
            case "head":
                changed[place % 64 : place % 64 + 4] = draw.draw(st.binary(min_size=4, max_size=4))
            case "cut":
                del changed[place:]
            case _:
                changed[place:place] = draw.draw(st.binary(max_size=16))
    (tmp_path / victim).write_bytes(bytes(changed))
    sentence = ""
    try:
        found = source.read(tmp_path)
    except FileError as error:
        sentence = str(error)
    if sentence:
        assert str(tmp_path) in sentence
        assert "\n" not in sentence
        return
    assert np.isfinite(found.examples.inputs).all()
    assert len(found.examples.inputs) == len(found.examples.labels) >= 1
    assert found.examples.labels.min() >= 0
