"""``indist verify``: recomputes a certificate from the stored observations."""

from pathlib import Path
from typing import Annotated

import typer

from indist import audits
from indist._cli._errors import CHECK_FAILED


def verify(
    certificate: Annotated[Path, typer.Argument(help="A certificate.json, its folder beside it.")],
) -> None:
    """Recomputes a certificate from the stored observations; exit code 1 on any difference."""
    differences = audits.verify(certificate)
    for difference in differences:
        typer.echo(difference)
    if differences:
        raise typer.Exit(CHECK_FAILED)
    typer.echo(f"{certificate}: every number and digest recomputed and equal")
