"""One small submission of every format, right in everything, as files in a folder of their own."""

import json
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import optax
import pandas as pd
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

from oracles import MLP, Learner, Probes
from tests.audits.formats import pth

RNG = np.random.default_rng(0)
MARGINS = RNG.normal(size=(4, 3)).astype(np.float32)
LOGITS = RNG.normal(size=(2, 5, 3)).astype(np.float32)
IDS = ("a", "b", "c")
GROUPS = ("forget", "forget", "retain")
FEATURES, HIDDEN, CLASSES = 4, 6, 3


def mapping(path: Path, **said: Any) -> Path:
    """A mapping beside a file or in a folder."""
    beside = path / "map.json" if path.is_dir() else path.with_name(path.name + ".map.json")
    beside.write_text(json.dumps({"format": "indist-mapping", "version": 1} | said))
    return beside


def probes(**labels: int) -> list[dict[str, Any]]:
    return [
        {"id": one, "group": group} | ({"label": labels[one]} if one in labels else {})
        for one, group in zip(IDS, GROUPS, strict=True)
    ]


def long_lines() -> list[str]:
    return ["model,probe,group,margin"] + [
        f"m{k},{one},{group},{MARGINS[k, j]!r}"
        for k in range(4)
        for j, (one, group) in enumerate(zip(IDS, GROUPS, strict=True))
    ]


def long_csv(folder: Path) -> Path:
    path = folder / "long.csv"
    path.write_text("\n".join(long_lines()).replace("np.float32(", "").replace(")", "") + "\n")
    return path


def wide_parquet(folder: Path) -> Path:
    path = folder / "wide.parquet"
    frame = pd.DataFrame(MARGINS.astype(np.float64), columns=list(IDS))
    frame.insert(0, "model", [f"m{k}" for k in range(4)])
    frame.to_parquet(path)
    mapping(path, probes=probes(), scalar="margin")
    return path


def confidences(folder: Path) -> Path:
    path = folder / "retrain_confs.npz"
    np.savez(path, retrained_confs=MARGINS, retrain_retain_accs=np.ones(4))
    return path


# EasyDUB: 6 training examples, of which 1 and 4 are the forget set 2; 2 validation examples.
FORGET = np.array([4, 1])
TRAIN, VAL = RNG.normal(size=(3, 6)), RNG.normal(size=(3, 2))


def easydub(folder: Path) -> Path:
    root = folder / "dub"
    margins = root / "margins" / "cifar10"
    keep = np.setdiff1d(np.arange(6), FORGET)
    splits = {
        "pretrain/retain": TRAIN,
        "pretrain/forget_2": TRAIN[:, FORGET],
        "pretrain/val": VAL,
        "oracle/forget_2/retain": TRAIN[:, keep] + 1,
        "oracle/forget_2/forget": TRAIN[:, FORGET] + 1,
        "oracle/forget_2/val": VAL + 1,
    }
    for split, values in splits.items():
        place = margins / split / "resnet9"
        place.mkdir(parents=True)
        for k, row in enumerate(values.astype(np.float32)):
            np.save(place / f"id_{k + 8}_epoch_23.npy", row)
    sets = root / "forget_sets" / "cifar10"
    sets.mkdir(parents=True)
    np.save(sets / "forget_set_2.npy", FORGET)
    mapping(root, select={"population": "oracle", "forget_set": 2}, parts=DUB_PARTS)
    return root


DUB_PARTS = [
    {"split": "forget", "group": "forget"},
    {"split": "retain", "group": "retain"},
    {"split": "val", "group": "test", "rows": [1]},
]


def corrective(folder: Path) -> Path:
    """Two models; of the 5 examples 1, 2, 4 are manipulated, and 2 was found."""
    root = folder / "corrective"
    for k in range(2):
        place = root / f"seed_{k}"
        place.mkdir(parents=True)
        for split in ("train", "adv_train"):
            np.save(place / f"preds_{split}.npy", LOGITS[k] + (split == "train"))
            np.save(place / f"targets{split}.npy", np.array([0, 1, 2, 0, 1]))
    np.save(root / "x_manip.npy", np.array([1, 2, 4]))
    np.save(root / "x_deletion.npy", np.array([2]))
    mapping(
        root,
        parts=[
            {"split": "adv_train", "group": "forget", "rows": "x_deletion.npy"},
            {
                "split": "adv_train",
                "group": "behaviour",
                "rows": "x_manip.npy",
                "without": "x_deletion.npy",
            },
            {"split": "train", "group": "retain", "without": "x_manip.npy"},
        ],
    )
    return root


def layers(model: int) -> dict[str, np.ndarray]:
    """Two PyTorch linear layers: weight [out, in], bias [out]."""
    rng = np.random.default_rng(model)
    return {
        "0.weight": rng.normal(size=(HIDDEN, FEATURES)).astype(np.float32),
        "0.bias": rng.normal(size=HIDDEN).astype(np.float32),
        "2.weight": rng.normal(size=(CLASSES, HIDDEN)).astype(np.float32),
        "2.bias": rng.normal(size=CLASSES).astype(np.float32),
    }


def own_names(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same under the names of `oracles.MLP`."""
    return {
        "kernel_0": arrays["0.weight"],
        "bias_0": arrays["0.bias"],
        "kernel_1": arrays["2.weight"],
        "bias_1": arrays["2.bias"],
    }


def checkpoint_zip(folder: Path) -> Path:
    path = folder / "submission.zip"
    with zipfile.ZipFile(path, "w") as out:
        for k in (10, 2, 0):
            out.writestr(f"tmp/unlearned_checkpoint_{k}.pth", pth.saved(layers(k)))
    mapping(path, parameters="order")
    return path


def state_dicts(folder: Path) -> Path:
    root = folder / "models"
    for k in range(2):
        pth.write(root / f"model_{k}.pth", pth.saved(layers(k)))
    mapping(root, parameters="order")
    return root


def ruli(folder: Path) -> Path:
    others = ("in_trained", "out_trained", "unlearn_trained", "in_unlearned", "out_unlearned")
    held = {name: {3: [9.0]} for name in others}
    held["unlearned"] = {3: [0.5, -1.25], 8: [2.0, 3.0]}
    path = pth.write(folder / "shadows.pth", pth.numbers(held))
    mapping(path, parts=[{"split": "unlearned", "group": "forget", "rows": [3]}])
    return path


def safetensors(folder: Path) -> Path:
    path = folder / "stacked.safetensors"
    models = [own_names(layers(k)) for k in range(2)]
    save_file({name: np.stack([one[name] for one in models]) for name in models[0]}, path)
    mapping(path, select={"stacked": True})
    return path


def onnx(folder: Path) -> Path:
    root = folder / "graphs"
    root.mkdir()
    for k in range(2):
        (root / f"{k}.onnx").write_bytes(onnx_bytes(layers(k)))
    return root


def onnx_bytes(arrays: dict[str, np.ndarray]) -> bytes:
    """The layers as an ONNX graph."""
    nodes = [
        helper.make_node("Gemm", ["x", "0.weight", "0.bias"], ["h"], transB=1),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Gemm", ["r", "2.weight", "2.bias"], ["y"], transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "mlp",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", FEATURES])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", CLASSES])],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    opset = [helper.make_opsetid("", 13)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()


def net_learner() -> Learner:
    """The learner whose parameters the layers are."""
    return Learner(MLP((HIDDEN, CLASSES)), partial(optax.sgd, 0.1), steps=1, batch=1)


def net_probes() -> Probes:
    """Where its models are run."""
    return Probes(
        inputs=np.random.default_rng(5).normal(size=(7, FEATURES)).astype(np.float32),
        labels=np.array([0, 1, 2, 0, 1, 2, 0], np.int32),
        groups=np.array(["forget"] * 4 + ["retain"] * 3),
        ids=np.array([f"p{k}" for k in range(7)]),
    )


SAMPLES: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "long csv": ("table", long_csv),
    "wide parquet": ("table", wide_parquet),
    "confidences": ("confidences", confidences),
    "easydub": ("easydub", easydub),
    "corrective": ("corrective", corrective),
    "checkpoint zip": ("checkpoint-zip", checkpoint_zip),
    "state dicts": ("state-dicts", state_dicts),
    "ruli": ("ruli", ruli),
    "safetensors": ("safetensors", safetensors),
    "onnx": ("onnx", onnx),
}
