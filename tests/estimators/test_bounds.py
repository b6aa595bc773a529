from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimators.exact._plug_in import plug_in_delta, plug_in_epsilon
from estimators.lower._band_method import EqualLocalLevel
from estimators.lower._bounds import delta_lower_bound, epsilon_lower_bound
from estimators.lower._method import DirectedBounds, LowerBoundMethod
from estimators.lower._rank_grid import RankGrid
from estimators.lower._scanned import EPSILON_GRID, ScannedMethod
from estimators.lower._target import DeltaAt, EpsilonAt


@dataclass(frozen=True)
class Known(ScannedMethod):
    """A method whose bound is a known function of epsilon and the confidence."""

    def lower(self, p, q, epsilon, confidence):
        height = p.mean(0) - q.mean(0)
        found = height * np.exp(-epsilon)[:, None] - (1 - confidence)
        found = np.maximum(found, 0.0)
        return found.max(axis=1) if self.pools else found

    def words(self):
        return "known"

    def warn(self, p, q):
        return ("a remark",)

    def reach(self, n, m, epsilon, confidence):
        return np.where(epsilon < 5.0, 0.9, 0.0)


class KnownPool(Known):
    pools: ClassVar[bool] = True


def test_a_method_of_ones_own_splits_its_level_between_directions_and_scans_epsilon() -> None:
    p, q = np.full((3, 2), [0.8, 0.2]), np.zeros((4, 2))
    found = delta_lower_bound(p, q, epsilon=[0.0, 0.3, 6.0], method=Known())
    np.testing.assert_allclose(found.bound[0], [0.75, 0.15])
    np.testing.assert_allclose(found.bound[1], np.array([0.8, 0.2]) * np.exp(-0.3) - 0.025)
    assert found.undetermined[2].all()
    assert not found.undetermined[:2].any()
    assert (found.bound[2] == 0).all()
    assert found.warnings == ("a remark",)
    swapped = delta_lower_bound(q, p, epsilon=[0.3], method=Known())
    np.testing.assert_allclose(swapped.backward, found.bound[1:2])

    epsilon = epsilon_lower_bound(p, q, delta=[0.1, 0.5], method=Known())
    exact = np.maximum(np.log(np.array([0.8, 0.2]) / (np.array([[0.1], [0.5]]) + 0.025)), 0)
    assert (epsilon.bound <= exact + 1e-12).all()
    assert (epsilon.bound >= exact - 0.0051).all()
    assert np.isin(epsilon.bound, EPSILON_GRID).all()


def test_a_method_that_pools_returns_one_bound() -> None:
    p, q = np.full((3, 2, 2), 0.8), np.zeros((4, 2, 2))
    assert delta_lower_bound(p, q, epsilon=0.0, method=KnownPool()).bound.shape == ()
    assert epsilon_lower_bound(p, q, delta=[0.1, 0.2], method=KnownPool()).bound.shape == (2,)


@dataclass(frozen=True)
class Shares(LowerBoundMethod):
    """No more than the abstract method: the shares above 0, without any error taken off."""

    scale: float = 1.0

    def solve(self, p, q, target, alpha):
        ours, theirs = (p > 0).mean(axis=0), (q > 0).mean(axis=0)
        if isinstance(target, DeltaAt):
            found = np.maximum(ours - np.exp(target.numbers)[:, None] * theirs, 0.0)
        else:
            found = np.full((target.numbers.size, ours.size), 2.0)
        return DirectedBounds(self.scale * found, 0.0 * found, self.scale * found)


def test_a_method_that_only_solves_has_words_assumptions_and_a_reach() -> None:
    p, q = np.ones((8, 2)), np.array([[1.0, -1.0]] * 9)
    found = delta_lower_bound(p, q, epsilon=[0.0, 1.0], method=Shares(0.5))
    np.testing.assert_array_equal(found.bound, [[0.0, 0.5], [0.0, 0.5]])
    assert found.method == "Shares(scale=0.5)"
    assert "models are independent" in found.assumptions[0]
    assert found.warnings == ()
    assert not found.undetermined.any()
    np.testing.assert_array_equal(Shares(0.5).reach(8, 9, np.array([0.0, 1.0]), 0.95), [0.5, 0.5])
    assert delta_lower_bound(p, q, epsilon=0.0, method=Shares(0.0)).undetermined.all()
    assert (epsilon_lower_bound(p, q, delta=0.1, method=Shares(0.5)).bound == 1.0).all()


def test_targets_are_one_number_or_many() -> None:
    many = DeltaAt(np.array([0.0, 2.0]))
    assert [question.epsilon for question in many.each()] == [0.0, 2.0]
    assert many.symmetric.tolist() == [True, False]
    assert DeltaAt(0.5).numbers.tolist() == [0.5]
    assert [question.delta for question in EpsilonAt(np.array([0.0, 0.1])).each()] == [0.0, 0.1]
    assert not EpsilonAt(0.0).symmetric.any()
    assert DeltaAt(0.1) != EpsilonAt(0.1)
    assert hash(DeltaAt(0.1)) == hash(DeltaAt(0.1))


def test_shapes_of_scalars_vectors_and_many_observables() -> None:
    rng = np.random.default_rng(1)
    p, q = rng.normal(1.0, 1.0, (40, 3, 2)), rng.normal(0.0, 1.0, (30, 3, 2))
    assert delta_lower_bound(p, q, epsilon=0.0).bound.shape == (3, 2)
    assert delta_lower_bound(p, q, epsilon=[0.0, 1.0]).bound.shape == (2, 3, 2)
    assert delta_lower_bound(p[:, 0, 0], q[:, 0, 0], epsilon=0.0).bound.shape == ()
    found = epsilon_lower_bound(p, q, delta=[0.0])
    assert found.forward.shape == found.undetermined.shape == found.estimate.shape == (1, 3, 2)
    table = found.to_dataframe()
    assert list(table.columns) == [
        "delta", "observable_0", "observable_1", "estimate", "bound", "forward", "backward",
    ]  # fmt: skip
    assert len(table) == 6
    assert (found.estimate >= found.bound).all()
    assert "lower bound on epsilon at confidence 0.95, 40 against 30 models" in str(found)
    assert "<table" in found._repr_html_()


def test_two_models_a_side_are_undetermined_and_say_so() -> None:
    found = delta_lower_bound(np.array([1.0, 2.0]), np.array([0.0, -1.0]), epsilon=0.0)
    assert found.undetermined
    assert found.bound == 0
    assert "undetermined" in str(found)
    assert epsilon_lower_bound(np.array([1.0, 2.0]), np.zeros(2), delta=0.0).undetermined
    assert not delta_lower_bound(np.ones(20), np.ones(20), epsilon=0.0).undetermined


def test_separate_samples_are_told_apart_as_far_as_their_sizes_allow() -> None:
    p, q = np.linspace(1, 2, 200), np.linspace(-1, 0, 200)
    found = delta_lower_bound(p, q, epsilon=0.0)
    assert 0.9 < found.bound < 1.0
    # The odds of a new model on the wrong side of all 200 are about 1 in 200.
    assert 3.5 < epsilon_lower_bound(p, q, delta=0.0).bound < np.log(200)


@given(shift=st.floats(0, 3), n=st.integers(2, 40), m=st.integers(2, 40), seed=st.integers(0, 99))
@settings(derandomize=True, deadline=None, max_examples=25)
def test_bounds_lie_between_zero_and_the_estimate(shift: float, n: int, m: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    p, q = rng.normal(shift, 1.0, n), rng.normal(0.0, 1.0, m)
    found = delta_lower_bound(p, q, epsilon=[0.0, 0.7])
    assert ((found.bound >= 0) & (found.bound <= plug_in_delta(
        p[:, None], q[:, None], np.array([0.0, 0.7]))[:, 0] + 1e-9)).all()  # fmt: skip
    assert (found.confidence_interval.low == found.bound).all()


def test_plug_in_values_agree_with_a_plain_loop() -> None:
    rng = np.random.default_rng(2)
    p, q = np.round(rng.normal(0.5, 1.0, (15, 2)), 1), np.round(rng.normal(0.0, 1.0, (12, 2)), 1)
    for j in range(2):
        best, ratio = 0.0, 1.0
        for t in np.concatenate([p[:, j], q[:, j], [-9.0]]):
            for a, b in (((p[:, j] > t), (q[:, j] > t)), ((p[:, j] <= t), (q[:, j] <= t))):
                for one, two in ((a, b), (b, a)):
                    best = max(best, one.mean() - 1.5 * two.mean())
                    ratio = max(ratio, (one.mean() - 0.1) / max(two.mean(), 1 / two.size))
        assert plug_in_delta(p, q, np.log([1.5]))[0, j] == pytest.approx(best)
        assert plug_in_epsilon(p, q, np.array([0.1]))[0, j] == pytest.approx(np.log(ratio))


def test_bad_input_is_refused() -> None:
    one = np.ones(3)
    with pytest.raises(TypeError, match="method"):
        delta_lower_bound(one, one, epsilon=0.0, method="rank")  # pyright: ignore
    with pytest.raises(ValueError, match="expected the same observables"):
        delta_lower_bound(np.ones((3, 2)), np.ones((3, 1)), epsilon=0.0)
    with pytest.raises(ValueError, match="expected at least one observable, found none"):
        delta_lower_bound(np.ones((3, 0)), np.ones((3, 0)), epsilon=0.0)
    with pytest.raises(ValueError, match=r"confidence: expected a number in \(0, 1\), found 1.0"):
        epsilon_lower_bound(one, one, delta=0.0, confidence=1.0)
    with pytest.raises(ValueError, match=r"epsilon: expected numbers in \[0, 50\]"):
        delta_lower_bound(one, one, epsilon=-1.0)
    with pytest.raises(ValueError, match=r"delta: expected numbers in \[0, 1\)"):
        epsilon_lower_bound(one, one, delta=1.0)


@pytest.mark.parametrize("method", [RankGrid(seed=3), RankGrid(pilot=0.0), EqualLocalLevel()])
def test_the_bound_is_the_same_without_those_of_each_direction(method: LowerBoundMethod) -> None:
    rng = np.random.default_rng(7)
    p, q = rng.normal(size=(50, 3)) + np.arange(3), np.round(rng.normal(size=(40, 3)), 1)
    whole, some = (
        delta_lower_bound(p, q, epsilon=[0.0, 1.0, 9.0], method=method, directed=directed)
        for directed in (True, False)
    )
    for name in ("bound", "estimate", "undetermined"):
        np.testing.assert_array_equal(getattr(some, name), getattr(whole, name))
    assert not some.forward.any()
    assert not some.backward.any()


def test_what_is_undetermined_is_what_is_out_of_reach() -> None:
    for n, m in ((1, 1), (3, 2), (6, 5), (40, 31)):
        epsilons, method = np.array([0.0, 1.0, 2.0, 4.0]), RankGrid()
        np.testing.assert_array_equal(
            method.undetermined(n, m, DeltaAt(epsilons), 0.95),
            method.reach(n, m, epsilons, 0.95) <= 0.0,
        )
