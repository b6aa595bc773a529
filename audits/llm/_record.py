"""The comparison of logs as numbers in a file."""

from dataclasses import asdict
from typing import Any

from audits.llm._findings import LLMFindings

FILE = "logs.json"


def record(audit: LLMFindings) -> dict[str, Any]:
    """Every number of the comparison, as ``logs.json`` holds it."""
    return {
        "format": "indist-logs",
        "version": 1,
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
    }
