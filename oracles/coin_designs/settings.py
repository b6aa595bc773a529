"""What a design has sealed for its audit: confidence, delta, observables, weights and ranks.

Designs check it when they are drawn and when they are opened, so that no coins are tossed for an
audit that could not be made.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from estimators import CoinWeights
from estimators.checks import check_confidence, check_within
from estimators.kinds import check_kind
from oracles.storage.files import check_printable, first_repeated

__all__ = ["MOST_SCORES", "CoinSettings"]

MOST_SCORES = 1_500_000
"""The most scores of all models together that an audit takes, so that its record can be read."""
ANY = "score"
"""The observable of a design that leaves open what the scores are; there is one of them."""
_DIGEST = re.compile(r"[0-9a-f]{64}")
# Columns that say which line of a table of scores a line is.
_NO_OBSERVABLES = ("candidate", "model", "group")


@dataclass(frozen=True, kw_only=True)
class CoinSettings:
    """What an audit by coins uses, fixed before any score is seen.

    Attributes:
        confidence: one minus β, of both questions together.
        delta: the delta of the headline.
        observables: names of what is seen of a model at each candidate, as the columns of a table
            are called; those whose name begins with ``loss`` are lower where an example was
            trained on. Columns ``candidate``, ``model`` and ``group`` are none.
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
        if self.half >= 1.0:
            raise ValueError(
                f"confidence: expected at most 1 - 2^-52, as questions share the level, found "
                f"{self.confidence!r}"
            )
        check_within("[0, 1)", delta=self.delta)
        check_kind(self.weights, "weights", CoinWeights, "CoinWeights")
        if not self.observables:
            raise ValueError("observables: expected at least one, found none")
        for name in self.observables:
            _check_observable(name)
        if (twice := first_repeated(self.observables)) is not None:
            raise ValueError(f"observables: expected each once, found {twice[:60]!r} twice")
        if self.baseline is not None:
            check_kind(self.baseline, "baseline", str, "64 hexadecimal digits")
            if not _DIGEST.fullmatch(self.baseline):
                raise ValueError(
                    f"baseline: expected 64 hexadecimal digits, found {self.baseline[:70]!r}"
                )

    @property
    def half(self) -> float:
        """Confidence of a question where two share the level."""
        return 1.0 - (1.0 - self.confidence) / 2.0

    def check_size(self, candidates: int, models: int) -> None:
        """Refuses what no audit of so many candidates and models could use.

        Args:
            candidates: how many there are.
            models: how many are to be trained.

        Raises:
            ValueError: when there would be too many scores, or ranks of more models than there are.
        """
        scores = models * candidates * len(self.observables)
        if scores > MOST_SCORES:
            raise ValueError(
                f"models times candidates times observables: expected at most {MOST_SCORES:,}, "
                f"found {scores:,}"
            )
        # It checks the ranks as the audit's bound does; loaded on use, as it takes SciPy.
        from estimators import coin_ceiling

        coin_ceiling(candidates, models=models, ranks=self.ranks)

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
                given[name] = _list(given[name], name)
        if "weights" in given:
            given["weights"] = _weights(given["weights"])
        try:
            return cls(**given)
        except TypeError as error:
            raise ValueError(f"settings: {error}") from None

    def record(self) -> dict[str, Any]:
        """The settings as JSON values."""
        return asdict(self)


def _check_observable(name: Any) -> None:
    check_printable(name, "observables")
    if name != name.strip():
        raise ValueError(f"observables: expected names without spaces around them, found {name!r}")
    if name in _NO_OBSERVABLES:
        raise ValueError(
            f"observables: expected columns of numbers, found {name!r}, which names the line of a "
            "table"
        )


def _list(value: Any, name: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"settings: {name}: expected a list, found {value!r:.60}")
    return tuple(value)


def _weights(sealed: Any) -> CoinWeights:
    known = [field.name for field in fields(CoinWeights)]
    if not isinstance(sealed, Mapping) or set(sealed) - set(known):
        raise ValueError(f"settings: weights: expected {', '.join(known)}, found {sealed!r:.60}")
    given: dict[str, Any] = {
        name: _list(value, f"weights: {name}") if name in ("centres", "clips") else value
        for name, value in sealed.items()
    }
    try:
        return CoinWeights(**given)
    except TypeError as error:
        raise ValueError(f"settings: weights: {error}") from None
