"""The examples that differ, and what they are: what is known of them, and what a page shows."""

from collections.abc import Iterable, Mapping

import numpy as np

from audits.report._blocks import Shown
from audits.report._contents import Given, picture, words
from audits.submissions._parties import Parties
from audits.verdict._observables import HELD, names_of, rows_of
from audits.verdict._results import Comparison
from oracles import Observations

_MOST = 3
"""Examples of a person that are shown."""


def contents_of(
    parties: Parties, comparisons: Iterable[Comparison], tolerance: float
) -> dict[str, Given]:
    """What the examples are that differ beyond the tolerance, by the ids of their probes.

    The references' text of a probe goes first, then its input, which is known where they hold
    models, and last what the submission says. Of what is not known there is no entry.
    """
    seen = parties.observations["untraining"]
    known = _texts(parties, "submission")
    if parties.scenario is not None:
        probes = parties.scenario.probes
        known |= {str(name): inputs for name, inputs in zip(probes.ids, probes.inputs, strict=True)}
    for name in ("original", "unlearning", "untraining"):
        known |= _texts(parties, name)
    differing = {
        (row.observable, row.example)
        for comparison in comparisons
        for row in comparison.by_observable
        if row.example and row.lower > tolerance
    }
    members = _members(seen)
    ids = {name for row in differing for name in members.get(row, ())}
    return {name: known[name] for name in sorted(ids) if name in known}


def shown(
    observable: str, example: str, seen: Observations, contents: Mapping[str, Given]
) -> tuple[Shown, ...]:
    """What a page shows of one example, or of a person's.

    Args:
        observable: name of the observable of the example, or of the person.
        example: id of the probe, or the name of the person.
        seen: of any population, for ids, labels and persons.
        contents: what is known of examples, by id.
    """
    members = _members(seen).get((observable, example), [])
    ids = [name for name in members if name in contents]
    found: list[Shown] = []
    for name in ids[:_MOST]:
        label = _label(name, seen)
        image = picture(contents[name], name=f"example {name}")
        caption = [name] if len(ids) > 1 or name != example else []
        caption += [] if label is None else [f"labelled {label}"]
        if name == ids[:_MOST][-1] and len(ids) > _MOST:
            caption.append(f"and {len(ids) - _MOST} more")
        text = "" if image is not None else words(contents[name])
        found.append(Shown(", ".join(caption), text, image))
    return tuple(found)


def _texts(parties: Parties, name: str) -> dict[str, Given]:
    """The texts that one population comes with, by the ids of their probes."""
    party = parties.by_name.get(name)
    if party is None or party.observations.texts is None:
        return {}
    seen = zip(party.observations.ids, party.observations.texts, strict=True)
    return {str(probe): str(text) for probe, text in seen if text}


def _members(seen: Observations) -> dict[tuple[str, str], list[str]]:
    """The ids of the probes that each observable of one example, or of a person, is of."""
    return {
        names_of(row, seen.ids): [str(seen.ids[probe]) for probe in row.probes]
        for group in HELD
        for row in rows_of(group, seen.groups, seen.persons)
    }


def _label(name: str, seen: Observations) -> int | None:
    """The label of a probe, or None where there are margins alone."""
    if seen.logits.shape[2] == 2 and not seen.labels.any():
        return None
    return int(seen.labels[np.flatnonzero(seen.ids == name)[0]])
