"""All lower-bound methods through the same tests; each has its own facts in its own file."""

import numpy as np
import pytest

from estimators import (
    DKW,
    Anytime,
    Bayesian,
    ClopperPearson,
    DeltaAt,
    EpsilonAt,
    EqualLocalLevel,
    GaussianDP,
    LowerBoundMethod,
    RankGrid,
    Split,
    Witness,
    delta_lower_bound,
    epsilon_lower_bound,
)
from estimators.exact._binomial_pair import joint_lower
from estimators.exact._frontier import half_line_counts
from estimators.lower._method import separate_samples
from tests.estimators.pairs import (
    PAIRS,
    Pair,
    limit,
    lower_bounds,
    randomised_response,
    shift,
    violations,
)

VALID: dict[str, LowerBoundMethod] = {
    "rank grid": RankGrid(),
    "rank grid without a pilot": RankGrid(pilot=0.0),
    "split": Split(),
    "split, in turns": Split(swap=True),
    "witness": Witness(),
    "Clopper-Pearson at ranks": ClopperPearson(),
    "Clopper-Pearson split": ClopperPearson(fraction=0.3),
    "DKW": DKW(),
    "equal local level": EqualLocalLevel(),
    "anytime": Anytime(),
}
ASSUMING: dict[str, LowerBoundMethod] = {"Bayesian": Bayesian(), "Gaussian": GaussianDP()}
ALL = VALID | ASSUMING
# Of these only the full-size test simulates the validity: they are slow, and pool their columns.
SLOW: dict[str, LowerBoundMethod] = {
    "witness by kernels": Witness(score="kernel"),
    "witness by a logistic score, in turns": Witness(score="logistic", swap=True),
}
EPSILONS = DeltaAt(np.array([0.0, 0.5]))
DELTAS = EpsilonAt(np.array([0.0, 0.05, 0.2]))


def repeats_of(method: LowerBoundMethod, most: int = 300) -> int:
    # One call a repeat, not one for all, where the columns are pooled.
    return min(most, 80) if method.pools else most


# A call for each repeat where columns are pooled: there one size and one number must do.
QUICK = [
    (name, sizes)
    for name, method in VALID.items()
    for sizes in (((50, 120),) if method.pools else ((20, 20), (50, 120)))
]


# At most 60 comparisons a method, each with a false alarm in 700 seeds at exactly the level.
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
@pytest.mark.parametrize(("name", "sizes"), QUICK)
def test_bounds_exceed_the_truth_no_more_often_than_the_level(
    name: str, sizes: tuple[int, int], pair: Pair
) -> None:
    method = VALID[name]
    repeats = repeats_of(method)
    for target in (DeltaAt(0.5),) if method.pools else (EPSILONS, EpsilonAt(0.05)):
        assert violations(method, pair, sizes, repeats, 21, target) <= limit(repeats)


@pytest.mark.slow
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
@pytest.mark.parametrize("name", VALID | SLOW)
@pytest.mark.parametrize(
    "sizes", [(20, 20), (50, 50), (100, 100), (200, 200), (1000, 1000), (60, 900), (700, 40)]
)
def test_bounds_exceed_the_truth_no_more_often_than_the_level_at_full_size(
    name: str, pair: Pair, sizes: tuple[int, int]
) -> None:
    method = (VALID | SLOW)[name]
    repeats = 1000 if method.pools else 2000
    for target in (EPSILONS, EpsilonAt(0.05)):
        assert violations(method, pair, sizes, repeats, 22, target) <= limit(repeats)


@pytest.mark.parametrize("name", VALID)
def test_epsilon_bounds_are_valid_and_not_idle(name: str) -> None:
    method, draw = VALID[name], np.random.default_rng(5)
    repeats, target = repeats_of(method), EpsilonAt(0.05) if method.pools else DELTAS
    for pair, sizes in ((shift(1.0), (80, 120)), (randomised_response(), (120, 80))):
        p, q = pair.p(draw, (sizes[0], repeats)), pair.q(draw, (sizes[1], repeats))
        found = lower_bounds(method, p, q, target).bound
        above = (found > pair.truth(target)[:, None]).mean(axis=1)
        assert (above <= limit(repeats)).all()
    assert np.median(found[0]) > 0


@pytest.mark.parametrize("name", VALID)
def test_both_directions_together_spend_the_level_once(name: str) -> None:
    method, pair, draw = VALID[name], randomised_response(), np.random.default_rng(7)
    repeats = repeats_of(method, 1_000)
    p, q = pair.p(draw, (60, repeats)), pair.q(draw, (60, repeats))
    found = lower_bounds(method, p, q, DeltaAt(0.3))
    either = (found.forward > pair.delta(0.3)) | (found.backward > pair.delta(0.3))
    assert either.mean() <= limit(repeats)


def test_the_uncorrected_best_threshold_is_no_bound_and_ours_are() -> None:
    draw, n, repeats = np.random.default_rng(11), 100, 500
    p, q = draw.normal(size=(n, repeats)), draw.normal(size=(n, repeats))
    counts = half_line_counts(p, q)
    # Exact at every threshold fixed beforehand, and read at the best one.
    greedy = joint_lower(counts.x, n, counts.y, n, [1.0], 0.95)[0].max(axis=0)
    assert (greedy > 0).mean() > 0.15
    for method in VALID.values():
        columns = slice(repeats_of(method, repeats))
        found = lower_bounds(method, p[:, columns], q[:, columns], DeltaAt(0.0)).bound
        assert (found > 0).mean() <= limit(found.size)


@pytest.mark.parametrize("name", ALL)
def test_swapped_samples_mirrored_values_and_confidence(name: str) -> None:
    draw, method = np.random.default_rng(13), ALL[name]
    p, q = draw.normal(1.5, 1, (120, 4)), draw.normal(0, 1, (120, 4))
    target = DeltaAt(np.array([0.0, 0.4]))
    found, swapped = lower_bounds(method, p, q, target), lower_bounds(method, q, p, target)
    # Rank tests halve cells, whose ends differ by rounding once the samples are exchanged.
    close = 1e-4 if isinstance(method, RankGrid | Split | Witness) else 1e-9
    np.testing.assert_allclose(found.forward[1], swapped.backward[1], atol=close)
    np.testing.assert_allclose(found.bound[1], swapped.bound[1], atol=close)
    # At epsilon 0 the directions coincide and a method may look at one of them alone.
    shown = found.bound[0] > 0.1
    assert (swapped.bound[0] > 0.1).sum() == shown.sum()
    assert shown.all() if name != "Gaussian" else shown.sum() >= 3
    mirrored = lower_bounds(method, -p, -q, target).bound
    assert (mirrored[0, shown] > 0.1).all()
    certain = lower_bounds(method, p, q, target, confidence=0.999).bound
    assert (certain[0, shown] < found.bound[0, shown]).all()
    assert (found.bound[1] <= found.bound[0]).all()
    result = delta_lower_bound(p, q, epsilon=target.numbers, method=method)
    assert (result.bound <= result.estimate).all()


@pytest.mark.parametrize("name", ALL)
def test_zero_counts_constants_and_tiny_samples(name: str) -> None:
    method = ALL[name]
    apart = delta_lower_bound(np.ones((50, 2)), np.zeros((60, 2)), epsilon=0.5, method=method)
    same = delta_lower_bound(np.ones((50, 2)), np.ones((60, 2)), epsilon=0.0, method=method)
    assert (same.bound == 0).all()
    if name != "Gaussian":
        assert (apart.bound > 0.3).all()
        far = epsilon_lower_bound(np.ones(50), np.zeros(60), delta=0.01, method=method)
        assert far.bound > 1
        assert far.bound < 6
    for n, m in ((1, 1), (1, 5), (2, 2), (3, 1)):
        few = delta_lower_bound(np.ones(n), np.zeros(m), epsilon=np.array([0, 3.0]), method=method)
        assert few.undetermined[1]
        assert (few.bound[few.undetermined] == 0).all()
        least = epsilon_lower_bound(np.ones(n), np.zeros(m), delta=0.9, method=method)
        assert least.undetermined
        assert least.bound == 0
        assert "undetermined" in str(few)


@pytest.mark.parametrize("name", ALL)
def test_reach_is_the_bound_of_the_most_telling_data(name: str) -> None:
    method = ALL[name]
    for n, m in ((12, 30), (30, 12), (90, 90)):
        grid = np.array([0.0, 0.2, 1.0, 2.5])
        # Ties tell rank grids more, and P below Q the rest of the level.
        (tied_p, tied_q), (p, q) = separate_samples(n, m)
        found = [
            delta_lower_bound(first, second, epsilon=grid, method=method).bound.ravel()
            for first, second in ((p, q), (tied_p, tied_q), (p, tied_q), (tied_p, q), (-p, -q))
        ]
        reach = method.reach(n, m, grid, 0.95)
        assert (np.max(found, axis=0) <= reach + 1e-9).all()
        if name != "Gaussian":
            assert (np.max(found, axis=0) >= reach - 0.02).all()


@pytest.mark.parametrize("name", ALL)
def test_words_shapes_and_seeds(name: str) -> None:
    method = ALL[name]
    assert isinstance(method, LowerBoundMethod)
    assert method.words()
    assert method.seed is None
    assert "independent" in method.assumptions[0]
    draw = np.random.default_rng(17)
    p, q = draw.normal(2, 1, (40, 3, 2)), draw.normal(0, 1, (50, 3, 2))
    observables = () if method.pools else (3, 2)
    epsilons = EPSILONS.numbers
    result = delta_lower_bound(p, q, epsilon=epsilons, method=method)
    assert result.bound.shape == (2, *observables)
    assert method.words() in str(result)
    again = delta_lower_bound(p, q, epsilon=epsilons, method=method)
    np.testing.assert_array_equal(again.bound, result.bound)
    alone = delta_lower_bound(p, q, epsilon=epsilons[1], method=method)
    np.testing.assert_allclose(alone.bound, result.bound[1])
    bound = epsilon_lower_bound(p, q, delta=np.array([0.01, 0.2]), method=method).bound
    assert bound.shape == (2, *observables)
    assert (bound[0] >= bound[1]).all()
