"""Simulated coverage of every method that claims validity, of sets, and of lists."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from estimators import (
    AgrestiCaffo,
    ExactDifference,
    Newcombe,
    PseudoCountWelch,
    Welch,
    cross_influence,
    memorization,
    models_needed,
    set_memorization,
)
from estimators.influence._inclusion import Arms
from estimators.influence._simultaneous import bonferroni
from tests.estimators.pairs import limit, margin

RATES = np.array([0.002, 0.02, 0.1, 0.5, 0.9, 0.98, 0.998])
PAIRS = np.stack(np.meshgrid(RATES, RATES), axis=-1).reshape(-1, 2)
EXAMPLES = 49

Draw = Callable[[np.random.Generator, np.ndarray], np.ndarray]


def coins(rng: np.random.Generator, mean: np.ndarray) -> np.ndarray:
    return rng.random(mean.shape) < mean


def beta(concentration: float) -> Draw:
    def draw(rng: np.random.Generator, mean: np.ndarray) -> np.ndarray:
        return rng.beta(concentration * mean, concentration * (1 - mean))

    return draw


def normal(rng: np.random.Generator, mean: np.ndarray) -> np.ndarray:
    return rng.normal(mean, 0.1 + mean)


def masks(rng: np.random.Generator, models: int, n: int) -> np.ndarray:
    """Balanced masks: each example in exactly 7 of 10 models."""
    return rng.random((models, n)).argsort(axis=0) < round(0.7 * models)


def coverage(
    draw: Draw, method: Any, models: int, repeats: int, seed: int, balanced: bool = False
) -> np.ndarray:
    """Share of the repeats whose interval holds the truth, one a pair of means."""
    rng = np.random.default_rng([seed, models])
    hits = np.zeros(EXAMPLES)
    truth = PAIRS[:, 0] - PAIRS[:, 1]
    for _ in range(repeats):
        if balanced:
            included = masks(rng, models, EXAMPLES)
        else:
            included = rng.random((models, EXAMPLES)) < 0.7
        outcome = draw(rng, np.where(included, PAIRS[:, 0], PAIRS[:, 1]))
        ends = memorization(included, outcome, method=method).confidence_interval
        hits += (ends.low <= truth) & (truth <= ends.high)
    return hits / repeats


# Mean over the 49 pairs of means, and the worst pair: what each claims, at 60 and at 200 models.
CLAIMS: dict[str, tuple[Draw, Any, tuple[float, float], tuple[float, float]]] = {
    "Newcombe": (coins, Newcombe(), (0.95, 0.89), (0.95, 0.91)),
    "Agresti-Caffo": (coins, AgrestiCaffo(), (0.95, 0.92), (0.95, 0.93)),
    "pseudo-counts on 0/1": (coins, PseudoCountWelch(2.0), (0.95, 0.94), (0.95, 0.93)),
    "pseudo-counts, wide": (beta(1.0), PseudoCountWelch(), (0.95, 0.92), (0.95, 0.93)),
    "pseudo-counts, middle": (beta(10.0), PseudoCountWelch(), (0.95, 0.94), (0.95, 0.94)),
    "pseudo-counts, narrow": (beta(100.0), PseudoCountWelch(), (0.95, 0.95), (0.95, 0.95)),
    "normal": (normal, Welch(), (0.95, 0.95), (0.95, 0.95)),
}


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("models", [60, 200])
def test_coverage(claim: str, models: int) -> None:
    draw, method, small, large = CLAIMS[claim]
    repeats = 300
    found = coverage(draw, method, models, repeats, 41)
    mean, worst = small if models == 60 else large
    # 4 standard errors: under 1 false alarm in 30,000 seeds for the mean, in 600 for the worst.
    assert found.mean() >= mean - margin(repeats * EXAMPLES, mean, errors=4)
    assert found.min() >= worst - margin(repeats, worst, errors=4)


@pytest.mark.slow
@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("models", [60, 200, 1000])
def test_coverage_at_full_size(claim: str, models: int) -> None:
    draw, method, small, large = CLAIMS[claim]
    repeats = 2000 if models < 1000 else 500
    found = coverage(draw, method, models, repeats, 43)
    mean, worst = small if models == 60 else large
    # 4 standard errors, as above.
    assert found.mean() >= mean - margin(repeats * EXAMPLES, mean, errors=4)
    assert found.min() >= worst - margin(repeats, worst, errors=4)


def test_exact_intervals_hold_for_each_pair_of_rates() -> None:
    repeats = 500
    found = coverage(coins, ExactDifference(), 40, repeats, 47, balanced=True)
    # 4 standard errors, 49 pairs: under 1 false alarm in 600 seeds.
    assert found.min() >= 1 - limit(repeats, errors=4)


@pytest.mark.parametrize("draw", [coins, beta(1.0)], ids=["0/1", "soft"])
def test_simultaneous_intervals_hold_together(draw: Draw) -> None:
    rng, repeats, missed = np.random.default_rng(53), 50, 0
    p, q = np.repeat(PAIRS, 8, axis=0).T
    for _ in range(repeats):
        included = rng.random((100, p.size)) < 0.7
        result = memorization(included, draw(rng, np.where(included, p, q))).simultaneous(0.8)
        ends = result.confidence_interval
        missed += bool(((ends.low > p - q) | (ends.high < p - q)).any())
    # 3 standard errors above the level: under 1 false alarm in 740 seeds.
    assert missed / repeats <= limit(repeats, 0.2)


def test_far_out_newcombe_fails_and_joint_intervals_hold_counted_exactly() -> None:
    n, m, statements = 140, 60, 1797
    x, y = np.indices((n + 1, m + 1))
    arms = Arms(np.full(x.shape, n), np.full(x.shape, m), x / n, y / m, None, None, "0/1")
    level = 0.05 / statements
    joint, alone = bonferroni(arms, 0.95, statements), Newcombe().limits(arms, 1 - level)
    for p in (*RATES, 1.0):
        for q in (*RATES, 1.0):
            law = stats.binom.pmf(x, n, p) * stats.binom.pmf(y, m, q)
            missed = (joint.low > p - q + 1e-12) | (joint.high < p - q - 1e-12)
            assert law[missed].sum() <= level
    law = stats.binom.pmf(x, n, 0.5) * stats.binom.pmf(y, m, 0.9)
    assert law[(alone.low > -0.4) | (alone.high < -0.4)].sum() > 3 * level
    # What this costs: an eighth of the width.
    assert (joint.high - joint.low).mean() < 1.15 * (alone.high - alone.low).mean()


@pytest.mark.parametrize(
    "draw", [coins, beta(0.5), beta(20.0), normal], ids=["0/1", "wide", "narrow", "unbounded"]
)
def test_pvalues_are_no_smaller_than_uniform_ones(draw: Draw) -> None:
    rng, examples = np.random.default_rng(61), 4000
    for p, q in ((0.5, 0.25), (0.27, 0.02), (0.99, 0.74), (0.9, 0.85)):
        included = masks(rng, 120, examples)
        outcome = draw(rng, np.where(included, p, q) * np.ones(examples))
        pvalue = memorization(included, outcome).exceeding(0.25).pvalue
        for level in (0.001, 0.01, 0.05, 0.2):
            # 4 standard errors, 64 comparisons: under 1 false alarm in 400 seeds.
            assert (pvalue <= level).mean() <= limit(examples, level, errors=4)


@pytest.mark.parametrize("dependence", ["any", "positive"])
def test_false_discoveries_are_few_and_the_memorized_are_found(dependence: Any) -> None:
    rng, repeats = np.random.default_rng(67), 30
    without = np.concatenate([np.full(60, 0.15), np.full(540, 0.74)])
    shares: list[float] = []
    power: list[float] = []
    for _ in range(repeats):
        included = rng.random((300, 600)) < 0.7
        right = coins(rng, np.where(included, 0.99, without))
        listed = memorization(included, right).exceeding(0.25, dependence=dependence).exceeds
        shares.append(listed[60:].sum() / max(listed.sum(), 1))
        power.append(listed[:60].mean())
    # The level is 0.05 of those listed and the nulls are nine tenths; shares vary by about 0.03.
    assert np.mean(shares) <= 0.05
    assert np.mean(power) > 0.99


SETS = {
    "one, near the edge": (1, 0.99, 0.9),
    "memorized": (60, 0.95, 0.1),
    "hardly": (20, 0.999, 0.99),
    "mixed": (60, 0.97, np.linspace(0.1, 0.97, 60)),
}


def set_misses(name: str, load: float, models: int, repeats: int, seed: int) -> tuple[float, float]:
    """Shares of repeats whose intervals of the mean and of the count miss.

    ``load`` is the part of the models' quality that all members share.
    """
    size, p, q = SETS[name]
    rng = np.random.default_rng([seed, models])
    p, q = np.broadcast_to(p, size), np.broadcast_to(q, size)
    truth, count = (p - q).mean(), int(((p - q) > 0.25).sum())
    missed = miscounted = 0
    for _ in range(repeats):
        included = rng.random((models, size)) < 0.7
        shared = np.sqrt(load) * rng.normal(size=(models, 1))
        quality = shared + np.sqrt(1 - load) * rng.normal(size=(models, size))
        right = stats.norm.cdf(quality) < np.where(included, p, q)
        result = set_memorization(included, right, np.arange(size))
        ends, span = result.confidence_interval, result.count_interval
        missed += not ends.low <= truth <= ends.high
        miscounted += not span.low <= count <= span.high
    return missed / repeats, miscounted / repeats


@pytest.mark.parametrize("name", SETS)
def test_set_intervals_hold_though_members_err_together(name: str) -> None:
    repeats = 100
    missed, miscounted = set_misses(name, 1.0, 100, repeats, 71)
    # The level and 0.01 for the approximation; 3.5 standard errors, 8 numbers: under 1 false alarm
    # in 500 seeds.
    assert missed <= limit(repeats, 0.06, errors=3.5)
    assert miscounted <= limit(repeats, 0.05, errors=3.5)


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("load", [0.0, 0.5, 1.0])
def test_set_intervals_at_full_size(name: str, load: float) -> None:
    for models, repeats in ((60, 500), (200, 500), (1000, 200)):
        missed, miscounted = set_misses(name, load, models, repeats, 73)
        # As above; 72 numbers: under 1 false alarm in 50 seeds.
        assert missed <= limit(repeats, 0.06, errors=3.5)
        assert miscounted <= limit(repeats, 0.05, errors=3.5)


def test_an_interval_from_the_spread_over_members_would_miss() -> None:
    rng, repeats, missed, by_members = np.random.default_rng(79), 100, 0, 0
    for _ in range(repeats):
        included = rng.random((100, 80)) < 0.7
        # One quality a model for all members, so that members err together.
        right = rng.random((100, 1)) < np.where(included, 0.8, 0.4)
        result = set_memorization(included, right, np.arange(80))
        ends = result.confidence_interval
        missed += not ends.low <= 0.4 <= ends.high
        each = memorization(included, right).estimate
        by_members += abs(each.mean() - 0.4) > 1.96 * each.std(ddof=1) / np.sqrt(80)
    # 3 standard errors above the level: under 1 false alarm in 740 seeds.
    assert missed / repeats <= limit(repeats)
    assert by_members / repeats > 0.3


def test_blocks_on_groups_hold() -> None:
    rng, repeats, missed = np.random.default_rng(83), 200, np.zeros((3, 2))
    truth = np.array([[0.4, 0.0], [0.0, 0.2], [0.0, 0.0]])
    for _ in range(repeats):
        included = rng.random((150, 3)) < 0.5
        quality = rng.normal(size=(150, 1, 1)) * 0.7 + rng.normal(size=(150, 2, 30)) * 0.7
        chance = 0.3 + 0.4 * included[:, :1] * [1, 0] + 0.2 * included[:, 1:2] * [0, 1]
        right = stats.norm.cdf(quality / np.hypot(0.7, 0.7)) < chance[:, :, None]
        ends = cross_influence(included, right.mean(axis=2)).confidence_interval
        missed += (ends.low > truth) | (ends.high < truth)
    # 4 standard errors, six numbers: under 1 false alarm in 5,000 seeds.
    assert (missed / repeats <= limit(repeats, errors=4)).all()


@pytest.mark.parametrize(
    ("half_width", "inclusion", "rate_in", "rate_out"),
    [
        (0.05, 0.7, 0.5, 0.5),
        (0.05, 0.7, 0.99, 0.9),
        (0.08, 0.5, 0.95, 0.1),
        (0.03, 0.7, 1.0, 0.999),
        (0.1, 0.9, 0.0, 0.5),
    ],
)
def test_models_needed_is_what_newcombe_takes(
    half_width: float, inclusion: float, rate_in: float, rate_out: float
) -> None:
    models = models_needed(half_width, inclusion=inclusion, rate_in=rate_in, rate_out=rate_out)
    rng = np.random.default_rng(89)

    def realised(count: int) -> float:
        included = rng.random((count, 400)) < inclusion
        right = coins(rng, np.where(included, rate_in, rate_out))
        ends = memorization(included, right).confidence_interval
        return float((ends.high - ends.low).mean()) / 2

    # Widths vary from example to example by at most a fifth: 4 standard errors are 0.04 of one.
    assert 0.95 * half_width <= realised(models) <= 1.04 * half_width
    assert realised(models // 2) > 1.2 * half_width
