"""What a user sees when something is wrong: one sentence and an exit code, never a traceback."""

import functools
import inspect
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Literal, ParamSpec

import typer
from rich.console import Console
from rich.text import Text

from indist._cli._endings import SIGNALLED, Ended
from oracles.storage.files import printable

Arguments = ParamSpec("Arguments")

CHECK_FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 130
_PIPE_CLOSED = SIGNALLED + 13
# Commands that go on from what lies in their folder, without being asked to.
_CONTINUING = ("demo", "study", "figures")


def plain_errors(command: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """Turns the errors of a user's mistake into a sentence on standard error and exit code 2."""
    kept = _kept(command)

    @functools.wraps(command)
    def wrapped(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except Ended as ended:
            ended.kept = kept
            raise
        except BrokenPipeError:
            _drop_output()
            raise typer.Exit(_PIPE_CLOSED) from None
        except (ValueError, OSError) as error:
            say(f"indist: {_sentence(error)}")
            raise typer.Exit(BAD_INPUT) from None
        except (MemoryError, RuntimeError) as error:
            # XLA has no error of its own for it.
            if not isinstance(error, MemoryError) and "RESOURCE_EXHAUSTED" not in str(error):
                raise
            detail = str(error).partition("\n")[0]
            shown = f" ({detail})" if detail else ""
            say(f"indist: out of memory{shown}{kept}")
            raise typer.Exit(BAD_INPUT) from None
        except KeyboardInterrupt:
            say(f"indist: interrupted{kept}")
            raise typer.Exit(INTERRUPTED) from None

    return wrapped


def _kept(command: Callable[..., None]) -> str:
    """What a command keeps when it is ended, and how it continues; empty for most."""
    if "resume" in inspect.signature(command).parameters:
        return "; finished models are kept, --resume continues"
    if command.__name__ in _CONTINUING:
        return "; finished models are kept, running it again continues"
    return ""


def _sentence(error: ValueError | OSError) -> str:
    """What an error says; one of the system's names the file and comes without its number."""
    if not isinstance(error, OSError) or not error.strerror:
        return str(error)
    where = f"{error.filename}: " if error.filename else ""
    if not error.errno:
        return f"{where}{error.strerror}"
    return f"{where}cannot be read or written ({error.strerror})"


def _drop_output() -> None:
    """Sends what is still to be written nowhere: who read it, such as head, has gone."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(text: str) -> None:
    """A sentence on standard error."""
    Console(stderr=True).print(Text(" ".join(printable(text).split())), soft_wrap=True)


Setting = bool | int | float | str
"""A setting as typed."""


def parse_settings(
    pairs: list[str], option: str = "--set"
) -> dict[str, Setting | tuple[int | float, ...]]:
    """``["learning_rate=0.1", "hidden=64,64"]`` as ``{"learning_rate": 0.1, "hidden": (64, 64)}``.

    Raises:
        ValueError: when a pair has no ``=`` or a name is given twice.
    """
    settings: dict[str, Setting | tuple[int | float, ...]] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name.isidentifier():
            raise ValueError(f"{option}: expected NAME=VALUE, found {pair!r}")
        if name in settings:
            raise ValueError(f"{option}: expected each name once, found {name!r} twice")
        settings[name] = _numbers(text) or parse_value(text)
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


def parse_numbers(option: str, text: str | None) -> tuple[int, ...] | None:
    """Numbers of models as typed, separated by commas; None if nothing was.

    Raises:
        ValueError: when one is no whole number.
    """
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    wrong = [part for part in parts if not (part.isascii() and part.isdecimal())]
    if wrong:
        raise ValueError(
            f"{option}: expected whole numbers with commas, as 128,256,512, found {wrong[0][:60]!r}"
        )
    return tuple(map(int, parts))


def _numbers(text: str) -> tuple[int | float, ...] | None:
    """Numbers with commas between them, or None."""
    parts = text.split(",")
    values = [parse_value(part) for part in parts]
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    return tuple(numbers) if len(numbers) == len(parts) > 1 else None


def parse_value(text: str) -> Setting:
    """A value as typed: true or false, a number, or else the text itself."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
