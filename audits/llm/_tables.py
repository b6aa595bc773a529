"""The tables of a report on logs: numbers of the comparison as text, rounded outward."""

import math

from audits.llm._findings import LLMFindings
from audits.llm._results import MetricComparison, ReferenceComparison
from audits.report import numbers
from audits.report._blocks import Table
from audits.report._words import POPULATION_NAMES


def compared(audit: LLMFindings) -> Table:
    """Which logs were compared."""
    rows = tuple(
        (log.name, name, log.benchmark, str(log.path))
        for name, logs in audit.logs.items()
        for log in logs
    )
    columns = ("model", "given as", "benchmark", "read from")
    return Table("The logs, one model each", columns, rows, kind="words")


def differences(comparison: ReferenceComparison) -> Table:
    """One kind of reference, a row for each metric."""
    columns = (
        "metric", "examples", "submitted", "reference", "difference", "interval",
        "p: sign flips", "p: Wilcoxon", "p: KS, least", "seeds ±",
    )  # fmt: skip
    return Table(
        f"Against the {POPULATION_NAMES[comparison.reference]}",
        columns,
        tuple(map(_row, comparison.metrics)),
    )


def _row(metric: MetricComparison) -> tuple[str, ...]:
    digits = _digits(metric)
    finite = math.isfinite(metric.low) and math.isfinite(metric.high)
    half = metric.seed_half_width
    apart = metric.draws == "examples"
    draws = "" if apart else f" in {numbers.count(metric.clusters)} {metric.draws}"
    return (
        metric.metric,
        f"{numbers.count(metric.examples)}{draws}",
        numbers.near(metric.mean_submission, digits),
        numbers.near(metric.mean_reference, digits),
        numbers.near(metric.difference, digits),
        numbers.interval(metric.low, metric.high, digits) if finite else "undetermined",
        _without_letter(metric.sign_flip),
        _without_letter(metric.wilcoxon),
        _without_letter(min(map(min, metric.ks))),
        numbers.up(half, digits) if math.isfinite(half) else "unknown",
    )


def _without_letter(pvalue: float) -> str:
    """A p-value under a heading that says what it is."""
    return numbers.equation(pvalue).removeprefix("p ").removeprefix("= ")


def _digits(metric: MetricComparison) -> int:
    """Enough decimals for two digits of the interval's width, and never fewer than three."""
    width = metric.high - metric.low
    if not math.isfinite(width) or width <= 0.0:
        width = abs(metric.difference)
    return 3 if width == 0.0 else min(12, max(3, 1 - math.floor(math.log10(width))))
