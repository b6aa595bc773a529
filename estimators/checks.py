"""Checks on what users pass in: each error names the argument, what was expected and found.

All floors use them, so that a mistake reads the same wherever it is made.
"""

import math
import operator
from typing import Any

import numpy as np
from jaxtyping import Float

__all__ = [
    "check_confidence",
    "check_counts",
    "check_delta",
    "check_epsilon",
    "check_pair",
    "check_samples",
    "check_seed",
    "check_within",
]


def check_samples(values: Any, name: str, *, least: int = 1) -> Float[np.ndarray, "n ..."]:
    """Samples of one population as float64 ``[models, ...]``: real, finite, enough rows.

    Raises:
        TypeError: when the values are not real numbers.
        ValueError: when they are a scalar, too few, or hold NaN or infinity.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name}: expected real numbers, found dtype {array.dtype}")
    if array.ndim == 0:
        raise ValueError(f"{name}: expected an array [models, ...], found a single number")
    if array.shape[0] < least:
        raise ValueError(f"{name}: expected at least {least} models, found {array.shape[0]}")
    array = array.astype(np.float64, copy=False)
    bad = ~np.isfinite(array)
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(f"{name}: expected finite numbers, found {array[where]} at index {where}")
    return array


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


def check_confidence(confidence: float) -> float:
    """A confidence level strictly between 0 and 1.

    Raises:
        ValueError: otherwise.
    """
    check_within("(0, 1)", confidence=confidence)
    return float(confidence)


def check_epsilon(epsilon: Any) -> Float[np.ndarray, "..."]:
    """One epsilon or an array of them: finite and at least 0, at most 50.

    Raises:
        ValueError: otherwise.
    """
    values = np.asarray(epsilon, dtype=np.float64)
    if values.ndim > 1 or not values.size or not ((values >= 0) & (values <= 50)).all():
        raise ValueError(f"epsilon: expected numbers in [0, 50], a scalar or 1-D, found {epsilon}")
    return values


def check_delta(delta: Any) -> Float[np.ndarray, "..."]:
    """One delta or an array of them, each in [0, 1).

    Raises:
        ValueError: otherwise.
    """
    values = np.asarray(delta, dtype=np.float64)
    if values.ndim > 1 or not values.size or not ((values >= 0) & (values < 1)).all():
        raise ValueError(f"delta: expected numbers in [0, 1), a scalar or 1-D, found {delta}")
    return values


def check_counts(**values: int) -> None:
    """Whole numbers of at least 1, by name.

    Raises:
        ValueError: otherwise.
    """
    for name, value in values.items():
        if value < 1:
            raise ValueError(f"{name}: expected at least 1, found {value}")


def check_seed(seed: int | None) -> None:
    """A seed: None or an integer of at least 0.

    Raises:
        ValueError: otherwise.
    """
    if seed is not None and seed < 0:
        raise ValueError(f"seed: expected None or an integer of at least 0, found {seed}")


def check_within(interval: str, **values: float) -> None:
    """Numbers that lie in an interval, by name; NaN lies in none.

    Args:
        interval: in the usual notation, such as ``(0, 1]``; an end may be ``inf``.
        **values: the numbers.

    Raises:
        ValueError: when one lies outside.

    Example:
        >>> check_within("(0, 1]", fraction=0.0)
        Traceback (most recent call last):
        ValueError: fraction: expected a number in (0, 1], found 0.0
        >>> check_within("[0, inf)", penalty=-1.0)
        Traceback (most recent call last):
        ValueError: penalty: expected a number of at least 0, found -1.0
    """
    low, high = (float(end) for end in interval[1:-1].split(","))
    above = operator.ge if interval[0] == "[" else operator.gt
    below = operator.le if interval[-1] == "]" else operator.lt
    for name, value in values.items():
        if not (above(value, low) and below(value, high)):
            expected = f"in {interval}"
            if math.isinf(high):
                expected = f"{'of at least' if interval[0] == '[' else 'over'} {low:g}"
            raise ValueError(f"{name}: expected a number {expected}, found {value}")
