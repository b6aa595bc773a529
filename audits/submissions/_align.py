"""Putting a submission's probes into the order of the references', by id."""

from dataclasses import replace
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int, Shaped

from audits._reading import SubmissionError
from oracles import Observations

# What to do where a submission names persons and the references, as the built-in ones, do not.
_FIX = (
    "; references name persons where they are made from a scenario file with persons under its "
    "[probes] (docs/scenario-files.md): make such ones, or leave the person column out"
)


@runtime_checkable
class ProbeList(Protocol):
    """Anything with ids, groups, labels and persons: `oracles.Probes`, `oracles.Observations`."""

    @property
    def ids(self) -> Shaped[np.ndarray, " probes"]:
        """The unique name of each probe."""
        ...

    @property
    def groups(self) -> Shaped[np.ndarray, " probes"]:
        """The probe group of each probe."""
        ...

    @property
    def labels(self) -> Int[np.ndarray, " probes"]:
        """The label of each probe."""
        ...

    @property
    def persons(self) -> Shaped[np.ndarray, " probes"] | None:
        """Whom each probe belongs to, or None where none belongs to anybody."""
        ...


def align(
    observations: Observations, probes: ProbeList, name: str, *, labels: bool = True
) -> Observations:
    """The observations with their probes in the order of others that must be the same ones.

    Args:
        observations: what was submitted.
        probes: the probes of the references.
        name: the submission in messages, such as its file.
        labels: whether the observations have labels that can be compared.

    Returns:
        The same numbers, columns in the order of ``probes``, and their persons: whose example is
        whose is for the references to say, as it decides what is looked at.

    Raises:
        SubmissionError: when a probe is missing or unknown, or its group or label differs, or the
            person that the observations name.
    """
    columns = {str(probe): place for place, probe in enumerate(observations.ids)}
    wanted = [str(probe) for probe in probes.ids]
    missing = [probe for probe in wanted if probe not in columns]
    if missing:
        raise SubmissionError(
            f"{name}: probes: expected all {len(wanted)} probes of the references, found none "
            f"with id {missing[0]!r}{_others(missing)}"
        )
    unknown = sorted(set(columns) - set(wanted))
    if unknown:
        raise SubmissionError(
            f"{name}: probes: expected the {len(wanted)} probes of the references only, found "
            f"also {unknown[0]!r}{_others(unknown)}"
        )
    order = np.array([columns[probe] for probe in wanted])
    for field in ("group", "label") if labels else ("group",):
        found = getattr(observations, f"{field}s")[order]
        expected = getattr(probes, f"{field}s")
        wrong = np.flatnonzero(found != expected)
        if wrong.size:
            k = int(wrong[0])
            raise SubmissionError(
                f"{name}: probe {wanted[k]!r}: expected {field} {_plain(expected[k])}, found "
                f"{_plain(found[k])}{_others(wrong)}{_hint(field, observations)}"
            )
    _check_persons(observations, probes, order, name)
    if np.array_equal(order, np.arange(len(order))):
        if observations.persons is None and probes.persons is not None:
            return replace(observations, persons=probes.persons)
        return observations
    return Observations(
        np.ascontiguousarray(observations.logits[:, order]),
        observations.labels[order],
        observations.groups[order],
        observations.ids[order],
        probes.persons,
        None if observations.texts is None else observations.texts[order],
    )


def _check_persons(
    observations: Observations, probes: ProbeList, order: np.ndarray, name: str
) -> None:
    """Refuses persons other than those of the references; observations may name none."""
    if observations.persons is None:
        return
    nobody = np.full(len(order), "", dtype=object)
    expected = nobody if probes.persons is None else probes.persons
    wrong = np.flatnonzero(observations.persons[order] != expected)
    if wrong.size:
        found, wanted = (
            _whose(names[wrong[0]]) for names in (observations.persons[order], expected)
        )
        raise SubmissionError(
            f"{name}: probe {str(probes.ids[wrong[0]])!r}: expected {wanted} as in the references, "
            f"found {found}{_others(wrong)}{_FIX if probes.persons is None else ''}"
        )


def _whose(person: object) -> str:
    return f"person {str(person)[:60]!r}" if person else "no person"


def _hint(field: str, observations: Observations) -> str:
    margins = observations.logits.shape[2] == 2 and not observations.labels.any()
    if field == "group" or not margins:
        return ""
    return "; what holds margins only is compared with audits.formats.as_margins of the references"


def check_classes(observations: Observations, classes: int, name: str) -> None:
    """Refuses observations with another number of classes than the references'.

    Raises:
        SubmissionError: when they differ.
    """
    found = observations.logits.shape[2]
    if found != classes:
        raise SubmissionError(
            f"{name}: logits: expected {classes} classes as in the references, found {found}"
        )


def _plain(value: object) -> str:
    return repr(value.item() if isinstance(value, np.generic) else value)


def _others(those: "list[str] | np.ndarray") -> str:
    return f" (and {len(those) - 1} more)" if len(those) > 1 else ""
