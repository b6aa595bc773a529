"""The certificate: an in-toto Statement whose predicate is an audit, format version 2.

A promise about a stored format. Every later indist reads versions 1 and 2 and verifies them; a
field is never renamed, and its meaning never changed, without another version. Version 2 may still
gain fields until indist 0.2.0 is released. A version that is not known here is refused. All numbers
are finite: NaN and infinity are neither written nor read, and what does not exist is null. Types
are read strictly: a number in quotes is no number.

References:
    in-toto Attestation Framework, Statement v1, https://github.com/in-toto/attestation
"""

import json
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError

from audits._reading import Limits, SubmissionError, read_json, refuse_fields
from audits.certificate import _version_1
from audits.certificate._records import (
    ComparisonRecord,
    DeclarationRecord,
    ForecastRecord,
    PredicateRecord,
    Record,
    Sha256,
    Subject,
)

STATEMENT: Final = "https://in-toto.io/Statement/v1"
PREDICATE: Final = "urn:indist:certificate:2"
VERSION: Final = 2
FILE: Final = "certificate.json"
# The folder beside the file, which holds the observations that it can be recomputed from.
OBSERVATIONS: Final = "observations"

FilePath = Annotated[str, Field(pattern=r"^([A-Za-z0-9_-]+/)?[A-Za-z0-9_-]+\.[a-z0-9]+$")]
"""A file beside the certificate, or one folder deeper, and nowhere else."""


class CertificateError(ValueError):
    """A file is no certificate that can be read here; the message is one sentence for people."""


class Declaration(DeclarationRecord):
    """Everything fixed before looking at the data.

    Attributes:
        looked_at: settings of the observables; empty for the median margins alone, with joint
            upper bounds.
        seed: of the models set aside and the examples drawn; null where nothing is drawn.
        looks: numbers of submitted models at which one looks; null is one look at what was handed
            in.
        look: which of them this is, from 1; 0 is an exploratory look.
        look_confidence: of the verdict of this look alone, where looks are declared.
        among: how many submissions were audited at once.
        references_seen: whether the submitter could see the references before handing in; null
            where nobody has said.
    """

    looked_at: list[str] = []
    seed: int | None = None
    looks: list[int] | None = None
    look: int = Field(default=1, ge=0)
    look_confidence: float | None = None
    among: int = Field(default=1, ge=1, le=1_000_000)
    references_seen: bool | None = None


class BesideRecord(Record):
    """Submitted models that would do beside so many of the reference; null when none would."""

    references: int
    submitted: int | None


class Forecast(ForecastRecord):
    """About how many models would decide an open comparison.

    Attributes:
        beside: submitted models that would do beside the reference's models that there are, and
            beside more of them.
    """

    beside: list[BesideRecord] = []


class Comparison(ComparisonRecord):
    """One population against another."""

    forecast: Forecast | None  # pyright: ignore[reportIncompatibleVariableOverride]


class NearestRecord(Record):
    """Which reference is nearer, where bounds on both distances say so."""

    reference: Literal["untraining", "unlearning"] | None
    difference: float


class OverUnlearnedRecord(Record):
    """Whether the behaviour is hidden more than by models that never saw it."""

    flag: bool
    auc: float
    high: float
    group: str


class ShiftRecord(Record):
    """Where one group's median margin lies beside a reference's."""

    reference: Literal["untraining", "unlearning"]
    group: str
    shift: float | None
    auc: float
    auc_low: float
    auc_high: float


class MeanDistanceRecord(Record):
    """How far the mean margins lie from a reference's, over all probes; null where not known."""

    reference: Literal["untraining", "unlearning"]
    estimate: float | None


class ProgressRecord(Record):
    """How far one group's median margin has come from its start to a reference's."""

    start: Literal["original", "untraining"]
    reference: Literal["untraining", "unlearning"]
    group: str
    estimate: float | None
    low: float | None
    high: float | None
    nearer: bool


class SharingRecord(Record):
    """Whether both references share the level, as they lie far apart."""

    needed: float
    shown: float
    shared: bool


class Predicate(PredicateRecord):
    """The audit itself.

    Attributes:
        files: SHA-256 of the bytes of each file that was written beside the certificate; empty for
            a certificate that was written alone.
    """

    version: Literal[2]
    # Of version 2, with more fields than those of every version.
    declaration: Declaration  # pyright: ignore[reportIncompatibleVariableOverride]
    untraining: Comparison  # pyright: ignore[reportIncompatibleVariableOverride]
    unlearning: Comparison  # pyright: ignore[reportIncompatibleVariableOverride]
    references: Comparison  # pyright: ignore[reportIncompatibleVariableOverride]
    original: list[Comparison] | None  # pyright: ignore[reportIncompatibleVariableOverride]
    nearest: NearestRecord
    over_unlearned: OverUnlearnedRecord | None
    progress: list[ProgressRecord] = []
    shifts: list[ShiftRecord] = []
    mean_distances: list[MeanDistanceRecord] = []
    least_alpha: float | None = None
    sharing: SharingRecord | None = None
    stands: bool | None = None
    files: dict[FilePath, Sha256]


class Certificate(Record):
    """An in-toto Statement: its subject is the submission, its predicate the audit."""

    statement: Literal["https://in-toto.io/Statement/v1"] = Field(alias="_type")
    subject: list[Subject] = Field(min_length=1)
    predicate_type: Literal["urn:indist:certificate:2"] = Field(alias="predicateType")
    predicate: Predicate

    def to_json(self) -> str:
        """The file's text: UTF-8 JSON, finite numbers only, the same for the same audit."""
        content = self.model_dump(mode="json", by_alias=True)
        return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


AnyCertificate = Certificate | _version_1.Certificate
"""A certificate of any version that can be read."""


def read_certificate(path: Path | str) -> AnyCertificate:
    """Reads a certificate that this or an earlier indist wrote.

    Args:
        path: the JSON file.

    Returns:
        The certificate. That its numbers are right is for `verify` to say.

    Raises:
        CertificateError: when it cannot be read, is no certificate, holds a value of another type,
            or is of a later version.
    """
    where = Path(path)
    try:
        content = read_json(where, Limits())
    except SubmissionError as error:
        raise CertificateError(str(error)) from None
    if not isinstance(content, dict) or content.get("_type") != STATEMENT:
        raise CertificateError(
            f"{where}: field _type: expected {STATEMENT!r}, an in-toto statement"
        )
    kind = str(content.get("predicateType"))[:80]
    predicate = content.get("predicate")
    found = predicate.get("version") if isinstance(predicate, dict) else None
    known = {(_version_1.PREDICATE, 1): _version_1.Certificate, (PREDICATE, VERSION): Certificate}
    # To Python, true and 1.0 equal 1.
    if type(found) is not int or (kind, found) not in known:
        newer = "; a newer indist may read it" if kind.startswith(PREDICATE[:-1]) else ""
        raise CertificateError(
            f"{where}: field predicateType: expected {PREDICATE} and version {VERSION}, or both "
            f"of version 1, found {kind} and version {str(found)[:20]}{newer}"
        )
    try:
        return known[kind, found].model_validate(content, strict=True)
    except ValidationError as error:
        try:
            refuse_fields(where, error)
        except SubmissionError as refusal:
            raise CertificateError(str(refusal)) from None


def schema(version: int = VERSION) -> dict[str, Any]:
    """The JSON Schema of a version, as it is checked in beside this file."""
    kinds = {1: _version_1.Certificate, VERSION: Certificate}
    return kinds[version].model_json_schema(by_alias=True)
