"""True positive rate at a false positive rate, with an exact interval."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int, Num
from scipy.special import ndtri
from scipy.stats import binom

from estimators._results import (
    INDEPENDENT,
    ConfidenceInterval,
    Interval,
    TwoPopulations,
    Undetermined,
)
from estimators._table import long_table
from estimators.checks import check_confidence, check_grid, check_pair
from estimators.exact._binomial_pair import critical_scores, lower_quantile, upper_quantile

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class TPRAtFPR(Interval, TwoPopulations, Undetermined):
    """Share of P above the threshold that a given share of Q exceeds.

    Attributes:
        fpr: false positive rates asked for, a number or [F].
        estimate: plug-in rate, ``[*observables]`` or ``[F, *observables]``.
        confidence_interval: two-sided and exact for each rate and observable.
        n_p: models of P, the positives.
        n_q: models of Q, the negatives.
        undetermined: true where no data of these sizes could move the interval off [0, 1].
    """

    fpr: Float[np.ndarray, "..."]
    estimate: Float[np.ndarray, "..."]

    def _title(self) -> str:
        return (
            f"TPR at FPR, {self.n_p} models of P against {self.n_q} of Q, "
            f"{100 * self.confidence_level:g} % intervals by {self.method}"
        )

    def to_dataframe(self) -> "pd.DataFrame":
        """A row for each rate and observable: estimate and interval."""
        ends = self.confidence_interval
        columns = {"tpr": self.estimate, "low": ends.low, "high": ends.high}
        if self.fpr.ndim:
            grid = ("fpr", self.fpr)
            return long_table(columns, grid=grid, undetermined=self.undetermined)
        table = long_table(columns, undetermined=self.undetermined)
        table.insert(0, "fpr", float(self.fpr))
        return table


def _beyond(
    first: Float[np.ndarray, "n J"], thresholds: Float[np.ndarray, "k J"]
) -> Int[np.ndarray, "k J"]:
    """Points of each column above each of its thresholds, both sorted."""
    found = [
        np.searchsorted(values, bars, side="right")
        for values, bars in zip(first.T, thresholds.T, strict=True)
    ]
    return first.shape[0] - np.stack(found, axis=1)


def _limits(
    first: Float[np.ndarray, "n J"], ordered: Float[np.ndarray, "bars J"], rate: float, alpha: float
) -> tuple[Float[np.ndarray, " J"], Float[np.ndarray, " J"]]:
    """Lower and upper limit for one rate, each at level alpha; see `tpr_at_fpr`."""
    n, m = first.shape[0], ordered.shape[0] - 2
    weight = float(np.clip(np.sqrt(m / (n + m)), 0.05, 0.9987))
    cap, level = critical_scores(alpha, weight)
    other = float(np.sqrt(1.0 - weight**2))
    places = np.arange(m + 1)
    ends: list[np.ndarray] = []
    for chance, step, quantile in (
        (binom.sf(places - 1, m, 1.0 - rate), 1, lower_quantile),
        (binom.cdf(places, m, 1.0 - rate), 0, upper_quantile),
    ):
        place_score = -ndtri(np.minimum(chance * (1.0 + 1e-12), 1.0))
        score = np.minimum(cap, (level - other * place_score) / weight)
        # Of the places with a capped score only the last can be the least favourable one.
        open_places = np.flatnonzero(place_score < cap)
        free = open_places[score[open_places] < cap]
        edge = np.setdiff1d(open_places, free)
        kept = np.concatenate([free, edge[-1:] if step else edge[:1]])
        counts = _beyond(first, ordered[kept + step])
        place = np.arange(kept.size)[:, None]
        pairs, where = np.unique(place * (n + 1) + counts, return_inverse=True)
        limits = quantile(pairs % (n + 1), n, score[kept][pairs // (n + 1)])
        found = limits[where].reshape(counts.shape)
        ends.append(found.min(axis=0) if step else found.max(axis=0))
    return ends[0], ends[1]


def tpr_at_fpr(
    p: Num[Any, "n ..."],
    q: Num[Any, "m ..."],
    *,
    fpr: Any,
    confidence: float = 0.95,
) -> TPRAtFPR:
    """True positive rate of the threshold test whose false positive rate is at most ``fpr``.

    ``P(X > t)`` with ``t = min {t : Q(Y > t) <= fpr}``; neither is known.

    Were t known, the number of Q-points below t and of P-points above it would be independent
    binomials with probabilities ``1 - fpr`` and the rate sought. A rate is rejected when, wherever
    among the order statistics of Q the threshold may lie, the two exact p-values together are
    rejected by the capped Stouffer region (see the bounds). Each end spends half the level. With
    ties the number of Q-points strictly below t is smaller and the number at or below it larger,
    which is the safe side for each end.

    Args:
        p: scores of the positives, ``[n, *observables]``; higher means P.
        q: scores of the negatives, ``[m, *observables]``.
        fpr: false positive rate in (0, 1), a number or [F].
        confidence: confidence of each two-sided interval.

    Returns:
        Estimate and interval in [0, 1], of shape ``[*observables]`` or ``[F, *observables]``.
        Few negatives cannot tell a small rate: at 95 % below about ``6 / m`` the lower end is 0,
        above one minus this the upper end is 1; `undetermined` where no data could move either.

    Raises:
        TypeError: when samples are not real numbers.
        ValueError: when samples are not finite or their observables differ, or a rate or the
            confidence is not in (0, 1).

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> draw = np.random.default_rng(0)
        >>> result = estimators.tpr_at_fpr(
        ...     draw.normal(2.0, 1.0, 1000), draw.normal(0.0, 1.0, 1000), fpr=0.05
        ... )
        >>> ends = result.confidence_interval
        >>> bool(ends.low < 0.639 < ends.high)
        True

    References:
        Clopper and Pearson (1934), The use of confidence or fiducial limits illustrated in the case
        of the binomial; Thompson (1936), On confidence ranges for the median, for order statistics
        as limits of a quantile; Stouffer et al. (1949), The American Soldier, volume 1.
    """
    first, second = check_pair(p, q)
    half = (1.0 - check_confidence(confidence)) / 2.0
    rates = check_grid("(0, 1)", "fpr", fpr)
    n, m, shape = first.shape[0], second.shape[0], first.shape[1:]
    first = np.sort(first.reshape(n, -1), axis=0)
    ordered = np.sort(second.reshape(m, -1), axis=0)
    edge = np.full_like(ordered[:1], np.inf)
    ordered = np.concatenate([-edge, ordered, edge])

    estimate, low, high = (np.empty((rates.size, first.shape[1])) for _ in range(3))
    trivial = np.zeros(rates.size, dtype=bool)
    bars = np.concatenate([[-np.inf], np.full(m, 0.5), [np.inf]])[:, None]
    for i, rate in enumerate(np.atleast_1d(rates).tolist()):
        low[i], high[i] = _limits(first, ordered, rate, half)
        # The least point that at most a share `rate` of Q exceeds.
        at = int(np.ceil(m * (1.0 - rate) * (1.0 - 1e-12)))
        estimate[i] = _beyond(first, ordered[at : at + 1])[0] / n
        # The most telling data have all of P above all of Q, or all of it below.
        reach = _limits(np.ones((n, 1)), bars, rate, half)[0]
        depth = _limits(np.zeros((n, 1)), bars, rate, half)[1]
        trivial[i] = reach[0] <= 0.0 and depth[0] >= 1.0
    form = (*rates.shape, *shape)
    undetermined = np.broadcast_to(trivial[:, None], low.shape).reshape(form)
    return TPRAtFPR(
        fpr=rates,
        estimate=estimate.reshape(form),
        confidence_interval=ConfidenceInterval(low.reshape(form), high.reshape(form)),
        confidence_level=confidence,
        n_p=n,
        n_q=m,
        method="exact joint interval of threshold and rate (capped Stouffer)",
        assumptions=(INDEPENDENT,),
        warnings=(),
        undetermined=undetermined,
    )
