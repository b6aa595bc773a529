"""The search for the least number of models, and bootstrap draws of models."""

import numpy as np
import pytest

from estimators.exact import least_models, resampled_counts


@pytest.mark.parametrize("start", [1, 7, 500, 10**6])
@pytest.mark.parametrize("answer", [1, 2, 3, 64, 999, 1000])
def test_the_search_finds_the_least_number_wherever_it_starts(answer: int, start: int) -> None:
    tried: list[int] = []

    def enough(models: int) -> bool:
        tried.append(models)
        return models >= answer

    assert least_models(enough, most=1000, start=start) == answer
    assert 1 <= min(tried) <= max(tried) <= 1000
    assert len(tried) == len(set(tried)) <= 25


def test_what_is_not_enough_at_most_is_none() -> None:
    assert least_models(lambda models: models >= 1001, most=1000) is None
    assert least_models(lambda models: True, most=1000, least=9, start=16) == 9


@pytest.mark.parametrize("answer", [3, 40, 777, 123_456])
def test_a_coarse_search_is_near_and_never_too_small(answer: int) -> None:
    calls = 0

    def enough(models: int) -> bool:
        nonlocal calls
        calls += 1
        return models >= answer

    found = least_models(enough, most=10**6, within=0.04)
    assert found is not None
    assert answer <= found <= 1.04 * answer + 1
    fine = calls
    assert least_models(enough, most=10**6) == answer
    assert fine <= calls - fine


def test_resampled_counts_are_draws_of_as_many_models() -> None:
    counts = resampled_counts(30, 4000, np.random.default_rng(3))
    assert counts.shape == (4000, 30)
    assert (counts.sum(axis=1) == 30).all()
    # Each count is Binomial(30, 1/30), of variance 29/30; 0.03 is many standard errors.
    assert counts.var(axis=0).mean() == pytest.approx(29 / 30, abs=0.03)
    assert (counts.min(axis=0) == 0).all()
