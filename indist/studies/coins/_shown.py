"""The table of the study of coins for people."""

from collections.abc import Sequence

from audits.report.numbers import counted, down
from indist.studies._shown import shown_ends
from indist.studies._study import Shown
from indist.studies.coins._rows import Answered, CoinRow, EpochRow, Right, Spread, UnfitRow


def shown(rows: Sequence[CoinRow | EpochRow | UnfitRow]) -> Shown:
    """A part for each scenario, a line a method with all K in it; then a part a method by epochs.

    Args:
        rows: of the study.
    """
    parts: dict[str, list[dict[str, str]]] = {}
    told = [row for row in rows if isinstance(row, CoinRow)]
    sizes = sorted({row.models for row in told})
    for scenario in dict.fromkeys(row.scenario for row in told):
        own = [row for row in told if row.scenario == scenario]
        title = (
            f"{scenario}, {own[0].candidates} candidates, {own[0].found} found: "
            f"ε of {', '.join(map(str, sizes[:-1]))}{', ' * bool(sizes[:-1])}"
            f"{counted(sizes[-1], 'model')} at least (at most shown); right, in %"
        )
        parts[title] = [_line(own, method) for method in dict.fromkeys(row.method for row in own)]
    for row in rows:
        if isinstance(row, EpochRow):
            title = (
                f"{row.scenario}, {row.method}: {counted(row.models, 'model')}, each audited "
                "alone: median (least to greatest)"
            )
            parts.setdefault(title, []).append(
                {
                    "epochs": str(row.epochs),
                    "not untraining, ε ≥": _spread(row.untraining),
                    "not unlearning, ε ≥": _spread(row.unlearning),
                    "retain, %": _percent(row.retain),
                    "test, %": _percent(row.test),
                }
            )
    return parts


def _line(rows: Sequence[CoinRow], method: str) -> dict[str, str]:
    by_size = {row.models: row for row in rows if row.method == method}
    last = by_size[max(by_size)]
    line = {"method": method}
    for words in ("untraining", "unlearning"):
        answers: list[Answered] = [getattr(row, words) for row in by_size.values()]
        bounds = ", ".join(down(one.value, 1) for one in answers)
        ceilings = ", ".join(down(one.ceiling, 1) for one in answers)
        line[f"not {words}"] = f"{bounds} ({ceilings})"
        line[f"alone, {words}"] = f"{answers[-1].alone} of {last.models}"
    line |= {"retain": _right(last.retain), "test": _right(last.test)}
    beside = last.population
    line["population"] = f"{beside.verdict} ({beside.trainings} trainings)" if beside else ""
    return line


def _right(share: Right) -> str:
    return f"{100 * share.value:.1f} {shown_ends(100 * share.low, 100 * share.high)}"


def _spread(bounds: Spread) -> str:
    median, least, greatest = (
        down(bound, 1) for bound in (bounds.median, bounds.least, bounds.greatest)
    )
    return f"{median} ({least} to {greatest})"


def _percent(shares: Spread) -> str:
    median, least, greatest = (
        f"{100 * share:.1f}" for share in (shares.median, shares.least, shares.greatest)
    )
    return f"{median} ({least} to {greatest})"
