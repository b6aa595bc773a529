"""Which reference is nearer, where bounds on both distances say so."""

from collections.abc import Mapping, Sequence

from audits.report._words import ReferenceName
from audits.verdict._bounds import EVENTS, lower_bounds, lower_parts
from audits.verdict._columns import Block
from audits.verdict._results import Nearest
from estimators import LowerBoundMethod, delta_upper_bound


def nearest(
    fixed: Mapping[ReferenceName, Block],
    *,
    epsilon: float,
    confidence: float,
    lower: LowerBoundMethod,
    estimates: Sequence[float],
) -> Nearest:
    """The reference whose distance has an upper bound below the lower bound of the other's.

    Both distances are the greatest hockey-stick divergence over half-lines of the same observables,
    those that no model was set aside for. Each of the four bounds has a quarter of alpha, so that
    the claim is wrong with probability at most alpha, also where the distances are equal.

    A difference of *estimates* shows nothing: the larger of two samples lies nearer to anything
    for being larger. Three equal laws of 256, 32 and 512 models were told apart by a bootstrap of
    that difference in every draw.

    Args:
        fixed: submission and reference, the fixed observables of each comparison.
        epsilon: the declared epsilon.
        confidence: one minus alpha.
        lower: method of the lower bounds.
        estimates: of both distances, untraining first; shown, and no part of the claim.

    Returns:
        The nearer reference, or None where the bounds do not say.
    """
    level = (1.0 - confidence) / 4.0
    low, high = {}, {}
    for name, block in fixed.items():
        pair, parts = (block.first, block.second), lower_parts([block])
        lowest = lower_bounds(block, epsilon=epsilon, levels=(level,), parts=parts, method=lower)
        highest = delta_upper_bound(*pair, epsilon=epsilon, confidence=1.0 - level, events=EVENTS)
        low[name], high[name] = float(lowest.max()), float(highest.bound.max())
    reference: ReferenceName | None = None
    if high["untraining"] < low["unlearning"]:
        reference = "untraining"
    elif high["unlearning"] < low["untraining"]:
        reference = "unlearning"
    return Nearest(reference, estimates[0] - estimates[1])
