"""Training masks and margins as the datamodels project stores them, in .npy files.

Their published data: https://github.com/MadryLab/datamodels-data; the store that their code makes:
https://github.com/MadryLab/datamodels. Files may be far larger than memory: they are mapped, and
only the rows that are asked for are read.
"""

from pathlib import Path
from typing import Any

import numpy as np

from audits._reading import Limits, refuse
from audits.memorization._subset_models import SubsetModels
from oracles.storage.arrays import Form, check_finite, map_npy


def read_datamodels(
    folder: str | Path,
    *,
    masks: str = "masks",
    margins: str = "margins",
    models: int | None = None,
    limits: Limits | None = None,
) -> SubsetModels:
    """Reads training masks ``[models, n]`` and margins ``[models, targets]``.

    A store has ``masks.npy``, ``margins.npy`` and ``_completed.npy``, which says the rows whose
    models were trained; others are left out. Of the published data take, for example,
    ``masks="train_masks_50pct"`` and ``margins="test_margins_50pct"`` (or ``train_margins_50pct``
    for memorization).

    Args:
        folder: where the files lie.
        masks: name of the file of masks, without ``.npy``.
        margins: name of the file of outcomes, without ``.npy``: correct-class margins, or whatever
            a store's training script returned.
        models: how many to read, the first ones that were trained; all by default.
        limits: the most that what is read may hold; `Limits` by default.

    Returns:
        Masks and margins; a model's name is its row.

    Raises:
        ValueError: when ``models`` is below 1.
        SubmissionError: a ValueError whose one sentence names the file, what was found and what was
            expected.

    Example:
        >>> import tempfile, numpy as np
        >>> from pathlib import Path
        >>> from indist import audits
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     np.save(Path(folder) / "masks.npy", np.eye(3, 4, dtype=bool))
        ...     np.save(Path(folder) / "margins.npy", np.ones((3, 2), dtype=np.float16))
        ...     audits.read_datamodels(folder, models=2).outcome.shape
        (2, 2)
    """
    if models is not None and models < 1:
        raise ValueError(f"models: expected at least 1, found {models}")
    limits, where = limits or Limits(), Path(folder)
    inside, outside = where / f"{masks}.npy", where / f"{margins}.npy"
    mask = map_npy(inside, Form("biu", "[models, n]", (2,)))
    margin = map_npy(outside, Form("f", "[models, targets]", (2,)))
    if len(mask) != len(margin):
        refuse(outside, f"expected {len(mask)} models as in {inside.name}, found {len(margin)}")
    done = _completed(where / "_completed.npy", len(mask))
    rows = np.flatnonzero(done)[:models]
    size = len(rows) * (mask.shape[1] * mask.itemsize + margin.shape[1] * 4)
    if size > limits.array_bytes:
        refuse(
            outside,
            f"expected at most {limits.array_bytes} bytes of masks and margins, found {size} for "
            f"{len(rows)} models: ask for fewer",
        )
    if len(rows) > limits.models:
        refuse(outside, f"expected at most {limits.models} models, found {len(rows)}")
    included, outcome = mask[rows], margin[rows]
    if included.max() > 1 or included.min() < 0:
        refuse(inside, "expected booleans or 0 and 1, found other numbers")
    with np.errstate(over="ignore"):
        outcome = np.asarray(outcome, dtype=np.float32)
    check_finite(outside, "", outcome)
    return SubsetModels(
        where,
        np.asarray(included, dtype=np.bool_),
        outcome,
        tuple(map(str, rows.tolist())),
        tuple(map(str, np.flatnonzero(~done).tolist())),
    )


def _completed(path: Path, count: int) -> Any:
    if not path.exists():
        return np.ones(count, dtype=np.bool_)
    done = np.array(map_npy(path, Form("b", "[models]", (1,))))
    if len(done) != count:
        refuse(path, f"expected {count} models as there are masks, found {len(done)}")
    if not done.any():
        refuse(path, "expected at least one trained model, found none")
    return done
