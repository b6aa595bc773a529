"""The studies by the names that ``indist study`` takes."""

import importlib
from collections.abc import Iterator, Mapping
from typing import Any

from indist.studies._study import Study

_HOMES = {
    "claims": ("claims._ledger", "Claims"),
    "algorithms": ("algorithms._algorithms", "Algorithms"),
    "discovery": ("discovery._discovery", "Discovery"),
    "precision": ("efficiency._precision", "Precision"),
    "exchange-rate": ("efficiency._exchange_rate", "ExchangeRate"),
    "generalise": ("algorithms._generalise", "Generalise"),
    "metric-audit": ("scores._metric_audit", "MetricAudit"),
    "score-nulls": ("scores._score_nulls", "ScoreNulls"),
    "coins": ("coins._coins", "Coins"),
    "seeds": ("seeds._seeds", "Seeds"),
    "sandwich": ("_sandwich", "Sandwich"),
}
"""Where each study lies, below this package, and the name of its class."""


class _Studies(Mapping[str, type[Study[Any]]]):
    """Imports a study when it is asked for: most need JAX, and a name alone needs none."""

    def __getitem__(self, name: str) -> type[Study[Any]]:
        module, study = _HOMES[name]
        return getattr(importlib.import_module(f"indist.studies.{module}"), study)

    def __iter__(self) -> Iterator[str]:
        return iter(_HOMES)

    def __len__(self) -> int:
        return len(_HOMES)


STUDIES: Mapping[str, type[Study[Any]]] = _Studies()
"""All studies by the name that ``indist study`` takes."""
