import numpy as np
import pytest
from scipy import stats

from estimators.lower._bounds import delta_lower_bound, epsilon_lower_bound
from estimators.lower._held_out import fitted_share
from estimators.lower._rank_grid import RankGrid
from estimators.lower._split import Split
from estimators.lower._witness import Witness, _kernels, _normal
from tests.estimators.pairs import limit, scale

SCORES = ("gaussian", "kernel", "logistic", "mlp")


def test_split_finds_the_one_observable_that_differs_among_many() -> None:
    rng = np.random.default_rng(33)
    p, q = rng.normal(size=(400, 300)), rng.normal(size=(400, 300))
    p[:, 170] -= 1.0
    found = delta_lower_bound(p, q, epsilon=0.0, method=Split())
    assert found.bound.shape == ()
    assert 0.2 < found.bound < 0.3829
    assert epsilon_lower_bound(p, q, delta=0.01, method=Split()).bound > 0.7


def test_split_of_equal_columns_claims_no_more_than_its_level() -> None:
    rng = np.random.default_rng(34)
    hits = [
        delta_lower_bound(
            rng.normal(size=(40, 50)), rng.normal(size=(40, 50)), epsilon=0.0, method=Split()
        ).bound
        > 0
        for _ in range(80)
    ]
    assert np.mean(hits) <= limit(80)


@pytest.mark.parametrize("score", SCORES)
def test_witness_sees_what_half_lines_do_not(score: str) -> None:
    rng = np.random.default_rng(35)
    if score == "logistic":
        p, q = rng.normal(0.4, 1.0, (300, 8)), rng.normal(0.0, 1.0, (300, 8))
    else:
        p, q = rng.normal(0.0, 2.0, (300, 1)), rng.normal(0.0, 1.0, (300, 1))
    found = delta_lower_bound(p, q, epsilon=0.0, method=Witness(score=score, seed=1))
    half_lines = delta_lower_bound(p, q, epsilon=0.0, method=RankGrid(pilot=0.0)).bound.max()
    assert found.bound > half_lines + 0.05
    again = delta_lower_bound(p, q, epsilon=0.0, method=Witness(score=score, seed=1))
    assert again.bound == found.bound


def test_scale_change_is_bounded_within_reach_of_the_truth() -> None:
    pair, rng = scale(), np.random.default_rng(36)
    found = [
        epsilon_lower_bound(
            pair.p(rng, (1000, 1)), pair.q(rng, (1000, 1)), delta=0.1, method=Witness()
        ).bound
        for _ in range(9)
    ]
    assert 0.5 <= np.median(found) / pair.epsilon(0.1) < 1.0


def test_log_densities_agree_with_scipy() -> None:
    rng = np.random.default_rng(37)
    sample, at = rng.normal(size=(4000, 2)), rng.normal(size=(5, 2))
    law = stats.multivariate_normal(sample.mean(0), np.cov(sample.T))
    np.testing.assert_allclose(_normal(sample)(at), law.logpdf(at) + np.log(2 * np.pi), atol=0.02)
    truth = stats.norm.logpdf(at).sum(axis=1) + np.log(2 * np.pi)
    np.testing.assert_allclose(_kernels(sample)(at), truth, atol=0.5)
    assert np.isfinite(_kernels(np.ones((3, 1)))(np.array([[1e6]]))).all()


def test_too_few_models_to_learn_from_are_undetermined() -> None:
    assert [fitted_share(n, 0.2) for n in (1, 3, 4, 10, 100)] == [0, 0, 2, 2, 20]
    found = delta_lower_bound(np.ones((3, 2)), np.zeros((3, 2)), epsilon=0.0, method=Witness())
    assert found.undetermined
    assert found.bound == 0


def test_bad_settings_are_refused() -> None:
    with pytest.raises(ValueError, match=r"fraction: expected a number in \(0, 1\), found 1.0"):
        Split(fraction=1.0)
    with pytest.raises(ValueError, match="seed: expected an integer"):
        Witness(seed=-1)
    with pytest.raises(TypeError, match="score"):
        Witness(score="forest")  # pyright: ignore
    assert "in turns at half the level each" in Split(swap=True).words()
