"""The columns that two populations are compared on, and which models may be used for them."""

from collections.abc import Mapping, Sequence

import numpy as np

from audits.verdict._columns import Block, Observables
from audits.verdict._observables import (
    DEFAULT_OBSERVABLES,
    HELD,
    EachExample,
    FixedObservable,
    GroupMedians,
    Learned,
    LearnedObservable,
    Observable,
    WorstExample,
    rows_of,
)
from oracles import Observations

LEAST_ASIDE = 8
"""Models that must be set aside, of each population, before anything is learned from them."""


def blocks_of(
    observables: tuple[Observable, ...], first: Observations, second: Observations, seed: int
) -> list[Block]:
    """The columns of two populations: a block of fixed observables, and one of learned ones.

    The learned ones are evaluated on the same models, those that none of them has learned from.
    Given the models set aside all of them are fixed at once, so that one bound holds for them all.

    Args:
        observables: what to look at.
        first: P, the submission.
        second: Q, the reference.
        seed: of the models that are set aside, and of the examples drawn.

    Returns:
        The blocks. A learned observable for which too few models can be set aside has none.
    """
    sides = (first, second)
    fixed = [kind for kind in observables if isinstance(kind, FixedObservable)]
    blocks: list[Block] = []
    if fixed:
        columns = [Observables.join([kind.columns(side, seed) for kind in fixed]) for side in sides]
        blocks.append(Block.of(*columns))
    orders = [
        np.random.default_rng([seed, 2, place]).permutation(side.models)
        for place, side in enumerate(sides)
    ]
    p, q = (side.margins[order] for side, order in zip(sides, orders, strict=True))
    n = m = 0
    learned: list[Learned] = []
    for kind in observables:
        if isinstance(kind, LearnedObservable) and can_learn(kind, first.models, second.models):
            own_n = models_aside(first.models, kind.share) if kind.from_both else 0
            own_m = models_aside(second.models, kind.share)
            function = kind.learn(p[:own_n], q[:own_m], second.groups)
            if function is not None:
                learned.append(function)
                n, m = max(n, own_n), max(m, own_m)
    if learned:
        rest = (p[n:], q[m:])
        columns = [Observables.join([function(side) for function in learned]) for side in rest]
        blocks.append(Block.of(*columns))
    return blocks


def columns_of(
    groups: np.ndarray,
    persons: np.ndarray | None = None,
    observables: Sequence[Observable] = DEFAULT_OBSERVABLES,
) -> int:
    """How many columns observables have at probes of these groups and persons."""
    sizes = [len(rows_of(group, groups, persons)) for group in HELD]
    count = 0
    for kind in observables:
        match kind:
            case GroupMedians():
                count += np.unique(groups).size
            case EachExample():
                count += sum(min(size, kind.most) for size in sizes)
            case WorstExample():
                count += sum(size > 0 for size in sizes)
            case _:
                count += 1
    return count


def can_learn(kind: LearnedObservable, first: int, second: int) -> bool:
    """Whether a submission and a reference of these sizes have models to spare for it."""
    sizes = (first, second) if kind.from_both else (second,)
    return all(models_aside(models, kind.share) >= LEAST_ASIDE for models in sizes)


def models_aside(models: int, share: float) -> int:
    """Models that are set aside of so many: a share, at least 8, at most a quarter of them."""
    return min(max(round(share * models), LEAST_ASIDE), models // 4)


def not_learned(
    observables: Sequence[Observable], seen: Mapping[str, Observations]
) -> tuple[str, ...]:
    """A sentence for each learned observable that the submission could not be asked about."""
    sizes = [seen[name].models for name in ("submission", "untraining", "unlearning")]
    return tuple(
        f"The {kind.words()} was not looked at: too few models to set {LEAST_ASIDE} aside of each "
        "population that it needs."
        for kind in observables
        if isinstance(kind, LearnedObservable)
        and not all(can_learn(kind, sizes[0], reference) for reference in sizes[1:])
    )
