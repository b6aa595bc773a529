"""``indist demo``: the main job, end to end: train, unlearn, audit each candidate, report."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from indist import audits, oracles
from indist._cli._colours import COLOURS
from indist._cli._demo_coins import coin_answers, coin_table
from indist._cli._options import Gamma, Out, Seed
from oracles.storage.folders import check_folder
from oracles.storage.locks import locked

CANDIDATES = ("identity", "finetune", "neggrad", "retrain", "retrain-behaviour")
_MODELS, _QUICK = 256, 128
_OWN = ("references", "submissions", "audits", "coins", "plane.svg", "plane.png")


def demo(
    output: Out = Path("indist-demo"),
    scenario: Annotated[str, typer.Option(help="See indist scenarios.")] = "digits-trigger",
    models: Annotated[
        int | None,
        typer.Option(help="Models in each population; 256 if unsaid, and 128 if quick.", min=1),
    ] = None,
    discovery: Gamma = None,
    seed: Seed = 0,
    quick: Annotated[bool, typer.Option("--quick", help="128 models, for a first look.")] = False,
) -> None:
    """Runs the main job on real data that ships inside: train, unlearn, audit, report.

    Running it again in the same folder continues where it stopped.
    """
    knobs: dict[str, Any] = {} if discovery is None else {"discovery": discovery}
    world = oracles.scenarios.load(scenario, seed=seed, **knobs)
    check_folder(output, own=_OWN)
    with locked(output, nested=True):
        _run(world, output, models or (_QUICK if quick else _MODELS), seed)


def _run(scenario: "oracles.Scenario", folder: Path, models: int, seed: int) -> None:
    """Continues what is already in the folder; unlearners take the next seed."""
    from audits.verdict import write_candidates

    console = Console()
    console.print(_question(scenario, models))
    references = oracles.references(
        scenario, models=models, seed=seed, directory=folder / "references", resume=True
    )
    submissions: dict[str, audits.Submission] = {}
    for method in CANDIDATES:
        where = folder / "submissions" / method
        oracles.unlearn(
            scenario,
            references.original,
            method=method,
            seed=seed + 1,
            models=models,
            directory=where,
            resume=where.exists(),
        )
        submissions[method] = audits.load(where)
    with console.status(f"auditing {len(submissions)} candidates"):
        results = audits.audit_all(submissions, references, seed=seed)
    for method, result in results.items():
        # The folder is the demo's own: an older version's results give way.
        result.report(folder / "audits" / method, replace=True)
    write_candidates(results, folder / "plane")
    console.print(_answer(results))
    for method, result in results.items():
        console.print(Text.assemble((f"{method}: ", "bold"), result.sentence, _progress(result)))
    with console.status("one model of each candidate, by coins"):
        by_coins = coin_answers(scenario, CANDIDATES, folder / "coins", seed)
    if by_coins:
        console.print("")
        console.print(coin_table(by_coins))
    console.print(f"\nReports: {folder / 'audits'}/*/report.html", soft_wrap=True)
    if by_coins:
        console.print(f"By coins: {folder / 'coins'}/*/*/report.html", soft_wrap=True)
    console.print(f"Picture: {folder / 'plane.svg'}", soft_wrap=True)
    console.print(f"Recompute one: indist verify {folder}/audits/retrain")


def _question(scenario: "oracles.Scenario", models: int) -> Panel:
    text = (
        f"Scenario [bold]{scenario.name}[/]: {scenario.title}.\n"
        f"Training set D: {len(scenario.train)} examples; behaviour B: "
        f"{len(scenario.behaviour)} of them; forget set S, the part of B that was found: "
        f"{len(scenario.forget)}.\n\n"
        "Is an unlearned model distributed like one that never trained on S ([bold]untraining[/]), "
        "like one that never trained on any of B ([bold]unlearning[/]), both, or neither? "
        f"Every answer compares {models} models with {models} of each kind."
    )
    return Panel(text, title="indist demo", expand=False)


def _answer(results: "dict[str, audits.Audit]") -> Table:
    first = next(iter(results.values()))
    declared = first.declaration
    table = Table(
        "candidate",
        "distance to\nuntraining",
        "distance to\nunlearning",
        "verdict",
        caption=(
            f"Distance: hockey-stick divergence δ at ε = {declared.epsilon:g}, with the "
            f"{declared.confidence:.0%} bounds of the verdict. Match: upper bound at most "
            f"{declared.tolerance:g}.  "
            "* An oracle: it is told B."
        ),
    )
    for method, result in results.items():
        mark = " *" if method in oracles.ORACLES else ""
        table.add_row(
            method + mark,
            _interval(result.untraining),
            _interval(result.unlearning),
            Text(result.verdict, style=COLOURS.get(result.verdict, "yellow")),
        )
    return table


def _progress(result: "audits.Audit") -> str:
    """How far on the way, where both distances are at their greatest and no longer tell."""
    if result.gone is None:
        return ""
    way = f"{round(result.gone, 2) + 0.0:.2f}"
    return f" On S their median margin has gone {way} of the way to untraining."


def _interval(comparison: "audits.Comparison") -> str:
    from indist.studies._shown import shown_ends

    return f"{comparison.estimate:.2f}  {shown_ends(comparison.lower, comparison.upper)}"
