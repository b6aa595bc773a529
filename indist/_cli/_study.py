"""``indist study``: fills a study's table, shows it, and writes it with what made it."""

import sys
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Annotated, Any, get_origin

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from estimators.kinds import check_name
from indist import studies
from indist._cli._colours import COLOURS
from indist._cli._errors import parse_settings, parse_value
from indist._cli._options import Out
from indist._version import __version__
from oracles.storage.files import write_json_atomic
from oracles.storage.folders import check_folder
from oracles.storage.locks import locked

# Folders in which studies keep what they go on from.
_KEPT = ("cells", "populations", "references", "runs", "pools", "without the rest")


def study(
    name: Annotated[str, typer.Argument(help="Which: an unknown name lists them all.")],
    output: Out,
    quick: Annotated[bool, typer.Option("--quick", help="Smaller: minutes.")] = False,
    models: Annotated[
        int | None,
        typer.Option(help="Models in each population; else the study's own.", min=2),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of data and populations; else the study's own.", min=0)
    ] = None,
    scenario: Annotated[
        list[str] | None, typer.Option(help="Only this scenario; may be repeated.")
    ] = None,
    method: Annotated[
        list[str] | None, typer.Option(help="Only this unlearner; may be repeated.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="A setting, several values with commas; may be repeated.",
        ),
    ] = None,
) -> None:
    """Answers one question over many unlearners, as a table with intervals.

    Running it again in the same folder continues where it stopped.
    """
    changes: dict[str, Any] = {"models": models, "seed": seed}
    changes = {setting: value for setting, value in changes.items() if value is not None}
    changes |= {"scenarios": tuple(scenario)} if scenario else {}
    changes |= {"methods": tuple(method)} if method else {}
    chosen = _chosen(name, quick, changes | parse_settings(settings or []))
    check_folder(output, marks=(f"{name}.json",), own=(f"{name}.*", *_KEPT))
    with locked(output, nested=True):
        _run(chosen, name, output)


def _run(study: "studies.Study[Any]", name: str, folder: Path) -> None:
    """Continues what is already in the folder, and writes the table when it is whole."""
    import jax

    from indist._tables import write_table

    console = Console()
    if not console.is_terminal:
        console = Console(width=120)
    console.print(study.question)
    about: dict[str, Any] = {
        "study": name,
        "question": study.question,
        "answer": [],
        "command": " ".join(["indist", *sys.argv[1:]]),
        "settings": asdict(study),  # pyright: ignore[reportArgumentType]  (each is a dataclass)
        "indist": __version__,
        "jax": jax.__version__,
        "backend": jax.default_backend(),
    }
    if not (folder / f"{name}.json").exists():
        # Without the answer yet: it says whose folder this is, so that no other study begins in it.
        write_json_atomic(folder / f"{name}.json", about)
    rows: list[Any] = []
    for row in study.run(folder):
        rows.append(row)
        record = row.record()
        found = record.get(study.finding) or record.get("not_applicable") or ""
        called = _called(study, record)
        console.print(f"{len(rows):4d}  {called}: {found}", markup=False, highlight=False)
    answer = study.answer(rows)
    paths = write_table(study.table(rows), folder / name)
    write_json_atomic(folder / f"{name}.json", about | {"answer": list(answer)})
    for title, lines in study.shown(rows).items():
        console.print(_drawn(title, lines))
    for record in (row.record() for row in rows):
        if "not_applicable" in record:
            text = f"{_called(study, record)}: {record['not_applicable']}"
            console.print(text, markup=False, highlight=False)
    for sentence in answer:
        console.print(sentence, markup=False, highlight=False)
    console.print(f"Table: {', '.join(map(str, paths))}")


def _called(study: "studies.Study[Any]", record: Mapping[str, Any]) -> str:
    return ", ".join(str(record[column]) for column in study.names)


def _chosen(name: str, quick: bool, changes: dict[str, Any]) -> "studies.Study[Any]":
    check_name(name, "study", studies.STUDIES)
    kind: Any = studies.STUDIES[name]
    declared = {field.name: field.type for field in fields(kind)}
    for setting, value in changes.items():
        check_name(setting, f"study {name}", declared)
        if get_origin(declared[setting]) is tuple and not isinstance(value, tuple):
            parts = value.split(",") if isinstance(value, str) else [str(value)]
            changes[setting] = tuple(parse_value(part.strip()) for part in parts)
    return kind(**((kind.quick if quick else {}) | changes))


def _drawn(title: str, lines: list[dict[str, str]]) -> Table:
    drawn = Table(title=title, box=SIMPLE_HEAD, title_justify="left")
    for heading in lines[0] if lines else ():
        drawn.add_column(heading, overflow="fold")
    for line in lines:
        drawn.add_row(
            *(
                f"[{COLOURS[cell]}]{cell}[/]" if cell in COLOURS else escape(cell)
                for cell in line.values()
            )
        )
    return drawn
