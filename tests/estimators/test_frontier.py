"""Frontiers of event classes against plain enumeration of every event."""

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimators.exact import _frontier
from estimators.exact._binomial_pair import joint_upper
from estimators.exact._frontier import (
    Counts,
    discrete_frontier,
    greatest_difference,
    greatest_upper,
    half_line_counts,
    half_line_frontier,
    interval_frontier,
    merge_runs,
    tie_groups,
    undominated,
)

values = st.integers(0, 5)
samples = st.tuples(
    st.lists(values, min_size=1, max_size=8), st.lists(values, min_size=1, max_size=8)
)


def arrays(pair):
    return np.array(pair[0], float), np.array(pair[1], float)


def every_half_line(p, q):
    found = {(0, 0), (p.size, q.size)}
    for t in np.union1d(p, q):
        for test in (np.less, np.less_equal, np.greater, np.greater_equal):
            found.add((int(test(p, t).sum()), int(test(q, t).sum())))
    return found


def every_set(p, q, allowed):
    values = np.union1d(p, q)
    for member in product([False, True], repeat=values.size):
        if allowed(member):
            chosen = values[np.array(member)]
            yield int(np.isin(p, chosen).sum()), int(np.isin(q, chosen).sum())


def intervals_in(member):
    padded = (False, *member)
    return sum(b and not a for a, b in zip(padded[:-1], padded[1:], strict=True))


def frontier_of(pairs, m):
    pairs = list(pairs)
    return [max(x for x, y in pairs if y <= most) for most in range(m + 1)]


@settings(derandomize=True, max_examples=200, deadline=None)
@given(samples)
def test_half_lines_are_every_half_line(pair):
    p, q = arrays(pair)
    counts = half_line_counts(p[:, None], q[:, None])
    found = set(zip(counts.x[:, 0].tolist(), counts.y[:, 0].tolist(), strict=True))
    assert found == every_half_line(p, q)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(samples, st.integers(1, 3))
def test_unions_of_intervals_match_enumeration(pair, k):
    p, q = arrays(pair)
    pairs = every_set(p, q, lambda member: intervals_in(member) <= k)
    assert interval_frontier(tie_groups(p, q), k).tolist() == frontier_of(pairs, q.size)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(samples)
def test_all_sets_of_values_match_enumeration(pair):
    p, q = arrays(pair)
    pairs = every_set(p, q, lambda member: True)
    assert discrete_frontier(tie_groups(p, q)).tolist() == frontier_of(pairs, q.size)


def test_unions_of_intervals_without_ties_match_enumeration():
    rng = np.random.default_rng(11)
    for k in (1, 2, 3):
        p, q = rng.normal(size=6), rng.normal(size=7)
        pairs = every_set(p, q, lambda member, k=k: intervals_in(member) <= k)
        assert interval_frontier(tie_groups(p, q), k).tolist() == frontier_of(pairs, q.size)


def test_columns_do_not_touch_each_other():
    rng = np.random.default_rng(12)
    p, q = rng.integers(0, 6, (20, 7)) / 2, rng.integers(0, 6, (13, 7)) / 2
    together = half_line_counts(p, q)
    for j in range(7):
        alone = half_line_counts(p[:, [j]], q[:, [j]])
        np.testing.assert_array_equal(together.x[:, [j]], alone.x)
        np.testing.assert_array_equal(together.y[:, [j]], alone.y)


def test_runs_keep_mixed_groups_apart_and_merge_pure_ones():
    groups = tie_groups(np.array([0, 1, 3, 3, 4.0]), np.array([2, 2.5, 3, 4, 5.0]))
    runs = merge_runs(groups)
    assert runs.p.tolist() == [2, 0, 2, 1, 0]
    assert runs.q.tolist() == [0, 2, 1, 1, 1]


def test_pruning_does_not_change_the_maximum(monkeypatch):
    rng = np.random.default_rng(13)
    p, q = rng.normal(size=(150, 9)) + np.linspace(0, 1, 9), rng.normal(size=(90, 9))
    counts, factor = half_line_counts(p, q), np.array([1.0, 2.0, 20.0])
    direct = greatest_upper(counts, 150, 90, factor, 0.95)
    monkeypatch.setattr(_frontier, "FEW_PAIRS", 0)
    for blocks, shrink in ((1, 2), (1, 200), (7, 3), (64, 8), (1000, 8)):
        monkeypatch.setattr(_frontier, "BLOCKS", blocks)
        monkeypatch.setattr(_frontier, "SHRINK", shrink)
        np.testing.assert_array_equal(greatest_upper(counts, 150, 90, factor, 0.95), direct)


def test_maxima_match_a_plain_loop():
    rng = np.random.default_rng(14)
    p, q = rng.integers(0, 9, 25).astype(float), rng.integers(2, 11, 30).astype(float)
    counts = half_line_counts(p[:, None], q[:, None])
    for c in (1.0, 3.0):
        pairs = every_half_line(p, q)
        upper = max(joint_upper([x], 25, [y], 30, c, 0.9)[0, 0] for x, y in pairs)
        plug_in = max(x / 25 - c * y / 30 for x, y in pairs)
        factor = np.array([c])
        assert greatest_upper(counts, 25, 30, factor, 0.9)[0, 0] == upper
        assert greatest_difference(counts, 25, 30, factor)[0, 0] == pytest.approx(
            plug_in, abs=1e-15
        )


def test_the_frontier_is_enough():
    rng = np.random.default_rng(15)
    p, q = rng.integers(0, 5, 12).astype(float), rng.integers(1, 6, 10).astype(float)
    pairs = np.array(list(every_set(p, q, lambda member: True)))
    whole = Counts(pairs[:, :1], pairs[:, 1:])
    frontier = discrete_frontier(tie_groups(p, q))[:, None]
    some = Counts(frontier, np.arange(q.size + 1)[:, None])
    factor = np.array([1.0, 4.0])
    for greatest in (greatest_difference, lambda *a: greatest_upper(*a, 0.95)):
        np.testing.assert_array_equal(
            greatest(some, 12, 10, factor), greatest(whole, 12, 10, factor)
        )


def test_half_lines_are_single_intervals_and_intervals_are_sets():
    rng = np.random.default_rng(16)
    p, q = rng.integers(0, 12, 40).astype(float), rng.integers(0, 12, 35).astype(float)
    groups = tie_groups(p, q)
    lines = frontier_of(every_half_line(p, q), 35)
    nested = [np.array(lines), *(interval_frontier(groups, k) for k in (1, 2, 3, 12))]
    for smaller, larger in combinations(nested, 2):
        assert (smaller <= larger).all()
    np.testing.assert_array_equal(nested[-1], discrete_frontier(groups))


@settings(derandomize=True, max_examples=100, deadline=None)
@given(samples)
def test_the_frontier_of_half_lines_matches_enumeration(pair):
    p, q = arrays(pair)
    found = half_line_frontier(p[:, None], q[:, None])
    assert found.x[:, 0].tolist() == frontier_of(every_half_line(p, q), q.size)
    assert found.y[:, 0].tolist() == list(range(q.size + 1))


@pytest.mark.parametrize("tied", [False, True])
def test_every_maximum_is_the_same_on_the_frontier_as_on_all_half_lines(tied):
    rng = np.random.default_rng(17)
    p, q = rng.normal(size=(70, 12)) + np.linspace(0, 2, 12), rng.normal(size=(90, 12))
    if tied:
        p[:, ::2], q[:, ::2] = np.round(p[:, ::2]), np.round(q[:, ::2])
    whole, some = half_line_counts(p, q), half_line_frontier(p, q)
    for a, b in zip(undominated(whole, 90), undominated(some, 90), strict=True):
        np.testing.assert_array_equal(a, b)
    factor = np.array([1.0, 2.0, 20.0])
    for greatest in (greatest_difference, lambda *a: greatest_upper(*a, 0.95)):
        direct = greatest(whole, 70, 90, factor)
        np.testing.assert_array_equal(greatest(some, 70, 90, factor), direct)
