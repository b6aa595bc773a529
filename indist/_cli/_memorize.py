"""``indist memorize``: train on random subsets, estimate memorization and influence, write, say."""

from typing import Annotated

import typer

from indist import oracles
from indist._cli._options import (
    Engine,
    Interval,
    Out,
    Resume,
    ScenarioOptions,
    scenario_options,
)
from oracles.storage.folders import check_folder
from oracles.storage.locks import locked


@scenario_options
def memorize(
    scenario: ScenarioOptions,
    output: Out,
    models: Annotated[int, typer.Option(help="Models on random subsets.", min=1)] = 400,
    inclusion: Annotated[
        float, typer.Option(help="Rate at which a model includes an example.")
    ] = 0.7,
    confidence: Interval = 0.95,
    seed: Annotated[int, typer.Option(help="Seed of inclusion and training.", min=0)] = 0,
    resume: Resume = False,
    engine: Engine = "local",
) -> None:
    """Measures memorization of each training example, and influence on all others.

    Models are trained on random subsets of D; more can be added with --resume, and intervals
    shrink.
    """
    from audits.memorization import MemorizationStudy
    from estimators.checks import check_confidence

    world = scenario.load()
    check_confidence(confidence)
    from indist._cli._memorized import TABLES, report

    check_folder(output, own=("runs", "figures", *(f"{name}.*" for name in TABLES)))
    with locked(output, shared=engine == "distributed", nested=True):
        runs = oracles.subset_runs(
            world,
            models=models,
            seed=seed,
            inclusion=inclusion,
            directory=output / "runs",
            resume=resume,
            engine=engine,
        )
        study = MemorizationStudy(runs, confidence)
        if study.memorization.undetermined.all():
            raise ValueError(
                f"models: expected enough that some include an example and some do not, found "
                f"{models} at inclusion {inclusion:g}; the models are kept, --resume adds more"
            )
        report(world, study, output)
