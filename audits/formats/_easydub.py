"""EasyDUB's folders: a ``.npy`` file of margins or logits for each model, split and population.

Their code: https://github.com/easydub/EasyDUB-code; the data unlearning benchmark's margin is
z_y − ln Σ_{j≠y} e^{z_j}, that of `audits`. The layout, as their code reads it::

    margins/DATA/pretrain/{retain|val}/ARCH/id_X_epoch_E.npy       all models, retain = all of D
    margins/DATA/pretrain/forget_Z/ARCH/id_X_epoch_E.npy
    margins/DATA/oracle/forget_Z/{retain|val|forget}/ARCH/id_X_epoch_E.npy
    forget_sets/DATA/forget_set_Z.npy                              indices into D

A population of one's own, such as an unlearner's, lies like ``oracle`` under its own name. Probes
are called ``train/INDEX`` by their index into D, in every population, and ``val/INDEX``.
"""

import re
from pathlib import Path

import numpy as np

from audits._reading import Limits, refuse
from audits.formats._content import (
    Content,
    check_counts,
    check_groups_and_ids,
    logit_content,
    scalar_content,
)
from audits.formats._mapping import Mapping, Part
from oracles.storage.arrays import Form, check_range, map_npy

KIND = "easydub"
KINDS = ("margins", "logits")

_SPLITS = ("retain", "val", "forget")
_FILE = re.compile(r"id_(\d{1,9})_epoch_(\d{1,9})\.npy")
_MARGINS = Form("f", "[examples]", (1,))
_LOGITS = Form("f", "[examples, classes]", (2,))
_INDEX = Form("iu", "[examples]", (1,))


def read(path: Path, mapping: Mapping, limits: Limits) -> Content:
    """Reads one population.

    Args:
        path: the folder that holds ``margins`` or ``logits``.
        mapping: ``select.population`` (``pretrain``, ``oracle`` or one's own) and
            ``select.forget_set`` (Z); where there are several, ``select.data``, ``select.arch``,
            ``select.epoch`` and ``select.kind`` (margins or logits). ``parts`` say which examples
            of the splits retain, val and forget are read and which group they are; for logits
            also the file of labels.
        limits: the most it may hold.

    Returns:
        Margins or logits, models in the order of their ids.

    Raises:
        SubmissionError: on missing files, models that differ between splits, or other shapes.
    """
    mapping.check_used(
        KIND,
        "parts",
        select=("population", "forget_set", "data", "arch", "epoch", "kind"),
    )
    kind = _one_of(path, mapping, "kind", [name for name in KINDS if (path / name).is_dir()])
    data = _one_of(path / kind, mapping, "data", _folders(path / kind))
    population = _plain(path, mapping, "population", "pretrain, oracle or another folder")
    number = mapping.selected(path, "forget_set", int, "the number of a forget set")
    root = path / kind / data / population
    forget = _forget_set(path / "forget_sets" / data / f"forget_set_{number}.npy")
    if not mapping.parts:
        refuse(path, "field parts of its mapping: expected splits and their groups, found none")
    models: list[int] | None = None
    columns: list[np.ndarray] = []
    labels, groups, ids = list[int](), list[str](), list[str]()
    for part in mapping.parts:
        if part.split not in _SPLITS:
            found = part.split[:60]
            refuse(mapping.file, f"field parts: expected {', '.join(_SPLITS)}, found {found!r}")
        where = _split(root, part.split, population, number)
        folder = where / _one_of(where, mapping, "arch", _folders(where))
        files = _files(folder, mapping)
        if models is not None and list(files) != models:
            refuse(folder, f"expected the {len(models)} models of the other splits, found others")
        models = list(files)
        form = _MARGINS if kind == "margins" else _LOGITS
        first = map_npy(next(iter(files.values())), form)
        names = _names(folder, part.split, len(first), forget)
        rows = mapping.rows(part, len(first))
        classes = first.shape[1] if kind == "logits" else 2
        check_counts(path, len(files), len(ids) + len(rows), classes, limits)
        columns.append(_stack(list(files.values()), form, first.shape, rows))
        ids += [names[row] for row in rows]
        groups += [part.group] * len(rows)
        labels += _labels(path, mapping, part, kind, len(first), rows)
    check_groups_and_ids(mapping.file, ids)
    shapes = {column.shape[2:] for column in columns}
    if len(shapes) > 1:
        refuse(path, f"expected as many classes in each split, found {sorted(shapes)}")
    values = np.concatenate(columns, axis=1)
    called = [f"id_{model}" for model in models or ()]
    if kind == "margins":
        probes = np.array(groups), np.array(ids)
        return scalar_content(path, values, "margin", probes, mapping, called)
    probes = np.array(labels), np.array(groups), np.array(ids)
    return logit_content(path, values, probes, mapping, called)


def _split(root: Path, split: str, population: str, number: int) -> Path:
    if population != "pretrain":
        return root / f"forget_{number}" / split
    return root / (f"forget_{number}" if split == "forget" else split)


def _names(folder: Path, split: str, length: int, forget: np.ndarray) -> list[str]:
    """What the examples of a split are called: by index into D where they are of D."""
    if split == "val":
        return [f"val/{k}" for k in range(length)]
    if split == "forget":
        if length != len(forget):
            refuse(folder, f"expected {len(forget)} examples of the forget set, found {length}")
        return [f"train/{k}" for k in forget]
    if folder.parent.parent.name == "pretrain":
        every = np.arange(length)
        check_range(folder, "forget set", forget, 0, length - 1)
    else:
        check_range(folder, "forget set", forget, 0, length + len(forget) - 1)
        every = np.setdiff1d(np.arange(length + len(forget)), forget)
    return [f"train/{k}" for k in every]


def _labels(
    path: Path, mapping: Mapping, part: Part, kind: str, length: int, rows: np.ndarray
) -> list[int]:
    if kind == "margins":
        if part.labels is not None:
            refuse(mapping.file, "field parts.labels: expected none for margins")
        return [0] * len(rows)
    if part.labels is None:
        refuse(path, f"field parts.labels of its mapping: expected for {part.split}, found none")
    labels = mapping.array(part.labels)
    if len(labels) != length:
        refuse(mapping.file.parent / part.labels, f"expected {length} labels, found {len(labels)}")
    return [int(labels[row]) for row in rows]


def _stack(files: list[Path], form: Form, shape: tuple[int, ...], rows: np.ndarray) -> np.ndarray:
    values = np.empty((len(files), len(rows), *shape[1:]), dtype=np.float32)
    for place, file in enumerate(files):
        array = map_npy(file, form)
        if array.shape != shape:
            refuse(
                file, f"expected shape {list(shape)} as in other models, found {list(array.shape)}"
            )
        with np.errstate(over="ignore"):
            values[place] = array[rows]
    return values


def _files(folder: Path, mapping: Mapping) -> dict[int, Path]:
    found = [
        (int(match[1]), int(match[2]), file)
        for file in sorted(folder.iterdir())
        if (match := _FILE.fullmatch(file.name))
    ]
    epochs = sorted({epoch for _, epoch, _ in found})
    if not epochs:
        refuse(folder, "expected files named id_X_epoch_E.npy, found none")
    epoch = epochs[0]
    if "epoch" in mapping.select or len(epochs) > 1:
        epoch = mapping.selected(folder, "epoch", int, f"one of {epochs[:8]}")
    files = {model: file for model, at, file in sorted(found) if at == epoch}
    if not files:
        refuse(folder, f"expected models at epoch {epoch}, found only {epochs[:8]}")
    if len(files) < sum(at == epoch for _, at, _ in found):
        refuse(folder, f"expected each model once at epoch {epoch}, found one more often")
    return files


def _forget_set(path: Path) -> np.ndarray:
    index = np.array(map_npy(path, _INDEX))
    check_range(path, "", index, 0, 2**40)
    if len(np.unique(index)) < len(index):
        refuse(path, "expected each example once, found repeats")
    return index.astype(np.int64)


def _folders(path: Path) -> list[str]:
    if not path.is_dir():
        refuse(path, "expected a folder, found none")
    return sorted(inside.name for inside in path.iterdir() if inside.is_dir())


def _one_of(path: Path, mapping: Mapping, name: str, found: list[str]) -> str:
    """The only one there is, or the one that is selected."""
    if name not in mapping.select and len(found) == 1:
        return found[0]
    chosen = mapping.selected(path, name, str, f"one of {', '.join(found[:8]) or 'none'}")
    if chosen not in found:
        refuse(path, f"expected {chosen[:60]!r} as select.{name} says, found {found[:8]}")
    return chosen


def _plain(path: Path, mapping: Mapping, name: str, what: str) -> str:
    found = mapping.selected(path, name, str, what)
    if not re.fullmatch(r"[\w][\w.+=,-]{0,199}", found):
        refuse(mapping.file, f"field select.{name}: expected a folder's name, found {found[:60]!r}")
    return found
