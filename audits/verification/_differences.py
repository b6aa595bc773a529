"""Two records of numbers, the one as it was written and the other recomputed, compared in words."""

import math
from typing import Any

RELATIVE = 1e-9
ABSOLUTE = 1e-12
_NOTHING = "nothing"


def differences(where: str, certified: Any, recomputed: Any) -> list[str]:
    """One sentence for each value that differs, named by the keys that lead to it.

    Args:
        where: what both are, or an empty text.
        certified: JSON values as they were written.
        recomputed: the same, recomputed.
    """
    if isinstance(certified, dict) and isinstance(recomputed, dict):
        return [
            text
            for key in dict.fromkeys([*certified, *recomputed])
            for text in _of_key(f"{where}.{key}" if where else str(key), key, certified, recomputed)
        ]
    if isinstance(certified, list) and isinstance(recomputed, list):
        if len(certified) != len(recomputed):
            return [
                f"{where}: certified with {len(certified)} entries, recomputed {len(recomputed)}"
            ]
        return [
            text
            for place, (old, new) in enumerate(zip(certified, recomputed, strict=True))
            for text in differences(f"{where}[{place}]", old, new)
        ]
    if same(certified, recomputed):
        return []
    return [f"{where}: certified {_shown(certified)}, recomputed {_shown(recomputed)}"]


def _of_key(
    where: str, key: str, certified: dict[str, Any], recomputed: dict[str, Any]
) -> list[str]:
    if key in certified and key in recomputed:
        return differences(where, certified[key], recomputed[key])
    old = _shown(certified[key]) if key in certified else _NOTHING
    new = _shown(recomputed[key]) if key in recomputed else _NOTHING
    return [f"{where}: certified {old}, recomputed {new}"]


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}…"


def same(certified: Any, recomputed: Any) -> bool:
    """Whether two values are of one type and equal, numbers that are not whole up to rounding."""
    if isinstance(recomputed, float):
        if type(certified) not in (int, float):
            return False
        return math.isclose(certified, recomputed, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    # To Python, true and 1.0 equal 1.
    return type(certified) is type(recomputed) and certified == recomputed
