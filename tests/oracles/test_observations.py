"""Observations: margins against a slow twin, and what a wrong array is told."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from indist import oracles
from oracles.storage.digests import digest_arrays
from oracles.storage.files import write_bytes_atomic, write_json_atomic


def _observations(logits: np.ndarray, **change: np.ndarray) -> oracles.Observations:
    probes = logits.shape[1] if logits.ndim > 1 else 0
    defaults = {
        "labels": np.arange(probes) % 3,
        "groups": np.array(["test"] * probes),
        "ids": np.array([f"p{k}" for k in range(probes)]),
    }
    return oracles.Observations(logits, **(defaults | change))


def test_margins_against_a_plain_loop() -> None:
    logits = np.random.default_rng(0).normal(size=(4, 5, 3)).astype(np.float32) * 10
    made = _observations(logits)
    for model in range(4):
        for probe in range(5):
            row = [float(v) for v in logits[model, probe]]
            own = row.pop(int(made.labels[probe]))
            expected = own - math.log(sum(math.exp(v) for v in row))
            assert made.margins[model, probe] == pytest.approx(expected, abs=1e-10)
            assert made.correct[model, probe] == (own > max(row))


def test_margins_of_certain_models_stay_finite() -> None:
    logits = np.array([[[1e4, 0.0, -1e4]]], dtype=np.float32)
    assert _observations(logits).margins[0, 0] == pytest.approx(1e4)


@pytest.mark.parametrize(
    ("logits", "change", "message"),
    [
        (np.zeros((2, 3)), {}, "at least 2 classes, found shape"),
        (np.zeros((2, 3, 1)), {}, "at least 2 classes, found shape"),
        (np.zeros((0, 3, 2)), {}, "at least 2 classes, found shape"),
        (np.zeros((2, 3, 4)), {"labels": np.array([0, 1])}, "expected 3 labels"),
        (np.zeros((2, 3, 4)), {"labels": np.array([0, 1, 4])}, "expected 0 to 3, found 0 to 4"),
        (np.zeros((2, 3, 4)), {"groups": np.array(["test", "x", "y"])}, "found 'x'"),
        (np.zeros((2, 3, 4)), {"ids": np.array(["a", "b", "a"])}, "found 'a' twice"),
    ],
)
def test_bad_arrays(logits: np.ndarray, change: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _observations(logits, **change)


def test_no_masks_and_no_integers_that_merge() -> None:
    logits = np.zeros((2, 3, 3), dtype=np.float32)
    with pytest.raises(ValueError, match="logits: expected an array without a mask"):
        _observations(np.ma.array(logits, mask=logits == 0.0))
    with pytest.raises(ValueError, match="labels: expected an array without a mask"):
        _observations(logits, labels=np.ma.array([0, 1, 2], mask=[0, 1, 0]))
    labels = np.full(3, 2**53 + 1)
    with pytest.raises(ValueError, match="labels: expected numbers that float64 holds"):
        _observations(logits, labels=labels)
    with pytest.raises(ValueError, match="inputs: expected an array without a mask"):
        oracles.Examples(np.ma.array([[1.0]], mask=[[True]]), np.zeros(1, dtype=np.int32))
    with pytest.raises(ValueError, match="a: expected an array without a mask"):
        digest_arrays({"a": np.ma.array([1.0, 2.0], mask=[False, True])})


def test_nan_names_model_and_probe() -> None:
    logits = np.zeros((3, 4, 2), dtype=np.float32)
    logits[2, 1, 0] = np.nan
    with pytest.raises(ValueError, match="NaN or infinity in model 2 at probe 'p1'"):
        _observations(logits, labels=np.zeros(4, dtype=int))


def test_save_writes_array_and_manifest(tmp_path: Path) -> None:
    made = _observations(np.ones((2, 3, 4), dtype=np.float32))
    made.save(tmp_path / "out.v1", method="x")
    assert np.array_equal(load_file(tmp_path / "out.v1.safetensors")["logits"], made.logits)
    manifest = json.loads((tmp_path / "out.v1.json").read_text())
    assert manifest["method"] == "x"
    assert manifest["probes"][1] == {"id": "p1", "group": "test", "label": 1}


def test_digests_see_names_types_shapes_and_values() -> None:
    base = {"a": np.arange(4, dtype=np.int32)}
    others = [
        {"b": base["a"]},
        {"a": base["a"].astype(np.int64)},
        {"a": base["a"].reshape(2, 2)},
        {"a": base["a"][::-1]},
        base | {"b": base["a"]},
    ]
    assert len({digest_arrays(value) for value in [base, *others]}) == 6
    assert digest_arrays({"a": base["a"].astype(">i4")}) == digest_arrays(base)
    assert digest_arrays(base) == "04d9f4bc67112d0639b18929c5cb1e741953c41b8ee4346c7217252a8704a67a"


def test_a_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    write_json_atomic(target, {"old": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json_atomic(target, {"new": math.nan})
    assert json.loads(target.read_text()) == {"old": 1}
    target.unlink()
    target.mkdir()
    with pytest.raises(OSError, match="directory"):
        write_bytes_atomic(target, b"x")
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_persons_are_in_the_digest_where_there_are_any() -> None:
    logits = np.ones((2, 3, 4), dtype=np.float32)
    plain, nobody = _observations(logits), _observations(logits, persons=np.array(["", "", ""]))
    assert nobody.persons is None
    assert plain.digest == nobody.digest
    assert plain.digest == "e7488045a92f1d653f6feb7ffac8bb2c6b10726589901c18ed73b573e72b65c0"
    ada, bob = (_observations(logits, persons=np.array([name, "", name])) for name in ("Ada", "B"))
    assert len({plain.digest, ada.digest, bob.digest}) == 3
    assert ada.probes_like(_observations(logits + 1, persons=np.array(["Ada", "", "Ada"])))
    assert not ada.probes_like(bob)
    assert not ada.probes_like(plain)
    assert not plain.probes_like(ada)
    inputs = np.zeros((3, 2), np.float32)
    probes = [
        oracles.Probes(inputs, ada.labels, ada.groups, ada.ids, persons)
        for persons in (None, np.array(["", "", ""]), np.array(["Ada", "", "Ada"]))
    ]
    assert probes[0].digest == probes[1].digest != probes[2].digest
    assert ada.probes_like(probes[2])


def test_texts_are_kept_printable_and_out_of_the_digest(tmp_path: Path) -> None:
    logits = np.ones((2, 3, 4), dtype=np.float32)
    texts = ["a\x1b[31m\u202e\n b", "", 1000 * "x"]
    made = _observations(logits, texts=np.array(texts), persons=np.array(["", "Ada", ""]))
    assert made.digest == _observations(logits, persons=np.array(["", "Ada", ""])).digest
    assert made.texts is not None
    assert list(made.texts) == ["a\ufffd[31m\ufffd b", "", 1000 * "x"]
    made.save(tmp_path / "out")
    listed = json.loads((tmp_path / "out.json").read_text())["probes"]
    assert [entry.get("person") for entry in listed] == [None, "Ada", None]
    assert [entry.get("text") for entry in listed] == [made.texts[0], None, made.texts[2]]


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"persons": ["Ada", "Bob"]}, ValueError, "persons: expected 3, one a probe, found shape"),
        ({"persons": ["Ada", "a\u202eb", ""]}, ValueError, "persons: expected printable charac"),
        ({"persons": ["Ada", 5000 * "b", ""]}, ValueError, "persons: expected a name of 1 to 1000"),
        ({"persons": [1, 2, 3]}, TypeError, "persons: expected texts, found"),
        ({"texts": ["Ada", "Bob"]}, ValueError, "texts: expected 3, one a probe, found shape"),
        ({"texts": ["", "", 1001 * "x"]}, ValueError, "texts: expected at most 1000 characters"),
        ({"texts": [None, "", ""]}, TypeError, "texts: expected texts, found"),
    ],
)
def test_bad_persons_and_texts(
    change: dict[str, list[Any]], kind: type[Exception], message: str
) -> None:
    arrays = {name: np.array(values) for name, values in change.items()}
    with pytest.raises(kind, match=message):
        _observations(np.ones((2, 3, 4), dtype=np.float32), **arrays)
