"""Writing the report, the certificate, and the observations that it can be recomputed from."""

from pathlib import Path

from audits.certificate._certificate import FILE
from audits.report._folder import STORED, file_digests, write_result
from audits.submissions._stored import store
from audits.verdict._earlier import is_next_look
from audits.verdict._findings import AuditFindings
from audits.verdict._page import write_report
from audits.verdict._record import certificate_of


def write_all(
    audit: AuditFindings, directory: Path, *, replace: bool, redact: bool = False
) -> None:
    """Writes the folder of an audit; see `write_result`.

    A later declared look takes the place of the earlier one that the folder holds.

    Args:
        audit: the audit.
        directory: the folder.
        replace: replace another result.
        redact: leave pictures and texts of examples out.

    Raises:
        ValueError: as `write_result`.
        OSError: as the file system does; nothing half-written stays behind.
    """

    def fill(staging: Path) -> None:
        store(audit.observations, staging / STORED)
        write_report(audit, staging, redact=redact)
        certificate = certificate_of(audit, file_digests(staging))
        (staging / FILE).write_text(certificate.to_json(), encoding="utf-8")

    write_result(directory, FILE, fill, replace=replace or is_next_look(audit, directory))
