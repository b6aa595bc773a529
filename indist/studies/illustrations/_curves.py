"""Hockey-stick and trade-off curves of one unlearner against both references, with bands."""

from typing import Any

import numpy as np

import audits.verdict
import estimators
from indist.studies._rows import Record
from indist.studies.illustrations._sources import Work

SCENARIO, METHOD = "digits-trigger", "neggrad"
REFERENCES = ("untraining", "unlearning")


def numbers(work: Work) -> list[Record]:
    """Both kinds of curve, their bands at 95 % confidence.

    Returns:
        ``curve`` (``hockey-stick`` or ``trade-off``), ``reference``, ``x`` (ε, or the type I
        error), ``y`` (δ, the greater of both directions, or the type II error), ``low``, ``high``.
    """
    references = work.references(SCENARIO)
    submission = work.unlearned(references, METHOD)
    audit = audits.audit(submission, references, observables=None)
    rows: list[Record] = []
    for name in REFERENCES:
        comparison: audits.Comparison = getattr(audit, name)
        curve = comparison.curve
        y, low, high = (
            np.maximum(getattr(curve, f"forward{part}"), getattr(curve, f"backward{part}"))
            for part in ("", "_low", "_high")
        )
        rows += _rows("hockey-stick", name, curve.epsilon, y, low, high)
        # The observable that tells them apart best: its trade-off curve, not the best of many.
        distances = [observable.estimate for observable in comparison.by_observable]
        best = distances.index(max(distances))
        samples = [
            audits.verdict.median_margins(population.observe(references.probes)).values[:, best]
            for population in (getattr(references, name), submission)
        ]
        tradeoff = estimators.tradeoff_curve(*samples, confidence=0.95)
        ends = tradeoff.confidence_interval
        rows += _rows("trade-off", name, tradeoff.alpha, tradeoff.beta, ends.low, ends.high)
    return rows


def _rows(kind: str, reference: str, *columns: Any) -> list[Record]:
    return [
        {"curve": kind, "reference": reference, "x": x, "y": y, "low": low, "high": high}
        for x, y, low, high in zip(*(np.asarray(c).tolist() for c in columns), strict=True)
    ]
