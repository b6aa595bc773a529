from fractions import Fraction
from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from estimators.exact._noncrossing import crossing, noncrossing
from tests.estimators.pairs import margin


def steck(low: np.ndarray, high: np.ndarray) -> float:
    """Steck (1971): n! times the determinant of powers of the boundaries' differences."""
    n = low.size
    matrix = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            power = j - i + 1
            if power >= 0:
                matrix[i, j] = max(high[i] - low[j], 0.0) ** power / factorial(power)
    return factorial(n) * float(np.linalg.det(matrix))


@given(st.lists(st.floats(0, 1), min_size=2, max_size=14), st.randoms(use_true_random=False))
@settings(derandomize=True, max_examples=60, deadline=None)
def test_agrees_with_the_determinant_on_few_points(values: list[float], random: object) -> None:
    half = len(values) // 2
    low, high = np.sort(values[:half]), np.sort(values[half : 2 * half])
    assert noncrossing(low, high) == pytest.approx(max(steck(low, high), 0.0), abs=1e-9)


@pytest.mark.parametrize("n", [1, 5, 50, 140])
@pytest.mark.parametrize("root", [0.6, 1.0, 1.36, 2.0])
def test_agrees_with_the_laws_of_kolmogorov_and_smirnov(n: int, root: float) -> None:
    ranks, d = np.arange(1, n + 1), root / np.sqrt(n)
    if d >= 1:
        return
    low, high = np.clip(ranks / n - d, 0, 1), np.clip((ranks - 1) / n + d, 0, 1)
    assert noncrossing(low, high) == pytest.approx(stats.kstwo.cdf(d, n), abs=1e-11)
    assert noncrossing(low, np.ones(n)) == pytest.approx(stats.ksone.cdf(d, n), abs=1e-11)
    assert noncrossing(np.zeros(n), high) == pytest.approx(stats.ksone.cdf(d, n), abs=1e-11)


def test_agrees_with_simulation() -> None:
    n, repeats = 40, 40_000
    ranks = np.arange(1, n + 1)
    low = stats.beta.ppf(0.004, ranks, n + 1 - ranks)
    high = stats.beta.ppf(0.99, ranks, n + 1 - ranks)
    draws = np.sort(np.random.default_rng(7).random((repeats, n)), axis=1)
    share = ((draws >= low) & (draws <= high)).all(axis=1).mean()
    exact = noncrossing(low, high)
    # 4 standard errors: a false alarm in 16,000 seeds.
    assert abs(share - exact) < margin(repeats, exact, errors=4)


def exact_crossing(low: np.ndarray, high: np.ndarray) -> Fraction:
    """One less Steck's determinant, in fractions: no digit is lost."""
    n = low.size
    held = [Fraction(1)]
    # Expansion of the determinant, whose matrix has ones just below the diagonal.
    for size in range(1, n + 1):
        total = Fraction(0)
        for i in range(size):
            gap = max(Fraction(high[i]) - Fraction(low[size - 1]), Fraction(0))
            power = size - i
            total += (-1) ** (power + 1) * held[i] * gap**power / factorial(power)
        held.append(total)
    return 1 - factorial(n) * held[n]


@pytest.mark.parametrize("n", [1, 2, 7, 20])
@pytest.mark.parametrize("local", [1e-2, 1e-9, 1e-15, 1e-20])
def test_small_chances_to_cross_keep_their_digits(n: int, local: float) -> None:
    ranks = np.arange(1, n + 1)
    low = stats.beta.ppf(local, ranks, n + 1 - ranks)
    high = 1.0 - low[::-1]
    exact = float(exact_crossing(low, high))
    assert crossing(low, high) == pytest.approx(exact, rel=1e-12)
    assert crossing(low, np.ones(n)) == pytest.approx(
        float(exact_crossing(low, np.ones(n))), rel=1e-12
    )


@pytest.mark.parametrize("n", [60, 400])
def test_the_chances_to_cross_and_to_hold_sum_to_one(n: int) -> None:
    ranks = np.arange(1, n + 1)
    for local in (0.2, 1e-2, 1e-4):
        low = stats.beta.ppf(local, ranks, n + 1 - ranks)
        high = stats.beta.ppf(1.0 - local / 3.0, ranks, n + 1 - ranks)
        assert noncrossing(low, high) + crossing(low, high) == pytest.approx(1.0, abs=1e-11)
    assert crossing(np.full(3, 0.6), np.full(3, 0.4)) == 1.0


def test_ends() -> None:
    assert noncrossing(np.zeros(30), np.ones(30)) == pytest.approx(1.0, abs=1e-12)
    assert noncrossing(np.full(3, 0.6), np.full(3, 0.4)) == 0.0
    assert noncrossing(np.full(3, 0.4), np.full(3, 0.6)) == pytest.approx(0.2**3, rel=1e-12)
    assert noncrossing(np.full(200, 0.4), np.full(200, 0.4000001)) < 1e-300


@pytest.mark.parametrize(
    ("low", "high", "message"),
    [
        ([], [], "expected at least one boundary"),
        ([0.3, 0.2], [0.5, 0.6], "low: expected non-decreasing"),
        ([0.1, 0.2], [0.5, 1.6], "high: expected non-decreasing"),
    ],
)
def test_refuses_what_are_no_boundaries(low: list, high: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        noncrossing(np.array(low), np.array(high))
