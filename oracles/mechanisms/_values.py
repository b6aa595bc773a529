"""Checks on the settings of mechanisms; each error names the setting, its value and its range."""

import math
from typing import Any


def check_real(name: str, value: Any, *, low: float = 0.0, high: float = math.inf) -> None:
    """A finite number in [low, high].

    Raises:
        ValueError: otherwise.
    """
    if not _is_number(value) or not low <= value <= high:
        expected = f"of at least {low:g}" if math.isinf(high) else f"in [{low:g}, {high:g}]"
        raise ValueError(f"{name}: expected a finite number {expected}, found {value!r}")


def check_positive(name: str, value: Any, *, high: float = math.inf) -> None:
    """A finite number in (0, high].

    Raises:
        ValueError: otherwise.
    """
    if not _is_number(value) or not 0 < value <= high:
        expected = "greater than 0" if math.isinf(high) else f"in (0, {high:g}]"
        raise ValueError(f"{name}: expected a finite number {expected}, found {value!r}")


def check_whole(name: str, value: Any, *, least: int = 1, most: int | None = None) -> None:
    """A whole number of at least ``least`` and, when given, at most ``most``.

    Raises:
        ValueError: otherwise.
    """
    whole = _is_number(value) and value == int(value)
    if not whole or value < least or (most is not None and value > most):
        expected = f"of at least {least}" if most is None else f"in [{least}, {most}]"
        raise ValueError(f"{name}: expected a whole number {expected}, found {value!r}")


def _is_number(value: Any) -> bool:
    try:
        return not isinstance(value, (bool, str)) and math.isfinite(value)
    except TypeError:
        return False
