"""Writing a report's folder so that no reader meets half of it."""

import shutil
import tempfile
from pathlib import Path

from audits.certificate._certificate import FILE, OBSERVATIONS
from audits.verdict._findings import AuditFindings
from audits.verdict._page import write_report
from audits.verdict._record import certificate_of


def write_all(audit: AuditFindings, directory: Path) -> None:
    """Writes everything beside the folder first, then moves it in, the certificate last.

    Raises:
        ValueError: when ``directory`` is a file.
        OSError: as the file system does; nothing half-written stays behind.
    """
    if directory.exists() and not directory.is_dir():
        raise ValueError(f"{directory}: expected a folder to write the report to, found a file")
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".report-", dir=directory) as part:
        staging = Path(part)
        for name, seen in audit.observations.items():
            (staging / OBSERVATIONS).mkdir(exist_ok=True)
            seen.save(staging / OBSERVATIONS / name, name=name)
        write_report(audit, staging)
        (staging / FILE).write_text(certificate_of(audit).to_json(), encoding="utf-8")
        # A certificate beside other observations than its own would be a false one.
        (directory / FILE).unlink(missing_ok=True)
        if (directory / OBSERVATIONS).exists():
            shutil.rmtree(directory / OBSERVATIONS)
        names = sorted(path.name for path in staging.iterdir() if path.name != FILE)
        for name in [*names, FILE]:
            (staging / name).replace(directory / name)
