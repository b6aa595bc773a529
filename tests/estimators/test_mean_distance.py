"""Distance of means: a slow twin, no bias at a perfect match, and what it says of odd samples."""

from typing import Any

import numpy as np
import pytest

import estimators
from estimators import mean_distance


def normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def twin(p: np.ndarray, q: np.ndarray, seed: int) -> float:
    """All pairs one by one, and the covariance inverted."""
    rng = np.random.default_rng(seed)
    halves = [np.array_split(s[rng.permutation(len(s))], 2) for s in (p, q)]
    found: list[float] = []
    for place in (0, 1):
        (a, b), (x, y) = ([half[k] for half in halves] for k in (place, 1 - place))
        degrees = len(a) + len(b) - 2
        pooled = ((len(a) - 1) * np.cov(a.T) + (len(b) - 1) * np.cov(b.T)) / degrees
        inverse = np.linalg.inv(
            pooled + 0.05 * np.trace(pooled) / len(pooled) * np.eye(len(pooled))
        )
        products = [
            (x[i] - y[k]) @ inverse @ (x[j] - y[m])
            for i in range(len(x)) for j in range(len(x)) if i != j
            for k in range(len(y)) for m in range(len(y)) if k != m
        ]  # fmt: skip
        found.append(float(np.mean(products)))
    return float(np.mean(found))


@pytest.mark.parametrize(("n", "m", "d"), [(9, 12, 3), (9, 8, 40), (4, 5, 2)])
def test_slow_twin(n: int, m: int, d: int) -> None:
    p, q = normal(1, n, d) + 0.7, normal(2, m, d) * np.arange(1, d + 1)
    found = mean_distance(p, q, seed=5)
    assert found.squared == pytest.approx(twin(p, q, 5), rel=1e-9)
    assert found.estimate == pytest.approx(np.sign(found.squared) * abs(found.squared) ** 0.5)
    assert (found.n_p, found.n_q) == (n, m)


# A mean is off by more than 3 standard errors in .0027 of cells.
@pytest.mark.parametrize(
    ("models", "observables"),
    [(32, 30), (128, 30), (32, 300), pytest.param(128, 300, marks=pytest.mark.slow)],
)
def test_squares_of_perfect_matches_have_mean_0(models: int, observables: int) -> None:
    rng = np.random.default_rng(11)
    squares = np.array(
        [
            mean_distance(*rng.normal(size=(2, models, observables)), seed=k).squared
            for k in range(200)
        ]
    )
    assert abs(squares.mean()) < 3.0 * squares.std(ddof=1) / np.sqrt(squares.size)
    # That would show a bias: with covariance and means of the same models it is over 5 of them.
    p, q = rng.normal(size=(2, models, observables))
    apart = p.mean(axis=0) - q.mean(axis=0)
    pooled = (np.cov(p.T) + np.cov(q.T)) / 2.0
    same = apart @ np.linalg.solve(pooled + 0.05 * np.eye(observables), apart)
    assert same > 5.0 * squares.std(ddof=1) / np.sqrt(squares.size)


def test_squares_of_unequal_sizes_and_spreads_have_mean_0() -> None:
    rng = np.random.default_rng(12)
    squares = np.array(
        [
            mean_distance(
                rng.exponential(size=(20, 5)) * [1, 2, 3, 4, 50], rng.normal(1.0, 0.2, (41, 5)) *
                [1, 2, 3, 4, 50], seed=k,
            ).squared
            for k in range(1000)
        ]
    )  # fmt: skip
    assert abs(squares.mean()) < 3.0 * squares.std(ddof=1) / np.sqrt(squares.size)


def test_many_models_find_the_distance_but_for_the_ridge() -> None:
    p, q = normal(3, 20_000, 6), normal(4, 20_000, 6)
    p[:, 0] += 3.0
    found = mean_distance(p, q, seed=0).estimate
    # Less than the truth by the ridge: 3 / sqrt(1.05) = 2.928, with a standard error of .01.
    assert found == pytest.approx(3.0 / np.sqrt(1.05), abs=0.04)


def test_equal_means_with_other_spreads_are_no_distance() -> None:
    p, q = normal(5, 5000, 3) * 4.0, normal(6, 5000, 3)
    assert abs(mean_distance(p, q, seed=0).squared) < 0.01


def test_units_places_and_directions_do_not_matter() -> None:
    p, q = normal(7, 30, 4) + 0.5, normal(8, 25, 4)
    turned = np.linalg.qr(normal(9, 4, 4))[0]
    want = mean_distance(p, q, seed=3).squared
    for change in (lambda s: s * -7.0, lambda s: s + 100.0, lambda s: s @ turned):
        assert mean_distance(change(p), change(q), seed=3).squared == pytest.approx(want)
    shaped = mean_distance(p.reshape(30, 2, 2), q.reshape(25, 2, 2), seed=3)
    assert shaped.squared == want
    assert mean_distance(p, q, seed=4).squared != want
    assert mean_distance(p, q, seed=3).squared == want


@pytest.mark.parametrize("scale", [1e300, 1e-300, 1e-310])
def test_huge_and_tiny_values(scale: float) -> None:
    p, q = normal(7, 30, 4) + 0.5, normal(8, 25, 4)
    want = mean_distance(p, q, seed=3).squared
    assert mean_distance(p * scale, q * scale, seed=3).squared == pytest.approx(want, rel=1e-6)


def test_columns_that_do_not_vary() -> None:
    p, q = normal(7, 30, 2), normal(8, 25, 2)
    same = [np.column_stack([sample, np.full(len(sample), 0.1)]) for sample in (p, q)]
    # Two columns of three vary: the ridge is of two thirds of the variance.
    assert mean_distance(*same, seed=3).squared == pytest.approx(
        mean_distance(p, q, seed=3).squared, rel=0.05
    )
    same[1][:, 2] = 0.1 + 3.0
    assert mean_distance(*same, seed=3).estimate > 10.0
    flat = mean_distance(np.full((8, 2), 0.1), np.full((9, 2), 0.3), seed=3)
    assert np.isnan(flat.estimate)
    assert np.isnan(flat.squared)
    assert "do not differ" in flat.warnings[0]
    assert "undetermined" in str(flat)


def test_copies_read_as_nearer_than_independent_models_can_be() -> None:
    p = normal(7, 400, 5)
    assert mean_distance(p, p, seed=0).squared < mean_distance(p, normal(8, 400, 5), seed=0).squared


def test_result_is_a_table() -> None:
    found = mean_distance(normal(1, 40, 3), normal(2, 40, 3) + 1.0, seed=0)
    assert list(found.to_dataframe().columns) == ["mean_distance", "squared"]
    assert "40 models of P against 40 of Q" in str(found)
    assert isinstance(found, estimators.MeanDistance)


@pytest.mark.parametrize(
    ("p", "q", "seed", "message"),
    [
        (np.zeros((2, 3)), np.zeros((9, 3)), 0, "p: expected at least 4 models, found 2"),
        (np.zeros((9, 3)), np.zeros((3, 3)), 0, "q: expected at least 4 models, found 3"),
        (np.zeros((9, 3)), np.zeros((9, 2)), 0, "expected the same observables"),
        (np.zeros((9, 0)), np.zeros((9, 0)), 0, "expected at least one observable, found none"),
        (np.full((9, 3), np.nan), np.zeros((9, 3)), 0, "p: expected finite numbers, found nan"),
        (np.zeros((9, 3)), np.full((9, 3), np.inf), 0, "q: expected finite numbers, found inf"),
        (np.zeros((9, 3)), np.zeros((9, 3)), -1, "seed: expected an integer"),
    ],
)
def test_refusals(p: Any, q: Any, seed: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mean_distance(p, q, seed=seed)
