"""What a design has sealed for its audit: confidence, delta, observables, weights and ranks."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from estimators import CoinWeights
from estimators.checks import check_confidence, check_within
from oracles.storage.files import check_printable

ANY = "score"
"""The observable of a design that leaves open what the scores are; there is one of them."""
_DIGEST = re.compile(r"[0-9a-f]{64}")
DELTAS = (0.0, 1e-5, 0.001, 0.005, 0.01, 0.02)
"""Deltas at which reports give the bound; those that a question's level allows."""


@dataclass(frozen=True, kw_only=True)
class CoinSettings:
    """What an audit by coins uses, fixed before any score is seen.

    Attributes:
        confidence: one minus β, of both questions together.
        delta: the delta of the headline.
        observables: names of what is seen of a model at each candidate, as the columns of a table
            are called; those whose name begins with ``loss`` are lower where an example was
            trained on.
        weights: see `estimators.CoinWeights`.
        ranks: see `estimators.coin_epsilon`.
        baseline: SHA-256 of the scores of a baseline, as `CoinScores.digest`, or None for none. It
            is sealed before the coins are drawn, so that no coin can have entered it.

    Raises:
        ValueError: when a setting lies outside of its range; the message says which.
        TypeError: when one is of another type.
    """

    confidence: float = 0.95
    delta: float = 0.01
    observables: tuple[str, ...] = (ANY,)
    weights: CoinWeights = CoinWeights()
    ranks: tuple[int, ...] | None = None
    baseline: str | None = None

    def __post_init__(self) -> None:
        check_confidence(self.confidence)
        check_within("[0, 1)", delta=self.delta)
        for name in self.observables:
            check_printable(name, "observables")
        if self.baseline is not None and not _DIGEST.fullmatch(self.baseline):
            raise ValueError(
                f"baseline: expected 64 hexadecimal digits, found {self.baseline[:70]!r}"
            )
        if not self.observables or len(set(self.observables)) != len(self.observables):
            raise ValueError(
                f"observables: expected at least one, each once, found {list(self.observables)}"
            )

    @classmethod
    def of(cls, sealed: Mapping[str, Any]) -> "CoinSettings":
        """The settings that a design holds, as JSON values.

        Args:
            sealed: the design's ``settings``; what it leaves out is as usual.

        Raises:
            ValueError: for a name that is none, and as the class does.
        """
        known = [field.name for field in fields(cls)]
        for name in sealed:
            if name not in known:
                listed = f"{', '.join(known[:-1])} or {known[-1]}"
                raise ValueError(f"settings: expected {listed}, found {name[:60]!r}")
        given = {name: value for name, value in sealed.items() if value is not None}
        for name in ("observables", "ranks"):
            if name in given:
                if not isinstance(given[name], list | tuple):
                    raise ValueError(f"settings: {name}: expected a list, found {given[name]!r}")
                given[name] = tuple(given[name])
        if "weights" in given:
            given["weights"] = _weights(given["weights"])
        try:
            return cls(**given)
        except TypeError as error:
            raise ValueError(f"settings: {error}") from None

    def record(self) -> dict[str, Any]:
        """The settings as JSON values."""
        return asdict(self)


def _weights(sealed: Any) -> CoinWeights:
    known = [field.name for field in fields(CoinWeights)]
    if not isinstance(sealed, Mapping) or set(sealed) - set(known):
        raise ValueError(f"settings: weights: expected {', '.join(known)}, found {sealed!r:.60}")
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in sealed.items()
    }
    try:
        return CoinWeights(**given)
    except TypeError as error:
        raise ValueError(f"settings: weights: {error}") from None
