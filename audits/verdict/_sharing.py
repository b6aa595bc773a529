r"""How much of the level each reference gets: half of it, or nearly all where they lie far apart.

A verdict errs where the submission is wrongly said to match, or to differ from, one of the two
references T and U. Half of alpha for each reference is always right. Where T and U are far apart
the submission P cannot be near both, and an error about the one all but excludes one about the
other.

*Far apart.* Let c = e^epsilon, and let D be the greatest $T_j(R) - U_j(R)$ over the half-lines R
of the fixed observables j. The complement of a half-line is one, and for every P, at that R and j,

$$[P(R^c) - c\,T(R^c)] + [P(R) - c\,U(R)] = 1 - c\,(1 - T(R) + U(R)) = 1 - c\,(1 - D).$$

So where D is at least $D_0$ the two brackets, each at most a divergence of P from T or from U, sum
to at least $s = 1 - c\,(1 - D_0)$.

*The rule.* Let $\pi(h)$ be the greatest probability that a test of level $\alpha'$ calls a match at
tolerance t although one event of the class has the difference h: it falls with h, and is $\alpha'$
at t. The number $D_0$ is the least, with s above 2 t, for which

$$\pi_T(h) + \pi_U(s - h) \le \alpha \quad\text{for all } h \in [t, s - t];$$

the sizes, c, t and alpha fix it before any data are seen. A share $\alpha_s$ of alpha goes to a
lower bound on D. Where it is at least $D_0$, every other bound gets $\alpha' = \alpha - \alpha_s$;
else each gets $\alpha'/2$, and must hold at $\alpha'$, too.

*Proof.* If D is below $D_0$, it is called far apart with probability at most $\alpha_s$, and the
verdict at $\alpha'/2$ a reference errs with probability at most $\alpha'$. If D is $D_0$ or more,
whatever is claimed is claimed by the tests of level $\alpha'$. Let h be the first of the brackets;
the other is at least s - h. If P is beyond t from both references, false claims are matches, and
their probability is at most $\pi_T(\max(t, h)) + \pi_U(\max(t, s - h))$, which is at most alpha by
the condition: outside [t, s - t] it is no greater than at an end. If P is within t of T, then h is
at most t, so that s - h is at least s - t: a false difference from T has at most $\alpha'$, a false
match with U at most $\pi_U(s - t)$. It cannot be within t of both, since s is above 2 t.

Learned observables change nothing: the events of the proof are of fixed ones, which every match
must pass, too. Where all fixed observables of one comparison are within t, a false match by a
learned one and a false difference have $\alpha'/2$ each (see `compare`). At epsilon 0 the
rule is the triangle inequality. That only one false match can happen where the references are shown
to *differ* is not true: a submission midway between them can match both.
"""

import math
from functools import lru_cache

import numpy as np

from audits.verdict._columns import Block
from audits.verdict._results import Sharing
from estimators import LowerBoundMethod, delta_lower_bound
from estimators.exact import GREATEST_TOTAL, chance_of_rejection

SHARE = 0.02
"""The share of alpha that goes to whether the references are far apart."""
_STEP = 0.01


def shared_level(
    references: Block,
    submitted: int,
    *,
    epsilon: float,
    tolerance: float,
    alpha: float,
    method: LowerBoundMethod,
) -> tuple[Sharing | None, tuple[float, ...]]:
    """The level at which a submission is compared with each reference.

    Args:
        references: fixed observables of both references.
        submitted: models submitted.
        epsilon: the declared epsilon.
        tolerance: the declared tolerance, not one found on these data.
        alpha: of the verdict.
        method: of the lower bound on the references' distance over half-lines, and no other events.

    Returns:
        How far apart the references are, or None where no distance would do at these sizes; and
        the levels at which every bound must hold, the least one first.
    """
    sizes = len(references.first), len(references.second)
    # Beyond the sizes of exact tests nothing is gained that would be worth its time.
    if submitted + max(sizes) > GREATEST_TOTAL:
        return None, (alpha / 2.0,)
    needed = least_separation(submitted, *sizes, epsilon, tolerance, alpha)
    if needed is None:
        return None, (alpha / 2.0,)
    rest = (1.0 - SHARE) * alpha
    bounds = delta_lower_bound(
        references.first,
        references.second,
        epsilon=0.0,
        confidence=1.0 - SHARE * alpha / len(references.names),
        method=method,
    )
    shown = float(np.max(bounds.bound))
    sharing = Sharing(needed=needed, shown=shown, shared=shown >= needed)
    return sharing, (rest,) if sharing.shared else (rest / 2.0, rest)


@lru_cache(maxsize=256)
def least_separation(
    submitted: int, untraining: int, unlearning: int, epsilon: float, tolerance: float, alpha: float
) -> float | None:
    """The least distance of the references, at epsilon 0, at which they share the level.

    Args:
        submitted: models submitted.
        untraining: models of that reference.
        unlearning: models of the other.
        epsilon: the declared epsilon.
        tolerance: the declared tolerance.
        alpha: of the verdict.

    Returns:
        D_0, or None where not even references at distance 1 would share it.

    Example:
        >>> print(f"{least_separation(100, 100, 100, 1.0, 0.2, 0.05):.2f}")
        0.85
    """
    factor, level = math.exp(epsilon), (1.0 - SHARE) * alpha
    chances: dict[int, list[float]] = {untraining: [level], unlearning: [level]}
    # Cells of h: the first bracket lies in [t + i steps, t + (i + 1) steps], of k in all.
    for k in range(1, math.ceil((1.0 - 2.0 * tolerance) / _STEP)):
        difference = tolerance + (k - 1) * _STEP
        if k > 1:
            for reference, known in chances.items():
                known.append(_match(submitted, reference, factor, tolerance, level, difference))
        first, second = chances[untraining], chances[unlearning]
        if all(first[i] + second[k - 1 - i] <= alpha for i in range(k)):
            return 1.0 - (1.0 - 2.0 * tolerance - k * _STEP) / factor
    return None


def _match(
    submitted: int, reference: int, factor: float, tolerance: float, level: float, difference: float
) -> float:
    """The greatest probability of a match although one event differs by so much, either way."""
    return max(
        chance_of_rejection(n, m, factor, tolerance, level, difference)
        for n, m in {(submitted, reference), (reference, submitted)}
    )
