"""The shift mu of Gaussian differential privacy, signed, with interval and a check of the model."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float, Num
from scipy.special import nctdtr

from estimators._results import (
    INDEPENDENT,
    ConfidenceInterval,
    Interval,
    TwoPopulations,
    Undetermined,
)
from estimators._table import long_table
from estimators.checks import check_confidence, check_epsilon, check_pair
from estimators.exact._gaussian_fit import LEAST, gaussian_fit
from estimators.exact._gaussian_profile import gaussian_delta

if TYPE_CHECKING:
    import pandas as pd

STEPS = 38


@dataclass(frozen=True, eq=False)
class GaussianShift(Interval, TwoPopulations, Undetermined):
    """Shift between two normal populations of equal variance, in standard deviations.

    Attributes:
        estimate: signed shift of P over Q, median unbiased under the model; 0 where undetermined.
        confidence_interval: two-sided, exact under the model; infinite where undetermined.
        pvalue: of the check of the model, the three tests together.
        fits: whether the check passed. Where it is false the numbers mean nothing.
        undetermined: true where there is no spread or there are too few models.
    """

    estimate: Float[np.ndarray, "..."]
    pvalue: Float[np.ndarray, "..."]
    fits: Bool[np.ndarray, "..."]

    def _title(self) -> str:
        return (
            f"Gaussian shift mu, {self.n_p} models of P against {self.n_q} of Q, "
            f"{100 * self.confidence_level:g} % intervals by {self.method}"
        )

    def to_dataframe(self) -> "pd.DataFrame":
        """A row for each observable: mu, interval and the check."""
        ends = self.confidence_interval
        columns = {"mu": self.estimate, "low": ends.low, "high": ends.high}
        table = long_table(columns, undetermined=self.undetermined)
        table["check_pvalue"] = np.asarray(self.pvalue).ravel()
        table["fits"] = np.asarray(self.fits).ravel()
        return table

    def delta_interval(self, epsilon: Any) -> ConfidenceInterval:
        """The divergence at epsilon that the interval of mu implies, if the model is true.

        Args:
            epsilon: a number or [E].

        Returns:
            Ends of shape ``[*observables]`` or ``[E, *observables]``; [0, 1] where the check
            failed or mu is undetermined.
        """
        values = check_epsilon(epsilon)
        grid = values.reshape(values.shape + (1,) * self.estimate.ndim)
        ends = self.confidence_interval
        least = np.maximum(np.maximum(ends.low, -ends.high), 0.0)
        most = np.maximum(np.abs(ends.low), np.abs(ends.high))
        usable = self.fits & ~self.undetermined
        return ConfidenceInterval(
            np.where(usable, gaussian_delta(least, grid), 0.0),
            np.where(usable, gaussian_delta(most, grid), 1.0),
        )


def two_sample_t(
    p: Float[np.ndarray, "n J"], q: Float[np.ndarray, "m J"]
) -> tuple[Float[np.ndarray, " J"], int, float]:
    """Student's t with pooled variance, its degrees of freedom, and its scale.

    Args:
        p: samples of P.
        q: samples of Q.

    Returns:
        ``(t, df, root)``: under a shift mu, t is noncentral with noncentrality ``mu * root``. NaN
        where the pooled variance is 0.
    """
    n, m = p.shape[0], q.shape[0]
    df = n + m - 2
    root = float(np.sqrt(n * m / (n + m)))
    gap = p.mean(axis=0) - q.mean(axis=0)
    squares = ((p - p.mean(axis=0)) ** 2).sum(axis=0) + ((q - q.mean(axis=0)) ** 2).sum(axis=0)
    scale = np.abs(p).max(axis=0, initial=0.0) + np.abs(q).max(axis=0, initial=0.0)
    flat = squares <= (1e-12 * scale) ** 2 * (n + m)
    if df < 1:
        return np.full(gap.shape, np.nan), df, root
    return np.where(flat, np.nan, gap * root / np.sqrt(np.where(flat, 1.0, squares) / df)), df, root


def noncentral_t(df: int, shift: Any, t: Any) -> Float[np.ndarray, "..."]:
    """Probability that a noncentral t is at most t.

    Args:
        df: degrees of freedom.
        shift: noncentralities, of either sign.
        t: values of at least 0, or of the noncentrality's sign.

    Returns:
        Probabilities; scipy's NaN far in either tail is the 0 or 1 it stands for.
    """
    chance = np.asarray(nctdtr(df, shift, t))
    return np.where(np.isnan(chance), np.asarray(shift) < np.asarray(t), chance)


def _noncentrality(
    t: Float[np.ndarray, " J"], df: int, probability: float
) -> Float[np.ndarray, " J"]:
    """The noncentrality at which a t at most this large has the probability given."""
    # By symmetry, for |t|: the mirrored noncentrality leaves the complementary probability.
    target = np.where(t < 0.0, 1.0 - probability, probability)
    size = np.abs(t)
    low, high = np.full(size.shape, -10.0), 6.0 * size + 10.0
    for _ in range(STEPS):
        middle = 0.5 * (low + high)
        over = noncentral_t(df, middle, size) > target
        low, high = np.where(over, middle, low), np.where(over, high, middle)
    return np.where(t < 0.0, -1.0, 1.0) * 0.5 * (low + high)


def gaussian_dp(
    p: Num[Any, "n ..."], q: Num[Any, "m ..."], *, confidence: float = 0.95
) -> GaussianShift:
    """Signed shift mu of Gaussian differential privacy, with interval and goodness-of-fit check.

    *Model*: ``X ~ N(a, s^2)``, ``Y ~ N(b, s^2)``, ``mu = (a - b) / s``. Then every divergence
    between the populations is that of N(mu, 1) and N(0, 1), and depends on ``|mu|`` alone.
    Student's t is noncentral with noncentrality ``mu sqrt(n m / (n + m))``, which gives an exact
    interval; it covers 0 when the populations agree. Taking ``|mu|`` first would never.

    When the model is false the interval is wrong without limit. The check (see the result's
    ``fits``) refuses with few models and otherwise finds what is far from normal.

    Args:
        p: samples of P, ``[n, *observables]``.
        q: samples of Q, ``[m, *observables]``.
        confidence: confidence of the two-sided interval, if the model is true.

    Returns:
        Signed mu, interval and check, of shape ``[*observables]``.

    Raises:
        TypeError: when samples are not real numbers.
        ValueError: when samples are not finite or their observables differ, or confidence is not
            in (0, 1).

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> draw = np.random.default_rng(0)
        >>> result = estimators.gaussian_dp(draw.normal(0, 2, 400), draw.normal(2, 2, 400))
        >>> ends = result.confidence_interval
        >>> bool(result.fits), bool(ends.low < -1.0 < ends.high)
        (True, True)

    References:
        Dong, Roth and Su (2022), Gaussian differential privacy, for the definition; Hedges and
        Olkin (1985), Statistical methods for meta-analysis, for the noncentral t interval.
    """
    first, second = check_pair(p, q)
    alpha = 1.0 - check_confidence(confidence)
    n, m, shape = first.shape[0], second.shape[0], first.shape[1:]
    first, second = first.reshape(n, -1), second.reshape(m, -1)
    t, df, root = two_sample_t(first, second)
    undetermined = np.isnan(t)
    t = np.where(undetermined, 0.0, t)
    if df < 1:
        middle, low, high = (np.zeros(t.shape) for _ in range(3))
    else:
        middle, low, high = (
            _noncentrality(t, df, level) / root for level in (0.5, 1.0 - alpha / 2, alpha / 2)
        )
    fit = gaussian_fit(first, second)
    remarks: list[str] = []
    if min(n, m) < LEAST:
        remarks.append(f"fewer than {LEAST} models a side: the Gaussian model cannot be checked")
    elif not fit.fits.all():
        refused = int((~fit.fits).sum())
        remarks.append(
            f"the check refuses the Gaussian model for {refused} of {fit.fits.size} observables: "
            "their mu means nothing"
        )
    return GaussianShift(
        estimate=np.where(undetermined, 0.0, middle).reshape(shape),
        confidence_interval=ConfidenceInterval(
            np.where(undetermined, -np.inf, low).reshape(shape),
            np.where(undetermined, np.inf, high).reshape(shape),
        ),
        confidence_level=confidence,
        pvalue=fit.pvalue.reshape(shape),
        fits=fit.fits.reshape(shape),
        n_p=n,
        n_q=m,
        method="noncentral t",
        assumptions=(
            INDEPENDENT,
            "both populations are normal with equal variances (checked, not proved)",
        ),
        warnings=tuple(remarks),
        undetermined=undetermined.reshape(shape),
    )
