r"""A bound on epsilon from the p-values of several models, one of each (see `_coin_epsilon`).

Models are made independently of each other, given their coins; a copy counts as p = 1.
With coins of their own they are independent altogether. If each has p at most t with
probability at most q = e^ε t + δ, j of K of them do with P(Bin(K, q) >= j) at most, which is β or
less while q is below the lower limit q_L of Clopper and Pearson for j of K. So the j-th smallest p
gives ε >= ln((q_L - δ) / p_(j)). With one design for all of them, models are independent given the
coins. The coins for which R(p <= t) exceeds t / η have probability η at most; for all others each
model has p <= t with probability e^ε t / η + δ at most, and q_L at level β - η gives
ε >= ln(η (q_L - δ) / p_(j)); here η = β/2. Over several j the level is shared.
"""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy.special import betaincinv

from estimators.checks import check_counts


def check_ranks(ranks: Sequence[int] | None, models: int) -> tuple[int, ...]:
    """The ranks that are looked at: by default the middle one and the greatest.

    Raises:
        ValueError: when one is no rank among the models, or named twice.
    """
    if ranks is None:
        return tuple(sorted({-(-models // 2), models}))
    found = tuple(ranks)
    check_counts(**{f"ranks[{i}]": rank for i, rank in enumerate(found)})
    if not found or max(found) > models or len(set(found)) != len(found):
        raise ValueError(f"ranks: expected different ones from 1 to {models}, found {ranks}")
    return tuple(sorted(int(rank) for rank in found))


def epsilon_of(
    log_pvalues: Float[np.ndarray, " models"],
    *,
    delta: float,
    level: float,
    ranks: tuple[int, ...],
    shared: bool,
) -> float:
    """The bound from the models' p-values, rounded down; see the head of this module.

    Args:
        log_pvalues: natural logarithm of the p-value of each model.
        delta: the delta.
        level: 1 less the confidence.
        ranks: of the p-values that are looked at.
        shared: whether all models have the same coins.

    Returns:
        Epsilon, at least 0.
    """
    ordered = np.sort(log_pvalues)
    models = len(ordered)
    each = level / len(ranks)
    coins_level = each / 2.0 if shared else 0.0
    best = 0.0
    for rank in ranks:
        share = _least_share(rank, models, each - coins_level) - delta
        if share > 0.0:
            spent = math.log(coins_level) if shared else 0.0
            best = max(best, math.log(share) + spent - float(ordered[rank - 1]))
    return best * (1.0 - 1e-12)


def _least_share(rank: int, models: int, level: float) -> float:
    """Lower limit of Clopper and Pearson for ``rank`` of ``models``, rounded down."""
    return float(betaincinv(rank, models - rank + 1, level)) * (1.0 - 1e-9)
