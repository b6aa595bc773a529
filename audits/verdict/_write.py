"""Writing a report's folder so that no reader meets half of it."""

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audits.verdict._audit import Audit

CERTIFICATE = "certificate.json"
OBSERVATIONS = "observations"


def write_all(audit: "Audit", directory: Path) -> None:
    """Writes everything beside the folder first, then moves it in, the certificate last.

    Raises:
        ValueError: when ``directory`` is a file.
        OSError: as the file system does; nothing half-written stays behind.
    """
    from audits.report import write_report

    if directory.exists() and not directory.is_dir():
        raise ValueError(f"{directory}: expected a folder to write the report to, found a file")
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".report-", dir=directory) as part:
        staging = Path(part)
        for name, seen in audit.observations.items():
            (staging / OBSERVATIONS).mkdir(exist_ok=True)
            seen.save(staging / OBSERVATIONS / name, name=name)
        write_report(audit, staging)
        (staging / CERTIFICATE).write_text(audit.certificate().to_json(), encoding="utf-8")
        # A certificate beside other observations than its own would be a false one.
        (directory / CERTIFICATE).unlink(missing_ok=True)
        if (directory / OBSERVATIONS).exists():
            shutil.rmtree(directory / OBSERVATIONS)
        names = sorted(path.name for path in staging.iterdir() if path.name != CERTIFICATE)
        for name in [*names, CERTIFICATE]:
            (staging / name).replace(directory / name)
