import numpy as np
import pytest

from estimators.lower._bayesian import Bayesian
from estimators.lower._bounds import delta_lower_bound, epsilon_lower_bound
from estimators.lower._clopper_pearson import ClopperPearson
from estimators.lower._target import DeltaAt, EpsilonAt
from tests.estimators.pairs import limit, margin


@pytest.mark.parametrize(("x", "n", "y", "m"), [(40, 50, 10, 60), (5, 5, 0, 9), (0, 20, 20, 20)])
@pytest.mark.parametrize("epsilon", [0.0, 1.5])
def test_quantile_agrees_with_simulation(x: int, n: int, y: int, m: int, epsilon: float) -> None:
    draw = np.random.default_rng(1)
    a = draw.beta(x + 0.5, n - x + 0.5, 400_000)
    b = draw.beta(y + 0.5, m - y + 0.5, 400_000)
    one, method = np.array([[x]]), Bayesian()
    found = method._quantile(one, n, np.array([[y]]), m, DeltaAt(epsilon), 0.05)[0, 0]
    # The share below is binomial: 4 standard errors, a false alarm in 16,000 seeds.
    share = (a - np.exp(epsilon) * b <= found).mean()
    assert abs(share - 0.05) < margin(400_000, errors=4) + 1e-4
    found = method._quantile(one, n, np.array([[y]]), m, EpsilonAt(0.01), 0.05)[0, 0]
    if found > -1:
        share = (np.log(np.maximum(a - 0.01, 1e-300) / b) <= found).mean()
        assert abs(share - 0.05) < margin(400_000, errors=4) + 1e-4


def test_holds_on_average_over_its_prior() -> None:
    draw, repeats, n = np.random.default_rng(3), 1_000, 40
    a, b = draw.beta(0.5, 0.5, (2, repeats))
    p, q = (
        (draw.random((n, repeats)) < a).astype(float),
        (draw.random((n, repeats)) < b).astype(float),
    )
    found = delta_lower_bound(p, q, epsilon=0.0, method=Bayesian()).bound
    assert (found > np.abs(a - b)).mean() <= limit(repeats)


def test_is_no_confidence_bound() -> None:
    # A mass just under the posterior's quantile after 21 hits of 21: 1 data set in 8.
    draw, repeats, mass = np.random.default_rng(5), 500, 0.905
    p, q = (draw.random((30, repeats)) < mass).astype(float), np.zeros((1_500, repeats))
    credible = delta_lower_bound(p, q, epsilon=0.0, method=Bayesian()).bound
    exact = delta_lower_bound(p, q, epsilon=0.0, method=ClopperPearson(fraction=0.3)).bound
    # 3 standard errors away from the level on either side.
    assert (credible > mass).mean() > limit(repeats)
    assert (exact > mass).mean() <= 0.05
    result = delta_lower_bound(p[:, :1], q[:, :1], epsilon=1.0, method=Bayesian())
    assert "not a confidence bound" in result.assumptions[1]
    assert "credible" in result.warnings[0]
    assert "credible" in result.method


def test_tighter_than_clopper_pearson_on_the_same_split() -> None:
    draw = np.random.default_rng(7)
    p, q = draw.normal(1, 1, (500, 60)), draw.normal(0, 1, (500, 60))
    ours = epsilon_lower_bound(p, q, delta=0.01, method=Bayesian()).bound
    textbook = epsilon_lower_bound(p, q, delta=0.01, method=ClopperPearson(fraction=0.3)).bound
    assert np.median(ours) > 1.1 * np.median(textbook)


def test_settings() -> None:
    draw = np.random.default_rng(9)
    p, q = draw.normal(1, 1, 100), draw.normal(0, 1, 100)
    one = delta_lower_bound(p, q, epsilon=0.0, method=Bayesian(seed=1)).bound
    assert one != delta_lower_bound(p, q, epsilon=0.0, method=Bayesian(seed=2)).bound
    assert "seed 1" in Bayesian(seed=1).words()
    with pytest.raises(ValueError, match="fraction: expected a number in"):
        Bayesian(fraction=0.0)
    with pytest.raises(ValueError, match="prior: expected a number in"):
        Bayesian(prior=0.0)
    with pytest.raises(ValueError, match="seed: expected an integer"):
        Bayesian(seed=-1)
    with pytest.raises(ValueError, match="fraction: expected a number in"):
        ClopperPearson(fraction=0.95)
    with pytest.raises(ValueError, match="seed: expected an integer"):
        ClopperPearson(seed=-1)
