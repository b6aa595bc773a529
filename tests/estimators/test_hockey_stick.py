"""The hockey-stick divergence against closed forms, dp-accounting, and a plain loop."""

import dataclasses

import numpy as np
import pytest
from dp_accounting.pld import privacy_loss_distribution, privacy_loss_mechanism
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from estimators.curves._hockey_stick import hockey_stick
from tests.estimators.pairs import gaussian_divergence, limit

GRID = np.array([0.0, 0.3, 1.0, 2.0])


def laplace(epsilon):
    return np.maximum(0, 1 - np.exp((epsilon - 1) / 2))


def randomised_response(epsilon_0, epsilon):
    return np.maximum(0, (np.exp(epsilon_0) - np.exp(epsilon)) / (1 + np.exp(epsilon_0)))


def plain(p, q, epsilon):
    """One number at a time over every threshold and orientation, and the empty event."""
    best = 0.0
    for t in np.union1d(p, q):
        for beyond in (np.less, np.less_equal, np.greater, np.greater_equal):
            best = max(best, beyond(p, t).mean() - np.exp(epsilon) * beyond(q, t).mean())
    return best


def quantiles(n, ppf):
    return ppf((np.arange(n) + 0.5) / n)


def test_normal_quantiles_have_the_divergence_of_the_gaussian_mechanism():
    # No randomness: the shares of quantiles are within 1/n of the masses of every half-line,
    # so the divergence is within (1 + e^2) / n = 0.0017.
    n, mu = 5_000, 1.2
    q = quantiles(n, norm.ppf)
    found = hockey_stick(q + mu, q, epsilon=GRID)
    truth = gaussian_divergence(mu, GRID)
    np.testing.assert_allclose(found.forward, truth, atol=2e-3)
    np.testing.assert_allclose(found.backward, truth, atol=2e-3)
    assert (
        (found.confidence_interval.low < truth) & (truth < found.confidence_interval.high)
    ).all()
    assert (found.confidence_interval.high - found.confidence_interval.low < 0.12).all()


@pytest.mark.parametrize("mu", [0.4, 1.0, 3.0])
def test_closed_form_of_the_gaussian_agrees_with_dp_accounting_and_with_samples(mu):
    reference = privacy_loss_mechanism.GaussianPrivacyLoss(1 / mu)
    truth = np.array([reference.get_delta_for_epsilon(e) for e in GRID])
    np.testing.assert_allclose(gaussian_divergence(mu, GRID), truth, atol=1e-9)
    q = quantiles(5_000, norm.ppf)
    np.testing.assert_allclose(hockey_stick(q + mu, q, epsilon=GRID).estimate, truth, atol=2e-3)


def test_closed_form_of_laplace_agrees_with_dp_accounting_and_with_samples():
    reference = privacy_loss_mechanism.LaplacePrivacyLoss(1.0)
    truth = np.array([reference.get_delta_for_epsilon(e) for e in GRID])
    np.testing.assert_allclose(laplace(GRID), truth, atol=1e-9)
    rng = np.random.default_rng(51)
    p, q = rng.laplace(1, 1, 100_000), rng.laplace(0, 1, 100_000)
    # Dvoretzky-Kiefer-Wolfowitz on both sides: off by more than 0.008 (1 + e^eps) with
    # probability below 2 * 2 exp(-2 * 1e5 * 0.008^2) = 1e-5.
    found = hockey_stick(p, q, epsilon=GRID).estimate
    assert (np.abs(found - truth) <= 0.008 * (1 + np.exp(GRID))).all()


def test_closed_form_of_randomised_response_agrees_with_dp_accounting_and_with_samples():
    n, epsilon_0 = 100_000, 1.0
    yes = int(round(n * np.exp(epsilon_0) / (1 + np.exp(epsilon_0))))
    p, q = (np.repeat([1, 0], [count, n - count]) for count in (yes, n - yes))
    # The probability that dp-accounting's response is drawn at random, of two answers.
    reference = privacy_loss_distribution.from_randomized_response(2 / (1 + np.exp(epsilon_0)), 2)
    truth = randomised_response(epsilon_0, GRID)
    expected = [reference.get_delta_for_epsilon(e) for e in GRID]
    np.testing.assert_allclose(truth, expected, atol=1e-4)
    np.testing.assert_allclose(hockey_stick(p, q, epsilon=GRID).estimate, truth, atol=1e-4)


def test_matches_a_plain_loop_with_ties_and_unequal_sizes():
    rng = np.random.default_rng(52)
    p, q = rng.integers(0, 8, (25, 2, 3)), rng.integers(1, 10, (40, 2, 3))
    found = hockey_stick(p, q, epsilon=GRID)
    for e, i, j in np.ndindex(4, 2, 3):
        a, b = p[:, i, j], q[:, i, j]
        assert found.forward[e, i, j] == pytest.approx(plain(a, b, GRID[e]), abs=1e-12)
        assert found.backward[e, i, j] == pytest.approx(plain(b, a, GRID[e]), abs=1e-12)
    np.testing.assert_array_equal(found.estimate, np.maximum(found.forward, found.backward))


def test_swap_exchanges_the_directions():
    rng = np.random.default_rng(53)
    p, q = rng.normal(size=(60, 3)), rng.normal(0.5, 2, (80, 3))
    one, two = hockey_stick(p, q, epsilon=GRID), hockey_stick(q, p, epsilon=GRID)
    np.testing.assert_array_equal(one.forward, two.backward)
    np.testing.assert_array_equal(one.backward, two.forward)
    np.testing.assert_array_equal(one.estimate, two.estimate)
    np.testing.assert_array_equal(one.confidence_interval.high, two.confidence_interval.high)
    np.testing.assert_array_equal(one.forward_interval.high, two.backward_interval.high)
    np.testing.assert_allclose(
        one.confidence_interval.low, two.confidence_interval.low, rtol=0, atol=1e-9
    )


samples = st.lists(st.integers(0, 5), min_size=2, max_size=30)


@settings(derandomize=True, max_examples=25, deadline=None)
@given(samples, samples)
def test_estimate_falls_with_epsilon_and_stays_in_its_interval(p, q):
    found = hockey_stick(np.array(p), np.array(q), epsilon=np.linspace(0, 3, 7))
    assert (np.diff(found.forward) <= 0).all()
    assert (np.diff(found.backward) <= 0).all()
    assert (np.diff(found.confidence_interval.high) <= 1e-12).all()
    for estimate, interval in (
        (found.forward, found.forward_interval),
        (found.backward, found.backward_interval),
        (found.estimate, found.confidence_interval),
    ):
        assert (interval.low >= 0).all()
        assert (interval.low <= estimate).all()
        assert (estimate <= interval.high).all()
        assert (interval.high <= 1).all()


@settings(derandomize=True, max_examples=25, deadline=None)
@given(samples, samples, st.lists(st.integers(0, 2), min_size=5, max_size=5))
def test_monotone_processing_never_raises_the_estimate(p, q, steps):
    image = np.concatenate([[0], np.cumsum(steps)])
    whole = hockey_stick(np.array(p), np.array(q), epsilon=GRID)
    less = hockey_stick(image[np.array(p)], image[np.array(q)], epsilon=GRID)
    assert (less.estimate <= whole.estimate + 1e-12).all()
    assert (less.confidence_interval.high <= whole.confidence_interval.high + 1e-12).all()


@pytest.mark.parametrize(
    ("name", "n", "m", "repeats"),
    [
        ("identical", 20, 20, 200),
        ("identical", 60, 200, 200),
        ("shift", 20, 20, 200),
        ("shift", 60, 200, 200),
        ("coin", 20, 20, 40),
    ],
)
def test_intervals_cover(name, n, m, repeats):
    """90 % intervals of all three kinds; 3 standard errors, false alarms below 1 in 600 a count."""
    rng = np.random.default_rng(54)
    epsilon = np.array([0.0, 1.0])
    if name == "coin":
        p, q = rng.random((n, repeats)) < 0.7, rng.random((m, repeats)) < 0.3
        p, q = p.astype(float), q.astype(float)
        truth = np.maximum(0, 0.7 - np.exp(epsilon) * 0.3)
    else:
        mu = 1.0 if name == "shift" else 0.0
        p, q = rng.normal(mu, 1, (n, repeats)), rng.normal(size=(m, repeats))
        truth = gaussian_divergence(mu, epsilon) if mu else np.zeros(2)
    found = hockey_stick(p, q, epsilon=epsilon, confidence=0.9)
    for interval in (found.forward_interval, found.backward_interval, found.confidence_interval):
        missed = (interval.low > truth[:, None] + 1e-12) | (interval.high < truth[:, None] - 1e-12)
        assert (missed.mean(axis=1) <= limit(repeats, 0.1)).all()


def test_shapes_words_and_table():
    rng = np.random.default_rng(55)
    p, q = rng.normal(size=(30, 2)), rng.normal(size=(30, 2))
    one, many = hockey_stick(p, q, epsilon=1.0), hockey_stick(p, q, epsilon=GRID)
    assert one.estimate.shape == (2,)
    assert many.forward_interval.low.shape == (4, 2)
    np.testing.assert_array_equal(many.estimate[2], one.estimate)
    assert hockey_stick(p[:, 0], q[:, 0], epsilon=1.0).estimate.shape == ()
    assert many.events == "half-lines of each observable"
    assert "low: rank grid" in many.method
    assert "high: exact joint bound" in many.method
    table = many.to_dataframe()
    assert list(table) == ["epsilon", "observable", "delta", "low", "high", "forward", "backward"]
    assert len(table) == 8
    assert len(one.to_dataframe()) == 2
    assert "30 models of P against 30 of Q, 95 % interval" in str(one)
    assert "assumes: models are independent" in str(one)
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.n_p = 3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"p": np.array([1.0, np.inf])}, "p: expected finite numbers"),
        ({"q": np.ones((2, 2))}, "p and q: expected the same observables"),
        ({"epsilon": [[1.0]]}, "epsilon: expected numbers in"),
        ({"epsilon": 51.0}, "epsilon: expected numbers in"),
        ({"confidence": 0.0}, "confidence: expected a number in"),
    ],
)
def test_bad_input_is_named(change, words):
    arguments = {"p": np.ones(2), "q": np.ones(2), "epsilon": 0.0, **change}
    p, q = arguments.pop("p"), arguments.pop("q")
    with pytest.raises(ValueError, match=words):
        hockey_stick(p, q, **arguments)
