"""What a folder holds of the same models: whether a look goes with the new one, and its seed."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from audits._reading import SubmissionError
from audits.certificate._certificate import (
    FILE,
    OBSERVATIONS,
    CertificateError,
    Declaration,
    read_certificate,
)
from audits.certificate._records import PredicateRecord
from audits.report._words import REFERENCES
from audits.submissions._stored import stored
from audits.verdict._findings import AuditFindings


class _Earlier(NamedTuple):
    """An audit of the same models that a folder holds."""

    predicate: PredicateRecord
    models: int

    def declared(self, audit: AuditFindings) -> Declaration | None:
        """What it declared, where that is what the new audit declares, but for which look it is."""
        then, looks = self.asked(audit), audit.declaration.looks
        return then if then and (then.looks and tuple(then.looks)) == looks else None

    def asked(self, audit: AuditFindings) -> Declaration | None:
        """What it declared, where that is the same but for looks and what is drawn."""
        then, now = self.predicate.declaration, audit.declaration
        if not isinstance(then, Declaration):
            return None
        alike = (then.epsilon, then.confidence, then.calibrated, tuple(then.looked_at)) == (
            now.epsilon,
            now.confidence,
            now.calibrated,
            now.looked_at,
        ) and (then.calibrated or then.tolerance == now.tolerance)
        return then if alike else None

    @property
    def digests(self) -> dict[str, str]:
        """Of the observations of each population."""
        return {held.name: held.observations for held in self.predicate.populations}


def seed_before(audit: AuditFindings, folder: Path) -> int | None:
    """The seed of an audit of the same observations with the same settings that a folder holds.

    What is drawn is drawn once: who audits the same again gets the same again, and no second draw.

    Args:
        audit: the new one, with another seed.
        folder: where it is to be written.

    Returns:
        The seed; None also where the folder holds no audit that can be read.
    """
    earlier = _earlier(audit, folder)
    then = earlier and earlier.asked(audit)
    if earlier is None or then is None or earlier.digests != audit.provenance.digests:
        return None
    return then.seed


def looked_before(audit: AuditFindings, folder: Path) -> bool:
    """Whether a folder holds an audit of the same models that did not declare this one.

    Two looks at the same models go together where both declare the same looks and settings, or are
    one and the same look. Everything else is a second try.

    Args:
        audit: the new one.
        folder: where it is to be written.

    Returns:
        False also where the folder holds no audit that can be read.
    """
    earlier = _earlier(audit, folder)
    if earlier is None:
        return False
    then, now = earlier.declared(audit), audit.declaration
    if then is None:
        return True
    same = earlier.models == audit.observations["submission"].models and then.seed == now.seed
    return not (now.looks or same)


def is_next_look(audit: AuditFindings, folder: Path) -> bool:
    """Whether an audit is a later declared look than the one that a folder holds.

    Such a look takes the place of the earlier one. Both declare the same looks and settings, begin
    with the same submitted models and were held against the same references.

    Args:
        audit: the new one.
        folder: where it is to be written.

    Returns:
        False also where either look was exploratory, or the folder holds no audit.
    """
    earlier = _earlier(audit, folder)
    then = None if earlier is None else earlier.declared(audit)
    if earlier is None or then is None or not audit.declaration.looks:
        return False
    return 1 <= then.look < audit.declaration.look and all(
        earlier.digests.get(name) == audit.provenance.digests[name] for name in REFERENCES
    )


def _earlier(audit: AuditFindings, folder: Path) -> _Earlier | None:
    """The audit that a folder holds, where it is of the same models as far as both have them."""
    try:
        certified = read_certificate(folder / FILE)
        before = stored(folder / OBSERVATIONS, ["submission"], FILE)["submission"]
    except (CertificateError, SubmissionError, OSError):
        return None
    after = audit.observations["submission"]
    first = min(before.models, after.models)
    if before.logits.shape[1:] != after.logits.shape[1:] or not np.array_equal(
        before.logits[:first], after.logits[:first]
    ):
        return None
    return _Earlier(certified.predicate, before.models)
