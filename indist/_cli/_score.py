"""``indist score``: the literature's scores of a submission, each beside its null and ceiling."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from audits.report.folders import check_result_folder
from indist import audits
from indist._cli._held import Original, References, Unlearning, Untraining, references_held
from indist._cli._options import Force, Interval, LeaveOut, OwnLearner, OwnScenario


def score(
    submission: Annotated[Path, typer.Argument(help="Models: see indist formats.")],
    references: References = None,
    untraining: Untraining = None,
    unlearning: Unlearning = None,
    original: Original = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder to write the table to.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of splits and resamples.", min=0)] = 0,
    confidence: Interval = 0.95,
    learner: OwnLearner = None,
    scenario: OwnScenario = None,
    leave_out_damaged: LeaveOut = False,
    force: Force = False,
) -> None:
    """Gives the literature's scores under both references, each beside its null and ceiling."""
    if output is not None and output.exists() and not output.is_dir():
        raise ValueError(f"{output}: expected a folder to write the scores to, found a file")
    loaded = audits.load(submission)
    if output is not None:
        known = {"submission": loaded.name, "seed": seed, "confidence": confidence}
        check_result_folder(output, "scores.json", known, replace=force)
    stored = references_held(
        references,
        {"untraining": untraining, "unlearning": unlearning, "original": original},
        learner=learner,
        scenario=scenario,
        leave_out_damaged=leave_out_damaged,
    )
    waiting = "computing the scores: about a minute at 128 models in each population"
    with Console(stderr=True).status(waiting):
        board = audits.score(loaded, stored, seed=seed, confidence=confidence)
    # Written before anything is printed: who reads the text may stop reading.
    if output is not None:
        board.report(output, command=" ".join(["indist", *sys.argv[1:]]), replace=force)
    typer.echo(str(board))
    if output is None:
        return
    names = ("scores.csv", "scores.parquet", "scores.json")
    paths = [output / name for name in names if (output / name).exists()]
    typer.echo(f"\nScores: {', '.join(map(str, paths))}")
