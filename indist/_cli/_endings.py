"""Ends from outside: Ctrl-C, SIGTERM and SIGHUP, heard from the first moment on.

Nothing is imported here that takes time, so that a signal during the start ends in a sentence, too.
"""

import os
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any

# As shells do for a program that a signal ends.
SIGNALLED = 128
# Seconds.
_SOON = 0.02


class Ended(BaseException):
    """The process was asked to end; no handler of errors on the way is to take it for one."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number
        # What the command that was ended has kept; set where it is known.
        self.kept = ""


def end_on_signals() -> None:
    """Lets signals end this process by an exception, so that nothing is left behind.

    A signal that is ignored, as SIGHUP is under nohup, stays so. A second one ends it at once.
    """
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        usual = (signal.SIG_DFL, signal.default_int_handler)
        if number is not None and signal.getsignal(number) in usual:
            signal.signal(number, _end)
    sys.unraisablehook = _end_again


def _end(number: int, _: object) -> None:
    # A second one ends the process at once.
    signal.signal(number, signal.SIG_DFL)
    raise Ended(number)


def _end_again(lost: Any) -> None:
    """Where an error cannot be raised, as in what collects garbage, Python drops it: once more."""
    if not isinstance(lost.exc_value, Ended) or not hasattr(signal, "setitimer"):
        sys.__unraisablehook__(lost)
        return
    ended = Ended(lost.exc_value.number)

    def end(*_: object) -> None:
        raise ended

    signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, _SOON)


def _ended(error: BaseException | None) -> Ended | None:
    """What ended the process, also where an extension that was being loaded made it its own."""
    while error is not None and not isinstance(error, Ended):
        error = error.__cause__ or error.__context__
    return error


@contextmanager
def plain_ends() -> Generator[None]:
    """Turns an end by a signal into a sentence on standard error and the usual exit code."""
    try:
        yield
    except BaseException as error:
        ended = _ended(error)
        if ended is None:
            raise
        name = signal.Signals(ended.number).name
        with suppress(OSError, ValueError):
            sys.stdout.flush()
        with suppress(OSError, ValueError):
            sys.stderr.write(f"indist: ended by {name}{ended.kept}\n")
            sys.stderr.flush()
        # All that this command began was unwound by now. Threads of compiled programs may still
        # run, and tearing down what they use would end in a crash.
        os._exit(SIGNALLED + ended.number)
