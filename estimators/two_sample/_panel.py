"""A panel of two-sample tests: supporting evidence, never the verdict."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Num
from scipy.spatial.distance import pdist, squareform

from estimators._results import TwoPopulations, Undetermined
from estimators.checks import check_counts, check_pair, check_seed
from estimators.two_sample._classifier_test import classifier_contest
from estimators.two_sample._energy import energy_statistics
from estimators.two_sample._max_ks import ks_statistics, sorted_observables
from estimators.two_sample._mmd import BANDWIDTHS, KERNELS, bandwidths, mmd_statistics
from estimators.two_sample._permutation import (
    least_pvalue,
    permutation_pvalue,
    relabellings,
)

if TYPE_CHECKING:
    import pandas as pd

TESTS = ("energy distance", "MMD", "greatest KS distance", "classifier")
ASSUMPTIONS = (
    "models are independent, within each population and between the two (under the null hypothesis "
    "of one common law, they are exchangeable)",
)
USUAL_LEVEL = 0.05


@dataclass(frozen=True, eq=False)
class TwoSamplePanel(TwoPopulations, Undetermined):
    """Four tests of whether two populations have the same law.

    Attributes:
        tests: the names of the tests, in the order of the arrays below.
        statistic: energy distance of the standardised observables; fused normalised squared MMD;
            greatest KS distance; share of held-out pairs that the classifier orders rightly.
        pvalue: each test's own, exact in level.
        adjusted: Holm's p-values: evidence over the whole panel.
        least_pvalue: the least p-value that each test can give at these sizes.
        undetermined: whether that is above 0.05, so that the test can show nothing.
        most_different: index of the observable with the greatest KS distance.
        observables: how many observables there are.
        permutations: how many relabellings were drawn.
        pairs: held-out pairs of the classifier test.
        seed: of the relabellings and of the classifier's split.
        method: what was done, in words.
    """

    tests: tuple[str, ...]
    statistic: Float[np.ndarray, " tests"]
    pvalue: Float[np.ndarray, " tests"]
    adjusted: Float[np.ndarray, " tests"]
    least_pvalue: Float[np.ndarray, " tests"]
    most_different: tuple[int, ...]
    observables: int
    permutations: int
    pairs: int
    seed: int
    method: str

    def _title(self) -> str:
        return (
            f"Two-sample panel: {self.n_p} against {self.n_q} models, {self.observables} "
            f"observable{'s' if self.observables > 1 else ''} ({self.method})"
        )

    def to_dataframe(self) -> "pd.DataFrame":
        """One row a test: its statistic, its p-value and Holm's over the panel."""
        import pandas as pd

        missing = {
            "pvalue": np.where(self.undetermined, np.nan, self.pvalue),
            "adjusted": np.where(self.undetermined, np.nan, self.adjusted),
        }
        return pd.DataFrame({"test": self.tests, "statistic": self.statistic, **missing})


def two_sample_panel(
    p: Num[Any, "n ..."],
    q: Num[Any, "m ..."],
    *,
    seed: int,
    permutations: int = 999,
) -> TwoSamplePanel:
    r"""Do two populations have the same law? Four tests, each exact in level at every n and m.

    *Energy distance* and *MMD* (Gaussian and Laplace kernels at five bandwidths each, aggregated by
    log-mean-exp) compare the vectors of all observables, standardised by their pooled spread; the
    *greatest KS distance* looks at one observable at a time; the *classifier* is trained on one
    half and judged on pairs of held-out models. The first three have permutation p-values
    $(1 + \#\{T_b \ge T_0\})/(1 + B)$, the last a binomial one. None dominates: the energy
    distance finds shifts of many observables best, the KS distance shifts of few, the MMD changes
    of scale; the classifier finds each, with half of the models.

    A small p-value shows a difference. A large one shows nothing: it is never evidence of a match.

    Memory grows with the square of n + m, time with that times ``permutations``.

    Args:
        p: models of the first population: a number for each model and observable.
        q: models of the second population, with the same observables.
        seed: of the relabellings and of the classifier's split, in [0, 2^63).
        permutations: how many relabellings B, at least 1.

    Returns:
        A `TwoSamplePanel`; its arrays have one entry a test.

    Raises:
        TypeError: when samples are not real numbers.
        ValueError: when samples do not fit together, are not finite, hold no observable or fewer
            than two models, or seed or permutations lie outside their range.

    Example:
        >>> import numpy as np
        >>> from indist import estimators
        >>> rng = np.random.default_rng(0)
        >>> p, q = rng.normal(size=(60, 3)), rng.normal(0.8, 1.0, size=(60, 3))
        >>> panel = estimators.two_sample_panel(p, q, seed=0)
        >>> dict(zip(panel.tests, panel.pvalue.round(3).tolist()))
        {'energy distance': 0.001, 'MMD': 0.001, 'greatest KS distance': 0.001, 'classifier': 0.049}

    References:
        Székely and Rizzo (2013), "Energy statistics".
        Biggs, Schrab and Gretton (2023), "MMD-FUSE". https://arxiv.org/abs/2306.08777
        Lopez-Paz and Oquab (2017), "Revisiting classifier two-sample tests".
        https://arxiv.org/abs/1610.06545
        Phipson and Smyth (2010), "Permutation p-values should never be zero".
    """
    seed = check_seed(seed)
    check_counts(permutations=permutations)
    first, second = check_pair(p, q)
    n, m, shape = len(first), len(second), first.shape[1:]
    if min(n, m) < 2:
        raise ValueError(f"p and q: expected at least 2 models each, found {n} and {m}")
    flat = np.concatenate([first.reshape(n, -1), second.reshape(m, -1)])
    if not flat.shape[1]:
        raise ValueError(f"p and q: expected at least one observable, found shape {shape}")

    labels = relabellings(n, m, permutations, seed)
    exact = squareform(pdist(_standardised(flat)))
    distances = jnp.asarray(exact, dtype=jnp.float32)
    widths = jnp.asarray(bandwidths(exact), dtype=jnp.float32)
    energy = np.asarray(energy_statistics(distances, labels), dtype=np.float64)
    mmd = np.asarray(mmd_statistics(distances, widths, labels), dtype=np.float64)
    each = np.asarray(ks_statistics(*sorted_observables(flat), labels), dtype=np.float64)
    greatest = each.max(axis=0)
    contest = classifier_contest(flat[:n], flat[n:], seed)

    pvalue = np.array(
        [
            permutation_pvalue(energy),
            permutation_pvalue(mmd),
            permutation_pvalue(greatest, tie=0.0),
            contest.pvalue,
        ]
    )
    pairs = min(n, m) // 2
    least = np.array([least_pvalue(n, m, permutations)] * 3 + [0.5**pairs])
    return TwoSamplePanel(
        tests=TESTS,
        statistic=np.array([np.sqrt(max(energy[0], 0.0)), mmd[0], greatest[0], contest.share]),
        pvalue=pvalue,
        adjusted=_holm(pvalue),
        least_pvalue=least,
        undetermined=least > USUAL_LEVEL,
        most_different=tuple(int(i) for i in np.unravel_index(each[:, 0].argmax(), shape or (1,))),
        n_p=n,
        n_q=m,
        observables=flat.shape[1],
        permutations=permutations,
        pairs=pairs,
        seed=seed,
        method=f"{permutations} relabellings, {KERNELS * BANDWIDTHS} kernels, "
        f"{pairs} held-out pairs",
        assumptions=ASSUMPTIONS,
        warnings=_warnings(flat, least),
    )


def _standardised(
    pooled: Float[np.ndarray, "models observables"],
) -> Float[np.ndarray, "models observables"]:
    # Scaled by the largest value first, so that no square overflows.
    top = np.abs(pooled).max(axis=0)
    unit = pooled / np.where(top > 0, top, 1.0)
    spread = unit.std(axis=0)
    return (unit - unit.mean(axis=0)) / np.where(spread > 0, spread, 1.0)


def _holm(pvalue: Float[np.ndarray, " tests"]) -> Float[np.ndarray, " tests"]:
    # Not statsmodels' multipletests, which collects garbage on each call (0.1 s).
    order = np.argsort(pvalue)
    steps = np.maximum.accumulate(pvalue[order] * np.arange(pvalue.size, 0, -1))
    adjusted = np.empty_like(pvalue)
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted


def _warnings(
    pooled: Float[np.ndarray, "models observables"], least: Float[np.ndarray, " tests"]
) -> tuple[str, ...]:
    found: list[str] = []
    same = int((np.ptp(pooled, axis=0) == 0).sum())
    if same:
        found.append(f"{same} of {pooled.shape[1]} observables are the same number in every model")
    for test, value in zip(TESTS, least, strict=True):
        if value > USUAL_LEVEL:
            found.append(f"{test}: no p-value below {value:.2g} is possible at these sizes")
    return tuple(found)
