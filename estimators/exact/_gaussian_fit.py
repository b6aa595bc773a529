"""Could two samples be a Gaussian shift? Shapiro-Wilk on each side, and equal variances."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import fdtr, fdtrc
from scipy.stats import normaltest, shapiro

# The check has no power to speak of below this many models a side: it then refuses.
LEAST = 20
LEVEL = 0.05
# Royston's approximation to the law of Shapiro and Wilk's statistic is calibrated up to here.
SHAPIRO_LIMIT = 5_000


class GaussianFit(NamedTuple):
    """Outcome of the check for each observable.

    Attributes:
        pvalue: least p-value times the number of tests, at most 1.
        fits: whether the check passed; false for samples that cannot be checked.
    """

    pvalue: Float[np.ndarray, " J"]
    fits: Bool[np.ndarray, " J"]


def _normality(sample: Float[np.ndarray, "n J"]) -> Float[np.ndarray, " J"]:
    pvalue = np.zeros(sample.shape[1])
    varied = np.ptp(sample, axis=0) > 1e-12 * np.abs(sample).max(axis=0, initial=0.0)
    if varied.any():
        test = shapiro if sample.shape[0] <= SHAPIRO_LIMIT else normaltest
        scaled = sample[:, varied] - sample[:, varied].mean(axis=0)
        pvalue[varied] = [test(column).pvalue for column in (scaled / scaled.std(axis=0)).T]
    return pvalue


def gaussian_fit(
    p: Float[np.ndarray, "n J"],
    q: Float[np.ndarray, "m J"],
    *,
    level: float = LEVEL,
    variances: bool = True,
) -> GaussianFit:
    """Checks that both samples look normal and, unless told not to, their variances equal.

    Normality by the correlation of each sample with normal scores (Shapiro and Wilk; beyond 5,000
    models D'Agostino's skewness and kurtosis), variances by the F test, Bonferroni over the tests.
    Passing is no proof: with few models the check misses much.

    Args:
        p: samples of P.
        q: samples of Q.
        level: probability that true Gaussian shifts are refused, about.
        variances: whether equal variances are part of the model.

    Returns:
        p-values and decisions.

    References:
        Shapiro and Wilk (1965), An analysis of variance test for normality; Royston (1995),
        Algorithm AS R94; D'Agostino and Pearson (1973), Tests for departure from normality.
    """
    n, m = p.shape[0], q.shape[0]
    if min(n, m) < LEAST:
        return GaussianFit(np.zeros(p.shape[1]), np.zeros(p.shape[1], dtype=bool))
    least = np.minimum(_normality(p), _normality(q))
    if variances:
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = p.var(axis=0, ddof=1) / q.var(axis=0, ddof=1)
        usable = np.isfinite(ratio)
        ratio = np.where(usable, ratio, 1.0)
        spread = 2.0 * np.minimum(fdtr(n - 1, m - 1, ratio), fdtrc(n - 1, m - 1, ratio))
        least = np.minimum(least, np.where(usable, spread, 0.0))
    pvalue = np.minimum((3.0 if variances else 2.0) * least, 1.0)
    return GaussianFit(pvalue, pvalue > level)
