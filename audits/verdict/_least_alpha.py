"""The least level at which a verdict stands, for whoever reads many audits."""

from collections.abc import Callable

from audits.verdict._results import VerdictName

LEVELS = (0.01, 0.001, 1e-4)
"""Levels that are tried below the declared one, the greatest first."""


def least_alpha(
    verdict: VerdictName, alpha: float, again: Callable[[float], VerdictName]
) -> float | None:
    """The least of `LEVELS` at which, and at all above it, the verdict is the same.

    At each level t the verdict of an audit is wrong with probability at most t. Where the least
    level found is at most t, the verdict at t was this one. So a false verdict has a least level of
    at most t with probability at most t, as a p-value would: of K audits, those with at most
    alpha / K are all right with probability at least 1 - alpha (Bonferroni).

    At these levels each reference has half of the level, which is always right, also where both
    share the declared one.

    Holm's step-down is not valid here. It lets a hypothesis go once it is rejected rightly, but a
    submission can be called wrongly towards one reference even where all that is said of the other
    is true.

    Args:
        verdict: at the declared level.
        alpha: the declared level.
        again: the verdict of the same observations at another level.

    Returns:
        The level; the declared one where the verdict falls at the next, and None for an
        inconclusive verdict.

    Example:
        >>> least_alpha("neither", 0.05, lambda level: "neither" if level > 1e-3 else "untraining")
        0.01
    """
    if verdict == "inconclusive":
        return None
    least = alpha
    for level in LEVELS:
        if level >= alpha:
            continue
        if again(level) != verdict:
            break
        least = level
    return least
