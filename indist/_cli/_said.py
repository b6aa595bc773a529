"""What every audit prints: how many models there are, the answer, and where the report lies."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import typer

from audits.report.numbers import counted


@runtime_checkable
class Reported(Protocol):
    """A result that writes a report."""

    def report(self, directory: Path | str, *, replace: bool = False) -> None:
        """Writes it."""
        ...


def say_numbers(submitted: Sequence[int], **references: int) -> None:
    """How many models there are, before anything is computed: a pattern may fit others than meant.

    Args:
        submitted: models of each submission.
        **references: models by the kind of reference.
    """
    apart = f" in {len(submitted)} submissions" if len(submitted) > 1 else ""
    total = sum(references.values())
    kinds = ", ".join(f"{count} {kind}" for kind, count in references.items() if count)
    typer.echo(f"{sum(submitted)} submitted{apart}, {counted(total, 'reference')} ({kinds})\n")


def say(result: Reported, output: Path, force: bool) -> None:
    """Writes the report of a result, and prints it."""
    result.report(output, replace=force)
    say_result(result, output)


def say_result(result: Reported, output: Path) -> None:
    """Prints a result, and where its report lies."""
    typer.echo(str(result))
    typer.echo(f"\nReport: {output / 'report.html'}")
