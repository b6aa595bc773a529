"""The certificate: an in-toto Statement whose predicate is an audit, format version 1.

A promise about a stored format. Every later indist reads version 1 and verifies it; a field is
never renamed, and its meaning never changed, without another version. A version that is not known
here is refused. All numbers are finite: NaN and infinity are neither written nor read, and what
does not exist is null. The words that a field may hold are spelt out here, so that the format stays
as it is when the code that fills it changes.

References:
    in-toto Attestation Framework, Statement v1, https://github.com/in-toto/attestation
"""

import json
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from audits._reading import Limits, SubmissionError, read_json

STATEMENT: Final = "https://in-toto.io/Statement/v1"
PREDICATE: Final = "urn:indist:certificate:1"
VERSION: Final = 1
FILE: Final = "certificate.json"
# The folder beside the file, which holds the observations that it can be recomputed from.
OBSERVATIONS: Final = "observations"

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Numbers = Annotated[
    list[float],
    BeforeValidator(lambda found: found.tolist() if isinstance(found, np.ndarray) else found),
]


class CertificateError(ValueError):
    """A file is no certificate that can be read here; the message is one sentence for people."""


class _Record(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        from_attributes=True,
        populate_by_name=True,
    )


class DeclarationRecord(_Record):
    """Everything fixed before looking at the data."""

    epsilon: float = Field(ge=0)
    tolerance: float = Field(gt=0, lt=1)
    confidence: float = Field(gt=0, lt=1)
    observables: list[str]
    events: str
    bounds: str
    calibrated: bool


class CurveRecord(_Record):
    """Divergence against epsilon with pointwise bands, both directions."""

    epsilon: Numbers
    forward: Numbers
    forward_low: Numbers
    forward_high: Numbers
    backward: Numbers
    backward_low: Numbers
    backward_high: Numbers


class ObservableRecord(_Record):
    """One observable's divergence between two populations."""

    observable: str
    estimate: float
    lower: float
    upper: float
    median_first: float
    median_second: float


class ForecastRecord(_Record):
    """About how many models a side would decide an open comparison; null when none would."""

    models: int | None
    power: float
    towards: Literal["match", "differ"]


class ComparisonRecord(_Record):
    """One population against another."""

    first: str
    second: str
    confidence: float
    estimate: float
    lower: float
    upper: float
    decision: Literal["match", "differ", "open"]
    models_first: int
    models_second: int
    forecast: ForecastRecord | None
    by_observable: list[ObservableRecord]
    curve: CurveRecord


class NearestRecord(_Record):
    """Which reference is nearer."""

    reference: Literal["untraining", "unlearning"] | None
    difference: float
    low: float
    high: float
    confidence: float
    seed: int


class OverUnlearnedRecord(_Record):
    """Whether the behaviour is hidden more than by models that never saw it."""

    flag: bool
    pvalue: float
    group: str


class ClaimRecord(_Record):
    """A claimed (epsilon, delta) beside what was measured."""

    epsilon: float = Field(ge=0)
    delta: float = Field(ge=0, le=1)
    mechanism: str
    source: str
    assumptions: list[str]
    finding: Literal["contradicted", "not contradicted", "cannot be contradicted", "no claim"]
    sentence: str
    delta_lower: float | None
    epsilon_lower: float | None
    confidence: float


class GroupRecord(_Record):
    """What one population does on one probe group."""

    population: str
    group: str
    probes: int
    models: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    margin: float
    margin_low: float
    margin_high: float


class PopulationRecord(_Record):
    """One population: its digests and what it declares of itself."""

    name: str
    models: int = Field(ge=1)
    observations: Sha256
    parameters: Sha256 | None
    seeds: int | list[int] | None


class ProvenanceRecord(_Record):
    """Where the numbers came from; as declared, and not recomputed by a verification."""

    submission: str
    method: str | None
    scenario: str | None
    title: str | None
    sizes: dict[str, int]
    settings: dict[str, Any]
    versions: dict[str, str]


class Predicate(_Record):
    """The audit itself."""

    version: Literal[1]
    verdict: Literal["untraining", "unlearning", "both", "neither", "inconclusive"]
    sentence: str
    scope: str
    separation: Literal["separated", "coincide", "unresolved"]
    declaration: DeclarationRecord
    untraining: ComparisonRecord
    unlearning: ComparisonRecord
    references: ComparisonRecord
    original: list[ComparisonRecord] | None
    nearest: NearestRecord
    over_unlearned: OverUnlearnedRecord | None
    claimed: ClaimRecord | None = None
    models_needed: int | None
    least_tolerance: float
    groups: list[GroupRecord]
    populations: list[PopulationRecord]
    provenance: ProvenanceRecord
    warnings: list[str]


class Subject(_Record):
    """What the statement is about: the submission, by the digest of its arrays."""

    name: str
    digest: dict[Literal["sha256"], Sha256]


class Certificate(_Record):
    """An in-toto Statement: its subject is the submission, its predicate the audit."""

    statement: Literal["https://in-toto.io/Statement/v1"] = Field(alias="_type")
    subject: list[Subject] = Field(min_length=1)
    predicate_type: Literal["urn:indist:certificate:1"] = Field(alias="predicateType")
    predicate: Predicate

    def to_json(self) -> str:
        """The file's text: UTF-8 JSON, finite numbers only, the same for the same audit."""
        content = self.model_dump(mode="json", by_alias=True)
        if self.predicate.claimed is None:
            # Added to version 1 later: where nothing is claimed, files stay as they were.
            del content["predicate"]["claimed"]
        return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def read_certificate(path: Path | str) -> Certificate:
    """Reads a certificate that this or an earlier indist wrote.

    Args:
        path: the JSON file.

    Returns:
        The certificate. That its numbers are right is for `verify` to say.

    Raises:
        CertificateError: when it cannot be read, is no certificate, or is of a later version.
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
    if kind != PREDICATE or found != VERSION:
        newer = "; a newer indist may read it" if kind.startswith(PREDICATE[:-1]) else ""
        raise CertificateError(
            f"{where}: field predicateType: expected {PREDICATE} and version {VERSION}, "
            f"found {kind} and version {str(found)[:20]}{newer}"
        )
    try:
        return Certificate.model_validate(content)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        field = ".".join(map(str, problem["loc"]))
        raise CertificateError(
            f"{where}: field {field}: {problem['msg']}, found {repr(problem['input'])[:60]}"
        ) from None


def schema() -> dict[str, Any]:
    """The JSON Schema of version 1, as it is checked in beside this file."""
    return Certificate.model_json_schema(by_alias=True)
