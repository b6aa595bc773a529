"""Checks on arrays that users pass in; `estimators.checks` is where everybody takes them from."""

from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

MOST_INTEGER = 2**53
"""The integers up to this size are all float64 numbers; beyond it neighbours merge."""


def check_array(values: Any, name: str) -> np.ndarray:
    """An array as NumPy holds it, of any type and shape: the one door through which arrays come.

    Args:
        values: an array, or what NumPy makes one of; a tensor of PyTorch as well, see `widened`.
        name: of the argument.

    Returns:
        The array, not copied where it is one already.

    Raises:
        ValueError: when it is masked (its masked values would be used like the others), holds
            a number that float64 cannot hold (two different ones would become equal), or has
            rows of different lengths.

    Example:
        >>> check_array([2**53 + 1], "p")
        Traceback (most recent call last):
        ValueError: p: expected numbers that float64 holds, such as integers from -2**53 to 2**53,
        found 9007199254740993
        >>> check_array(np.ma.array([1.0, 99.0], mask=[False, True]), "p")
        Traceback (most recent call last):
        ValueError: p: expected an array without a mask, found a masked array: fill its gaps or
        leave them out first
    """
    check_unmasked(values, name)
    try:
        values = widened(values)
        array = np.asarray(values)
    except ValueError as error:
        if "inhomogeneous" not in str(error):
            raise
        raise ValueError(f"{name}: expected rows of one length, found several lengths") from None
    lost = _lost(array)
    if array.dtype.kind == "O":
        lost = _lost_integer(array.ravel())
    elif array.dtype.kind == "f" and not isinstance(values, np.ndarray):
        # NumPy has rounded the integers of a list or table that holds fractions too.
        large = np.abs(array) >= MOST_INTEGER
        if large.any():
            table = values.astype(object) if hasattr(values, "iloc") else values
            lost = lost or _lost_integer(np.asarray(table, dtype=object)[large])
    if lost is not None:
        raise ValueError(
            f"{name}: expected numbers that float64 holds, such as integers from -2**53 to 2**53, "
            f"found {lost}"
        )
    return array


def check_unmasked(values: Any, name: str) -> None:
    """No masked array, nor one in a list: NumPy's functions use masked values like the others.

    Raises:
        ValueError: when there is one.
    """
    if _masked(values):
        raise ValueError(
            f"{name}: expected an array without a mask, found a masked array: fill its gaps or "
            "leave them out first"
        )


def _masked(values: Any) -> bool:
    if isinstance(values, list | tuple):
        return any(_masked(part) for part in values)
    return isinstance(values, np.ma.MaskedArray)


def _lost(array: np.ndarray) -> str | None:
    """The first number that float64 does not hold, in digits, or None."""
    if array.dtype.itemsize < 8 or not array.size:
        return None
    if array.dtype.kind in "iu":
        lost = array > MOST_INTEGER
        if array.dtype.kind == "i":
            lost |= array < -MOST_INTEGER
    elif array.dtype.kind == "f" and array.dtype.itemsize > 8:
        with np.errstate(over="ignore"):
            lost = (array.astype(np.float64) != array) & ~np.isnan(array)
    else:
        return None
    return str(array[lost][0]) if lost.any() else None


def _lost_integer(values: Any) -> str | None:
    """The first of Python's or NumPy's integers that float64 does not hold, in digits, or None."""
    whole = (number for number in values if isinstance(number, int | np.integer))
    lost = next((int(number) for number in whole if abs(int(number)) > MOST_INTEGER), None)
    if lost is None or lost.bit_length() < 200:
        return None if lost is None else str(lost)
    return f"an integer of {lost.bit_length()} bits"


def check_numbers(values: Any, name: str) -> Float[np.ndarray, "..."]:
    """Numbers of any shape as float64: real and finite; booleans count as 0 and 1.

    Raises:
        TypeError: when the values are not real numbers.
        ValueError: when one is NaN or infinite, or `check_array` refuses them.

    Example:
        >>> check_numbers([0.5, float("nan")], "first")
        Traceback (most recent call last):
        ValueError: first: expected finite numbers, found nan at index (1,)
    """
    return _finite(real_numbers(values, name), name)


def real_numbers(values: Any, name: str) -> Float[np.ndarray, "..."]:
    """Real numbers of any shape as float64, which may be NaN or infinite; booleans are 0 and 1."""
    array = check_array(values, name)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name}: expected real numbers, found dtype {array.dtype}")
    return array.astype(np.float64, copy=False)


def _finite(array: Float[np.ndarray, "..."], name: str) -> Float[np.ndarray, "..."]:
    bad = ~np.isfinite(array)
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        at = f" at index {where}" if where else ""
        raise ValueError(f"{name}: expected finite numbers, found {array[where]}{at}")
    return array


def check_samples(values: Any, name: str, *, least: int = 1) -> Float[np.ndarray, "n ..."]:
    """Samples of one population as float64 ``[models, ...]``: real, finite, enough rows.

    Raises:
        TypeError: when the values are not real numbers.
        ValueError: when they are a scalar, too few, hold NaN or infinity, or `check_array` refuses
            them.
    """
    array = real_numbers(values, name)
    if array.ndim == 0:
        raise ValueError(f"{name}: expected an array [models, ...], found a single number")
    if array.shape[0] < least:
        raise ValueError(f"{name}: expected at least {least} models, found {array.shape[0]}")
    return _finite(array, name)


def check_pair(p: Any, q: Any) -> tuple[Float[np.ndarray, "n ..."], Float[np.ndarray, "m ..."]]:
    """Two populations with the same observables: ``[n, *observables]`` and ``[m, *observables]``.

    Raises:
        ValueError: when the trailing shapes differ, or one is no sample (see `check_samples`).
    """
    first, second = check_samples(p, "p"), check_samples(q, "q")
    if first.shape[1:] != second.shape[1:]:
        raise ValueError(
            f"p and q: expected the same observables, found trailing shapes "
            f"{first.shape[1:]} and {second.shape[1:]}"
        )
    return first, second


def check_mask(values: Any, name: str, shape: tuple[int, ...]) -> Bool[np.ndarray, "..."]:
    """Which entries belong: booleans, or numbers that are all exactly 0 or 1.

    Numbers are converted, so that no mask of 0 and 1 is ever taken for indices, and none is
    negated bit by bit.

    Args:
        values: the mask.
        name: of the argument.
        shape: that it must have.

    Raises:
        TypeError: when the values are neither booleans nor real numbers.
        ValueError: when the shape is another, or a number is neither 0 nor 1.

    Example:
        >>> check_mask([0, 1, 1], "member", (3,))
        array([False,  True,  True])
        >>> check_mask([0, 1, 2], "member", (3,))
        Traceback (most recent call last):
        ValueError: member: expected booleans or 0 and 1, found 2
    """
    array = check_array(values, name)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name}: expected booleans or 0 and 1, found dtype {array.dtype}")
    if array.shape != shape:
        raise ValueError(f"{name}: expected booleans {_axes(shape)}, found {_axes(array.shape)}")
    wrong = (array != 0) & (array != 1)
    if wrong.any():
        raise ValueError(f"{name}: expected booleans or 0 and 1, found {array[wrong][0]}")
    return array.astype(np.bool_, copy=False)


def check_labels(
    values: Any, name: str, shape: tuple[int, ...], *, classes: int | None = None
) -> Int[np.ndarray, "..."]:
    """Classes: whole numbers from 0. No number is a mark for "not labelled", such as -100 or -1.

    Args:
        values: the labels.
        name: of the argument.
        shape: that they must have.
        classes: how many there are; None where that is not known.

    Raises:
        TypeError: when the values are not whole numbers.
        ValueError: when the shape is another, or a number is no class.

    Example:
        >>> check_labels([0, 1, -100], "labels", (3,))
        Traceback (most recent call last):
        ValueError: labels: expected classes of at least 0, found -100: leave out what has no label
    """
    array = check_array(values, name)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name}: expected whole numbers, found dtype {array.dtype}")
    if array.shape != shape:
        raise ValueError(f"{name}: expected classes {_axes(shape)}, found {_axes(array.shape)}")
    array = array.astype(np.int64, copy=False)
    if (array < 0).any():
        raise ValueError(
            f"{name}: expected classes of at least 0, found {array.min()}: leave out what has no "
            "label"
        )
    if classes is not None and (array >= classes).any():
        raise ValueError(f"{name}: expected classes 0 to {classes - 1}, found {array.max()}")
    return array


def _axes(shape: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, shape))}]"


def widened(values: Any) -> Any:
    """What NumPy would not take over, or not rightly: bfloat16, and tensors of PyTorch.

    Args:
        values: anything; an array of JAX or ml_dtypes, or a tensor of PyTorch, may be bfloat16, of
            which NumPy knows nothing, and a tensor may lie elsewhere or carry gradients.

    Returns:
        An array in its place, float32 for bfloat16; all else as it is.

    Example:
        >>> import jax.numpy as jnp
        >>> widened(jnp.array([0.5, 3.0], dtype=jnp.bfloat16)).tolist()
        [0.5, 3.0]
    """
    half = str(getattr(values, "dtype", "")).endswith("bfloat16")
    if hasattr(values, "detach") and hasattr(values, "numpy"):
        plain = values.detach().cpu()
        return np.asarray((plain.float() if half else plain).numpy())
    return np.asarray(values).astype(np.float32) if half else values
