"""An audit by coins from its record: everything is computed again."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from audits._reading import SubmissionError
from audits.coins._audit import CoinAudit, audit_coins
from audits.coins._scores import CoinScores
from audits.coins._sets import audit_sets
from audits.coins._settings import CoinSettings
from oracles import CoinDesign, load_design
from oracles.storage.files import write_json_atomic


def again(content: Mapping[str, Any]) -> CoinAudit:
    """The audit, computed again from what its record rests on.

    Args:
        content: the record.

    Raises:
        SubmissionError: when scores do not fit the design.
        ValueError: when coins do not open the commitment, or a field is out of its range.
        KeyError: when a field is missing.
        TypeError: when one is of another type.
    """
    seen = _read_scores(content["scores"])
    if content["design"] is None:
        settings = CoinSettings.of(content["settings"])
        check = None if content["check"] is None else _read_scores(content["check"])
        return audit_sets(
            seen,
            **content["sets"],
            retain_model=check,
            settings=settings,
            cluster=content["cluster"],
        )
    design = _reopened(content["design"], content["opened"])
    baseline = None if content["baseline"] is None else _read_scores(content["baseline"])
    return audit_coins(seen, design, baseline=baseline)


def _read_scores(held: Mapping[str, Any]) -> CoinScores:
    return CoinScores(
        held["name"],
        np.array(held["values"], dtype=np.float64),
        {group: np.array(counts, dtype=np.int64) for group, counts in held["right"].items()},
        dict(held["examples"]),
        tuple(held["read"]),
    )


def _reopened(public: Any, opened: Any) -> CoinDesign:
    """The design, read as `oracles.load_design` reads it from files, commitment and all."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_json_atomic(folder / "design.json", public)
        write_json_atomic(folder / "coins.json", opened)
        try:
            return load_design(folder)
        except SubmissionError as error:
            # Nobody knows the temporary names.
            _, _, said = str(error).removeprefix(name).partition(": ")
            raise ValueError(f"design and opened: {said}") from None
