"""Renyi divergences between two samples: plug-in of a declared model, and a valid lower bound."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Num
from scipy.special import xlogy

from estimators._results import (
    INDEPENDENT,
    ConfidenceInterval,
    Interval,
    TwoPopulations,
    Undetermined,
)
from estimators._table import long_table
from estimators.checks import check_confidence, check_counts, check_grid, check_pair
from estimators.exact._bands import equal_local_level_band
from estimators.exact._frontier import half_line_counts
from estimators.exact._gaussian_fit import gaussian_fit

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class GaussianPlugin:
    """Divergence between the two normal laws with the samples' means and variances.

    Right only when both populations are normal; the result says whether a check refuses that.
    """

    def words(self) -> str:
        """The model in words."""
        return "normal laws with the samples' means and variances"


@dataclass(frozen=True)
class HistogramPlugin:
    """Divergence between the two histograms on bins of equal pooled count.

    By data processing the divergence of the binned populations is at most the true one; its plug-in
    is biased upward by about ``order * bins / n``. Half a count is added to each bin: it stays
    finite.

    Attributes:
        bins: number of bins, at least 2; ties can make it fewer.

    Raises:
        ValueError: when there are fewer than 2 bins.
    """

    bins: int = 10

    def __post_init__(self) -> None:
        check_counts(least=2, bins=self.bins)

    def words(self) -> str:
        """The model in words."""
        return f"histograms with {self.bins} bins of equal pooled count, half a count added to each"


@dataclass(frozen=True, eq=False)
class RenyiDivergence(Interval, TwoPopulations, Undetermined):
    """Renyi divergences in both directions: a plug-in of the model named, and a lower bound.

    Attributes:
        order: the orders, a number or [O].
        estimate: greater of both directions, ``[*observables]`` or ``[O, *observables]``.
        forward: plug-in of ``D(P || Q)``; infinite where the model's divergence is.
        backward: plug-in of ``D(Q || P)``.
        confidence_interval: one-sided, of the true divergence (not the model's): ``low`` is the
            bound, ``high`` infinite, as no sample excludes an infinite divergence.
        confidence_level: of the bounds of one observable, at all orders and directions at once.
        model: what the plug-in stands on, in words.
        undetermined: true where no data of these sizes could lift the bound off 0.
    """

    order: Float[np.ndarray, "..."]
    estimate: Float[np.ndarray, "..."]
    forward: Float[np.ndarray, "..."]
    backward: Float[np.ndarray, "..."]
    model: str

    def _title(self) -> str:
        return (
            f"Renyi divergence, {self.n_p} models of P against {self.n_q} of Q: plug-in of "
            f"{self.model}; {100 * self.confidence_level:g} % lower bound by {self.method}"
        )

    def to_dataframe(self) -> "pd.DataFrame":
        """A row for each order and observable: plug-ins and lower bound."""
        columns = {
            "estimate": self.estimate,
            "forward": self.forward,
            "backward": self.backward,
            "low": self.confidence_interval.low,
        }
        if self.order.ndim:
            return long_table(columns, grid=("order", self.order))
        table = long_table(columns)
        table.insert(0, "order", float(self.order))
        return table


def _normal_divergence(
    p: Float[np.ndarray, "n J"], q: Float[np.ndarray, "m J"], order: float
) -> Float[np.ndarray, " J"]:
    """Between two normal laws (Gil, Alajaji and Linder, 2013)."""
    gap = (p.mean(axis=0) - q.mean(axis=0)) ** 2
    first, second = p.var(axis=0, ddof=1), q.var(axis=0, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        if order == 1.0:
            value = 0.5 * (np.log(second / first) + (first + gap) / second - 1.0)
        else:
            mixed = order * second + (1.0 - order) * first
            value = (
                0.5 * np.log(second / first)
                + 0.5 * np.log(second / np.where(mixed > 0, mixed, 1.0)) / (order - 1.0)
                + 0.5 * order * gap / mixed
            )
            value = np.where(mixed > 0, value, np.inf)
    degenerate = np.where((gap == 0) & (first == 0) & (second == 0), 0.0, np.inf)
    return np.where((first > 0) & (second > 0), np.maximum(value, 0.0), degenerate)


def _discrete_divergence(
    a: Float[np.ndarray, " k"], b: Float[np.ndarray, " k"], order: float
) -> float:
    if order == 1.0:
        return float(max((xlogy(a, a) - xlogy(a, b)).sum(), 0.0))
    return float(max(np.log((a**order * b ** (1.0 - order)).sum()) / (order - 1.0), 0.0))


def _histogram_divergence(
    p: Float[np.ndarray, "n J"], q: Float[np.ndarray, "m J"], order: float, bins: int
) -> Float[np.ndarray, " J"]:
    found = np.empty(p.shape[1])
    for j, (first, second) in enumerate(zip(p.T, q.T, strict=True)):
        # Each half of the pool weighs the same, so that a larger sample does not set the bins.
        pool = np.concatenate([first, second])
        weight = np.repeat([0.5 / first.size, 0.5 / second.size], [first.size, second.size])
        order_of = np.argsort(pool, kind="stable")
        reached = np.cumsum(weight[order_of])
        at = np.searchsorted(reached, np.arange(1, bins) / bins * (1.0 - 1e-12))
        edges = np.unique(pool[order_of][at])
        a = np.bincount(np.searchsorted(edges, first), minlength=edges.size + 1) + 0.5
        b = np.bincount(np.searchsorted(edges, second), minlength=edges.size + 1) + 0.5
        found[j] = _discrete_divergence(a / a.sum(), b / b.sum(), order)
    return found


def binary_divergence(a: Any, b: Any, order: float) -> Float[np.ndarray, "..."]:
    """Renyi divergence between two coins, 0 where ``a <= b``.

    Args:
        a: chance of heads of the first.
        b: chance of heads of the second.
        order: order above 0.

    Returns:
        Divergences, rounded down.
    """
    a, b = np.broadcast_arrays(np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64))
    ahead = a > b
    # Where the first coin is not ahead the answer is 0, and any pair of chances stands in.
    a, b = np.where(ahead, a, 0.5), np.where(ahead, np.maximum(b, 1e-300), 0.5)
    if order == 1.0:
        value = xlogy(a, a / b) + xlogy(1.0 - a, np.where(a < 1.0, (1.0 - a) / (1.0 - b), 1.0))
    else:
        heads = order * np.log(a) + (1.0 - order) * np.log(b)
        with np.errstate(divide="ignore"):
            tails = order * np.log1p(-a) + (1.0 - order) * np.log1p(-b)
        value = np.logaddexp(heads, tails) / (order - 1.0)
    return np.where(ahead, np.maximum(value * (1.0 - 1e-9) - 1e-12, 0.0), 0.0)


def renyi_divergence(
    p: Num[Any, "n ..."],
    q: Num[Any, "m ..."],
    *,
    order: Any,
    plugin: GaussianPlugin | HistogramPlugin,
    confidence: float = 0.95,
) -> RenyiDivergence:
    """Renyi divergence: the plug-in of a declared model, and a lower bound that needs none.

    ``D_a(P || Q) = ln E_Q[(dP/dQ)^a] / (a - 1)``, and Kullback and Leibler's at order 1.

    No estimate without a model is honest: the divergence depends on the ratio of densities where
    samples are rarest, and can be infinite for populations that no sample tells apart. So the
    estimate is that of the model named by ``plugin``, and says so. The lower bound is of the true
    divergence: by data processing ``D_a(P || Q) >= d_a(P(R) || Q(R))`` for every half-line R, and
    limits on the masses of all half-lines hold at once.

    Args:
        p: samples of P, ``[n, *observables]``.
        q: samples of Q, ``[m, *observables]``.
        order: order in (0, 1000], a number or [O].
        plugin: the model of the estimate, `GaussianPlugin` or `HistogramPlugin`.
        confidence: confidence of the lower bounds of each observable.

    Returns:
        Plug-ins and bounds of at least 0, of shape ``[*observables]`` or ``[O, *observables]``.

    Raises:
        TypeError: when samples are not real numbers.
        ValueError: when samples are not finite, fewer than two, or their observables differ, or
            numbers lie outside their range.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> draw = np.random.default_rng(0)
        >>> result = estimators.renyi_divergence(
        ...     draw.normal(1.0, 1.0, 2000),
        ...     draw.normal(0.0, 1.0, 2000),
        ...     order=2.0,
        ...     plugin=estimators.GaussianPlugin(),
        ... )
        >>> bool(result.confidence_interval.low < 1.0), round(float(result.estimate), 1)
        (True, 1.0)

    References:
        van Erven and Harremoes (2014), Renyi divergence and Kullback-Leibler divergence, Theorem 9
        (data processing); Gil, Alajaji and Linder (2013), Renyi divergence measures for commonly
        used univariate continuous distributions; Mironov (2017), Renyi differential privacy,
        Definition 4.
    """
    first, second = check_pair(p, q)
    level = float(1.0 - np.sqrt(check_confidence(confidence)))
    orders = check_grid("(0, 1000]", "order", order)
    n, m, shape = first.shape[0], second.shape[0], first.shape[1:]
    if min(n, m) < 2:
        raise ValueError(f"p and q: expected at least 2 models each, found {n} and {m}")
    first, second = first.reshape(n, -1), second.reshape(m, -1)
    counts = half_line_counts(first, second)
    band_p, band_q = equal_local_level_band(n, level), equal_local_level_band(m, level)
    low_p, high_p = band_p.low[counts.x], band_p.high[counts.x]
    low_q, high_q = band_q.low[counts.y], band_q.high[counts.y]

    forward, backward, low = (np.empty((orders.size, first.shape[1])) for _ in range(3))
    for i, a in enumerate(np.atleast_1d(orders).tolist()):
        if isinstance(plugin, HistogramPlugin):
            forward[i] = _histogram_divergence(first, second, a, plugin.bins)
            backward[i] = _histogram_divergence(second, first, a, plugin.bins)
        else:
            forward[i] = _normal_divergence(first, second, a)
            backward[i] = _normal_divergence(second, first, a)
        ahead = binary_divergence(low_p, high_q, a).max(axis=0)
        low[i] = np.maximum(ahead, binary_divergence(low_q, high_p, a).max(axis=0))
    form = (*orders.shape, *shape)
    remarks: list[str] = []
    if isinstance(plugin, GaussianPlugin):
        refused = int((~gaussian_fit(first, second, variances=False).fits).sum())
        if refused:
            remarks.append(
                f"normality is refused, or could not be checked, for {refused} of "
                f"{first.shape[1]} observables: their plug-in means nothing"
            )
    else:
        remarks.append("the plug-in is of the binned populations, and biased upward")
    nothing = bool(band_p.low[-1] <= band_q.high[0] and band_q.low[-1] <= band_p.high[0])
    return RenyiDivergence(
        order=orders,
        estimate=np.maximum(forward, backward).reshape(form),
        forward=forward.reshape(form),
        backward=backward.reshape(form),
        confidence_interval=ConfidenceInterval(low.reshape(form), np.full(form, np.inf)),
        confidence_level=confidence,
        n_p=n,
        n_q=m,
        model=plugin.words(),
        method="half-lines within equal-local-level bands",
        assumptions=(INDEPENDENT,),
        warnings=tuple(remarks),
        undetermined=np.full(form, nothing),
    )
