"""``indist unlearn``: produces a submission by a built-in method."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from audits.report.numbers import counted
from indist import oracles
from indist._cli._errors import parse_settings
from indist._cli._options import Engine, Out, Resume, ScenarioOptions, scenario_options
from oracles.storage.shards import MANIFEST, check_store


@scenario_options
def unlearn(
    scenario: ScenarioOptions,
    method: Annotated[str, typer.Option(help="A name from indist unlearners.")],
    output: Out,
    references: Annotated[
        Path | None, typer.Option(help="Unlearn from the originals of this folder.")
    ] = None,
    models: Annotated[
        int | None, typer.Option(help="How many; all originals, or 256 new ones.", min=1)
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the unlearner.", min=0)] = 1,
    resume: Resume = False,
    engine: Engine = "local",
) -> None:
    """Produces a submission: a population unlearned by a built-in method.

    With --references, scenario and originals are those of that folder; without, new originals are
    trained for the scenario, which cost as much as one reference.
    """
    check_store(output, MANIFEST, "a population", resume=resume)
    # Here --set is of the method, not of the scenario.
    settings: dict[str, Any] = dict(parse_settings(scenario.settings))
    if references is not None:
        stored = oracles.load_references(
            references, learner=scenario.learner, scenario=scenario.name
        )
        world, original = stored.scenario, stored.original
        if world.name != scenario.name:
            raise ValueError(
                f"{references}: expected references of {scenario.name}, found those of {world.name}"
            )
    else:
        world = replace(scenario, settings=[]).load()
        original = oracles.train(
            world, "nothing", stream="original", models=models or 256, seed=seed
        )
    made = oracles.unlearn(
        world,
        original,
        method=method,
        seed=seed,
        models=models,
        directory=output,
        resume=resume,
        engine=engine,
        **settings,
    )
    typer.echo(f"{counted(made.models, 'model')} unlearned by {method} in {output}")
