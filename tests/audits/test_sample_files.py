"""Sample files: what is read, and the one sentence that a bad one gets."""

import re
import struct
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from audits._reading import SubmissionError
from audits.claims._sample_files import read_sample_pair, read_samples
from tests.audits.test_submission import NO_HEADERS


def save(path: Path, array: np.ndarray) -> Path:
    if path.suffix == ".npy":
        np.save(path, array)
    elif path.suffix == ".npz":
        np.savez_compressed(path, anything=array)
    else:
        np.savetxt(path, array, delimiter=",", fmt="%.17g")
    return path


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".csv"])
@pytest.mark.parametrize("shape", [(7,), (7, 3)])
def test_all_formats_hold_the_same_numbers(
    tmp_path: Path, suffix: str, shape: tuple[int, ...]
) -> None:
    array = np.random.default_rng(0).normal(size=shape)
    found = read_samples(save(tmp_path / f"samples{suffix}", array))
    np.testing.assert_array_equal(found.values, array)
    assert found.observables is None
    assert found.digest == read_samples(save(tmp_path / "other.npy", array)).digest
    assert found.values.flags.writeable


def test_arrays_may_have_many_axes_and_any_number_type(tmp_path: Path) -> None:
    array = np.arange(24, dtype=np.int16).reshape(4, 2, 3)
    found = read_samples(save(tmp_path / "x.npy", array))
    np.testing.assert_array_equal(found.values, array)
    assert found.values.dtype == np.float64
    np.testing.assert_array_equal(
        read_samples(save(tmp_path / "y.npz", np.asfortranarray(array))).values, array
    )


def test_csv_header_and_spreadsheet_marks(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"\xef\xbb\xbfforget, retain\r\n1,2.5\r\n-3e2, 4\r\n\r\n")
    found = read_samples(path)
    assert found.observables == ("forget", "retain")
    np.testing.assert_array_equal(found.values, [[1, 2.5], [-300, 4]])
    path.write_text("margin\n1\n2\n")
    assert read_samples(path).values.shape == (2,)


def refused(path: Path, message: str) -> None:
    with pytest.raises(SubmissionError, match=message) as error:
        read_samples(path)
    text = str(error.value)
    assert text.startswith(str(path))
    assert "\n" not in text
    assert isinstance(error.value, ValueError)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected one line of numbers a model, found none"),
        ("a,b\n", "expected one line of numbers a model, found none"),
        ("1,2\n3\n", "line 2: expected 2 columns, found 1"),
        ("a,b\n1,2\n3,x\n", "line 3, column 'b': expected a finite number, found 'x'"),
        ("1,2\n3,nan\n", "line 2, column 2: expected a finite number, found 'nan'"),
        ("1,inf\n", "line 1, column 2: expected a finite number, found 'inf'"),
        ("a,2\n3,4\n", "line 1, column 1: expected a finite number, found 'a'"),
        ('"1,2\n', "expected comma-separated text in UTF-8"),
        ("1;2\n", "line 1|expected one line"),
    ],
)
def test_bad_csv(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text)
    refused(path, message)


def test_integers_that_float64_merges_have_no_digest(tmp_path: Path) -> None:
    for number in (2**60 + 1, 2**60 + 2, 2**63):
        array = np.full(3, number, dtype=np.uint64)
        refused(save(tmp_path / "x.npy", array), f"samples: expected numbers .* found {number}")
        np.savez(tmp_path / "x.npz", array)
        refused(tmp_path / "x.npz", f"samples: expected numbers .* found {number}")
    for cell in ("1152921504606846977", "-9007199254740993", str(2**70)):
        path = tmp_path / "x.csv"
        path.write_text(f"{cell}\n0.5\n")
        refused(path, f"samples: expected numbers .* found {cell}")
    path.write_text(" +9007199254740992,1e300\n007,-0.5\n")
    assert read_samples(path).values.tolist() == [[2.0**53, 1e300], [7.0, -0.5]]


def test_bad_csv_encoding(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"\xff\xfe1\x00,\x002\x00")
    refused(path, "expected comma-separated text in UTF-8")


def test_bad_arrays(tmp_path: Path) -> None:
    bad = np.ones((3, 2))
    bad[2, 1] = np.nan
    refused(save(tmp_path / "nan.npy", bad), r"found nan at index \[2, 1\]")
    refused(
        save(tmp_path / "scalar.npy", np.array(1.0)), r"expected shape \[models, ...\], found \[\]"
    )
    refused(
        save(tmp_path / "empty.npy", np.ones((0, 2))),
        r"expected shape \[models, ...\], found \[0, 2\]",
    )
    signalling = np.array([0x7FA00000], dtype=np.uint32).view(np.float32)
    refused(save(tmp_path / "signalling.npy", signalling), r"found nan at index \[0\]")
    refused(save(tmp_path / "text.npy", np.array(["a", "b"])), "expected real numbers, found <U1")
    refused(save(tmp_path / "complex.npz", np.ones(2) * 1j), "expected real numbers")
    objects = tmp_path / "objects.npy"
    np.save(objects, np.array([{}], dtype=object), allow_pickle=True)
    refused(objects, "expected numbers, found pickled objects, never read here")
    inside = tmp_path / "objects.npz"
    np.savez(inside, a=np.array([{}], dtype=object))
    refused(inside, "array 'a': expected numbers, found pickled objects, never read here")
    two = tmp_path / "two.npz"
    np.savez(two, a=np.ones(2), b=np.ones(2))
    refused(two, "expected exactly one array, found 2: 'a', 'b'")
    garbage = tmp_path / "garbage.npz"
    garbage.write_bytes(b"nothing")
    refused(garbage, "expected a whole .npz file")
    whole = save(tmp_path / "cut.npy", np.ones(1000)).read_bytes()
    (tmp_path / "cut.npy").write_bytes(whole[:500])
    refused(tmp_path / "cut.npy", "expected 8128 bytes by its header, found 500")
    refused(save(tmp_path / "x.npy", np.ones(2)).rename(tmp_path / "x.txt"), "found '.txt'")
    refused(tmp_path / "missing.npy", "cannot be read")


def test_damaged_lzma_members_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    whole = save(tmp_path / "x.npy", np.arange(30.0)).read_bytes()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.npy", whole)
    data = bytearray(path.read_bytes())
    data[60] ^= 255
    path.write_bytes(data)
    refused(path, "array 'a': expected it stored or deflated, found type 14")


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
@pytest.mark.parametrize("name", NO_HEADERS)
def test_headers_that_are_none_are_refused(tmp_path: Path, suffix: str, name: str) -> None:
    text = NO_HEADERS[name]
    path = tmp_path / f"x{suffix}"
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + bytes(240)
    if suffix == ".npy":
        path.write_bytes(content)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.npy", content)
    refused(path, "expected a whole .npy header")


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_long_headers_are_refused_before_they_are_read(tmp_path: Path, suffix: str) -> None:
    path, length = tmp_path / f"x{suffix}", 200 * 2**20
    start = b"\x93NUMPY\x02\x00" + struct.pack("<I", length)
    if suffix == ".npy":
        with path.open("wb") as file:
            file.write(start)
            # A hole, which takes no space on disk.
            file.truncate(len(start) + length)
    else:
        with (
            zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
            archive.open("a.npy", "w") as member,
        ):
            member.write(start)
            for _ in range(length // 2**20):
                member.write(bytes(2**20))
    tracemalloc.start()
    try:
        refused(path, "expected a whole .npy header")
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_too_large_is_refused_by_its_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import audits.claims._sample_files as module

    monkeypatch.setattr(module, "_LIMITS", module.Limits(array_bytes=100))
    for suffix in (".npy", ".npz", ".csv"):
        path = save(tmp_path / f"x{suffix}", np.arange(50) + 0.5)
        refused(path, "expected at most 100 bytes of numbers")


def test_pairs_have_the_same_observables(tmp_path: Path) -> None:
    one, two = save(tmp_path / "p.npy", np.ones((3, 2))), save(tmp_path / "q.npz", np.ones((4, 2)))
    p, q = read_sample_pair(one, two)
    assert (p.values.shape, q.values.shape) == ((3, 2), (4, 2))
    three = save(tmp_path / "r.csv", np.ones((4, 3)))
    with pytest.raises(
        SubmissionError, match=re.escape("r.csv: expected observables of shape [2] as in ")
    ):
        read_sample_pair(one, three)
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("x,y\n1,2\n")
    second.write_text("y,x\n1,2\n")
    with pytest.raises(SubmissionError, match="expected the columns x, y as in .*found y, x"):
        read_sample_pair(first, second)
    # A file without names goes with any.
    read_sample_pair(first, one)
