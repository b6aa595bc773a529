"""Cross-influence: how much training on one example changes what becomes of another."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Shaped

from estimators.checks import check_counts
from estimators.influence._arm_intervals import ArmsMethod
from estimators.influence._inclusion import check_observed, pair_arms
from estimators.influence._influence import Estimand, Influence, influence

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class CrossInfluence(Influence):
    """Cross-influence of each source on each target.

    Attributes:
        estimate: mean outcome of the target over models with the source less that over models
            without it, ``[n_source, n_target]``; 0 where undetermined, which says nothing.
        arms: sizes and means of both arms; sizes are ``[n_source, 1]``.
        undetermined: true where too few models include the source, or too few do not.
    """

    def _axes(self) -> tuple[str, ...]:
        return ("source", "target")

    def _title(self) -> str:
        sources, targets = self.estimate.shape
        return (
            f"cross-influence, {self.estimand}, {sources} sources on {targets} targets from "
            f"{self.models} models, {100 * self.confidence_level:g} % intervals by {self.method}"
        )

    def to_dataframe(self) -> "pd.DataFrame":
        """A row for each pair; numbers are missing where undetermined."""
        import pandas as pd

        ends = self.confidence_interval
        numbers = {"influence": self.estimate, "low": ends.low, "high": ends.high}
        seen = {
            name: np.where(self.undetermined, np.nan, values).ravel()
            for name, values in numbers.items()
        }
        places = np.indices(self.estimate.shape).reshape(2, -1)
        return pd.DataFrame(dict(zip(self._axes(), places, strict=True)) | seen)


def cross_influence(
    included: Shaped[Any, "..."],
    outcome: Shaped[Any, "..."],
    *,
    confidence: float = 0.95,
    method: ArmsMethod | None = None,
    estimand: Estimand = "subset",
    memory_budget: int = 2**30,
) -> CrossInfluence:
    """Cross-influence of every source on every target, by matrix products.

    The mean outcome of target j over models that include source i less that over models that do
    not. On the training set itself the diagonal is memorization.

    A column of ``included`` may be a block of examples that are dropped together, such as a forget
    set; a column of ``outcome`` may be a model's mean over a group of targets, and its interval is
    then one about that group: models are resampled, not examples.

    0/1 outcomes need one product in float32, where their counts are exact; others need two, in
    float32 when that is their type and else in float64.

    Args:
        included: ``[models, n_source]``, whether each model trained on each source.
        outcome: ``[models, n_target]``, what each model made of each target.
        confidence: of each two-sided interval.
        method: as for `memorization`.
        estimand: as for `memorization`.
        memory_budget: bytes for blocks in work, beyond the result's own arrays (five float64 ones
            of ``[n_source, n_target]`` for 0/1, else seven): sources and targets are streamed.

    Returns:
        Estimates and intervals, ``[n_source, n_target]``.

    Raises:
        TypeError: when an array does not hold booleans or real numbers.
        ValueError: when shapes do not fit, numbers are not finite, the method is not for such
            outcomes, or the budget is not positive.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> rng = np.random.default_rng(0)
        >>> included = rng.random((1000, 2)) < 0.7
        >>> right = rng.random((1000, 1)) < np.where(included[:, :1], 0.9, 0.3)
        >>> result = estimators.cross_influence(included, right)
        >>> ends = result.confidence_interval
        >>> (ends.low > 0).ravel(), (ends.high < 0.8).ravel()
        (array([ True, False]), array([ True,  True]))

    References:
        Feldman and Zhang (2020), What neural networks memorize and why: discovering the long tail
        via influence estimation. https://arxiv.org/abs/2008.03703
    """
    check_counts(memory_budget=memory_budget)
    observed = check_observed(included, outcome, own=False)
    return influence(
        CrossInfluence,
        observed,
        pair_arms(observed, memory_budget),
        confidence=confidence,
        method=method,
        estimand=estimand,
    )
