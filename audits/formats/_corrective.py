"""Folders of the corrective unlearning benchmark: logits of one model a folder.

Each model's folder has ``preds_SPLIT.npy``, logits ``[examples, classes]``, and the labels that the
examples carry in ``targetsSPLIT.npy``, for the splits train, test, adv_train and adv_test; the last
two carry the behaviour (a poison's trigger) and their labels show it. Goel et al. (2024),
arXiv:2402.14015; their code: https://github.com/drimpossible/corrective-unlearning-bench. There,
``*_manip.npy`` indexes B and ``*_deletion.npy`` indexes S, both into train.
"""

from pathlib import Path

import numpy as np

from audits._reading import Limits, refuse
from audits.formats._content import Content, check_counts, check_groups_and_ids, logit_content
from audits.formats._mapping import Mapping
from oracles.storage.arrays import Form, check_range, map_npy

KIND = "corrective"
SPLITS = ("train", "test", "adv_train", "adv_test")

_LOGITS = Form("f", "[examples, classes]", (2,))
_LABELS = Form("iu", "[examples]", (1,))


def model_folders(path: Path) -> list[Path]:
    """The folders that hold predictions: this one, or those inside."""
    if any(path.glob("preds_*.npy")):
        return [path]
    return sorted({file.parent for file in path.glob("*/preds_*.npy")})


def read(path: Path, mapping: Mapping, limits: Limits) -> Content:
    """Reads logits.

    Args:
        path: a model's folder, or one with such folders.
        mapping: ``parts`` say which examples of which split are which group: for instance rows
            ``x_deletion.npy`` of adv_train are forget, rows ``x_manip.npy`` without
            ``x_deletion.npy`` are behaviour, and adv_test is behaviour_test.
        limits: the most it may hold.

    Returns:
        Logits; probes are called ``SPLIT/INDEX``, models are in the order of their folders.

    Raises:
        SubmissionError: on missing files, other shapes, or labels that differ between models.
    """
    mapping.check_used(KIND, "parts")
    folders = model_folders(path)
    if not folders:
        refuse(path, "expected folders with preds_*.npy, found none")
    if not mapping.parts:
        refuse(path, "field parts of its mapping: expected splits and their groups, found none")
    columns: list[np.ndarray] = []
    labels: list[np.ndarray] = []
    groups, ids = list[str](), list[str]()
    for part in mapping.parts:
        if part.split not in SPLITS:
            found = part.split[:60]
            refuse(mapping.file, f"field parts: expected {', '.join(SPLITS)}, found {found!r}")
        if part.labels is not None:
            refuse(mapping.file, "field parts.labels: expected none, as targets lie beside logits")
        length, classes = map_npy(folders[0] / f"preds_{part.split}.npy", _LOGITS).shape
        rows = mapping.rows(part, length)
        check_counts(path, len(folders), len(ids) + len(rows), classes, limits)
        if columns and columns[0].shape[2] != classes:
            found = columns[0].shape[2]
            refuse(path, f"expected {found} classes in {part.split} as before, found {classes}")
        truth = _targets(folders[0], part.split, length, classes)
        values = np.empty((len(folders), len(rows), classes), dtype=np.float32)
        for place, folder in enumerate(folders):
            file = folder / f"preds_{part.split}.npy"
            array = map_npy(file, _LOGITS)
            if array.shape != (length, classes):
                refuse(
                    file,
                    f"expected shape {[length, classes]} as in {folders[0].name}, found "
                    f"{list(array.shape)}",
                )
            if not np.array_equal(_targets(folder, part.split, length, classes), truth):
                refuse(folder, f"targets{part.split}.npy: expected those of {folders[0].name}")
            with np.errstate(over="ignore"):
                values[place] = array[rows]
        columns.append(values)
        labels.append(truth[rows])
        groups += [part.group] * len(rows)
        ids += [f"{part.split}/{row}" for row in rows]
    check_groups_and_ids(mapping.file, ids)
    probes = np.concatenate(labels), np.array(groups), np.array(ids)
    called = [folder.name for folder in folders]
    return logit_content(path, np.concatenate(columns, axis=1), probes, mapping, called)


def _targets(folder: Path, split: str, length: int, classes: int) -> np.ndarray:
    file = folder / f"targets{split}.npy"
    targets = np.array(map_npy(file, _LABELS))
    if len(targets) != length:
        refuse(file, f"expected {length} labels, found {len(targets)}")
    check_range(file, "", targets, 0, classes - 1)
    return targets.astype(np.int64)
