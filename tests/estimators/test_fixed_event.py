import numpy as np
import pytest
from scipy import stats

from estimators.lower._fixed_event import Event, bound_event, choose_event
from estimators.lower._target import DeltaAt, EpsilonAt


@pytest.mark.parametrize("forward", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("joint", [False, True])
def test_violations_counted_exactly_never_exceed_the_level(
    forward: float, joint: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if joint:
        monkeypatch.setattr("estimators.lower._fixed_event.GREATEST_TOTAL", 0)
    n, m, alpha, epsilon = 11, 8, 0.2, 0.4
    event, c = Event(0.0, True, forward, 0.7071), np.exp(epsilon)
    low = np.array(
        [
            [bound_event(x, n, y, m, event, DeltaAt(epsilon), alpha) for y in range(m + 1)]
            for x in range(n + 1)
        ]
    )
    for p in np.linspace(0, 1, 26):
        for q in np.linspace(0, 1, 26):
            law = stats.binom.pmf(np.arange(n + 1), n, p)[:, None]
            law = law * stats.binom.pmf(np.arange(m + 1), m, q)
            truth = max(p - c * q, (1 - q) - c * (1 - p), 0.0)
            assert (law * (low > truth)).sum() <= alpha + 1e-12
    assert low[n, 0] > 0.3


@pytest.mark.parametrize("forward", [0.0, 0.5, 1.0])
def test_epsilon_and_delta_bounds_invert_each_other(forward: float) -> None:
    event = Event(0.0, True, forward, 0.7071)
    for n in (100, 400):
        x, y = int(0.7 * n), int(0.2 * n)
        delta = bound_event(x, n, y, n, event, DeltaAt(0.3), 0.05)
        assert delta > 0
        assert bound_event(x, n, y, n, event, EpsilonAt(delta), 0.05) == pytest.approx(0.3)


def test_event_chosen_is_the_value_that_differs() -> None:
    rng = np.random.default_rng(1)
    p = rng.choice(4, size=200, p=[0.1, 0.2, 0.2, 0.5]).astype(float)
    q = rng.choice(4, size=200, p=[0.3, 0.3, 0.2, 0.2]).astype(float)
    event = choose_event(p, q, 500, 500, DeltaAt(0.0), "either")
    assert event.above
    assert event.threshold in (1.0, 2.0)
    assert event.holds(np.array([0.0, 3.0])).tolist() == [False, True]
    turned = choose_event(q, p, 500, 500, DeltaAt(0.0), "either")
    assert not turned.above
    assert turned.holds(np.array([0.0, 3.0])).tolist() == [True, False]
    # Two values differ evenly: both inequalities bind, so both directions are mixed.
    one, two = np.repeat([0.0, 1.0], [8, 22]), np.repeat([0.0, 1.0], [22, 8])
    assert choose_event(one, two, 900, 900, EpsilonAt(0.01), "either").forward == 0.5
    assert choose_event(one, two, 900, 900, EpsilonAt(0.01), "forward").forward == 1.0
