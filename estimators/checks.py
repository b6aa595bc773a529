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
    "check_grid",
    "check_pair",
    "check_samples",
    "check_seed",
    "check_within",
    "widened",
]


def check_samples(values: Any, name: str, *, least: int = 1) -> Float[np.ndarray, "n ..."]:
    """Samples of one population as float64 ``[models, ...]``: real, finite, enough rows.

    Raises:
        TypeError: when the values are not real numbers.
        ValueError: when they are a scalar, too few, or hold NaN or infinity.
    """
    array = np.asarray(widened(values))
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
    return check_grid("[0, 50]", "epsilon", epsilon)


def check_delta(delta: Any) -> Float[np.ndarray, "..."]:
    """One delta or an array of them, each in [0, 1).

    Raises:
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
        ValueError: when there are none, they have more axes, or one lies outside.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim > 1 or not array.size or not _inside(interval, array):
        raise ValueError(f"{name}: expected numbers in {interval}, a scalar or 1-D, found {values}")
    return array


def check_counts(*, least: int = 1, **values: int) -> None:
    """Whole numbers of at least 1, or of at least another number, by name.

    Raises:
        ValueError: otherwise.
    """
    for name, value in values.items():
        if value < least:
            raise ValueError(f"{name}: expected at least {least}, found {value}")


def check_seed(seed: int | None) -> None:
    """A seed: None or an integer of at least 0.

    Raises:
        ValueError: otherwise.
    """
    if seed is not None and seed < 0:
        raise ValueError(f"seed: expected None or an integer of at least 0, found {seed}")


def check_within(interval: str, **values: Any) -> None:
    """Numbers, or arrays of numbers, that lie in an interval, by name; NaN lies in none.

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
        >>> check_within("[0, 1]", shares=[0.5, 1.5])
        Traceback (most recent call last):
        ValueError: shares: expected numbers in [0, 1], found 0.5 to 1.5
    """
    low, high = _ends(interval)
    for name, value in values.items():
        if _inside(interval, value):
            continue
        expected = f"in {interval}"
        if math.isinf(high):
            expected = f"{'of at least' if interval[0] == '[' else 'over'} {low:g}"
        if np.ndim(value) == 0:
            raise ValueError(f"{name}: expected a number {expected}, found {value}")
        raise ValueError(
            f"{name}: expected numbers {expected}, found {np.min(value):g} to {np.max(value):g}"
        )


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
    """The same numbers as float32 where they are bfloat16, of which NumPy knows nothing.

    Args:
        values: anything; an array of JAX or ml_dtypes, or a tensor of PyTorch, may be bfloat16.

    Returns:
        A float32 array in its place; all else as it is.

    Example:
        >>> import jax.numpy as jnp
        >>> widened(jnp.array([0.5, 3.0], dtype=jnp.bfloat16)).tolist()
        [0.5, 3.0]
    """
    if not str(getattr(values, "dtype", "")).endswith("bfloat16"):
        return values
    # PyTorch's own tensors, which NumPy cannot take over, widen themselves.
    plain = values.detach().cpu().float() if hasattr(values, "detach") else values
    return np.asarray(plain).astype(np.float32)
