"""Files that are wrong or meant to harm: refused in one sentence, in little memory."""

import io
import pickle
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

from audits import Limits, SubmissionError, formats
from oracles import Learner, Probes
from tests.audits.formats import pth, samples
from tests.audits.formats.samples import (
    DUB_PARTS,
    LOGITS,
    MARGINS,
    SAMPLES,
    layers,
    mapping,
    own_names,
    probes,
)

pytestmark = pytest.mark.usefixtures("torch")

Change = Callable[[Path], object]


def read_and_run(
    path: Path, kind: str, limits: Limits, learner: Learner, probes: Probes
) -> formats.Content:
    content = formats.read(path, kind, limits=limits)
    if isinstance(content.seen, formats.Runnable):
        content.seen.observe(probes, learner)
    return content


@pytest.fixture
def refused(tmp_path: Path, learner: Learner, probes: Probes) -> Callable[..., None]:
    """Reads a sample after a change, and runs its models, and expects one sentence."""

    def check(name: str, change: Change, message: str, **limits: float) -> None:
        kind, make = SAMPLES[name]
        path = make(tmp_path)
        change(path)
        with pytest.raises(SubmissionError, match=message) as caught:
            read_and_run(path, kind, Limits(**limits), learner, probes)  # pyright: ignore
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 900
        assert str(caught.value).startswith(str(tmp_path))

    return check


def lines(*given: str) -> Change:
    return lambda path: path.write_text("\n".join(given) + "\n")


def said(**fields: Any) -> Change:
    return lambda path: mapping(path, **fields)


HEAD = "model,probe,group,margin"
CSV: dict[str, tuple[Change, str]] = {
    "empty": (lambda path: path.write_bytes(b""), "expected a line of column names, found none"),
    "header only": (lines(HEAD), "expected a line for each model, found none"),
    "binary": (lambda path: path.write_bytes(b"\xff\xfe\x00model"), "separated text in UTF-8"),
    "repeated column": (lines("model,probe,probe,margin"), "column 'probe': expected once, found"),
    "unknown column": (lines(HEAD + ",x"), "column 'x': expected only known columns"),
    "two scalars": (lines(HEAD + ",loss"), "expected one of margin, .* found margin, loss"),
    "no scalar": (lines("model,probe,group"), "expected one of margin, .* found none"),
    "logit gap": (
        lines("model,probe,logit_0,logit_2"),
        "expected logit_0, logit_1 and so on, found logit_0, logit_2",
    ),
    "one logit": (lines("model,probe,logit_0"), "expected logit_0, logit_1 and so on"),
    "text": (lines(HEAD, "0,a,forget,x"), "expected as many numbers and names a line as columns"),
    "other columns": (
        lines("run,example,loss", "0,forget/0000,1.5"),
        "needs columns model, probe, group, and margin, .*logit_1.*indist ingest --mapping",
    ),
    "persons": (
        lines(HEAD + ",person", "0,a,forget,1,Ada", "1,a,forget,1,Eve"),
        "column 'person': expected one for probe 'a', found several",
    ),
    "a person now and then": (
        lines(HEAD + ",person", "0,a,forget,1,Ada", "1,a,forget,1,"),
        "column 'person': expected one for probe 'a', found several",
    ),
    "unprintable person": (
        lines(HEAD + ",person", "0,a,forget,1,Ada\u202e"),
        "person 'Ada.*': expected a name of printable characters",
    ),
    "long person": (
        lines(HEAD + ",person", f"0,a,forget,1,{1001 * 'x'}"),
        "person 'xxx.*': expected a name of at most 1000 characters, found 1001",
    ),
    "texts": (
        lines(HEAD + ",text", "0,a,forget,1,x", "1,a,forget,1,y"),
        "column 'text': expected one for probe 'a', found several",
    ),
    "long text": (
        lines(HEAD + ",text", f"0,a,forget,1,{1001 * 'x'}"),
        "column 'text': expected at most 1000 characters, found 1001: 'xxx",
    ),
    "fewer cells": (lines(HEAD, "0,a,forget,1", "0,b"), "expected"),
    "nan": (lines(HEAD, "0,a,forget,nan"), "found nan in model 0 at probe 'a'"),
    "inf": (lines(HEAD, "0,a,forget,1e39"), r"found 1e\+39 in model 0 at probe 'a'"),
    "pair twice": (
        lines(HEAD, "0,a,forget,1", "0,a,forget,2"),
        "expected each model and probe once, found model '0' and probe 'a' more often",
    ),
    "pair missing": (
        lines(HEAD, "0,a,forget,1", "0,b,forget,1", "1,a,forget,1"),
        "expected all 2 probes for each model, found fewer for model '1'",
    ),
    "no model name": (lines(HEAD, ",a,forget,1"), "column 'model': expected a name in each line"),
    "group": (lines(HEAD, "0,a,forgot,1"), "one of forget, .* found 'forgot' at probe 'a'"),
    "more cells in each line": (
        lines(HEAD, "0,a,forget,1,5"),
        r"expected 4 cells a line as the first line has, found more in line 2 \(1 such lines\)",
    ),
    "an empty cell more": (
        lines(HEAD, "0,a,forget,1", "0,b,forget,1,"),
        "expected 4 cells a line as the first line has, found 5 in line 3",
    ),
    "an empty cell more in each line": (
        lines(HEAD, "0,a,forget,1,", "0,b,forget,1,"),
        "expected 4 cells a line as the first line has, found 5 in line 2",
    ),
    "an empty quoted cell more": (
        lines(HEAD, '0,a,forget,1,""'),
        "expected 4 cells a line as the first line has, found 5 in line 2",
    ),
    "more cells in the last line": (
        lines(HEAD, "0,a,forget,1", "1,a,forget,2,5"),
        "expected 4 cells a line as the first line has, found more in line 3",
    ),
    "many more cells": (lines(HEAD, "0,a,forget,1,5,6,7"), "as many numbers and names a line"),
    "many more cells later": (
        lines(HEAD, "0,a,forget,1", "1,a,forget,2,5,6"),
        "as many numbers and names a line",
    ),
    "columns without end": (
        lines(",".join(f"c{k}" for k in range(100_001))),
        "expected at most 100000 columns, found 100001",
    ),
    "two groups": (
        lines(HEAD, "0,a,forget,1", "1,a,test,1"),
        "column 'group': expected one for probe 'a', found several",
    ),
    "groups said twice": (
        said(probes=probes()),
        "field probes: expected none, as the table has groups",
    ),
    "another scalar": (said(scalar="loss"), "field scalar: expected none or 'margin'"),
    "no groups": (lines("model,probe,margin", "0,a,1"), "field probes of its mapping .long.csv"),
    "probability": (
        lines("model,probe,group,probability", "0,a,forget,1.0"),
        r"as numbers strictly between 0.0 and 1.0 \(field clip .* found 1.0 in model 0",
    ),
    "loss": (
        lines("model,probe,group,loss", "0,a,forget,-1"),
        "expected a loss as numbers strictly between 0.0 and inf .*, found -1.0",
    ),
    "clipped margins": (said(clip=0.1), "field clip: expected none for margins"),
    "clip": (said(clip=0.5), "field clip: "),
    "label": (
        lines("model,probe,group,label,logit_0,logit_1", "0,a,forget,2,1,1"),
        "label of probe 'a': expected 0 to 1, found 2",
    ),
    "half a label": (
        lines("model,probe,group,label,logit_0,logit_1", "0,a,forget,0.5,1,1"),
        "column 'label': expected whole numbers",
    ),
    "no label": (
        lines("model,probe,group,logit_0,logit_1", "0,a,forget,1,1"),
        "label of probe 'a': expected 0 to 1, found -1",
    ),
}  # fmt: skip


LOST = """
import sys
from indist import audits
try:
    audits.formats.read(sys.argv[1], mapping=sys.argv[2])
except audits.SubmissionError as error:
    print(error)
"""


@pytest.mark.parametrize(
    "table",
    [
        "model,probe,group,margin\n0,a,forget,1,5\n",
        "model,probe,group,margin\n0,a,forget,1\n1,a,forget,1,5\n",
        "model,probe,group,margin\n0,a,forget,1,5,6,7\n1,a,forget,1,5,6,7\n",
        "model,a\nx,1,5\n",
        "a\n1,5\n2,6\n",
    ],
)
def test_no_cell_of_a_table_is_dropped_where_warnings_are_none(table: str, tmp_path: Path) -> None:
    """In a plain interpreter: pytest makes an error of each warning, and nobody else does."""
    path = tmp_path / "a.csv"
    path.write_text(table)
    about: dict[str, Any] = {}
    if "probe" not in table:
        about = {"scalar": "margin", "probes": [{"id": "a", "group": "forget"}]}
    beside = mapping(path, **about)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOST, path, beside],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "a.csv: expected" in done.stdout
    assert "found more in line" in done.stdout or "found others" in done.stdout


@pytest.mark.parametrize("case", CSV)
def test_long_tables_that_are_wrong(refused: Callable[..., None], case: str) -> None:
    refused("long csv", *CSV[case])


def parquet(**columns: Any) -> Change:
    return lambda path: pd.DataFrame(columns).to_parquet(path)


def changed_probes(**change: Any) -> Change:
    return said(probes=[*probes()[:2], probes()[2] | change], scalar="margin")


WIDE: dict[str, tuple[Change, str]] = {
    "model twice": (
        parquet(model=["0", "0"], a=[1.0, 2.0], b=[1.0, 2.0], c=[1.0, 2.0]),
        "column 'model': expected each once, found '0' more often",
    ),
    "text": (parquet(a=["x"], b=[1.0], c=[1.0]), "column 'a': expected numbers, found"),
    "null": (parquet(a=[None], b=[1.0], c=[1.0]), "column 'a': expected numbers|found nan"),
    "another probe": (parquet(a=[1.0], b=[1.0], d=[1.0]), "field probes: expected 'd' of wide"),
    "fewer probes": (parquet(a=[1.0], b=[1.0]), "field probes: expected 2, one a column of wide"),
    "no model": (parquet(a=[], b=[], c=[]), "expected a line for each model, found none"),
    "no scalar": (said(probes=probes()), "field scalar of its mapping .wide.parquet.map.json"),
    "person": (changed_probes(person="a\nb"), "person .*: expected a name of printable char"),
    "text too long": (changed_probes(text=1001 * "x"), "field probes.2.text: expected"),
    "group": (changed_probes(group="x"), "map.json: field probes.2.group: expected"),
    "id twice": (changed_probes(id="a"), "field probes: expected unique ids, found 'a' twice"),
    "a label": (changed_probes(label=3), "field probes.2.label: expected none or 0"),
    "truncated": (
        lambda path: path.write_bytes(path.read_bytes()[:-20]),
        "expected a whole Parquet file",
    ),
    "parts": (
        said(parts=[{"split": "a", "group": "test"}]),
        "field parts: expected none, as format table does not use it",
    ),
    "unknown field": (said(colour=1), "field colour: expected only known fields, found this one"),
    "later version": (said(version=2), "field version: expected 1, found 2; a newer indist may"),
    "selection": (said(select={"x": 1}), "field select.x: expected nothing in format table"),
    "seeds": (
        said(probes=probes(), scalar="margin", seeds=[1]),
        "field seeds: expected 4, one a model, found 1",
    ),
    "repeated seeds": (
        said(probes=probes(), scalar="margin", seeds=[1, 2, 3, 1]),
        "field seeds: expected another seed for each model",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WIDE)
def test_wide_tables_that_are_wrong(refused: Callable[..., None], case: str) -> None:
    refused("wide parquet", *WIDE[case])


def npz(**arrays: Any) -> Change:
    return lambda path: np.savez(path, **arrays)


def shaped(shape: tuple[int, ...]) -> Change:
    """A deflated array that claims a shape and holds a megabyte of zeros."""

    def change(path: Path) -> None:
        header = io.BytesIO()
        about = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(header, about)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
            out.writestr("retrained_confs.npy", header.getvalue() + bytes(10**6))

    return change


CONFIDENCES: dict[str, tuple[Change, str]] = {
    "another name": (npz(x=MARGINS), "array 'retrained_confs': expected, found only 'x'"),
    "one axis": (npz(retrained_confs=MARGINS[0]), r"expected shape \[models, examples\], found"),
    "whole": (npz(retrained_confs=np.ones((2, 2), int)), "expected real numbers, found int64"),
    "objects": (npz(retrained_confs=np.array([[{}]])), "found pickled objects, never read here"),
    "nan": (npz(retrained_confs=MARGINS * np.nan), "found nan in model 0 at probe 'forget/0000'"),
    "bomb": (shaped((10**6, 10**6)), "expected at most 4294967296 bytes of numbers, found 8000000"),
    "no models": (npz(retrained_confs=np.ones((0, 3))), "expected 1 to 1000000 models, found 0"),
    "swapped": (said(probes=probes()[:2]), "field probes: expected 3, one a column of retrain_con"),
    "selected": (said(select={"array": 1}), "field select.array: expected text, found '1'"),
    "selected other": (said(select={"array": "y"}), "array 'y': expected, found only 'retrained"),
}  # fmt: skip


@pytest.mark.parametrize("case", CONFIDENCES)
def test_confidences_that_are_wrong(refused: Callable[..., None], case: str) -> None:
    refused("confidences", *CONFIDENCES[case])


ORACLE = "margins/cifar10/oracle/forget_2"
DUB_SELECT = {"population": "oracle", "forget_set": 2}


def selected(parts: Any = DUB_PARTS, **change: Any) -> Change:
    chosen = {k: v for k, v in (DUB_SELECT | change).items() if v is not None}
    return said(select=chosen, parts=parts)


def array_at(name: str, array: Any) -> Change:
    return lambda path: np.save(path / name, array)


FIRST = f"{ORACLE}/retain/resnet9/id_8_epoch_23.npy"
DUB: dict[str, tuple[Change, str]] = {
    "no population": (selected(population=None), "select.population of its mapping: expected pre"),
    "long population": (
        selected(population="x" * 2000),
        "field select.population: expected a folder's name, found 'xxx",
    ),
    "population": (selected(population="x"), "x/forget_2/forget: expected a folder, found none"),
    "climbing": (selected(population="../oracle"), "select.population: expected a folder's name"),
    "dots": (selected(population=".."), "select.population: expected a folder's name, found '..'"),
    "no forget set": (selected(forget_set=None), "select.forget_set of its mapping: expected the"),
    "forget set": (selected(forget_set=3), "forget_set_3.npy: cannot be read"),
    "forget set as text": (selected(forget_set="2"), "select.forget_set: expected a whole number"),
    "data": (selected(data="mnist"), r"expected 'mnist' as select.data says, found \['cifar10'\]"),
    "epoch": (selected(epoch=7), r"expected models at epoch 7, found only \[23\]"),
    "no parts": (said(select=DUB_SELECT), "field parts of its mapping: expected splits and their"),
    "split": (selected([{"split": "x", "group": "test"}]), "field parts: expected retain, val"),
    "twice": (selected([DUB_PARTS[0]] * 2), "expected each probe once, found 'train/1' twice"),
    "row": (
        selected([{"split": "val", "group": "test", "rows": [2]}]),
        "'parts.rows': expected numbers from 0 to 1, found 2",
    ),
    "far row": (
        selected([{"split": "val", "group": "test", "rows": [10**30]}]),
        "'parts.rows': expected numbers from 0 to 1, found",
    ),
    "rows elsewhere": (
        selected([{"split": "val", "group": "test", "rows": "../../x.npy"}]),
        "expected .npy files in or below its own folder, found '../../x.npy'",
    ),
    "absolute rows": (
        selected([{"split": "val", "group": "test", "rows": "/x.npy"}]),
        "expected .npy files in or below its own folder, found '/x.npy'",
    ),
    "labels": (
        selected([{"split": "val", "group": "test", "labels": "y.npy"}]),
        "field parts.labels: expected none for margins",
    ),
    "other length": (array_at(FIRST, np.ones(3)), "of 4|expected shape"),
    "another model": (
        lambda path: (path / FIRST).rename(path / FIRST.replace("id_8", "id_99")),
        "expected the 3 models of the other splits, found others",
    ),
    "two epochs": (
        array_at(FIRST.replace("23", "24"), np.ones(4)),
        r"select.epoch of its mapping: expected one of \[23, 24\]",
    ),
    "model twice": (
        array_at(FIRST.replace("id_8", "id_08"), np.ones(4)),
        "expected each model once at epoch 23, found one more often",
    ),
    "nan": (array_at(FIRST, np.full(4, np.nan)), "found nan in model id_8 at probe 'train/0'"),
    "logits": (array_at(FIRST, np.ones((4, 2))), r"expected shape \[examples\], found \[4, 2\]"),
    "pickled": (array_at(FIRST, np.array([{}])), "found pickled objects, never read here"),
    "forget repeats": (
        array_at("forget_sets/cifar10/forget_set_2.npy", [4, 4]),
        "forget_set_2.npy: expected each example once, found repeats",
    ),
    "forget beyond": (
        array_at("forget_sets/cifar10/forget_set_2.npy", [4, 6]),
        "expected numbers from 0 to 5, found 6",
    ),
    "forget negative": (
        array_at("forget_sets/cifar10/forget_set_2.npy", [4, -1]),
        r"found -1 at index \[1\]",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", DUB)
def test_easydub_folders_that_are_wrong(refused: Callable[..., None], case: str) -> None:
    refused("easydub", *DUB[case])


def test_easydub_logits_need_labels(refused: Callable[..., None]) -> None:
    def change(path: Path) -> None:
        place = path / "logits" / "cifar10" / "mine" / "forget_2" / "val" / "resnet9"
        place.mkdir(parents=True)
        np.save(place / "id_0_epoch_5.npy", LOGITS[0])
        part = {"split": "val", "group": "test"}
        mapping(path, select=DUB_SELECT | {"population": "mine", "kind": "logits"}, parts=[part])

    refused("easydub", change, "field parts.labels of its mapping: expected for val, found none")


ADVERSE = "seed_1/preds_adv_train.npy"
CORRECTIVE: dict[str, tuple[Change, str]] = {
    "no parts": (said(), "field parts of its mapping: expected splits and their groups"),
    "split": (said(parts=[{"split": "x", "group": "test"}]), "expected train, test, adv_train"),
    "missing": (said(parts=[{"split": "test", "group": "test"}]), "preds_test.npy: cannot be read"),
    "shape": (array_at(ADVERSE, np.ones((4, 3))), r"expected shape \[5, 3\] as in seed_0, found"),
    "nan": (
        array_at(ADVERSE, np.full((5, 3), np.nan)),
        "found nan in model seed_1 at probe 'adv_train/2'",
    ),
    "targets": (
        array_at("seed_1/targetsadv_train.npy", np.zeros(5, int)),
        "targetsadv_train.npy: expected those of seed_0",
    ),
    "few targets": (
        array_at("seed_0/targetsadv_train.npy", np.zeros(4, int)),
        "targetsadv_train.npy: expected 5 labels, found 4",
    ),
    "target": (
        array_at("seed_0/targetsadv_train.npy", np.full(5, 3)),
        "expected numbers from 0 to 2, found 3",
    ),
    "index": (array_at("x_manip.npy", [5]), "x_manip.npy: expected numbers from 0 to 4, found 5"),
    "nothing left": (
        said(parts=[{"split": "train", "group": "retain", "without": [0, 1, 2, 3, 4]}]),
        "field parts: expected examples of 'train', found none",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CORRECTIVE)
def test_corrective_folders_that_are_wrong(refused: Callable[..., None], case: str) -> None:
    refused("corrective", *CORRECTIVE[case])


class Bomb:
    """Unpickling this raises an alarm."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("a pickle was read",))


def held(arrays: dict[str, Any], **lies: Any) -> Change:
    """The first model holds other arrays; lies are about its first one."""
    data = pth.saved(arrays, {next(iter(arrays)): lies})
    return lambda path: (path / "model_0.pth").write_bytes(data)


def code(raw: bytes, **storages: bytes) -> Change:
    return lambda path: (path / "model_0.pth").write_bytes(pth.archive(raw, storages))


GLOBAL = b"cbuiltins\nbytearray\n" + pth.whole(10**12) + b"\x85R"
NET = layers(0)
STATES: dict[str, tuple[Change, str]] = {
    "pickle": (
        lambda path: (path / "model_0.pth").write_bytes(pickle.dumps(Bomb())),
        "expected a whole zip file, found one that cannot be read",
    ),
    "pickle in a zip": (
        code(pickle.dumps(Bomb(), protocol=2)[2:-1]),
        "expected only tensors, found '_pytest.outcomes",
    ),
    "new pickle": (
        code(pickle.dumps(Bomb(), protocol=4)[2:-1]),
        "expected only tensors, found the operation FRAME",
    ),
    "memory": (code(GLOBAL), "expected only tensors, found 'builtins bytearray'"),
    "module": (code(b"ctorch.nn.modules.linear\nLinear\n)R"), "found 'torch.nn.modules.linear"),
    "truncated code": (code(b"}(X\xff\xff\xff\x7f"), "expected what torch.save writes"),
    "text": (code(b"cxxx"), "expected what torch.save writes, found something else"),
    "storage missing": (held(NET, key="77"), "storage '77': expected, found none"),
    "more elements": (held(NET, elements=10**6), "storage '0': expected 4000000 bytes as its tens"),
    "another type": (held(NET, storage="DoubleStorage"), "storage '0': expected 192 bytes"),
    "unknown type": (held(NET, storage="UntypedStorage"), "found 'torch UntypedStorage'"),
    "out of bounds": (held(NET, shape=(7, 4)), "expected tensors, found what PyTorch refuses"),
    "unfolding": (
        held(NET, shape=(10**5, 10**5), strides=(0, 0)),
        "array '0.weight': expected at most .* each byte of the tensors, found 10000000000: a view",
    ),
    "swapped shapes": (
        held(NET | {"0.weight": NET["0.weight"].T.copy()}),
        r"array '0.weight': expected shape \[6, 4\] for 'kernel_0', found \[4, 6\]",
    ),
    "swapped order": (
        held(dict(reversed(NET.items()))),
        r"array '2.bias': expected shape \[6, 4\] for 'kernel_0', found \[3\]",
    ),
    "nan": (held(NET | {"0.bias": NET["0.bias"] * np.nan}), "array '0.bias': expected finite numb"),
    "too large": (
        held(NET | {"0.bias": np.full(6, 1e300)}),
        "array '0.bias': expected finite numbers",
    ),
    "whole numbers": (held(NET | {"0.bias": np.arange(6)}), "'0.bias': expected real numbers"),
    "one more": (
        held(NET | {"bn.num_batches_tracked": np.ones(1)}),
        "expected 4 arrays, one a parameter, found 5, 'bn.num_batches_tracked' the first beyond",
    ),
    "fewer": (held({"0.weight": NET["0.weight"]}), "expected 4 arrays, one a parameter, found 1"),
    "no tensors": (code(pth.dict_of({"epoch": pth.whole(3)})), "array 'epoch': expected a tensor"),
    "under a key": (
        code(pth.dict_of({"net": pth.dict_of({"a": pth.whole(3)})})),
        "array 'net': expected a tensor, found dict; select.key may name what holds them",
    ),
    "a number": (code(pth.whole(3)), "expected tensors by name, found int"),
    "wrong key": (
        said(parameters="order", select={"key": "net"}),
        "expected 'net' as select.key says, found none",
    ),
    "no map": (said(), "parameter 'kernel_0': expected from array 'kernel_0', found none"),
    "map short": (
        said(parameters={"kernel_0": {"name": "0.weight"}}),
        "parameter 'bias_0': expected, found none",
    ),
    "map beyond": (
        said(
            parameters={
                to: {"name": name} for to, name in zip(own_names(NET), NET, strict=True)
            }
            | {"x": {"name": "0.bias"}}
        ),
        "field parameters: the learner has no 'x'",
    ),
    "map unused": (
        said(
            parameters=dict.fromkeys(("kernel_0",), {"name": "0.weight"})
            | dict.fromkeys(("bias_0", "bias_1"), {"name": "0.bias"})
            | dict.fromkeys(("kernel_1",), {"name": "2.weight"})
        ),
        "array '2.bias': expected a parameter of the learner's only",
    ),
    "map steps": (
        said(parameters={"kernel_0": {"name": "0.weight", "steps": [{"reshape": [5]}]}}),
        r"field parameters.kernel_0: expected steps that fit shape \[6, 4\], found \[5\]",
    ),
    "map step of two": (
        said(
            parameters={"a": {"name": "b", "steps": [{"reshape": [5], "transpose": [0]}]}},
        ),
        "expected either reshape or transpose",
    ),
    "no models": (
        lambda path: [file.unlink() for file in path.glob("*.pth")],
        "expected 1 to 1000000 models, found 0",
    ),
    "member twice": (
        lambda path: append(path / "model_0.pth", "archive/data.pkl"),
        "member 'archive/data.pkl': expected once, found more often",
    ),
    "left out": (
        said(parameters="order", leave_out_not_finite=True),
        "field leave_out_not_finite: expected none for models that are run",
    ),
}  # fmt: skip


def append(path: Path, name: str, data: bytes = b"") -> None:
    with zipfile.ZipFile(path, "a") as out:
        out.writestr(name, data)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("case", STATES)
def test_state_dicts_that_are_wrong(refused: Callable[..., None], case: str) -> None:
    refused("state dicts", *STATES[case])


def test_compressed_tensors_are_counted_unpacked(refused: Callable[..., None]) -> None:
    def change(path: Path) -> None:
        entries = {"0.weight": pth.tensor("0", np.zeros(10**6, np.float32))}
        data = pth.archive(pth.dict_of(entries), {"0": bytes(4 * 10**6)}, zipfile.ZIP_DEFLATED)
        assert len(data) < 10**5
        (path / "model_0.pth").write_bytes(data)

    refused("state dicts", change, "expected at most 100000 bytes, found 40", array_bytes=10**5)


ZIPS: dict[str, tuple[Change, str]] = {
    "climbing": (lambda path: append(path, "../x.pth"), "'../x.pth': expected a name inside"),
    "absolute": (lambda path: append(path, "/etc/x.pth"), "member '/etc/x.pth': expected a name"),
    "windows": (lambda path: append(path, "a\\..\\x.pth"), "expected a name inside the archive"),
    "something else": (lambda path: append(path, "run.py"), "'run.py': expected only .pth files"),
    "twice": (
        lambda path: append(path, "tmp/unlearned_checkpoint_2.pth"),
        "member 'tmp/unlearned_checkpoint_2.pth': expected once, found more often",
    ),
    "an empty model": (
        lambda path: append(path, "tmp/unlearned_checkpoint_1.pth"),
        "member 'tmp/unlearned_checkpoint_1.pth': expected a whole zip file",
    ),
    "truncated": (
        lambda path: path.write_bytes(path.read_bytes()[:-30]),
        # What is left ends like the last model's own archive.
        "member 'archive/data.pkl': expected only .pth files",
    ),
    "nothing": (
        lambda path: zipfile.ZipFile(path, "w").close(),
        "expected 1 to 1000000 models, found 0",
    ),
    "no zip": (lambda path: path.write_bytes(b"x" * 100), "expected a whole zip file"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("case", ZIPS)
def test_zips_that_are_wrong(refused: Callable[..., None], case: str) -> None:
    refused("checkpoint zip", *ZIPS[case])


def test_zip_bombs_are_not_unpacked(tmp_path: Path, learner: Learner, probes: Probes) -> None:
    size, path = 64 * 2**20, tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
        out.writestr("unlearned_checkpoint_0.pth", bytes(size))
    data = path.read_bytes()
    # The directory claims 1000 bytes.
    start = data.rindex(b"PK\x01\x02")
    path.write_bytes(data[: start + 24] + struct.pack("<I", 1000) + data[start + 28 :])
    mapping(path, parameters="order")
    tracemalloc.start()
    try:
        content = formats.read(path, limits=Limits(array_bytes=10**6))
        assert isinstance(content.seen, formats.Runnable)
        with pytest.raises(SubmissionError, match=r"expected|cannot be read"):
            content.seen.observe(probes, learner)
        assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    finally:
        tracemalloc.stop()
    path.write_bytes(data)
    with pytest.raises(SubmissionError, match="expected at most 1000000 bytes, found 67108864"):
        formats.read(path, limits=Limits(array_bytes=10**6))


def populations(change: Any) -> Change:
    return lambda path: path.write_bytes(pth.numbers(change))


def rows(given: Any, **more: Any) -> Change:
    part = {"split": "unlearned", "group": "forget", "rows": given}
    return said(parts=[part | more])


RULI: dict[str, tuple[Change, str]] = {
    "no population": (populations({"in_trained": {3: [1.0]}}), "a dict with 'unlearned', found"),
    "no example": (populations({"unlearned": {4: [1.0]}}), "unlearned: expected example 3, found"),
    "no numbers": (populations({"unlearned": {3: []}}), "expected 1 to 1000000 models, found 0"),
    "nan": (populations({"unlearned": {3: [1.0, np.nan]}}), "found nan in model 1"),
    "inf": (populations({"unlearned": {3: [np.inf]}}), "found inf in model 0"),
    "two examples": (rows([3, 8]), "expected one example, as the numbers of two come from differe"),
    "all examples": (rows(None), "expected one example"),
    "population": (rows([3], split="x"), "one entry with split one of in_trained, out_trained"),
    "a state dict": (lambda path: path.write_bytes(pth.saved(NET)), "a dict with 'unlearned'"),
}  # fmt: skip


@pytest.mark.parametrize("case", RULI)
def test_shadow_results_that_are_wrong(refused: Callable[..., None], case: str) -> None:
    refused("ruli", *RULI[case])


STACKED = {name: np.stack([array] * 2) for name, array in own_names(NET).items()}


def tensors(arrays: Any) -> Change:
    return lambda path: save_file(arrays, path)


SAFE: dict[str, tuple[Change, str]] = {
    "not stacked": (said(), r"expected shape \[6, 4\] for 'kernel_0', found \[2, 6, 4\]"),
    "one array apart": (
        tensors(STACKED | {"bias_0": STACKED["bias_0"][:1].copy()}),
        r"expected as many models first in every array, found \[\(1,\), \(2,\)\]",
    ),
    "another name": (
        tensors({name.upper(): array for name, array in STACKED.items()}),
        "parameter 'kernel_0': expected from array 'kernel_0', found none",
    ),
    "by order": (said(parameters="order"), "expected a map, as safetensors keep no order"),
    "stacked as text": (said(select={"stacked": "yes"}), "select.stacked: expected true or false"),
    "nan": (tensors(STACKED | {"bias_0": STACKED["bias_0"] * np.nan}), "'bias_0': expected finite"),
    "truncated": (lambda path: path.write_bytes(path.read_bytes()[:-1]), r"\(truncated\?\)"),
    "header": (
        lambda path: path.write_bytes(struct.pack("<Q", 2**40) + b"{}"),
        "expected a whole safetensors file, found 10 bytes",
    ),
    "whole": (
        tensors({"kernel_0": np.ones((2, 6, 4), int)}),
        "expected numbers of type F16, BF16, F32",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SAFE)
def test_safetensors_that_are_wrong(refused: Callable[..., None], case: str) -> None:
    refused("safetensors", *SAFE[case])


def graph(data: bytes) -> Change:
    return lambda path: (path / "1.onnx").write_bytes(data)


GRAPHS: dict[str, tuple[Change, str]] = {
    "bytes": (graph(b"x" * 50), "1.onnx: expected an ONNX model that takes the probes' inputs"),
    "empty": (graph(b""), "1.onnx: expected an ONNX model that takes the probes' inputs"),
    "elsewhere": (graph(b"..location.."), "expected weights inside the file, found what may name"),
    "features": (
        graph(samples.onnx_bytes(NET | {"0.weight": np.ones((6, 5), np.float32)})),
        "1.onnx: expected an ONNX model that takes the probes' inputs",
    ),
    "classes": (
        graph(
            samples.onnx_bytes(
                NET | {"2.weight": np.ones((2, 6), np.float32), "2.bias": np.ones(2, np.float32)}
            )
        ),
        r"1.onnx: expected logits \[7, 3\], found shape \[7, 2\]",
    ),
    "nan": (
        graph(samples.onnx_bytes(NET | {"2.bias": np.full(3, np.nan, np.float32)})),
        "1.onnx: expected finite real logits, found others",
    ),
    "selection": (said(select={"x": "y"}), "field select.x: expected output in format onnx"),
}  # fmt: skip


@pytest.mark.parametrize("case", GRAPHS)
def test_graphs_that_are_wrong(refused: Callable[..., None], case: str) -> None:
    refused("onnx", *GRAPHS[case])


def nodes(*made: Any, **shapes: list[Any]) -> bytes:
    """A graph of two outputs' width from x to y, made of these nodes."""
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", samples.FEATURES])
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", samples.CLASSES])
    constants = [numpy_helper.from_array(np.array(value), name) for name, value in shapes.items()]
    opset = [helper.make_opsetid("", 13)]
    whole = helper.make_graph(list(made), "hostile", [given], [result], constants)
    return helper.make_model(whole, opset_imports=opset, ir_version=8).SerializeToString()


def endless() -> bytes:
    """A loop of 2^62 steps that does nothing but go on."""
    step = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["go_on"]),
            helper.make_node("Identity", ["held"], ["kept"]),
        ],
        "step",
        [
            helper.make_tensor_value_info("k", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("held", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("kept", TensorProto.FLOAT, None),
        ],
    )
    loop = helper.make_node("Loop", ["steps", "yes", "x"], ["y"], body=step)
    return nodes(loop, steps=np.int64(2**62), yes=np.True_)


def large(bytes_: int) -> bytes:
    """A few bytes that ask for a constant of many."""
    fill = helper.make_node("ConstantOfShape", ["shape"], ["c"])
    total = helper.make_node("ReduceSum", ["c"], ["s"], keepdims=0)
    return nodes(
        fill, total, helper.make_node("Add", ["x", "s"], ["y"]), shape=np.array([bytes_ // 4])
    )


def random() -> bytes:
    """A graph that adds noise to its input."""
    noise = helper.make_node("RandomNormalLike", ["x"], ["e"])
    return nodes(noise, helper.make_node("Add", ["x", "e"], ["y"]))


PROGRAMS: dict[str, tuple[Change, str]] = {
    "endless": (
        graph(endless()),
        "expected a model that answers within 2 seconds, found one that does not; from Python, "
        r"audits.load\(path, limits=audits.Limits\(seconds=60\)\) waits longer",
    ),
    "large": (
        graph(large(2 * 2**30)),
        r"expected a model that runs within \d+ bytes of memory, .* from Python, "
        r"audits.load\(path, limits=audits.Limits\(memory_bytes=\d+\)\) allows more",
    ),
    "random": (graph(random()), "expected the same logits each time it is run, found others"),
}


@pytest.mark.parametrize("case", PROGRAMS)
def test_graphs_that_cost_too_much(refused: Callable[..., None], case: str) -> None:
    refused("onnx", *PROGRAMS[case], seconds=2.0)


def test_a_model_that_never_ends_leaves_time_for_the_rest_of_a_command() -> None:
    # Of the 10 seconds that `indist audit` may take on it; Python and the references need about 3.
    assert Limits().seconds <= 4


def test_a_guest_that_was_stopped_is_followed_by_another(
    tmp_path: Path, learner: Learner, probes: Probes
) -> None:
    path = samples.onnx(tmp_path)
    (path / "0.onnx").write_bytes(endless())
    seen = formats.read(path, limits=Limits(seconds=2.0)).seen
    assert isinstance(seen, formats.Runnable)
    with pytest.raises(SubmissionError, match="0.onnx: expected a model that answers"):
        seen.observe(probes, learner)
    (path / "0.onnx").unlink()
    seen = formats.read(path, limits=Limits(seconds=60.0)).seen
    assert isinstance(seen, formats.Runnable)
    assert seen.observe(probes, learner).models == 1


def test_nothing_in_the_folder_a_guest_runs_in_is_imported(
    tmp_path: Path, learner: Learner, probes: Probes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = samples.onnx(tmp_path)
    for folder in (tmp_path, path):
        for name in ("onnxruntime", "json", "numpy", "audits"):
            (folder / f"{name}.py").write_text("raise SystemExit(3)")
        monkeypatch.chdir(folder)
        seen = formats.read(path).seen
        assert isinstance(seen, formats.Runnable)
        assert seen.observe(probes, learner).models == 2


@pytest.mark.parametrize("name", SAMPLES)
def test_limits_hold(refused: Callable[..., None], name: str) -> None:
    refused(name, lambda path: None, r"expected 1 to 1 models, found \d", models=1)


@pytest.mark.parametrize("name", SAMPLES)
def test_bytes_are_limited(refused: Callable[..., None], name: str) -> None:
    refused(name, lambda path: None, r"expected at most 7 (more )?bytes", array_bytes=7)


@pytest.mark.parametrize("name", ["state dicts", "ruli", "checkpoint zip", "onnx"])
def test_missing_extras_are_named(
    refused: Callable[..., None],
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    missing = tmp_path_factory.mktemp("missing")
    for module in ("torch", "onnxruntime"):
        (missing / f"{module}.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(missing))
    extra = "onnx" if name == "onnx" else "torch"
    refused(name, lambda path: None, rf"which is not there; install indist\[{extra}\]")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '{"format": "indist-mapping", "version": 1, "version": 1}',
            "field 'version': expected",
        ),
        ('{"format": "x", "version": 1}', "field format: expected 'indist-mapping', found 'x'"),
        ("[" * 100_000, "expected JSON"),
        ('{"seeds": NaN}', "expected finite numbers, found NaN"),
    ],
)
def test_mappings_that_are_wrong(refused: Callable[..., None], text: str, message: str) -> None:
    beside = "retrain_confs.npz.map.json"
    refused("confidences", lambda path: path.with_name(beside).write_text(text), message)
