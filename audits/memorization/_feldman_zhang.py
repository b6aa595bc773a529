"""Memorization and influence scores as Feldman and Zhang published them, in .npz files.

Their page describes the arrays: https://pluskid.github.io/influence-memorization/. Scores of
CIFAR-100 come from 4,000 models, those of ImageNet from 2,000, each trained on a random 70 %.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from audits._reading import Limits
from oracles.storage.arrays import Form, check_range, npz_names, read_npz, refuse_array

# Scores are differences of two means of 0/1, rounded to float32 by some.
_MOST = 1.0 + 1e-6


@dataclass(frozen=True, eq=False)
class PublishedMemorization:
    """Memorization scores of training examples.

    Attributes:
        path: the file.
        memorization: float64 ``[n]`` in [-1, 1], in the order of the published data.
        labels: int64 ``[n]``, to check that order with; None when the file has none.
    """

    path: Path
    memorization: Float[np.ndarray, " n"]
    labels: Int[np.ndarray, " n"] | None


@dataclass(frozen=True, eq=False)
class PublishedInfluence:
    """Influence of every training example of a class on every test example of it.

    Attributes:
        path: the file.
        train: int64 ``[n_train]``, indices into the training set.
        test: int64 ``[n_test]``, indices into the test set.
        influence: float32 ``[n_train, n_test]`` in [-1, 1].
    """

    path: Path
    train: Int[np.ndarray, " n_train"]
    test: Int[np.ndarray, " n_test"]
    influence: Float[np.ndarray, "n_train n_test"]


@dataclass(frozen=True, eq=False)
class PublishedPairs:
    """Pairs of a memorized training example and a test example that it influences.

    Attributes:
        path: the file.
        train: int64 ``[pairs]``, indices into the training set.
        test: int64 ``[pairs]``, indices into the test set.
        influence: float64 ``[pairs]`` in [-1, 1].
        memorization: float64 ``[pairs]``, of the training example, in [-1, 1].
    """

    path: Path
    train: Int[np.ndarray, " pairs"]
    test: Int[np.ndarray, " pairs"]
    influence: Float[np.ndarray, " pairs"]
    memorization: Float[np.ndarray, " pairs"]


def read_memorization(path: str | Path, *, limits: Limits | None = None) -> PublishedMemorization:
    """Reads ``tr_mem`` and ``tr_labels``, or ``memorization`` of the authors' example for MNIST.

    They are in ``cifar100_infl_matrix.npz`` and ``imagenet_index.npz``. File names of images are
    not read.

    Args:
        path: the ``.npz`` file.
        limits: the most it may hold; `Limits` by default.

    Returns:
        Scores and labels.

    Raises:
        SubmissionError: a ValueError whose one sentence names the file, the array, what was found
            and what was expected.

    Example:
        >>> import tempfile, numpy as np
        >>> from pathlib import Path
        >>> from indist import audits
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder) / "scores.npz"
        ...     np.savez(file, tr_mem=np.array([0.0, 0.9]), tr_labels=np.array([3, 1]))
        ...     audits.read_memorization(file).memorization
        array([0. , 0.9])
    """
    where = Path(path)
    name = "memorization" if "memorization" in npz_names(where) else "tr_mem"
    forms = {name: Form("f", "[n]", (1,)), "tr_labels": Form("iu", "[n]", (1,))}
    found = read_npz(where, forms, limits or Limits(), optional=("tr_labels",))
    labels = None
    if "tr_labels" in found:
        _check_as_many(where, "tr_labels", found["tr_labels"], len(found[name]))
        labels = _whole(where, "tr_labels", found["tr_labels"])
    return PublishedMemorization(where, _scores(where, name, found[name]), labels)


def read_class_influence(
    path: str | Path, label: int, *, limits: Limits | None = None
) -> PublishedInfluence:
    """Reads one class of the class-wise influence matrices.

    They are ``infl_matrix_class{K}``, ``tr_classidx_{K}`` and ``tt_classidx_{K}`` in
    ``cifar100_infl_matrix.npz`` and ``imagenet_infl_matrix.npz``; the latter is published in parts,
    to be concatenated.

    Args:
        path: the ``.npz`` file.
        label: the class K, from 0.
        limits: the most it may hold; `Limits` by default.

    Returns:
        The matrix and the indices of its rows and columns.

    Raises:
        SubmissionError: a ValueError, as `read_memorization`.

    Example:
        >>> import tempfile, numpy as np
        >>> from pathlib import Path
        >>> from indist import audits
        >>> rows, columns, matrix = np.array([4, 7]), np.array([2]), np.array([[0.5], [0.0]])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder) / "scores.npz"
        ...     np.savez(
        ...         file, tr_classidx_0=rows, tt_classidx_0=columns, infl_matrix_class0=matrix
        ...     )
        ...     audits.read_class_influence(file, 0).train
        array([4, 7])
    """
    where = Path(path)
    matrix, rows, columns = (
        f"infl_matrix_class{label}",
        f"tr_classidx_{label}",
        f"tt_classidx_{label}",
    )
    forms = {
        rows: Form("iu", "[n_train]", (1,)),
        columns: Form("iu", "[n_test]", (1,)),
        matrix: Form("f", "[n_train, n_test]", (2,)),
    }
    found = read_npz(where, forms, limits or Limits())
    expected = len(found[rows]), len(found[columns])
    if found[matrix].shape != expected:
        refuse_array(
            where,
            matrix,
            f"expected shape {list(expected)} by {rows!r} and {columns!r}, found "
            f"{list(found[matrix].shape)}",
        )
    for name in (rows, columns):
        if len(np.unique(found[name])) < len(found[name]):
            refuse_array(where, name, "expected each example once, found repeats")
    return PublishedInfluence(
        where,
        _whole(where, rows, found[rows]),
        _whole(where, columns, found[columns]),
        _scores(where, matrix, found[matrix]).astype(np.float32),
    )


def read_influence_pairs(path: str | Path, *, limits: Limits | None = None) -> PublishedPairs:
    """Reads the high-influence pairs: ``tr_idx``, ``tt_idx``, ``infl`` and ``mem``.

    They are in ``cifar100_high_infl_pairs_infl0.15_mem0.25.npz`` and the file for ImageNet that is
    named like it: pairs with memorization at least 0.25 and influence at least 0.15.

    Args:
        path: the ``.npz`` file.
        limits: the most it may hold; `Limits` by default.

    Returns:
        The pairs.

    Raises:
        SubmissionError: a ValueError, as `read_memorization`.

    Example:
        >>> import tempfile, numpy as np
        >>> from pathlib import Path
        >>> from indist import audits
        >>> one = np.array([0.5])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder) / "pairs.npz"
        ...     np.savez(file, tr_idx=np.array([30592]), tt_idx=np.array([655]), infl=one, mem=one)
        ...     audits.read_influence_pairs(file).train
        array([30592])
    """
    where = Path(path)
    whole, real = Form("iu", "[pairs]", (1,)), Form("f", "[pairs]", (1,))
    forms = {"tr_idx": whole, "tt_idx": whole, "infl": real, "mem": real}
    found = read_npz(where, forms, limits or Limits())
    for name in forms:
        _check_as_many(where, name, found[name], len(found["tr_idx"]))
    return PublishedPairs(
        where,
        _whole(where, "tr_idx", found["tr_idx"]),
        _whole(where, "tt_idx", found["tt_idx"]),
        _scores(where, "infl", found["infl"]),
        _scores(where, "mem", found["mem"]),
    )


def _check_as_many(path: Path, name: str, values: np.ndarray, count: int) -> None:
    if len(values) != count:
        refuse_array(
            path, name, f"expected {count} numbers as in the other arrays, found {len(values)}"
        )


def _scores(path: Path, name: str, values: np.ndarray) -> np.ndarray:
    check_range(path, name, values, -_MOST, _MOST)
    return values.astype(np.float64)


def _whole(path: Path, name: str, values: np.ndarray) -> np.ndarray:
    check_range(path, name, values, 0, np.iinfo(np.int64).max)
    return values.astype(np.int64)
