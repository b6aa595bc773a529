"""``indist study``: fills a study's table, shows it, and writes it with what made it."""

import sys
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import jax
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from indist._tables import write_table
from indist._version import __version__
from indist.studies import STUDIES, Study
from oracles.storage.files import write_json_atomic

_COLOURS = {
    "untraining": "cyan",
    "unlearning": "green",
    "both": "blue",
    "neither": "red",
    "inconclusive": "yellow",
    "contradicted": "red",
    "not contradicted": "green",
    "supported": "green",
    "refuted": "red",
    "undetermined": "yellow",
    "tells": "green",
    "cannot tell": "red",
    "ranks like it": "green",
    "does not": "red",
    "reached": "green",
    "not reached": "red",
}


def run_study(name: str, folder: Path, *, quick: bool, said: dict[str, Any]) -> None:
    """Runs a study in a folder, continuing what is already there.

    Args:
        name: one of `STUDIES`.
        folder: where cells and populations are kept, and the table is written.
        quick: the study's settings for a run of minutes, where nothing else is said.
        said: settings, by name.

    Raises:
        ValueError: for an unknown study, or a setting that it does not have.
    """
    study = _chosen(name, quick, said)
    console = Console()
    if not console.is_terminal:
        console = Console(width=120)
    console.print(study.question)
    rows: list[dict[str, Any]] = []
    for row in study.run(folder):
        rows.append(row)
        called = ", ".join(str(row[column]) for column in study.names)
        found = row.get(study.finding) or row.get("not_applicable") or ""
        console.print(f"{len(rows):4d}  {called}: {found}", markup=False, highlight=False)
    answer = study.answer(rows)
    paths = write_table(study.table(rows), folder / name)
    about = {
        "study": name,
        "question": study.question,
        "answer": list(answer),
        "command": " ".join(["indist", *sys.argv[1:]]),
        "settings": asdict(study),  # pyright: ignore[reportArgumentType]  (each is a dataclass)
        "indist": __version__,
        "jax": jax.__version__,
        "backend": jax.default_backend(),
    }
    write_json_atomic(folder / f"{name}.json", about)
    for title, lines in study.shown(rows).items():
        console.print(_drawn(title, lines))
    for row in rows:
        if "not_applicable" in row:
            called = ", ".join(str(row[column]) for column in study.names)
            console.print(f"{called}: {row['not_applicable']}", markup=False, highlight=False)
    for sentence in answer:
        console.print(sentence, markup=False, highlight=False)
    console.print(f"Table: {', '.join(map(str, paths))}")


def _chosen(name: str, quick: bool, said: dict[str, Any]) -> Study:
    if name not in STUDIES:
        raise ValueError(f"study: expected one of {', '.join(STUDIES)}, found {name!r}")
    kind: Any = STUDIES[name]
    known = [field.name for field in fields(kind)]
    for setting in said:
        if setting not in known:
            raise ValueError(f"study {name}: expected one of {', '.join(known)}, found {setting!r}")
    return kind(**((kind.quick if quick else {}) | said))


def _drawn(title: str, lines: list[dict[str, str]]) -> Table:
    drawn = Table(title=title, box=SIMPLE_HEAD, title_justify="left")
    for heading in lines[0] if lines else ():
        drawn.add_column(heading, overflow="fold")
    for line in lines:
        drawn.add_row(
            *(
                f"[{_COLOURS[cell]}]{cell}[/]" if cell in _COLOURS else escape(cell)
                for cell in line.values()
            )
        )
    return drawn
