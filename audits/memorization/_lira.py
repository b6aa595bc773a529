"""Folders of shadow models as the likelihood-ratio attack's code leaves them.

Carlini et al. (2022), Membership inference attacks from first principles; their code:
https://github.com/tensorflow/privacy/tree/master/research/mi_lira_2021.
"""

from pathlib import Path

import numpy as np
from scipy.special import logsumexp

from audits._reading import Limits, refuse
from audits.memorization._subset_models import SubsetModels
from oracles.storage.arrays import Form, check_bytes, check_finite, check_range, map_npy

_KEEP = Form("b", "[examples]", (1,))
_SCORES = Form("f", "[examples] or [examples, queries]", (1, 2))
_LOGITS = Form("f", "[examples, ..., classes]", (2, 3, 4))
_LABELS = Form("iu", "[examples]", (1,))


def read_lira(folder: str | Path, *, limits: Limits | None = None) -> SubsetModels:
    """Reads which examples each shadow model kept, and its logit-scaled confidence on all.

    Each sub-folder with a ``keep.npy`` is a model. Its outcome is the last file in ``scores/``, or,
    where there are no scores, that of ``logits/`` with the labels in the folder's ``y_train.npy``:
    ln p_y − ln Σ_{j≠y} p_j in nats, the mean over queries (augmentations). As in the original, a
    model without either is left out, and a ``keep.npy`` longer than the scores is cut to them.

    Args:
        folder: the folder of experiments.
        limits: the most that all models may hold together; `Limits` by default.

    Returns:
        Inclusion and outcome ``[models, n]``, models in the order of their folders' names.

    Raises:
        SubmissionError: a ValueError whose one sentence names the file, what was found and what was
            expected.

    Example:
        >>> import tempfile, numpy as np
        >>> from pathlib import Path
        >>> from indist import audits
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for k in range(2):
        ...         scores = Path(folder) / f"experiment-{k}_2" / "scores"
        ...         scores.mkdir(parents=True)
        ...         np.save(scores.parent / "keep.npy", np.array([k == 0, k == 1]))
        ...         np.save(scores / "0000000100.npy", np.zeros((2, 18)))
        ...     audits.read_lira(folder).included
        array([[ True, False],
               [False,  True]])
    """
    limits, where = limits or Limits(), Path(folder)
    if not where.is_dir():
        refuse(where, "expected a folder of experiments, found none")
    started = sorted(keep.parent for keep in where.glob("*/keep.npy"))
    files = {model: found for model in started if (found := _outcome_file(model)) is not None}
    if not files:
        refuse(where, "expected sub-folders with keep.npy and scores or logits, found none")
    if len(files) > limits.models:
        refuse(where, f"expected at most {limits.models} models, found {len(files)}")
    included, outcome = list[np.ndarray](), list[np.ndarray]()
    for model, file in files.items():
        scores = _scores(file, where / "y_train.npy", limits)
        if outcome and len(scores) != len(outcome[0]):
            refuse(file, f"expected {len(outcome[0])} examples as before, found {len(scores)}")
        # A byte of inclusion and four of outcome for each model and example.
        if 5 * len(files) * len(scores) > limits.array_bytes:
            refuse(
                file,
                f"expected at most {limits.array_bytes} bytes for all models, found "
                f"{5 * len(files) * len(scores)} for {len(files)} models",
            )
        keep = map_npy(model / "keep.npy", _KEEP)
        if len(keep) < len(scores):
            refuse(
                model / "keep.npy", f"expected {len(scores)} examples or more, found {len(keep)}"
            )
        included.append(np.array(keep[: len(scores)]))
        with np.errstate(over="ignore"):
            outcome.append(scores.astype(np.float32))
        check_finite(file, "", outcome[-1])
    return SubsetModels(
        where,
        np.stack(included),
        np.stack(outcome),
        tuple(model.name for model in files),
        tuple(model.name for model in started if model not in files),
    )


def _outcome_file(model: Path) -> Path | None:
    """The last checkpoint's scores, else its logits; names are checkpoints' padded numbers."""
    for kind in ("scores", "logits"):
        if found := sorted((model / kind).glob("*.npy")):
            return found[-1]
    return None


def _scores(file: Path, labels: Path, limits: Limits) -> np.ndarray:
    if file.parent.name == "scores":
        scores = map_npy(file, _SCORES)
        check_bytes(file, scores.nbytes, limits)
        check_finite(file, "", scores)
        return scores.reshape(len(scores), -1).mean(axis=1, dtype=np.float64)
    mapped = map_npy(file, _LOGITS)
    check_bytes(file, mapped.nbytes, limits)
    check_finite(file, "", mapped)
    logits = np.array(mapped, dtype=np.float64).reshape(len(mapped), -1, mapped.shape[-1])
    truth = map_npy(labels, _LABELS)
    if len(truth) < len(logits):
        refuse(labels, f"expected {len(logits)} labels or more, found {len(truth)}")
    truth = np.array(truth[: len(logits)])
    check_range(labels, "", truth, 0, logits.shape[-1] - 1)
    own = truth.astype(np.int64)[:, None, None]
    chosen = np.take_along_axis(logits, own, axis=2)[:, :, 0]
    others = np.where(np.arange(logits.shape[2]) == own, -np.inf, logits)
    return (chosen - np.asarray(logsumexp(others, axis=2))).mean(axis=1)
