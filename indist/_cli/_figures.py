"""``indist figures``: the paper's figures, with the numbers of each beside it."""

from pathlib import Path
from typing import Annotated

import typer

from indist._cli._options import Models, Out, Seed
from oracles.storage.folders import check_folder
from oracles.storage.locks import locked


def figures(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME ...]", help="Which; all if unsaid.")
    ] = None,
    output: Out = Path("figures"),
    models: Models = 256,
    seed: Seed = 0,
    results: Annotated[
        Path | None,
        typer.Option(
            help="Folder of finished studies (NAME.csv); others are run on their quick setting."
        ),
    ] = None,
) -> None:
    """Makes the paper's figures: PDF, SVG and PNG at two widths, the numbers beside them as CSV.

    Populations are kept in the folder: running it again only draws.
    """
    from indist import figures

    work = figures.Work(output / "work", models, seed, results)
    pictures = [f"{name}{end}" for name in figures.FIGURES for end in (".csv", "-*")]
    check_folder(output, own=("work", *pictures))
    with locked(output, nested=True):
        for name, paths in figures.make(names or (), output, work):
            typer.echo(f"{name}: {figures.FIGURES[name].title}")
            typer.echo(f"  {', '.join(str(path) for path in paths)}")
