"""``indist references``: trains the original population and both references of a scenario."""

from typing import Annotated

import typer

from audits.report.numbers import counted
from indist import oracles
from indist._cli._options import (
    Engine,
    Models,
    OutAnywhere,
    Resume,
    ScenarioOptions,
    Seed,
    scenario_options,
)


@scenario_options
def references(
    scenario: ScenarioOptions,
    output: OutAnywhere,
    models: Models = 256,
    seed: Seed = 0,
    resume: Resume = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Train damaged shards again, then continue.")
    ] = False,
    engine: Engine = "local",
    chunk: Annotated[
        int, typer.Option(help="Models a shard: what a killed run can lose.", min=1)
    ] = 32,
    width: Annotated[
        int | None,
        typer.Option(help="Models a device in one compiled program; part of the recipe.", min=1),
    ] = None,
) -> None:
    """Trains the original population and both references of a scenario."""
    chosen = oracles.engines.engine(engine)
    world = scenario.load()
    for shard in oracles.repair(output) if repair else ():
        typer.echo(f"damaged, to be trained again: {shard}")
    made = oracles.references(
        world,
        models=models,
        seed=seed,
        directory=output,
        resume=resume or repair,
        engine=chosen,
        chunk=chunk,
        width=width,
    )
    each = counted(made.original.models, "model")
    typer.echo(f"{each} each of original, untraining and unlearning in {output}")
