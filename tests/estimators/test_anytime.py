import numpy as np
import pytest

from estimators.exact._binomial_pair import joint_lower
from estimators.exact._gaussian_profile import gaussian_delta
from estimators.lower._anytime import (
    BETS,
    Anytime,
    anytime_delta_bound,
    event_counts,
    log_wealth,
    solve_delta,
)
from estimators.lower._bounds import delta_lower_bound
from estimators.lower._target import DeltaAt
from tests.estimators.pairs import limit, margin


def plain_wealth(outcomes: list[tuple[bool, bool]], c: float, d: float) -> float:
    total = 0.0
    for bet in BETS:
        wealth = 1.0
        for in_p, in_q in outcomes:
            wealth *= 1 + bet * (in_p - c * in_q - d) / (c + d)
        total += wealth / BETS.size
    return total


def test_wealth_agrees_with_the_plain_product() -> None:
    draw = np.random.default_rng(1)
    outcomes = [(bool(a), bool(b)) for a, b in draw.random((30, 2)) < [0.7, 0.2]]
    counts = np.array([sum(2 * a + b == k for a, b in outcomes) for k in range(4)])
    for c, d in ((1.0, 0.0), (1.0, 0.3), (np.e, 0.1)):
        found = float(log_wealth(counts, c, d))
        assert found == pytest.approx(np.log(plain_wealth(outcomes, c, d)), abs=1e-10)


def test_bound_is_where_the_wealth_reaches_its_limit() -> None:
    counts = np.array([20, 5, 70, 5])
    found = solve_delta(counts, 1.0, 0.05)
    assert (
        log_wealth(counts, 1.0, found - 1e-6) > np.log(20) > log_wealth(counts, 1.0, found + 1e-6)
    )
    assert solve_delta(np.array([0, 0, 0, 0]), 1.0, 0.05) == 0
    assert solve_delta(np.array([0, 50, 0, 0]), 1.0, 0.05) == 0


@pytest.mark.parametrize("epsilon", [0.0, 0.7])
@pytest.mark.parametrize("mu", [0.0, 1.0])
def test_valid_over_the_whole_path(epsilon: float, mu: float) -> None:
    draw, repeats, alpha = np.random.default_rng(5), 600, 0.1
    p, q = draw.normal(mu, 1, (90, repeats)), draw.normal(0, 1, (90, repeats))
    result = anytime_delta_bound(p, q, epsilon=epsilon, confidence=1 - alpha)
    ever = (result.path > gaussian_delta(mu, epsilon)).any(axis=0).mean()
    # 3 standard errors above the level: under 1 false alarm in 740 seeds.
    assert ever <= limit(repeats, alpha)


def test_looking_again_and_again_breaks_a_bound_of_fixed_size() -> None:
    # Two fair coins and the event of heads: each look alone is exact.
    draw, repeats, alpha = np.random.default_rng(7), 400, 0.1
    p = (draw.random((400, repeats)) < 0.5).astype(float)
    q = (draw.random((400, repeats)) < 0.5).astype(float)
    ever = np.zeros(repeats, dtype=bool)
    for n in range(20, 401, 20):
        x, y = p[:n].sum(axis=0).astype(int), q[:n].sum(axis=0).astype(int)
        ever |= joint_lower(x, n, y, n, 1.0, 1 - alpha)[0] > 0
    # 3 standard errors away from the level on either side.
    assert ever.mean() > alpha + margin(repeats, alpha)
    path = anytime_delta_bound(p, q, epsilon=0.0, confidence=1 - alpha).path
    assert (path > 0).any(axis=0).mean() <= limit(repeats, alpha)


def test_more_models_continue_the_same_path() -> None:
    draw = np.random.default_rng(11)
    p, q = draw.normal(1, 1, (200, 3)), draw.normal(0, 1, (200, 3))
    whole = anytime_delta_bound(p, q, epsilon=np.array([0.0, 0.5]))
    for n in (5, 9, 57, 120):
        part = anytime_delta_bound(p[:n], q[:n], epsilon=np.array([0.0, 0.5]))
        np.testing.assert_array_equal(part.path, whole.path[:n])
    assert whole.path.shape == (200, 2, 3)
    assert (np.diff(whole.path, axis=0) >= 0).all()
    assert whole.path[:8].max() == 0
    # Models without a partner change nothing but the warning.
    longer = anytime_delta_bound(np.concatenate([p, p + 9]), q, epsilon=np.array([0.0, 0.5]))
    np.testing.assert_array_equal(longer.path, whole.path)
    assert "200 models without a partner" in longer.warnings[0]


def test_decides_in_time_and_agrees_with_the_method() -> None:
    draw = np.random.default_rng(13)
    p, q = draw.normal(2, 1, (300, 20)), draw.normal(0, 1, (300, 20))
    result = anytime_delta_bound(p, q, epsilon=0.5)
    decided = result.pairs_until(0.2)
    assert (decided > 0).all()
    assert 20 < np.median(decided) < 100
    assert (result.pairs_until(0.99) == -1).all()
    final = delta_lower_bound(p, q, epsilon=0.5, method=Anytime()).bound
    assert (final <= result.bound + 1e-12).all()
    assert (final > result.bound - 0.1).all()
    assert "any stopping time" in str(result)
    assert "anytime" not in anytime_delta_bound(p, q, epsilon=np.array([0.0])).to_dataframe()


def test_events_never_look_ahead() -> None:
    draw = np.random.default_rng(17)
    p, q = draw.normal(1, 1, (60, 1)), draw.normal(0, 1, (60, 1))
    before = event_counts(p, q, DeltaAt(0.0), path=True)
    p[-1] += 100
    after = event_counts(p, q, DeltaAt(0.0), path=True)
    np.testing.assert_array_equal(before[:-1], after[:-1])
