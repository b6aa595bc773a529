"""The tables of the report: numbers of the audit as text, rounded outward."""

from collections.abc import Callable, Sequence

from audits.report import numbers
from audits.report._blocks import Pairs, Table
from audits.report._words import GROUPS, POPULATION_NAMES, WHO, group_name
from audits.verdict._findings import AuditFindings
from audits.verdict._results import Comparison, GroupSummary, ObservableDistance

# Single examples in a table of observables.
_EXAMPLES = 10


def bounds(comparison: Comparison, tolerance: float) -> str:
    """Both bounds of a comparison, rounded so that they fall on their side of the tolerance."""
    return numbers.interval(comparison.lower, comparison.upper, limit=tolerance)


def people(audit: AuditFindings) -> Table:
    """Who was compared with whom, and how many there are of each."""
    models = {
        "submission": audit.untraining.models_first,
        "untraining": audit.untraining.models_second,
        "unlearning": audit.unlearning.models_second,
    }
    if audit.original is not None:
        models["original"] = audit.original[0].models_first
    rows = tuple(
        (name, WHO[key], numbers.count(models[key]))
        for key, name in POPULATION_NAMES.items()
        if key in models
    )
    return Table(
        "The populations, each of models that differ in their random keys alone",
        ("population", "who they are", "models"),
        rows,
        kind="people",
    )


def by_observable(comparison: Comparison, tolerance: float) -> Table:
    """One comparison, a row for each observable and one for the greatest.

    Of single examples the farthest are shown.
    """
    examples = [row for row in comparison.by_observable if row.example]
    examples.sort(key=lambda row: (-row.lower, -row.estimate, row.example))
    shown = [row for row in comparison.by_observable if not row.example] + examples[:_EXAMPLES]
    rows = tuple(
        (
            row.observable,
            numbers.near(row.estimate),
            numbers.interval(row.lower, row.upper, limit=tolerance),
            f"{numbers.near(row.median_first, 2)} / {numbers.near(row.median_second, 2)}",
        )
        for row in shown
    )
    total = ("greatest", numbers.near(comparison.estimate), bounds(comparison, tolerance), "")
    return Table(
        f"Distance to the {POPULATION_NAMES[comparison.second]}, by observable"
        + _left_out(examples[_EXAMPLES:]),
        ("observable", "estimate", "bounds", f"medians: {comparison.first} / {comparison.second}"),
        rows,
        total,
    )


def _left_out(rows: Sequence[ObservableDistance]) -> str:
    """How many examples, or persons, are not shown, as the end of a caption."""
    if not rows:
        return ""
    persons = sum(row.of_person for row in rows)
    if 0 < persons < len(rows):
        return f"; {len(rows)} more examples and persons lie no farther"
    more = numbers.counted(len(rows), f"more {'person' if persons else 'example'}")
    return f"; {more} {'lies' if len(rows) == 1 else 'lie'} no farther"


def group_words(groups: tuple[GroupSummary, ...]) -> Pairs:
    """What each group of probes is, and its size."""
    probes = {row.group: row.probes for row in groups}
    return tuple(
        (
            group_name(group),
            f"{GROUPS.get(group, 'other probes')}; {numbers.count(size)} "
            f"probe{'s' if size > 1 else ''}",
        )
        for group, size in probes.items()
    )


def by_group(groups: tuple[GroupSummary, ...]) -> tuple[Table, ...]:
    """Accuracy and margin, a row for each group and a column for each population."""
    if not groups:
        return ()
    cells = {(row.group, row.population): row for row in groups}
    populations = [
        name for name in POPULATION_NAMES if any(row.population == name for row in groups)
    ]
    columns = ("probes", *(POPULATION_NAMES[name] for name in populations))

    def table(caption: str, cell: Callable[[GroupSummary], str]) -> Table:
        rows = tuple(
            (
                group_name(group),
                *(
                    cell(cells[group, name]) if (group, name) in cells else ""
                    for name in populations
                ),
            )
            for group in dict.fromkeys(row.group for row in groups)
        )
        return Table(caption, columns, rows)

    return (
        table("How often a probe is given its label, with 95\N{NO-BREAK SPACE}% intervals", _share),
        table("Median margin: median and 5 to 95\N{NO-BREAK SPACE}% range over models", _margin),
    )


def _share(row: GroupSummary) -> str:
    ends = numbers.interval(100 * row.accuracy_low, 100 * row.accuracy_high, 1)
    return f"{numbers.percent(row.accuracy)} ({ends})"


def _margin(row: GroupSummary) -> str:
    return f"{numbers.near(row.margin, 2)} ({numbers.interval(row.margin_low, row.margin_high, 2)})"
