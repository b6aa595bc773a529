"""Tables, figures and words of ``indist memorize``."""

from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from audits.memorization import TARGETS, Estimate, MemorizationStudy
from audits.report.numbers import counted, interval, level, near, plain
from indist import figures, oracles
from indist._digits import digits_shown
from indist._tables import parquet_available, write_table
from indist.figures._page import MARKS

TABLES = ("memorization", "self_cross", "influence_by_group", "influence_pairs")
"""Names of the tables that are written."""
THRESHOLD = 0.25
"""Above which an example counts as memorized, after Feldman and Zhang (2020)."""
_RATE = 0.05
_SHOWN = 10


def report(scenario: oracles.Scenario, study: MemorizationStudy, folder: Path) -> None:
    """Writes and prints what models on random subsets say.

    Args:
        scenario: the scenario.
        study: the estimates.
        folder: where tables and figures go.
    """
    console = Console()
    with console.status("estimating"):
        _write_tables(study, folder)
    with console.status("drawing"):
        omission = _write_figures(scenario, study, folder)
    _say(console, study)
    kinds = "CSV and Parquet" if parquet_available() else "CSV; Parquet needs the extra parquet"
    console.print(f"\nTables ({kinds}): {folder}/*.csv", soft_wrap=True)
    console.print(f"Figures (PDF, SVG, PNG): {folder / 'figures'}/", soft_wrap=True)
    if omission:
        console.print(omission, soft_wrap=True)


def _write_tables(study: MemorizationStudy, folder: Path) -> None:
    tables = (
        study.memorization_table(),
        study.self_cross_table(),
        study.group_table(),
        study.pairs_table(),
    )
    for name, table in zip(TABLES, tables, strict=True):
        write_table(table, folder / name)


def _write_figures(scenario: oracles.Scenario, study: MemorizationStudy, folder: Path) -> str:
    """Writes all figures that fit the scenario; what is left out, in a sentence."""
    out, confidence = folder / "figures", study.confidence
    table, groups = study.memorization_table(), study.groups
    names = study.sources
    every = study.memorization.simultaneous(confidence)
    estimate = table["memorization"].to_numpy()
    ends = every.confidence_interval
    means = {name: study.mean_memorization(name) for name in names}
    data = table[["example", "label", "group", "memorization"]]
    figures.save(
        figures.histogram(estimate, ends.low, ends.high, groups, means, confidence=confidence),
        out / "histogram",
        data.assign(simultaneous_low=ends.low, simultaneous_high=ends.high),
    )
    _write_self_cross(study, out)
    _write_heat_map(study, out)
    inputs = scenario.train.inputs
    if inputs.shape[1:] != (64,):
        return "No picture of the most memorized examples: inputs are not images of 64 pixels."
    digits = digits_shown(inputs)
    figures.save(
        figures.extremes(
            inputs.reshape(-1, 8, 8),
            scenario.train.labels,
            digits,
            estimate,
            table["low"].to_numpy(),
            table["high"].to_numpy(),
        ),
        out / "extremes",
        data.assign(shows=digits, low=table["low"], high=table["high"]),
    )
    return ""


def _write_self_cross(study: MemorizationStudy, out: Path) -> None:
    table = study.self_cross_table()
    count = table["others_count"].to_numpy()
    table = table.assign(
        **{f"sum_{name}": table[name] * count for name in ("others", "others_low", "others_high")}
    )
    of_behaviour = table["group"].isin(["forget", "behaviour"]).to_numpy()
    # Half of the error for each side of a box.
    shared = (1 + study.confidence) / 2
    sets: dict[str, tuple[Estimate, Estimate]] = {}
    for name in study.sources:
        cross = study.mean_influence(name, name, shared)
        others = int((study.groups == name).sum()) - 1
        pair = study.mean_memorization(name, shared), cross.scaled(others)
        if np.isfinite([*pair[0], *pair[1]]).all():
            sets[name] = pair
    points = table.loc[of_behaviour]
    names = "memorization", "low", "high", "sum_others", "sum_others_low", "sum_others_high"
    own, low, high, cross, cross_low, cross_high = (
        np.asarray(points[name], dtype=np.float64) for name in names
    )
    figure = figures.self_cross(
        own,
        cross,
        np.asarray(points["group"], dtype=str),
        sets,
        (float(np.nanmedian(high - low)) / 2, float(np.nanmedian(cross_high - cross_low)) / 2),
        threshold=THRESHOLD,
        confidence=study.confidence,
    )
    figures.save(figure, out / "self_cross", points)


def _write_heat_map(study: MemorizationStudy, out: Path) -> None:
    table = study.group_table()
    sources = study.sources
    targets = [name for name in TARGETS if name in set(table["target"])]
    shape = len(sources), len(targets)
    numbers = [table[name].to_numpy().reshape(shape) for name in ("influence", "low", "high")]
    figure = figures.heat_map(*numbers, sources, targets, confidence=study.confidence)
    figures.save(figure, out / "heat_map", table)


def _say(console: Console, study: MemorizationStudy) -> None:
    found = study.memorization
    listed = found.exceeding(THRESHOLD, false_discovery_rate=_RATE)
    table = Table("example", "label", "group", "memorization", level(study.confidence))
    for row in _most_memorized(study):
        table.add_row(*row)
    ends = found.confidence_interval
    known = ~found.undetermined
    half = float((ends.high - ends.low)[known].mean()) / 2
    models = counted(study.runs.models, "model")
    console.print(f"Memorization, {found.estimand}: {models}", style="bold")
    console.print(
        f"{int(listed.exceeds.sum())} of {found.estimate.size} examples are shown to be memorized "
        f"above {plain(THRESHOLD)} (false discovery rate {plain(100 * _RATE)} %)",
        soft_wrap=True,
    )
    for name in study.sources:
        mean = study.mean_memorization(name)
        size = int((study.groups == name).sum())
        text = "undetermined"
        if np.isfinite(mean.value):
            text = f"{near(mean.value)}  [{interval(mean.low, mean.high)}]"
        console.print(f"mean over {MARKS[name].words} ({size}): {text}", highlight=False)
    console.print(
        f"mean half-width {half:.3f}; undetermined: {counted(int((~known).sum()), 'example')}",
        highlight=False,
    )
    console.print(table)


def _most_memorized(study: MemorizationStudy) -> list[tuple[str, ...]]:
    """The rows of the examples with the greatest estimates; of equal ones the surest first."""
    found, runs = study.memorization, study.runs
    low, high = found.confidence_interval.low, found.confidence_interval.high
    order = np.lexsort((-low, -found.estimate))
    return [
        (
            str(i),
            str(runs.labels[i]),
            MARKS[str(runs.groups[i])].words,
            near(float(found.estimate[i])),
            interval(float(low[i]), float(high[i])),
        )
        for i in order[:_SHOWN]
    ]
