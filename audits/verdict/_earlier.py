"""What a folder already holds of the same models: a look that a new one is beside, and its seed."""

from pathlib import Path

import numpy as np

from audits._reading import SubmissionError
from audits.certificate._certificate import (
    FILE,
    OBSERVATIONS,
    CertificateError,
    Declaration,
    read_certificate,
)
from audits.submissions._stored import stored
from audits.verdict._findings import AuditFindings


def seed_before(audit: AuditFindings, folder: Path) -> int | None:
    """The seed of an audit of the same observations with the same settings that a folder holds.

    What is drawn is drawn once: who audits the same again gets the same again, and no second draw.

    Args:
        audit: the new one, with another seed.
        folder: where it is to be written.

    Returns:
        The seed; None also where the folder holds no audit that can be read.
    """
    try:
        before = read_certificate(folder / FILE).predicate
    except CertificateError:
        return None
    then, now = before.declaration, audit.declaration
    if not isinstance(then, Declaration):
        return None
    digests = {population.name: population.observations for population in before.populations}
    same = (then.epsilon, then.confidence, then.calibrated, tuple(then.looked_at), then.among) == (
        now.epsilon,
        now.confidence,
        now.calibrated,
        now.looked_at,
        now.among,
    )
    tolerance = then.calibrated or then.tolerance == now.tolerance
    return then.seed if same and tolerance and digests == audit.provenance.digests else None


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
    try:
        certified = read_certificate(folder / FILE)
        before = stored(folder / OBSERVATIONS, ["submission"], FILE)["submission"]
    except (CertificateError, SubmissionError, OSError):
        return False
    then, now = certified.predicate.declaration, audit.declaration
    after = audit.observations["submission"]
    first = min(before.models, after.models)
    if before.logits.shape[1:] != after.logits.shape[1:] or not np.array_equal(
        before.logits[:first], after.logits[:first]
    ):
        return False
    if not isinstance(then, Declaration):
        return True
    declared = (
        (then.epsilon, then.confidence, then.calibrated, tuple(then.looked_at))
        == (now.epsilon, now.confidence, now.calibrated, now.looked_at)
        and (then.calibrated or then.tolerance == now.tolerance)
        and (then.looks and tuple(then.looks)) == now.looks
    )
    alike = before.models == after.models and then.seed == now.seed
    return not (declared and (now.looks or alike))
