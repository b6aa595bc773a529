"""The main job, end to end: train the populations, unlearn, audit each candidate, report."""

from math import ceil, floor
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from audits.verdict import write_candidates
from indist import audits, oracles

CANDIDATES = ("identity", "finetune", "neggrad", "retrain", "retrain-behaviour")
COLOURS = {"untraining": "cyan", "unlearning": "green", "both": "blue", "neither": "red"}


def run_demo(folder: Path, name: str, models: int, seed: int, **settings: Any) -> None:
    """Runs the demonstration in a folder, continuing what is already there.

    Args:
        folder: where populations, submissions and audits go.
        name: the scenario.
        models: models in each population.
        seed: of data and references; unlearners take the next one.
        **settings: of the scenario, as ``discovery``.
    """
    console = Console()
    scenario = oracles.scenarios.load(name, seed=seed, **settings)
    console.print(_question(scenario, models))
    references = oracles.references(
        scenario, models=models, seed=seed, directory=folder / "references", resume=True
    )
    results: dict[str, audits.Audit] = {}
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
        with console.status(f"auditing {method}"):
            results[method] = audits.audit(audits.load(where), references)
            results[method].report(folder / "audits" / method)
    write_candidates(results, folder / "plane")
    console.print(_answer(results))
    for method, result in results.items():
        console.print(Text.assemble((f"{method}: ", "bold"), result.sentence))
    console.print(f"\nReports: {folder / 'audits'}/*/report.html", soft_wrap=True)
    console.print(f"Picture: {folder / 'plane.svg'}", soft_wrap=True)
    console.print(f"Recompute one: indist verify {folder}/audits/retrain/certificate.json")


def _question(scenario: oracles.Scenario, models: int) -> Panel:
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
            f"{declared.tolerance:g}.  * An oracle: it is told B."
        ),
    )
    for method, result in results.items():
        told = " *" if method in oracles.ORACLES else ""
        table.add_row(
            method + told,
            _interval(result.untraining),
            _interval(result.unlearning),
            Text(result.verdict, style=COLOURS.get(result.verdict, "yellow")),
        )
    return table


def _interval(comparison: "audits.Comparison") -> str:
    # Bounds are rounded outward, so that the table never claims more than was shown.
    low, high = floor(100 * comparison.lower) / 100, ceil(100 * comparison.upper) / 100
    return f"{comparison.estimate:.2f}  [{low:.2f}, {high:.2f}]"
