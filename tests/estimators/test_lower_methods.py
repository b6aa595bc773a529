"""All the other lower bounds through the same tests; each has its own facts in its own file."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats

from estimators.exact._binomial_pair import joint_lower
from estimators.exact._frontier import half_line_counts
from estimators.exact._gaussian_profile import gaussian_delta, gaussian_epsilon
from estimators.lower._anytime import Anytime
from estimators.lower._band_method import DKW, EqualLocalLevel
from estimators.lower._bayesian import Bayesian
from estimators.lower._bounds import (
    LowerBoundMethod,
    delta_lower_bound,
    epsilon_lower_bound,
)
from estimators.lower._clopper_pearson import ClopperPearson
from estimators.lower._gaussian_method import GaussianDP

VALID: dict[str, LowerBoundMethod] = {
    "Clopper-Pearson at ranks": ClopperPearson(),
    "Clopper-Pearson split": ClopperPearson(fraction=0.3),
    "DKW": DKW(),
    "equal local level": EqualLocalLevel(),
    "anytime": Anytime(),
}
ASSUMING: dict[str, LowerBoundMethod] = {"Bayesian": Bayesian(), "Gaussian": GaussianDP()}
ALL = VALID | ASSUMING

Draw = Callable[[np.random.Generator, int, int], np.ndarray]


@dataclass(frozen=True)
class Pair:
    """Two populations and their greater divergence."""

    p: Draw
    q: Draw
    delta: Callable[[float], float]


def normal(mean: float, deviation: float = 1.0) -> Draw:
    return lambda g, n, r: g.normal(mean, deviation, (n, r))


def letters(*chances: float) -> Draw:
    return lambda g, n, r: g.choice(len(chances), size=(n, r), p=chances).astype(float)


def discrete(a: tuple[float, ...], b: tuple[float, ...]) -> Pair:
    one, two = np.array(a), np.array(b)

    def delta(epsilon: float) -> float:
        c = np.exp(epsilon)
        ahead, behind = np.maximum(one - c * two, 0).sum(), np.maximum(two - c * one, 0).sum()
        return float(max(ahead, behind))

    return Pair(letters(*a), letters(*b), delta)


def far_atom(g: np.random.Generator, n: int, r: int) -> np.ndarray:
    return np.where(g.random((n, r)) < 0.1, 50.0, g.normal(size=(n, r)))


def scale_delta(epsilon: float) -> float:
    # N(0, 4) against N(0, 1): the event is |x| > t where the densities' ratio is e^epsilon.
    t = np.sqrt((epsilon + np.log(2)) * 8 / 3)
    return float(2 * stats.norm.sf(t / 2) - np.exp(epsilon) * 2 * stats.norm.sf(t))


HIGH = np.e / (1 + np.e)
PAIRS = {
    "equal": Pair(normal(0), normal(0), lambda e: 0.0),
    "shift": Pair(normal(1), normal(0), lambda e: float(gaussian_delta(1.0, e))),
    "swapped shift": Pair(normal(-1), normal(0), lambda e: float(gaussian_delta(1.0, e))),
    "Laplace": Pair(
        lambda g, n, r: g.laplace(1, 1, (n, r)),
        lambda g, n, r: g.laplace(0, 1, (n, r)),
        lambda e: max(0.0, 1 - np.exp((e - 1) / 2)),
    ),
    "scale": Pair(normal(0, 2), normal(0), scale_delta),
    "far atom": Pair(far_atom, normal(0), lambda e: 0.1),
    "randomised response": discrete((HIGH, 1 - HIGH), (1 - HIGH, HIGH)),
    "heavy ties": discrete((0.5, 0.2, 0.3), (0.2, 0.3, 0.5)),
    "equal with ties": discrete((0.9, 0.1), (0.9, 0.1)),
}
EPSILONS = np.array([0.0, 0.5])


def violations(method: LowerBoundMethod, pair: Pair, n: int, m: int, repeats: int) -> np.ndarray:
    draw = np.random.default_rng(1_000 * n + m)
    result = delta_lower_bound(
        pair.p(draw, n, repeats), pair.q(draw, m, repeats), epsilon=EPSILONS, method=method
    )
    truth = np.array([pair.delta(e) for e in EPSILONS])
    return (result.bound > truth[:, None] + 1e-12).mean(axis=1)


def limit(alpha: float, repeats: int) -> float:
    # 3 standard errors above the level: under 1 false alarm in 740 seeds for each number tested.
    return alpha + 3 * np.sqrt(alpha * (1 - alpha) / repeats)


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("name", VALID)
@pytest.mark.parametrize(("n", "m"), [(20, 20), (50, 120)])
def test_valid(name: str, pair: str, n: int, m: int) -> None:
    assert (violations(VALID[name], PAIRS[pair], n, m, 300) <= limit(0.05, 300)).all()


@pytest.mark.slow
@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("name", VALID)
@pytest.mark.parametrize(
    ("n", "m"), [(20, 20), (50, 50), (100, 100), (200, 200), (1000, 1000), (40, 700), (700, 40)]
)
def test_valid_at_full_size(name: str, pair: str, n: int, m: int) -> None:
    assert (violations(VALID[name], PAIRS[pair], n, m, 2_000) <= limit(0.05, 2_000)).all()


@pytest.mark.parametrize("name", VALID)
def test_epsilon_bounds_are_valid(name: str) -> None:
    draw, repeats, deltas = np.random.default_rng(5), 300, np.array([0.0, 0.05, 0.2])
    p, q = draw.normal(1, 1, (80, repeats)), draw.normal(0, 1, (120, repeats))
    found = epsilon_lower_bound(p, q, delta=deltas, method=VALID[name]).bound
    truth = np.append(np.inf, gaussian_epsilon(1.0, deltas[1:]))
    assert ((found > truth[:, None]).mean(axis=1) <= limit(0.05, repeats)).all()
    p = (draw.random((120, repeats)) < HIGH).astype(float)
    q = (draw.random((80, repeats)) < 1 - HIGH).astype(float)
    found = epsilon_lower_bound(p, q, delta=deltas, method=VALID[name]).bound
    truth = np.log((HIGH - deltas) / (1 - HIGH))
    assert ((found > truth[:, None]).mean(axis=1) <= limit(0.05, repeats)).all()
    assert np.median(found[0]) > 0


@pytest.mark.parametrize("name", VALID)
def test_both_directions_together_spend_the_level_once(name: str) -> None:
    draw, repeats = np.random.default_rng(7), 1_000
    p = (draw.random((60, repeats)) < HIGH).astype(float)
    q = (draw.random((60, repeats)) < 1 - HIGH).astype(float)
    result = delta_lower_bound(p, q, epsilon=0.3, method=VALID[name])
    truth = (np.e - np.exp(0.3)) / (1 + np.e)
    either = (result.forward > truth) | (result.backward > truth)
    assert either.mean() <= limit(0.05, repeats)


def test_the_uncorrected_best_threshold_is_no_bound_and_ours_are() -> None:
    draw, n, repeats = np.random.default_rng(11), 100, 500
    p, q = draw.normal(size=(n, repeats)), draw.normal(size=(n, repeats))
    counts = half_line_counts(p, q)
    # Exact at every threshold fixed beforehand, and read at the best one.
    greedy = joint_lower(counts.x, n, counts.y, n, [1.0], 0.95)[0].max(axis=0)
    assert (greedy > 0).mean() > 0.15
    for method in VALID.values():
        found = delta_lower_bound(p, q, epsilon=0.0, method=method).bound
        assert (found > 0).mean() <= limit(0.05, repeats)


@pytest.mark.parametrize("name", ALL)
def test_swapped_samples_mirrored_values_and_confidence(name: str) -> None:
    draw, method = np.random.default_rng(13), ALL[name]
    p, q = draw.normal(1.5, 1, (120, 4)), draw.normal(0, 1, (120, 4))
    grid = np.array([0.0, 0.4])
    one = delta_lower_bound(p, q, epsilon=grid, method=method)
    other = delta_lower_bound(q, p, epsilon=grid, method=method)
    np.testing.assert_allclose(one.forward[1], other.backward[1], atol=1e-9)
    np.testing.assert_allclose(one.bound[1], other.bound[1], atol=1e-9)
    # At epsilon 0 the directions coincide and a method may look at one of them alone.
    shown = one.bound[0] > 0.1
    assert (other.bound[0] > 0.1).sum() == shown.sum()
    assert shown.all() if name != "Gaussian" else shown.sum() >= 3
    mirrored = delta_lower_bound(-p, -q, epsilon=grid, method=method).bound
    assert (mirrored[0, shown] > 0.1).all()
    certain = delta_lower_bound(p, q, epsilon=grid, method=method, confidence=0.999).bound
    assert (certain[0, shown] < one.bound[0, shown]).all()
    assert (one.bound[1] <= one.bound[0]).all()
    assert (one.bound <= one.estimate).all()


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
        apart = delta_lower_bound(
            np.linspace(1, 2, n), np.linspace(-2, -1, m), epsilon=grid, method=method
        )
        reach = method.reach(n, m, grid, 0.95)
        assert (apart.bound <= reach + 1e-9).all()
        if name != "Gaussian":
            assert (apart.bound >= reach - 0.02).all()


@pytest.mark.parametrize("name", ALL)
def test_protocol_words_and_shapes(name: str) -> None:
    method = ALL[name]
    assert isinstance(method, LowerBoundMethod)
    assert method.words()
    assert "independent" in method.assumptions[0]
    draw = np.random.default_rng(17)
    p, q = draw.normal(2, 1, (40, 3, 2)), draw.normal(0, 1, (50, 3, 2))
    result = delta_lower_bound(p, q, epsilon=EPSILONS, method=method)
    assert result.bound.shape == (2, 3, 2)
    assert method.words() in str(result)
    again = delta_lower_bound(p, q, epsilon=EPSILONS, method=method)
    np.testing.assert_array_equal(again.bound, result.bound)
    one = delta_lower_bound(p, q, epsilon=EPSILONS[1], method=method)
    np.testing.assert_allclose(one.bound, result.bound[1])
    bound = epsilon_lower_bound(p, q, delta=np.array([0.01, 0.2]), method=method).bound
    assert bound.shape == (2, 3, 2)
    assert (bound[0] >= bound[1]).all()
