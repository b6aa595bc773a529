"""What certificates of every version hold.

The words that a field may hold are spelt out here, so that the format stays as it is when the code
that fills it changes. A record that a version has is never changed: another version gets its own.
"""

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Numbers = Annotated[
    list[float],
    BeforeValidator(lambda found: found.tolist() if isinstance(found, np.ndarray) else found),
]


class Record(BaseModel):
    """Part of a certificate: no field but those known, and finite numbers only."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        from_attributes=True,
        populate_by_name=True,
    )


class DeclarationRecord(Record):
    """Everything fixed before looking at the data."""

    epsilon: float = Field(ge=0)
    tolerance: float = Field(gt=0, lt=1)
    confidence: float = Field(gt=0, lt=1)
    observables: list[str]
    events: str
    bounds: str
    calibrated: bool


class CurveRecord(Record):
    """Divergence against epsilon with pointwise bands, both directions."""

    epsilon: Numbers
    forward: Numbers
    forward_low: Numbers
    forward_high: Numbers
    backward: Numbers
    backward_low: Numbers
    backward_high: Numbers


class ObservableRecord(Record):
    """One observable's divergence between two populations."""

    observable: str
    estimate: float
    lower: float
    upper: float
    median_first: float
    median_second: float


class ForecastRecord(Record):
    """About how many models a side would decide an open comparison; null when none would."""

    models: int | None
    power: float
    towards: Literal["match", "differ"]


class ComparisonRecord(Record):
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


class ClaimRecord(Record):
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


class GroupRecord(Record):
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


class PopulationRecord(Record):
    """One population: its digests and what it declares of itself."""

    name: str
    models: int = Field(ge=1)
    observations: Sha256
    parameters: Sha256 | None
    seeds: int | list[int] | None


class ProvenanceRecord(Record):
    """Where the numbers came from; as declared, and not recomputed by a verification."""

    submission: str
    method: str | None
    scenario: str | None
    title: str | None
    sizes: dict[str, int]
    settings: dict[str, Any]
    versions: dict[str, str]


class PredicateRecord(Record):
    """The audit itself, whatever the version."""

    version: Any  # Each version says which number it is.
    verdict: Literal["untraining", "unlearning", "both", "neither", "inconclusive"]
    sentence: str
    scope: str
    separation: Literal["separated", "coincide", "unresolved"]
    declaration: DeclarationRecord
    untraining: ComparisonRecord
    unlearning: ComparisonRecord
    references: ComparisonRecord
    original: list[ComparisonRecord] | None
    nearest: Any
    over_unlearned: Any
    claimed: ClaimRecord | None = None
    models_needed: int | None
    least_tolerance: float
    groups: list[GroupRecord]
    populations: list[PopulationRecord]
    provenance: ProvenanceRecord
    warnings: list[str]


class Subject(Record):
    """What the statement is about: the submission, by the digest of its arrays."""

    name: str
    digest: dict[Literal["sha256"], Sha256]
