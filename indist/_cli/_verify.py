"""``indist verify``: recomputes a result from what is stored beside it."""

from pathlib import Path
from typing import Annotated

import typer

from indist import audits
from indist._cli._errors import CHECK_FAILED


def verify(
    result: Annotated[
        Path,
        typer.Argument(
            help="A folder made by indist audit or score -o, or the certificate.json, single.json, "
            "logs.json or scores.json in it."
        ),
    ],
    submission: Annotated[
        str | None,
        typer.Option(help="The submission itself: its digests, method and seeds are compared too."),
    ] = None,
) -> None:
    """Recomputes a result from what is stored beside it.

    The exit code is 1 on any difference, and 2 where a file is missing or cannot be read, as one
    whose bytes were changed may be.

    Says what was recomputed and equal, and what is only the auditor's word.
    """
    found = audits.verification(result, submission=submission)
    typer.echo(str(found))
    if found.differences:
        raise typer.Exit(CHECK_FAILED)
