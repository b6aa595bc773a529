"""Numbers of rows as people read them: two decimals, and no interval made tighter by rounding."""

import math
from collections.abc import Mapping
from typing import Any


def shown_ends(low: float, high: float) -> str:
    """An interval, rounded outward.

    Example:
        >>> shown_ends(0.412, 0.588)
        '[0.41, 0.59]'
    """
    return f"[{math.floor(100 * low) / 100:.2f}, {math.ceil(100 * high) / 100:.2f}]"


def shown_interval(value: float, low: float, high: float) -> str:
    """A number with its interval, rounded outward.

    Example:
        >>> shown_interval(0.5, 0.412, 0.588)
        '0.50 [0.41, 0.59]'
    """
    return f"{value:.2f} {shown_ends(low, high)}"


def shown_range(row: Mapping[Any, Any], name: str) -> str:
    """A number of a row with the ends beside it, rounded outward.

    Example:
        >>> shown_range({"gone": 0.5, "gone_low": 0.129, "gone_high": 0.701}, "gone")
        '0.50 [0.12, 0.71]'
    """
    return shown_interval(row[name], row[f"{name}_low"], row[f"{name}_high"])
