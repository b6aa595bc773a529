"""An audit as a certificate."""

from collections.abc import Mapping

from audits.certificate._certificate import (
    PREDICATE,
    STATEMENT,
    VERSION,
    Certificate,
    Predicate,
)
from audits.certificate._records import PopulationRecord, Subject
from audits.verdict._findings import AuditFindings


def certificate_of(audit: AuditFindings, files: Mapping[str, str] | None = None) -> Certificate:
    """The certificate of an audit.

    Args:
        audit: the audit.
        files: digests of the files beside it, if any.

    Returns:
        A statement on the submission's observations, and its parameters where they were at hand.
    """
    provenance = audit.provenance
    populations = [
        PopulationRecord(
            name=name,
            models=seen.models,
            observations=provenance.digests[name],
            parameters=provenance.parameters.get(name),
            seeds=provenance.seeds.get(name),
        )
        for name, seen in audit.observations.items()
    ]
    submitted = next(record for record in populations if record.name == "submission")
    subject = [Subject(name="observations", digest={"sha256": submitted.observations})]
    if submitted.parameters is not None:
        subject.append(Subject(name="parameters", digest={"sha256": submitted.parameters}))
    fields = {name: getattr(audit, name) for name in Predicate.model_fields if hasattr(audit, name)}
    fields |= {"version": VERSION, "populations": populations, "files": dict(files or {})}
    predicate = Predicate.model_validate(fields)
    return Certificate(
        _type=STATEMENT, subject=subject, predicateType=PREDICATE, predicate=predicate
    )
