"""What a submission claims of itself, held against what was measured."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from audits.claims._certify import ClaimFinding, certify
from oracles.mechanisms import Claim


@dataclass(frozen=True, kw_only=True)
class ClaimCheck:
    """A claimed (ε, δ) against the untraining reference, beside what was measured.

    Attributes:
        epsilon: claimed, finite.
        delta: claimed.
        mechanism: what makes the claim, with its settings.
        source: the theorem it rests on.
        assumptions: what that takes for granted.
        finding: ``contradicted`` when the measured lower bound on delta exceeds the claim's;
            ``cannot be contradicted`` when no samples of these sizes could exceed it.
        sentence: the finding in plain words.
        delta_lower: measured lower bound on delta at the claimed epsilon, or None.
        epsilon_lower: measured lower bound on epsilon at the claimed delta, or None.
        confidence: of each bound.
    """

    epsilon: float
    delta: float
    mechanism: str
    source: str
    assumptions: tuple[str, ...]
    finding: ClaimFinding
    sentence: str
    delta_lower: float | None
    epsilon_lower: float | None
    confidence: float


def check_claim(
    claim: Claim,
    submission: Float[np.ndarray, "n observables"],
    untraining: Float[np.ndarray, "m observables"],
    *,
    observables: tuple[str, ...],
    confidence: float,
) -> ClaimCheck:
    """Holds a claim of untraining against bounds on the two populations.

    Args:
        claim: about the submission and models trained on D∖S.
        submission: observables of the submitted models.
        untraining: of the untraining reference.
        observables: their names.
        confidence: of each bound, over all observables.

    Returns:
        The finding; a true claim is called contradicted with probability at most 1 − confidence.
    """
    measured = certify(
        submission, untraining, claim=claim, observables=observables, confidence=confidence
    )
    return ClaimCheck(
        epsilon=claim.epsilon,
        delta=claim.delta,
        mechanism=claim.mechanism,
        source=claim.source,
        assumptions=claim.assumptions,
        finding=measured.finding,
        sentence=measured.sentence,
        delta_lower=measured.delta_lower,
        epsilon_lower=measured.epsilon_lower,
        confidence=confidence,
    )
