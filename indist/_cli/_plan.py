"""``indist plan``: how many models an audit needs, and what they cost on this machine."""

from typing import Annotated

import typer
from rich.console import Console

from indist import audits
from indist._cli._errors import parse_numbers
from indist._cli._options import Confidence, Epsilon, ScenarioOptions, scenario_options


@scenario_options
def plan(
    scenario: ScenarioOptions,
    tolerance: Annotated[
        float | None, typer.Option(help="Goal: call a perfect match at this tolerance.")
    ] = None,
    half_width: Annotated[
        float | None, typer.Option(help="Goal: know a distance within this much.")
    ] = None,
    reference_models: Annotated[
        str | None,
        typer.Option(
            metavar="N[,N,…]",
            help="Models in each reference, which are trained but once: how many submitted ones "
            "does it take? As many as are submitted if unsaid.",
        ),
    ] = None,
    observable: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[:KEY=VALUE]",
            help="What the audit will look at, as for indist audit; may be repeated.",
        ),
    ] = None,
    epsilon: Epsilon = 1.0,
    confidence: Confidence = 0.95,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.", min=0)] = 0,
) -> None:
    """Says how many models an audit needs, and what they cost on this machine.

    Nothing is kept: audits are simulated, and a few models trained to measure time and memory.
    """
    world = scenario.load()
    with Console(stderr=True).status("simulating audits, training a few models"):
        needed = audits.plan(
            world,
            tolerance=tolerance,
            half_width=half_width,
            reference_models=parse_numbers("reference-models", reference_models),
            observables=tuple(map(audits.observable_of, observable))
            if observable
            else audits.DEFAULT_OBSERVABLES,
            epsilon=epsilon,
            confidence=confidence,
            seed=seed,
        )
    typer.echo(str(needed))
