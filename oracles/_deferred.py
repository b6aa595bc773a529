"""Deferred calls: `functools.partial`, whose text a manifest can state before it is carried out."""

from functools import partial
from typing import Any


def describe(call: Any) -> str:
    """A deferred call as the Python expression it stands for, the same in every process.

    Args:
        call: a `functools.partial` of a named function, perhaps with deferred calls as arguments,
            or a number, string, bool, None, or a tuple, list or dictionary of those.

    Raises:
        ValueError: for anything whose text would not say what it does, such as a lambda.

    Example:
        >>> import optax
        >>> describe(partial(optax.sgd, 0.1, momentum=0.9))
        'optax.sgd(0.1, momentum=0.9)'
    """
    if isinstance(call, partial):
        arguments = [describe(value) for value in call.args]
        arguments += [f"{name}={describe(value)}" for name, value in call.keywords.items()]
        return f"{_name(call.func)}({', '.join(arguments)})"
    if isinstance(call, (tuple, list)):
        return f"({', '.join(describe(value) for value in call)})"
    if isinstance(call, dict):
        pairs = (f"{describe(key)}: {describe(value)}" for key, value in call.items())
        return f"{{{', '.join(pairs)}}}"
    if call is None or isinstance(call, (bool, int, float, str)):
        return repr(call)
    raise ValueError(
        "recipe: expected functools.partial of a named function, or a plain value, "
        f"found {type(call).__name__}"
    )


def build(call: Any) -> Any:
    """Carries out a deferred call, inner ones first."""
    if isinstance(call, partial):
        arguments = [build(value) for value in call.args]
        keywords = {name: build(value) for name, value in call.keywords.items()}
        return call.func(*arguments, **keywords)
    if isinstance(call, (tuple, list)):
        return tuple(build(value) for value in call)
    if isinstance(call, dict):
        return {key: build(value) for key, value in call.items()}
    return call


def _name(function: Any) -> str:
    name = getattr(function, "__qualname__", "")
    if not name or "<" in name:
        raise ValueError(f"recipe: expected a named function, found {name or function!r}")
    return f"{function.__module__.split('.')[0]}.{name}"
