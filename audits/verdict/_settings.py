"""What is fixed before any population is looked at, checked once."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from audits.verdict._looks import check_looks
from audits.verdict._observables import GroupMedians, Observable, check_observables
from estimators.checks import check_confidence, check_counts, check_seed, check_within
from estimators.kinds import check_kind
from oracles import Observations
from oracles.mechanisms import Claim


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of `audit`, checked.

    Attributes:
        exact: whether bounds are those of an audit that declares its observables, in place of the
            joint ones of indist 0.1.0.
    """

    epsilon: float
    tolerance: float | Literal["calibrated"]
    confidence: float
    claim: Claim | None
    observables: tuple[Observable, ...]
    exact: bool
    looks: tuple[int, ...] | None
    among: int
    references_seen: bool | None
    seed: int | None

    @property
    def alpha(self) -> float:
        """One minus the confidence of the verdict."""
        return 1.0 - self.confidence


def checked(
    *,
    epsilon: Any,
    tolerance: Any,
    confidence: Any,
    claim: Any,
    observables: Sequence[Any] | None,
    looks: Sequence[Any] | None,
    among: Any,
    references_seen: Any,
    seed: Any,
) -> Settings:
    """The settings as a user gives them; see `audits.audit`.

    Raises:
        TypeError: when a claim or an observable is none.
        ValueError: when a number lies outside its range, or looks are declared where nothing else
            is.
    """
    check_within("[0, 50]", epsilon=epsilon)
    if tolerance != "calibrated":
        check_within("(0, 1)", tolerance=tolerance)
    check_confidence(confidence)
    check_counts(among=among)
    check_within("[1, 1000000]", among=among)
    if references_seen is not None:
        check_kind(references_seen, "references_seen", bool, "True, False or None")
    if claim is not None:
        check_kind(claim, "claim", Claim, "a Claim, as oracles.mechanisms.Claim(epsilon, delta)")
    if observables is None and (looks is not None or among > 1):
        raise ValueError(
            "observables: expected some beside looks or several submissions; None is an audit as "
            "of indist 0.1.0, which had neither"
        )
    return Settings(
        epsilon=float(epsilon),
        tolerance=tolerance if tolerance == "calibrated" else float(tolerance),
        confidence=float(confidence),
        claim=claim,
        observables=(GroupMedians(),) if observables is None else check_observables(observables),
        exact=observables is not None,
        looks=check_looks(looks),
        among=int(among),
        references_seen=references_seen,
        seed=None if seed is None else check_seed(seed),
    )


def seed_of(seen: Mapping[str, Observations]) -> int:
    """A seed that the data fix and nobody chooses; below 2^32, as every JSON reader keeps it."""
    digests = " ".join(f"{name}={seen[name].digest}" for name in sorted(seen))
    return int(hashlib.sha256(digests.encode()).hexdigest()[:8], 16)


def drawn_seed() -> int:
    """A seed that nobody knows before it is drawn; below 2^32, as every JSON reader keeps it."""
    return secrets.randbits(32)
