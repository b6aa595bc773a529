"""Version 1 of the certificate, as indist 0.1.0 wrote it: read and verified for good."""

import json
from typing import Final, Literal

from pydantic import Field

from audits.certificate._records import PredicateRecord, Record, Subject

PREDICATE: Final = "urn:indist:certificate:1"


class NearestRecord(Record):
    """Which reference is nearer."""

    reference: Literal["untraining", "unlearning"] | None
    difference: float
    low: float
    high: float
    confidence: float
    seed: int


class OverUnlearnedRecord(Record):
    """Whether the behaviour is hidden more than by models that never saw it."""

    flag: bool
    pvalue: float
    group: str


class Predicate(PredicateRecord):
    """The audit itself."""

    version: Literal[1]
    nearest: NearestRecord
    over_unlearned: OverUnlearnedRecord | None


class Certificate(Record):
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
