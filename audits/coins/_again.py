"""An audit by coins from its record: everything is computed again."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from audits.coins._audit import CoinAudit, audit_coins
from audits.coins._scores import CoinScores
from audits.coins._sets import audit_sets
from audits.coins._settings import CoinSettings
from oracles import open_design
from oracles.storage.files import FileError


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
    try:
        design = open_design(content["design"], content["opened"])
    except FileError as error:
        raise ValueError(f"design and opened: {error}") from None
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
