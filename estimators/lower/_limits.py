"""Lower bounds from limits on the masses of events: the step that several methods share."""

import numpy as np
from jaxtyping import Float

from estimators.lower._target import DeltaAt, Target


def bound_from_limits(
    low: Float[np.ndarray, "_ k j"], high: Float[np.ndarray, "_ k #j"], target: Target
) -> Float[np.ndarray, "e j"]:
    """The greatest bound over k events, given that all limits on their masses hold.

    It is ``max_R low(R) - e^epsilon high(R)`` for delta, and
    ``max_R ln((low(R) - delta) / high(R))`` for epsilon.

    Args:
        low: lower limits on P's mass; the first axis has an entry for each number of the target,
            or one for all.
        high: upper limits on Q's mass, above 0.
        target: what to bound.

    Returns:
        Bounds of at least 0, rounded down.
    """
    rows = target.numbers.size
    low = np.broadcast_to(low, (rows, *low.shape[1:]))
    high = np.broadcast_to(high, (rows, *high.shape[1:]))
    if isinstance(target, DeltaAt):
        factors = np.nextafter(np.exp(target.numbers), np.inf)
        found = [(a - c * b).max(axis=0) for a, b, c in zip(low, high, factors, strict=True)]
        return np.maximum(np.nextafter(np.stack(found), -np.inf), 0.0)
    ratios = [((a - d) / b).max(axis=0) for a, b, d in zip(low, high, target.numbers, strict=True)]
    return np.log(np.maximum(np.stack(ratios) * (1.0 - 1e-12), 1.0))
