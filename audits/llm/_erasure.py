"""ERASURE's JSON: the metrics of one model a run, and nothing of any example.

Schema: https://github.com/aiim-research/ERASURE, ``erasure/evaluations``. Each run appends an
object and a comma to the file, which is JSON only between brackets and without the last comma.
"""

from pathlib import Path
from typing import Any

from audits._reading import Limits, json_text, parse_json
from audits.llm._log import NO_INTERVAL, LLMLog, finite, refuse_field, rows


def read_erasure(path: str | Path, *, limits: Limits | None = None) -> tuple[LLMLog, ...]:
    """Reads the runs that ``SaveValues`` appended to a JSON file.

    Args:
        path: the file: one object, several followed by commas, or a list of them.
        limits: the most it may hold; `Limits` by default.

    Returns:
        A log for each run, with aggregated values only: no interval is possible.

    Raises:
        SubmissionError: a ValueError whose one sentence names the file, the field, what was found
            and what was expected.
    """
    where, limits = Path(path), limits or Limits()
    runs = rows(where, _runs(where, limits), limits)
    return tuple(_run(where, run, place) for place, run in enumerate(runs))


def _run(path: Path, run: dict[str, Any], place: int) -> LLMLog:
    found = {metric: finite(value) for metric, value in run.items()}
    summary = {metric: value for metric, value in found.items() if value is not None}
    if not summary or not isinstance(run.get("unlearner"), str):
        refuse_field(path, (place,), "expected an unlearner and its metrics, found none")
    return LLMLog(
        name=run["unlearner"],
        path=path,
        benchmark="ERASURE",
        scores={},
        summary=summary,
        warnings=(f"{path}: {NO_INTERVAL}.",),
    )


def _runs(path: Path, limits: Limits) -> Any:
    text = json_text(path, limits).strip()
    if not text.startswith(b"["):
        text = b"[" + text.removesuffix(b",") + b"]"
    return parse_json(path, text, finite=False)
