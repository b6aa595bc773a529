r"""How far the means of two populations lie apart over all observables at once, without bias at 0.

Let W be the inverse of the covariance of the models around their own means, pooled over both
populations, with 5 % of its mean variance added to every variance. Distances are in standard
deviations where squares are $\delta^\top W \delta$, with δ the difference of the means. W and the
means are of different halves of the models: of those that W was not found on, with means $\bar x$
and $\bar y$ and covariances $S_x$ and $S_y$,

$$T = (\bar x - \bar y)^\top W (\bar x - \bar y) - \tfrac1n \mathrm{tr}(W S_x)
- \tfrac1m \mathrm{tr}(W S_y).$$

*Without bias.* T is the mean of $(x_i - y_k)^\top W (x_j - y_l)$ over all $i \ne j$ and
$k \ne l$: the terms with $i = j$ or $k = l$, which the first summand has too many, are what the two
others take away. Models of one half are independent of each other and of W, so that given W each of
these products has the mean $\delta^\top W \delta$. That is 0 where the means are equal and over 0
elsewhere, as W is positive definite. Both halves take both parts, and the two values of T are
averaged, which has the mean $\delta^\top E[W]\, \delta$. The halves are drawn by a seed and not by
the order of rows, which is the submitter's.

*What it is not.* E[W] is not the inverse of the true covariance, from which it is off both ways:
the ridge makes directions in which models hardly vary count less, and the noise of a covariance of
few models makes all directions count more. For independent normal observables of equal variance at
a true distance of 3, the root of the mean of ``squared`` is 2.0, 1.1 and 1.0 times the distance at
32, 128 and 512 models a side of 30 observables, 4.2, 3.4 and 1.4 times with 300, and .98 times it
in the limit of many. So it orders submissions with the same numbers of models, seen at the same
observables, and is no estimate of the true distance. Equal means with other differences give 0.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Num
from scipy.linalg import cholesky, solve_triangular

from estimators._results import INDEPENDENT, TwoPopulations
from estimators._table import long_table
from estimators.checks import check_pair, check_samples, check_seed

if TYPE_CHECKING:
    import pandas as pd

RIDGE = 0.05
"""Of the mean variance, added to every variance."""

FEWEST_TO_HALVE = 4
"""Models of either population, for two in each half."""


@dataclass(frozen=True, eq=False)
class MeanDistance(TwoPopulations):
    """Distance of the means of two populations, over all observables at once.

    Attributes:
        estimate: in standard deviations: the root of ``squared``, with its sign, so that it orders
            submissions as ``squared`` does and shows where there is nothing but noise; NaN where
            the models of neither population differ, so that there is nothing to measure in.
        squared: the estimate of the square, without bias where the means are equal: about half of
            all perfect matches have less than 0.
    """

    estimate: float
    squared: float

    def _title(self) -> str:
        return (
            f"distance of means in standard deviations, {self.n_p} models of P against {self.n_q} "
            f"of Q"
        )

    def to_dataframe(self) -> "pd.DataFrame":
        """One row: the estimate, and that of its square."""
        return long_table({"mean_distance": self.estimate, "squared": self.squared})


def mean_distance(p: Num[Any, "n ..."], q: Num[Any, "m ..."], *, seed: int) -> MeanDistance:
    """How far the means of two populations lie apart, in standard deviations.

    A cross-validated Mahalanobis distance: covariance and means are of different halves of the
    models, so that a perfect match reads about 0, however many observables there are. It has no
    interval. It is a grade for ranking submissions, of which each has the same number of models:
    see the notes of this module for how far it is from the true distance.

    Args:
        p: samples of P, ``[n, *observables]``.
        q: samples of Q, ``[m, *observables]``.
        seed: of the halves, in [0, 2^63). Draw it after hand-in: who orders rows and knows it can
            choose the halves.

    Returns:
        The estimate, and that of its square. Observables that do not vary count by their
        difference, in units of the ridge.

    Raises:
        TypeError: when samples are not real numbers.
        ValueError: when samples are not finite, their observables differ or there are none, there
            are fewer than 4 models of either, or ``seed`` is no seed.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> draw = np.random.default_rng(0)
        >>> p, q = draw.normal(size=(500, 10)), draw.normal(size=(500, 10))
        >>> print(f"{estimators.mean_distance(p + 1.0, q, seed=0).estimate:.2f}")
        3.03
        >>> print(f"{estimators.mean_distance(p, q, seed=0).squared:.2f}")
        0.02

    References:
        Walther, Nili, Ejaz, Alink, Kriegeskorte and Diedrichsen (2016), Reliability of
        dissimilarity measures for multi-voxel pattern analysis, NeuroImage 137; Chen and Qin
        (2010), A two-sample test for high-dimensional data with applications to gene-set testing,
        Annals of Statistics 38, equation 2.1.
    """
    seed = check_seed(seed)
    first, second = check_pair(p, q)
    for name, sample in (("p", first), ("q", second)):
        check_samples(sample, name, least=FEWEST_TO_HALVE)
    if not first[0].size:
        raise ValueError("p and q: expected at least one observable, found none")
    rng = np.random.default_rng(seed)
    # In units of the greatest value, so that no square overflows.
    unit = max(np.abs(first).max(), np.abs(second).max()) or 1.0
    halves = [
        np.array_split(sample.reshape(len(sample), -1)[rng.permutation(len(sample))] / unit, 2)
        for sample in (first, second)
    ]
    one, other = zip(*halves, strict=True)
    squared = (_squared(one, other) + _squared(other, one)) / 2.0
    return MeanDistance(
        estimate=float(np.sign(squared) * np.sqrt(np.abs(squared))),
        squared=squared,
        n_p=len(first),
        n_q=len(second),
        assumptions=(INDEPENDENT,),
        warnings=()
        if np.isfinite(squared)
        else ("the models of a half do not differ: there is nothing to measure in",),
    )


Half = tuple[Float[np.ndarray, "_ d"], Float[np.ndarray, "_ d"]]
"""Half of the models of P, and of Q."""


def _squared(whitening: Half, means: Half) -> float:
    """T, with W of one half and the means of the other; NaN where W has nothing to go by."""
    within = [_centred(sample) for sample in whitening]
    spread = np.concatenate(within) / np.sqrt(sum(len(sample) - 1 for sample in within))
    unit = np.abs(spread).max()
    if unit == 0.0:
        return float("nan")
    # The means' difference, and what its square has too much by the noise of either mean.
    parts = [means[0].mean(axis=0, keepdims=True) - means[1].mean(axis=0)]
    parts += [_centred(sample) / np.sqrt(len(sample) * (len(sample) - 1.0)) for sample in means]
    squares = _squares(spread / unit, np.concatenate(parts) / unit)
    return float(squares[0] - squares[1:].sum())


def _centred(sample: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
    """Less its mean; exactly 0 in columns that are constant, whose mean may be rounded."""
    from_first = sample - sample[0]
    return from_first - from_first.mean(axis=0)


def _squares(
    spread: Float[np.ndarray, "k d"], rows: Float[np.ndarray, "r d"]
) -> Float[np.ndarray, " r"]:
    """$v^T W v$ of each row v, where W is the inverse of $S^T S$ and its ridge.

    The smaller of the two Gram matrices of S is factored.
    """
    models, columns = spread.shape
    ridge = RIDGE * float((spread**2).sum()) / columns
    if columns <= models:
        factor = cholesky(spread.T @ spread + ridge * np.eye(columns), lower=True)
        return (solve_triangular(factor, rows.T, lower=True) ** 2).sum(axis=0)
    # Woodbury's identity.
    factor = cholesky(spread @ spread.T + ridge * np.eye(models), lower=True)
    seen = solve_triangular(factor, spread @ rows.T, lower=True)
    return ((rows**2).sum(axis=1) - (seen**2).sum(axis=0)) / ridge
