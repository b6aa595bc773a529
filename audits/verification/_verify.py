"""One door for whatever can be recomputed: a folder, or the file with its numbers."""

from pathlib import Path

from audits._reading import Limits, SubmissionError, read_json
from audits.certificate._certificate import CertificateError
from audits.report._folder import RECORDS
from audits.verification._certificate import verify_certificate
from audits.verification._records import FORMATS, verify_record
from audits.verification._results import Verification


def verification(
    path: Path | str,
    *,
    observations: Path | str | None = None,
    submission: Path | str | None = None,
) -> Verification:
    """Recomputes a result from what is stored beside it, and says what that shows.

    Of a certificate, ``single.json``, ``logs.json`` or ``scores.json``, the observations (or the
    examples' scores) that lie beside it are read, everything is computed again from them as
    declared, and every field that they determine is compared. Numbers that are not whole may differ
    by a relative 1e-9 (or 1e-12 near 0), which is what mathematical libraries of other machines may
    do to them; all else must be equal, and of the same type. The bytes of the other files, the
    report among them, are compared with the digests that the file names.

    Names, methods, seeds, settings, versions and digests of parameters are the auditor's word. With
    ``submission``, its method, seeds and digests are compared too.

    Args:
        path: the file, or its folder.
        observations: the folder of observations; ``observations`` beside the file by default.
        submission: the submission that was audited, as for `load_all`.

    Returns:
        Differences, what was recomputed, and what is the auditor's word alone.

    Raises:
        CertificateError: when the file is nothing that can be recomputed.
        SubmissionError: when stored observations are missing or damaged.

    Example:
        >>> import tempfile
        >>> from indist import audits, oracles
        >>> scenario = oracles.scenarios.load("circles", seed=0)
        >>> refs = oracles.references(scenario, models=8, seed=0)
        >>> folder = tempfile.mkdtemp()
        >>> audits.audit(refs.original, refs).report(folder)
        >>> audits.verification(folder).differences
        ()
    """
    where = _record_in(Path(path))
    folder = None if observations is None else Path(observations)
    kind = _kind(where)
    if kind is not None:
        return verify_record(where, kind, observations=folder, submission=submission)
    return verify_certificate(where, observations=folder, submission=submission)


def verify(
    certificate: Path | str,
    *,
    observations: Path | str | None = None,
    submission: Path | str | None = None,
) -> list[str]:
    """The differences that `verification` finds, in words.

    Args:
        certificate: a certificate, ``single.json``, ``logs.json`` or ``scores.json``, or its
            folder.
        observations: the folder of observations; ``observations`` beside the file by default.
        submission: the submission that was audited.

    Returns:
        One sentence a difference; empty when everything that can be recomputed is as certified.

    Raises:
        CertificateError: when the file is nothing that can be recomputed.
        SubmissionError: when stored observations are missing or damaged.
    """
    found = verification(certificate, observations=observations, submission=submission)
    return list(found.differences)


def _record_in(path: Path) -> Path:
    """The file itself, or the one that a folder holds."""
    if not path.is_dir():
        return path
    found = [path / name for name in RECORDS if (path / name).exists()]
    if len(found) != 1:
        names = " and ".join(record.name for record in found) or "none"
        expected = f"expected one result in it ({', '.join(RECORDS[:-1])} or {RECORDS[-1]})"
        raise CertificateError(f"{path}: {expected}, found {names}")
    return found[0]


def _kind(path: Path) -> str | None:
    """The format of a record that is no certificate, or None."""
    try:
        content = read_json(path, Limits())
    except SubmissionError as error:
        raise CertificateError(str(error)) from None
    found = content.get("format") if isinstance(content, dict) else None
    return found if found in FORMATS else None
