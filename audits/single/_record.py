"""The audit of one model as numbers in a file."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from audits.single._findings import SingleFindings
from audits.single._results import RankTest

FILE = "single.json"
FORMAT = "indist-single"
VERSION = 2


def record(audit: SingleFindings, files: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Every number of the audit, as ``single.json`` holds it.

    Args:
        audit: the audit.
        files: digests of the files beside it.
    """
    tests = {test.reference: _test(test) for test in (audit.untraining, audit.unlearning)}
    return {
        "format": FORMAT,
        "version": VERSION,
        "sentence": audit.sentence,
        "confidence": audit.confidence,
        **tests,
        "ratio": None if audit.ratio is None else asdict(audit.ratio),
        "observables": {
            name: {"names": columns.names, "values": columns.values.tolist()}
            for name, columns in audit.observables.items()
        },
        "examples": audit.to_dataframe().to_dict(orient="records"),
        "warnings": audit.warnings,
        "models": {name: seen.models for name, seen in audit.observations.items()},
        "provenance": asdict(audit.provenance),
        "files": dict(files or {}),
    }


def _test(test: RankTest) -> dict[str, Any]:
    # The examples say which probes are outside; here is their number.
    fields = {name: value for name, value in vars(test).items() if name != "outside"}
    return fields | {
        "groups": [asdict(rank) for rank in test.groups],
        "outside": int(test.outside.sum()),
        "outside_expected": test.outside_expected,
    }
