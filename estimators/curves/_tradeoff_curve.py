"""The trade-off function between two samples: the least type II error at each type I error."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Num

from estimators._results import INDEPENDENT, ConfidenceInterval, Interval, TwoPopulations
from estimators._table import long_table
from estimators.checks import check_array, check_confidence, check_pair
from estimators.exact._bands import equal_local_level_band
from estimators.exact._frontier import half_line_counts

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class TradeoffCurve(Interval, TwoPopulations):
    """The trade-off function over threshold tests, with a band for the whole curve.

    Attributes:
        alpha: type I errors, [A].
        estimate: plug-in type II errors, ``[A, *observables]``; biased downward.
        confidence_interval: a band that holds at all type I errors of one observable at once.
        confidence_level: of the band of each observable.
        n_p: models of P, the null hypothesis.
        n_q: models of Q, the alternative.
        events: the tests, in words.
    """

    alpha: Float[np.ndarray, " A"]
    estimate: Float[np.ndarray, "A ..."]
    events: str

    @property
    def beta(self) -> Float[np.ndarray, "A ..."]:
        """The estimate, under the name that goes with alpha."""
        return self.estimate

    def _title(self) -> str:
        return (
            f"trade-off function over {self.events}, {self.n_p} models of P against {self.n_q} of "
            f"Q, {100 * self.confidence_level:g} % band by {self.method}"
        )

    def to_dataframe(self) -> "pd.DataFrame":
        """A row for each type I error and observable: type II error and band."""
        ends = self.confidence_interval
        columns = {"beta": self.estimate, "low": ends.low, "high": ends.high}
        return long_table(columns, grid=("alpha", self.alpha))


def convex_minorant(
    alpha: Float[np.ndarray, " k"], beta: Float[np.ndarray, " k"], at: Float[np.ndarray, " A"]
) -> Float[np.ndarray, " A"]:
    """Greatest convex non-increasing function below the points and below ``(0, 1), (1, 0)``.

    Args:
        alpha: first coordinates in [0, 1].
        beta: second coordinates in [0, 1].
        at: where to read the function.

    Returns:
        Its values: the errors that randomising between the tests given can reach.
    """
    a = np.concatenate([[0.0, 1.0], alpha])
    b = np.concatenate([[1.0, 0.0], beta])
    order = np.lexsort((b, a))
    a, b = a[order], b[order]
    # Only points below all those to their left can be corners.
    least = np.minimum.accumulate(b)
    keep = np.concatenate([[True], b[1:] < least[:-1]]) & np.concatenate([[True], a[1:] > a[:-1]])
    corners: list[tuple[float, float]] = []
    for x, y in zip(a[keep].tolist(), b[keep].tolist(), strict=True):
        while len(corners) > 1:
            (x0, y0), (x1, y1) = corners[-2:]
            if (y1 - y0) * (x - x0) < (y - y0) * (x1 - x0):
                break
            corners.pop()
        corners.append((x, y))
    xs, ys = np.array(corners).T
    return np.interp(at, xs, ys)


def tradeoff_curve(
    p: Num[Any, "n ..."],
    q: Num[Any, "m ..."],
    *,
    alpha: Any = None,
    confidence: float = 0.95,
) -> TradeoffCurve:
    """Trade-off function between P and Q over threshold tests, with a band for the whole curve.

    ``T(P, Q)(a) = inf {1 - E_Q f : E_P f <= a}`` over tests f that randomise between half-lines of
    the observable, both orientations. It is the convex conjugate of the hockey-stick divergence
    over the same events; a test of other events could have smaller errors, never larger ones.

    The estimate is the plug-in and biased downward: for equal populations it lies below ``1 - a``
    by about ``1 / sqrt(n)``, so its area is no AUC (see `auc`). The band is valid: it comes from
    limits on the masses of all half-lines at once, each population at ``1 - sqrt(confidence)``.

    Args:
        p: samples of P, the null hypothesis, ``[n, *observables]``.
        q: samples of Q, the alternative, ``[m, *observables]``.
        alpha: type I errors in [0, 1], 1-D; None for 0, 0.01, ..., 1.
        confidence: confidence of the band of each observable.

    Returns:
        Type II errors of shape ``[A, *observables]`` in [0, 1], convex and non-increasing in alpha.

    Raises:
        TypeError: when samples are not real numbers.
        ValueError: when samples are not finite or their observables differ, or numbers lie outside
            their range.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> draw = np.random.default_rng(0)
        >>> curve = estimators.tradeoff_curve(
        ...     draw.normal(0.0, 1.0, 500), draw.normal(1.0, 1.0, 500), alpha=[0.05, 0.5]
        ... )
        >>> truth = [0.741, 0.159]
        >>> ends = curve.confidence_interval
        >>> bool(((ends.low < truth) & (truth < ends.high)).all())
        True

    References:
        Dong, Roth and Su (2022), Gaussian differential privacy, for the curve, and
        Proposition 2.12 (arXiv numbers) for the conjugate.
    """
    first, second = check_pair(p, q)
    level = 1.0 - np.sqrt(check_confidence(confidence))
    grid = np.linspace(0.0, 1.0, 101) if alpha is None else check_array(alpha, "alpha")
    if grid.ndim != 1 or not grid.size or not ((grid >= 0) & (grid <= 1)).all():
        raise ValueError(f"alpha: expected a 1-D array of numbers in [0, 1], found {alpha}")
    n, m, shape = first.shape[0], second.shape[0], first.shape[1:]
    band_p = equal_local_level_band(n, float(level))
    band_q = equal_local_level_band(m, float(level))
    counts = half_line_counts(first.reshape(n, -1), second.reshape(m, -1))
    beta, low, high = (np.empty((grid.size, counts.x.shape[1])) for _ in range(3))
    for j, (x, y) in enumerate(zip(counts.x.T, counts.y.T, strict=True)):
        beta[:, j] = convex_minorant(x / n, 1.0 - y / m, grid)
        low[:, j] = convex_minorant(band_p.low[x], 1.0 - band_q.high[y], grid)
        high[:, j] = convex_minorant(band_p.high[x], 1.0 - band_q.low[y], grid)
    form = (grid.size, *shape)
    return TradeoffCurve(
        alpha=grid,
        estimate=beta.reshape(form),
        confidence_interval=ConfidenceInterval(
            np.maximum(low - 1e-12, 0.0).reshape(form), np.minimum(high + 1e-12, 1.0).reshape(form)
        ),
        confidence_level=confidence,
        n_p=n,
        n_q=m,
        events="threshold tests of each observable",
        method="equal-local-level bands of both distribution functions",
        assumptions=(INDEPENDENT,),
        warnings=("the plug-in curve is biased downward: read the band",),
    )
