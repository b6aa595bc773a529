"""Checks on what users pass in: each error names the argument, what was expected and found.

All floors use them, so that a mistake reads the same wherever it is made.
"""

import math
import operator
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

__all__ = [
    "MOST_INTEGER",
    "check_all_within",
    "check_array",
    "check_confidence",
    "check_counts",
    "check_delta",
    "check_epsilon",
    "check_grid",
    "check_labels",
    "check_mask",
    "check_numbers",
    "check_pair",
    "check_samples",
    "check_seed",
    "check_unmasked",
    "check_within",
    "widened",
]

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
    return _finite(_real(values, name), name)


def _real(values: Any, name: str) -> Float[np.ndarray, "..."]:
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
    array = _real(values, name)
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


def check_confidence(confidence: Any) -> float:
    """A confidence level strictly between 0 and 1.

    Raises:
        TypeError: when it is not one real number.
        ValueError: when it lies outside.
    """
    check_within("(0, 1)", confidence=confidence)
    return float(confidence)


def check_epsilon(epsilon: Any) -> Float[np.ndarray, "..."]:
    """One epsilon or an array of them: finite and at least 0, at most 50.

    Raises:
        TypeError: when they are not real numbers.
        ValueError: otherwise.
    """
    return check_grid("[0, 50]", "epsilon", epsilon)


def check_delta(delta: Any) -> Float[np.ndarray, "..."]:
    """One delta or an array of them, each in [0, 1).

    Raises:
        TypeError: when they are not real numbers.
        ValueError: otherwise.
    """
    return check_grid("[0, 1)", "delta", delta)


def check_grid(interval: str, name: str, values: Any) -> Float[np.ndarray, "..."]:
    """One number or a 1-D array of numbers, each in an interval, as float64.

    Args:
        interval: as for `check_within`.
        name: of the argument.
        values: the numbers.

    Raises:
        TypeError: when they are not real numbers, such as text or booleans.
        ValueError: when there are none, they have more axes, or one lies outside.
    """
    array = check_array(values, name)
    if array.dtype.kind not in "iuf":
        expected = f"expected numbers in {interval}, a scalar or 1-D"
        raise TypeError(f"{name}: {expected}, found {repr(values)[:60]}")
    array = array.astype(np.float64)
    if array.ndim > 1 or not array.size or not _inside(interval, array):
        raise ValueError(f"{name}: expected numbers in {interval}, a scalar or 1-D, found {values}")
    return array


def check_counts(*, least: int = 1, **values: Any) -> None:
    """Whole numbers of at least 1, or of at least another number, by name.

    Raises:
        ValueError: otherwise.
    """
    for name, value in values.items():
        if not isinstance(value, int | np.integer) or isinstance(value, bool):
            found = repr(value)[:60]
            raise ValueError(f"{name}: expected a whole number of at least {least}, found {found}")
        if value < least:
            raise ValueError(f"{name}: expected at least {least}, found {value}")


def check_seed(seed: Any, name: str = "seed") -> int:
    """A seed: an integer in [0, 2^63), of Python or NumPy.

    ``1.0``, ``True`` and ``"1"`` look like the seed 1 and would be others, or the same unseen.

    Args:
        seed: what was handed over.
        name: of the argument.

    Returns:
        Python's integer, so that one of NumPy names the same population.

    Raises:
        ValueError: for everything else.

    Example:
        >>> check_seed(np.int64(3))
        3
        >>> check_seed(True)
        Traceback (most recent call last):
        ValueError: seed: expected an integer in [0, 2^63), found True
    """
    whole = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
    if not whole or not 0 <= seed < 2**63:
        found = repr(seed)[:60]
        raise ValueError(f"{name}: expected an integer in [0, 2^63), found {found}")
    return int(seed)


def check_within(interval: str, **values: Any) -> None:
    """Single numbers that lie in an interval, by name; NaN lies in none.

    Args:
        interval: in the usual notation, such as ``(0, 1]``; an end may be ``inf``.
        **values: the numbers.

    Raises:
        TypeError: when one is no single real number, such as text, a boolean or a list.
        ValueError: when one lies outside.

    Example:
        >>> check_within("(0, 1]", fraction=0.0)
        Traceback (most recent call last):
        ValueError: fraction: expected a number in (0, 1], found 0.0
        >>> check_within("[0, inf)", penalty=-1.0)
        Traceback (most recent call last):
        ValueError: penalty: expected a number of at least 0, found -1.0
        >>> check_within("[0, 1]", share=[0.5])
        Traceback (most recent call last):
        TypeError: share: expected a number in [0, 1], found [0.5]
    """
    for name, value in values.items():
        array = check_array(value, name)
        if array.dtype.kind not in "iuf" or array.ndim:
            found = repr(value)[:60]
            raise TypeError(f"{name}: expected a number {_expected(interval)}, found {found}")
        if not _inside(interval, array):
            raise ValueError(f"{name}: expected a number {_expected(interval)}, found {value}")


def check_all_within(interval: str, **values: Any) -> None:
    """Arrays of numbers that lie in an interval, by name; NaN lies in none.

    Args:
        interval: as for `check_within`.
        **values: the arrays, of any shape; booleans count as 0 and 1.

    Raises:
        TypeError: when they are not real numbers.
        ValueError: when one lies outside.

    Example:
        >>> check_all_within("[0, 1]", shares=[0.5, 1.5])
        Traceback (most recent call last):
        ValueError: shares: expected numbers in [0, 1], found 0.5 to 1.5
    """
    for name, value in values.items():
        array = _real(value, name)
        if not _inside(interval, array):
            found = f"{array.min():g} to {array.max():g}" if array.ndim else f"{array}"
            raise ValueError(f"{name}: expected numbers {_expected(interval)}, found {found}")


def _expected(interval: str) -> str:
    """The interval in words, where it has no upper end."""
    low, high = _ends(interval)
    if math.isinf(high):
        return f"{'of at least' if interval[0] == '[' else 'over'} {low:g}"
    return f"in {interval}"


def _ends(interval: str) -> tuple[float, float]:
    low, high = (float(end) for end in interval[1:-1].split(","))
    return low, high


def _inside(interval: str, value: Any) -> bool:
    low, high = _ends(interval)
    above = operator.ge if interval[0] == "[" else operator.gt
    below = operator.le if interval[-1] == "]" else operator.lt
    array = np.asarray(value)
    return bool((above(array, low) & below(array, high)).all())


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
