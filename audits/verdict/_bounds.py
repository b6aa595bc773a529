"""Bounds and tests of a divergence over blocks of observables, each at its part of the level."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from audits.verdict._columns import Block
from audits.verdict._results import Decision
from estimators import (
    HalfLines,
    LowerBoundMethod,
    delta_lower_bound,
    pooled_delta_upper_bound,
    within_tolerance,
)

EVENTS = HalfLines()


def lower_parts(blocks: Sequence[Block]) -> float:
    """In how many parts lower bounds share the level: one a column, twice that if any are learned.

    Lower bounds have half of the level where upper bounds of learned observables, which may err
    beside them, have the other half: see `compare`.
    """
    return (2.0 if len(blocks) > 1 else 1.0) * sum(len(block.names) for block in blocks)


def upper_parts(number: int) -> float:
    """In how many parts the level is shared for the upper bound of a block, by its place."""
    return 1.0 if number == 0 else 2.0


def lower_bounds(
    block: Block, *, epsilon: float, levels: Sequence[float], parts: float, method: LowerBoundMethod
) -> Float[np.ndarray, " columns"]:
    """Lower bounds of each column that hold at every one of the levels.

    Args:
        block: the columns.
        epsilon: of the divergence.
        levels: of all columns of the comparison together.
        parts: `lower_parts` of the comparison.
        method: how they are found.
    """
    found = [
        delta_lower_bound(
            block.first, block.second, epsilon=epsilon, confidence=1.0 - level / parts,
            method=method, directed=False,
        ).bound
        for level in levels
    ]  # fmt: skip
    return np.min(found, axis=0)


def upper_bound(
    block: Block, *, epsilon: float, tolerance: float, levels: Sequence[float], parts: float
) -> float:
    """An upper bound on the greatest divergence of a block that holds at every one of the levels.

    Args:
        block: the columns.
        epsilon: of the divergence.
        tolerance: the bound is at most this exactly where the test calls a match.
        levels: of the bound.
        parts: `upper_parts` of the block.
    """
    return max(
        float(
            pooled_delta_upper_bound(
                block.first, block.second, epsilon=epsilon, confidence=1.0 - level / parts,
                events=EVENTS, at=(tolerance,),
            ).bound
        )
        for level in levels
    )  # fmt: skip


def decision(
    blocks: Sequence[Block],
    *,
    epsilon: float,
    tolerance: float,
    levels: Sequence[float],
    lower: LowerBoundMethod,
) -> Decision:
    """What the tests of a comparison say at the tolerance, without bounds that can be printed.

    Args:
        blocks: see `compare`.
        epsilon: the declared epsilon.
        tolerance: the declared tolerance.
        levels: at which every claim must hold.
        lower: method of the lower bound.
    """
    parts = lower_parts(blocks)
    for block in blocks:
        bounds = lower_bounds(block, epsilon=epsilon, levels=levels, parts=parts, method=lower)
        if bounds.max() > tolerance:
            return "differ"
    match = all(
        within_tolerance(
            block.first,
            block.second,
            epsilon=epsilon,
            tolerance=tolerance,
            confidence=1.0 - level / upper_parts(number),
        )
        for number, block in enumerate(blocks)
        for level in levels
    )
    return "match" if match else "open"
