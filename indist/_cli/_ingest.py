"""Formats of what people hold, and from any of them to an observation array of indist's own."""

from pathlib import Path

import numpy as np
import pandas as pd
import typer
from rich.console import Console
from rich.table import Table

from audits import SubmissionError, formats, read_influence_pairs, read_memorization
from indist._tables import write_table
from oracles import PROBE_GROUPS, Observations, load_references
from oracles.storage.arrays import npz_names

NATIVE = {
    "population": "folder of manifest.json and .safetensors shards, as indist unlearn writes it",
    "observations": ".npz or .safetensors array of logits with its .json manifest beside it",
}

PUBLISHED = {
    "influence-pairs": ".npz of Feldman and Zhang's tr_idx, tt_idx, infl and mem; made a table",
    "memorization": ".npz of Feldman and Zhang's tr_mem or memorization; made a table",
}
"""Scores of examples, and no models: there is nothing in them to audit."""


def run_formats() -> None:
    """Prints the formats that `run_ingest` reads."""
    table = Table("format", "what it is")
    for name, title in NATIVE.items():
        table.add_row(name, title)
    for name, kind in formats.FORMATS.items():
        # Extras stand in brackets, which are rich's own marks otherwise.
        table.add_row(name, kind.title.replace("[", "\\["))
    for name, title in PUBLISHED.items():
        table.add_row(name, title)
    Console().print(table)


def run_ingest(
    path: Path,
    output: Path,
    *,
    format: str | None,
    mapping: Path | None,
    references: str | None,
    learner: str | None,
) -> None:
    """Reads a submission, runs its models where it has no observations, and writes an array.

    Published scores of examples are written as a table.

    Args:
        path: the file or folder.
        output: where ``.safetensors`` and ``.json`` go, without either suffix.
        format: name of its format, or None to look at its content.
        mapping: JSON file of what it leaves unsaid, or None for the one beside it.
        references: folder whose probes and learner models are run with, or None.
        learner: the learner of the references, where it is the user's own code.

    Raises:
        ValueError: when the submission cannot be read, or holds models and there are no references.
    """
    if format is None and _ingest_scores(path, output):
        return
    content = formats.read(path, format, mapping=mapping)
    seen = content.seen
    if not isinstance(seen, Observations):
        if references is None:
            raise SubmissionError(
                f"{path}: holds {content.models} models; expected --references, whose probes and "
                "learner they are run with"
            )
        with Console(stderr=True).status("running the models at the references' probes"):
            given = load_references(references, learner=learner)
            seen = seen.observe(given.probes, given.scenario.learner)
    about = {
        "name": content.name,
        "method": content.method,
        "seeds": content.seeds,
        "margins_only": content.margins_only or None,
    }
    seen.save(output, **{name: value for name, value in about.items() if value is not None})
    counts = ", ".join(
        f"{int((seen.groups == group).sum())} {group}"
        for group in PROBE_GROUPS
        if (seen.groups == group).any()
    )
    typer.echo(f"{content.name}: {content.models} models at {len(seen.ids)} probes ({counts})")
    if content.left_out:
        typer.echo(f"left out: {content.left_out} models whose numbers are not finite")
    typer.echo(f"{output}.safetensors and {output}.json; next: indist audit {output}.safetensors")


def _ingest_scores(path: Path, output: Path) -> bool:
    """Writes what Feldman and Zhang published as a table; False for every other file."""
    if path.suffix != ".npz" or not path.is_file():
        return False
    names = npz_names(path)
    if "tr_idx" in names:
        pairs = read_influence_pairs(path)
        columns = ("train", "test", "influence", "memorization")
        scores = {name: getattr(pairs, name) for name in columns}
        what = "pairs of a training example and a test example"
    elif "tr_mem" in names or "memorization" in names:
        found = read_memorization(path)
        scores = {"train": np.arange(len(found.memorization))}
        scores |= {} if found.labels is None else {"label": found.labels}
        scores |= {"memorization": found.memorization}
        what = "training examples"
    else:
        return False
    table = pd.DataFrame(scores)
    written = write_table(table, output)
    typer.echo(f"{path}: {len(table):,} {what} with their scores, and no models to audit")
    typer.echo(" and ".join(map(str, written)))
    return True
