"""What a small file can cost: each is refused before the cost is paid."""

import json
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from audits import Limits, SubmissionError, formats, load
from audits._reading import MOST_ARRAYS, check_ids, safetensors_header
from oracles import Learner, Probes
from oracles.storage.files import first_repeated
from tests.audits.formats import pth, samples
from tests.audits.formats.samples import mapping, probes

pytestmark = pytest.mark.usefixtures("torch")


def test_a_view_that_repeats_a_few_bytes_is_not_unfolded(
    tmp_path: Path, learner: Learner, probes: Probes
) -> None:
    lie = {"0.weight": {"shape": (2**14, 2**14), "strides": (0, 0)}}
    path = tmp_path / "m.pth"
    path.write_bytes(pth.saved({"0.weight": np.zeros(1, np.float32)}, lie))
    mapping(path, parameters="order")
    seen = formats.read(path).seen
    assert isinstance(seen, formats.Runnable)
    with pytest.raises(SubmissionError, match="four for each byte of the .* a view repeats its"):
        seen.observe(probes, learner)


def test_tied_layers_are_read(tmp_path: Path, learner: Learner, probes: Probes) -> None:
    net = samples.layers(0)
    tied = pth.archive(
        pth.dict_of({name: pth.tensor(str(k), array) for k, (name, array) in enumerate(net.items())}
        | {"again": pth.tensor("0", net["0.weight"])}),
        {str(k): array.tobytes() for k, array in enumerate(net.values())},
    )  # fmt: skip
    path = tmp_path / "m.pth"
    path.write_bytes(tied)
    mapping(path, parameters="order")
    seen = formats.read(path).seen
    assert isinstance(seen, formats.Runnable)
    # It gets as far as being one array too many for this learner.
    with pytest.raises(SubmissionError, match="expected 4 arrays, one a parameter, found 5"):
        seen.observe(probes, learner)


def test_a_small_table_of_many_rows_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    rows = 3_000_000
    pd.DataFrame({name: np.zeros(rows) for name in "abcd"}).to_parquet(path, compression="zstd")
    assert path.stat().st_size < 10**6
    mapping(path, probes=[{"id": name, "group": "forget"} for name in "abcd"], scalar="margin")
    with pytest.raises(SubmissionError, match=r"at most \d+ bytes unpacked, found 96000000"):
        formats.read(path, limits=Limits(models=10**7))


def test_a_small_archive_of_many_numbers_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "c.npz"
    np.savez_compressed(path, retrained_confs=np.zeros((1, 20_000_000), np.float32))
    assert path.stat().st_size < 10**6
    with pytest.raises(SubmissionError, match="more bytes of numbers, found 80000000"):
        formats.read(path, limits=Limits(probes=10**8))


def header(path: Path, text: bytes, data: bytes = b"") -> Path:
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def test_headers_of_very_many_arrays_are_refused(tmp_path: Path) -> None:
    one = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    for count in (MOST_ARRAYS, MOST_ARRAYS + 1):
        text = json.dumps({str(k): one for k in range(count)}).encode()
        path = header(tmp_path / f"{count}.safetensors", text)
        if count == MOST_ARRAYS:
            assert len(safetensors_header(path, Limits())) == count
            continue
        with pytest.raises(SubmissionError, match="at most 50000 arrays, found 50001"):
            safetensors_header(path, Limits())


def test_headers_that_name_an_array_twice_are_refused(tmp_path: Path) -> None:
    one = '{"dtype":"F32","shape":[1],"data_offsets":[%d,%d]}'
    text = '{"a":' + one % (0, 4) + ',"a":' + one % (4, 8) + "}"
    path = header(tmp_path / "twice.safetensors", text.encode(), bytes(8))
    with pytest.raises(SubmissionError, match="array 'a': expected once, found more often"):
        safetensors_header(path, Limits())
    field = '{"a":{"dtype":"F32","dtype":"F16","shape":[1],"data_offsets":[0,4]}}'
    path = header(tmp_path / "field.safetensors", field.encode(), bytes(4))
    with pytest.raises(SubmissionError, match="array 'dtype': expected once"):
        safetensors_header(path, Limits())


LONG = "x" * 1001


def long_csv(folder: Path) -> Path:
    path = folder / "long.csv"
    path.write_text(f"model,probe,group,margin\n0,{LONG},forget,1\n")
    return path


def wide_csv(folder: Path) -> Path:
    path = folder / "wide.csv"
    path.write_text(f"model,{LONG}\n0,1\n")
    mapping(path, probes=[{"id": "a", "group": "forget"}], scalar="margin")
    return path


def empty_csv(folder: Path) -> Path:
    path = folder / "empty.csv"
    path.write_text('model,""\n0,1\n')
    mapping(path, probes=[{"id": "a", "group": "forget"}], scalar="margin")
    return path


def in_mapping(folder: Path) -> Path:
    path = samples.confidences(folder)
    mapping(path, probes=[{"id": LONG, "group": "forget"}, *probes()[1:]])
    return path


def in_manifest(folder: Path) -> Path:
    path = folder / "m.npz"
    np.savez(path, logits=np.zeros((1, 1, 2)))
    about = {
        "format": "indist-observations",
        "version": 1,
        "probes": [{"id": LONG, "group": "forget", "label": 0}],
    }
    (folder / "m.json").write_text(json.dumps(about))
    return path


@pytest.mark.parametrize("make", [long_csv, wide_csv, empty_csv, in_mapping, in_manifest])
def test_ids_of_probes_are_short_wherever_they_stand(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    with pytest.raises(SubmissionError, match=r"1000 characters|expected an id for each probe"):
        load(make(tmp_path))


def test_one_long_id_does_not_widen_a_million(tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match="expected ids of at most 536870912 bytes"):
        check_ids(tmp_path, ["x" * 1000, *map(str, range(200_000))])


def test_the_first_name_that_repeats_is_found_in_one_pass() -> None:
    class Looked(str):
        count = None  # pyright: ignore[reportAssignmentType]

    assert first_repeated(map(Looked, ["a", "b", "c", "b", "a"])) == "b"
    assert first_repeated([1, 2, 3]) is None


INTEGER = 2**53 + 1


def large_csv(folder: Path) -> Path:
    path = folder / "long.csv"
    path.write_text(f"model,probe,group,margin\n0,a,forget,0.5\n1,a,forget,{INTEGER}\n")
    return path


def large_parquet(folder: Path) -> Path:
    path = folder / "wide.parquet"
    pd.DataFrame({"model": ["a", "b"], "p": [1, -INTEGER]}).to_parquet(path)
    mapping(path, probes=[{"id": "p", "group": "forget"}], scalar="margin")
    return path


def nullable_parquet(folder: Path) -> Path:
    path = folder / "wide.parquet"
    column = pd.array([None, INTEGER], dtype="Int64")
    pd.DataFrame({"model": ["a", "b"], "p": column}).to_parquet(path)
    mapping(
        path,
        probes=[{"id": "p", "group": "forget"}],
        scalar="margin",
        leave_out_not_finite=True,
    )
    return path


@pytest.mark.parametrize("make", [large_csv, large_parquet, nullable_parquet])
def test_integers_that_float64_rounds_are_refused_in_tables(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    with pytest.raises(SubmissionError, match="expected numbers that float64 holds, .*740993"):
        formats.read(make(tmp_path))


def test_numbers_with_an_exponent_are_read_however_large(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text("model,probe,group,margin\n0,a,forget,1e20\n1,a,forget,9007199254740992\n")
    assert formats.read(path).models == 2
