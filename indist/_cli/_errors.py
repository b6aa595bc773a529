"""What a user sees when something is wrong: one sentence and an exit code, never a traceback."""

import functools
from collections.abc import Callable
from typing import Literal, ParamSpec

import typer
from rich.console import Console
from rich.text import Text

from oracles.storage.files import printable

Arguments = ParamSpec("Arguments")

CHECK_FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 130


def plain_errors(command: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """Turns the errors of a user's mistake into a sentence on standard error and exit code 2."""

    @functools.wraps(command)
    def wrapped(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except (ValueError, OSError) as error:
            _say(f"indist: {error}")
            raise typer.Exit(BAD_INPUT) from None
        except KeyboardInterrupt:
            _say("indist: interrupted; finished models are kept, --resume continues")
            raise typer.Exit(INTERRUPTED) from None

    return wrapped


def _say(text: str) -> None:
    Console(stderr=True).print(Text(" ".join(printable(text).split())), soft_wrap=True)


def parse_settings(pairs: list[str], option: str = "--set") -> dict[str, bool | int | float | str]:
    """``["learning_rate=0.1"]`` as ``{"learning_rate": 0.1}``.

    Raises:
        ValueError: when a pair has no ``=`` or a name is given twice.
    """
    settings: dict[str, bool | int | float | str] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name.isidentifier():
            raise ValueError(f"{option}: expected NAME=VALUE, found {pair!r}")
        if name in settings:
            raise ValueError(f"{option}: expected each name once, found {name!r} twice")
        settings[name] = _value(text)
    return settings


def parse_tolerance(text: str) -> float | Literal["calibrated"]:
    """A tolerance as typed: a number, or the word ``calibrated``.

    Raises:
        ValueError: for anything else.
    """
    if text == "calibrated":
        return "calibrated"
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"tolerance: expected a number or calibrated, found {text!r}") from None


def _value(text: str) -> bool | int | float | str:
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
