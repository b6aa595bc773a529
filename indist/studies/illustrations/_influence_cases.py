"""The three cases of influence: what training on S did to S, and to everything else."""

import audits
from indist.studies._rows import Record
from indist.studies.illustrations._sources import Work

CASES = (
    ("digits-typical", 0.5),
    ("digits-random-labels", 0.5),
    ("digits-swap", 0.9),
)
"""Scenarios and γ; found by trying several, as a figure of the three cases has to show each."""


def numbers(work: Work) -> list[Record]:
    """A row a scenario and probe group: `audits.influence_case`, intervals of 95 % together.

    Returns:
        ``scenario``, ``discovery``, ``case``, ``group``, ``influence``, ``low``, ``high``,
        ``threshold``.
    """
    rows: list[Record] = []
    for scenario, discovery in CASES:
        influence = audits.influence_case(work.references(scenario, discovery=discovery))
        ends = influence.confidence_interval
        rows += [
            {
                "scenario": scenario,
                "discovery": discovery,
                "case": influence.case,
                "group": group,
                "influence": float(influence.estimate[i]),
                "low": float(ends.low[i]),
                "high": float(ends.high[i]),
                "threshold": influence.threshold,
            }
            for i, group in enumerate(influence.groups)
        ]
    return rows
