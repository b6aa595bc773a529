"""Checks on what users pass in: each error names the argument, what was expected and found.

All floors use them, so that a mistake reads the same wherever it is made. Those on whole arrays lie
in a file of their own; here are those on single numbers and on the intervals that numbers lie in.
"""

import math
import operator
from typing import Any

import numpy as np
from jaxtyping import Float

from estimators._arrays import (
    MOST_INTEGER,
    check_array,
    check_labels,
    check_mask,
    check_numbers,
    check_pair,
    check_samples,
    check_unmasked,
    real_numbers,
    widened,
)

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
        array = real_numbers(value, name)
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
