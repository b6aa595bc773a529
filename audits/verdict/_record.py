"""An audit as a certificate."""

from audits.certificate._certificate import (
    PREDICATE,
    STATEMENT,
    VERSION,
    Certificate,
    PopulationRecord,
    Predicate,
    Subject,
)
from audits.verdict._findings import AuditFindings


def certificate_of(audit: AuditFindings) -> Certificate:
    """The certificate of an audit.

    Args:
        audit: the audit.

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
    predicate = Predicate.model_validate(fields | {"version": VERSION, "populations": populations})
    return Certificate(
        _type=STATEMENT, subject=subject, predicateType=PREDICATE, predicate=predicate
    )
