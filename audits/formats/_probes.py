"""Probes as a mapping lists them, or as the parts of a format's splits."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from audits._reading import refuse
from audits.formats._mapping import Mapping

Columns = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Labels (−1 where there is none), groups and ids of probes."""


def listed_probes(path: Path, mapping: Mapping, columns: int) -> Columns:
    """The probes of a mapping, one for each column of an array.

    Raises:
        SubmissionError: when there are none, or more or fewer than columns.
    """
    probes = mapping.probes
    if probes is None:
        refuse(
            path,
            f"field probes of its mapping ({mapping.file.name}): expected id and group of each of "
            f"{columns} columns, found none",
        )
    if len(probes) != columns:
        refuse(
            mapping.file,
            f"field probes: expected {columns}, one a column of {path.name}, found {len(probes)}",
        )
    labels = [-1 if probe.label is None else probe.label for probe in probes]
    return (
        np.array(labels),
        np.array([probe.group for probe in probes]),
        np.array([probe.id for probe in probes]),
    )


def named_probes(path: Path, mapping: Mapping, ids: Sequence[str]) -> Columns:
    """The probes of a mapping for columns that have names, in the order of columns.

    Raises:
        SubmissionError: when there are none, or they are not those of the columns.
    """
    labels, groups, listed = listed_probes(path, mapping, len(ids))
    places = {str(name): place for place, name in enumerate(listed)}
    for name in ids:
        if name not in places:
            refuse(mapping.file, f"field probes: expected {name[:60]!r} of {path.name}, found none")
    order = np.array([places[name] for name in ids])
    return labels[order], groups[order], listed[order]


def no_labels(mapping: Mapping) -> None:
    """Refuses labels where there is one number a model and example.

    Raises:
        SubmissionError: when a label other than 0 is listed.
    """
    for place, probe in enumerate(mapping.probes or ()):
        if probe.label:
            refuse(
                mapping.file,
                f"field probes.{place}.label: expected none or 0, as there is one number a model "
                f"and example, found {probe.label}",
            )
