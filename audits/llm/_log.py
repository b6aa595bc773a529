"""What a benchmark's log says of one language model: numbers for each example, and nothing else."""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn

from audits._reading import Limits, refuse
from audits.report.numbers import counted
from oracles.storage.files import printable

Benchmark = Literal["TOFU", "open-unlearning", "MUSE", "ERASURE"]

NO_INTERVAL = "no interval possible: the log holds aggregated values and no example's own"


@dataclass(frozen=True, eq=False, repr=False)
class LLMLog:
    """One model's log, as read by `load`.

    An example's id is its index in the log, followed by a fingerprint of its text where the log
    holds the text: then models that were asked other questions are never paired.

    Attributes:
        name: the model's name in the log, or the log's path; like all names here in characters
            that can be printed, see `oracles.storage.files.printable`.
        path: where it was read.
        benchmark: which benchmark wrote it.
        scores: by metric, the value at each example: ``{metric: {example id: value}}``, finite.
            Metrics are named ``split/metric`` or, where the log names its splits itself, as there.
        summary: aggregated values that are finite numbers, as logged and not checked.
        primary: the metrics on which models are compared unless others are declared.
        attack: the membership attack the benchmark's PrivLeak rests on, whose scores are
            ``attack/forget`` and ``attack/holdout``; or None.
        warnings: what a reader should know.
    """

    name: str
    path: Path
    benchmark: Benchmark
    scores: Mapping[str, Mapping[str, float]]
    summary: Mapping[str, float]
    primary: tuple[str, ...] = ()
    attack: str | None = None
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        scores = {printable(metric): values for metric, values in self.scores.items()}
        if len(scores) < len(self.scores):
            refuse(self.path, "expected metrics that differ in printable characters, found others")
        cleaned = {
            "name": printable(self.name),
            "scores": scores,
            "summary": {printable(metric): value for metric, value in self.summary.items()},
            "primary": tuple(map(printable, self.primary)),
            "warnings": tuple(map(printable, self.warnings)),
        }
        for field, value in cleaned.items():
            object.__setattr__(self, field, value)

    @property
    def digest(self) -> str:
        """SHA-256 of the scores, in the order of their names and examples."""
        return hashlib.sha256(json.dumps(self.scores, sort_keys=True).encode()).hexdigest()

    def __repr__(self) -> str:
        examples = max(map(len, self.scores.values()), default=0)
        held = f"{counted(len(self.scores), 'metric')} on up to {counted(examples, 'example')}"
        return f"LLMLog({self.name!r}, {self.benchmark}, {held if self.scores else 'summary only'})"


def refuse_field(path: Path, field: Sequence[str | int], what: str) -> NoReturn:
    """One sentence that names the field, whose parts are the file's own and cut short."""
    parts = ".".join(repr(str(part)[:40])[1:-1] for part in field)
    refuse(path, f"field {parts}: {what}" if parts else what)


def mapping(path: Path, found: Any, limits: Limits, *field: str) -> dict[str, Any]:
    """A JSON object with at least one and at most ``limits.probes`` entries.

    Raises:
        SubmissionError: for anything else.
    """
    if not isinstance(found, dict):
        refuse_field(path, field, f"expected a JSON object, found {type(found).__name__}")
    _check_count(path, found, limits, field)
    return found


def by_index(path: Path, found: Any, limits: Limits, *field: str) -> dict[str, Any]:
    """Values by example: a JSON object by index, or a list, whose places are the indices.

    Raises:
        SubmissionError: for anything else, or another number of entries than `mapping` takes.
    """
    if isinstance(found, list):
        _check_count(path, found, limits, field)
        return {str(place): value for place, value in enumerate(found)}
    return mapping(path, found, limits, *field)


def rows(path: Path, found: Any, limits: Limits, *field: str) -> list[dict[str, Any]]:
    """A JSON list of objects, with at least one and at most ``limits.probes`` of them.

    Raises:
        SubmissionError: for anything else.
    """
    if not isinstance(found, list):
        refuse_field(path, field, f"expected a list of examples, found {type(found).__name__}")
    _check_count(path, found, limits, field)
    for place, row in enumerate(found):
        if not isinstance(row, dict):
            kind = type(row).__name__
            refuse_field(path, (*field, place), f"expected a JSON object, found {kind}")
    return found


def _check_count(path: Path, found: Sized, limits: Limits, field: Sequence[str]) -> None:
    if not 1 <= len(found) <= limits.probes:
        refuse_field(path, field, f"expected 1 to {limits.probes} entries, found {len(found)}")


def finite(found: Any) -> float | None:
    """A finite number, or None for anything else: texts, truth values, NaN, lists and objects."""
    if isinstance(found, int | float) and not isinstance(found, bool):
        try:
            if math.isfinite(value := float(found)):
                return value
        except OverflowError:
            pass
    return None


def number(path: Path, found: Any, *field: str | int) -> float:
    """A finite number.

    Raises:
        SubmissionError: for anything else; a whole number may be too great as well.
    """
    if (value := finite(found)) is not None:
        return value
    if type(found) is int:
        found = "too great a number"
    shown = type(found).__name__ if isinstance(found, dict | list) else repr(found)[:40]
    refuse_field(path, field, f"expected a finite number, found {shown}")


def numbers(path: Path, found: Any, *field: str | int) -> list[float]:
    """A list of finite numbers, at least one; a single number is a list of one.

    Raises:
        SubmissionError: for anything else.
    """
    if not isinstance(found, list):
        return [number(path, found, *field)]
    if not found:
        refuse_field(path, field, "expected at least one number, found none")
    return [number(path, entry, *field, place) for place, entry in enumerate(found)]


def with_fingerprint(index: str, text: Any) -> str:
    """An example's id: its index and, where its text is known, eight digits that stand for it."""
    if not isinstance(text, str):
        return index
    digest = hashlib.sha256(text.strip().encode(errors="surrogatepass")).hexdigest()
    return f"{index} {digest[:8]}"


def in_order(preferred: Iterable[str], scores: Mapping[str, Any]) -> tuple[str, ...]:
    """Those of the preferred metrics that a log holds."""
    return tuple(metric for metric in preferred if metric in scores)
