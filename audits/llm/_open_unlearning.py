"""open-unlearning's ``TOFU_EVAL.json``, ``MUSE_EVAL.json`` and ``*_SUMMARY.json``.

Schema: https://github.com/locuslab/open-unlearning, ``src/evals``. An EVAL file has one object a
metric: ``agg_value`` and ``value_by_index``, from an example's index to ``{field: value}``; of a
membership attack two such objects, ``forget`` and ``holdout``. A SUMMARY has the ``agg_value`` s.
"""

import re
from collections import Counter
from pathlib import Path
from typing import Any

from audits._reading import Limits, read_json
from audits.llm._log import (
    LLMLog,
    finite,
    in_order,
    mapping,
    refuse_field,
    with_fingerprint,
)
from audits.llm._truth_ratio import LnTruthRatio, ln_truth_ratio

# For each split, where the losses of its right and of its wrong answers are.
_ANSWERS = {
    "forget": ("forget_Q_A_PARA_Prob", "forget_Q_A_PERT_Prob"),
    "retain": ("retain_Q_A_PARA_Prob", "retain_Q_A_PERT_Prob"),
    "real_authors": ("ra_Q_A_Prob", "ra_Q_A_PERT_Prob"),
    "world_facts": ("wf_Q_A_Prob", "wf_Q_A_PERT_Prob"),
}
_PRIMARY = (
    "forget/ln_truth_ratio_arithmetic",
    "forget/ln_truth_ratio_geometric",
    "forget_Q_A_Prob/avg_loss",
    "forget_Q_A_ROUGE/rougeL_recall",
    "forget_verbmem_ROUGE/rougeL_f1",
    "forget_knowmem_ROUGE/rougeL_f1",
    "extraction_strength/score",
    "mia_min_k/forget",
)
_ATTACK = "mia_min_k"

# Names that open-unlearning gives its metrics.
_METRIC = re.compile(
    r"^(forget_quality|model_utility|privleak|exact_memorization|extraction_strength)"
    r"|^mia_|_Q_A_|_ROUGE$|_Prob(_normalised)?$|_[Tt]ruth_[Rr]atio$|^(wmdp|mmlu)"
)

METRICS = (
    "forget_quality, model_utility, privleak, exact_memorization, extraction_strength, mia_*, "
    "*_Q_A_*, *_ROUGE, *_Prob, *_Truth_Ratio, wmdp*, mmlu*"
)
"""The same in words."""

_Values = dict[str, dict[str, list[float]]]


def read_open_unlearning(path: str | Path, *, limits: Limits | None = None) -> LLMLog:
    """Reads an EVAL or a SUMMARY file.

    Metrics are ``metric/field`` as logged (``forget_Q_A_Prob/avg_loss``), of a membership attack
    ``metric/forget`` and ``metric/holdout``. Where a field has several values an example, it is
    their mean. Both truth ratios are computed from the losses (see `ln_truth_ratio`) as
    ``forget/ln_truth_ratio_arithmetic`` and so on; the logged ones are kept beside them. A value
    that is null is left out, and so is one that is no finite number, such as a text, NaN or a truth
    value; where other examples of its field have numbers, a warning counts it.

    Args:
        path: the file.
        limits: the most it may hold; `Limits` by default.

    Returns:
        The log; that of a SUMMARY has no scores, so no interval is possible.

    Raises:
        SubmissionError: a ValueError whose one sentence names the file, the field, what was found
            and what was expected.
    """
    where, limits = Path(path), limits or Limits()
    return from_open_unlearning(where, read_json(where, limits, finite=False), limits)


def from_open_unlearning(path: Path, content: Any, limits: Limits) -> LLMLog:
    """The log that parsed JSON holds; see `read_open_unlearning`."""
    summary: dict[str, float] = {}
    values: _Values = {}
    left_out = Counter[str]()
    for metric, found in mapping(path, content, limits).items():
        aggregate = finite(found["agg_value"] if _has(found, "agg_value") else found)
        if aggregate is not None:
            summary[metric] = aggregate
        for part in ("forget", "holdout"):
            if _has(found, part, dict):
                inner = mapping(path, found[part], limits, metric, part)
                fields = _fields(path, inner, limits, left_out, metric, part)
                values[f"{metric}/{part}"] = fields.get("score", {})
        if _has(found, "value_by_index"):
            fields = _fields(path, found, limits, left_out, metric)
            values |= {f"{metric}/{field}": examples for field, examples in fields.items()}
    scores = {
        metric: {at: sum(several) / len(several) for at, several in examples.items()}
        for metric, examples in values.items()
        if examples
    } | _truth_ratios(values)
    if not scores and not summary:
        refuse_field(path, (), "expected at least one metric with a value, found none")
    return LLMLog(
        name=str(path),
        path=path,
        benchmark="open-unlearning",
        scores=scores,
        summary=summary,
        primary=in_order(_PRIMARY, scores),
        attack=_ATTACK if f"{_ATTACK}/forget" in scores else None,
        warnings=_left_out(path, left_out),
    )


def is_summary(path: Path, content: dict[str, Any]) -> bool:
    """Whether a flat object of numbers is a SUMMARY, by its name or by a metric it holds."""
    return path.stem.endswith("_SUMMARY") or any(map(_METRIC.search, content))


def _has(found: Any, key: str, kind: type = object) -> bool:
    return isinstance(found, dict) and found.get(key) is not None and isinstance(found[key], kind)


def _fields(
    path: Path, found: dict[str, Any], limits: Limits, left_out: Counter[str], *field: str
) -> _Values:
    """By field, the values at each example; texts serve for fingerprints, nulls are left out."""
    by_index = mapping(path, found.get("value_by_index"), limits, *field, "value_by_index")
    values: _Values = {}
    without = Counter[str]()
    for at, example in by_index.items():
        if example is None:
            continue
        place = (*field, "value_by_index", at)
        example = mapping(path, example, limits, *place)
        name = with_fingerprint(at, example.get("ground_truth"))
        for key, value in example.items():
            several = [finite(part) for part in (value if isinstance(value, list) else [value])]
            kept = [number for number in several if number is not None]
            if kept and len(kept) == len(several):
                values.setdefault(key, {})[name] = kept
            elif value is not None:
                without[key] += 1
    left_out.update({"/".join((*field, key)): without[key] for key in values if without[key]})
    return values


def _left_out(path: Path, left_out: Counter[str]) -> tuple[str, ...]:
    """One warning for all fields in which some examples have no finite number."""
    if not left_out:
        return ()
    shown = ", ".join(f"{field[:60]} at {count}" for field, count in left_out.most_common(5))
    others = f" and {len(left_out) - 5} more fields" if len(left_out) > 5 else ""
    return (f"{path}: examples without a finite number are left out: {shown}{others}.",)


def _truth_ratios(values: _Values) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for split, (right, wrong) in _ANSWERS.items():
        answers = [values.get(f"{metric}/avg_loss", {}) for metric in (right, wrong)]
        ratios = {
            at: ln_truth_ratio(sum(several) / len(several), answers[1][at])
            for at, several in answers[0].items()
            if at in answers[1]
        }
        if ratios:
            for place, mean in enumerate(LnTruthRatio._fields):
                found[f"{split}/ln_truth_ratio_{mean}"] = {at: r[place] for at, r in ratios.items()}
    return found
