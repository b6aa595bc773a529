"""What one submitted model was found to be consistent with: plain numbers, frozen."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from audits.report._words import Consistency, ReferenceName


@dataclass(frozen=True, kw_only=True)
class GroupRank:
    """The submitted model among the reference's, by its median margin on one probe group.

    Attributes:
        observable: such as ``median margin on forget``.
        value: of the submitted model.
        low: the reference's least.
        high: the reference's greatest.
        below: reference models at or below the value.
        above: reference models at or above it.
        pvalue: two-sided and exact, with Bonferroni's correction for all observables.
    """

    observable: str
    value: float
    low: float
    high: float
    below: int
    above: int
    pvalue: float


@dataclass(frozen=True, eq=False, kw_only=True)
class RankTest:
    """The submitted model against the models of one reference.

    Attributes:
        reference: ``untraining`` or ``unlearning``.
        models: how many the reference holds, N.
        pvalue: exact test by the greatest deviation over the observables; at least 1 / (N + 1).
        level: alpha over 2, as there are two references.
        finding: ``inconsistent`` if the p-value is at most the level; ``undecided`` if
            1 / (N + 1) is above it; else ``consistent``, which is no proof of likeness.
        groups: the rank on each observable.
        outside: which probes, in the references' order, have a margin beyond all N models'.
        outside_pvalue: exact test of how many they are, beside the declared one.
    """

    reference: ReferenceName
    models: int
    pvalue: float
    level: float
    finding: Consistency
    groups: tuple[GroupRank, ...]
    outside: Bool[np.ndarray, " probes"]
    outside_pvalue: float

    @property
    def outside_expected(self) -> float:
        """On about how many probes one of the reference's own models would be outside."""
        return 2.0 * len(self.outside) / (self.models + 1)


@dataclass(frozen=True)
class ErrorRate:
    """How often the likelihood ratio points away from the models of a reference.

    Attributes:
        errors: of the held-out models.
        models: held-out models.
        low: lower end of the exact interval of the rate.
        high: upper end.
    """

    errors: int
    models: int
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class LikelihoodRatio:
    """ln of the untraining reference's density over the unlearning one's, and its error rates.

    Attributes:
        value: at the submitted model's median margins, in nats; above 0 towards untraining.
        towards: where it points, None at 0.
        untraining: of held-out models without the forget set, how many it sends to unlearning.
        unlearning: of held-out models without the behaviour, how many it sends to untraining.
        pvalue_untraining: share of held-out untraining models that look at least as much like
            unlearning, the submitted one counted: exact and one-sided.
        pvalue_unlearning: the same with the references exchanged.
        confidence: of the intervals.
    """

    value: float
    towards: ReferenceName | None
    untraining: ErrorRate
    unlearning: ErrorRate
    pvalue_untraining: float
    pvalue_unlearning: float
    confidence: float
