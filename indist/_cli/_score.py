"""``indist score``: the literature's scores of a submission, each beside its null and ceiling."""

import sys
from dataclasses import asdict
from pathlib import Path

import sklearn
import typer
from rich.console import Console

from audits import load, score, versions
from indist._tables import write_table
from oracles import load_references
from oracles.storage.files import write_json_atomic


def run_score(
    submission: Path,
    references: str,
    output: Path | None,
    *,
    seed: int,
    confidence: float,
    learner: str | None,
    leave_out_damaged: bool,
) -> None:
    """Prints all scores that the submission allows, and writes them where a folder is named.

    Args:
        submission: the file or folder.
        references: folder of the references, or a URL.
        output: folder for ``scores.csv`` and ``scores.json``; None writes nothing.
        seed: of splits, resamples and shuffles.
        confidence: of each interval.
        learner: the learner of the references, where it is the user's own code.
        leave_out_damaged: go on without damaged shards of the references.

    Raises:
        ValueError: when a submission, references or a number are not what they should be.
    """
    if output is not None and output.exists() and not output.is_dir():
        raise ValueError(f"{output}: expected a folder to write the scores to, found a file")
    handed_in = load(submission)
    refs = load_references(references, learner=learner, leave_out_damaged=leave_out_damaged)
    waiting = "computing the scores: about a minute at 128 models in each population"
    with Console(stderr=True).status(waiting):
        board = score(handed_in, refs, seed=seed, confidence=confidence)
    typer.echo(str(board))
    if output is None:
        return
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
        "missing": [asdict(one) for one in board.missing],
        "versions": versions() | {"scikit-learn": sklearn.__version__},
    }
    write_json_atomic(output / "scores.json", about)
    typer.echo(f"\nScores: {', '.join(map(str, [*paths, output / 'scores.json']))}")
