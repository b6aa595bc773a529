"""Readers of published scores: files to the published schemas, and hostile ones."""

import struct
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indist import audits, estimators

RNG = np.random.default_rng(0)


def refused(call: Callable[[], object], path: Path, message: str) -> None:
    with pytest.raises(audits.SubmissionError, match=message) as error:
        call()
    text = str(error.value)
    assert text.startswith(str(path))
    assert "\n" not in text


# As in cifar100_infl_matrix.npz, at 2 classes of 3 training and 2 test examples.
LABELS = np.array([0, 1, 1, 0, 1, 0])
MATRIX: dict[str, np.ndarray] = {
    "tr_labels": LABELS,
    "tt_labels": np.array([1, 0, 1, 0]),
    "tr_mem": RNG.uniform(-0.1, 1.0, 6),
    "tr_classidx_0": np.array([0, 3, 5]),
    "tt_classidx_0": np.array([1, 3]),
    "infl_matrix_class0": RNG.uniform(-0.2, 0.3, (3, 2)),
    "tr_classidx_1": np.array([1, 2, 4]),
    "tt_classidx_1": np.array([0, 2]),
    "infl_matrix_class1": RNG.uniform(-0.2, 0.3, (3, 2)).astype(np.float32),
}
# As in cifar100_high_infl_pairs_infl0.15_mem0.25.npz.
PAIRS: dict[str, np.ndarray] = {
    "tr_idx": np.array([30592, 10958, 23137]),
    "tt_idx": np.array([655, 3697, 2271]),
    "infl": np.array([0.156, 0.208, 0.996]),
    "mem": np.array([0.81, 0.735, 1.0]),
}


def save(path: Path, arrays: dict[str, Any]) -> Path:
    np.savez_compressed(path, **arrays)
    return path


def test_memorization_and_influence_by_class(tmp_path: Path) -> None:
    path = save(tmp_path / "cifar100_infl_matrix.npz", MATRIX)
    scores = audits.read_memorization(path)
    np.testing.assert_array_equal(scores.memorization, MATRIX["tr_mem"])
    np.testing.assert_array_equal(scores.labels, LABELS)
    for label in (0, 1):
        found = audits.read_class_influence(path, label)
        np.testing.assert_array_equal(found.train, MATRIX[f"tr_classidx_{label}"])
        np.testing.assert_array_equal(found.test, MATRIX[f"tt_classidx_{label}"])
        np.testing.assert_allclose(found.influence, MATRIX[f"infl_matrix_class{label}"], rtol=1e-6)
    refused(
        lambda: audits.read_class_influence(path, 2),
        path,
        "array 'tr_classidx_2': expected, found only 'tr_labels', .* and 5 more",
    )


def test_pairs(tmp_path: Path) -> None:
    found = audits.read_influence_pairs(save(tmp_path / "pairs.npz", PAIRS))
    np.testing.assert_array_equal(found.train, PAIRS["tr_idx"])
    np.testing.assert_array_equal(found.test, PAIRS["tt_idx"])
    np.testing.assert_array_equal(found.influence, PAIRS["infl"])
    np.testing.assert_array_equal(found.memorization, PAIRS["mem"])


def test_other_arrays_are_not_looked_at(tmp_path: Path) -> None:
    names = np.array(["a.JPEG", "b.JPEG"], dtype=object)
    mem = np.array([0.5, 1.0], dtype=">f4")
    path = save(tmp_path / "imagenet_index.npz", {"tr_filenames": names, "tr_mem": mem})
    found = audits.read_memorization(path)
    np.testing.assert_array_equal(found.memorization, [0.5, 1.0])
    assert found.memorization.dtype == np.float64
    assert found.labels is None
    mnist = save(tmp_path / "infl_mem.npz", {"memorization": mem, "influence": np.ones((3, 2))})
    np.testing.assert_array_equal(audits.read_memorization(mnist).memorization, [0.5, 1.0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tr_mem": None}, "array 'tr_mem': expected, found only"),
        ({"tr_mem": np.array([0.1, np.nan] * 3)}, r"'tr_mem': .* found nan at index \[1\]"),
        ({"tr_mem": np.array([0.1, np.inf] * 3)}, r"'tr_mem': .* found inf at index \[1\]"),
        ({"tr_mem": np.full(6, 1.1)}, r"numbers from -1 to 1, found 1.1 at index \[0\]"),
        ({"tr_mem": np.ones((6, 1))}, r"'tr_mem': expected shape \[n\], found \[6, 1\]"),
        ({"tr_mem": np.ones(0)}, r"'tr_mem': expected shape \[n\], found \[0\]"),
        ({"tr_mem": np.float64(1.0)}, r"'tr_mem': expected shape \[n\], found \[\]"),
        ({"tr_mem": np.array(["0.5"] * 6)}, "'tr_mem': expected real numbers, found <U3"),
        ({"tr_mem": np.ones(6) * 1j}, "'tr_mem': expected real numbers, found complex128"),
        ({"tr_mem": np.array([{}] * 6)}, "'tr_mem': expected numbers, found pickled objects"),
        ({"tr_labels": LABELS[:5]}, "'tr_labels': expected 6 numbers .*, found 5"),
        ({"tr_labels": -LABELS}, r"'tr_labels': .* found -1 at index \[1\]"),
        ({"tr_labels": LABELS * 1.0}, "'tr_labels': expected whole numbers, found float64"),
    ],
)
def test_bad_memorization(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    arrays = {k: v for k, v in (MATRIX | change).items() if v is not None}
    path = save(tmp_path / "x.npz", arrays)
    refused(lambda: audits.read_memorization(path), path, message)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"infl_matrix_class0": np.ones((2, 3))}, r"expected shape \[3, 2\] by .* found \[2, 3\]"),
        ({"infl_matrix_class0": np.full((3, 2), np.nan)}, r"found nan at index \[0, 0\]"),
        ({"tr_classidx_0": np.array([0, 3, 3])}, "'tr_classidx_0': expected each example once"),
        ({"tt_classidx_0": np.array([0, -3])}, r"'tt_classidx_0': .* found -3 at index \[1\]"),
        ({"tt_classidx_0": np.array([0, 2**64 - 1], dtype=np.uint64)}, "'tt_classidx_0'"),
    ],
)
def test_bad_influence(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = save(tmp_path / "x.npz", MATRIX | change)
    refused(lambda: audits.read_class_influence(path, 0), path, message)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mem": np.ones(2)}, "'mem': expected 3 numbers as in the other arrays, found 2"),
        ({"infl": np.array([0.1, np.nan, 0.2])}, r"'infl': .* found nan at index \[1\]"),
        ({"tr_idx": np.array([1, 2, -1])}, r"'tr_idx': .* found -1 at index \[2\]"),
        ({"tt_idx": np.array([True] * 3)}, "'tt_idx': expected whole numbers, found bool"),
    ],
)
def test_bad_pairs(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = save(tmp_path / "x.npz", PAIRS | change)
    refused(lambda: audits.read_influence_pairs(path), path, message)


def npy(header: bytes, data: bytes = b"", version: tuple[int, int] = (1, 0)) -> bytes:
    length = struct.pack("<H" if version == (1, 0) else "<I", len(header))
    return b"\x93NUMPY" + bytes(version) + length + header + data


def header(descr: str = "'<f8'", shape: str = "(6,)") -> bytes:
    return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()


HOSTILE_HEADERS = {
    "huge shape": npy(header(shape=f"({10**18},)"), b"0" * 48),
    "huger shape": npy(header(shape=f"({2**70}, {2**70})"), b"0" * 48),
    "negative shape": npy(header(shape="(-6,)"), b"0" * 48),
    "no tuple": npy(header(shape="6"), b"0" * 48),
    "objects": npy(header(descr="'|O'"), b"0" * 48),
    "structured": npy(header(descr="[('a', '<f8')]"), b"0" * 48),
    "nested": npy(b"(" * 5000 + b")" * 5000, b"0" * 48),
    "unfinished": npy(b"{'descr': '''", b"0" * 48),
    "indented": npy(b"  {'descr'\n 1", b"0" * 48),
    "null": npy(b"{'\x00': 1}", b"0" * 48),
    "a call": npy(b"__import__('os').abort()", b"0" * 48),
    "long header": npy(b" " * 65535, b"0" * 48),
    "later version": npy(header(), b"0" * 48, version=(2, 0)),
    "header of 4 GB": b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + b" " * 48,
    "truncated": npy(header(), b"0" * 47),
    "more": npy(header(), b"0" * 49),
    "cut magic": b"\x93NUM",
    "empty": b"",
    "text": b"hello",
    "pickle": b"\x80\x04K\x01.",
}


@pytest.mark.parametrize("name", HOSTILE_HEADERS)
def test_hostile_headers(tmp_path: Path, name: str) -> None:
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tr_mem.npy", HOSTILE_HEADERS[name])
    refused(lambda: audits.read_memorization(path), path, "array 'tr_mem': expected ")
    store = tmp_path / "masks.npy"
    store.write_bytes(HOSTILE_HEADERS[name])
    refused(lambda: audits.read_datamodels(tmp_path), store, "expected ")


def test_headers_of_python_2_are_read(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tr_mem.npy", npy(header(shape="(2L,)"), np.ones(2).tobytes()))
    np.testing.assert_array_equal(audits.read_memorization(path).memorization, [1.0, 1.0])


def test_a_bomb_is_refused_before_it_unpacks(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tr_mem.npy", npy(header(shape="(4000000,)"), bytes(32_000_000)))
    assert path.stat().st_size < 100_000
    small = audits.Limits(array_bytes=1_000_000)
    refused(
        lambda: audits.read_memorization(path, limits=small),
        path,
        "array 'tr_mem': expected at most 1000000 more bytes of numbers, found 32000000",
    )
    # Arrays count together.
    limits = audits.Limits(array_bytes=95)
    path = save(tmp_path / "pairs.npz", PAIRS)
    refused(lambda: audits.read_influence_pairs(path, limits=limits), path, "at most 23 more")
    audits.read_influence_pairs(path, limits=audits.Limits(array_bytes=96))


def test_archives_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    refused(lambda: audits.read_memorization(path), path, "cannot be read")
    refused(lambda: audits.read_memorization(tmp_path), tmp_path, "expected a file")
    for content in (b"", b"nothing", b"PK\x05\x06" + bytes(18)[:10]):
        path.write_bytes(content)
        refused(lambda: audits.read_memorization(path), path, "expected a whole .npz file")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("tr_mem.npy", npy(header(), bytes(48)))
    refused(lambda: audits.read_memorization(path), path, "expected it stored or deflated")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tr_mem.npy", npy(header(), bytes(48)))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("tr_mem.npy", npy(header(), bytes(48)))
    refused(lambda: audits.read_memorization(path), path, "'tr_mem': expected once")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tr_mem.npy", npy(header(), bytes(48)))
    whole = bytearray(path.read_bytes())
    whole[whole.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(whole)
    refused(lambda: audits.read_memorization(path), path, "expected plain content, found it enc")


@pytest.mark.parametrize("compressed", [False, True])
def test_damage_anywhere_is_one_sentence(tmp_path: Path, compressed: bool) -> None:
    buffer, rng = BytesIO(), np.random.default_rng(1)
    arrays: dict[str, Any] = dict(PAIRS)
    (np.savez_compressed if compressed else np.savez)(buffer, **arrays)
    whole, path, survived = buffer.getvalue(), tmp_path / "x.npz", 0
    for trial in range(1500):
        broken = bytearray(whole)
        if trial % 5 == 0:
            del broken[rng.integers(len(broken)) :]
        for place in rng.integers(len(broken), size=trial % 4) if broken else ():
            broken[place] = rng.integers(256)
        path.write_bytes(broken)
        try:
            audits.read_influence_pairs(path)
            survived += 1
        except audits.SubmissionError as error:
            assert str(error).startswith(str(path))  # noqa: PT017
    assert 0 < survived < 1500


MASKS = RNG.random((12, 5)) < 0.5
MARGINS = RNG.normal(size=(12, 3)).astype(np.float16)


def store(folder: Path, **change: Any) -> Path:
    """A store as the datamodels code makes it, with some files changed or absent."""
    for name, array in ({"masks": MASKS, "margins": MARGINS} | change).items():
        np.save(folder / f"{name}.npy", array)
    return folder


def test_a_store_of_datamodels(tmp_path: Path) -> None:
    done = np.ones(12, dtype=bool)
    done[[3, 7]] = False
    found = audits.read_datamodels(store(tmp_path, _completed=done))
    np.testing.assert_array_equal(found.included, MASKS[done])
    np.testing.assert_array_equal(found.outcome, MARGINS[done])
    assert (found.included.dtype, found.outcome.dtype) == (np.bool_, np.float32)
    assert found.names == ("0", "1", "2", "4", "5", "6", "8", "9", "10", "11")
    assert found.left_out == ("3", "7")
    first = audits.read_datamodels(tmp_path, models=4)
    np.testing.assert_array_equal(first.included, found.included[:4])
    assert first.names == found.names[:4]
    result = estimators.cross_influence(found.included, found.outcome)
    assert result.estimate.shape == (5, 3)


def test_published_datamodels(tmp_path: Path) -> None:
    masks = np.asfortranarray(MASKS.astype(np.uint8))
    store(tmp_path, train_masks_50pct=masks, train_margins_50pct=MARGINS.repeat(2, 1)[:, :5])
    found = audits.read_datamodels(
        tmp_path, masks="train_masks_50pct", margins="train_margins_50pct"
    )
    np.testing.assert_array_equal(found.included, MASKS)
    assert found.left_out == ()
    assert estimators.memorization(found.included, found.outcome).estimate.shape == (5,)


BAD_MARGINS = MARGINS.copy()
BAD_MARGINS[4, 1] = np.inf


@pytest.mark.parametrize(
    ("change", "file", "message"),
    [
        ({"margins": BAD_MARGINS}, "margins", r"expected finite .* found inf at index \[4, 1\]"),
        ({"margins": BAD_MARGINS * np.nan}, "margins", "found nan at index"),
        ({"margins": MARGINS[:5]}, "margins", "expected 12 models as in masks.npy, found 5"),
        ({"margins": MARGINS[:, 0]}, "margins", r"expected shape \[models, targets\], found \[12"),
        ({"margins": MASKS}, "margins", "expected real numbers, found bool"),
        ({"masks": MASKS * 1.0}, "masks", "expected booleans or 0 and 1, found float64"),
        ({"masks": MASKS * 2}, "masks", "expected booleans or 0 and 1, found other numbers"),
        ({"masks": -1 * MASKS}, "masks", "expected booleans or 0 and 1, found other numbers"),
        ({"masks": MASKS[0]}, "masks", r"expected shape \[models, n\], found \[5\]"),
        ({"_completed": np.ones(3, bool)}, "_completed", "expected 12 models .*, found 3"),
        ({"_completed": np.zeros(12, bool)}, "_completed", "at least one trained model"),
        ({"_completed": np.ones(12)}, "_completed", "expected booleans, found float64"),
    ],
)
def test_bad_stores(tmp_path: Path, change: dict[str, Any], file: str, message: str) -> None:
    folder = store(tmp_path, **change)
    refused(lambda: audits.read_datamodels(folder), folder / f"{file}.npy", message)


def test_large_stores_are_read_in_part(tmp_path: Path) -> None:
    folder = store(tmp_path)
    limits = audits.Limits(array_bytes=100)
    refused(
        lambda: audits.read_datamodels(folder, limits=limits),
        folder / "margins.npy",
        "expected at most 100 bytes .*, found 204 for 12 models: ask for fewer",
    )
    assert len(audits.read_datamodels(folder, models=5, limits=limits).names) == 5
    refused(
        lambda: audits.read_datamodels(folder, limits=audits.Limits(models=3)),
        folder / "margins.npy",
        "expected at most 3 models, found 12",
    )
    with pytest.raises(ValueError, match="models: expected at least 1, found 0"):
        audits.read_datamodels(folder, models=0)
    refused(
        lambda: audits.read_datamodels(folder, margins="absent"),
        folder / "absent.npy",
        "cannot be read",
    )
    # A file with holes, whose numbers were never written: it is refused without reading them.
    sparse = np.lib.format.open_memmap(
        folder / "margins.npy", "w+", dtype=np.float16, shape=(12, 10**7)
    )
    del sparse
    refused(
        lambda: audits.read_datamodels(folder, limits=audits.Limits(array_bytes=10**7)),
        folder / "margins.npy",
        "ask for fewer",
    )


def shadow(folder: Path, name: str, keep: np.ndarray, kind: str, *values: np.ndarray) -> Path:
    """One experiment's folder, with a file a checkpoint."""
    model = folder / name
    (model / kind).mkdir(parents=True)
    np.save(model / "keep.npy", keep)
    for k, array in enumerate(values):
        np.save(model / kind / f"{100 * (k + 1):010d}.npy", array)
    return model


KEEP = RNG.random((4, 6)) < 0.5
SCORES = RNG.normal(size=(4, 6, 2))


def lira(folder: Path) -> Path:
    for k in range(4):
        shadow(folder, f"experiment-{k}_4", KEEP[k], "scores", np.zeros((6, 2)), SCORES[k])
    return folder


def test_scores_of_shadow_models(tmp_path: Path) -> None:
    folder = lira(tmp_path / "exp")
    (folder / "experiment-9_4" / "ckpt").mkdir(parents=True)
    np.save(folder / "experiment-9_4" / "keep.npy", KEEP[0])
    (folder / "logs").mkdir()
    found = audits.read_lira(folder)
    np.testing.assert_array_equal(found.included, KEEP)
    np.testing.assert_allclose(found.outcome, SCORES.mean(axis=2), rtol=1e-6)
    assert found.names == tuple(f"experiment-{k}_4" for k in range(4))
    assert found.left_out == ("experiment-9_4",)
    assert estimators.memorization(found.included, found.outcome).estimate.shape == (6,)


def test_scores_of_part_of_the_examples_without_queries(tmp_path: Path) -> None:
    shadow(tmp_path, "experiment-0_1", KEEP[0], "scores", SCORES[0, :5, 0])
    found = audits.read_lira(tmp_path)
    np.testing.assert_array_equal(found.included, KEEP[:1, :5])
    np.testing.assert_allclose(found.outcome, SCORES[:1, :5, 0], rtol=1e-6)


@pytest.mark.parametrize("shape", [(6, 1, 2, 3), (6, 2, 3), (6, 3)])
def test_logits_give_the_scores_of_the_original(tmp_path: Path, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(2)
    logits = 3 * rng.normal(size=shape).astype(np.float32)
    labels = rng.integers(0, 3, 8)
    np.save(tmp_path / "y_train.npy", labels)
    shadow(tmp_path, "experiment-0_1", KEEP[0], "logits", logits)
    odds = np.exp(logits.astype(np.float64).reshape(6, -1, 3))
    right = odds[np.arange(6), :, labels[:6]]
    expected = np.log(right / (odds.sum(axis=2) - right)).mean(axis=1)
    np.testing.assert_allclose(audits.read_lira(tmp_path).outcome[0], expected, rtol=1e-5)


def test_bad_shadow_models(tmp_path: Path) -> None:
    refused(lambda: audits.read_lira(tmp_path / "no"), tmp_path / "no", "expected a folder")
    refused(lambda: audits.read_lira(tmp_path), tmp_path, "expected sub-folders with keep.npy")
    folder = lira(tmp_path / "exp")
    last = folder / "experiment-3_4" / "scores" / "0000000200.npy"
    keep = folder / "experiment-3_4" / "keep.npy"
    bad = SCORES[0].copy()
    bad[2, 1] = np.nan
    for path, array, message in (
        (last, bad, r"expected finite numbers, found nan at index \[2, 1\]"),
        (last, SCORES[0, :4], "expected 6 examples as before, found 4"),
        (last, SCORES, r"expected shape \[examples\] or \[examples, queries\], found \[4, 6, 2\]"),
        (last, KEEP[0], "expected real numbers, found bool"),
        (last, np.array([{}] * 6), "found pickled objects, never read here"),
        (keep, KEEP[0, :4], "expected 6 examples or more, found 4"),
        (keep, KEEP[0] * 1, "expected booleans, found int64"),
        (keep, KEEP, r"expected shape \[examples\], found \[4, 6\]"),
    ):
        whole = path.read_bytes()
        np.save(path, array)
        refused(lambda: audits.read_lira(folder), path, message)
        path.write_bytes(whole[:-1])
        refused(lambda: audits.read_lira(folder), path, "bytes by its header, found")
        path.write_bytes(whole)
    audits.read_lira(folder)
    first = folder / "experiment-0_4" / "scores" / "0000000200.npy"
    refused(
        lambda: audits.read_lira(folder, limits=audits.Limits(array_bytes=119)),
        first,
        "expected at most 119 bytes for all models, found 120 for 4 models",
    )
    refused(
        lambda: audits.read_lira(folder, limits=audits.Limits(array_bytes=95)),
        first,
        "expected at most 95 bytes of numbers, found 96",
    )
    refused(
        lambda: audits.read_lira(folder, limits=audits.Limits(models=3)),
        folder,
        "expected at most 3 models, found 4",
    )


def test_bad_labels_of_logits(tmp_path: Path) -> None:
    shadow(tmp_path, "experiment-0_1", KEEP[0], "logits", np.ones((6, 1, 2, 3)))
    labels = tmp_path / "y_train.npy"
    refused(lambda: audits.read_lira(tmp_path), labels, "cannot be read")
    for array, message in (
        (np.zeros(5, dtype=int), "expected 6 labels or more, found 5"),
        (np.full(6, 3), r"expected numbers from 0 to 2, found 3 at index \[0\]"),
        (np.zeros(6), "expected whole numbers, found float64"),
    ):
        np.save(labels, array)
        refused(lambda: audits.read_lira(tmp_path), labels, message)
