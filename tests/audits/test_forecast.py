import math

import numpy as np
import pytest

from audits.verdict._forecast import POWER, forecast, held_out_divergence, models_to_decide
from audits.verdict._simulated_audits import Margins, _events, fitted
from estimators import delta_lower_bound, delta_upper_bound
from tests.audits.decisions import shift_of

OBSERVABLES = 4
CONFIDENCE = 0.975


def draw(
    rng: np.random.Generator, models: int, shift: float, repeats: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    p, q = rng.normal(size=(2, models, repeats, OBSERVABLES))
    p[:, :, 0] += shift
    return p, q


def bounds(p: np.ndarray, q: np.ndarray, epsilon: float) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper bound of each repeat, as an audit takes them."""
    each = 1.0 - (1.0 - CONFIDENCE) / OBSERVABLES
    low = delta_lower_bound(p, q, epsilon=epsilon, confidence=each).bound
    high = delta_upper_bound(p, q, epsilon=epsilon, confidence=CONFIDENCE).bound
    return np.asarray(low).max(axis=-1), np.asarray(high).max(axis=-1)


def forecast_and_truth(
    epsilon: float, tolerance: float, divergence: float, now: int, repeats: int, seed: int
) -> tuple[int, float]:
    """The median forecast at the true distance, and how often that many models really decide."""
    rng = np.random.default_rng(seed)
    shift = shift_of(divergence, epsilon)
    found: list[int] = []
    for repeat in range(5):
        p, q = (part[:, 0] for part in draw(rng, now, shift))
        low, high = bounds(p, q, epsilon)
        models, _ = models_to_decide(
            p,
            q,
            distance=divergence,
            factor=math.exp(epsilon),
            tolerance=tolerance,
            confidence=CONFIDENCE,
            bounds=(float(low), float(high)),
            seed=repeat,
        )
        assert models is not None
        found.append(models)
    median = int(np.median(found))
    low, high = bounds(*draw(rng, median, shift, repeats), epsilon)
    decided = high <= tolerance if divergence < tolerance else low > tolerance
    return median, float(decided.mean())


# With 60 repeats the share has a standard error of 0.05; the rest of the slack is the forecast's
# own, which is "about". Each case fails by chance with probability below 0.001.
@pytest.mark.parametrize(
    ("epsilon", "tolerance", "divergence"),
    [(0.0, 0.2, 0.0), (0.0, 0.2, 0.05), (0.0, 0.2, 0.4), (1.0, 0.1, 0.0), (1.0, 0.1, 0.3)],
)
def test_as_many_models_as_forecast_decide_about_as_often_as_said(
    epsilon: float, tolerance: float, divergence: float
) -> None:
    _, share = forecast_and_truth(epsilon, tolerance, divergence, now=100, repeats=60, seed=0)
    assert abs(share - POWER) <= 0.2 + 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("now", [60, 300])
@pytest.mark.parametrize(
    ("epsilon", "tolerance", "divergence"),
    [(0.0, 0.2, h) for h in (0.0, 0.05, 0.1, 0.35, 0.5)] + [(1.0, 0.1, h) for h in (0.0, 0.3)],
)
def test_forecasts_at_full_size(
    epsilon: float, tolerance: float, divergence: float, now: int
) -> None:
    _, share = forecast_and_truth(epsilon, tolerance, divergence, now, repeats=200, seed=1)
    assert abs(share - POWER) <= 0.2 + 1e-9


def test_a_small_distance_that_is_not_null_is_forecast_within_a_factor_of_three() -> None:
    # The events that could undo such a match have few models beyond them and overfitted rates.
    rng, shift = np.random.default_rng(2), shift_of(0.025, 1.0)
    models, _ = forecast_and_truth(1.0, 0.1, 0.025, now=150, repeats=5, seed=2)
    _, high = bounds(*draw(rng, 3 * models, shift, 60), 1.0)
    assert (high <= 0.1).mean() >= POWER - 0.15  # 3 standard errors


def test_held_out_divergence_is_not_biased_upward() -> None:
    rng = np.random.default_rng(3)
    null = [held_out_divergence(*rng.normal(size=(2, 100, 4)), 1.0) for _ in range(40)]
    assert np.mean(null) < 0.06  # the plug-in's mean is 0.17
    p, q = rng.normal(size=(2, 4000, 1)) + np.array([1.0, 0.0])[:, None, None]
    assert held_out_divergence(p, q, 1.0) == pytest.approx(0.3829, abs=0.05)  # 4 standard errors


def test_nothing_can_be_held_out_of_one_model() -> None:
    assert held_out_divergence(np.zeros((1, 1)), np.ones((9, 1)), 1.0) == 0.0


def test_fitted_distributions_have_the_divergence_asked_for() -> None:
    p, q = np.random.default_rng(4).normal(size=(2, 50, 3))
    assert fitted(p, q, math.e, 0.01).divergence(math.e) == pytest.approx(0.01, abs=1e-5)
    seen = fitted(p, q, 1.0, 1.0)
    np.testing.assert_array_equal(seen.weights[0, :50], np.full(50, 0.02))


def test_calibrated_margins_give_back_the_bound_they_were_calibrated_to() -> None:
    p, q = np.random.default_rng(5).normal(size=(2, 80, 3))
    seen = fitted(p, q, 1.0, 1.0)
    margins = Margins(True, 0.025, 1.0).calibrated(seen, 80, 80, 0.4)
    weights = np.rint(seen.weights * 80).astype(np.int64)
    events = _events(seen, weights, 80, 80, margins)
    assert max(float((gap + margin).max()) for gap, margin in events) == pytest.approx(0.4)


def test_an_estimate_at_the_tolerance_has_no_feasible_forecast() -> None:
    rng = np.random.default_rng(6)
    p, q = rng.normal(size=(2, 300, 1)) + np.array([shift_of(0.3, 0.0), 0.0])[:, None, None]
    measured = held_out_divergence(p, q, 1.0)
    found = forecast(
        p, q, epsilon=0.0, tolerance=measured - 1e-5, confidence=0.975, bounds=(0.1, 0.5), seed=0
    )
    assert found.models is None


def test_what_is_open_needs_more_models_than_there_are() -> None:
    p, q = np.random.default_rng(7).normal(size=(2, 4000, 1))
    found = forecast(p, q, epsilon=0.0, tolerance=0.2, confidence=0.975, bounds=(0.0, 0.21), seed=0)
    assert found.models is not None
    assert found.models >= 4400
    assert found.towards == "match"


@pytest.mark.parametrize(("models", "given"), [(9, False), (10, True)])
def test_nothing_is_forecast_from_fewer_than_ten_models(models: int, given: bool) -> None:
    p, q = np.random.default_rng(3).normal(size=(2, models, 2))
    found = forecast(p, q, epsilon=0.0, tolerance=0.5, confidence=0.975, bounds=(0.0, 0.9), seed=0)
    assert (found.models is not None) == given
    assert found.towards == "match"


def test_more_references_ask_for_fewer_submitted_models() -> None:
    rng = np.random.default_rng(5)
    p, q = rng.normal(size=(60, 3)), rng.normal(size=(120, 3))
    found = forecast(
        p, q, epsilon=1.0, tolerance=0.2, confidence=0.975, bounds=(0.0, 0.4), seed=0, unequal=True
    )
    assert found.towards == "match"
    assert [row.references for row in found.beside] == [120, 240, 480]
    submitted = [row.submitted for row in found.beside if row.submitted is not None]
    assert len(submitted) >= 2
    assert submitted == sorted(submitted, reverse=True)
    assert found.submitted == found.beside[0].submitted
    assert (
        forecast(
            p, q, epsilon=1.0, tolerance=0.2, confidence=0.975, bounds=(0.0, 0.4), seed=0
        ).beside
        == ()
    )
