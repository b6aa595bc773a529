"""An audit by coins as numbers in a file, which holds all that it rests on."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from audits.coins._findings import CoinFindings
from audits.coins._results import CoinQuestion
from audits.coins._scores import CoinScores

FILE = "coin-audit.json"
FORMAT = "indist-coin-audit"
VERSION = 1


def record(audit: CoinFindings, files: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Every number of the audit, as ``coin-audit.json`` holds it.

    Args:
        audit: the audit.
        files: digests of the files beside it.
    """
    design = audit.design
    return {
        "format": FORMAT,
        "version": VERSION,
        "headline": audit.headline,
        "sentences": list(audit.sentences),
        "law": audit.law,
        "questions": {one.question: _question(one) for one in audit.questions},
        "utility": [asdict(one) for one in audit.utility],
        "settings": audit.settings.record(),
        "design": None if design is None else design.record(),
        "opened": None if design is None else design.sealed_record(),
        "sets": None if audit.member is None else _sets(audit),
        "cluster": audit.cluster,
        "scores": _scores(audit.scores),
        "baseline": None if audit.baseline is None else _scores(audit.baseline),
        "check": None if audit.check is None else _scores(audit.check),
        "warnings": list(audit.warnings),
        "versions": dict(audit.versions),
        "files": dict(files or {}),
    }


def _question(one: CoinQuestion) -> dict[str, Any]:
    result = one.result
    return {
        "finding": one.finding,
        "epsilon": one.bound,
        "delta": result.delta,
        "confidence": result.confidence_level,
        "at_most_shown": result.ceiling,
        "coins": result.examples,
        "models": result.models,
        "shared_design": result.shared,
        "ranks": list(result.ranks),
        "parts": list(one.parts),
        "log_pvalues": result.log_pvalues.tolist(),
        "at": [{"delta": delta, "epsilon": bound} for delta, bound in one.at],
    }


def _sets(audit: CoinFindings) -> dict[str, list[str]]:
    pairs = list(zip(audit.candidates, audit.member or (), strict=True))
    return {
        "forget": [name for name, inside in pairs if inside],
        "holdout": [name for name, inside in pairs if not inside],
    }


def _scores(scores: CoinScores) -> dict[str, Any]:
    return {
        "name": scores.name,
        "read": list(scores.read),
        "digest": scores.digest,
        "values": scores.values.tolist(),
        "right": {group: counts.tolist() for group, counts in scores.right.items()},
        "examples": dict(scores.examples),
    }
