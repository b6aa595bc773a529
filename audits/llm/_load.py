"""Any benchmark's log, told by its content rather than by its name."""

from collections.abc import Iterable
from pathlib import Path

from audits._reading import Limits, as_path, file_size, matching, read_json, refuse
from audits.llm._erasure import read_erasure
from audits.llm._log import LLMLog
from audits.llm._muse import LAYOUT, is_muse, read_muse, read_muse_table, refuse_part
from audits.llm._open_unlearning import METRICS, from_open_unlearning, is_summary
from audits.llm._tofu import SPLITS, from_tofu, is_split

FORMATS = (
    "TOFU's eval_log_aggregated.json or eval_log_forget.json, open-unlearning's *_EVAL.json or "
    f"*_SUMMARY.json, MUSE's .csv table or {LAYOUT}, or ERASURE's JSON"
)
_END = 64


def load(path: str | Path, *, limits: Limits | None = None) -> tuple[LLMLog, ...]:
    """Reads the log or logs that a language-model benchmark wrote.

    Args:
        path: a file, or MUSE's folder of one model.
        limits: the most that each file may hold; `Limits` by default.

    Returns:
        One log; of MUSE's table and of ERASURE's file one for each model in it.

    Raises:
        SubmissionError: a ValueError whose one sentence names the file, the field, what was found
            and what was expected.

    Example:
        >>> import json, pathlib, tempfile
        >>> from indist import audits
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "TOFU_SUMMARY.json"
        >>> _ = file.write_text(json.dumps({"forget_quality": 0.4, "model_utility": 0.6}))
        >>> audits.llm.load(file)[0].summary
        {'forget_quality': 0.4, 'model_utility': 0.6}
    """
    where, limits = as_path(path), limits or Limits()
    if where.is_dir():
        return (read_muse(where, limits=limits),)
    size = file_size(where)
    if where.suffix == ".csv":
        return read_muse_table(where, limits=limits)
    if where.suffix != ".json":
        refuse(where, f"unknown format {where.suffix or '(no suffix)'}; expected {FORMATS}")
    with where.open("rb") as file:
        file.seek(max(0, size - _END))
        end = file.read().rstrip()
    if end.endswith(b","):
        return read_erasure(where, limits=limits)
    content = read_json(where, limits, finite=False)
    first = content[0] if isinstance(content, list) and content else content
    if isinstance(first, dict) and "unlearner" in first:
        return read_erasure(where, limits=limits)
    refuse_part(where, content)
    if not isinstance(content, dict):
        refuse(where, f"unknown format; expected {FORMATS}, found {type(content).__name__}")
    if not SPLITS.keys().isdisjoint(content) or is_split(content):
        return (from_tofu(where, content, limits),)
    flat = content and not any(isinstance(value, dict | None) for value in content.values())
    if flat and not is_summary(where, content):
        refuse(
            where,
            f"is a flat JSON object with none of open-unlearning's metrics ({METRICS}); "
            f"expected {FORMATS}",
        )
    return (from_open_unlearning(where, content, limits),)


def is_log(path: str | Path) -> bool:
    """Whether a path is a log of a language-model benchmark rather than anything else of models.

    Args:
        path: a file or folder; of what is not there, the name alone is asked.
    """
    where = as_path(path)
    if where.is_dir() or (where.suffix == ".csv" and where.is_file()):
        return is_muse(where)
    return where.suffix == ".json"


def load_all(
    patterns: Iterable[str | Path] | Path, *, limits: Limits | None = None
) -> tuple[LLMLog, ...]:
    """Reads the logs that paths or patterns name, in their order.

    Args:
        patterns: paths, or patterns such as ``runs/*/TOFU_EVAL.json``, sorted by name.
        limits: the most that each file may hold, and how many models there may be.

    Returns:
        The logs.

    Raises:
        SubmissionError: when a pattern fits nothing or too much, or as `load`.
    """
    limits = limits or Limits()
    paths = matching(patterns, "a log", limits)
    return tuple(log for path in paths for log in load(path, limits=limits))
