from itertools import combinations, product

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from estimators.scores._subset_guessing import guess_overlaps, subset_guessing_epsilon
from tests.estimators.pairs import limit


def test_two_batches_are_clopper_and_pearson() -> None:
    overlaps = np.repeat([1, 0], [47, 13])
    share = proportion_confint(47, 60, alpha=0.1, method="beta")[0]
    found = subset_guessing_epsilon(overlaps, batches=2)
    assert found.bound == pytest.approx(np.log(share / (1 - share)), abs=1e-6)


def plain_published(total: int, runs: int, ways: list[int]) -> float:
    """Epsilon at delta 0 from the exact number of guess sequences: more than Chernoff's."""
    sequences = 0
    for overlaps in product(range(len(ways)), repeat=runs):
        if sum(overlaps) >= total:
            sequences += int(np.prod([ways[k] for k in overlaps]))
    share = (0.05 / sequences) ** (1 / runs)
    return max(0.0, float(np.log((sum(ways) - 1) * share / (1 - share))))


def test_published_bound_is_below_ours() -> None:
    for ways, batches in (([1, 1], 2), ([1, 4, 1], 4), ([1, 9, 9, 1], 6)):
        for total in (6 * (batches // 2), 6 * (batches // 2) - 1):
            overlaps = np.full(6, batches // 2)
            overlaps[0] -= 6 * (batches // 2) - total
            found = subset_guessing_epsilon(overlaps, batches=batches)
            exact = plain_published(total, 6, ways)
            assert found.published <= exact + 1e-9
            assert exact <= found.bound + 1e-9
            assert found.published > 0.8 * exact - 0.3


def mechanism(
    rng: np.random.Generator, batches: int, epsilon: float, delta: float, runs: int
) -> np.ndarray:
    """With chance delta reveal the half, else answer with odds e^epsilon for the right one."""
    subsets = [frozenset(c) for c in combinations(range(batches), batches // 2)]
    z = len(subsets)
    right = rng.random(runs) < np.exp(epsilon) / (np.exp(epsilon) + z - 1)
    right |= rng.random(runs) < delta
    found = np.empty(runs, dtype=np.int64)
    for i in range(runs):
        truth = int(rng.integers(z))
        others = [s for k, s in enumerate(subsets) if k != truth]
        guess = subsets[truth] if right[i] else others[rng.integers(z - 1)]
        found[i] = len(guess & subsets[truth])
    return found


@pytest.mark.parametrize(("batches", "epsilon", "delta"), [(2, 1.0, 0.0), (4, 1.5, 0.05)])
def test_coverage_on_the_mechanism_that_attains_it(
    batches: int, epsilon: float, delta: float
) -> None:
    rng = np.random.default_rng(3)
    repeats = 200
    bounds = np.array(
        [
            subset_guessing_epsilon(
                mechanism(rng, batches, epsilon, delta, 40), batches=batches, delta=delta
            ).bound
            for _ in range(repeats)
        ]
    )
    # 3 standard errors above the level: under 1 false alarm in 740 seeds.
    assert (bounds > epsilon).mean() <= limit(repeats)
    assert np.median(bounds) > 0.2


def test_all_of_delta_counts_not_a_share_of_it() -> None:
    # Delta alone: revealed with chance 0.4, else nothing. Were (Z - 1) delta / Z charged, nearly
    # every data set would show a positive epsilon although epsilon is 0.
    rng = np.random.default_rng(5)
    runs, delta, z = 400, 0.4, 2
    bounds, short = [], []
    for _ in range(60):
        overlaps = mechanism(rng, 2, 0.0, delta, runs)
        bounds.append(float(subset_guessing_epsilon(overlaps, batches=2, delta=delta).bound))
        share = proportion_confint(overlaps.sum(), runs, alpha=0.1, method="beta")[0]
        odds = (z - 1) * (share - delta / z) / (1 - share)
        short.append(odds > 1)
    # At 5 % of failures, 10 or more of 60 have probability 0.001.
    assert (np.array(bounds) > 0).sum() < 10
    assert np.mean(short) > 0.9


def runs_of(
    rng: np.random.Generator, halves: list[tuple[int, ...]], repeats: int, shift: float
) -> tuple[np.ndarray, np.ndarray]:
    gone = np.zeros((repeats * len(halves), 4), dtype=bool)
    for i in range(len(gone)):
        gone[i, list(halves[i % len(halves)])] = True
    points = np.repeat(gone, 3, axis=1)
    return rng.normal(size=points.shape) - shift * points, gone


def test_guesses_find_the_half_that_was_forgotten_differently() -> None:
    rng = np.random.default_rng(7)
    halves = list(combinations(range(4), 2))
    extra, extra_gone = runs_of(rng, halves, 20, 3.0)
    observed, gone = runs_of(rng, halves, 10, 3.0)
    overlaps = guess_overlaps(observed, gone, extra, extra_gone)
    assert overlaps.mean() > 1.9
    found = subset_guessing_epsilon(overlaps, batches=4)
    assert found.bound > 2
    same = guess_overlaps(*runs_of(rng, halves, 10, 0.0), *runs_of(rng, halves, 20, 0.0))
    # Chance: each guess shares one batch with the truth on the average, with variance 1/3.
    assert abs(same.mean() - 1) < 4 * np.sqrt(1 / 3 / 60)
    assert subset_guessing_epsilon(same, batches=4).bound < 0.5


def test_table_and_too_few_runs() -> None:
    found = subset_guessing_epsilon(np.full(30, 2), batches=4, delta=0.01)
    assert "epsilon at delta = 0.01" in str(found)
    assert found.confidence_interval.low == found.bound
    # Of two batches, all right in four runs of four is not yet improbable at epsilon 0.
    few = subset_guessing_epsilon(np.array([0, 1, 1, 1]), batches=2)
    assert few.undetermined
    assert "undetermined" in str(few)
    assert not subset_guessing_epsilon(np.array([0, 1, 1, 1, 1]), batches=2).undetermined


def test_refuses_bad_input() -> None:
    with pytest.raises(ValueError, match="batches: expected an even number from 2 to 20, found 3"):
        subset_guessing_epsilon(np.ones(3, dtype=int), batches=3)
    with pytest.raises(ValueError, match="overlaps: expected numbers from 0 to 1"):
        subset_guessing_epsilon(np.array([2]), batches=2)
    gone = np.array([[True, False]] * 4)
    points = np.zeros((4, 1))
    with pytest.raises(ValueError, match="expected every half at least twice"):
        guess_overlaps(points, gone, points, gone)
    with pytest.raises(ValueError, match="forgotten: expected half of the batches in each run"):
        guess_overlaps(points, gone | True, points, gone)
    with pytest.raises(ValueError, match="expected the same points"):
        guess_overlaps(points, gone, np.zeros((4, 2)), gone)
