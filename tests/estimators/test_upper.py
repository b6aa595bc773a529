"""Upper bounds for declared classes of events: invariances, exact cases, speed, bad input."""

import dataclasses
import inspect
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimators.exact._binomial_pair import joint_upper
from estimators.upper import _events
from estimators.upper._events import DiscreteEvents, HalfLines, IntervalUnions
from estimators.upper._smoothed_events import SmoothedEvents
from estimators.upper._upper import delta_upper_bound, factors
from tests.estimators.pairs import discrete_divergences

EPSILONS = np.array([0.0, 1.0])
CLASSES = [HalfLines(), IntervalUnions(1), IntervalUnions(2), DiscreteEvents(), SmoothedEvents(0.5)]


@pytest.mark.parametrize("events", CLASSES, ids=str)
def test_swap_exchanges_the_directions(events):
    rng = np.random.default_rng(39)
    p, q = np.round(rng.normal(size=(30, 2, 2)), 1), np.round(rng.normal(1, 2, (45, 2, 2)), 1)
    one = delta_upper_bound(p, q, epsilon=EPSILONS, events=events)
    two = delta_upper_bound(q, p, epsilon=EPSILONS, events=events)
    np.testing.assert_array_equal(one.forward, two.backward)
    np.testing.assert_array_equal(one.backward, two.forward)
    np.testing.assert_array_equal(one.bound, two.bound)
    np.testing.assert_array_equal(one.estimate, two.estimate)
    assert one.bound.shape == (2, 2, 2)
    assert (one.n_p, one.n_q, one.side) == (30, 45, "upper")


@pytest.mark.parametrize("events", CLASSES, ids=str)
def test_falls_with_epsilon_and_rises_with_confidence(events):
    rng = np.random.default_rng(40)
    p, q = np.round(rng.normal(size=(40, 3)), 1), np.round(rng.normal(0.5, 1.5, (40, 3)), 1)
    grid = np.linspace(0, 4, 9)
    low = delta_upper_bound(p, q, epsilon=grid, confidence=0.8, events=events)
    high = delta_upper_bound(p, q, epsilon=grid, confidence=0.99, events=events)
    assert (np.diff(low.bound, axis=0) <= 1e-9).all()
    assert (np.diff(low.estimate, axis=0) <= 1e-9).all()
    assert (low.bound < high.bound).all()
    assert ((low.estimate <= low.bound) & (high.bound <= 1)).all()


@pytest.mark.parametrize("events", CLASSES, ids=str)
def test_one_epsilon_is_a_row_of_many_and_one_observable_a_column(events):
    p, q = np.array([[1.0, 2.0], [2.0, 2.0], [0.0, 5.0]]), np.array([[1, 3], [1, 1]])
    row = delta_upper_bound(p, q, epsilon=1.0, events=events)
    grid = delta_upper_bound(p, q, epsilon=EPSILONS, events=events)
    np.testing.assert_array_equal(row.bound, grid.bound[1])
    flat = delta_upper_bound(p[:, 0], q[:, 0], epsilon=1.0, events=events)
    assert flat.bound.shape == ()
    assert flat.bound == row.bound[0]


@pytest.mark.parametrize("at_once", [1, 2**22])
@pytest.mark.parametrize("events", CLASSES, ids=str)
def test_the_bound_of_observables_together_is_the_greatest_of_theirs(events, at_once, monkeypatch):
    monkeypatch.setattr(_events, "AT_ONCE", at_once)
    rng = np.random.default_rng(41)
    p, q = rng.normal(size=(30, 2, 3)), rng.normal(1, 2, (45, 2, 3))
    p[:, 1], q[:, 1] = np.round(p[:, 1]), np.round(q[:, 1])
    each = delta_upper_bound(p, q, epsilon=EPSILONS, events=events)
    found = delta_upper_bound(p, q, epsilon=EPSILONS, events=events, together=True)
    for name in ("bound", "forward", "backward", "estimate"):
        np.testing.assert_array_equal(getattr(found, name), getattr(each, name).max(axis=-1))
    assert found.undetermined.shape == (2, 2)
    alone = delta_upper_bound(p[:, 0, 0], q[:, 0, 0], epsilon=0.0, events=events, together=True)
    assert alone.bound == each.bound[0, 0, 0]
    with pytest.raises(ValueError, match="at least one observable"):
        delta_upper_bound(p[:, 0, :0], q[:, 0, :0], epsilon=0.0, events=events, together=True)


def test_a_larger_class_has_a_larger_bound():
    rng = np.random.default_rng(41)
    p, q = rng.integers(0, 9, (60, 5)), rng.integers(1, 10, (60, 5))
    nested = [
        HalfLines(),
        IntervalUnions(1),
        IntervalUnions(2),
        IntervalUnions(9),
        DiscreteEvents(),
    ]
    bounds = [delta_upper_bound(p, q, epsilon=0.5, events=c).bound for c in nested]
    assert all((a <= b).all() for a, b in zip(bounds[:-1], bounds[1:], strict=True))
    np.testing.assert_array_equal(bounds[-2], bounds[-1])


def test_half_lines_do_not_change_under_monotone_maps():
    rng = np.random.default_rng(42)
    p, q = rng.normal(size=(50, 3)), rng.normal(1, 1, (60, 3))
    for events in (HalfLines(), IntervalUnions(2)):
        one = delta_upper_bound(p, q, epsilon=0.3, events=events).bound
        for image in (np.exp, np.arctan, lambda x: -x):
            two = delta_upper_bound(image(p), image(q), epsilon=0.3, events=events).bound
            np.testing.assert_array_equal(one, two)


values_of = st.lists(st.integers(0, 4), min_size=1, max_size=25)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(values_of, values_of, st.lists(st.integers(0, 4), min_size=5, max_size=5))
def test_merging_values_never_raises_the_bound(p, q, image):
    first, second = np.array(p), np.array(q)
    whole = delta_upper_bound(first, second, epsilon=EPSILONS, events=DiscreteEvents())
    merged = np.array(image)
    less = delta_upper_bound(
        merged[first], merged[second], epsilon=EPSILONS, events=DiscreteEvents()
    )
    assert (less.bound <= whole.bound).all()
    assert (less.estimate <= whole.estimate + 1e-12).all()
    # Half-lines see less than all events, and merging neighbours keeps half-lines half-lines.
    lines = delta_upper_bound(first, second, epsilon=EPSILONS)
    coarse = delta_upper_bound(first // 2, second // 2, epsilon=EPSILONS)
    assert (coarse.bound <= lines.bound).all()
    assert (lines.bound <= whole.bound).all()


@settings(derandomize=True, max_examples=60, deadline=None)
@given(values_of, values_of)
def test_all_discrete_events_match_the_sum_of_positive_parts(p, q):
    first, second = np.bincount(p, minlength=5) / len(p), np.bincount(q, minlength=5) / len(q)
    found = delta_upper_bound(np.array(p), np.array(q), epsilon=EPSILONS, events=DiscreteEvents())
    truth = discrete_divergences(first, second, EPSILONS).max(axis=0)
    np.testing.assert_allclose(found.estimate, truth, atol=1e-12)


@pytest.mark.parametrize("events", CLASSES[:4], ids=str)
def test_extreme_counts_are_finite_and_right(events):
    apart = delta_upper_bound(np.ones(40), np.zeros(30), epsilon=2.0, events=events)
    assert apart.bound == 1.0
    assert apart.estimate == 1.0
    same = delta_upper_bound(np.ones(40), np.ones(30), epsilon=[0.0, 2.0], events=events)
    sizes = (
        joint_upper([0, n], n, [0, m], m, factors(np.array([0.0, 2.0])), 0.95)
        for n, m in ((40, 30), (30, 40))
    )
    np.testing.assert_array_equal(same.bound, np.maximum(*(b.max(axis=1) for b in sizes)))
    assert (same.bound < 0.2).all()
    assert not same.undetermined.any()
    one = delta_upper_bound(np.ones(1), np.ones(1), epsilon=0.0, events=events)
    assert 0.9 < one.bound <= 1


@pytest.mark.parametrize("events", CLASSES, ids=str)
def test_least_is_reached_and_never_passed(events):
    rng = np.random.default_rng(43)
    factor = np.exp(EPSILONS)
    for n, m in ((3, 3), (20, 50)):
        least = events.least(n, m, factor, 0.95)
        same = events.directed(np.ones((n, 1)), np.ones((m, 1)), factor, 0.95).upper[:, 0]
        assert (same >= least - 1e-12).all()
        if not isinstance(events, SmoothedEvents):
            np.testing.assert_array_equal(same, least)
        p, q = rng.integers(0, 3, (n, 50)).astype(float), rng.integers(0, 3, (m, 50)).astype(float)
        assert (events.directed(p, q, factor, 0.95).upper >= least[:, None] - 1e-12).all()


def test_1000_observables_of_1000_models_take_seconds():
    rng = np.random.default_rng(44)
    p, q = rng.normal(size=(1000, 1000)) + np.linspace(0, 1, 1000), rng.normal(size=(1000, 1000))
    start = time.process_time()
    found = delta_upper_bound(p, q, epsilon=1.0)
    # About 2 s of processor time measured; the limit only catches a lost vectorisation.
    assert time.process_time() - start < 30
    alone = delta_upper_bound(p[:, 500], q[:, 500], epsilon=1.0)
    assert found.bound[500] == alone.bound


def test_many_observables_are_worked_on_in_parts(monkeypatch):
    rng = np.random.default_rng(45)
    p, q = rng.normal(size=(20, 11)), rng.normal(size=(20, 11))
    whole = delta_upper_bound(p, q, epsilon=EPSILONS)
    monkeypatch.setattr("estimators.upper._events.AT_ONCE", 100)
    parts = delta_upper_bound(p, q, epsilon=EPSILONS)
    np.testing.assert_array_equal(whole.bound, parts.bound)
    assert delta_upper_bound(p[:, :0], q[:, :0], epsilon=0.0).bound.shape == (0,)


def test_values_that_hardly_repeat_raise_a_warning():
    rng = np.random.default_rng(46)
    p, q = rng.normal(size=(20, 3)), rng.normal(size=(20, 3))
    found = delta_upper_bound(p, q, epsilon=0.0, events=DiscreteEvents())
    assert "3 of 3 observables have fewer than two models a value" in found.warnings[0]
    assert (
        delta_upper_bound(np.round(p), np.round(q), epsilon=0.0, events=DiscreteEvents()).warnings
        == ()
    )


def test_words_name_the_class_and_settings_are_frozen():
    assert [events.words() for events in CLASSES] == [
        "half-lines of each observable",
        "intervals of each observable",
        "unions of at most 2 intervals of each observable",
        "all events of each discrete observable",
        "all events of each observable released with N(0, 0.5^2) noise",
    ]
    found = delta_upper_bound(np.arange(2), np.arange(3), epsilon=0.0, events=IntervalUnions(2))
    assert found.events == "unions of at most 2 intervals of each observable"
    assert "events" in found.assumptions[1]
    with pytest.raises(dataclasses.FrozenInstanceError):
        CLASSES[1].k = 3


@pytest.mark.parametrize("k", [0, -1])
def test_k_must_be_a_positive_integer(k):
    with pytest.raises(ValueError, match=f"k: expected an integer of at least 1, found {k}"):
        IntervalUnions(k)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"p": np.array([[1.0], [np.nan]])}, ValueError, "p: expected finite numbers"),
        ({"q": np.array([[1.0, 2.0]])}, ValueError, "p and q: expected the same observables"),
        ({"epsilon": -0.1}, ValueError, "epsilon: expected numbers in"),
        ({"confidence": 1.0}, ValueError, "confidence: expected a number in"),
    ],
)
def test_bad_input_is_named(change, error, words):
    given_ = {"p": np.ones((2, 1)), "q": np.ones((1, 1)), "epsilon": 0.0, **change}
    p, q = given_.pop("p"), given_.pop("q")
    with pytest.raises(error, match=words):
        delta_upper_bound(p, q, **given_)


@pytest.mark.parametrize("events", ["half-lines", HalfLines])
def test_events_must_be_a_class_of_events(events):
    # The function as users have it, without the type checks that only tests install.
    plain = inspect.unwrap(delta_upper_bound)
    with pytest.raises(TypeError, match="events: expected a class of events"):
        plain(np.ones(2), np.ones(2), epsilon=0.0, events=events)
