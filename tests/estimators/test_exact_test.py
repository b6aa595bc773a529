"""Exact tests of two binomials: level, order and nesting, against slow twins."""

import math
from itertools import product

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import binom

from estimators.exact._binomial_pair import joint_upper
from estimators.exact._exact_test import rejected_counts

E = math.e
CASES = [
    (1, 1, 1.0, 0.2, 0.025),
    (3, 5, 1.0, 0.3, 0.05),
    (8, 60, E, 0.2, 0.025),
    (60, 8, E, 0.2, 0.025),
    (40, 40, 1.0, 0.9, 0.025),
    (48, 200, E, 0.2, 0.025),
    (91, 91, E, 0.2, 0.025),
    (128, 128, 1.0, 0.2, 0.001),
    (30, 30, 50.0, 0.1, 0.05),
]


def _probability(region: np.ndarray, n: int, m: int, p: float, q: float) -> float:
    return float(binom.pmf(np.arange(m + 1), m, q) @ binom.cdf(region, n, p))


@pytest.mark.parametrize(("n", "m", "factor", "difference", "alpha"), CASES)
def test_the_level_holds_on_the_line_and_inside(
    n: int, m: int, factor: float, difference: float, alpha: float
) -> None:
    region = rejected_counts(n, m, factor, difference, alpha)
    grid = np.linspace(0.0, (1.0 - difference) / factor, 1501)
    sizes = [_probability(region, n, m, min(factor * q + difference, 1.0), q) for q in grid]
    assert max(sizes) <= alpha
    # Nothing of note is given away once there are enough outcomes to choose among.
    if min(n, m) >= 40 and difference <= 0.5:
        assert max(sizes) >= 0.93 * alpha
    rng = np.random.default_rng(0)
    for q in rng.uniform(0.0, grid[-1], 20):
        p = rng.uniform(factor * q + difference, 1.0)
        assert _probability(region, n, m, p, q) <= alpha


@pytest.mark.parametrize(("n", "m", "factor", "difference", "alpha"), CASES)
def test_a_region_is_closed_and_holds_the_joint_bounds(
    n: int, m: int, factor: float, difference: float, alpha: float
) -> None:
    region = rejected_counts(n, m, factor, difference, alpha)
    assert region.shape == (m + 1,)
    assert region.min() >= -1
    assert region.max() <= n
    assert (np.diff(region) >= 0).all()
    x, y = np.arange(n + 1)[:, None], np.arange(m + 1)
    joint = joint_upper(x, n, y, m, [factor], 1.0 - alpha)[0] <= difference
    assert (x <= region)[joint].all()


def _score(
    x: int, n: int, y: int, m: int, factor: float, difference: float
) -> tuple[float, float, float]:
    def loss(q: float) -> float:
        p = min(factor * q + difference, 1.0)
        return -float(binom.logpmf(x, n, p) + binom.logpmf(y, m, q))

    high = (1.0 - difference) / factor
    q = minimize_scalar(loss, bounds=(0.0, high), method="bounded", options={"xatol": 1e-10}).x
    q = min((q, 0.0, high), key=loss)
    p = min(factor * q + difference, 1.0)
    variance = p * (1 - p) / n + factor**2 * q * (1 - q) / m
    return (x / n - factor * y / m - difference) / max(math.sqrt(variance), 1e-6), p, q


def test_the_order_is_that_of_estimated_pvalues() -> None:
    n, m, factor, difference, alpha = 9, 12, 1.5, 0.15, 0.05
    outcomes = list(product(range(n + 1), range(m + 1)))
    found = {
        outcome: _score(outcome[0], n, outcome[1], m, factor, difference) for outcome in outcomes
    }

    def mass(outcome: tuple[int, int], p: float, q: float) -> float:
        return float(binom.pmf(outcome[0], n, p) * binom.pmf(outcome[1], m, q))

    order = {}
    for outcome, (z, p, q) in found.items():
        order[outcome] = sum(mass(o, p, q) for o in outcomes if found[o][0] <= z + 1e-7)
    region = rejected_counts(n, m, factor, difference, alpha)
    inside = [o for o in outcomes if o[0] <= region[o[1]]]
    outside = [o for o in outcomes if o not in inside]
    # Those of the joint bound come first, whatever their order; there are few of them here.
    joint = [o for o in inside if joint_upper(o[0], n, o[1], m, [factor], 0.95)[0] <= difference]
    rest = [order[o] for o in inside if o not in joint]
    assert rest
    assert max(rest) <= min(order[o] for o in outside) + 1e-6
    # One more step would break the level.
    step = min(order[o] for o in outside)
    more = inside + [o for o in outside if order[o] <= step + 1e-9]
    line = np.linspace(0.0, (1.0 - difference) / factor, 400)
    sizes = [sum(mass(o, min(factor * q + difference, 1.0), q) for o in more) for q in line]
    assert max(sizes) > alpha * 0.975
