"""Checks on the objects and names that users pass in, beside those on numbers in `checks`.

All floors use them: what is of the wrong kind is named with what was expected, and an unknown name
with the nearest that there is.
"""

import difflib
import math
import numbers
from collections.abc import Collection
from typing import Any

__all__ = ["check_kind", "check_like", "check_name"]


def check_kind(
    value: Any, name: str, kind: type[Any] | tuple[type[Any], ...], expected: str
) -> None:
    """An argument of the kind that is expected: the one door through which objects come.

    Args:
        value: what was handed over.
        name: of the argument.
        kind: of what class it must be, or of what classes one.
        expected: that kind in words, and where it comes from.

    Raises:
        TypeError: when it is of another.

    Example:
        >>> check_kind("runs/demo", "references", dict, "references, as load_references reads them")
        Traceback (most recent call last):
        TypeError: references: expected references, as load_references reads them, found 'runs/demo'
    """
    if not isinstance(value, kind):
        plain = value is None or isinstance(value, str | int | float)
        found = repr(value)[:60] if plain else type(value).__name__
        raise TypeError(f"{name}: expected {expected}, found {found}")


def check_like(value: Any, name: str, default: Any) -> None:
    """A setting of the kind that its default has.

    A whole number may stand where the default is a real one, and a list where it is a tuple, whose
    entries are like the default's first. NaN and infinity are no numbers. Where the default is of
    another kind, anything goes.

    Args:
        value: what was handed over.
        name: of the setting.
        default: its default.

    Raises:
        ValueError: when it is of another kind.

    Example:
        >>> check_like("8", "steps", default=420)
        Traceback (most recent call last):
        ValueError: steps: expected a whole number, found '8'
        >>> check_like([8, 8.5], "hidden", default=(128,))
        Traceback (most recent call last):
        ValueError: hidden: expected a list of which each is a whole number, found [8, 8.5]
    """
    if not _is_like(value, default):
        raise ValueError(f"{name}: expected {_kind_of(default)}, found {repr(value)[:60]}")


def _is_like(value: Any, default: Any) -> bool:
    if isinstance(default, bool | str):
        return isinstance(value, type(default))
    if isinstance(default, int | float):
        kind: Any = numbers.Integral if isinstance(default, int) else numbers.Real
        return isinstance(value, kind) and not isinstance(value, bool) and math.isfinite(value)
    if isinstance(default, tuple):
        held: Any = default
        return (
            isinstance(value, list | tuple)
            and all(
                _is_like(each, first)
                for each in value  # pyright: ignore[reportUnknownVariableType]
                for first in held[:1]
            )
        )
    return True


def _kind_of(default: Any) -> str:
    if isinstance(default, tuple):
        return f"a list of which each is {_kind_of(default[0])}" if default else "a list"
    kinds = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
    return kinds[type(default)]


def check_name(
    found: Any, what: str, known: Collection[str], expected: str = "one of", also: str = ""
) -> None:
    """A name that there is; of another, the message says which are nearest.

    Args:
        found: the name.
        what: it is of, such as ``method``.
        known: the names that there are.
        expected: how the list of them begins.
        also: what else would do, after the list.

    Raises:
        ValueError: when it is none of them.

    Example:
        >>> check_name("negrad", "method", ["finetune", "neggrad", "scrub"])
        Traceback (most recent call last):
        ValueError: method: expected one of finetune, neggrad, scrub, found 'negrad'; did you mean
        'neggrad'?
    """
    if isinstance(found, str) and found in known:
        return
    # Names may be a stranger's, and very many.
    names = list(known)[:1000]
    near = difflib.get_close_matches(str(found)[:60], names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    more = f" and {len(known) - 80} more" if len(known) > 80 else ""
    listed = f"{expected} {', '.join(names[:80]) or 'none'}{more}{also}"
    raise ValueError(f"{what}: expected {listed}, found {repr(found)[:60]}{hint}")
