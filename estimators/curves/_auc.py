"""Area under the ROC curve by Mann and Whitney's count, with an interval valid at every n."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Num
from scipy.stats import rankdata

from estimators._results import INDEPENDENT, ConfidenceInterval, Interval, TwoPopulations
from estimators._table import long_table
from estimators.checks import check_confidence, check_pair
from estimators.exact._convex_order import mean_lower_limit

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class AUC(Interval, TwoPopulations):
    """``P(X > Y) + P(X = Y) / 2`` for a random model of P and one of Q.

    Attributes:
        estimate: Mann and Whitney's count over all pairs, ties counted half; 0.5 for equal laws.
        confidence_interval: two-sided, exact in level at every n and m, ties included.
    """

    estimate: Float[np.ndarray, "..."]

    def _title(self) -> str:
        return (
            f"AUC, {self.n_p} models of P against {self.n_q} of Q, "
            f"{100 * self.confidence_level:g} % intervals by {self.method}"
        )

    def to_dataframe(self) -> "pd.DataFrame":
        """A row for each observable: estimate and interval."""
        ends = self.confidence_interval
        return long_table({"auc": self.estimate, "low": ends.low, "high": ends.high})


def auc(p: Num[Any, "n ..."], q: Num[Any, "m ..."], *, confidence: float = 0.95) -> AUC:
    """Probability that a model of P scores above one of Q, ties counted half.

    ``P(X > Y) + P(X = Y) / 2``, estimated by the share of the n m pairs in which P is above.

    The interval is valid at every n and m and for every pair of laws. DeLong's and other normal
    intervals are not: at perfect separation they shrink to a point. The price: with k the smaller
    sample, the interval is that of about k Bernoulli trials, for continuous scores near 0.5 about
    half as wide again as the normal one.

    Args:
        p: samples of P, one value a model, ``[n, *observables]``.
        q: samples of Q, ``[m, *observables]``.
        confidence: confidence of the two-sided interval.

    Returns:
        Estimate and interval of shape ``[*observables]``, in [0, 1].

    Raises:
        TypeError: when samples are not real numbers.
        ValueError: when samples are not finite or their observables differ, or confidence is not
            in (0, 1).

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> print(estimators.auc(np.array([3.0, 2.0, 5.0]), np.array([1.0, 2.0])).estimate)
        0.9166666666666666

    References:
        Mann and Whitney (1947), On a test of whether one of two random variables is stochastically
        larger than the other; Hoeffding (1963), Probability inequalities for sums of bounded random
        variables, Section 5.
    """
    first, second = check_pair(p, q)
    alpha = 1.0 - check_confidence(confidence)
    n, m = first.shape[0], second.shape[0]
    ranks = np.asarray(rankdata(np.concatenate([first, second]), axis=0))
    estimate = (ranks[:n].sum(axis=0) - n * (n + 1) / 2.0) / (n * m)
    low = mean_lower_limit(estimate, min(n, m), alpha / 2.0)
    high = np.asarray(1.0 - mean_lower_limit(1.0 - estimate, min(n, m), alpha / 2.0))
    return AUC(
        estimate=np.asarray(estimate),
        confidence_interval=ConfidenceInterval(low, high),
        confidence_level=confidence,
        n_p=n,
        n_q=m,
        method="convex order of U-statistics (Hoeffding, Bentkus)",
        assumptions=(INDEPENDENT,),
        warnings=(),
    )
