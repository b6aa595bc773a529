"""Memorization: how much more often a model gets an example right when it trained on it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Shaped

from estimators.influence._arm_intervals import ArmsMethod
from estimators.influence._inclusion import check_observed, own_arms
from estimators.influence._influence import Estimand, Influence, influence

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Memorization(Influence):
    """Memorization of each example: mean outcome with it less mean outcome without it.

    Attributes:
        estimate: difference of the two means, [n]; 0 where undetermined, which says nothing.
        arms: sizes and means of both arms; ``arms.mean_out`` is the example's out-of-sample score.
    """

    def _axes(self) -> tuple[str, ...]:
        return ("example",)

    def _title(self) -> str:
        return (
            f"memorization, {self.estimand}, {self.estimate.size} examples from {self.models} "
            f"models, {100 * self.confidence_level:g} % intervals by {self.method}"
        )

    def to_dataframe(self) -> "pd.DataFrame":
        """A row for each example; numbers are missing where undetermined."""
        import pandas as pd

        ends = self.confidence_interval
        numbers = {"memorization": self.estimate, "low": ends.low, "high": ends.high}
        seen = {
            name: np.where(self.undetermined, np.nan, values) for name, values in numbers.items()
        }
        sizes = {"n_in": self.arms.n_in, "n_out": self.arms.n_out}
        return pd.DataFrame({"example": np.arange(self.estimate.size)} | seen | sizes)


def memorization(
    included: Shaped[Any, "..."],
    outcome: Shaped[Any, "..."],
    *,
    confidence: float = 0.95,
    method: ArmsMethod | None = None,
    estimand: Estimand = "subset",
) -> Memorization:
    """Memorization of each example, from models trained on random subsets.

    The mean outcome on example i over models that include it less that over models that do not.
    Where each model includes each example by a coin of its own, the other examples are alike in
    both arms, and the difference is unbiased for the effect of example i at that inclusion rate.
    With subsets of a fixed size it is off by the order of 1/n.

    A column may be a block of examples that are included together, with the block's own outcome.

    Args:
        included: ``[models, n]``, whether each model trained on each example.
        outcome: ``[models, n]``, what each model made of each example: 0/1 (right or wrong), in
            [0, 1] (the label's probability), or unbounded (a margin).
        confidence: of each two-sided interval.
        method: `AgrestiCaffo` (default for 0/1), `Newcombe`, `ExactDifference`, `PseudoCountWelch`
            (default in [0, 1]), `Welch` (default if unbounded).
        estimand: "subset" when models saw random subsets, "loo" when those without an example saw
            all others; a declaration, which the result repeats.

    Returns:
        Estimates and intervals, [n].

    Raises:
        TypeError: when an array does not hold booleans or real numbers.
        ValueError: when shapes do not fit, numbers are not finite, or the method is not for such
            outcomes.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> rng = np.random.default_rng(0)
        >>> included = rng.random((1000, 2)) < 0.7
        >>> right = rng.random((1000, 2)) < np.where(included, 0.99, [0.2, 0.9])
        >>> result = estimators.memorization(included, right)
        >>> result.estimand, result.estimate.round(1)
        ('subset(0.7)', array([0.8, 0.1]))

    References:
        Feldman (2020), Does learning require memorization? A short tale about a long tail, for the
        definition; Feldman and Zhang (2020), What neural networks memorize and why, for the
        estimate from subsets. https://arxiv.org/abs/2008.03703
    """
    observed = check_observed(included, outcome, own=True)
    return influence(
        Memorization,
        observed,
        own_arms(observed),
        confidence=confidence,
        method=method,
        estimand=estimand,
    )
