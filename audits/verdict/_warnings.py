"""What a reader should be warned of, found in the data rather than in the rules."""

from collections.abc import Mapping

import numpy as np

from audits.claims._claimed import ClaimCheck
from audits.report._words import REFERENCES
from audits.verdict._copies import Copies, copies_between, copies_within
from audits.verdict._results import Comparison, Declaration, Separation
from audits.verdict._words import needed
from oracles import Observations

_SHORT = {
    "submission": "the submission",
    "untraining": "the untraining reference",
    "unlearning": "the unlearning reference",
    "original": "the original",
}


def warnings_of(
    observations: dict[str, Observations],
    declaration: Declaration,
    separation: Separation,
    references: Comparison,
    least_tolerance: float,
    claimed: ClaimCheck | None,
) -> tuple[str, ...]:
    """Warnings, one sentence each.

    Args:
        observations: of each population.
        declaration: what was declared.
        separation: of the references.
        references: their comparison.
        least_tolerance: the least tolerance that these sizes could meet.
        claimed: a claim beside what was measured, or None.

    Returns:
        The warnings, the gravest first.
    """
    found: list[str] = []
    submission = observations["submission"]
    rows = {name: _rows(seen) for name, seen in observations.items()}
    if claimed is not None and claimed.finding == "contradicted":
        found.append(claimed.sentence)
    if declaration.references_seen:
        found.append(
            "The submitter could see these references before handing in: a submission fitted to "
            "them passes more often than the stated error. Audit it against fresh ones."
        )
    found += like_probabilities(observations)
    if all(len(set(row)) == 1 and len(row) > 1 for row in rows.values()):
        found.append(
            "All models of each population are equal to the last bit: the learner has no "
            "randomness, two populations are either the same or fully apart, and the number of "
            "models says nothing."
        )
        return tuple(found)
    for name in ("untraining", "unlearning"):
        shared = len(set(rows["submission"]) & set(rows[name]))
        if shared:
            found.append(
                f"{shared} submitted models equal models of {_SHORT[name]} to the last bit: the "
                "bounds are for independent models and do not hold for copies."
            )
    if set(rows["untraining"]) & set(rows["unlearning"]):
        found.append(
            "The references share models to the last bit, so their distance to each other is not "
            "that of independent populations."
        )
    distinct = len(set(rows["submission"]))
    if distinct < submission.models:
        found.append(
            f"Only {distinct} of the {submission.models} submitted models differ from one another "
            "at the probes: repeated models are not independent runs."
        )
    found += near_copies(observations)
    if separation == "unresolved":
        found.append(
            "It is open whether the references themselves are alike within the tolerance; "
            f"{needed(references)} to tell."
        )
    if least_tolerance > declaration.tolerance:
        found.append(
            f"Even a perfect match would be missed more often than not: with this many models the "
            f"least tolerance within reach is about {least_tolerance:.2g}, and "
            f"{declaration.tolerance:.10g} was declared."
        )
    return tuple(found)


def near_copies(observations: Mapping[str, Observations]) -> list[str]:
    """A warning for models that lie closer to others than independent ones, without being equal.

    Models that are equal to the last bit have sentences of their own. Copies of the original are
    not looked for: unlearning starts from it, and no bound takes it for independent of the
    submission.

    Args:
        observations: of the submission and of both references, by name.

    Returns:
        The warnings, one sentence each; see `audits.verdict._copies` for what they rest on.
    """
    rows = {name: _distinct(observations[name]) for name in ("submission", *REFERENCES)}
    margins = {
        name: observations[name].margins[list(places.values())] for name, places in rows.items()
    }

    def between(first: str, second: str) -> Copies | None:
        other = [row not in rows[second] for row in rows[first]]
        return copies_between(margins[first][other], margins[second])

    found: list[str] = []
    for name in REFERENCES:
        if copies := between("submission", name):
            found.append(
                f"{_look(copies, 'submitted', f'models of {_SHORT[name]}')}: the bounds are for "
                "independent models and do not hold for copies."
            )
    if copies := between("untraining", "unlearning"):
        others = f"models of {_SHORT['unlearning']}"
        found.append(
            f"{_look(copies, 'untraining reference', others)}: their distance to each other is not "
            "that of independent populations."
        )
    for name in rows:
        whose = "submitted" if name == "submission" else f"{name} reference"
        if copies := copies_within(margins[name]):
            found.append(
                f"{_look(copies, whose, 'one another')}: repeated models are not independent runs."
            )
    return found


def _look(copies: Copies, whose: str, of: str) -> str:
    """That models look like copies, as the beginning of a sentence."""
    they = "model looks like a copy" if copies.models == 1 else "models look like copies"
    return (
        f"{copies.models} {whose} {they} of {of} with noise of about "
        f"{100 * copies.radius:.2g} % of the spread, as independent models do not come so close"
    )


def like_probabilities(observations: Mapping[str, Observations]) -> list[str]:
    """A warning for each population whose logits could all be probabilities.

    Args:
        observations: of each population, by its name.

    Returns:
        The warnings, one sentence or two each.
    """
    return [
        f"The logits of {_SHORT[name]} look like probabilities: all are at least 0 and sum to 1 at "
        "every probe. Margins are differences of logits: hand over logits, or logarithms of "
        "probabilities."
        for name, seen in observations.items()
        if seen.logits.min() >= 0.0
        and np.abs(seen.logits.sum(axis=2, dtype=np.float64) - 1.0).max() <= 1e-3
    ]


def _distinct(observations: Observations) -> dict[bytes, int]:
    """The first place of each model that differs from those before, by its bytes."""
    rows = _rows(observations)
    return {row: place for place, row in reversed(list(enumerate(rows)))}


def _rows(observations: Observations) -> list[bytes]:
    """All logits of each model as bytes, which are equal only for models equal to the last bit."""
    return [np.ascontiguousarray(model).tobytes() for model in observations.logits]
