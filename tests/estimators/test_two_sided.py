"""The two-sided score that the pilot of the default lower bound may add."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from estimators.lower import _rank_grid
from estimators.lower._bounds import delta_lower_bound, epsilon_lower_bound
from estimators.lower._pilot import fold_centre, fold_levels, folded, levels, orientation
from estimators.lower._rank_grid import FOLD_SHARES, UP_SHARES, RankGrid, grid_bounds
from estimators.lower._rank_scan import count_beyond, scan
from estimators.lower._rank_test import Direction
from estimators.lower._target import DeltaAt, EpsilonAt, Target
from tests.estimators.pairs import (
    Draw,
    Pair,
    discrete,
    laplace,
    least_favourable,
    limit,
    normal,
    randomised_response,
    rounded,
    scale,
    shift,
)

NO_FOLDS = (0.0, 0.0, 0.0)


def bounds(pair: Pair, sizes: tuple[int, int], repeats: int, seed: int, target: Target):
    """Default bounds at 95 % on the greater direction alone: ``[numbers, repeats]``."""
    rng = np.random.default_rng([seed, *sizes])
    p, q = pair.p(rng, (sizes[0], repeats)), pair.q(rng, (sizes[1], repeats))
    return RankGrid().either(p, q, target, 0.05)


def violated(pair: Pair, sizes: tuple[int, int], repeats: int, seed: int, target: Target) -> float:
    """Share of the repeats in which a bound lies above the truth, the worst of the numbers."""
    found = bounds(pair, sizes, repeats, seed, target)
    return float((found > pair.truth(target)[:, None] + 1e-12).mean(axis=1).max())


def on_both_sides(draw: Draw, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Values from -1 to 0, moved to 1 and beyond, each with a sign of its own."""
    return (draw(rng, shape) + 2.0) * rng.choice([-1.0, 1.0], shape)


def far_or_near() -> Pair:
    """Five values, far from the middle more often under P."""
    return discrete("five values", (0.2, 0.15, 0.3, 0.15, 0.2), (0.05, 0.15, 0.6, 0.15, 0.05))


PAIRS = (
    Pair("identical", normal(0.0), normal(0.0), lambda e: 0.0),
    Pair("identical with ties", far_or_near().p, far_or_near().p, lambda e: 0.0),
    scale(),
    scale().swapped(),
    far_or_near(),
)


# 45 comparisons, each with a false alarm in 700 seeds at exactly the level.
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
@pytest.mark.parametrize("sizes", [(30, 30), (60, 200), (1000, 1000)])
def test_bounds_exceed_the_truth_no_more_often_than_the_level(
    pair: Pair, sizes: tuple[int, int]
) -> None:
    repeats = 150 if sum(sizes) > 1000 else 300
    for target in (DeltaAt(np.array([0.0, 0.5])), EpsilonAt(0.1)):
        assert violated(pair, sizes, repeats, 51, target) <= limit(repeats)


@pytest.mark.parametrize("direction", ["forward", "either"])
def test_given_a_pilot_the_level_holds_where_every_distance_is_at_the_bound(
    direction: Direction, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The pilot is fixed: its centre is 0, its share of the level 0.7. All other models are drawn.
    pair, repeats, n = least_favourable(0.5, 0.15), 1000, 300
    rng, wide = np.random.default_rng(52), np.array([-2.3, -2.0, -1.7, 1.8, 2.05, 2.15])
    pilots = (np.tile(values[:, None], repeats) for values in (wide, wide / 2.0))
    drawn = (on_both_sides(draw, rng, (n, repeats)) for draw in (pair.p, pair.q))
    p, q = (np.concatenate(both) for both in zip(pilots, drawn, strict=True))

    def violated() -> float:
        (found,) = grid_bounds(p, q, (6, 6), DeltaAt(0.5), ((direction, 0.05),))
        return float((found > pair.delta(0.5)).mean())

    # It fails at 0.7 of the level or less.
    assert violated() <= limit(repeats, 0.035)
    # Five times the level instead, a quarter: the simulation must find it.
    monkeypatch.setattr(_rank_grid, "FOLD_SHARES", (0.0, 0.0, 5.0))
    bounds_of = _rank_grid._bounds_of

    def with_a_level(*given: Any) -> Any:
        pilots, counted, share, target, asked = given
        return bounds_of(pilots, counted, np.where(share < 0.0, 1.0, share), target, asked)

    monkeypatch.setattr(_rank_grid, "_bounds_of", with_a_level)
    assert violated() > limit(repeats)


def test_each_direction_of_a_two_sided_difference_is_bounded_by_its_own_truth() -> None:
    rng, pair, repeats = np.random.default_rng(53), far_or_near(), 150
    p, q = pair.p(rng, (1000, repeats)), pair.q(rng, (1000, repeats))
    p, q = p + 0.3 * rng.random(p.shape), q + 0.3 * rng.random(q.shape)
    found, c = delta_lower_bound(p, q, epsilon=0.3), np.exp(0.3)
    # Two comparisons at three standard errors: a false alarm in 350 seeds.
    assert (found.forward > 0.4 - 0.1 * c).mean() <= limit(repeats, 0.025)
    assert (found.backward > 0.6 - 0.3 * c).mean() <= limit(repeats, 0.025)
    # Half-lines hold no more than this of the one, and nothing of the other.
    assert np.median(found.forward) > 0.2 - 0.05 * c
    assert np.median(found.backward) > 0.03


@pytest.mark.parametrize("pair", [scale(), scale().swapped()], ids=lambda pair: pair.name)
def test_a_change_of_scale_is_bounded_by_at_least_half_of_the_truth(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes, target, truth = (1000, 1000), EpsilonAt(0.1), pair.epsilon(0.1)
    assert 0.5 <= np.median(bounds(pair, sizes, 300, 54, target)) / truth < 1.0
    monkeypatch.setattr(_rank_grid, "FOLD_SHARES", NO_FOLDS)
    assert np.median(bounds(pair, sizes, 300, 54, target)) / truth < 0.2


def test_a_two_sided_difference_of_discrete_values_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = far_or_near()
    truth = pair.delta(0.0)
    assert np.median(bounds(pair, (400, 400), 200, 55, DeltaAt(0.0))) > 0.6 * truth
    monkeypatch.setattr(_rank_grid, "FOLD_SHARES", NO_FOLDS)
    assert np.median(bounds(pair, (400, 400), 200, 55, DeltaAt(0.0))) < 0.4 * truth


@pytest.mark.parametrize(
    "pair",
    [shift(0.5), shift(1.0), laplace(), rounded(), randomised_response()],
    ids=lambda pair: pair.name,
)
@pytest.mark.parametrize("sizes", [(100, 100), (60, 200), (1000, 1000)])
def test_a_change_of_place_loses_at_most_a_hundredth(
    pair: Pair, sizes: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def means() -> np.ndarray:
        targets: tuple[Target, ...] = (DeltaAt(np.array([0.0, 0.5, 1.0])), EpsilonAt(0.1))
        found = [bounds(pair, sizes, 300, 56, target) for target in targets]
        return np.concatenate(found).mean(axis=1)

    now = means()
    monkeypatch.setattr(_rank_grid, "FOLD_SHARES", NO_FOLDS)
    assert (now >= means() - 0.01).all()


@dataclass(frozen=True)
class Sides:
    """A pilot and the models that are counted, of one observable."""

    pilot_p: np.ndarray
    pilot_q: np.ndarray
    p: np.ndarray
    q: np.ndarray


def sides(deviation: float, seed: int) -> Sides:
    rng = np.random.default_rng(seed)
    drawn = [(12, deviation), (10, 1.0), (150, deviation), (120, 1.0)]
    return Sides(*(rng.normal(0.0, sd, (size, 1)) for size, sd in drawn))


@pytest.mark.parametrize(("deviation", "kind"), [(1.0, 0), (2.0, 1), (4.0, 2)])
@pytest.mark.parametrize("direction", ["forward", "backward", "either"])
@pytest.mark.parametrize("target", [DeltaAt(0.2), EpsilonAt(0.05)])
def test_the_greater_of_two_bounds_counts_whose_levels_add_up(
    deviation: float, kind: int, direction: Direction, target: Target
) -> None:
    s = sides(deviation, 57 + kind)
    centre = fold_centre(s.pilot_p, s.pilot_q)
    place = orientation(s.pilot_p, s.pilot_q)
    far = orientation(abs(s.pilot_p - centre), abs(s.pilot_q - centre))
    assert fold_levels(place, far).tolist() == [kind]
    expected = 0.0
    for values, score, level in (
        (lambda x: x, place, 0.05 * (1.0 - FOLD_SHARES[kind])),
        (lambda x: abs(x - centre), far, 0.05 * FOLD_SHARES[kind]),
    ):
        if level == 0.0:
            continue
        up = UP_SHARES[int(levels(score)[0])]
        counts = count_beyond(values(s.p), values(s.q))
        if direction == "backward":
            bound = scan(counts.swapped(), target, "forward", 1.0 - up, level)
        else:
            bound = scan(counts, target, direction, up, level)
        expected = max(expected, float(bound[0]))
    p, q = np.concatenate([s.pilot_p, s.p]), np.concatenate([s.pilot_q, s.q])
    (found,) = grid_bounds(p, q, (12, 10), target, ((direction, 0.05),))
    assert found[0, 0] == pytest.approx(expected, abs=1e-12)


def test_exchanging_the_samples_exchanges_the_directions() -> None:
    rng = np.random.default_rng(60)
    p, q = rng.normal(0.0, 2.5, (180, 6)), rng.normal(0.2, 1.0, (120, 6))
    one, two = delta_lower_bound(p, q, epsilon=0.2), delta_lower_bound(q, p, epsilon=0.2)
    assert np.median(one.bound) > 0.1
    np.testing.assert_allclose(one.bound, two.bound, atol=1e-4)
    np.testing.assert_allclose(one.forward, two.backward, atol=1e-4)
    one, two = epsilon_lower_bound(p, q, delta=0.05), epsilon_lower_bound(q, p, delta=0.05)
    np.testing.assert_allclose(one.bound, two.bound, atol=1e-4)


@pytest.mark.parametrize("step", [0.0, 1.0], ids=["continuous", "ties"])
def test_the_share_of_distances_is_the_same_with_the_samples_exchanged(step: float) -> None:
    rng = np.random.default_rng(64)
    p, q = rng.normal(0.0, 2.0, (11, 500)), rng.normal(0.2, 1.0, (9, 500))
    if step:
        p, q = np.rint(p), np.rint(q)
    found: list[np.ndarray] = []
    for ours, theirs in ((p, q), (q, p)):
        centre = fold_centre(ours, theirs)
        far = orientation(folded(ours, centre), folded(theirs, centre))
        found.append(fold_levels(orientation(ours, theirs), far))
    assert np.array_equal(found[0], found[1])
    assert set(found[0].tolist()) == {0, 1, 2}


def test_sides_of_under_thirty_models_have_no_pilot_and_no_two_sided_score() -> None:
    rng = np.random.default_rng(61)
    p, q = rng.normal(0.0, 5.0, (200, 6)), rng.normal(0.0, 1.0, (29, 6))
    found = delta_lower_bound(p, q, epsilon=0.0)
    alone = delta_lower_bound(p, q, epsilon=0.0, method=RankGrid(pilot=0.0))
    assert np.array_equal(found.bound, alone.bound)


@pytest.mark.parametrize(("n", "m"), [(30, 30), (90, 40)])
def test_reach_is_not_passed_by_samples_that_differ_on_both_sides(n: int, m: int) -> None:
    grid = np.array([0.0, 0.2, 1.0, 2.5])
    reach = RankGrid().reach(n, m, grid, 0.95)
    for spread in (0.0, 1.0):
        p = np.where(np.arange(n) % 2, 1.0, -1.0)[:, None] * (3.0 + spread * np.linspace(0, 1, n))
        q = spread * np.linspace(-1.0, 1.0, m)
        for first, second, sizes in ((p[0], q, (n, m)), (q, p[0], (m, n))):
            found = delta_lower_bound(first, second, epsilon=grid).bound
            assert (found <= RankGrid().reach(*sizes, grid, 0.95) + 1e-9).all()
    for seed in (None, 1, 2):
        assert np.array_equal(RankGrid(seed=seed).reach(n, m, grid, 0.95), reach)


def test_centre_lies_within_the_narrow_side_and_bears_extreme_values() -> None:
    rng = np.random.default_rng(62)
    p, q = rng.normal(1.0, 10.0, (25, 400)), rng.normal(0.0, 1.0, (25, 400))
    centre = fold_centre(p, q)
    # Its standard error is 0.2, and the wide side draws it by 0.01.
    assert abs(centre.mean()) < 0.05
    assert centre.std() < 0.25
    assert np.array_equal(centre, fold_centre(q, p))
    np.testing.assert_allclose(fold_centre(1e300 * p, 1e300 * q), 1e300 * centre)
    np.testing.assert_allclose(fold_centre(1e-290 * p, 1e-290 * q), 1e-290 * centre)
    one, three = np.full((4, 1), 1.0), np.full((4, 1), 3.0)
    assert fold_centre(one, three)[0] == 2.0
    assert fold_centre(0.0 * one, 0.0 * one)[0] == 0.0
    assert folded(np.array([[-1.5e308], [1.0]]), np.array([1.5e308]))[0, 0] == np.inf


def test_evidence_of_scale_must_surpass_that_of_place() -> None:
    place = np.array([0.0, 0.0, 0.0, 1.2, -1.2, 2.0, 2.0, 0.3])
    far = np.array([0.9, -1.1, 2.0, 1.3, 2.6, 2.1, -3.6, 0.0])
    assert fold_levels(place, far).tolist() == [0, 1, 2, 0, 1, 0, 2, 0]
    # Two values lie on both sides of a centre in no way that tells more than their place.
    coins = np.random.default_rng(63).integers(0, 2, (20, 300)).astype(float)
    p, q = coins[:9], coins[9:]
    centre = fold_centre(p, q)
    far = orientation(folded(p, centre), folded(q, centre))
    assert not fold_levels(orientation(p, q), far).any()
