"""References that a command is given: indist's own folder, or anybody's of any format."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from indist import audits, oracles

_OWN = "references.json"

References = Annotated[
    str | None,
    typer.Option(
        help="Models: folder made by indist references, or one of untraining, unlearning and "
        "perhaps original in any format that indist formats lists."
    ),
]
Untraining = Annotated[
    list[str] | None,
    typer.Option(help="Models or logs of those trained without the forget set; may be repeated."),
]
Unlearning = Annotated[
    list[str] | None,
    typer.Option(help="Models or logs of those that never saw the behaviour; may be repeated."),
]
Original = Annotated[list[str] | None, typer.Option(help="Models before unlearning.")]


def references_held(
    folder: str | None,
    parts: Mapping[str, Sequence[str] | None],
    *,
    learner: str | None,
    scenario: str | None,
    leave_out_damaged: bool = False,
) -> "oracles.References | audits.ObservedReferences":
    """The references that options name.

    Args:
        folder: ``--references``: a folder or URL that `oracles.references` wrote, or a folder whose
            files are named after the populations; None where each is named by itself.
        parts: paths or patterns of each population, by name; None or nothing where unsaid.
        learner: the learner of indist's own references, where it is the user's code; else that of
            the scenario.
        scenario: the scenario file of indist's own references, where it lies elsewhere; else the
            scenario at whose probes models are run.
        leave_out_damaged: go on without damaged shards of indist's own references.

    Raises:
        ValueError: when they cannot be read.
    """
    given = {name: tuple(paths) for name, paths in parts.items() if paths}
    if folder is not None and given:
        raise ValueError(f"--{next(iter(given))}: expected without --references")
    if folder is None and not {"untraining", "unlearning"} <= set(given):
        found = " and ".join(f"--{name}" for name in given) or "neither"
        raise ValueError(
            "expected --references, or --untraining and --unlearning, as models are compared with "
            f"both references; found {found}"
        )
    if folder is not None and not _is_anybodys(folder):
        return oracles.load_references(
            folder, learner=learner, scenario=scenario, leave_out_damaged=leave_out_damaged
        )
    if leave_out_damaged:
        raise ValueError("--leave-out-damaged: expected with references that indist made only")
    if scenario is None and learner is not None:
        raise ValueError("--learner: expected --scenario beside it, at whose probes it is run")
    world = None
    if scenario is not None:
        world = oracles.scenarios.load(scenario, seed=0, learner=learner)
    if folder is not None:
        return audits.ObservedReferences.read(folder, scenario=world)
    named: dict[str, Any] = given
    return audits.ObservedReferences(**named, scenario=world)


def _is_anybodys(folder: str) -> bool:
    """Whether it is a local folder, without indist's own manifest of references."""
    where = Path(folder)
    return where.is_dir() and not (where / _OWN).exists()
