"""TOFU's ``eval_log_aggregated.json`` and the files of single splits, as its script writes them.

Schema: https://github.com/locuslab/tofu, ``evaluate_util.py``. One object for each of four splits;
in each, one object a metric, from an example's index to its value; older versions of the script
wrote a list of the values in its place. A split's object is also in a file of its own, whose name
alone says which split it is.
"""

import math
from pathlib import Path
from typing import Any

from audits._reading import Limits, read_json
from audits.llm._log import (
    LLMLog,
    by_index,
    in_order,
    mapping,
    number,
    numbers,
    refuse_field,
    with_fingerprint,
)
from audits.llm._truth_ratio import LnTruthRatio, ln_truth_ratio

SPLITS = {
    "eval_log_forget.json": "forget",
    "eval_log.json": "retain",
    "eval_real_author_wo_options.json": "real_authors",
    "eval_real_world_wo_options.json": "world_facts",
}
_KEPT = ("avg_gt_loss", "normalized_gt_loss", "rougeL_recall", "rouge1_recall")
_PRIMARY = (
    "forget/ln_truth_ratio_arithmetic",
    "forget/ln_truth_ratio_geometric",
    "forget/avg_gt_loss",
    "forget/rougeL_recall",
)
_TELLING = ("avg_gt_loss", "avg_paraphrased_loss", "average_perturb_loss")
# Logged in float32, losses and ratio alike; logs that TOFU publishes agree to 2e-6.
_ROUNDING = 1e-4


def read_tofu(path: str | Path, *, limits: Limits | None = None) -> LLMLog:
    """Reads an ``eval_log_aggregated.json``, or one split's file such as ``eval_log_forget.json``.

    Both truth ratios are computed anew from the losses (see `ln_truth_ratio`); a logged one that
    disagrees is warned of. Texts serve for fingerprints and are not kept.

    Args:
        path: the file.
        limits: the most it may hold; `Limits` by default.

    Returns:
        The log: metrics ``forget/...``, and of the splits ``retain``, ``real_authors`` and
        ``world_facts`` those it holds.

    Raises:
        SubmissionError: a ValueError whose one sentence names the file, the field, what was found
            and what was expected.
    """
    where, limits = Path(path), limits or Limits()
    return from_tofu(where, read_json(where, limits, finite=False), limits)


def from_tofu(path: Path, content: Any, limits: Limits) -> LLMLog:
    """The log that parsed JSON holds; see `read_tofu`."""
    whole = mapping(path, content, limits)
    if is_split(whole):
        if path.name not in SPLITS:
            refuse_field(
                path,
                (),
                "is TOFU's log of one split, and its name alone says of which: expected one of "
                f"{', '.join(SPLITS)}",
            )
        whole = {path.name: whole}
    elif "eval_log_forget.json" not in whole:
        refuse_field(path, ("eval_log_forget.json",), "expected, found none")
    scores: dict[str, dict[str, float]] = {}
    warnings: list[str] = []
    for file, split in SPLITS.items():
        if file in whole:
            found, warned = _split(path, file, mapping(path, whole[file], limits, file), limits)
            scores |= {f"{split}/{metric}": values for metric, values in found.items()}
            warnings += warned
    return LLMLog(
        name=str(path),
        path=path,
        benchmark="TOFU",
        scores=scores,
        summary={},
        primary=in_order(_PRIMARY, scores),
        warnings=tuple(warnings),
    )


def is_split(content: dict[str, Any]) -> bool:
    """Whether an object is TOFU's log of a single split, by its fields."""
    return any(isinstance(content.get(metric), dict | list) for metric in _TELLING)


def _split(
    path: Path, file: str, logged: dict[str, Any], limits: Limits
) -> tuple[dict[str, dict[str, float]], list[str]]:
    _check_lists(path, file, logged)

    def table(metric: str) -> dict[str, Any]:
        if metric not in logged:
            refuse_field(path, (file, metric), "expected, found none")
        return by_index(path, logged[metric], limits, file, metric)

    # Prompt, answer and ground truth, of which the last alone is the same for all models.
    texts = table("generated_text") if "generated_text" in logged else {}
    truths = {index: text[2] for index, text in texts.items() if len(_as_list(text)) > 2}

    def named(values: dict[str, float]) -> dict[str, float]:
        return {with_fingerprint(at, truths.get(at)): value for at, value in values.items()}

    found = {
        metric: named(
            {at: number(path, value, file, metric, at) for at, value in table(metric).items()}
        )
        for metric in _KEPT
        if metric in logged
    }
    right, wrong = table("avg_paraphrased_loss"), table("average_perturb_loss")
    if right.keys() != wrong.keys():
        refuse_field(
            path,
            (file, "average_perturb_loss"),
            "expected the examples of avg_paraphrased_loss, found others",
        )
    ratios = {
        at: ln_truth_ratio(
            number(path, right[at], file, "avg_paraphrased_loss", at),
            numbers(path, wrong[at], file, "average_perturb_loss", at),
        )
        for at in right
    }
    for place, mean in enumerate(LnTruthRatio._fields):
        found[f"ln_truth_ratio_{mean}"] = named({at: r[place] for at, r in ratios.items()})
    stated = table("truth_ratio") if "truth_ratio" in logged else {}
    off = sum(
        not _agrees(number(path, ratio, file, "truth_ratio", at), ratios[at].geometric)
        for at, ratio in stated.items()
        if at in ratios
    )
    warning = (
        f"{path}: {file}: {off} of {len(ratios)} logged truth ratios are not those of the logged "
        "losses; the losses are used."
    )
    return found, [warning] if off else []


def _check_lists(path: Path, file: str, logged: dict[str, Any]) -> None:
    """Only lists of one length number the same examples by their places."""
    counts = {metric: len(values) for metric, values in logged.items() if isinstance(values, list)}
    first = next(iter(counts), "")
    for metric, count in counts.items():
        if count != counts[first]:
            what = f"expected {counts[first]} entries as in {first[:40]!r}, found {count}"
            refuse_field(path, (file, metric), what)


def _as_list(found: Any) -> list[Any]:
    return found if isinstance(found, list) else []


def _agrees(stated: float, ln_ratio: float) -> bool:
    return math.isclose(stated, math.exp(min(ln_ratio, 700.0)), rel_tol=_ROUNDING, abs_tol=1e-30)
