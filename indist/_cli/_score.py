"""``indist score``: the literature's scores of a submission, each beside its null and ceiling."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from indist import audits, oracles
from indist._cli._options import Interval, LeaveOut, OwnLearner, OwnScenario
from oracles.storage.files import write_json_atomic


def score(
    submission: Annotated[Path, typer.Argument(help="Models: see indist formats.")],
    references: Annotated[str, typer.Option(help="Folder made by indist references.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder to write the table to.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of splits and resamples.", min=0)] = 0,
    confidence: Interval = 0.95,
    learner: OwnLearner = None,
    scenario: OwnScenario = None,
    leave_out_damaged: LeaveOut = False,
) -> None:
    """Gives the literature's scores under both references, each beside its null and ceiling."""
    if output is not None and output.exists() and not output.is_dir():
        raise ValueError(f"{output}: expected a folder to write the scores to, found a file")
    loaded = audits.load(submission)
    stored = oracles.load_references(
        references, learner=learner, scenario=scenario, leave_out_damaged=leave_out_damaged
    )
    waiting = "computing the scores: about a minute at 128 models in each population"
    with Console(stderr=True).status(waiting):
        board = audits.score(loaded, stored, seed=seed, confidence=confidence)
    typer.echo(str(board))
    if output is None:
        return
    import sklearn

    from indist._tables import write_table

    paths = write_table(board.to_dataframe(), output / "scores")
    about = {
        "command": " ".join(["indist", *sys.argv[1:]]),
        "submission": board.submission,
        "models": dict(board.sizes),
        "digests": dict(board.digests),
        "confidence": board.confidence,
        "splits": board.splits,
        "seed": board.seed,
        "scores": [asdict(row) for row in board.rows],
        "missing": [asdict(row) for row in board.missing],
        "versions": audits.versions() | {"scikit-learn": sklearn.__version__},
    }
    write_json_atomic(output / "scores.json", about)
    typer.echo(f"\nScores: {', '.join(map(str, [*paths, output / 'scores.json']))}")
