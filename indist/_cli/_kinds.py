"""``indist scenarios``, ``unlearners`` and ``learners``: what there is, a line or a page each."""

import inspect
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from estimators.kinds import check_name
from indist import oracles

Named = Annotated[str | None, typer.Argument(help="Of this one: what it is, and its settings.")]


def scenarios(name: Named = None) -> None:
    """Lists the built-in scenarios, a line each."""
    _show("scenario", name, oracles.scenarios.SCENARIOS)


def unlearners(name: Named = None) -> None:
    """Lists the built-in unlearners, a line each."""
    _show("method", name, oracles.unlearners.UNLEARNERS)
    for oracle, kind in oracles.ORACLES.items() if name is None else ():
        typer.echo(f"beside them {oracle}: {kind.title}")


def learners(name: Named = None) -> None:
    """Lists the learners that a scenario can be given, a line each."""
    _show("learner", name, oracles.learners.LEARNERS)


def _show(heading: str, name: str | None, kinds: Any) -> None:
    """A line for each of what can be made, or all about one of them."""
    if name is None:
        table = Table(heading, "what it is", box=None)
        for key, kind in kinds.items():
            table.add_row(key, escape((inspect.getdoc(kind) or "").split("\n")[0]))
        Console().print(table)
        return
    check_name(name, heading, kinds)
    typer.echo(inspect.getdoc(kinds[name]))
    table = Table("setting", "default", box=None)
    for parameter in inspect.signature(kinds[name]).parameters.values():
        if parameter.name not in ("train", "classes"):
            default = "" if parameter.default is parameter.empty else str(parameter.default)
            table.add_row(parameter.name, escape(default))
    Console().print(table)
