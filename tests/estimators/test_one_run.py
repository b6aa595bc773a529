import numpy as np
import pytest
from scipy import stats
from scipy.optimize import linprog

from estimators.exact._gaussian_profile import gaussian_delta
from estimators.one_run._one_run import (
    BinomialGuesses,
    TradeoffGuesses,
    guess_counts,
    one_run_epsilon,
    one_run_epsilon_from_counts,
)
from estimators.one_run._one_run_tail import (
    ApproximateTradeoff,
    GaussianTradeoff,
    binomial_pvalue,
    tail_possible,
)
from tests.estimators.pairs import limit

METHODS = [
    (BinomialGuesses(), 0.0),
    (BinomialGuesses(), 1e-5),
    (TradeoffGuesses("approximate"), 0.0),
    (TradeoffGuesses("approximate"), 1e-3),
    (TradeoffGuesses("gaussian"), 1e-3),
]


def plain_pvalue(v: int, r: int, m: int, epsilon: float, delta: float) -> float:
    law = stats.binom(r, np.exp(epsilon) / (1 + np.exp(epsilon)))
    steepest = max((law.cdf(v - 1) - law.cdf(v - 1 - i)) / i for i in range(1, m + 1)) if v else 0
    return min(law.sf(v - 1) + 2 * m * delta * steepest, 1)


@pytest.mark.parametrize(("v", "r", "m"), [(0, 5, 9), (9, 10, 20), (60, 80, 100), (100, 100, 100)])
@pytest.mark.parametrize("delta", [0.0, 1e-6, 1e-3])
def test_binomial_pvalue_agrees_with_the_plain_formula(
    v: int, r: int, m: int, delta: float
) -> None:
    grid = np.array([0.0, 0.3, 1.0, 2.5])
    plain = [plain_pvalue(v, r, m, e, delta) for e in grid]
    found = binomial_pvalue(v, r, m, grid, delta)
    assert (found >= np.array(plain) - 1e-12).all()
    # Beyond any level of interest the running maximum makes it larger.
    small = np.array(plain) < 0.5
    np.testing.assert_allclose(found[small], np.array(plain)[small], rtol=1e-7, atol=1e-12)


def plain_possible(v: int, r: int, m: int, tail: float, epsilon: float, delta: float) -> bool:
    """The constraints of the (eps, delta) trade-off function as a linear programme."""
    counts = np.arange(r + 1)
    rows, limits = [], []
    for c in range(1, r + 1):
        right = np.where(counts >= c, counts / m, 0)
        wrong = np.where(counts >= c - 1, (r - counts) / m, 0)
        rows += [right - np.exp(epsilon) * wrong, right - np.exp(-epsilon) * wrong]
        limits += [delta, 1 - np.exp(-epsilon) * (1 - delta)]
    equal = np.stack([np.ones(r + 1), counts >= v])
    found = linprog(
        np.zeros(r + 1), A_ub=rows, b_ub=limits, A_eq=equal, b_eq=[1, tail], method="highs"
    )
    return found.status == 0


@pytest.mark.parametrize(("v", "r", "m"), [(5, 5, 5), (9, 12, 30), (20, 25, 25), (28, 30, 30)])
@pytest.mark.parametrize("delta", [0.0, 0.01])
def test_recursion_agrees_with_the_linear_programme(v: int, r: int, m: int, delta: float) -> None:
    grid = np.linspace(0, 4, 21)
    for tail in (0.05, 0.3):
        found = tail_possible(np.array([v]), r, m, tail, ApproximateTradeoff(delta), grid[None])[0]
        plain = [plain_possible(v, r, m, tail, e, delta) for e in grid]
        # The two may differ where the boundary is hit to rounding.
        assert (found == plain).sum() >= 20
        assert (np.diff(found.astype(int)) >= 0).all()


def test_inverses_of_the_tradeoff_functions() -> None:
    power = np.linspace(0.05, 0.99, 9)
    error = GaussianTradeoff().inverse(np.full(9, 1.3), power)
    np.testing.assert_allclose(1 - stats.norm.cdf(stats.norm.isf(error) - 1.3), power)
    family, epsilon, delta = ApproximateTradeoff(0.02), 0.7, 0.02
    error = family.inverse(np.full(9, epsilon), power)
    f = np.maximum(1 - delta - np.exp(epsilon) * error, np.exp(-epsilon) * (1 - delta - error))
    np.testing.assert_allclose(1 - np.maximum(f, 0), power)


@pytest.mark.parametrize(("method", "delta"), METHODS)
def test_bound_is_least_for_which_the_counts_are_not_rejected(
    method: BinomialGuesses | TradeoffGuesses, delta: float
) -> None:
    result = one_run_epsilon_from_counts(
        np.array([90, 95, 100]), np.full(3, 100), examples=200, delta=delta, method=method
    )
    assert (np.diff(result.bound) > 0).all()
    parameter = result.bound if result.mu is None else result.mu
    for v, value in zip((90, 95, 100), parameter, strict=True):
        near = value + np.array([-1e-6, 1e-6])
        if isinstance(method, BinomialGuesses):
            kept = binomial_pvalue(v, 100, 200, near, delta) > 0.05
        else:
            gaussian = method.family == "gaussian"
            family = GaussianTradeoff() if gaussian else ApproximateTradeoff(delta)
            kept = tail_possible(np.array([v]), 100, 200, 0.05, family, near[None])[0]
        assert list(kept) == [False, True]
    if result.mu is not None:
        assert gaussian_delta(result.mu[0], result.bound[0]) == pytest.approx(delta, rel=1e-6)


def test_all_right_gives_the_known_limit() -> None:
    right = np.array([10, 100, 1000])
    share = 0.05 ** (1 / right)
    found = one_run_epsilon_from_counts(right, right, examples=1000).bound
    np.testing.assert_allclose(found, np.log(share / (1 - share)), atol=1e-6)
    assert (found <= np.log(share / (1 - share))).all()


def test_the_tradeoff_bound_survives_a_delta_at_which_the_binomial_fails() -> None:
    counts = {"correct": np.array(75), "guesses": np.array(100), "examples": 1000, "delta": 1e-3}
    assert one_run_epsilon_from_counts(**counts, method=BinomialGuesses()).bound == 0
    assert one_run_epsilon_from_counts(**counts).bound > 0.55
    assert "approximate" in one_run_epsilon_from_counts(**counts).method


@pytest.mark.parametrize("m", [20, 200, 1000])
@pytest.mark.parametrize(("method", "delta"), METHODS[:4])
def test_coverage_on_randomised_response(
    m: int, method: BinomialGuesses | TradeoffGuesses, delta: float
) -> None:
    # Every membership released with chance e/(1+e) of being right: epsilon is 1, exactly.
    repeats, alpha, draw = 1_000, 0.1, np.random.default_rng(127)
    right = draw.binomial(m, np.e / (1 + np.e), repeats)
    result = one_run_epsilon_from_counts(
        right, np.full(repeats, m), examples=m, delta=delta, method=method, confidence=1 - alpha
    )
    assert (result.bound > 1.0).mean() <= limit(repeats, alpha)
    if m == 1000:
        assert np.median(result.bound) > 0.8


@pytest.mark.parametrize("shared", [False, True])
def test_coverage_of_mu_on_gaussian_mechanisms(shared: bool) -> None:
    # Each membership moves the output by mu, alone or all in one coordinate of common noise.
    m, repeats, alpha, mu, delta = 40, 1_000, 0.1, 1.5, 1e-3
    draw = np.random.default_rng(131)
    member = draw.random(m) < 0.5
    if shared:
        # Codes of unit length: the output is their sum over the members, plus noise.
        codes = draw.normal(size=(m, 25))
        codes /= np.linalg.norm(codes, axis=1, keepdims=True)
        output = mu * member @ codes + draw.normal(size=(repeats, 25))
        scores = codes @ (output - mu * codes.sum(axis=0) / 2).T
    else:
        scores = mu * member[:, None] + draw.normal(size=(m, repeats))
    for method in (TradeoffGuesses("gaussian"), TradeoffGuesses("approximate")):
        result = one_run_epsilon(
            scores, member, delta=delta, method=method, confidence=1 - alpha, guesses=(40, 10)
        )
        assert result.bound.shape == (repeats,)
        if result.mu is not None:
            assert (result.mu > mu).mean() <= limit(repeats, alpha)
        truth = 1.5 * (0.75 + np.sqrt(2 * np.log(1 / delta)))
        assert (result.bound > truth).mean() <= limit(repeats, alpha)


@pytest.mark.parametrize("method", [BinomialGuesses(), TradeoffGuesses("approximate")])
def test_coverage_with_a_catastrophe_of_probability_delta(
    method: BinomialGuesses | TradeoffGuesses,
) -> None:
    # With probability delta everything is revealed, otherwise nothing: (0, delta)-private.
    m, repeats, alpha, delta = 100, 4_000, 0.05, 0.04
    draw = np.random.default_rng(137)
    right = draw.binomial(m, 0.5, repeats)
    right[draw.random(repeats) < delta] = m
    result = one_run_epsilon_from_counts(
        right, np.full(repeats, m), examples=m, delta=delta, method=method, confidence=1 - alpha
    )
    assert (result.bound > 0.0).mean() <= limit(repeats, alpha)
    pure = one_run_epsilon_from_counts(
        right, np.full(repeats, m), examples=m, confidence=1 - alpha, method=BinomialGuesses()
    )
    assert (pure.bound > 0.0).mean() > limit(repeats, alpha)


def test_the_best_of_many_numbers_of_guesses_is_paid_for() -> None:
    m, repeats, alpha, draw = 128, 1_000, 0.1, np.random.default_rng(139)
    member = draw.random(m) < 0.5
    scores = draw.normal(size=(m, repeats))
    numbers = tuple(range(4, 129, 4))
    for guesses in (numbers, None):
        bound = one_run_epsilon(scores, member, guesses=guesses, confidence=1 - alpha).bound
        assert (bound > 0.0).mean() <= limit(repeats, alpha)
    uncorrected = [
        one_run_epsilon(scores, member, guesses=(r,), confidence=1 - alpha).bound for r in numbers
    ]
    assert (np.max(uncorrected, axis=0) > 0.0).mean() > limit(repeats, 2 * alpha)


def test_epsilon_of_the_gaussian_family_is_wrong_for_another_mechanism() -> None:
    # Randomised response with epsilon 1 has no Gaussian trade-off function: mu holds, epsilon not.
    m, repeats, draw = 1000, 300, np.random.default_rng(149)
    right = draw.binomial(m, np.e / (1 + np.e), repeats)
    result = one_run_epsilon_from_counts(
        right, np.full(repeats, m), examples=m, delta=1e-5, method=TradeoffGuesses("gaussian")
    )
    assert (result.bound > 1.0).mean() > 0.9
    assert any("trade-off function is Gaussian" in text for text in result.assumptions)


def test_guesses_are_the_extremes_and_ties_are_left_out() -> None:
    member = np.array([True, False, True, False, True, False])
    scores = np.array([[6.0, 1.0, 5.0, 2.0, 3.0, 4.0], [1.0, 1.0, 1.0, 1.0, 0.0, 2.0]]).T
    correct, made = guess_counts(scores, member, 4)
    assert list(correct) == [4, 0]
    assert list(made) == [4, 2]
    correct, made = guess_counts(scores, member, 6)
    assert list(correct) == [4, 0]
    assert list(made) == [6, 2]
    shuffle = np.array([3, 5, 0, 1, 4, 2])
    again = guess_counts(scores[shuffle], member[shuffle], 4)
    assert list(again[0]) == [4, 0]
    constant = one_run_epsilon(np.ones((50, 2)), np.arange(50) < 25)
    assert constant.bound.max() == 0


def test_shapes_table_and_too_few_examples() -> None:
    draw = np.random.default_rng(151)
    member = draw.random(64) < 0.5
    scores = draw.normal(size=(64, 2, 3)) + 2 * member[:, None, None]
    result = one_run_epsilon(scores, member, delta=1e-4, method=TradeoffGuesses("gaussian"))
    assert result.bound.shape == result.correct.shape == (2, 3)
    assert result.mu is not None
    assert result.mu.min() > 0
    assert "mu" in result.to_dataframe()
    assert "one run" in str(result)
    tight = one_run_epsilon(scores, member, confidence=0.5).bound
    assert (tight > one_run_epsilon(scores, member).bound).all()
    few = one_run_epsilon(np.arange(3.0), np.array([False, True, True]))
    assert few.undetermined
    assert "undetermined" in str(few)


def test_refuses_bad_input() -> None:
    ones = np.ones(4)
    with pytest.raises(TypeError, match="member"):
        one_run_epsilon(ones, np.ones(3, dtype=bool))
    with pytest.raises(ValueError, match="guesses: expected numbers from 1 to 4"):
        one_run_epsilon(ones, ones > 0, guesses=(5,))
    with pytest.raises(ValueError, match="delta: expected a number above 0"):
        one_run_epsilon(ones, ones > 0, method=TradeoffGuesses("gaussian"))
    with pytest.raises(ValueError, match="expected 0 <= correct <= guesses <= examples"):
        one_run_epsilon_from_counts(np.array(3), np.array(2), examples=9)
    with pytest.raises(ValueError, match="expected one shape"):
        one_run_epsilon_from_counts(np.array([1]), np.array(2), examples=9)
    with pytest.raises(TypeError, match="family"):
        TradeoffGuesses("laplace")
