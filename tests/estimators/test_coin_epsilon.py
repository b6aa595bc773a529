"""The bound of a whole forget set by coins: its exact law, its validity, and how sharp it is."""

import itertools
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimators import CoinWeights, coin_ceiling, coin_epsilon
from estimators.one_run._tail_of_sums import Law, log_tail
from indist import estimators

LAWS: tuple[Law, ...] = ("fair coins", "fixed size")


def listed_tail(weights: np.ndarray, chosen: np.ndarray, law: Law) -> float:
    """The probability by listing all choices."""
    choices = np.array(list(itertools.product([0, 1], repeat=len(weights))))
    if law == "fixed size":
        choices = choices[choices.sum(axis=1) == chosen.sum()]
    return float(np.mean(choices @ weights >= chosen @ weights))


def exact_tail(weights: np.ndarray, chosen: np.ndarray, law: Law) -> Fraction:
    """The probability in whole numbers, by counting choices of each number and sum."""
    counts: dict[tuple[int, int], int] = {(0, 0): 1}
    for weight in weights.tolist():
        grown = dict(counts)
        for (size, total), number in counts.items():
            key = (size + 1, total + weight)
            grown[key] = grown.get(key, 0) + number
        counts = grown
    up, least = int(chosen.sum()), int(chosen @ weights)
    if law == "fixed size":
        ours = sum(n for (size, total), n in counts.items() if size == up and total >= least)
        return Fraction(ours, math.comb(len(weights), up))
    ours = sum(n for (_, total), n in counts.items() if total >= least)
    return Fraction(ours, 2 ** len(weights))


def little(weights: np.ndarray, chosen: np.ndarray, law: Law) -> bool:
    """Whether a sum is half a standard deviation above its mean, or less: that counts as 1."""
    m, up = len(weights), int(chosen.sum())
    spread = math.sqrt(float((weights**2).sum())) / 2.0
    mean = float(weights.sum()) / 2.0
    if law == "fixed size":
        spread = math.sqrt(up * (m - up) / max(m - 1, 1)) * float(weights.std())
        mean = up * float(weights.mean())
    return float(chosen @ weights) <= mean + 0.5 * spread + 1e-9


@given(
    st.lists(st.tuples(st.integers(-9, 9), st.booleans()), min_size=1, max_size=10),
    st.sampled_from(LAWS),
)
@settings(deadline=None, max_examples=200)
def test_the_law_of_few_coins_is_that_of_all_choices(
    drawn: list[tuple[int, bool]], law: Law
) -> None:
    weights = np.array([weight for weight, _ in drawn])
    chosen = np.array([int(up) for _, up in drawn])
    truth = listed_tail(weights, chosen, law)
    found = math.exp(log_tail(weights, chosen, law))
    assert truth * (1.0 - 1e-15) <= found <= truth * (1.0 + 1e-9) or (
        found == 1.0 and little(weights, chosen, law)
    )


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(("m", "pull"), [(30, 0.0), (60, 0.5), (60, 4.0), (60, 1e9)])
def test_the_law_of_many_coins_keeps_its_digits(law: Law, m: int, pull: float) -> None:
    rng = np.random.default_rng([4, m, int(min(pull, 9))])
    weights = np.round(np.clip(rng.normal(size=m), -2, 2) * 20).astype(int)
    chosen = (pull * weights + 10 * rng.normal(size=m) > 0.0).astype(int)
    exact = exact_tail(weights, chosen, law)
    truth = math.log(exact.numerator) - math.log(exact.denominator)
    found = log_tail(weights, chosen, law)
    assert truth - 1e-12 * abs(truth) <= found
    assert found <= (0.0 if little(weights, chosen, law) else truth + 1e-5)


def test_every_coin_named_gives_two_to_the_minus_m() -> None:
    for m in (1, 7, 100, 2000):
        coins = np.arange(m) % 3 == 0
        tail = log_tail(np.where(coins, 3, -2), coins.astype(int), "fair coins")
        assert tail == pytest.approx(-m * math.log(2.0))


def false_alarms(
    law: Callable[[np.random.Generator, int], np.ndarray], kind: Law, repeats: int
) -> dict[float, int]:
    rng = np.random.default_rng(7)
    errors = dict.fromkeys((0.0, 1e-5, 0.01), 0)
    for _ in range(repeats):
        coins = rng.permutation(30) < 10 if kind == "fixed size" else rng.random(30) < 0.5
        found = coin_epsilon(law(rng, 30), coins, law=kind)
        for delta in errors:
            errors[delta] += found.at(delta) > 0.0
    return errors


def _together(rng: np.random.Generator, m: int) -> np.ndarray:
    return np.repeat(rng.normal(size=m // 5), 5) + 0.01 * rng.normal(size=m)


@pytest.mark.parametrize("kind", LAWS)
@pytest.mark.parametrize(
    "law",
    [
        lambda rng, m: rng.normal(size=m),
        lambda rng, m: np.round(rng.normal(size=m)),
        lambda rng, m: rng.standard_cauchy(m),
        _together,
    ],
    ids=["normal", "ties", "Cauchy", "dependent"],
)
def test_a_law_that_no_coin_enters_is_seldom_convicted(
    law: Callable[[np.random.Generator, int], np.ndarray], kind: Law
) -> None:
    """At most β - δ; limits of three standard errors, .00135 false alarms each.

    ``benchmarks/coins.py valid`` simulates 10,000 designs of 24 such cells.
    """
    repeats = 120
    for delta, errors in false_alarms(law, kind, repeats).items():
        level = 0.05 - delta
        assert errors / repeats <= level + 3.0 * math.sqrt(level * (1.0 - level) / repeats)


def test_the_originals_margins_would_convict_exact_retraining() -> None:
    """Weights may not come from a model that the tested coins entered, whatever θ is."""
    rng = np.random.default_rng(3)
    coins = rng.random(60) < 0.5
    retrained, original = rng.normal(size=60), 6.0 * coins + rng.normal(size=60)
    assert float(coin_epsilon(retrained, coins).bound) == 0.0
    assert float(coin_epsilon(original + 1e-9 * retrained, coins).bound) > 30.0


def test_weights_learned_from_the_coins_would_err() -> None:
    """Each half weighed by what the other half's coins suggest errs more than declared weights."""
    rng = np.random.default_rng(9)
    half = np.arange(10) % 2 == 0
    errors, repeats = 0, 1000
    for _ in range(repeats):
        coins, scores = rng.random(10) < 0.5, rng.normal(size=10)
        weighed = np.empty(10)
        for mask in (half, ~half):
            signs = np.where(coins[~mask], 1.0, -1.0)
            weighed[mask] = scores[mask] * np.sign(signs @ scores[~mask])
        whole = np.round(20 * weighed).astype(np.int64)
        errors += log_tail(whole, coins.astype(int), "fair coins") <= math.log(0.05)
    assert errors / repeats > 0.05 + 3.0 * math.sqrt(0.05 * 0.95 / repeats)


def test_three_standard_deviations_and_a_hundred_coins() -> None:
    rng = np.random.default_rng(1)
    found: list[float] = []
    for _ in range(40):
        coins = rng.random(100) < 0.5
        found.append(float(coin_epsilon(3.0 * coins + rng.normal(size=100), coins).bound))
    assert np.median(found) >= 46.0
    assert max(found) <= coin_ceiling(100)


def test_it_is_of_the_whole_set_and_one_run_epsilon_of_one_example() -> None:
    rng = np.random.default_rng(2)
    coins = rng.random(200) < 0.5
    scores = np.where(rng.random(200) < 0.9, coins, ~coins).astype(float)
    # Each coin is said rightly nine times in ten: ε is ln 9 of one, and 200 ln 1.8 of all.
    whole = float(coin_epsilon(scores, coins, delta=0.0).bound)
    single = float(estimators.one_run_epsilon(scores, coins).bound)
    assert single <= math.log(9.0) < whole <= 200 * math.log(1.8)


def test_all_deltas_hold_together() -> None:
    rng = np.random.default_rng(5)
    coins = rng.random(80) < 0.5
    found = coin_epsilon(2.0 * coins + rng.normal(size=80), coins, delta=0.02)
    bounds = [found.at(delta) for delta in (0.0, 0.01, 0.02, 0.04, 0.0499, 0.05, 0.5)]
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[2] == float(found.bound)
    assert bounds[4] > 0.0 == bounds[5] == bounds[6]
    log_p = float(found.log_pvalues[0])
    assert bounds[1] == pytest.approx(math.log(0.04) - log_p)


def test_models_with_coins_of_their_own_refute_great_deltas() -> None:
    rng = np.random.default_rng(6)
    coins = rng.random((10, 100)) < 0.5
    scores = 3.0 * coins + rng.normal(size=(10, 100))
    own = coin_epsilon(scores, coins)
    assert own.ranks == (5, 10)
    assert not own.shared
    assert own.at(0.5) > 20.0
    # By hand: q_L of Clopper and Pearson for 10 of 10 at half of the level is .025 ^ .1.
    tenth = float(np.sort(own.log_pvalues)[9])
    assert own.at(0.6) == pytest.approx(math.log(0.025**0.1 - 0.6) - tenth)
    alike = coin_epsilon(scores, coins[0])
    assert float(alike.bound) == 0.0
    shared = coin_epsilon(3.0 * coins[0] + rng.normal(size=(10, 100)), coins[0])
    assert shared.shared
    assert float(shared.bound) > 30.0
    tenth = float(np.sort(shared.log_pvalues)[9])
    by_hand = math.log(0.0125 * (0.0125**0.1 - 0.5)) - tenth
    assert shared.at(0.5) == pytest.approx(by_hand)


def test_rows_that_are_all_the_same_are_one_design() -> None:
    rng = np.random.default_rng(13)
    coins = rng.random(60) < 0.5
    scores = 3.0 * coins + rng.normal(size=(4, 60))
    rows = np.repeat(coins[None], 4, axis=0)
    assert coin_epsilon(scores, rows).shared
    assert float(coin_epsilon(scores, rows).bound) == float(coin_epsilon(scores, coins).bound)
    rows[3] = ~coins
    with pytest.raises(ValueError, match="one design for all models or another for each, found 2"):
        coin_epsilon(scores, rows)


def test_a_copy_counts_as_nothing() -> None:
    rng = np.random.default_rng(14)
    coins = rng.random((3, 60)) < 0.5
    scores = 3.0 * coins + rng.normal(size=(3, 60))
    scores[2] = scores[0]
    assert (coin_epsilon(scores, coins).log_pvalues == 0.0).tolist() == [False, False, True]


def test_observables_and_parts_share_the_level() -> None:
    rng = np.random.default_rng(8)
    coins = rng.random(60) < 0.5
    good, noise = 3.0 * coins + rng.normal(size=60), rng.normal(size=(60, 3))
    alone = coin_epsilon(good, coins)
    among = coin_epsilon(np.column_stack([noise, good])[None], coins)
    assert float(among.bound) == pytest.approx(float(alone.bound) - math.log(4.0))
    half = np.arange(60) < 30
    parts = coin_epsilon(good, coins, parts=np.stack([half, np.ones(60, dtype=bool)]))
    assert float(parts.bound) == pytest.approx(float(alone.bound) - math.log(2.0))


def test_scores_as_odd_as_they_can_be() -> None:
    coins = np.arange(40) % 2 == 0
    for scores in (
        np.zeros(40),
        np.full(40, 1e308),
        np.where(coins, 1e308, -1e308),
        5e-324 * coins,
        np.where(np.arange(40) == 3, 1e300, coins),
    ):
        found = coin_epsilon(scores, coins)
        assert 0.0 <= float(found.bound) <= coin_ceiling(40)
    assert float(coin_epsilon(-3.0 * coins, coins).bound) > 15.0


def test_scale_and_place_of_scores_say_nothing() -> None:
    rng = np.random.default_rng(12)
    coins = rng.random(50) < 0.5
    scores = np.round(2.0 * coins + rng.normal(size=50), 3)
    found = [float(coin_epsilon(a * scores + b, coins).bound) for a, b in ((1, 0), (4, 64), (2, 0))]
    assert found == pytest.approx([found[0]] * 3)


def test_too_few_coins_are_undetermined() -> None:
    found = coin_epsilon(np.array([5.0, 1.0, 5.0]), np.array([True, False, True]))
    assert bool(found.undetermined)
    assert "undetermined" in str(found)
    assert coin_ceiling(3) == 0.0 < coin_ceiling(100)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([], []), "scores: expected at least 1"),
        ((5.0, [1]), "scores: expected an array"),
        (([1.0, np.nan], [1, 0]), "scores: expected finite numbers"),
        ((["a", "b"], [1, 0]), "scores"),
        (([1.0, 2.0], [1]), "coins: expected booleans [2], found [1]"),
        (([1.0, 2.0], [1, 2]), "coins: expected booleans or 0 and 1, found 2"),
        ((np.zeros((2, 2, 2, 2)), [1, 0]), "scores: expected [m], [models, m]"),
        ((np.zeros((0, 2)), [1, 0]), "scores: expected at least 1"),
        ((np.zeros((2, 0)), []), "scores: expected at least one of each axis"),
    ],
)
def test_wrong_samples_are_refused(arguments: tuple[Any, Any], words: str) -> None:
    with pytest.raises((TypeError, ValueError)) as error:
        coin_epsilon(*map(np.asarray, arguments))
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("settings_of", "words"),
    [
        ({"delta": 1.0}, "delta: expected a number in [0, 1)"),
        ({"confidence": 1.0}, "confidence: expected"),
        ({"ranks": (2,)}, "ranks: expected different ones from 1 to 1"),
        ({"ranks": ()}, "ranks: expected different ones"),
        ({"parts": np.zeros((1, 2))}, "parts: expected masks with an example in each"),
        ({"parts": np.ones((1, 3))}, "parts: expected booleans [1, 2], found [1, 3]"),
    ],
)
def test_wrong_settings_are_refused(settings_of: dict[str, Any], words: str) -> None:
    with pytest.raises((TypeError, ValueError)) as error:
        coin_epsilon(np.array([1.0, 2.0]), np.array([1, 0]), **settings_of)
    assert words in str(error.value)


@pytest.mark.parametrize(
    "given_settings",
    [
        {"main": 0.99, "turned": 0.5},
        {"main": 0.0},
        {"centres": (1.0,)},
        {"clips": (2.0,)},
        {"clips": (1.0, 1.0)},
        {"clips": (1.0, -1.0)},
        {"clips": (1.0, 1e-9)},
        {"centres": tuple(float(k) for k in range(101)), "clips": (1.0,)},
    ],
)
def test_wrong_weights_are_refused(given_settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        CoinWeights(**given_settings)


def test_shares_of_weights_are_all_of_the_level() -> None:
    assert CoinWeights().shares.sum() == pytest.approx(1.0)
    assert CoinWeights((0.0,), (1.0,)).shares.sum() <= 1.0
