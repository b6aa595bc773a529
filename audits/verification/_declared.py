"""Fields that nothing stored can show to be right: that they are at least of the right types."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from audits._reading import refuse_fields
from audits.certificate._records import Sha256

_Population = Literal["submission", "original", "untraining", "unlearning"]
_Versions = dict[str, str]


class _Strict(BaseModel):
    # Fields that are not listed here are compared with what is recomputed.
    model_config = ConfigDict(strict=True, frozen=True, allow_inf_nan=False)


class _Settings(_Strict):
    """Those settings of a scenario that any may have; its own are of its own types."""

    seed: int = 0
    discovery: float = 1.0
    forget: str = ""
    learner: str = ""
    learner_settings: dict[str, Any] = {}


class _Provenance(_Strict):
    submission: str
    method: str | None
    scenario: str | None
    title: str | None
    sizes: dict[str, Annotated[int, Field(ge=0)]]
    settings: _Settings
    parameters: dict[_Population, Sha256]
    seeds: dict[_Population, int | list[int] | None]
    versions: _Versions


class SettingsOfCertificate(_Strict):
    """What a certificate's own record leaves open."""

    class _Predicate(_Strict):
        class _OfScenario(_Strict):
            settings: _Settings

        provenance: _OfScenario

    predicate: _Predicate


class DeclaredOfSingle(_Strict):
    """Fields of ``single.json`` that are the auditor's word, or needed to recompute the others."""

    confidence: float = Field(gt=0, lt=1)
    warnings: list[str]
    provenance: _Provenance


class DeclaredOfLogs(_Strict):
    """The same of ``logs.json``."""

    class _Comparison(_Strict):
        class _Metric(_Strict):
            metric: str

        metrics: list[_Metric]

    confidence: float = Field(gt=0, lt=1)
    cluster: int | None = Field(ge=1)
    seed: int = Field(ge=0)
    comparisons: list[_Comparison] = Field(min_length=1)
    versions: _Versions


class DeclaredOfCoins(_Strict):
    """The same of ``coin-audit.json``."""

    class _Scores(_Strict):
        name: str
        read: list[str]
        values: list[list[list[float]]] = Field(min_length=1)
        right: dict[str, list[Annotated[int, Field(ge=0)]]]
        examples: dict[str, Annotated[int, Field(ge=1)]]

    class _Sets(_Strict):
        forget: list[str] = Field(min_length=1)
        holdout: list[str] = Field(min_length=1)

    settings: dict[str, Any]
    design: dict[str, Any] | None
    opened: dict[str, Any] | None
    sets: _Sets | None
    cluster: int = Field(ge=1)
    scores: _Scores
    baseline: _Scores | None
    check: _Scores | None
    versions: _Versions


class DeclaredOfScores(_Strict):
    """The same of ``scores.json``."""

    confidence: float = Field(gt=0, lt=1)
    seed: int = Field(ge=0)
    submission: str
    command: str | None
    models: dict[_Population, int]
    versions: _Versions


def check_declared(path: Path, content: Any, kind: type[BaseModel]) -> None:
    """Checks the types of the fields of a record that a class here has.

    Args:
        path: the record.
        content: its JSON values.
        kind: one of the classes here.

    Raises:
        SubmissionError: when a field is missing, or of another type; with field, value and type.
    """
    try:
        kind.model_validate(content)
    except ValidationError as error:
        refuse_fields(path, error)
