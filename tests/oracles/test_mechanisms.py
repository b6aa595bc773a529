"""Privacy curves against dp-accounting, against plain twins, and against what they describe."""

import math

import dp_accounting
import numpy as np
import pytest
from dp_accounting.pld import privacy_loss_distribution as reference_pld
from dp_accounting.pld import privacy_loss_mechanism as reference
from dp_accounting.rdp import rdp_privacy_accountant
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from oracles import mechanisms
from oracles.mechanisms import _langevin, _privacy_loss
from oracles.mechanisms._gaussian import gaussian_mu

EPSILONS = np.array([0.0, 0.01, 0.1, 0.5, 1.0, 2.0, 4.0, 8.0])
DELTAS = np.array([0.3, 0.05, 1e-3, 1e-5, 1e-8])

ONE_OF_EACH = [
    mechanisms.Gaussian(1.3),
    mechanisms.Laplace(1.5),
    mechanisms.RandomisedResponse(1.0),
    mechanisms.RandomisedResponse(2.0, categories=5),
    mechanisms.ComposedGaussian((0.5, 0.25, 1.0)),
    mechanisms.SubsampledGaussian(0.8, 0.3),
    mechanisms.SubsampledGaussian(1.0, 0.05, steps=40),
    mechanisms.CertifiedRemoval(2.0, 10.0),
    mechanisms.DescentToDelete(0.01, 1.0, 0.1, 1.0, 1000, 20),
    mechanisms.RewindToDelete(0.1, 1.0, 1.0, 0.01, 1000, 10, 100, 50),
    mechanisms.Langevin(0.1, 1.0, 0.1, 1.0, 1000, 1.0, 50),
    mechanisms.Langevin(0.1, 1.0, 0.1, 1.0, 1000, 1.0, 50, forgotten=3, requests=4),
    mechanisms.NoisyFineTuning(0.5, 1.0, 1.0, 0.01, 100, weight_decay=0.1),
]
NAMES = [repr(mechanism) for mechanism in ONE_OF_EACH]


# --- the outside reference -----------------------------------------------------------------------


@pytest.mark.parametrize("mu", [1e-3, 0.1, 1.0, 3.0, 20.0])
def test_gaussian_is_that_of_dp_accounting(mu: float) -> None:
    theirs = reference.GaussianPrivacyLoss(1 / mu)
    mine = mechanisms.Gaussian(mu)
    want = [theirs.get_delta_for_epsilon(epsilon) for epsilon in EPSILONS]
    np.testing.assert_allclose(mine.delta(EPSILONS), want, atol=1e-6)
    for delta in DELTAS:
        if delta < mine.delta(0.0):
            want = dp_accounting.get_epsilon_gaussian(1 / mu, delta)
            assert mine.epsilon(delta) == pytest.approx(want, abs=1e-6)


@pytest.mark.parametrize("epsilon0", [0.1, 1.0, 5.0])
def test_laplace_is_that_of_dp_accounting(epsilon0: float) -> None:
    theirs = reference.LaplacePrivacyLoss(1 / epsilon0)
    want = [theirs.get_delta_for_epsilon(epsilon) for epsilon in EPSILONS]
    np.testing.assert_allclose(mechanisms.Laplace(epsilon0).delta(EPSILONS), want, atol=1e-6)


@pytest.mark.parametrize("categories", [2, 3, 10])
@pytest.mark.parametrize("epsilon0", [0.1, 1.0, 5.0])
def test_randomised_response_is_that_of_dp_accounting(epsilon0: float, categories: int) -> None:
    other = categories / (math.exp(epsilon0) + categories - 1)
    theirs = reference_pld.from_randomized_response(
        other, categories, value_discretization_interval=1e-7
    )
    mine = mechanisms.RandomisedResponse(epsilon0, categories)
    want = theirs.get_delta_for_epsilon(EPSILONS)
    np.testing.assert_allclose(mine.delta(EPSILONS), want, atol=1e-6)


@pytest.mark.parametrize("rate", [0.001, 0.1, 0.7, 1.0])
@pytest.mark.parametrize("sigma", [0.5, 1.0, 4.0])
def test_one_subsampled_step_is_that_of_dp_accounting(sigma: float, rate: float) -> None:
    directions = [
        reference.GaussianPrivacyLoss(sigma, sampling_prob=rate, adjacency_type=kind)
        for kind in (reference.AdjacencyType.ADD, reference.AdjacencyType.REMOVE)
    ]
    want = [max(one.get_delta_for_epsilon(e) for one in directions) for e in EPSILONS]
    mine = mechanisms.SubsampledGaussian(sigma, rate).delta(EPSILONS)
    np.testing.assert_allclose(mine, want, atol=1e-9)


@pytest.mark.parametrize(("sigma", "rate", "steps"), [(1.0, 0.01, 100), (2.0, 0.3, 50)])
def test_composed_subsampled_steps_are_those_of_dp_accounting(
    sigma: float, rate: float, steps: int
) -> None:
    theirs = reference_pld.from_gaussian_mechanism(
        sigma, sampling_prob=rate, value_discretization_interval=1e-4
    ).self_compose(steps)
    mine = mechanisms.SubsampledGaussian(sigma, rate, steps)
    want = theirs.get_delta_for_epsilon(EPSILONS)
    np.testing.assert_allclose(mine.delta(EPSILONS), want, atol=1e-6)
    assert mine.epsilon(1e-3) == pytest.approx(theirs.get_epsilon_for_delta(1e-3), abs=1e-5)


@pytest.mark.parametrize("mechanism", ONE_OF_EACH[7:10] + ONE_OF_EACH[12:])
def test_gaussian_shifts_are_those_of_dp_accounting(mechanism: mechanisms.Gaussian) -> None:
    for delta in DELTAS[2:]:
        want = dp_accounting.get_epsilon_gaussian(1 / mechanism.mu, delta)
        assert mechanism.epsilon(delta) == pytest.approx(want, abs=1e-6)


def test_composed_gaussian_is_that_of_dp_accounting() -> None:
    theirs = reference_pld.from_gaussian_mechanism(2.0, value_discretization_interval=1e-3)
    theirs = theirs.compose(
        reference_pld.from_gaussian_mechanism(1.0, value_discretization_interval=1e-3)
    )
    mine = mechanisms.ComposedGaussian((0.5, 1.0)).delta(EPSILONS)
    np.testing.assert_allclose(mine, theirs.get_delta_for_epsilon(EPSILONS), atol=1e-6)


@pytest.mark.parametrize("requests", [1, 3])
def test_langevin_converts_as_dp_accounting_does(requests: int) -> None:
    mine = mechanisms.Langevin(0.1, 1.0, 0.1, 1.0, 1000, 1.0, 50, requests=requests)
    divergences = mine.renyi(_langevin.ORDERS)
    for delta in (1e-2, 1e-3, 1e-6):
        want, _ = rdp_privacy_accountant.compute_epsilon(_langevin.ORDERS, divergences, delta)
        assert mine.epsilon(delta) == pytest.approx(want, abs=1e-6)
    for epsilon in (0.2, 0.5, 1.0):
        want, _ = rdp_privacy_accountant.compute_delta(_langevin.ORDERS, divergences, epsilon)
        pinsker = math.sqrt(divergences.min() / 2)
        assert mine.delta(epsilon) == pytest.approx(min(want, pinsker), abs=1e-6)


# --- curves and their inverses -------------------------------------------------------------------


@pytest.mark.parametrize("mechanism", ONE_OF_EACH, ids=NAMES)
def test_epsilon_inverts_delta(mechanism: mechanisms.Mechanism) -> None:
    deltas = np.concatenate([np.geomspace(1e-9, 0.99, 60), [1.0]])
    epsilons = mechanism.epsilon(deltas)
    assert (np.diff(epsilons) <= 0).all()
    back = mechanism.delta(epsilons)
    assert (back <= deltas * (1 + 1e-12) + 1e-15).all()
    inside = epsilons > 0
    exact = inside & (epsilons < getattr(mechanism, "epsilon0", np.inf))
    np.testing.assert_allclose(back[exact], deltas[exact], rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("mechanism", ONE_OF_EACH, ids=NAMES)
def test_delta_falls_and_is_vectorised(mechanism: mechanisms.Mechanism) -> None:
    grid = np.linspace(0, 12, 481)
    curve = mechanism.delta(grid)
    assert ((curve >= 0) & (curve <= 1)).all()
    assert (np.diff(curve) <= 1e-12).all()
    # Convex in the factor e^epsilon: a supremum of straight lines (Rényi bounds need not be).
    if not isinstance(mechanism, mechanisms.Langevin):
        slopes = np.diff(curve) / np.diff(np.exp(grid))
        assert (np.diff(slopes) >= -1e-9).all()
    square = grid[:480].reshape(2, 3, 80)
    np.testing.assert_array_equal(mechanism.delta(square).ravel(), curve[:480])
    assert isinstance(mechanism.delta(0.5), float)
    assert isinstance(mechanism.epsilon(0.01), float)
    assert mechanism.delta(np.array([])).shape == (0,)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(mu=st.floats(1e-6, 30), delta=st.floats(1e-250, 1 - 1e-9))
def test_gaussian_inverse_holds_everywhere(mu: float, delta: float) -> None:
    mechanism = mechanisms.Gaussian(mu)
    epsilon = mechanism.epsilon(delta)
    assert mechanism.delta(epsilon) <= delta
    if epsilon > 0:
        assert mechanism.delta(epsilon * (1 - 1e-9)) >= delta * (1 - 1e-6)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(epsilon=st.floats(0, 50), delta=st.floats(1e-30, 0.999))
def test_gaussian_mu_is_the_greatest(epsilon: float, delta: float) -> None:
    mu = gaussian_mu(epsilon, delta)
    assert mechanisms.Gaussian(mu).delta(epsilon) <= delta
    assert mechanisms.Gaussian(mu * (1 + 1e-6)).delta(epsilon) >= delta * (1 - 1e-9)


def test_gaussian_tail_keeps_its_digits() -> None:
    # Phi(mu/2 - e/mu) - exp(e) Phi(-mu/2 - e/mu) with mpmath at 60 digits.
    for mu, epsilon, want in (
        (0.1, 3.0, 7.304806101754676e-200),
        (1.0, 20.0, 2.6647067053654977e-86),
        (0.5, 12.0, 1.128860275444373e-126),
        (0.001, 0.03, 1.6566203950429384e-202),
        (30.0, 1.0, 1.0),
    ):
        assert mechanisms.Gaussian(mu).delta(epsilon) == pytest.approx(want, rel=1e-9, abs=0)


def test_nothing_to_hide_needs_nothing() -> None:
    for mechanism in (
        mechanisms.Gaussian(0.0),
        mechanisms.Laplace(0.0),
        mechanisms.RandomisedResponse(0.0),
        mechanisms.RewindToDelete(0.1, 1.0, 1.0, 0.01, 100, 1, 10, 10),
        mechanisms.DescentToDelete(0.1, 1.0, 1.0, 1.0, 100, 3),
    ):
        assert mechanism.delta(0.0) == 0.0
        assert mechanism.epsilon(0.0) == 0.0


def test_pure_delta_zero() -> None:
    assert mechanisms.Gaussian(1.0).epsilon(0.0) == math.inf
    assert mechanisms.Langevin(0.1, 1.0, 0.1, 1.0, 1000, 1.0, 50).epsilon(0.0) == math.inf
    assert mechanisms.SubsampledGaussian(1.0, 0.05, steps=40).epsilon(1e-20) == math.inf
    assert mechanisms.Laplace(1.5).epsilon(0.0) == 1.5
    assert mechanisms.RandomisedResponse(1.5).epsilon(0.0) == 1.5


# --- plain twins ---------------------------------------------------------------------------------


@pytest.mark.parametrize("epsilon", [0.0, 0.7, 2.0])
def test_curves_are_integrals_of_positive_parts(epsilon: float) -> None:
    pairs = [
        (mechanisms.Gaussian(1.3), stats.norm(1.3).pdf, stats.norm().pdf),
        (mechanisms.Laplace(2.5), stats.laplace(2.5).pdf, stats.laplace().pdf),
        (
            mechanisms.SubsampledGaussian(0.8, 0.3),
            lambda x: 0.7 * stats.norm(0, 0.8).pdf(x) + 0.3 * stats.norm(1, 0.8).pdf(x),
            stats.norm(0, 0.8).pdf,
        ),
    ]
    x = np.linspace(-30, 30, 2_000_001)
    for mechanism, p, q in pairs:
        both = [
            integrate.trapezoid(np.maximum(a(x) - np.exp(epsilon) * b(x), 0), x)
            for a, b in ((p, q), (q, p))
        ]
        assert mechanism.delta(epsilon) == pytest.approx(max(both), abs=1e-8)


def test_randomised_response_sums_positive_parts() -> None:
    for categories in (2, 4):
        mechanism = mechanisms.RandomisedResponse(1.2, categories)
        p = np.array([np.exp(1.2)] + [1.0] * (categories - 1))
        p /= p.sum()
        for epsilon in (0.0, 0.4, 1.1, 1.3):
            want = np.maximum(p - np.exp(epsilon) * p[::-1], 0).sum()
            assert mechanism.delta(epsilon) == pytest.approx(want, abs=1e-14)


def test_composition_is_convolution() -> None:
    rng = np.random.default_rng(0)
    mass = rng.random(9)
    loss = _privacy_loss.PrivacyLoss(0.1, -4, mass / mass.sum() * 0.99, 0.01)
    five = _privacy_loss.compose(loss, 5)
    plain = np.ones(1)
    for _ in range(5):
        plain = np.convolve(plain, loss.mass)
    losses = 0.1 * (5 * -4 + np.arange(plain.size))
    for epsilon in (0.0, 0.05, 0.6, 1.9):
        kept = losses > epsilon
        want = (plain * -np.expm1(epsilon - losses))[kept].sum() + 1 - 0.99**5
        assert five.delta(np.array([epsilon]))[0] == pytest.approx(want, abs=1e-12)


def test_composition_never_claims_too_little() -> None:
    for steps, sigma in ((2, 1.0), (30, 5.0), (400, 30.0), (10_000, 200.0)):
        mine = mechanisms.SubsampledGaussian(sigma, 1.0, steps).delta(EPSILONS)
        exact = mechanisms.Gaussian(math.sqrt(steps) / sigma).delta(EPSILONS)
        assert (mine >= exact).all()
        np.testing.assert_allclose(mine, exact, atol=5e-8, rtol=0)


def test_a_coarser_grid_is_looser() -> None:
    fine, coarse = (
        mechanisms.SubsampledGaussian(1.0, 0.2, 20, grid=grid).delta(EPSILONS)
        for grid in (1e-4, 3e-2)
    )
    assert (coarse >= fine - 1e-13).all()
    assert coarse[3] > fine[3]


# --- samples -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "mechanism", [m for m in ONE_OF_EACH if isinstance(m, mechanisms.SampledMechanism)]
)
def test_samples_show_the_curve(mechanism: mechanisms.SampledMechanism) -> None:
    n = 20_000
    p, q = mechanism.sample(np.random.default_rng(7), n)
    assert p.shape == q.shape == (n,)
    for epsilon in (0.0, 0.3):
        values = np.unique(np.concatenate([p, q]))
        found = 0.0
        for a, b in ((p, q), (q, p)):
            for sign in (1, -1):
                above_a = np.searchsorted(np.sort(sign * a), np.sort(sign * values), side="left")
                above_b = np.searchsorted(np.sort(sign * b), np.sort(sign * values), side="left")
                found = max(found, ((n - above_a) - np.exp(epsilon) * (n - above_b)).max() / n)
        # Plug-in over all half-lines: its error is at most the sum of two DKW deviations, each
        # beyond 1.95/sqrt(n) with probability 0.001; 14 mechanisms at 2 epsilons share draws.
        assert abs(found - mechanism.delta(epsilon)) < 1.95 / math.sqrt(n) * (1 + math.exp(epsilon))


def test_sampling_repeats_with_the_seed() -> None:
    mechanism = mechanisms.Gaussian(1.0)
    first = mechanism.sample(np.random.default_rng(3), 5)
    second = mechanism.sample(np.random.default_rng(3), 5)
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first[0], first[1] + 1)


# --- what the certified procedures do ------------------------------------------------------------


def test_descent_to_delete_stays_within_its_sensitivity() -> None:
    # Quadratics a/2 (w - c)^2 with |c| <= 1 and |w| <= 1: M = 2L. Alternating centres deleted.
    convexity, smoothness, n, iterations = 0.5, 2.0, 20, 3
    rng = np.random.default_rng(0)
    bound = mechanisms.DescentToDelete(
        1.0, 2 * smoothness, convexity, smoothness, n, iterations
    ).sensitivity
    step = 2 / (smoothness + convexity)
    worst = 0.0
    for _ in range(200):
        curve, centre = rng.uniform(convexity, smoothness, n), rng.choice([-1.0, 1.0], n)

        def descend(w: float, keep: np.ndarray, steps: int, a=curve, c=centre) -> float:
            for _ in range(steps):
                w -= step * np.mean(a[keep] * (w - c[keep]))
            return w

        w = descend(0.0, np.arange(n), 60)
        for left in range(n - 1, n // 2 - 1, -1):
            keep = np.arange(left)
            w = descend(w, keep, iterations)
            worst = max(worst, abs(w - descend(0.0, keep, 60)))
    assert 0 < worst <= bound


def test_descent_to_delete_published_noise_gives_its_epsilon() -> None:
    epsilon, delta, power = 0.8, 1e-4, (0.9 / 1.1) ** 20
    root = math.sqrt(math.log(1 / delta))
    sigma = (
        4
        * math.sqrt(2)
        * power
        / (0.1 * 1000 * (1 - power) * (math.sqrt(root**2 + epsilon) - root))
    )
    mechanism = mechanisms.DescentToDelete(sigma, 1.0, 0.1, 1.0, 1000, 20)
    assert mechanism.published_epsilon(delta) == pytest.approx(epsilon, rel=1e-12)
    assert mechanism.epsilon(delta) < epsilon


def test_rewind_to_delete_stays_within_its_sensitivity() -> None:
    # Nonconvex sin losses of smoothness 1 and slope at most 1.
    n, m, steps, rate = 12, 2, 30, 0.2
    rng = np.random.default_rng(1)
    for rewound in (0, 10, 25, 30):
        bound = mechanisms.RewindToDelete(1.0, 1.0, 1.0, rate, n, m, steps, rewound).sensitivity
        worst = 0.0
        for _ in range(200):
            phase = rng.uniform(0, 2 * np.pi, n)
            full = without = 0.3
            for step in range(steps):
                seen = phase[m:] if step >= steps - rewound else phase
                full -= rate * np.cos(full + seen).mean()
                without -= rate * np.cos(without + phase[m:]).mean()
            worst = max(worst, abs(full - without))
        assert worst <= bound + 1e-15
        assert (worst > 0) == (rewound < steps)


@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_noisy_fine_tuning_is_attained_by_opposite_runs(decay: float) -> None:
    mechanism = mechanisms.NoisyFineTuning(0.4, 1.5, 2.0, 0.05, 37, weight_decay=decay)
    difference, variance = 2 * 1.5, 0.0
    for _ in range(37):
        difference = (1 - 0.05 * decay) * difference + 2 * 0.05 * 2.0
        variance = (1 - 0.05 * decay) ** 2 * variance + 0.4**2
    assert mechanism.shift == pytest.approx(difference, rel=1e-12)
    assert mechanism.mu == pytest.approx(difference / math.sqrt(variance), rel=1e-12)


def test_noisy_fine_tuning_is_continuous_in_the_decay() -> None:
    mus = [
        mechanisms.NoisyFineTuning(0.4, 1.5, 2.0, 0.05, 37, weight_decay=decay).mu
        for decay in (0.0, 1e-12)
    ]
    assert mus[0] == pytest.approx(mus[1], rel=1e-9)


@pytest.mark.parametrize("delta", [0.1, 1e-5])
def test_noisy_fine_tuning_calibrates(delta: float) -> None:
    settings_ = {"model_norm": 1.0, "gradient_norm": 0.5, "learning_rate": 0.1, "steps": 20}
    mechanism = mechanisms.NoisyFineTuning.calibrated(epsilon=1.0, delta=delta, **settings_)
    assert delta * (1 - 1e-9) <= mechanism.delta(1.0) <= delta * (1 + 1e-12)
    # The valid route through Rényi orders needs more noise; dropping the order needs less.
    rho = mechanism.mu**2 / 2
    assert rho + 2 * math.sqrt(rho * math.log(1 / delta)) > 1.0


def test_langevin_bounds_the_exact_chain_on_quadratics() -> None:
    # One-dimensional F = m/2 (w - c)^2 with the centre moved as far as one replaced row can.
    m, lipschitz, n, rate, sigma = 0.5, 1.0, 20, 0.8, 0.3
    apart = 2 * lipschitz / (n * m)
    variance = 2 * rate * sigma**2 / (1 - (1 - rate * m) ** 2)
    orders = np.array([1.1, 2.0, 8.0, 50.0])
    for steps in (0, 1, 5, 40):
        bound = mechanisms.Langevin(sigma, lipschitz, m, m, n, rate, steps)
        exact = orders * (apart * (1 - rate * m) ** steps) ** 2 / (2 * variance)
        assert (exact <= bound.renyi(orders)).all()
        gap = apart * (1 - rate * m) ** steps / math.sqrt(variance)
        assert mechanisms.Gaussian(gap).epsilon(1e-4) <= bound.epsilon(1e-4)
    # Three requests that push the centre the same way each time.
    for steps in (1, 5):
        bound = mechanisms.Langevin(sigma, lipschitz, m, m, n, rate, steps, requests=3)
        lag = 0.0
        for _ in range(3):
            lag = (lag + apart) * (1 - rate * m) ** steps
        assert (orders * lag**2 / (2 * variance) <= bound.renyi(orders)).all()


def test_newton_step_residual_is_within_the_worst_case() -> None:
    """With the noise in the objective, at most ``unlikely`` of its draws break the bound."""
    rng = np.random.default_rng(4)
    n, d, ridge, sigma, draws = 60, 3, 0.05, 6.0, 200
    x = rng.normal(size=(n, d))
    x /= np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1.0)
    y = rng.choice([-1.0, 1.0], n)

    def gradient(w: np.ndarray, rows: slice, b: np.ndarray) -> np.ndarray:
        s = 1 / (1 + np.exp(y[rows] * (x[rows] @ w)))
        return -(s * y[rows]) @ x[rows] + ridge * len(y[rows]) * w + b

    def hessian(w: np.ndarray, rows: slice) -> np.ndarray:
        s = 1 / (1 + np.exp(-x[rows] @ w))
        return (x[rows].T * (s * (1 - s))) @ x[rows] + ridge * len(y[rows]) * np.eye(d)

    bound = mechanisms.CertifiedRemoval.worst_case(
        sigma=sigma, removals=1, examples=n, regularisation=ridge, dimension=d, unlikely=0.01
    )
    left, beyond = slice(1, n), 0
    for noise in sigma * rng.normal(size=(draws, d)):
        w = np.zeros(d)
        for _ in range(40):
            w -= np.linalg.solve(hessian(w, slice(0, n)), gradient(w, slice(0, n), noise))
        assert np.linalg.norm(gradient(w, slice(0, n), noise)) < 1e-8
        w -= np.linalg.solve(hessian(w, left), gradient(w, left, noise))
        beyond += np.linalg.norm(gradient(w, left, noise)) > bound.residual
    # Expected at most 2 of 200; more than 8 have probability 0.0002.
    assert beyond <= 8
    assert bound.delta(0.5) == pytest.approx(mechanisms.Gaussian(bound.mu).delta(0.5) + 0.01)
    assert bound.epsilon(0.005) == math.inf


def test_published_removal_claim_is_looser_when_small_and_wrong_when_large() -> None:
    small = mechanisms.CertifiedRemoval(1.0, 10.0)
    assert small.published_epsilon(1e-4) > small.epsilon(1e-4)
    large = mechanisms.CertifiedRemoval(4.0, 1.0)
    assert large.published_epsilon(0.2) < large.epsilon(0.2)


def test_worst_case_residual_adds_up() -> None:
    one = [
        mechanisms.CertifiedRemoval.worst_case(
            sigma=1.0, removals=1, examples=n, regularisation=0.1, dimension=2, unlikely=1e-6
        ).residual
        for n in (100, 99, 98)
    ]
    three = mechanisms.CertifiedRemoval.worst_case(
        sigma=1.0, removals=3, examples=100, regularisation=0.1, dimension=2, unlikely=1e-6
    )
    assert three.residual == pytest.approx(sum(one), rel=1e-14)
    steepest = 1 + math.sqrt(-2 * math.log(1e-6)) / 200
    assert one[0] == pytest.approx(4 * 0.25 * steepest**2 / (0.1**2 * 99), rel=1e-9)


# --- claims and names ----------------------------------------------------------------------------


@pytest.mark.parametrize("mechanism", ONE_OF_EACH, ids=NAMES)
def test_claims_say_what_they_rest_on(mechanism: mechanisms.Mechanism) -> None:
    claim = mechanism.claim(1e-3)
    assert (claim.epsilon, claim.delta) == (mechanism.epsilon(1e-3), 1e-3)
    assert claim.mechanism == repr(mechanism)
    assert claim.source
    assert claim.assumptions
    text = str(claim)
    assert all(part in text for part in (claim.mechanism, claim.source, *claim.assumptions))


def test_every_mechanism_has_a_name_and_is_built_from_text() -> None:
    classes = {type(mechanism) for mechanism in ONE_OF_EACH}
    assert set(mechanisms.MECHANISMS.values()) == classes
    built = mechanisms.mechanism(
        "subsampled-gaussian", {"noise_multiplier": "1.0", "rate": "0.05", "steps": "40"}
    )
    assert built == ONE_OF_EACH[6]
    assert mechanisms.mechanism("composed-gaussian", {"mus": "0.5,0.25,1"}) == ONE_OF_EACH[4]
    assert mechanisms.mechanism("laplace", {"epsilon0": 1.5}) == ONE_OF_EACH[1]


@pytest.mark.parametrize(
    ("name", "given_", "message"),
    [
        ("gausian", {}, r"found 'gausian'; did you mean 'gaussian'\?"),
        ("gaussian", {"sigma": 1.0}, r"gaussian: expected one setting of mu, found 'sigma'"),
        ("gaussian", {}, r"expected settings mu; missing mu"),
        ("gaussian", {"mu": "wide"}, r"gaussian: mu: expected a number, found 'wide'"),
        ("gaussian", {"mu": "-1"}, r"gaussian: mu: expected a finite number of at least 0"),
        ("composed-gaussian", {"mus": "1,a"}, r"mus: expected numbers between commas"),
        (
            "randomised-response",
            {"epsilon0": "1", "categories": "2.5"},
            r"categories: expected a whole number, found '2.5'",
        ),
    ],
)
def test_bad_names_and_settings(name: str, given_: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mechanisms.mechanism(name, given_)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: mechanisms.Gaussian(-1.0), "mu: expected a finite number of at least 0"),
        (lambda: mechanisms.Gaussian(math.nan), "mu: .* found nan"),
        (lambda: mechanisms.Laplace(math.inf), "epsilon0: .* found inf"),
        (lambda: mechanisms.RandomisedResponse(1.0, 1), "categories: .* at least 2, found 1"),
        (lambda: mechanisms.ComposedGaussian(()), "mus: expected at least one"),
        (lambda: mechanisms.ComposedGaussian((1.0, -1.0)), r"mus\[1\]"),
        (lambda: mechanisms.SubsampledGaussian(0.0, 0.1), "noise_multiplier: .* greater than 0"),
        (lambda: mechanisms.SubsampledGaussian(1.0, 1.5), r"rate: .* in \(0, 1\], found 1.5"),
        (lambda: mechanisms.SubsampledGaussian(1.0, 0.5, 0), "steps: .* at least 1, found 0"),
        (lambda: mechanisms.SubsampledGaussian(1.0, 0.5, 2, grid=1.0), "grid"),
        (lambda: mechanisms.CertifiedRemoval(1.0, 0.0), "sigma"),
        (
            lambda: mechanisms.CertifiedRemoval.worst_case(
                sigma=1.0,
                removals=5,
                examples=5,
                regularisation=0.1,
                dimension=2,
                unlikely=0.1,
            ),
            r"removals: .* in \[1, 5\), found 5",
        ),
        (
            lambda: mechanisms.DescentToDelete(1.0, 1.0, 2.0, 1.0, 10, 1),
            "smoothness: expected at least the convexity 2, found 1.0",
        ),
        (
            lambda: mechanisms.RewindToDelete(1.0, 1.0, 1.0, 0.1, 10, 10, 5, 2),
            r"forgotten: .* in \[1, 9\], found 10",
        ),
        (
            lambda: mechanisms.RewindToDelete(1.0, 1.0, 1.0, 0.1, 10, 1, 5, 6),
            r"rewound: .* in \[0, 5\], found 6",
        ),
        (
            lambda: mechanisms.Langevin(1.0, 1.0, 1.0, 2.0, 10, 0.6, 5),
            "learning_rate: expected at most 1/smoothness = 0.5, found 0.6",
        ),
        (lambda: mechanisms.Langevin(1.0, 1.0, 1.0, 0.5, 10, 0.1, 5), "smoothness"),
        (
            lambda: mechanisms.NoisyFineTuning(1.0, 1.0, 1.0, 1.0, 5, weight_decay=1.0),
            "weight_decay: expected learning_rate",
        ),
        (
            lambda: mechanisms.NoisyFineTuning.calibrated(
                epsilon=1.0,
                delta=1e-5,
                model_norm=0.0,
                gradient_norm=0.0,
                learning_rate=0.1,
                steps=3,
            ),
            "expected one above 0",
        ),
        (lambda: mechanisms.Claim(-1.0, 0.1), "epsilon: expected a number of at least 0"),
        (lambda: mechanisms.Claim(1.0, 1.1), r"delta: expected a number in \[0, 1\]"),
        (lambda: mechanisms.Gaussian(1.0).delta(-0.1), "epsilon: expected finite numbers"),
        (lambda: mechanisms.Gaussian(1.0).delta(np.array([1.0, np.inf])), "epsilon"),
        (lambda: mechanisms.Gaussian(1.0).epsilon(1.5), r"delta: expected numbers in \[0, 1\]"),
        (lambda: mechanisms.Gaussian(1.0).sample(np.random.default_rng(0), 0), "n: .* least 1"),
        (lambda: gaussian_mu(1.0, 0.0), r"delta: expected a number in \(0, 1\)"),
        (lambda: mechanisms.CertifiedRemoval(1.0, 1.0).published_epsilon(0.0), "delta"),
    ],
)
def test_bad_settings(build, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()
