"""Extraction strength and model utility, against plain loops."""

import numpy as np
import pytest

from estimators.scores import extraction_strength, model_utility


def test_extraction_strength_is_the_shortest_prefix_that_gives_the_rest() -> None:
    matched = np.random.default_rng(3).random((3, 40, 9)) < 0.8
    for model, texts in enumerate(matched):
        for text, tokens in enumerate(texts):
            given = next(k for k in range(10) if all(tokens[k:]))
            assert extraction_strength(matched)[model, text] == pytest.approx(1 - given / 9)


def test_no_match_is_zero_and_not_one_token() -> None:
    """The published code gives 1 / tokens to a model that does not even get the last one."""
    assert extraction_strength(np.zeros((1, 1, 5), dtype=bool)).item() == 0.0
    assert extraction_strength(np.ones((1, 1, 5), dtype=bool)).item() == 1.0


def test_model_utility_is_the_harmonic_mean() -> None:
    numbers = np.random.default_rng(5).uniform(0.1, 1.0, (4, 9))
    wanted = [9 / sum(1 / number for number in row) for row in numbers]
    np.testing.assert_allclose(model_utility(numbers), wanted)
    numbers[0, 3] = 0.0
    assert model_utility(numbers)[0] == 0.0


def test_refuses_bad_input() -> None:
    with pytest.raises(ValueError, match=r"matched: expected booleans \[models, texts, tokens\]"):
        extraction_strength(np.zeros((2, 3), dtype=bool))
    with pytest.raises(ValueError, match="numbers: expected numbers of at least 0"):
        model_utility(np.array([[-0.1, 0.5]]))
    with pytest.raises(ValueError, match=r"numbers: expected \[models, scores\]"):
        model_utility(np.array([0.1, 0.5]))
