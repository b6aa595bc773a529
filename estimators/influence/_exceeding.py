"""Which examples have more than a given difference: p-values, and a bound on false discoveries."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import bdtr, bdtrc, stdtr, xlog1py, xlogy
from scipy.stats import false_discovery_control

from estimators._results import Undetermined
from estimators.checks import check_within
from estimators.influence._arm_intervals import unpooled_error
from estimators.influence._inclusion import INDEPENDENT_ARMS, Arms

if TYPE_CHECKING:
    import pandas as pd

Dependence = Literal["any", "positive"]
# Golden sections: the bracket shrinks to 4e-9 of its width, a logarithm's error to under 1e-10.
_SECTIONS = 40
_GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0
_LEAST = 1e-290


@dataclass(frozen=True, eq=False)
class Exceeding(Undetermined):
    """Examples or pairs whose difference is above a threshold, with few false among them.

    Attributes:
        above: the threshold.
        estimate: the differences estimated.
        pvalue: of the hypothesis "at most the threshold", one at a time; 1 where undetermined.
        adjusted: the least false discovery rate at which each would be listed.
        exceeds: those listed.
        false_discovery_rate: expected share of wrong ones among those listed, at most.
        axes: names of the axes of the arrays.
        method: where p-values come from and how they are adjusted.
        undetermined: true where an arm has too few models; never listed.
    """

    above: float
    estimate: Float[np.ndarray, "..."]
    pvalue: Float[np.ndarray, "..."]
    adjusted: Float[np.ndarray, "..."]
    exceeds: Bool[np.ndarray, "..."]
    false_discovery_rate: float
    axes: tuple[str, ...]
    method: str

    def _title(self) -> str:
        return (
            f"{int(self.exceeds.sum())} of {self.exceeds.size} above {self.above:g} at a false "
            f"discovery rate of {self.false_discovery_rate:g}; {self.method}"
        )

    def to_dataframe(self) -> "pd.DataFrame":
        """A row for each one listed, the most evident first."""
        import pandas as pd

        places = np.argwhere(self.exceeds)
        places = places[np.argsort(self.pvalue[self.exceeds], kind="stable")]
        at = tuple(places.T)
        columns = dict(zip(self.axes, at, strict=True))
        for name in ("estimate", "pvalue", "adjusted"):
            columns[name] = getattr(self, name)[at]
        return pd.DataFrame(columns)


def exceeding(
    arms: Arms,
    undetermined: Bool[np.ndarray, "..."],
    above: float,
    rate: float,
    dependence: Dependence,
    axes: tuple[str, ...],
) -> Exceeding:
    """List those above a threshold by Benjamini, Hochberg and Yekutieli's rules.

    Args:
        arms: both arms of each.
        undetermined: those that cannot be tested.
        above: the threshold.
        rate: false discovery rate, in (0, 1).
        dependence: between p-values: "any" or "positive".
        axes: names of the axes.

    Raises:
        ValueError: when the threshold, the rate or the dependence is out of its range.
    """
    check_within("(0, 1)", false_discovery_rate=rate)
    if dependence not in ("any", "positive"):
        raise ValueError(f"dependence: expected 'any' or 'positive', found {dependence!r}")
    tested = ~undetermined
    pvalue, adjusted = np.ones(undetermined.shape), np.ones(undetermined.shape)
    if tested.any():
        pvalue[tested] = exceedance_pvalues(arms.where(tested), above)
        rule = "by" if dependence == "any" else "bh"
        adjusted[tested] = false_discovery_control(pvalue[tested], method=rule)
    words = {
        "0/1": "two exact binomial p-values by Fisher's sum",
        "[0, 1]": "two p-values for means in [0, 1] by Fisher's sum",
        "unbounded": "unpooled t",
    }
    rules = {"any": "Benjamini-Yekutieli", "positive": "Benjamini-Hochberg"}
    rests = {
        "any": "nothing of how p-values depend on each other",
        "positive": "p-values depend on each other positively, if at all; not proven for examples "
        "that share models",
    }
    normal = ("means are about normal in both arms, far into the tail",)
    return Exceeding(
        above=float(above),
        estimate=arms.mean_in - arms.mean_out,
        pvalue=pvalue,
        adjusted=adjusted,
        exceeds=tested & (adjusted <= rate),
        false_discovery_rate=rate,
        axes=axes,
        method=f"{words[arms.kind]}, {rules[dependence]}",
        assumptions=(
            INDEPENDENT_ARMS,
            rests[dependence],
            *(normal if arms.kind == "unbounded" else ()),
        ),
        warnings=(),
        undetermined=undetermined,
    )


def exceedance_pvalues(arms: Arms, above: float) -> Float[np.ndarray, "..."]:
    """P-values of "the mean with the example is at most ``above`` higher than that without it".

    For outcomes in [0, 1] they are valid at every number of models. At given means p and q let
    ``a(p)`` be the p-value of the arm with the example for "at most p" and ``b(q)`` that of the arm
    without it for "at least q". They are independent, so ``w (1 - ln w)`` with ``w = a b`` is a
    p-value (Fisher's sum of logarithms), and its supremum over all means with ``p - q <= above`` is
    one for the hypothesis. As ``a`` rises with p, the supremum is where they differ by ``above``;
    both are distribution functions of log-concave Beta laws, so ``ln a + ln b`` is concave there
    and golden sections find its maximum. For 0/1 outcomes a and b are binomial tails; for others in
    [0, 1] they are those of the sum rounded to the safe side, times e (Bentkus, 2004).

    For unbounded outcomes: the unpooled t test.

    Args:
        arms: enough models in both arms.
        above: any real number for unbounded outcomes, else in [-1, 1).

    Raises:
        ValueError: when ``above`` lies outside its range.

    References:
        Fisher (1932), Statistical methods for research workers, 4th edition, for the combination;
        Bentkus (2004), On Hoeffding's inequalities.
    """
    if arms.kind == "unbounded":
        if not np.isfinite(above):
            raise ValueError(f"above: expected a finite number, found {above}")
        estimate, error = unpooled_error(arms, 0.0)
        gap = estimate - above
        certain = np.where(gap == 0, 0.0, np.copysign(np.inf, gap))
        ratio = np.divide(gap, error, out=certain, where=error > 0)
        return stdtr(arms.fewest() - 1.0, -ratio)
    check_within("[-1, 1)", above=above)
    x, y = rounded_sums(arms)
    tables = np.stack([np.broadcast_to(n, x.shape) for n in (arms.n_in, x, arms.n_out, y)])
    (n, x_of, m, y_of), where = np.unique(tables.reshape(4, -1), axis=1, return_inverse=True)
    factor = 1.0 if arms.kind == "0/1" else np.e
    return _least_favourable(n, x_of, m, y_of, above, factor)[where].reshape(x.shape)


def rounded_sums(arms: Arms) -> tuple[Int[np.ndarray, "..."], Int[np.ndarray, "..."]]:
    """Sums of outcomes in [0, 1] with the example, rounded down, and without it, rounded up."""
    # Means are taken to 1e-6, so that float32 products of constant outcomes stay whole.
    x = np.floor(arms.n_in * (arms.mean_in + 1e-6)).astype(np.int64)
    y = np.ceil(arms.n_out * (arms.mean_out - 1e-6)).astype(np.int64)
    return np.clip(x, 0, arms.n_in), np.clip(y, 0, arms.n_out)


def _least_favourable(
    n: Int[np.ndarray, " k"],
    x: Int[np.ndarray, " k"],
    m: Int[np.ndarray, " k"],
    y: Int[np.ndarray, " k"],
    above: float,
    factor: float,
) -> Float[np.ndarray, " k"]:
    """The supremum of Fisher's combined p-value over ``p - q = above``, rounded up."""

    def log_product(q: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
        p = np.clip(q + above, 0.0, 1.0)
        a = np.where(x > 0, bdtrc(np.maximum(x - 1, 0), n, p), 1.0)
        b = np.where(y < m, bdtr(np.minimum(y, m - 1), m, q), 1.0)
        logs = (_log_tail(a, factor, x, n, p), _log_tail(b, factor, y, m, q))
        return np.minimum(logs[0], 0.0) + np.minimum(logs[1], 0.0)

    low, high = np.full(n.shape, max(0.0, -above)), np.full(n.shape, min(1.0, 1.0 - above))
    best = np.maximum(log_product(low), log_product(high))
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = log_product(left), log_product(right)
    for _ in range(_SECTIONS):
        rising = at_left < at_right
        low, high = np.where(rising, left, low), np.where(rising, high, right)
        middle = np.where(rising, low + _GOLDEN * (high - low), high - _GOLDEN * (high - low))
        left, right = np.where(rising, right, middle), np.where(rising, middle, left)
        at_middle = log_product(middle)
        at_left, at_right = (
            np.where(rising, at_right, at_middle),
            np.where(rising, at_middle, at_left),
        )
    best = np.maximum(best, np.maximum(at_left, at_right))
    best = np.clip(best + 1e-9, np.log(_LEAST), 0.0)
    return np.minimum(np.exp(best) * (1.0 - best), 1.0)


def _log_tail(
    tail: Float[np.ndarray, " k"],
    factor: float,
    count: Int[np.ndarray, " k"],
    trials: Int[np.ndarray, " k"],
    rate: Float[np.ndarray, " k"],
) -> Float[np.ndarray, " k"]:
    # Tails that underflow are replaced by Chernoff's bound, so that the search still sees a slope.
    seen = count / trials
    with np.errstate(divide="ignore"):
        exponent = xlogy(count, rate) + xlog1py(trials - count, -rate)
    exponent = exponent - xlogy(count, seen) - xlog1py(trials - count, -seen)
    return np.log(factor) + np.where(
        tail > _LEAST, np.log(np.maximum(tail, _LEAST)), np.minimum(exponent, np.log(_LEAST))
    )
