"""The ``indist`` command, assembled from its subcommands: a file each."""

from collections.abc import Callable
from typing import Annotated

import typer

from indist._cli._audit import audit
from indist._cli._certify import certify
from indist._cli._coins import draw
from indist._cli._demo import demo
from indist._cli._errors import plain_errors
from indist._cli._figures import figures
from indist._cli._formats import formats
from indist._cli._ingest import ingest
from indist._cli._kinds import learners, scenarios, unlearners
from indist._cli._memorize import memorize
from indist._cli._options import RememberingCommand
from indist._cli._plan import plan
from indist._cli._references import references
from indist._cli._score import score
from indist._cli._study import study
from indist._cli._unlearn import unlearn
from indist._cli._verify import verify
from indist._version import __version__

app = typer.Typer(
    help="Is the output of an unlearning algorithm distributed like a model that never trained on "
    "the forget set (untraining), like one that never trained on any instance of the behaviour "
    "(unlearning), like both, or like neither?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _print_version(wanted: bool) -> bool:
    if wanted:
        typer.echo(f"indist {__version__}")
        raise typer.Exit
    return wanted


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


def _add(*commands: Callable[..., None]) -> None:
    """Adds subcommands in the order of ``indist --help``."""
    for command in commands:
        app.command(cls=RememberingCommand)(plain_errors(command))


_add(demo, references, unlearn, plan, audit, score, verify, certify, memorize, ingest, formats)
_add(study, figures, scenarios, unlearners, learners)

_coins = typer.Typer(
    help="Designs by coins: one model is enough to convict, without any reference.",
    no_args_is_help=True,
)
_coins.command(cls=RememberingCommand)(plain_errors(draw))
app.add_typer(_coins, name="coins")
