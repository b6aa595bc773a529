"""Checks on the objects and names that users pass in, beside those on numbers in `checks`.

All floors use them: what is of the wrong kind is named with what was expected, and an unknown name
with the nearest that there is.
"""

import difflib
import math
import numbers
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

__all__ = ["check_declared", "check_kind", "check_name"]


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


def check_declared(value: Any, name: str, declared: Any) -> None:
    """A setting of the type that its dataclass declares.

    A whole number may stand where a real one is declared, and a list where a tuple or a sequence
    is. True and false are no numbers; neither are NaN and infinity.

    Args:
        value: what was handed over.
        name: of the setting.
        declared: bool, int, float or str, a union of them, a tuple or sequence of one of them, or a
            literal of names.

    Raises:
        ValueError: when it is of another.

    Example:
        >>> check_declared("8", "steps", int)
        Traceback (most recent call last):
        ValueError: steps: expected a whole number, found '8'
        >>> check_declared([8, 8.5], "hidden", tuple[int, ...])
        Traceback (most recent call last):
        ValueError: hidden: expected whole numbers, separated by commas, found [8, 8.5]
    """
    if get_origin(declared) is Literal:
        check_name(value, name, get_args(declared))
    elif not _fits(value, declared):
        raise ValueError(f"{name}: expected {_called(declared)}, found {repr(value)[:60]}")


_TYPES: Mapping[Any, tuple[type[Any], str]] = {
    bool: (bool, "true or false"),
    int: (numbers.Integral, "whole number"),
    float: (numbers.Real, "number"),
    str: (str, "name"),
}
"""What is taken for each declared type, and what it is called."""


def _fits(value: Any, declared: Any) -> bool:
    if _is_sequence(declared):
        each = get_args(declared)[0]
        return isinstance(value, list | tuple) and all(_fits(item, each) for item in value)
    types = get_args(declared) or (declared,)
    if isinstance(value, bool):
        return bool in types
    is_finite = not isinstance(value, numbers.Real) or math.isfinite(value)
    return is_finite and any(isinstance(value, _TYPES[one][0]) for one in types)


def _called(declared: Any) -> str:
    if _is_sequence(declared):
        return f"{_TYPES[get_args(declared)[0]][1]}s, separated by commas"
    called = [_TYPES[one][1] for one in get_args(declared) or (declared,)]
    return " or ".join(one if one == "true or false" else f"a {one}" for one in called)


def _is_sequence(declared: Any) -> bool:
    return get_origin(declared) in (tuple, Sequence)


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
