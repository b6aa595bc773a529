"""What a mechanism claims against what two samples show."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Float, Num

from estimators import (
    LowerBoundMethod,
    RankGrid,
    Result,
    delta_lower_bound,
    delta_upper_bound,
    epsilon_lower_bound,
)
from estimators.checks import check_confidence, check_pair, check_within
from estimators.kinds import check_kind
from oracles.mechanisms import Claim, mechanism

if TYPE_CHECKING:
    import pandas as pd


ClaimFinding = Literal["contradicted", "not contradicted", "cannot be contradicted", "no claim"]

# The largest epsilon that the estimators take; no feasible number of models reaches it.
GREATEST_EPSILON = 50.0


@dataclass(frozen=True, eq=False, kw_only=True)
class ClaimMeasured(Result):
    """Bounds measured on two samples, and the claim they are held against.

    Attributes:
        claim: what is said to hold, if anything.
        finding: ``contradicted`` when the measured lower bound on delta exceeds the claim's;
            ``cannot be contradicted`` when even fully separated samples of these sizes would not.
        epsilon: where delta was bounded, None if it was not.
        delta: where epsilon was bounded, None if it was not.
        delta_lower: lower bound on delta at epsilon, the greatest over the observables.
        delta_upper: upper bound on delta at epsilon over the declared class of events alone.
        epsilon_lower: lower bound on epsilon at delta, the greatest over the observables.
        delta_reach: no samples of these sizes could give a greater lower bound on delta.
        by_observable: lower bounds on delta of each observable, each at its share of the level.
        observables: names of the observables.
        events: the class of events of the upper bound, in words.
        confidence_level: of each bound on its own.
        n_p: models of the first population.
        n_q: models of the second.
        method: of the lower bounds, in words.
        assumptions: what the bounds and the claim rest on.
        warnings: what a reader should know.
    """

    claim: Claim | None
    finding: ClaimFinding
    epsilon: float | None
    delta: float | None
    delta_lower: float | None
    delta_upper: float | None
    epsilon_lower: float | None
    delta_reach: float | None
    by_observable: Float[np.ndarray, " observables"]
    observables: tuple[str, ...]
    events: str
    confidence_level: float
    n_p: int
    n_q: int
    method: str
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def contradicted(self) -> bool:
        """Whether the samples refute the claim, at the confidence stated."""
        return self.finding == "contradicted"

    @property
    def sentence(self) -> str:
        """The finding in plain words."""
        models = f"{self.n_p} and {self.n_q} models"
        sure = f"{100 * self.confidence_level:.6g} % confidence"
        if self.claim is None:
            return f"Measured on {models}, each bound at {sure}."
        claimed = f"The claim (epsilon {self.claim.epsilon:.6g}, delta {self.claim.delta:.6g})"
        if self.finding == "cannot be contradicted":
            reach = 0.0 if self.delta_reach is None else self.delta_reach
            return (
                f"{claimed} cannot be contradicted by {models}: however far apart they lay, they "
                f"would show a delta of {reach:.4g} at most."
            )
        shown = f"delta at epsilon {self.claim.epsilon:.6g} is at least {self.delta_lower:.4g}"
        if self.contradicted:
            return f"{claimed} is contradicted: with {sure}, {shown} ({models})."
        return (
            f"{claimed} is not contradicted: {models} show, with {sure}, that {shown}. That does "
            "not prove the claim."
        )

    def _title(self) -> str:
        return self.sentence

    def to_dataframe(self) -> "pd.DataFrame":
        """A row for each bound and claim: ``quantity``, ``kind`` (bound or claim), ``value``."""
        import pandas as pd

        rows: list[tuple[str, str, float]] = []
        if self.epsilon is not None:
            rows += [
                (f"delta at epsilon {self.epsilon:.6g}", kind, value)
                for kind, value in (
                    ("measured lower bound", self.delta_lower),
                    ("claim", self.claim.delta if self.claim else None),
                    (f"measured upper bound ({self.events})", self.delta_upper),
                )
                if value is not None
            ]
        if self.delta is not None:
            rows += [
                (f"epsilon at delta {self.delta:.6g}", kind, value)
                for kind, value in (
                    ("measured lower bound", self.epsilon_lower),
                    ("claim", self.claim.epsilon if self.claim else None),
                )
                if value is not None
            ]
        return pd.DataFrame(rows, columns=["quantity", "kind", "value"])


Sandwich = ClaimMeasured
"""The former name of `ClaimMeasured`."""


def claim_of(
    name: str,
    settings: Mapping[str, Any],
    *,
    delta: float | None = None,
    epsilon: float | None = None,
) -> Claim:
    """The claim of a mechanism with declared settings, at one delta or at one epsilon.

    Args:
        name: one of ``oracles.mechanisms.MECHANISMS``.
        settings: the mechanism's settings, as numbers or text.
        delta: claims the least epsilon at this delta.
        epsilon: claims the least delta at this epsilon.

    Returns:
        The claim, with its theorem and what that assumes.

    Raises:
        ValueError: when not exactly one of delta and epsilon is given, or a name, a setting or a
            number lies outside its range.

    Example:
        >>> from indist import audits
        >>> claim = audits.claim_of("gaussian", {"mu": 0.5}, epsilon=1.0)
        >>> print(round(claim.delta, 5), claim.mechanism)
        0.00683 Gaussian(mu=0.5)
    """
    if (delta is None) == (epsilon is None):
        raise ValueError("delta and epsilon: expected exactly one of them")
    declared = mechanism(name, settings)
    if delta is not None:
        return declared.claim(delta)
    return declared.claim_at(0.0 if epsilon is None else epsilon)


def certify(
    p: Num[Any, "n ..."],
    q: Num[Any, "m ..."],
    *,
    claim: Claim | None = None,
    epsilon: float | None = None,
    delta: float | None = None,
    confidence: float = 0.95,
    observables: tuple[str, ...] | None = None,
    method: Any = None,
    events: Any = None,
) -> ClaimMeasured:
    r"""Measures delta at epsilon and epsilon at delta, and holds a claim against them.

    A claim $(\epsilon, \delta)$ about two distributions holds for every function of them, so a
    lower bound on $\delta$ at $\epsilon$ above the claimed one refutes it, at the confidence of the
    bound: a true claim is called contradicted with probability at most 1 - confidence. A lower
    bound below it proves nothing, and the upper bound is for its class of events alone.

    With J observables each has its lower bound at level (1 - confidence)/J; the upper bound needs
    no such share (intersection-union).

    Args:
        p: models of the first population: a number for each model and observable.
        q: models of the second, independent of the first, with the same observables.
        claim: what is said to hold; it sets epsilon and delta.
        epsilon: where to bound delta, in [0, 50]; not beside a claim.
        delta: where to bound epsilon, in [0, 1); not beside a claim.
        confidence: of each bound on its own.
        observables: a name for each observable, for the reader.
        method: of the lower bounds; None is ``estimators.RankGrid()``.
        events: class of events of the upper bound; None is ``estimators.HalfLines()``.

    Returns:
        A `ClaimMeasured`.

    Raises:
        TypeError: when samples are not real numbers, or an argument is not of its kind.
        ValueError: when there is nothing to measure, a claim and epsilon or delta are both given,
            samples do not fit together or are not finite, or a number lies outside its range.

    Example:
        >>> import numpy as np
        >>> from indist import audits, oracles
        >>> p, q = oracles.mechanisms.Gaussian(mu=1.0).sample(np.random.default_rng(0), 1000)
        >>> print(audits.certify(p, q, claim=oracles.mechanisms.Claim(0.5, 1e-5)).finding)
        contradicted
        >>> true = oracles.mechanisms.Gaussian(mu=1.0).claim(1e-5)
        >>> print(audits.certify(p, q, claim=true).finding)
        not contradicted
    """
    first, second = check_pair(p, q)
    confidence = check_confidence(confidence)
    if claim is not None:
        check_kind(claim, "claim", Claim, "a Claim, as oracles.mechanisms.Claim(epsilon, delta)")
    method = RankGrid() if method is None else method
    check_kind(method, "method", LowerBoundMethod, "a lower-bound method such as RankGrid()")
    if epsilon is not None:
        check_within("[0, 50]", epsilon=epsilon)
    if delta is not None:
        check_within("[0, 1)", delta=delta)
    if claim is not None and not (epsilon is None and delta is None):
        raise ValueError("epsilon and delta: expected none beside a claim, which sets both")
    if claim is None and epsilon is None and delta is None:
        raise ValueError("expected a claim, an epsilon or a delta to measure at, found none")
    first, second = first.reshape(len(first), -1), second.reshape(len(second), -1)
    names = _names(observables, first.shape[1])
    if claim is not None:
        epsilon = claim.epsilon if claim.epsilon <= GREATEST_EPSILON else None
        delta = claim.delta if claim.delta < 1 else None
    confidence_each = confidence if method.pools else 1 - (1 - confidence) / first.shape[1]
    lower = upper = epsilon_lower = reach = None
    by_observable = np.full(first.shape[1], np.nan)
    if epsilon is not None:
        lower = delta_lower_bound(
            first, second, epsilon=epsilon, confidence=confidence_each, method=method
        )
        classes = {} if events is None else {"events": events}
        upper = delta_upper_bound(first, second, epsilon=epsilon, confidence=confidence, **classes)
        by_observable = np.broadcast_to(lower.bound, first.shape[1])
        # Two directions may share the level; their reach at the whole level is never too small.
        directions = (len(first), len(second)), (len(second), len(first))
        reach = max(
            float(method.reach(*sizes, np.array([epsilon]), confidence_each)[0])
            for sizes in directions
        )
    if delta is not None:
        epsilon_lower = epsilon_lower_bound(
            first, second, delta=delta, confidence=confidence_each, method=method
        )
    measured = [bound for bound in (lower, upper, epsilon_lower) if bound is not None]
    return ClaimMeasured(
        claim=claim,
        finding=_finding(claim, None if lower is None else float(lower.bound.max()), reach),
        epsilon=epsilon,
        delta=delta,
        delta_lower=None if lower is None else float(lower.bound.max()),
        delta_upper=None if upper is None else float(upper.bound.max()),
        epsilon_lower=None if epsilon_lower is None else float(epsilon_lower.bound.max()),
        delta_reach=reach,
        by_observable=by_observable,
        observables=names,
        events="" if upper is None else upper.events,
        confidence_level=confidence,
        n_p=len(first),
        n_q=len(second),
        method=measured[0].method if measured else "nothing measured",
        assumptions=_unique(
            [
                *(claim.assumptions if claim else ()),
                *(text for bound in measured for text in bound.assumptions),
            ]
        ),
        warnings=_unique([text for bound in measured for text in bound.warnings]),
    )


def _finding(claim: Claim | None, lower: float | None, reach: float | None) -> ClaimFinding:
    if claim is None:
        return "no claim"
    if lower is not None and lower > claim.delta:
        return "contradicted"
    if reach is None or reach <= claim.delta:
        return "cannot be contradicted"
    return "not contradicted"


def _names(observables: tuple[str, ...] | None, found: int) -> tuple[str, ...]:
    if observables is None:
        return tuple(f"observable {j}" for j in range(found))
    check_kind(observables, "observables", (tuple, list), "a list of names")
    for name in observables:
        check_kind(name, "observables", str, "a list of names")
    if len(observables) != found:
        raise ValueError(f"observables: expected {found} names, found {len(observables)}")
    return tuple(observables)


def _unique(texts: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
