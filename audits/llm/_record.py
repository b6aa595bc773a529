"""The comparison of logs as numbers in a file."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from audits.llm._findings import LLMFindings

FILE = "logs.json"
FORMAT = "indist-logs"
VERSION = 2


def record(audit: LLMFindings, files: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Every number of the comparison, as ``logs.json`` holds it.

    Args:
        audit: the comparison.
        files: digests of the files beside it.
    """
    return {
        "format": FORMAT,
        "version": VERSION,
        "fit": audit.fit,
        "sentence": audit.sentence,
        "confidence": audit.confidence,
        "cluster": audit.cluster,
        "seed": audit.seed,
        "comparisons": [asdict(comparison) for comparison in audit.comparisons],
        "logs": {
            name: [
                {
                    "name": log.name,
                    "path": str(log.path),
                    "benchmark": log.benchmark,
                    "digest": log.digest,
                }
                for log in logs
            ]
            for name, logs in audit.logs.items()
        },
        "warnings": audit.warnings,
        "versions": dict(audit.versions),
        "files": dict(files or {}),
    }
