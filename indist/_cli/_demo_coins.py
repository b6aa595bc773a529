"""The demo's second answer: what coins say of one model of each candidate, without a reference."""

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from audits.report import numbers
from indist import audits, oracles

LEARNED_BY_HEART, WRONG = "digits-random-labels", 0.15
"""A world where every example of the behaviour leaves a trace of its own: 195 wrong labels."""

CoinAnswers = dict[str, dict[str, "audits.CoinAudit"]]
"""By scenario, then by candidate."""


def coin_answers(
    scenario: "oracles.Scenario", candidates: Sequence[str], folder: Path, seed: int
) -> CoinAnswers:
    """Draws coins, trains one model, unlearns with each candidate, and audits it.

    Args:
        scenario: of the demo; a world that is learned by heart is taken beside it.
        candidates: names of unlearners.
        folder: where the reports go.
        seed: of coins and models; unlearners take the next one.

    Returns:
        The audits.
    """
    worlds = [scenario]
    if scenario.name != LEARNED_BY_HEART:
        worlds.append(
            oracles.scenarios.load(LEARNED_BY_HEART, seed=seed, discovery=0.5, wrong=WRONG)
        )
    found: CoinAnswers = {}
    for world in worlds:
        try:
            drawn = oracles.coins(world, seed=seed)
        except ValueError:
            # Too few examples to forget for coins to say anything of them.
            continue
        originals = drawn.train(seed=seed)
        answers = found.setdefault(world.name, {})
        for method in candidates:
            unlearned = drawn.unlearn(originals, method=method, seed=seed + 1)
            answers[method] = audits.audit_coins(unlearned, drawn.design)
            answers[method].report(folder / world.name / method, replace=True)
    return found


def coin_table(answers: CoinAnswers) -> Table:
    """A section for each scenario: a row for each candidate, with the bounds of both questions."""
    first = next(iter(next(iter(answers.values())).values()))
    delta, confidence = first.settings.delta, first.settings.confidence
    table = Table(
        "one model of",
        "not untraining",
        "not unlearning",
        caption=(
            f"By coins, without any reference, at δ = {delta:g} and {confidence:.0%}. Nothing "
            "found is no match: coins find what single examples leave behind, and a behaviour that "
            "is learned from all of them together leaves little of each.  * An oracle."
        ),
    )
    for name, by_method in answers.items():
        examples = len(next(iter(by_method.values())).candidates)
        table.add_row(Text(f"{name}, {examples} coins", style="bold"), "", "")
        for method, audit in by_method.items():
            mark = " *" if method in oracles.ORACLES else ""
            table.add_row(f"  {method}{mark}", _bound(audit.untraining), _bound(audit.unlearning))
        table.add_section()
    return table


def _bound(question: "audits.CoinQuestion | None") -> str:
    if question is None:
        return "not asked"
    return f"ε ≥ {numbers.down(question.bound, 1)}" if question.bound > 0.0 else question.finding
