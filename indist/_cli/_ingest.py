"""``indist ingest``: from any format to an observation array of indist's own."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from audits.report.numbers import counted
from indist import audits, oracles
from indist._cli._options import OwnLearner, OwnScenario
from indist._tables import write_table
from oracles.storage.arrays import npz_names


def ingest(
    submission: Annotated[Path, typer.Argument(help="A file or folder: see indist formats.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Array to write, without a suffix.")
    ],
    format: Annotated[str | None, typer.Option(help="Its format; by content if unsaid.")] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="JSON file of what it leaves unsaid.")
    ] = None,
    references: Annotated[
        str | None, typer.Option(help="Folder of references, whose probes models are run with.")
    ] = None,
    learner: OwnLearner = None,
    scenario: OwnScenario = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace files that are no such array.")
    ] = False,
) -> None:
    """Turns what somebody holds into an observation array that indist audit reads.

    A table has a line for each model and probe, in columns model, probe and group, and margin,
    probability, loss or logit_0, logit_1 and so on. What it leaves unsaid stands in --mapping.

    Feldman and Zhang's published scores of examples become a table.
    """
    if format is None and _ingest_scores(submission, output, force):
        return
    if not force:
        _check_array(output)
    content = audits.formats.read(submission, format, mapping=mapping)
    seen = content.seen
    if not isinstance(seen, oracles.Observations):
        if references is None:
            raise audits.SubmissionError(
                f"{submission}: holds {content.models} models; expected --references, whose "
                "probes and learner they are run with"
            )
        with Console(stderr=True).status("running the models at the references' probes"):
            stored = oracles.load_references(references, learner=learner, scenario=scenario)
            seen = seen.observe(stored.probes, stored.scenario.learner)
    about = {
        "name": content.name,
        "method": content.method,
        "seeds": content.seeds,
        "margins_only": content.margins_only or None,
    }
    seen.save(output, **{name: value for name, value in about.items() if value is not None})
    counts = ", ".join(
        f"{int((seen.groups == group).sum())} {group}"
        for group in oracles.PROBE_GROUPS
        if (seen.groups == group).any()
    )
    probes = counted(len(seen.ids), "probe")
    typer.echo(f"{content.name}: {counted(content.models, 'model')} at {probes} ({counts})")
    if content.left_out:
        typer.echo(f"left out: {counted(content.left_out, 'model')} whose numbers are not finite")
    typer.echo(f"{output}.safetensors and {output}.json; next:")
    beside = references or "REFERENCES"
    typer.echo(f"  indist audit {output}.safetensors --references {beside} -o report")


def _check_array(output: Path) -> None:
    """Refuses to replace files other than an observation array."""
    paths = [output.with_name(f"{output.name}.{kind}") for kind in ("json", "safetensors")]
    if not any(path.exists() for path in paths):
        return
    try:
        manifest = json.loads(paths[0].read_bytes())
    except (OSError, ValueError):
        manifest = None
    if not isinstance(manifest, dict) or manifest.get("format") != "indist-observations":
        _refuse(paths)


def _check_table(output: Path, columns: Sequence[str]) -> None:
    """Refuses to replace files other than a table of these columns."""
    paths = [output.with_name(f"{output.name}.{kind}") for kind in ("csv", "parquet")]
    if not any(path.exists() for path in paths):
        return
    head = f"{','.join(columns)}\n".encode()
    try:
        with paths[0].open("rb") as file:
            is_table = file.read(len(head)) == head
    except OSError:
        is_table = False
    if not is_table:
        _refuse(paths)


def _refuse(paths: Sequence[Path]) -> NoReturn:
    found = " and ".join(str(path) for path in paths if path.exists())
    raise ValueError(
        f"{found}: would be replaced, and was not made by indist ingest; give another name, or "
        "add --force to replace it"
    )


def _ingest_scores(path: Path, output: Path, force: bool) -> bool:
    """Writes what Feldman and Zhang published as a table; False for every other file."""
    if path.suffix != ".npz" or not path.is_file():
        return False
    import numpy as np
    import pandas as pd

    names = npz_names(path)
    if "tr_idx" in names:
        pairs = audits.read_influence_pairs(path)
        columns = ("train", "test", "influence", "memorization")
        scores = {name: getattr(pairs, name) for name in columns}
        what = "pairs of a training example and a test example"
    elif "tr_mem" in names or "memorization" in names:
        found = audits.read_memorization(path)
        scores = {"train": np.arange(len(found.memorization))}
        scores |= {} if found.labels is None else {"label": found.labels}
        scores |= {"memorization": found.memorization}
        what = "training examples"
    else:
        return False
    table = pd.DataFrame(scores)
    if not force:
        _check_table(output, list(table.columns))
    written = write_table(table, output)
    typer.echo(f"{path}: {len(table):,} {what} with their scores, and no models to audit")
    typer.echo(" and ".join(map(str, written)))
    return True
