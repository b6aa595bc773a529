"""The tables of one model's report: numbers of its audit as text, rounded outward."""

from collections.abc import Mapping
from itertools import chain
from typing import Any

from audits.report import numbers
from audits.report._blocks import Table
from audits.report._words import POPULATION_NAMES, REFERENCES, WHO, group_name
from audits.single._findings import SingleFindings
from audits.single._record import FILE
from audits.single._results import RankTest

# A reader looks at a few probes; the file holds all of them.
_PROBES = 20


def people(audit: SingleFindings) -> Table:
    """The submitted model and the references, and how many models there are of each."""
    rows = tuple(
        (
            POPULATION_NAMES[name],
            "the model handed in" if name == "submission" else WHO[name],
            numbers.count(seen.models),
        )
        for name, seen in audit.observations.items()
    )
    columns = ("population", "who they are", "models")
    return Table("The model and those it was ranked among", columns, rows, kind="people")


def by_observable(test: RankTest) -> Table:
    """The model's place among those of a reference, a row for each observable."""
    rows = tuple(
        (
            rank.observable,
            numbers.near(rank.value, 2),
            numbers.interval(rank.low, rank.high, 2),
            f"{numbers.count(rank.below)} / {numbers.count(rank.above)}",
            numbers.pvalue(rank.pvalue),
        )
        for rank in test.groups
    )
    return Table(
        f"Among the {numbers.count(test.models)} models of the {POPULATION_NAMES[test.reference]}",
        ("observable", "submitted", "least to greatest", "at or below / at or above", "p"),
        rows,
    )


def examples(audit: SingleFindings) -> tuple[Table, ...]:
    """How many probes of each group lie outside, and those that lie farthest."""
    probes = audit.to_dataframe().to_dict("records")
    farthest = sorted(
        (probe for probe in probes if _beyond(probe) > 0.0), key=_beyond, reverse=True
    )
    return (_counted(probes), _farthest(farthest)) if farthest else (_counted(probes),)


def _counted(probes: list[dict[Any, Any]]) -> Table:
    rows = tuple(
        (
            group_name(group),
            numbers.count(sum(probe["group"] == group for probe in probes)),
            *(
                numbers.count(
                    sum(probe["group"] == group and probe[f"outside_{name}"] for probe in probes)
                )
                for name in REFERENCES
            ),
        )
        for group in dict.fromkeys(str(probe["group"]) for probe in probes)
    )
    return Table(
        "Probes on which the model is outside the range of all models of a reference",
        ("group", "probes", *(POPULATION_NAMES[name] for name in REFERENCES)),
        rows,
    )


def _farthest(probes: list[dict[Any, Any]]) -> Table:
    rows = tuple(
        (
            str(probe["id"]),
            group_name(str(probe["group"])),
            numbers.near(probe["margin"], 2),
            *chain.from_iterable(
                (
                    numbers.interval(probe[f"{name}_low"], probe[f"{name}_high"], 2),
                    numbers.pvalue(probe[f"pvalue_{name}"]),
                )
                for name in REFERENCES
            ),
        )
        for probe in probes[:_PROBES]
    )
    ranges = chain.from_iterable((f"{name}: range", f"{name}: p") for name in REFERENCES)
    return Table(
        f"The {numbers.count(len(rows))} of {numbers.count(len(probes))} such probes that lie "
        f"farthest outside; all probes are in {FILE}",
        ("probe", "group", "margin", *ranges),
        rows,
    )


def _beyond(probe: Mapping[Any, Any]) -> float:
    """How far a probe's margin lies outside the farther range; not above 0 within both."""
    margin = float(probe["margin"])
    return max(
        max(probe[f"{name}_low"] - margin, margin - probe[f"{name}_high"]) for name in REFERENCES
    )
