"""The examples' scores that a comparison of logs is stored with, so that it can be recomputed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from audits._reading import Limits, check_format, read_json, refuse_fields
from audits.llm._findings import LLMFindings
from audits.llm._log import Benchmark, LLMLog
from oracles.storage.files import printable

FORMAT = "indist-llm-scores"
VERSION = 1


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class _StoredLog(_Strict):
    name: str
    path: str
    benchmark: Benchmark
    scores: dict[str, dict[str, float]]
    summary: dict[str, float]
    primary: list[str]
    attack: str | None
    warnings: list[str]

    def log(self) -> LLMLog:
        """The log as it was compared."""
        return LLMLog(
            name=self.name,
            path=Path(self.path),
            benchmark=self.benchmark,
            scores=self.scores,
            summary=self.summary,
            primary=tuple(self.primary),
            attack=self.attack,
            warnings=tuple(self.warnings),
        )


class _StoredLogs(_Strict):
    format: Literal["indist-llm-scores"]
    version: int
    logs: dict[Literal["submission", "untraining", "unlearning"], list[_StoredLog]] = Field(
        min_length=2
    )


def stored_logs(audit: LLMFindings) -> dict[str, Any]:
    """All that `read_stored_logs` needs, as JSON values: numbers, and no text of any example."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "logs": {name: [_entry(log) for log in logs] for name, logs in audit.logs.items()},
    }


def _entry(log: LLMLog) -> dict[str, Any]:
    return {
        "name": log.name,
        "path": printable(str(log.path)),
        "benchmark": log.benchmark,
        "scores": {metric: dict(values) for metric, values in log.scores.items()},
        "summary": dict(log.summary),
        "primary": list(log.primary),
        "attack": log.attack,
        "warnings": list(log.warnings),
    }


def read_stored_logs(path: Path, limits: Limits) -> Mapping[str, tuple[LLMLog, ...]]:
    """Reads the logs that a comparison was stored with.

    Raises:
        SubmissionError: when they cannot be read, in one sentence.
    """
    content = read_json(path, limits)
    check_format(path, content, FORMAT, VERSION)
    try:
        found = _StoredLogs.model_validate(content)
    except ValidationError as error:
        refuse_fields(path, error)
    return {name: tuple(entry.log() for entry in logs) for name, logs in found.logs.items()}
