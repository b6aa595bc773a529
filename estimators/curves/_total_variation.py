"""Total variation over half-lines: Kolmogorov and Smirnov's distance, with its interval."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Num

from estimators._results import ConfidenceInterval, Interval, TwoPopulations
from estimators._table import long_table
from estimators.curves._hockey_stick import hockey_stick

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class TotalVariation(Interval, TwoPopulations):
    """Greatest difference of mass over half-lines.

    Attributes:
        estimate: plug-in, Kolmogorov and Smirnov's statistic; biased upward, never 0 on the null.
        confidence_interval: of the supremum over half-lines; its low end also bounds the total
            variation over all events from below, its high end does not bound it from above.
        confidence_level: of the interval of each observable.
        events: the class of events, in words.
    """

    estimate: Float[np.ndarray, "..."]
    events: str

    def _title(self) -> str:
        return (
            f"total variation over {self.events}, {self.n_p} models of P against {self.n_q} of Q, "
            f"{100 * self.confidence_level:g} % intervals by {self.method}"
        )

    def to_dataframe(self) -> "pd.DataFrame":
        """A row for each observable: estimate and interval."""
        ends = self.confidence_interval
        columns = {"total_variation": self.estimate, "low": ends.low, "high": ends.high}
        return long_table(columns)


def total_variation(
    p: Num[Any, "n ..."], q: Num[Any, "m ..."], *, confidence: float = 0.95
) -> TotalVariation:
    """Total variation distance over half-lines, with an interval valid at every n and m.

    ``sup_R |P(R) - Q(R)|`` over half-lines R of the observable: the hockey-stick divergence at
    epsilon 0, in either direction.

    Args:
        p: samples of P, ``[n, *observables]``.
        q: samples of Q, ``[m, *observables]``.
        confidence: confidence of the two-sided interval of each observable.

    Returns:
        Estimate and interval of shape ``[*observables]``, in [0, 1].

    Raises:
        TypeError: when samples are not real numbers.
        ValueError: when samples are not finite or their observables differ, or confidence is not
            in (0, 1).

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> draw = np.random.default_rng(0)
        >>> result = estimators.total_variation(
        ...     draw.normal(1.0, 1.0, 500), draw.normal(0.0, 1.0, 500)
        ... )
        >>> ends = result.confidence_interval
        >>> bool(ends.low < 0.3829 < ends.high)
        True
    """
    found = hockey_stick(p, q, epsilon=0.0, confidence=confidence)
    ends = found.confidence_interval
    return TotalVariation(
        estimate=np.asarray(found.estimate),
        confidence_interval=ConfidenceInterval(np.asarray(ends.low), np.asarray(ends.high)),
        confidence_level=found.confidence_level,
        n_p=found.n_p,
        n_q=found.n_q,
        events=found.events,
        method=found.method,
        assumptions=found.assumptions,
        warnings=found.warnings,
    )
